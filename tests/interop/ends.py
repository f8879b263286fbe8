"""The fasttls end of an interoperability test: an echo server in a thread, and an echo client.

The application protocol is an echo: the server sends back what it reads until the client's close_notify.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import fasttls
from fasttls.connection import Connection
from fasttls.events import Negotiated

TIMEOUT_SECONDS = 30


def missing(what: str) -> None:
    """Skip the test for want of a peer, or fail it in CI, where every peer must be there."""
    reason = f"{what} is not here; tests/interop/install_peers.sh installs the peers"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def program(name: str) -> str:
    """Return the path of a program. Skips the test, or fails it in CI, when it is not installed."""
    found = shutil.which(name)
    if found is None:
        missing(name)
    assert found is not None
    return found


def server(keys: Path, kind: str = "p256", version: str | None = None) -> fasttls.SSLContext:
    """Return a server's context of fasttls, with a certificate of the folder, for one version or both."""
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / f"{kind}-chain.pem", keys / f"{kind}-key.pem")
    return _limited(context, version)


def client(keys: Path, version: str | None = None) -> fasttls.SSLContext:
    """Return a client's context of fasttls that trusts the folder's root, for one version or both."""
    return _limited(fasttls.create_default_context(cafile=str(keys / "ca.pem")), version)


def _limited(context: fasttls.SSLContext, version: str | None) -> fasttls.SSLContext:
    if version is not None:
        context.minimum_version = context.maximum_version = fasttls.TLSVersion[f"TLSv{version.replace('.', '_')}"]
    return context


@dataclass
class Outcome:
    """What one connection of the fasttls server came to."""

    connection: Connection | None = None
    error: Exception | None = None
    echoed: int = 0  # bytes
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed on. Raises the connection's error when there was one."""
        assert self.done.wait(TIMEOUT_SECONDS), "the server did not finish"
        if self.connection is None or self.connection.negotiated is None:
            raise self.error or AssertionError("no connection was made")
        return self.connection.negotiated


@dataclass
class Serving:
    """A running server: its port, and the outcomes of its connections, in order of arrival."""

    port: int
    outcomes: list[Outcome] = field(default_factory=list)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def outcome(self, index: int = 0) -> Outcome:
        """Return the outcome of a connection, when it is over."""
        with self._arrived:
            assert self._arrived.wait_for(lambda: len(self.outcomes) > index, TIMEOUT_SECONDS), "nobody connected"
        found = self.outcomes[index]
        assert found.done.wait(TIMEOUT_SECONDS), "the server did not finish"
        return found

    def arrived(self, outcome: Outcome) -> None:
        """Add a connection that was just accepted."""
        with self._arrived:
            self.outcomes.append(outcome)
            self._arrived.notify_all()


OnConnected = Callable[[fasttls.SSLSocket], None]


@contextlib.contextmanager
def serve(context: fasttls.SSLContext, on_connected: OnConnected | None = None) -> Iterator[Serving]:
    """Run a fasttls echo server on a port of loopback; on_connected is called after each handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        serving = Serving(listener.getsockname()[1])
        stop = threading.Event()

        def accept() -> None:
            handlers = []
            while not stop.is_set():
                try:
                    plain, _ = listener.accept()
                except TimeoutError:
                    continue
                outcome = Outcome()
                serving.arrived(outcome)
                handlers.append(threading.Thread(target=_handle, args=(context, plain, outcome, on_connected)))
                handlers[-1].start()
            for handler in handlers:
                handler.join(TIMEOUT_SECONDS)

        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield serving
        finally:
            stop.set()
            thread.join(TIMEOUT_SECONDS + 5)
            assert not thread.is_alive(), "the server hangs"


def _handle(
    context: fasttls.SSLContext, plain: socket.socket, outcome: Outcome, on_connected: OnConnected | None
) -> None:
    plain.settimeout(TIMEOUT_SECONDS)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        wrapped = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with wrapped:
            outcome.connection = wrapped.connection
            wrapped.do_handshake()
            if on_connected is not None:
                on_connected(wrapped)
            while data := wrapped.recv(65536):
                wrapped.sendall(data)
                outcome.echoed += len(data)
            with contextlib.suppress(OSError):
                wrapped.unwrap()
    except Exception as exc:  # the test looks at it
        outcome.error = exc
    finally:
        plain.close()
        outcome.done.set()


@contextlib.contextmanager
def connect(context: fasttls.SSLContext, port: int, name: str | None = "localhost") -> Iterator[fasttls.SSLSocket]:
    """Connect a fasttls client to a port of loopback and shake hands."""
    with (
        socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=name) as wrapped,
    ):
        yield wrapped


def echo(wrapped: fasttls.SSLSocket, data: bytes) -> bytes:
    """Send data while reading, and return as many bytes as were sent."""
    failed: list[BaseException] = []

    def send() -> None:
        try:
            wrapped.sendall(data)
        except BaseException as exc:
            failed.append(exc)

    sender = threading.Thread(target=send)
    sender.start()
    received = bytearray()
    while len(received) < len(data):
        piece = wrapped.recv(65536)
        if not piece:
            break
        received += piece
    sender.join(TIMEOUT_SECONDS)
    assert not failed, failed
    return bytes(received)


def free_port() -> int:
    """Return a port that was free a moment ago, for a peer that cannot choose one itself."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


def wait_for_port(port: int, alive: Callable[[], bool]) -> None:
    """Wait until something listens on a port of loopback. Raises when the peer is gone or takes too long."""
    import time

    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        if not alive():
            raise AssertionError("the peer ended before it listened")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise AssertionError("the peer does not listen")
