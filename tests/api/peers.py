"""Two ends of a connection to test with: over sockets with a thread for the peer, or over memory BIOs."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fasttls

SECONDS = 20.0  # after which whatever hangs is a failure

PAIRS = [(fasttls, fasttls), (fasttls, ssl), (ssl, fasttls)]
"""The libraries of client and server."""

each_pair = pytest.mark.parametrize(
    ("client_library", "server_library"),
    PAIRS,
    ids=[f"{client.__name__}-{server.__name__}" for client, server in PAIRS],
)
each_library = pytest.mark.parametrize("library", [fasttls, ssl], ids=["fasttls", "ssl"])

Context = ssl.SSLContext


def server_context(library: ModuleType, folder: Path, name: str = "server") -> Context:
    """Return a server's context with the certificate for localhost."""
    context: Context = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}-chain.pem", folder / f"{name}-key.pem")
    return context


def client_context(library: ModuleType, folder: Path) -> Context:
    """Return a client's context that trusts the tests' root."""
    context: Context = library.create_default_context(cafile=str(folder / "ca.pem"))
    return context


class Peer:
    """What a function returned or raised in a thread of its own."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.result: Any = None
        self.error: BaseException | None = None
        self._work = work
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.result = self._work()
        except BaseException as exc:
            self.error = exc

    def wait(self) -> Any:
        """Return the result, or raise what the function raised."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the peer hangs"
        if self.error is not None:
            raise self.error
        return self.result

    def wait_for_error(self) -> BaseException | None:
        """Return what the function raised, or None."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), "the peer hangs"
        return self.error


@contextmanager
def socket_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return two plain sockets connected to each other, with timeouts."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        one = socket.create_connection(listener.getsockname(), timeout=SECONDS)
        other, _ = listener.accept()
    other.settimeout(SECONDS)
    try:
        yield one, other
    finally:
        one.close()
        other.close()


@contextmanager
def connected(
    client: Context, server: Context, host: str = "localhost", **wrapping: Any
) -> Iterator[tuple[ssl.SSLSocket, ssl.SSLSocket]]:
    """Return two sockets after their handshake, client and server."""
    with socket_pair() as (near, far):
        accepting = Peer(lambda: server.wrap_socket(far, server_side=True, **wrapping))
        ours = client.wrap_socket(near, server_hostname=host, **wrapping)
        theirs = accepting.wait()
        with ours, theirs:
            yield ours, theirs


class Bios:
    """Two SSLObjects over memory BIOs."""

    def __init__(self, client: Context, server: Context, host: str | None = "localhost") -> None:
        self.to_server, self.to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self.to_client, self.to_server, server_hostname=host)
        self.server = server.wrap_bio(self.to_server, self.to_client, server_side=True)

    def handshake(self) -> Bios:
        """Run the handshake on both sides; raises what either raises."""
        for _ in range(10):
            done = True
            for side in (self.client, self.server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    done = False
            if done:
                with suppress(ssl.SSLWantReadError):
                    self.client.read(1)  # takes the server's session tickets
                return self
        raise AssertionError("the handshake does not end")


def read_all(sock: ssl.SSLSocket) -> bytes:
    """Read until the end."""
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


@contextmanager
def serving(context: Context, handle: Callable[[ssl.SSLSocket], None]) -> Iterator[tuple[str, int]]:
    """Accept TLS connections on a port in threads, and let a function handle each; return the address."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    listener.settimeout(0.1)
    stop = threading.Event()

    def one(plain: socket.socket) -> None:
        plain.settimeout(SECONDS)
        with suppress(OSError), plain, context.wrap_socket(plain, server_side=True) as wrapped:
            handle(wrapped)

    def accept() -> None:
        workers = []
        while not stop.is_set():
            try:
                plain, _ = listener.accept()
            except TimeoutError:
                continue
            worker = threading.Thread(target=one, args=(plain,), daemon=True)
            worker.start()
            workers.append(worker)
        for worker in workers:
            worker.join(SECONDS)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        stop.set()
        thread.join(SECONDS)
        listener.close()
        assert not thread.is_alive()


def echo(sock: ssl.SSLSocket) -> None:
    """Send back everything until the end."""
    while data := sock.recv(65536):
        sock.sendall(data)
