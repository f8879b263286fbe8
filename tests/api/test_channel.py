"""What carries the bytes of a socket: it is asked before it is waited for, and no longer than its time."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from fasttls.api import channel
from fasttls.api.channel import SocketChannel

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture
def ends() -> Iterator[Ends]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(30)
        yield ours, theirs


def test_what_is_there_is_read_and_written_without_waiting(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = ends
    carrier = SocketChannel(ours)
    theirs.send(b"hello")
    monkeypatch.setattr(channel, "select", None)
    assert carrier.read(3, carrier.deadline(), "read") == b"hel"
    assert carrier.read(3, carrier.deadline(), "read") == b"lo"
    assert carrier.write(b"answer", carrier.deadline(), "write") == 6
    assert theirs.recv(6) == b"answer"


def test_what_is_not_there_is_waited_for_until_the_deadline(ends: Ends) -> None:
    carrier = SocketChannel(ends[0])
    began = time.monotonic()
    with pytest.raises(TimeoutError, match="The read operation timed out"):
        carrier.read(1, began + 0.2, "read")
    assert 0.2 <= time.monotonic() - began < 10


def test_a_peer_that_always_has_more_does_not_stretch_the_deadline(ends: Ends) -> None:
    ours, theirs = ends
    carrier = SocketChannel(ours)
    theirs.send(b"more")
    with pytest.raises(TimeoutError, match="The handshake operation timed out"):
        carrier.read(1, time.monotonic(), "handshake")
    with pytest.raises(TimeoutError, match="The write operation timed out"):
        carrier.write(b"more", time.monotonic(), "write")


def _fill(carrier: SocketChannel, seconds: float | None) -> None:
    """Write until the socket takes no more, for so long each time."""
    for _ in range(1000):
        carrier.write(bytes(1 << 16), None if seconds is None else time.monotonic() + seconds, "write")


def test_a_full_socket_is_waited_for(ends: Ends) -> None:
    ours = ends[0]
    carrier = SocketChannel(ours)
    with pytest.raises(TimeoutError, match="The write operation timed out"):
        _fill(carrier, 0.2)
    ours.setblocking(False)
    with pytest.raises(ssl.SSLWantWriteError):
        _fill(carrier, None)
    assert carrier.read(1, None, "read") is None


def test_a_socket_that_is_closed_is_an_error(ends: Ends) -> None:
    ours, _ = ends
    carrier = SocketChannel(ours)
    ours.close()
    with pytest.raises(ssl.SSLError, match="Underlying socket has been closed"):
        carrier.read(1, time.monotonic() + 5, "read")
    with pytest.raises(OSError, match="Bad file descriptor"):
        carrier.read(1, None, "read")
