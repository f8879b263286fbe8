"""Resumption of either version, both sides in one process over memory, against the standard library's ssl.

CPU time of this thread, in one run and in turns. Each connection is offered the session of the one before it, as a
ticket of TLS 1.3 is used once. "handshake" is wrap_bio() and do_handshake() of both sides, the server's ticket
included; "and the next session" adds what a client does to go on later: reading the ticket, and .session.
"""

from __future__ import annotations

import ssl
import time
from contextlib import suppress
from statistics import median
from types import ModuleType
from typing import NamedTuple

import pytest

import fasttls
from benchmarks.contexts import VERSIONS, contexts
from fasttls.diagnose.authority import DemoFiles

ROUNDS = 200
GOALS = {"TLSv1.3": 0.30, "TLSv1.2": 0.20}


class Took(NamedTuple):
    """One connection: its CPU seconds, and what it left."""

    handshake: float
    with_session: float
    session: ssl.SSLSession | None
    reused: tuple[bool, bool]


def connect(contexts: tuple, session: ssl.SSLSession | None) -> Took:
    """Connect once, offering a session."""
    client_context, server_context = contexts
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    started = time.thread_time()
    client = client_context.wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    shaken = time.thread_time()
    with suppress(ssl.SSLWantReadError):
        client.read(1)
    following = client.session
    ended = time.thread_time()
    return Took(shaken - started, ended - started, following, (client.session_reused, server.session_reused))


class Row:
    """One library's connections, full or resumed."""

    def __init__(self, library: ModuleType, files: DemoFiles, version: str, *, resumes: bool) -> None:
        self.contexts = contexts(library, files, version=version)
        self.resumes = resumes
        self.session: ssl.SSLSession | None = None
        self.handshake: list[float] = []
        self.with_session: list[float] = []
        if not resumes:
            self._give_no_tickets(library)
        for _ in range(5):
            self.step()
        self.handshake.clear()
        self.with_session.clear()

    def _give_no_tickets(self, library: ModuleType) -> None:
        """Leave out of a full handshake what only a resumption needs, in either library."""
        client, server = self.contexts
        if library is fasttls:
            client.resumption = server.resumption = False
        else:
            server.num_tickets = 0
            for context in (client, server):
                context.options |= ssl.OP_NO_TICKET

    def step(self) -> None:
        """Connect once more."""
        offered = self.session
        took = connect(self.contexts, offered)
        assert took.reused == ((True, True) if offered is not None else (False, False))
        if self.resumes:
            assert took.session is not None
            assert took.session.has_ticket
            self.session = took.session
        if offered is not None or not self.resumes:
            self.handshake.append(took.handshake)
            self.with_session.append(took.with_session)


@VERSIONS
def test_resumption_is_cheaper_than_a_full_handshake(files: DemoFiles, version: str) -> None:
    """Compare in turns, so that a busy moment of the machine is nobody's disadvantage; the median of each counts."""
    rows = {
        (library.__name__, resumes): Row(library, files, version, resumes=resumes)
        for resumes in (True, False)
        for library in (fasttls, ssl)
    }
    for _ in range(ROUNDS):
        for row in rows.values():
            row.step()
    ratios = {}
    print()
    for resumes, what in ((True, "resumption"), (False, "full handshake")):
        for measured, part in (("handshake", "handshake"), ("with_session", "and the next session")):
            if not resumes and measured == "with_session":
                continue
            ours, theirs = (
                1e6 * median(getattr(rows[library, resumes], measured)) for library in (fasttls.__name__, ssl.__name__)
            )
            ratios[resumes, measured] = ours / theirs
            print(
                f"{version} {what}, {part}: fasttls {ours:.0f} µs, ssl {theirs:.0f} µs, ratio {ours / theirs:.2f}"
                + (f" (goal {GOALS[version]:.2f})" if resumes else "")
            )
    # The goals stand in the rows; what must hold is that resuming is worth it.
    ours = {resumes: median(rows[fasttls.__name__, resumes].handshake) for resumes in (True, False)}
    assert ours[True] < ours[False]


@VERSIONS
def test_what_is_resumed_is_the_same_in_both(files: DemoFiles, version: str) -> None:
    """That the rows compare like with like: version, suite, and a server that is verified."""
    found = []
    for library in (fasttls, ssl):
        pair = contexts(library, files, version=version)
        session = connect(pair, None).session
        to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = pair[0].wrap_bio(to_client, to_server, server_hostname="localhost", session=session)
        server = pair[1].wrap_bio(to_server, to_client, server_side=True)
        for _ in range(3):
            for end in (client, server):
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
        assert client.session_reused
        found.append((client.version(), client.cipher()[0], client.getpeercert()["subject"]))
    assert found[0] == found[1]
    assert found[0][0] == version


@pytest.mark.parametrize("library", [fasttls, ssl], ids=["fasttls", "ssl"])
def test_a_session_of_tls13_is_a_new_one_each_time(library: ModuleType, files: DemoFiles) -> None:
    pair = contexts(library, files)
    ids = []
    session = None
    for _ in range(5):
        session = connect(pair, session).session
        assert session is not None
        ids.append(session.id)
    assert len(set(ids)) == 5
