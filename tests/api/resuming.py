"""Contexts and connections for the tests of sessions."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import (
    SECONDS,
    Context,
    Peer,
    client_context,
    server_context,
    socket_pair,
)

import fasttls

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])


def contexts(
    folder: Path,
    client_library: ModuleType = fasttls,
    server_library: ModuleType = fasttls,
    version: ssl.TLSVersion | None = None,
) -> tuple[Any, Any]:
    """Return a client's context and a server's, for one version or both."""
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    if version is not None:
        for context in (client, server):
            context.minimum_version = context.maximum_version = version
    return client, server


@contextmanager
def without_timeouts() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Return two sockets that wait as long as it takes: for handshakes that fail on both sides."""
    with socket_pair() as (near, far):
        near.settimeout(None)
        far.settimeout(None)
        yield near, far


def at_once(*socks: socket.socket) -> None:
    """Let sockets send small pieces without waiting for an acknowledgement."""
    for sock in socks:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextmanager
def link(client: Context, server: Context, session: Any = None, host: str = "localhost") -> Iterator[tuple[Any, Any]]:
    """Return two connected sockets, client and server, after a byte from the server: its tickets are in."""
    with socket_pair() as (near, far):
        at_once(near, far)
        accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
        more = {} if session is None else {"session": session}
        ours = client.wrap_socket(near, server_hostname=host, **more)
        theirs = accepting.wait()
        with ours, theirs:
            theirs.sendall(b"x")
            assert ours.recv(1) == b"x"
            yield ours, theirs


def first_session(client: Context, server: Context) -> Any:
    """Return the session that a connection leaves."""
    with link(client, server) as (ours, theirs):
        assert not ours.session_reused
        assert not theirs.session_reused
        return ours.session


@contextmanager
def to(context: Context, address: tuple[str, int], host: str = "localhost", **more: Any) -> Iterator[Any]:
    """Connect to a server that echoes, and let one byte go there and back."""
    with (
        socket.create_connection(address, SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host, **more) as wrapped,
    ):
        wrapped.sendall(b"x")
        assert wrapped.recv(1) == b"x"
        yield wrapped


def reused(context: Context, address: tuple[str, int], host: str = "localhost") -> bool:
    """Connect, and return whether a session was gone on with."""
    with to(context, address, host) as wrapped:
        return bool(wrapped.session_reused)
