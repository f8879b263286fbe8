"""Early data is taken once at the most, by one server and by a fleet (RFC 8446 §8)."""

from __future__ import annotations

import os
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from api.peers import Bios
from fleet.test_fleet import Server, Settings, fleet, visit
from fleet.test_keys import SECONDS, Clock, in_threads
from fleet.test_redis import UNREACHABLE, RedisServer, nobody, redis_server, unreachable, wait_for

import fasttls
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.redis import RedisReplayGuard, RedisTicketKeys
from fasttls.sessions.replay import MemoryReplayGuard

EARLY = b"GET / HTTP/1.0\r\n\r\n"
SOON = 0.25  # seconds: the guard's own time-out, twice, and some of a busy machine's


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis for all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


class TestMemoryReplayGuard:
    def test_a_token_is_new_once(self) -> None:
        guard = MemoryReplayGuard()
        assert [guard.first_use(token, 20) for token in (b"a", b"b", b"a", b"b")] == [True, True, False, False]

    def test_it_remembers_for_as_long_as_it_was_told(self) -> None:
        clock = Clock()
        guard = MemoryReplayGuard(clock=clock)
        assert guard.first_use(b"a", 20)
        clock.now += 19.9
        assert not guard.first_use(b"a", 20)
        clock.now += 0.2
        assert guard.first_use(b"a", 20)

    def test_when_the_wall_clock_is_set_back_it_refuses(self) -> None:
        """What was used and forgotten since has the right age once more."""
        clock, wall = Clock(), Clock()
        guard = MemoryReplayGuard(clock=clock, wall=wall)
        assert guard.first_use(b"a", 20)
        for one in (clock, wall):
            one.now += 40
        wall.now -= 40
        assert not guard.first_use(b"a", 20)
        for one in (clock, wall):
            one.now += 59
        assert not guard.first_use(b"b", 20)
        for one in (clock, wall):
            one.now += 2
        assert guard.first_use(b"b", 20)

    def test_a_wall_clock_that_is_set_forward_changes_nothing(self) -> None:
        clock, wall = Clock(), Clock()
        guard = MemoryReplayGuard(clock=clock, wall=wall)
        assert guard.first_use(b"a", 20)
        wall.now += 1000
        assert guard.first_use(b"b", 20)
        assert not guard.first_use(b"a", 20)

    def test_while_it_is_full_it_refuses_and_forgets_nothing(self) -> None:
        clock = Clock()
        guard = MemoryReplayGuard(3, clock=clock)
        assert all(guard.first_use(token, 20) for token in (b"a", b"b", b"c"))
        assert not any(guard.first_use(token, 20) for token in (b"d", b"a", b"e", b"c"))
        clock.now += 21
        assert guard.first_use(b"d", 20)

    def test_with_keys_that_outlive_the_process_it_refuses_at_first(self) -> None:
        clock = Clock()
        guard = MemoryReplayGuard(lasting_keys=True, clock=clock)
        assert not guard.first_use(b"a", 20)
        clock.now += 20
        assert guard.first_use(b"a", 20)

    def test_threads_that_come_together_are_one_first(self) -> None:
        guard = MemoryReplayGuard()
        for number in range(20):
            found: list[bool] = []
            in_threads(8, lambda _, found=found, token=bytes([number]): found.append(guard.first_use(token, 20)))
            assert found.count(True) == 1

    def test_no_room_is_refused(self) -> None:
        with pytest.raises(ValueError, match="one or more"):
            MemoryReplayGuard(0)


class TestRedisReplayGuard:
    def test_a_token_is_new_once_to_both_guards(self, redis: RedisServer) -> None:
        one, other = RedisReplayGuard(redis.url), RedisReplayGuard(redis.url)
        token = os.urandom(32)
        assert one.first_use(token, 20)
        assert not other.first_use(token, 20)
        assert not one.first_use(token, 20)
        assert other.first_use(os.urandom(32), 20)

    def test_fleets_of_other_prefixes_have_their_own(self, redis: RedisServer) -> None:
        token = os.urandom(32)
        assert RedisReplayGuard(redis.url, prefix="one").first_use(token, 20)
        assert RedisReplayGuard(redis.url, prefix="other").first_use(token, 20)

    def test_threads_and_guards_that_come_together_are_one_first(self, redis: RedisServer) -> None:
        guards = [RedisReplayGuard(redis.url, timeout_seconds=2.0) for _ in range(2)]
        for _ in range(10):
            token = os.urandom(32)
            found: list[bool] = []
            in_threads(8, lambda i, found=found, token=token: found.append(guards[i % 2].first_use(token, 20)))
            assert found.count(True) == 1

    def test_it_remembers_for_as_long_as_it_was_told(self, redis: RedisServer) -> None:
        guard = RedisReplayGuard(redis.url, prefix="lasting")
        token = os.urandom(32)
        assert guard.first_use(token, 0.3)
        with redis.client() as client:
            (kept,) = client.scan_iter("lasting:*")
            assert 100 < client.pttl(kept) <= 300
        assert not guard.first_use(token, 0.3)
        time.sleep(0.35)
        assert guard.first_use(token, 0.3)

    @UNREACHABLE
    def test_in_doubt_it_is_no_and_soon(self, where: str) -> None:
        with unreachable(where) as url:
            clock = Clock()
            started = time.monotonic()
            guard = RedisReplayGuard(url, pause_seconds=5.0, clock=clock)
            assert time.monotonic() - started < SOON
            for _ in range(2):
                started = time.monotonic()
                assert not guard.first_use(os.urandom(32), 20)
                assert time.monotonic() - started < SOON
                started = time.monotonic()
                assert not any(guard.first_use(os.urandom(32), 20) for _ in range(1000))
                assert time.monotonic() - started < SOON, "it asks again in the pause"
                clock.now += 5.0

    def test_after_the_pause_it_asks_again(self, redis: RedisServer) -> None:
        clock = Clock()
        guard = RedisReplayGuard(redis.url, clock=clock)
        assert guard.first_use(os.urandom(32), 20)
        with redis.hanging():
            assert not guard.first_use(os.urandom(32), 20)
        assert not guard.first_use(os.urandom(32), 20)
        clock.now += 1.0
        wait_for(lambda: RedisReplayGuard(redis.url).first_use(os.urandom(32), 20))
        assert guard.first_use(os.urandom(32), 20)

    def test_an_answer_that_came_late_is_nobody_elses(self, redis: RedisServer) -> None:
        """Redis answers yes to the first token when the guard has given up; that is no answer to the second one."""
        guard = RedisReplayGuard(redis.url, pause_seconds=0.0)
        used = os.urandom(32)
        assert guard.first_use(used, 20)
        with redis.hanging():
            assert not guard.first_use(os.urandom(32), 20)
        wait_for(lambda: RedisReplayGuard(redis.url).first_use(os.urandom(32), 20))
        for _ in range(5):
            assert not guard.first_use(used, 20)

    def test_repr_and_exceptions_do_not_show_the_password(self, caplog: pytest.LogCaptureFixture) -> None:
        guard = RedisReplayGuard(nobody().replace("//", "//user:secret-word@"))
        assert not guard.first_use(b"a", 20)
        assert caplog.records
        assert "secret-word" not in caplog.text + repr(guard)


class EarlyClient:
    """A client whose first flight is at hand, byte for byte, before it is sent."""

    def __init__(self, context: fasttls.SSLContext, session: fasttls.SSLSession) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._end = context.wrap_bio(self._incoming, self._outgoing, server_hostname="localhost", session=session)
        assert self._end.write_early_data(EARLY) == len(EARLY)
        self.flight = self._outgoing.read()

    def connect(self, port: int) -> fasttls.SSLObject:
        """Send the flight, and complete the handshake; return the connection when the server has answered."""
        with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            plain.sendall(self.flight)
            while True:
                try:
                    self._end.do_handshake()
                    assert self._end.read(1) in (b"R", b"F")
                    return self._end
                except ssl.SSLWantReadError:
                    plain.sendall(self._outgoing.read())
                    self._incoming.write(plain.recv(65536))


def replay(port: int, flight: bytes) -> None:
    """Send recorded bytes as whoever saw them can."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
        plain.sendall(flight)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass


def cut(flight: bytes) -> bytes:
    """Return the same with the first record cut in two."""
    size = int.from_bytes(flight[3:5], "big")
    body, rest = flight[5 : 5 + size], flight[5 + size :]
    halves = b"".join(
        flight[:3] + len(half).to_bytes(2, "big") + half for half in (body[: size // 2], body[size // 2 :])
    )
    return halves + rest


def accepted(servers: list[Server], connections: int) -> int:
    """Return how often the servers took early data, when they have had so many connections."""
    wait_for(lambda: sum(len(server.connections) for server in servers) >= connections)
    return sum(said["early"] is True for server in servers for said in server.connections)


@pytest.fixture
def early_client(client_context: fasttls.SSLContext) -> fasttls.SSLContext:
    """Return a client's context that may send early data."""
    client_context.early_data = True
    return client_context


@pytest.fixture(scope="module")
def settings(folder: Path, redis: RedisServer) -> Settings:
    """Return the settings of a server of a fleet."""
    return {"folder": str(folder), "keys": "redis", "guard": "redis", "url": redis.url}


@pytest.fixture(scope="module")
def both(settings: Settings) -> Iterator[list[Server]]:
    """Return the two servers of a fleet, for all tests of the module."""
    with fleet(settings, settings) as servers:
        yield servers


@pytest.fixture
def servers(both: list[Server]) -> list[Server]:
    """Return the two servers of a fleet, as if they had had no connections."""
    for server in both:
        server.forget()
    return both


class TestAFleet:
    def test_a_recorded_flight_is_taken_once(self, servers: list[Server], early_client: fasttls.SSLContext) -> None:
        ports = [server.ports[0] for server in servers]
        _, session = visit(early_client, ports[0])
        client = EarlyClient(early_client, session)
        end = client.connect(ports[1])
        assert end.session_reused
        assert end.early_data_accepted
        wait_for(lambda: servers[1].connections)
        assert servers[1].connections[0]["data"] == EARLY.decode()
        for port in (*ports, *ports):
            replay(port, client.flight)
            replay(port, cut(client.flight))
        assert accepted(servers, 10) == 1
        refused = [said for server in servers for said in server.connections if said["early"] is False]
        assert len(refused) == 8
        assert {said["data"] for said in refused} == {""}
        assert {said["reason"] for said in refused} == {"it may have been seen before"}

    def test_who_replays_it_first_takes_the_early_data_and_not_the_connection(
        self, servers: list[Server], early_client: fasttls.SSLContext
    ) -> None:
        _, session = visit(early_client, servers[0].ports[0])
        client = EarlyClient(early_client, session)
        replay(servers[0].ports[0], client.flight)
        assert accepted(servers, 2) == 1
        end = client.connect(servers[1].ports[0])
        assert end.session_reused
        assert end.early_data_accepted is False
        assert accepted(servers, 3) == 1

    def test_many_copies_at_once_are_taken_once(self, servers: list[Server], early_client: fasttls.SSLContext) -> None:
        _, session = visit(early_client, servers[0].ports[0])
        flight = EarlyClient(early_client, session).flight
        in_threads(12, lambda index: replay(servers[index % 2].ports[0], flight))
        assert accepted(servers, 13) <= 1

    def test_while_redis_is_away_early_data_is_refused_and_the_handshake_goes_on(
        self, settings: Settings, early_client: fasttls.SSLContext, tmp_path: Path
    ) -> None:
        with redis_server(tmp_path) as running:
            with fleet({**settings, "url": running.url}) as (server,):
                port = server.ports[0]
                sessions = [visit(early_client, port)[1] for _ in range(4)]
                with running.hanging():
                    for session in sessions[:2]:
                        started = time.monotonic()
                        end = EarlyClient(early_client, session).connect(port)
                        assert time.monotonic() - started < 2 * SOON
                        assert end.session_reused
                        assert end.early_data_accepted is False
                running.kill()
                for session in sessions[2:]:
                    end = EarlyClient(early_client, session).connect(port)
                    assert end.session_reused
                    assert end.early_data_accepted is False
                running.start()
                time.sleep(1.1)  # the pause
                _, session = visit(early_client, port)
                assert EarlyClient(early_client, session).connect(port).early_data_accepted


class TestOneServer:
    def test_a_recorded_flight_is_taken_once(self, folder: Path, early_client: fasttls.SSLContext) -> None:
        with fleet({"folder": str(folder), "keys": "epoch", "guard": "memory"}) as servers:
            port = servers[0].ports[0]
            _, session = visit(early_client, port)
            client = EarlyClient(early_client, session)
            in_threads(6, lambda _: replay(port, client.flight))
            assert accepted(servers, 7) == 1
            assert client.connect(port).early_data_accepted is False
            assert accepted(servers, 8) == 1

    def test_what_is_recorded_is_taken_by_no_server_of_other_keys(
        self, folder: Path, early_client: fasttls.SSLContext, redis: RedisServer
    ) -> None:
        own = {"folder": str(folder), "keys": "epoch", "guard": "memory"}
        with fleet(own, {**own, "keys": "redis", "url": redis.url}) as servers:
            _, session = visit(early_client, servers[0].ports[0])
            client = EarlyClient(early_client, session)
            replay(servers[1].ports[0], client.flight)
            end = client.connect(servers[1].ports[0])
            assert not end.session_reused
            assert end.early_data_accepted is False
            assert accepted(servers, 3) == 0

    @UNREACHABLE
    def test_no_full_handshake_asks_the_guard(
        self, where: str, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext
    ) -> None:
        with unreachable(where) as url:
            server_context.set_early_data(100, RedisReplayGuard(url, timeout_seconds=5.0))
            for _ in range(3):
                started = time.monotonic()
                Bios(client_context, server_context).handshake()
                assert time.monotonic() - started < SOON

    @pytest.mark.parametrize("why", ["the guard says no", "the server takes none now", "the ticket is unknown"])
    def test_early_data_that_is_refused_is_no_error(
        self, why: str, early_client: fasttls.SSLContext, server_context: fasttls.SSLContext
    ) -> None:
        server_context.set_early_data(100, MemoryReplayGuard())
        session = Bios(early_client, server_context).handshake().client.session
        if why == "the guard says no":
            server_context.set_early_data(100, MemoryReplayGuard(lasting_keys=True))
        elif why == "the server takes none now":
            server_context.set_early_data(0, None)
        else:
            server_context.ticket_keys = MemoryTicketKeys()
        ends = Bios(early_client, server_context)
        ends.client.session = session
        assert ends.client.write_early_data(EARLY) == len(EARLY)
        ends.handshake()
        assert ends.client.early_data_accepted is False
        assert ends.client.early_data_reason
        assert ends.server.early_data == b""
        ends.client.write(EARLY)
        assert ends.server.read(100) == EARLY

    def test_a_server_without_a_guard_takes_none(self, server_context: fasttls.SSLContext) -> None:
        with pytest.raises(ValueError, match="replay guard"):
            server_context.set_early_data(100, None)


class TestClientsThatDoNotDo:
    """A client that answers something else must not make every token new."""

    def test_one_of_asyncio(self) -> None:
        client = __import__("redis.asyncio").asyncio.Redis()
        for made in (RedisReplayGuard, lambda server: RedisTicketKeys(server, bytes(32))):
            with pytest.raises(TypeError, match="asyncio"):
                made(client)

    def test_one_that_decodes(self) -> None:
        client = __import__("redis").Redis(decode_responses=True)
        for made in (RedisReplayGuard, lambda server: RedisTicketKeys(server, bytes(32))):
            with pytest.raises(ValueError, match="decode_responses"):
                made(client)

    @pytest.mark.parametrize(
        ("answer", "new"),
        [(True, True), ("OK", True), (b"OK", True), (None, False), (False, False), (1, False), (object(), False)],
        ids=repr,
    )
    def test_what_a_client_answers(self, answer: object, new: bool) -> None:
        class Client:
            def set(self, *_: object, **__: object) -> object:
                return answer

        assert RedisReplayGuard(Client()).first_use(b"token", 20) is new
