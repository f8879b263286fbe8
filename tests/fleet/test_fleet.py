"""Servers in processes of their own that share ticket keys: clients resume at any of them, whatever happens."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fleet.test_file import write
from fleet.test_redis import RedisServer, redis_server, wait_for

import fasttls
from fasttls.sessions.session import Session

SECONDS = 15.0  # after which whatever hangs is a failure
Settings = dict[str, Any]

SERVER = r"""
import json, os, socket, sys, threading
from pathlib import Path

import fasttls

SECONDS = 15.0
SEED = bytes(range(32))


def make_keys(settings):
    kind = settings["keys"]
    if kind == "file":
        return fasttls.FileTicketKeys(*settings["paths"])
    if kind == "epoch":
        return fasttls.EpochTicketKeys(SEED, epoch_seconds=settings.get("seconds", 43200))
    from fasttls.sessions.redis import RedisTicketKeys

    keys = RedisTicketKeys(
        settings["url"], SEED, rotate_seconds=settings.get("seconds", 43200), refresh_seconds=0.1, timeout_seconds=0.5
    )
    keys.wait_ready(settings.get("wait", SECONDS))
    return keys


def make_guard(settings):
    if settings["guard"] == "memory":
        return fasttls.MemoryReplayGuard()
    from fasttls.sessions.redis import RedisReplayGuard

    return RedisReplayGuard(settings["url"])


def make_context(settings):
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    folder = Path(settings["folder"])
    context.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    context.ticket_keys = make_keys(settings)
    if "guard" in settings:
        context.set_early_data(4096, make_guard(settings))
    return context


def say(**what):
    os.write(1, json.dumps(what).encode() + b"\n")  # in one piece, though workers share it


def serve_one(context, plain):
    plain.settimeout(SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the tickets, and then the answer
    failure = ""
    with context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False) as wrapped:
        try:
            wrapped.do_handshake()
            wrapped.sendall(b"R" if wrapped.session_reused else b"F")
        except Exception as exc:
            failure = repr(exc)
        say(
            resumed=wrapped.session_reused,
            early=wrapped.early_data_accepted,
            reason=wrapped.early_data_reason,
            data=wrapped.early_data.decode(),
            failure=failure,
            pid=os.getpid(),
        )


def serve(context, listener):
    while True:
        plain, _ = listener.accept()
        threading.Thread(target=serve_one, args=(context, plain), daemon=True).start()


settings = json.loads(sys.argv[1])
context = make_context(settings)
listeners = [socket.create_server(("127.0.0.1", 0), backlog=256) for _ in range(settings.get("workers", 1))]
say(ports=[listener.getsockname()[1] for listener in listeners])
for listener in listeners[1:]:
    if not os.fork():
        serve(context, listener)
serve(context, listeners[0])
"""
"""A server of one or more workers, each with a port. It takes its settings as JSON, and says in lines of JSON which its
ports are and what came of each connection; clients get R for a session that was resumed, and F for a full handshake.
"""


class Server:
    """A server process, and what it said."""

    def __init__(self, settings: Settings) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVER, json.dumps(settings)],
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        self.said: list[Settings] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(json.loads(line))

    @property
    def ports(self) -> list[int]:
        """The ports of its workers; waits until there are any."""
        wait_for(lambda: self.said or self._process.poll() is not None)
        assert self.said, "the server ended"
        ports: list[int] = self.said[0]["ports"]
        return ports

    @property
    def connections(self) -> list[Settings]:
        """What came of each connection."""
        return self.said[1:]

    def forget(self) -> None:
        """Forget the connections so far, all of which are over."""
        del self.said[1:]

    def end(self) -> None:
        """Kill it and its workers."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait(SECONDS)
        self._thread.join(SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def fleet(*each: Settings) -> Iterator[list[Server]]:
    """Run servers until the block ends."""
    with ExitStack() as stack:
        servers = []
        for settings in each:
            servers.append(Server(settings))
            stack.callback(servers[-1].end)
        for server in servers:
            assert server.ports
        yield servers


def visit(
    client: fasttls.SSLContext, port: int, session: fasttls.SSLSession | None = None, *, delay: bool = False
) -> tuple[bool, fasttls.SSLSession]:
    """Connect, offering a session; return whether the server resumed it, and the session for the next time.

    delay leaves Nagle's algorithm on, as it is where nobody switches it off.
    """
    with socket.create_connection(("127.0.0.1", port), SECONDS) as plain:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, not delay)
        wrapped = client.wrap_socket(plain, server_hostname="localhost", session=session)
    with wrapped:
        answer = wrapped.recv(1)
        assert answer in (b"R", b"F")
        assert (answer == b"R") == wrapped.session_reused
        return wrapped.session_reused, wrapped.session


def ticket_of(session: fasttls.SSLSession) -> bytes:
    """Return a session's ticket."""
    return Session.from_bytes(session.to_bytes()).ticket


@dataclass
class Load:
    """What became of many connections."""

    resumed: int = 0
    full: int = 0
    failures: list[BaseException] = field(default_factory=list)
    names: set[bytes] = field(default_factory=set)
    """The names of the keys that sealed the clients' tickets."""

    @property
    def rate(self) -> float:
        """How many of the connections were resumed, the first one of each client aside."""
        return self.resumed / (self.resumed + self.full)


CLIENTS = 8


def load(client: fasttls.SSLContext, servers: list[Server], seconds: float, during: Callable[[], object]) -> Load:
    """Let clients visit one server after another with the session of the visit before; do something meanwhile."""
    found, lock = Load(), threading.Lock()
    ports = [port for server in servers for port in server.ports]
    until = time.monotonic() + seconds

    def one(index: int) -> None:
        session, turn = None, index
        while time.monotonic() < until:
            try:
                resumed, following = visit(client, ports[turn % len(ports)], session)
            except BaseException as exc:
                with lock:
                    found.failures.append(exc)
                return
            with lock:
                if session is not None:
                    found.resumed += resumed
                    found.full += not resumed
                found.names.add(ticket_of(following)[:16])
            session, turn = following, turn + 1
            time.sleep(0.02)

    threads = [threading.Thread(target=one, args=(index,), daemon=True) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    during()
    for thread in threads:
        thread.join(seconds + SECONDS)
        assert not thread.is_alive(), "a client hangs"
    return found


def check(what: str, found: Load, servers: list[Server]) -> None:
    """Print the rate, and check that it is one and that nothing failed on either side."""
    total = found.resumed + found.full
    print(f"\n{what}: {total} connections, {100 * found.rate:.1f} % resumed, {len(found.names)} keys")
    assert not found.failures, found.failures[:3]
    assert not [said for server in servers for said in server.connections if said["failure"]]
    assert total >= 100
    assert len(found.names) >= 2, "the keys did not rotate"
    assert found.rate > 0.8


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """Return a Redis for all tests of the module."""
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def settings(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Settings:
    """Return a server's settings, for the kind of keys that a test names."""
    if request.param == "redis":
        running: RedisServer = request.getfixturevalue("redis")
        with running.client() as client:
            client.flushall()
        return {"folder": str(folder), "keys": "redis", "url": running.url}
    if request.param == "epoch":
        return {"folder": str(folder), "keys": "epoch"}
    return {"folder": str(folder), "keys": "file", "paths": [str(write(tmp_path / "ticket.key", 1))]}


def for_each(*kinds: str) -> pytest.MarkDecorator:
    """Run a test for kinds of keys."""
    return pytest.mark.parametrize("settings", kinds, indirect=True)


VERSIONS = (fasttls.TLSVersion.TLSv1_2, fasttls.TLSVersion.TLSv1_3)


class TestTwoServers:
    @for_each("redis", "epoch", "file")
    def test_a_client_resumes_across_them(self, settings: Settings, folder: Path) -> None:
        with fleet(settings, settings) as servers:
            for version in VERSIONS:
                for here, there in (servers, reversed(servers)):
                    client = fasttls.create_default_context(cafile=str(folder / "ca.pem"))
                    client.maximum_version = version
                    resumed, session = visit(client, here.ports[0])
                    assert not resumed
                    for server in (there, here, there):
                        resumed, session = visit(client, server.ports[0], session)
                        assert resumed, version

    @for_each("epoch")
    def test_a_resumption_waits_for_no_delayed_acknowledgement(
        self, settings: Settings, client_context: fasttls.SSLContext
    ) -> None:
        """What a client sends at a time is in one piece: Nagle's algorithm holds back the second one for 40 ms."""
        with fleet(settings) as (server,):
            _, session = visit(client_context, server.ports[0])
            seconds = []
            for _ in range(5):
                started = time.monotonic()
                _, session = visit(client_context, server.ports[0], session, delay=True)
                seconds.append(time.monotonic() - started)
        assert sorted(seconds)[2] < 0.03

    @for_each("redis")
    def test_one_that_is_started_anew_goes_on(self, settings: Settings, client_context: fasttls.SSLContext) -> None:
        with fleet(settings) as (first,):
            _, session = visit(client_context, first.ports[0])
        with fleet(settings) as (second,):
            assert visit(client_context, second.ports[0], session)[0]


class TestUnderLoad:
    @for_each("redis")
    def test_redis_keys_rotate(self, settings: Settings, client_context: fasttls.SSLContext) -> None:
        settings["seconds"] = 0.5
        with fleet(settings, settings) as servers:
            found = load(client_context, servers, 1.1, lambda: None)
            check("Redis, rotated", found, servers)

    @for_each("epoch")
    def test_epochs_change(self, settings: Settings, client_context: fasttls.SSLContext) -> None:
        settings["seconds"] = 1
        with fleet(settings, settings) as servers:
            found = load(client_context, servers, 1.1, lambda: None)
            check("epochs of a second", found, servers)

    @for_each("file")
    def test_files_are_replaced(self, settings: Settings, client_context: fasttls.SSLContext, tmp_path: Path) -> None:
        """The next key is in the second file until every server has seen it, and then in the first."""
        paths = [write(tmp_path / "ticket.key", 1), write(tmp_path / "next.key", 2)]
        settings["paths"] = [str(path) for path in paths]

        def rotate() -> None:
            time.sleep(0.2)
            write(paths[1], 1)
            write(paths[0], 2)

        with fleet(settings, settings) as servers:
            found = load(client_context, servers, 1.35, rotate)
            check("files, replaced", found, servers)

    @for_each("file")
    def test_one_file_is_replaced_at_once(self, settings: Settings, client_context: fasttls.SSLContext) -> None:
        """Workers see it up to a second apart: sessions are lost then, and handshakes are not."""
        path = Path(settings["paths"][0])
        with fleet({**settings, "workers": 2}) as (server,):
            found = load(client_context, [server], 1.1, lambda: write(path, 2))
            assert not found.failures
            assert len(found.names) == 2
            session = None
            for port in (*server.ports, *server.ports):
                resumed, following = visit(client_context, port, session)
                assert ticket_of(following)[:16] == bytes([2]) * 16
                assert resumed or session is None
                session = following

    def test_redis_is_killed_and_brought_back(
        self, folder: Path, tmp_path: Path, client_context: fasttls.SSLContext
    ) -> None:
        with redis_server(tmp_path) as running:
            settings = {"folder": str(folder), "keys": "redis", "url": running.url, "seconds": 0.5}

            def kill() -> None:
                time.sleep(0.3)
                running.kill()
                time.sleep(0.3)
                running.start()

            with fleet(settings, settings) as servers:
                found = load(client_context, servers, 1.3, kill)
                check("Redis, killed and brought back empty", found, servers)
                time.sleep(0.3)
                _, session = visit(client_context, servers[0].ports[0])
                assert visit(client_context, servers[1].ports[0], session)[0]

    def test_redis_hangs(self, folder: Path, tmp_path: Path, client_context: fasttls.SSLContext) -> None:
        """Every server has keys; then nothing is heard of Redis any more, and nobody waits for it."""
        with redis_server(tmp_path) as running:
            settings = {"folder": str(folder), "keys": "redis", "url": running.url}
            with fleet(settings, settings) as servers, running.hanging():
                _, session = visit(client_context, servers[0].ports[0])
                seconds = []
                for turn in range(8):
                    started = time.monotonic()
                    resumed, session = visit(client_context, servers[turn % 2].ports[0], session)
                    seconds.append(time.monotonic() - started)
                    assert resumed
                    time.sleep(0.02)
        assert max(seconds) < 0.1

    def test_redis_never_was_there(self, folder: Path, client_context: fasttls.SSLContext, tmp_path: Path) -> None:
        settings = {"folder": str(folder), "keys": "redis", "url": "redis://127.0.0.1:1", "wait": 0.1}
        with fleet(settings) as (server,):
            for _ in range(3):
                assert not visit(client_context, server.ports[0])[0]
            assert not [said for said in server.connections if said["failure"]]


class TestWorkers:
    @for_each("file", "redis")
    def test_forked_workers_resume_each_others_sessions(
        self, settings: Settings, client_context: fasttls.SSLContext
    ) -> None:
        """One line: context.ticket_keys = FileTicketKeys(path)."""
        with fleet({**settings, "workers": 3}) as (server,):
            _, session = visit(client_context, server.ports[0])
            for port in (*server.ports, *server.ports):
                resumed, session = visit(client_context, port, session)
                assert resumed
            wait_for(lambda: len(server.connections) == 7)
            assert len({said["pid"] for said in server.connections}) == 3
