"""What contexts remember of sessions, and tickets that are spoilt or another context's: never an error."""

from __future__ import annotations

import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from api.peers import Bios, connected, echo, serving
from fleet.test_file import write
from fleet.test_keys import SECONDS, a_session, in_child, in_threads

import fasttls
from fasttls.sessions.cache import ClientSessions, ServerSessions
from fasttls.sessions.epoch import EpochTicketKeys
from fasttls.sessions.file import FileTicketKeys
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.session import Session

TLS12, TLS13 = fasttls.TLSVersion.TLSv1_2, fasttls.TLSVersion.TLSv1_3
each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["TLSv1.2", "TLSv1.3"])
NOW = 1_700_000_000.0


def session12(number: int = 0) -> Session:
    """Return a session of TLS 1.2."""
    return a_session(version=0x0303, suite=0xC02B, session_id=bytes([number]) * 32)


class TestClientSessions:
    def test_the_newest_of_a_place_is_taken(self) -> None:
        kept = ClientSessions()
        old, new = a_session(), a_session()
        kept.keep("here", old)
        kept.keep("here", new)
        assert kept.take("here", NOW) is new
        assert kept.take("here", NOW) is old
        assert kept.take("here", NOW) is None
        assert kept.take("there", NOW) is None

    def test_a_session_of_tls12_is_taken_again(self) -> None:
        kept = ClientSessions()
        session = session12()
        kept.keep("here", session)
        assert [kept.take("here", NOW) for _ in range(3)] == [session] * 3

    def test_an_expired_one_is_forgotten(self) -> None:
        kept = ClientSessions()
        for session in (a_session(), session12(), a_session()):
            kept.keep("here", session)
        assert kept.take("here", NOW + 10_000) is None
        assert len(kept) == 0

    def test_a_place_has_a_few(self) -> None:
        kept = ClientSessions()
        for _ in range(100):
            kept.keep("here", a_session())
        assert 1 <= len(kept) <= 10

    def test_places_are_bounded(self) -> None:
        kept = ClientSessions(10)
        for place in range(100):
            kept.keep(place, a_session())
        assert [place for place in range(100) if kept.take(place, NOW)] == list(range(90, 100))

    @pytest.mark.parametrize("session", [a_session(), session12()], ids=["TLSv1.3", "TLSv1.2"])
    def test_the_place_that_was_used_longest_ago_goes_first(self, session: Session) -> None:
        kept = ClientSessions(2)
        kept.keep("often", session)
        kept.keep("often", session)
        kept.keep("seldom", session)
        assert kept.take("often", NOW) is session
        kept.keep("new", session)
        assert kept.take("seldom", NOW) is None
        assert kept.take("often", NOW) is session

    def test_forgetting(self) -> None:
        kept = ClientSessions()
        kept.keep("here", a_session())
        kept.keep("there", a_session())
        kept.forget("here")
        kept.forget("nowhere")
        assert kept.take("here", NOW) is None
        assert len(kept) == 1
        kept.clear()
        assert len(kept) == 0

    def test_threads_never_get_the_same_one_of_tls13(self) -> None:
        kept = ClientSessions()
        for _ in range(50):
            kept.keep("here", a_session())
            found: list[Session | None] = []
            in_threads(4, lambda _, found=found: found.append(kept.take("here", NOW)))
            taken = [session for session in found if session is not None]
            assert len({id(session) for session in taken}) == len(taken)

    def test_counting_while_others_change_it(self) -> None:
        kept = ClientSessions(1000)
        count_while(lambda turn: kept.keep(turn % 3000, session12()), lambda: len(kept))


class TestServerSessions:
    def test_by_id(self) -> None:
        kept = ServerSessions()
        session = session12(7)
        kept.keep(session)
        assert kept.find(session.session_id) is session
        assert kept.find(bytes(32)) is None
        assert kept.take(session.session_id) is session
        assert kept.take(session.session_id) is None

    def test_they_are_bounded_and_the_one_used_longest_ago_goes_first(self) -> None:
        kept = ServerSessions(2)
        for number in (1, 2):
            kept.keep(session12(number))
        assert kept.find(bytes([1]) * 32) is not None
        kept.keep(session12(3))
        assert len(kept) == 2
        assert kept.find(bytes([2]) * 32) is None
        assert kept.find(bytes([1]) * 32) is not None

    def test_removing(self) -> None:
        kept = ServerSessions()
        kept.keep(session12(1))
        kept.remove(bytes([1]) * 32)
        kept.remove(bytes([1]) * 32)
        assert len(kept) == 0

    def test_a_fork_while_another_thread_changes_it_hangs_nobody(self) -> None:
        kept = ServerSessions()
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                kept.keep(session12(1))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            for _ in range(20):
                assert in_child(lambda: b"" if kept.find(bytes(32)) else b"x") == b"x"
        finally:
            stop.set()
            thread.join(SECONDS)


def count_while(change: Callable[[int], object], count: Callable[[], int]) -> None:
    """Count in one thread while another one changes, as fast as they can take turns."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        until = time.monotonic() + 0.2

        def work(index: int) -> None:
            turn = 0
            while time.monotonic() < until:
                turn += 1
                if index:
                    change(turn)
                else:
                    assert count() >= 0

        in_threads(2, work)
    finally:
        sys.setswitchinterval(interval)


def only(version: fasttls.TLSVersion, *contexts: fasttls.SSLContext) -> None:
    """Let contexts speak one version."""
    for context in contexts:
        context.maximum_version = TLS13
        context.minimum_version = context.maximum_version = version


class TestOfAContext:
    """Over sockets, where the port is known, and with no word from the caller."""

    def go(self, client: fasttls.SSLContext, address: tuple[str, int]) -> bool:
        """Connect and exchange data; return whether a session was resumed."""
        with (
            socket.create_connection(address, SECONDS) as plain,
            client.wrap_socket(plain, server_hostname="localhost") as wrapped,
        ):
            wrapped.sendall(b"ping")
            assert wrapped.recv(4) == b"ping"
            return wrapped.session_reused

    @each_version
    def test_a_client_resumes_by_itself(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext, version: fasttls.TLSVersion
    ) -> None:
        only(version, client_context, server_context)
        with serving(server_context, echo) as address:
            assert [self.go(client_context, address) for _ in range(4)] == [False, True, True, True]
        stats = client_context.session_stats()
        assert (stats["connect"], stats["connect_good"], stats["hits"]) == (4, 4, 3)

    @each_version
    def test_another_port_is_another_place(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext, version: fasttls.TLSVersion
    ) -> None:
        only(version, client_context, server_context)
        with serving(server_context, echo) as here, serving(server_context, echo) as there:
            assert not self.go(client_context, here)
            assert not self.go(client_context, there)
            assert self.go(client_context, here)

    def test_what_was_switched_off_does_nothing(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext
    ) -> None:
        with serving(server_context, echo) as address:
            self.go(client_context, address)
            client_context.resumption = False
            assert client_context.session_stats()["number"] == 0
            assert not self.go(client_context, address)
            assert client_context.session_stats()["number"] == 0

    def test_many_threads_resume(self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext) -> None:
        with serving(server_context, echo) as address:
            found: list[bool] = []
            in_threads(6, lambda _: found.extend(self.go(client_context, address) for _ in range(10)))
        print(f"\n{sum(found)} of {len(found)} connections of six threads to one place were resumed")
        assert len(found) == 60
        assert sum(found) >= 20

    def test_statistics_while_others_connect(self, client_context: fasttls.SSLContext) -> None:
        sessions = client_context._client_sessions
        count_while(
            lambda turn: sessions.keep(turn % 300, session12()), lambda: client_context.session_stats()["number"]
        )


def spoils() -> Iterator[tuple[str, Callable[[bytes], bytes]]]:
    """Return ways to spoil a ticket."""
    draw = random.Random(5)

    def flipped(ticket: bytes) -> bytes:
        bit = draw.randrange(len(ticket) * 8)
        changed = bytearray(ticket)
        changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    yield from [("a bit flipped", flipped)] * 20
    yield from [("cut", lambda ticket: ticket[: draw.randrange(1, len(ticket))])] * 10
    yield from [("random", lambda ticket: draw.randbytes(draw.randrange(1, 1000)))] * 10
    yield from [("random behind the name", lambda ticket: ticket[:16] + draw.randbytes(draw.randrange(300)))] * 10
    yield "longer", lambda ticket: ticket + b"\0"
    yield "twice", lambda ticket: ticket * 2
    yield "large", lambda ticket: ticket + bytes(30_000)
    yield "larger", lambda ticket: ticket + bytes(60_000)
    yield "turned around", lambda ticket: ticket[::-1]


def with_ticket(session: fasttls.SSLSession, ticket: bytes) -> fasttls.SSLSession:
    """Return a session that names itself by another ticket, as a client may send any."""
    return fasttls.SSLSession.from_bytes(Session.from_bytes(session.to_bytes()).with_ticket(ticket).to_bytes())


def left(client: fasttls.SSLContext, server: fasttls.SSLContext) -> fasttls.SSLSession:
    """Return the session that a connection leaves."""
    session = Bios(client, server).handshake().client.session
    assert session.has_ticket
    return fasttls.SSLSession.from_bytes(session.to_bytes())


def resumes(client: fasttls.SSLContext, server: fasttls.SSLContext, session: fasttls.SSLSession) -> bool:
    """Connect with a session and exchange data; return whether it was resumed, on which both sides agree."""
    ends = Bios(client, server)
    ends.client.session = session
    ends.handshake()
    ends.client.write(b"ping")
    assert ends.server.read(4) == b"ping"
    ends.server.write(b"pong")
    assert ends.client.read(4) == b"pong"
    assert ends.client.session_reused == ends.server.session_reused
    return bool(ends.client.session_reused)


class TestTicketsThatAreNone:
    """A full handshake, and never an error to the caller."""

    @each_version
    def test_spoilt_ones(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext, version: fasttls.TLSVersion
    ) -> None:
        only(version, client_context, server_context)
        session = left(client_context, server_context)
        ticket = Session.from_bytes(session.to_bytes()).ticket
        for name, spoil in spoils():
            assert not resumes(client_context, server_context, with_ticket(session, spoil(ticket))), name
        assert resumes(client_context, server_context, session)

    @each_version
    def test_swapped_between_contexts(
        self,
        folder: Path,
        client_context: fasttls.SSLContext,
        server_context: fasttls.SSLContext,
        version: fasttls.TLSVersion,
    ) -> None:
        other = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
        other.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
        only(version, client_context, server_context, other)
        ours, theirs = left(client_context, server_context), left(client_context, other)
        assert not resumes(client_context, server_context, theirs)
        assert not resumes(client_context, other, ours)
        assert resumes(client_context, server_context, ours)
        assert resumes(client_context, other, theirs)

    def test_of_another_session_of_the_same_server(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext
    ) -> None:
        """The ticket opens, and is not the one of the secret that the client has: in TLS 1.3 the binder tells."""
        one, other = left(client_context, server_context), left(client_context, server_context)
        swapped = with_ticket(one, Session.from_bytes(other.to_bytes()).ticket)
        with pytest.raises(fasttls.SSLError, match="BINDER_DOES_NOT_VERIFY"):
            resumes(client_context, server_context, swapped)

    @each_version
    def test_of_keys_that_were_rotated_out(
        self,
        client_context: fasttls.SSLContext,
        server_context: fasttls.SSLContext,
        version: fasttls.TLSVersion,
        tmp_path: Path,
    ) -> None:
        only(version, client_context, server_context)
        moment = [NOW]
        stores = {
            "memory": (MemoryTicketKeys(100, now=lambda: moment[0]), lambda: None),
            "epoch": (EpochTicketKeys(bytes(32), epoch_seconds=100, now=lambda: moment[0]), lambda: None),
            "file": (
                FileTicketKeys(write(tmp_path / "key", 1), clock=lambda: moment[0]),
                lambda: write(tmp_path / "key", os.urandom(1)[0] % 100 + 2),
            ),
        }
        for name, (keys, rotate) in stores.items():
            server_context.ticket_keys = keys
            session = left(client_context, server_context)
            found = []
            for _ in range(4):
                moment[0] += 100
                rotate()
                found.append(resumes(client_context, server_context, session))
            assert found[0], name
            assert not found[-1], name

    @each_version
    def test_of_the_other_version(
        self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext, version: fasttls.TLSVersion
    ) -> None:
        """Both ways, under one key, by clients and servers that speak the version of the connection alone."""
        sessions = {}
        for speaking in (TLS12, TLS13):
            only(speaking, client_context, server_context)
            sessions[speaking] = left(client_context, server_context)
        only(version, client_context, server_context)
        (another,) = (session for speaking, session in sessions.items() if speaking != version)
        assert not resumes(client_context, server_context, another)
        foreign = Session.from_bytes(another.to_bytes()).ticket
        assert not resumes(client_context, server_context, with_ticket(sessions[version], foreign))

    def test_over_sockets_too(self, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext) -> None:
        session = left(client_context, server_context)
        spoilt = with_ticket(session, bytes(100))
        with connected(client_context, server_context) as (client, _):
            assert not client.session_reused
        with serving(server_context, echo) as address:
            for offered, expected in ((spoilt, False), (session, True)):
                with (
                    socket.create_connection(address, SECONDS) as plain,
                    client_context.wrap_socket(plain, server_hostname="localhost", session=offered) as wrapped,
                ):
                    wrapped.sendall(b"ping")
                    assert wrapped.recv(4) == b"ping"
                    assert wrapped.session_reused == expected
