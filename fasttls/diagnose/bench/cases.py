"""The cases, and the goals for them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import fasttls
from fasttls.diagnose.authority import DemoFiles, make_demo_files
from fasttls.diagnose.bench import handshakes as hs
from fasttls.diagnose.bench.ends import Setting
from fasttls.diagnose.bench.rounds import Case, Contender

COLD, WARM, OURS = "fasttls, cold", "fasttls, warm", "fasttls"
HYBRID = "X25519MLKEM768"
KINDS = ("P-256", "RSA-2048")

# The ratio to ssl's CPU time, both sides, that is wanted: cold (nothing remembered), and warm (the chain was seen).
FULL_GOALS: dict[tuple[str, str, str, bool], tuple[float, float]] = {
    ("TLSv1.3", "P-256", "X25519", False): (0.37, 0.27),
    ("TLSv1.2", "P-256", "X25519", False): (0.40, 0.29),
    ("TLSv1.3", "RSA-2048", "X25519", False): (0.55, 0.53),
    ("TLSv1.2", "RSA-2048", "X25519", False): (0.58, 0.56),
    ("TLSv1.3", "P-256", "X25519", True): (0.30, 0.19),
    ("TLSv1.3", "P-256", HYBRID, False): (0.52, 0.42),
}
RESUMED_GOALS = {"TLSv1.3": 0.30, "TLSv1.2": 0.20}
PING_PONG_GOAL = 0.95
BULK_GOAL = 0.90


class Files(dict[str, DemoFiles]):
    """Certificates of each kind of key, made in a folder when they are first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, kind: str) -> DemoFiles:
        folder = self._folder / kind
        folder.mkdir()
        self[kind] = made = make_demo_files(folder, kind)
        return made


def full(files: Files, version: str, kind: str, group: str = "X25519", *, mutual: bool = False) -> Case:
    """Return a full handshake, cold and warm beside `ssl`, which uses X25519 in place of a group that it lacks."""
    setting = Setting(version, group, mutual)
    theirs = setting._replace(group="X25519") if group == HYBRID else setting
    cold, warm = FULL_GOALS.get((version, kind, group, mutual), (None, None))
    ours = hs.pair_of(fasttls, files[kind], setting)
    name = f"{'mutual' if mutual else 'full'} {version[4:]}, {kind}, {group}"
    return Case(
        name,
        [
            Contender(COLD, hs.full(ours, setting, cold=True), cold),
            Contender(WARM, hs.full(ours, setting), warm),
            Contender("ssl", hs.full(hs.pair_of(ssl, files[kind], theirs), theirs)),
        ],
    )


def resumption(files: Files, version: str, *, with_next: bool) -> Case:
    """Return resumptions; with_next counts what a client does to go on later too: read the ticket, take .session."""
    setting = Setting(version)
    rows = [(OURS, fasttls, RESUMED_GOALS[version]), ("ssl", ssl, None)]
    return Case(
        f"resumption {version[4:]}{', the next session included' if with_next else ''}",
        [
            Contender(
                name, hs.Resumed(hs.pair_of(library, files["P-256"], setting), setting, with_next=with_next), goal
            )
            for name, library, goal in rows
        ],
    )


def data(files: Files) -> Iterator[Case]:
    """Yield what connected ends do: small messages, and blocks."""
    setting = Setting()
    ours, theirs = (hs.pair_of(library, files["P-256"], setting) for library in (fasttls, ssl))
    yield Case(
        "64-byte ping-pong",
        [Contender(OURS, hs.ping_pong(ours), PING_PONG_GOAL), Contender("ssl", hs.ping_pong(theirs))],
    )
    for what in ("both ways", "send", "receive"):
        goal = BULK_GOAL if what == "both ways" else None
        yield Case(
            f"bulk 16 KiB, {what}",
            [Contender(OURS, hs.bulk(ours, what), goal), Contender("ssl", hs.bulk(theirs, what))],
        )


def quick(files: Files) -> Iterator[Case]:
    """Yield the cases that have goals and can be measured in one process."""
    for version, kind, group, mutual in FULL_GOALS:
        yield full(files, version, kind, group, mutual=mutual)
    for with_next in (False, True):
        for version in RESUMED_GOALS:
            yield resumption(files, version, with_next=with_next)
    yield from data(files)
