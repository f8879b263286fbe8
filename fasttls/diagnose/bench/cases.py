"""The cases of connections over memory, and the goals for them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from fasttls.diagnose.authority import DemoFiles, make_demo_files
from fasttls.diagnose.bench import handshakes as hs
from fasttls.diagnose.bench.ends import Pair, pair_of
from fasttls.diagnose.bench.libraries import AES128, FASTTLS, HYBRID, PEERS, SSL, Library, Setting, UnsupportedSetting
from fasttls.diagnose.bench.rounds import Case, Contender

COLD, WARM, OURS = "fasttls, cold", "fasttls, warm", "fasttls"
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


# A case's name, and what makes its contenders.
Plan = tuple[str, Callable[[], list[Contender]]]


class Files(dict[str, DemoFiles]):
    """Certificates of each kind of key, and of an authority that nobody trusts, made when they are first asked for."""

    def __init__(self, folder: Path | None) -> None:
        """Make them in a folder; None is for a suite that is asked for names alone."""
        super().__init__()
        self._folder = folder

    def __missing__(self, kind: str) -> DemoFiles:
        assert self._folder is not None
        folder = self._folder / kind
        folder.mkdir()
        self[kind] = made = make_demo_files(folder, "P-256" if kind == "unknown" else kind)
        return made


class Suite:
    """Makes cases, with those peers that are installed; what a peer cannot do is noted."""

    def __init__(self, files: Files, peers: Iterable[Library] = PEERS) -> None:
        self.files = files
        self.peers = [peer for peer in peers if not peer.missing()]
        self.notes: dict[str, set[str]] = {}
        """What each library could not be compared in, and why."""

        self._checked: set[str] = set()

    def full(self, version: str, kind: str, group: str = "X25519", *, mutual: bool = False) -> list[Contender]:
        """Return a full handshake, both sides; `ssl` uses X25519 in place of a group that it lacks."""
        setting = Setting(version, group, mutual)
        base = setting._replace(group="X25519") if group == HYBRID else setting
        cold, warm = FULL_GOALS.get((version, kind, group, mutual), (None, None))
        ours = self._checked_pair(FASTTLS, kind, setting)
        contenders = [
            Contender(COLD, hs.full(ours, setting, cold=True), cold),
            Contender(WARM, hs.full(ours, setting), warm),
            Contender("ssl", hs.full(self._checked_pair(SSL, kind, base), base)),
        ]
        peers = list(self._peers(setting, lambda peer, told: hs.full(self._checked_pair(peer, kind, told), told)))
        if any(AES128 in contender.name for contender in peers):
            told = setting._replace(suite=AES128)
            contenders.append(Contender(f"{WARM}, {AES128}", hs.full(self._checked_pair(FASTTLS, kind, told), told)))
        return [*contenders, *peers]

    def one_side(self, version: str, side: str, kind: str = "P-256") -> list[Contender]:
        """Return a full handshake with `ssl` on the other side, in which one side's calls are timed alone."""
        setting = Setting(version)

        def step(library: Library, told: Setting, *, cold: bool = False) -> hs.Step:
            # What can only use AES-128 with itself takes AES-256 from ssl: check() asserts it.
            own = told._replace(suite=library.suite13) if version == "TLSv1.3" else told
            files, serves = self.files[kind], side == "server"
            measured, other = library.context(files, own, serves), SSL.context(files, told, not serves)
            pair = Pair(other, measured, ssl.MemoryBIO) if serves else Pair(measured, other, ssl.MemoryBIO)
            hs.check(pair, told, files)
            return hs.one_side(pair, told, side, cold=cold)

        contenders = [
            Contender(COLD, step(FASTTLS, setting, cold=True)),
            Contender(WARM, step(FASTTLS, setting)),
            Contender("ssl", step(SSL, setting)),
        ]
        return [*contenders, *self._peers(setting, step, own=False)]

    def resumption(self, version: str, *, with_next: bool) -> list[Contender]:
        """Return resumptions; with_next counts reading the ticket and taking .session too."""
        setting, files = Setting(version), self.files["P-256"]

        def step(library: Library, told: Setting) -> hs.Step:
            if not library.resumes:
                raise UnsupportedSetting("does not resume")
            return hs.Resumed(pair_of(library, library, files, told), told, files, with_next=with_next)

        return [
            Contender(OURS, step(FASTTLS, setting), RESUMED_GOALS[version]),
            Contender("ssl", step(SSL, setting)),
            *self._peers(setting, step),
        ]

    def _data(self, make: Callable[[Pair], hs.Step], goal: float | None) -> list[Contender]:
        setting = Setting()

        def step(library: Library, told: Setting) -> hs.Step:
            return make(self._checked_pair(library, "P-256", told))

        ours = Contender(OURS, step(FASTTLS, setting), goal)
        peers = self._peers(setting, step, any_group=True)
        return [ours, Contender("ssl", step(SSL, setting)), *peers]

    def quick(self, only: str = "") -> Iterator[Case]:
        """Yield the cases that have goals and a name with a text in it."""
        return (Case(name, make()) for name, make in self._with_goals() if only in name)

    def everything(self, only: str = "") -> Iterator[Case]:
        """Yield every case of connections over memory that has a text in its name."""
        return (Case(name, make()) for name, make in self.plans().items() if only in name)

    def plans(self) -> dict[str, Callable[[], list[Contender]]]:
        """Return what makes the contenders of each case, by its name."""
        more: list[Plan] = []
        for version in RESUMED_GOALS:
            more.append(self._full_plan(version, "P-256", "secp256r1", False))
            for side in ("client", "server"):
                more.append((f"{side} alone {version[4:]}, P-256, X25519", partial(self.one_side, version, side)))
        return dict([*self._with_goals(), *more])

    def _with_goals(self) -> Iterator[Plan]:
        for told in FULL_GOALS:
            yield self._full_plan(*told)
        for with_next in (False, True):
            for version in RESUMED_GOALS:
                name = f"resumption {version[4:]}{', the next session included' if with_next else ''}"
                yield name, partial(self.resumption, version, with_next=with_next)
        yield "64-byte ping-pong", partial(self._data, hs.ping_pong, PING_PONG_GOAL)
        for what, goal in (("both ways", BULK_GOAL), ("send", None), ("receive", None)):
            yield f"bulk 16 KiB, {what}", partial(self._data, partial(hs.bulk, what=what), goal)

    def _full_plan(self, version: str, kind: str, group: str, mutual: bool) -> Plan:
        name = f"{'mutual' if mutual else 'full'} {version[4:]}, {kind}, {group}"
        return name, partial(self.full, version, kind, group, mutual=mutual)

    def _checked_pair(self, library: Library, kind: str, setting: Setting) -> Pair:
        """Return the contexts of a library, when a connection of them is what it should be."""
        pair = pair_of(library, library, self.files[kind], setting)
        hs.check(pair, setting, self.files[kind])
        if library.verifies and library.name not in self._checked:
            hs.check_refuses(pair_of(library, library, self.files["unknown"], setting)._replace(client=pair.client))
            self._checked.add(library.name)
        return pair

    def _peers(
        self,
        setting: Setting,
        make: Callable[[Library, Setting], hs.Step],
        *,
        own: bool = True,
        any_group: bool = False,
    ) -> Iterator[Contender]:
        """Yield the peers that can do it; the name says where one does not do just the same.

        own lets a peer use its own suite of TLS 1.3, any_group its own group where that is not measured.
        """
        for peer in self.peers:
            told = setting
            if own and setting.version == "TLSv1.3":
                told = told._replace(suite=peer.suite13)
            for group in (setting.group, HYBRID) if any_group else (setting.group,):
                try:
                    step = make(peer, told._replace(group=group))
                except UnsupportedSetting as exc:
                    reason = str(exc)
                else:
                    different = "" if told.suite == setting.suite else f", {told.suite}"
                    unverified = "" if peer.verifies else ", unverified"
                    yield Contender(f"{peer.name}{different}{unverified}", step, every=peer.every)
                    break
            else:
                self.notes.setdefault(peer.name, set()).add(reason)
