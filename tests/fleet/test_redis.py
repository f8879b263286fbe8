"""Ticket keys in a real Redis: shared, announced, wrapped, and in nobody's way when it is killed, hangs or lies."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import redis
from api.peers import Bios
from fleet.test_keys import Clock, in_child, in_threads, name_of, sealed
from interop.ends import free_port, program

import fasttls
from fasttls.native._secret import Secret
from fasttls.sessions.keys import open_ticket
from fasttls.sessions.redis import RedisTicketKeys

SECONDS = 10.0  # after which whatever does not come is a failure
KEY = bytes(range(32))
AT_ONCE = 0.05  # seconds


class RedisServer:
    """A redis-server on a port of loopback that keeps nothing when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._program = program("redis-server")
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(
            [self._program, *settings, "--dir", str(self._folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with self.client() as client:
            wait_for(lambda: answers(client))

    def kill(self) -> None:
        """End it without notice."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(SECONDS)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it accept connections and answer none for a while."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    @contextmanager
    def client(self) -> Iterator[Any]:
        """Return a client of the redis package."""
        client = redis.Redis(port=self.port, socket_timeout=SECONDS)
        with closing(client):
            yield client


def answers(client: Any) -> bool:
    """Whether a server answers."""
    with suppress(redis.RedisError):
        return bool(client.ping())
    return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a server until the block ends."""
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def never_answering() -> Iterator[str]:
    """Return the URL of something that accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def nobody() -> str:
    """Return a URL where nobody listens."""
    return f"redis://127.0.0.1:{free_port()}"


def wait_for(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never was so"
        time.sleep(0.005)


def unlock(client: Any, prefix: str) -> None:
    """Forget who wrote last: a writer stays elected for seconds, longer than these tests take."""
    client.delete(f"{prefix}:ticket-keys:writer")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a server that all tests of the module share, each with a prefix of its own."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[RedisServer]:
    """Return a server for one test."""
    with redis_server(tmp_path) as running:
        yield running


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """Return a prefix that no other test has."""
    return str(request.node.name)


@pytest.fixture
def make(prefix: str) -> Iterator[Callable[..., RedisTicketKeys]]:
    """Return a function that makes stores, which are closed when the test ends."""
    with ExitStack() as stack:

        def made(where: Any, key: bytes = KEY, *, ready: bool = True, **more: Any) -> RedisTicketKeys:
            settings = {"prefix": prefix, "refresh_seconds": 0.02, "timeout_seconds": 0.5}
            keys = RedisTicketKeys(where, key, **{**settings, **more})
            stack.callback(keys.close)
            if ready:
                wait_for(lambda: keys.active() is not None)
            return keys

        yield made


Make = Callable[..., RedisTicketKeys]


def record_of(server: RedisServer, prefix: str) -> bytes | None:
    """Return the fleet's record as it is in Redis."""
    with server.client() as client:
        found: bytes | None = client.get(f"{prefix}:ticket-keys")
        return found


class TestSharing:
    def test_two_servers_open_each_others_tickets(self, server: RedisServer, make: Make) -> None:
        one, other = make(server.url), make(server.url)
        assert open_ticket(other, sealed(one)) is not None
        assert open_ticket(one, sealed(other)) is not None
        assert name_of(one) == name_of(other)

    def test_fleets_of_other_prefixes_share_nothing(self, server: RedisServer, make: Make) -> None:
        assert open_ticket(make(server.url), sealed(make(server.url, prefix="another fleet"))) is None

    def test_a_client_of_the_callers_does_too(self, server: RedisServer, make: Make) -> None:
        with server.client() as client:
            one = make(client)
            assert open_ticket(make(server.url), sealed(one)) is not None
            one.close()

    def test_the_key_encryption_key_may_be_a_secret(self, server: RedisServer, make: Make) -> None:
        assert open_ticket(make(server.url), sealed(make(server.url, Secret(KEY)))) is not None

    def test_of_six_that_start_at_once_one_writes(self, server: RedisServer, make: Make) -> None:
        stores: list[RedisTicketKeys] = []
        in_threads(6, lambda _: stores.append(make(server.url)))
        tickets = [sealed(store) for store in stores]
        assert len({ticket[:16] for ticket in tickets}) == 1
        time.sleep(0.1)
        for store in stores:
            assert all(open_ticket(store, ticket) is not None for ticket in tickets)
        assert len({name_of(store) for store in stores}) == 1

    def test_ready_means_that_there_are_keys(self, server: RedisServer, make: Make, prefix: str) -> None:
        """Another server was elected a moment ago, and has not written yet."""
        with server.client() as client:
            client.set(f"{prefix}:ticket-keys:writer", b"another", px=5000)
            keys = make(server.url, ready=False)
            assert keys.wait_ready(0.3) == (keys.active() is not None)

    def test_who_was_not_elected_has_the_keys_soon(self, server: RedisServer, make: Make, prefix: str) -> None:
        """Not only when the refresh of half a minute is due."""
        with server.client() as client:
            client.set(f"{prefix}:ticket-keys:writer", b"another", px=5000)
            waiting = make(server.url, ready=False, refresh_seconds=30.0)
            time.sleep(0.1)
            unlock(client, prefix)
            make(server.url)
        wait_for(lambda: waiting.active() is not None, 1.2)

    def test_a_writer_that_died_is_replaced(self, server: RedisServer, make: Make, prefix: str) -> None:
        with server.client() as client:
            client.set(f"{prefix}:ticket-keys:writer", b"dead", px=300)
            make(server.url)


class TestRotation:
    def test_the_next_key_is_everywhere_before_it_seals(self, server: RedisServer, make: Make) -> None:
        """Both are cut off from Redis before the key changes."""
        clock = Clock()
        stores = [make(server.url, rotate_seconds=1000.0, now=clock) for _ in range(2)]
        before = [sealed(store) for store in stores]
        for store in stores:
            store.close()
        time.sleep(0.1)
        clock.now += 1000
        after = [sealed(store) for store in stores]
        assert {ticket[:16] for ticket in before}.isdisjoint(ticket[:16] for ticket in after)
        for store in stores:
            assert all(open_ticket(store, ticket) is not None for ticket in (*before, *after))

    def test_a_server_whose_clock_is_ahead_seals_with_what_the_others_know(
        self, server: RedisServer, make: Make
    ) -> None:
        clock = Clock()
        here = make(server.url, rotate_seconds=1000.0, now=clock)
        there = make(server.url, rotate_seconds=1000.0, now=lambda: clock.now + 999.0)
        clock.now += 500
        wait_for(lambda: name_of(here) != name_of(there))
        assert open_ticket(here, sealed(there)) is not None
        assert open_ticket(there, sealed(here)) is not None

    def test_as_many_are_kept_as_were_asked_for(self, server: RedisServer, make: Make, prefix: str) -> None:
        clock = Clock()
        one, other = (make(server.url, rotate_seconds=1000.0, kept=2, now=clock) for _ in range(2))
        names: list[bytes | None] = []
        with server.client() as client:
            for _ in range(5):
                names.append(name_of(one))
                unlock(client, prefix)
                before = record_of(server, prefix)
                clock.now += 1000
                wait_for(lambda before=before: record_of(server, prefix) != before)
                time.sleep(0.06)
                assert name_of(one) == name_of(other)
        assert len(set(names)) == 5
        for store in (one, other):
            assert [store.find(name) is not None for name in names if name] == [False, False, False, False, True]

    def test_keys_change_as_often_as_they_are_told(self, server: RedisServer, make: Make) -> None:
        one, other = (make(server.url, rotate_seconds=0.2) for _ in range(2))
        seen: list[bytes | None] = []
        until = time.monotonic() + 1.2
        while time.monotonic() < until:
            name = name_of(one)
            if name not in seen:
                seen.append(name)
            assert open_ticket(other, sealed(one)) is not None
            time.sleep(0.01)
        assert len(seen) >= 4, f"{len(seen)} keys in 1.2 s"

    def test_a_key_that_nobody_renews_stops_sealing(self, own_server: RedisServer, make: Make) -> None:
        clock = Clock()
        keys = make(own_server.url, rotate_seconds=1000.0, kept=3, now=clock)
        own_server.kill()
        clock.now += 1500
        assert keys.active() is not None
        clock.now += 10_000
        assert keys.active() is None

    def test_a_key_that_nobody_renews_stops_opening(self, own_server: RedisServer, make: Make) -> None:
        """The copy goes on for as long as its keys would have been kept, and no longer."""
        clock = Clock()
        keys = make(own_server.url, rotate_seconds=1000.0, kept=3, now=clock)
        ticket = sealed(keys)
        own_server.kill()
        clock.now += 1500
        assert open_ticket(keys, ticket) is not None
        clock.now += 100_000
        assert open_ticket(keys, ticket) is None

    def test_after_a_long_silence_keys_are_made_anew(self, server: RedisServer, make: Make, prefix: str) -> None:
        clock = Clock()
        ticket = sealed(make(server.url, rotate_seconds=1000.0, kept=3, now=clock))
        with server.client() as client:
            client.delete(f"{prefix}:ticket-keys")  # as its lifetime does
            unlock(client, prefix)
        clock.now += 100_000
        late = make(server.url, rotate_seconds=1000.0, kept=3, now=clock)
        assert open_ticket(late, sealed(late)) is not None
        assert open_ticket(late, ticket) is None


class TestWhatRedisSees:
    def test_keys_are_wrapped(self, server: RedisServer, make: Make, prefix: str) -> None:
        clock = Clock()
        keys = make(server.url, rotate_seconds=1000.0, now=clock)
        secrets = [bytes(keys.active().secret)]  # type: ignore[union-attr]
        clock.now += 1000
        secrets.append(bytes(keys.active().secret))  # type: ignore[union-attr]
        time.sleep(0.1)
        with server.client() as client:
            everything = b"".join(
                name + client.get(name) for name in client.scan_iter(f"{prefix}*") if client.type(name) == b"string"
            )
        assert len(everything) > 150
        for secret in (*secrets, KEY):
            for form in (secret, secret[:8], secret[-8:]):
                assert form not in everything
                assert form.hex().encode() not in everything

    def test_the_record_does_not_stay_for_ever(self, server: RedisServer, make: Make, prefix: str) -> None:
        make(server.url, rotate_seconds=1000.0, kept=3)
        with server.client() as client:
            assert 3_000_000 < client.pttl(f"{prefix}:ticket-keys") <= 5_000_000
            # -2 when it was given back; -1 would be a lock that stays for ever.
            assert client.pttl(f"{prefix}:ticket-keys:writer") in (-2, *range(5001))

    def test_repr_and_logs_do_not_leak(self, make: Make, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            keys = make("redis://user:pass%20word@127.0.0.1:1", ready=False)
            wait_for(lambda: caplog.records)
        for shown in (repr(keys), caplog.text):
            assert KEY.hex() not in shown
            assert "word" not in shown

    @pytest.mark.parametrize("first", ["right", "wrong"])
    def test_another_key_encryption_key_yields_nothing_and_destroys_nothing(
        self, server: RedisServer, make: Make, prefix: str, first: str
    ) -> None:
        ours, theirs = (KEY, bytes(32)) if first == "right" else (bytes(32), KEY)
        good = make(server.url, ours)
        record, name = record_of(server, prefix), name_of(good)
        with server.client() as client:
            unlock(client, prefix)
        bad = make(server.url, theirs, ready=False)
        time.sleep(0.15)
        assert bad.active() is None
        assert bad.find(name or b"") is None
        assert not bad.wait_ready(0)
        assert open_ticket(bad, sealed(good)) is None
        assert record_of(server, prefix) == record
        assert open_ticket(make(server.url, ours), sealed(good)) is not None

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda record: b"",
            lambda record: b"garbage",
            lambda record: b"\x01" * 200,
            lambda record: record[:-1],
            lambda record: record + b"\0",
            lambda record: b"\x02" + record[1:],
            lambda record: record[:20] + bytes([record[20] ^ 1]) + record[21:],  # the moment
            lambda record: record[:1] + bytes([record[1] ^ 1]) + record[2:],  # the name
            lambda record: record[:-1] + bytes([record[-1] ^ 1]),
            lambda record: os.urandom(100_000),
        ],
    )
    def test_a_record_that_is_none_changes_nobodys_keys(
        self, server: RedisServer, make: Make, prefix: str, spoil: Callable[[bytes], bytes]
    ) -> None:
        keys = make(server.url)
        ticket, record = sealed(keys), record_of(server, prefix)
        assert record is not None
        with server.client() as client:
            client.set(f"{prefix}:ticket-keys", spoil(record))
            unlock(client, prefix)
            late = make(server.url, ready=False)
            time.sleep(0.1)
            assert open_ticket(keys, ticket) is not None
            assert name_of(keys) == ticket[:16]
            assert late.active() is None
            client.set(f"{prefix}:ticket-keys", record)
            wait_for(lambda: late.active() is not None)
            assert open_ticket(late, ticket) is not None

    def test_a_record_of_another_type_changes_nobodys_keys(self, server: RedisServer, make: Make, prefix: str) -> None:
        keys = make(server.url)
        ticket = sealed(keys)
        with server.client() as client:
            client.delete(f"{prefix}:ticket-keys")
            client.rpush(f"{prefix}:ticket-keys", b"one", b"two")
            unlock(client, prefix)
            time.sleep(0.1)
        assert open_ticket(keys, ticket) is not None


class TestWhileRedisIsAway:
    def test_the_copy_goes_on_and_then_picks_up(self, own_server: RedisServer, make: Make) -> None:
        one, other = make(own_server.url), make(own_server.url)
        ticket = sealed(one)
        own_server.kill()
        time.sleep(0.15)
        for store in (one, other):
            assert name_of(store) == ticket[:16]
            assert open_ticket(store, ticket) is not None
        own_server.start()
        wait_for(lambda: record_of(own_server, "test_the_copy_goes_on_and_then_picks_up") is not None)
        time.sleep(0.15)
        assert name_of(one) == name_of(other)
        assert open_ticket(other, sealed(one)) is not None
        assert open_ticket(make(own_server.url), sealed(one)) is not None

    def test_tickets_from_before_open_when_it_is_back_and_empty(
        self, own_server: RedisServer, make: Make, prefix: str
    ) -> None:
        one, other = make(own_server.url), make(own_server.url)
        ticket = sealed(one)
        own_server.kill()
        own_server.start()
        wait_for(lambda: record_of(own_server, prefix) is not None)
        time.sleep(0.15)
        assert open_ticket(one, ticket) is not None
        assert open_ticket(other, ticket) is not None

    def test_a_server_that_starts_meanwhile_has_keys_when_it_is_back(self, own_server: RedisServer, make: Make) -> None:
        own_server.kill()
        keys = make(own_server.url, ready=False)
        assert not keys.wait_ready(0.1)
        assert keys.active() is None
        own_server.start()
        wait_for(lambda: keys.active() is not None)
        assert keys.wait_ready(SECONDS)

    def test_one_that_stops_answering_for_a_while(self, own_server: RedisServer, make: Make) -> None:
        keys = make(own_server.url, timeout_seconds=0.1)
        ticket = sealed(keys)
        with own_server.hanging():
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                started = time.monotonic()
                assert open_ticket(keys, ticket) is not None
                assert time.monotonic() - started < AT_ONCE
                time.sleep(0.01)
        late = make(own_server.url)
        assert open_ticket(late, ticket) is not None


UNREACHABLE = pytest.mark.parametrize("where", ["never answers", "nobody listens"])


@contextmanager
def unreachable(where: str) -> Iterator[str]:
    """Return the URL of a server of no use."""
    if where == "nobody listens":
        yield nobody()
        return
    with never_answering() as url:
        yield url


class TestAHangingRedisDelaysNobody:
    @UNREACHABLE
    def test_nothing_is_waited_for(self, make: Make, where: str) -> None:
        with unreachable(where) as url:
            started = time.monotonic()
            keys = make(url, ready=False)
            made = time.monotonic()
            for _ in range(100):
                assert keys.active() is None
                assert keys.find(b"n" * 16) is None
            asked = time.monotonic()
            keys.close()
            closed = time.monotonic()
        assert max(made - started, asked - made, closed - asked) < AT_ONCE

    @UNREACHABLE
    @pytest.mark.parametrize("version", [fasttls.TLSVersion.TLSv1_2, fasttls.TLSVersion.TLSv1_3])
    def test_handshakes_go_on(
        self,
        make: Make,
        where: str,
        version: fasttls.TLSVersion,
        client_context: fasttls.SSLContext,
        server_context: fasttls.SSLContext,
    ) -> None:
        client_context.maximum_version = version
        with unreachable(where) as url:
            server_context.ticket_keys = make(url, ready=False)
            Bios(client_context, server_context).handshake()
            seconds = []
            for _ in range(20):
                started = time.monotonic()
                ends = Bios(client_context, server_context).handshake()
                seconds.append(time.monotonic() - started)
                assert not ends.client.session_reused
        assert max(seconds) < AT_ONCE

    @UNREACHABLE
    def test_a_session_that_is_offered_is_a_full_handshake(
        self, make: Make, where: str, client_context: fasttls.SSLContext, server_context: fasttls.SSLContext
    ) -> None:
        session = Bios(client_context, server_context).handshake().client.session
        with unreachable(where) as url:
            server_context.ticket_keys = make(url, ready=False)
            ends = Bios(client_context, server_context)
            ends.client.session = session
            started = time.monotonic()
            ends.handshake()
            assert time.monotonic() - started < AT_ONCE
            assert not ends.client.session_reused

    def test_a_process_that_uses_it_ends_at_once(self, tmp_path: Path) -> None:
        script = (
            "import sys; from fasttls.sessions.redis import RedisTicketKeys; import time\n"
            "keys = RedisTicketKeys(sys.argv[1], bytes(32), timeout_seconds=30.0)\n"
            "time.sleep(0.1); print(keys.active(), time.time())"
        )
        with never_answering() as url:
            done = run(script, url)
            ended = time.time()
        shown, at = done.stdout.split()
        assert shown == "None"
        assert ended - float(at) < 2


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, env=environment
    )


class TestItsThread:
    def threads(self) -> int:
        return sum(thread.name == "fasttls-ticket-keys" for thread in threading.enumerate())

    def test_close_ends_it(self, server: RedisServer, make: Make) -> None:
        wait_for(lambda: self.threads() == 0, 3)
        keys = make(server.url, refresh_seconds=30.0)
        assert self.threads() == 1
        ticket = sealed(keys)
        keys.close()
        wait_for(lambda: self.threads() == 0, 2)
        assert open_ticket(keys, ticket) is not None
        keys.close()

    def test_close_ends_it_though_redis_hangs(self, make: Make) -> None:
        with never_answering() as url:
            keys = make(url, ready=False, timeout_seconds=0.3)
            time.sleep(0.05)
            keys.close()
            wait_for(lambda: self.threads() == 0, 2)

    def test_a_forked_process_shares_the_keys(self, server: RedisServer, make: Make) -> None:
        keys = make(server.url)
        ticket = sealed(keys)
        from_child = in_child(lambda: sealed(keys) if open_ticket(keys, ticket) is not None else b"")
        assert open_ticket(keys, from_child) is not None
        assert open_ticket(keys, ticket) is not None

    def test_a_forked_process_keeps_its_copy_fresh(self, server: RedisServer, make: Make, prefix: str) -> None:
        """The third key is one that nobody had when the process was forked."""
        keys = make(server.url, rotate_seconds=0.2)

        def in_the_child() -> bytes:
            seen: list[bytes] = []
            with server.client() as client:
                while len(seen) < 4:
                    name = name_of(keys)
                    if name is not None and name not in seen:
                        seen.append(name)
                    unlock(client, prefix)
                    time.sleep(0.02)
            return seen[-1]

        last = in_child(in_the_child)
        wait_for(lambda: keys.find(last) is not None or name_of(keys) != last, 2)
        assert keys.active() is not None

    def test_a_forked_process_may_close_its_own(self, server: RedisServer, make: Make, prefix: str) -> None:
        keys = make(server.url, rotate_seconds=0.2)
        in_child(lambda: keys.close() or b"closed")  # type: ignore[func-returns-value]
        before = name_of(keys)
        with server.client() as client:
            unlock(client, prefix)
        wait_for(lambda: name_of(keys) not in (before, None))

    def test_threads_of_a_forked_process_start_one(self, server: RedisServer, make: Make) -> None:
        keys = make(server.url)

        def in_the_child() -> bytes:
            in_threads(8, lambda _: keys.active())
            return bytes([self.threads()])

        for _ in range(5):
            assert in_child(in_the_child) == b"\x01"


class TestSettings:
    @pytest.mark.parametrize("size", [0, 16, 31, 33])
    def test_a_key_encryption_key_of_another_size_is_refused(self, size: int) -> None:
        for key in (bytes(size), Secret(bytes(size))):
            with pytest.raises(ValueError, match="32 bytes"):
                RedisTicketKeys(nobody(), key)

    @pytest.mark.parametrize("wrong", [{"rotate_seconds": 0}, {"refresh_seconds": 0}, {"kept": 0}])
    def test_times_and_numbers_that_are_none_are_refused(self, wrong: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="kept for some time"):
            RedisTicketKeys(nobody(), KEY, **wrong)  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", ["RedisTicketKeys(url, bytes(32))", "RedisReplayGuard(url)"])
    def test_without_the_package_the_extra_is_named(self, name: str) -> None:
        script = (
            "import sys\n"
            "class Without:\n"
            "    def find_spec(self, name, *rest):\n"
            "        if name.partition('.')[0] == 'redis':\n"
            "            raise ModuleNotFoundError(name)\n"
            "sys.meta_path.insert(0, Without())\n"
            "import fasttls\n"
            "from fasttls.sessions.redis import RedisReplayGuard, RedisTicketKeys\n"
            "url = 'redis://127.0.0.1:1'\n"
            f"try:\n    {name}\n"
            "except ImportError as exc:\n    print(exc)\n"
        )
        assert "pip install fasttls[redis]" in run(script).stdout
