"""Clients and servers in a process that gevent has patched."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from drop_in.programs.http_servers import wsgi_echo
from drop_in.way import BODY, HOST, SECONDS, Peer, Tls


def requests(tls: Tls, peer: Peer) -> None:
    """Post from three greenlets, as the library does it when it is told of files or given a context."""
    import gevent
    from drop_in.programs import http_clients

    greenlets = [gevent.spawn(http_clients.requests, tls, peer) for _ in range(3)]
    gevent.joinall(greenlets, timeout=SECONDS, raise_error=True)
    assert all(one.successful() for one in greenlets)


def greenlets_wait_for_each_other(tls: Tls, peer: Peer) -> None:
    """One greenlet waits for bytes that come only when another one has run."""
    import gevent

    context = tls.client()

    def connect() -> Any:
        plain = socket.create_connection((peer.host, peer.port), timeout=SECONDS)
        return context.wrap_socket(plain, server_hostname=peer.host)

    waiting = connect()
    reader = gevent.spawn(waiting.recv, 10)
    gevent.sleep(0)  # until it waits

    with connect() as other:
        sender = gevent.spawn(other.sendall, BODY)
        received = b""
        while len(received) < len(BODY):
            received += other.recv(1 << 16)
        sender.get(timeout=SECONDS)
        assert received == BODY

    assert not reader.ready()
    waiting.sendall(b"x")
    assert reader.get(timeout=SECONDS) == b"x"
    waiting.close()


@contextmanager
def pywsgi(tls: Tls) -> Iterator[int]:
    from gevent.pywsgi import WSGIServer

    settings: dict[str, Any] = {"ssl_context": tls.server()}
    server = WSGIServer(("127.0.0.1", 0), wsgi_echo, log=None, error_log=None, **settings)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop(timeout=0.1)


def _echo(sock: Any, address: Any) -> None:
    while data := sock.recv(1 << 16):
        sock.sendall(data)


@contextmanager
def stream_server(tls: Tls) -> Iterator[int]:
    from gevent.server import StreamServer

    server = StreamServer(("127.0.0.1", 0), _echo, ssl_context=tls.server())
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop(timeout=0.1)


@contextmanager
def switching_server(tls: Tls) -> Iterator[int]:
    """Its first context has a certificate for another host; the callback sets the one that is right."""
    from gevent.server import StreamServer

    right, first = tls.server(), tls.server()
    first.load_cert_chain(tls.folder / "misnamed.pem")

    def switch(sock: Any, name: str | None, context: Any) -> None:
        assert isinstance(sock, ssl.SSLSocket)
        assert (name, context) == (HOST, first)
        sock.context = right

    first.sni_callback = switch
    server = StreamServer(("127.0.0.1", 0), _echo, ssl_context=first)
    server.start()
    try:
        yield server.server_port
    finally:
        server.stop(timeout=0.1)
