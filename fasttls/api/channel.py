"""What carries the bytes of an engine: a socket, or a pair of memory BIOs."""

from __future__ import annotations

import _socket
import os
import select
import socket
import ssl
import time
import weakref

from fasttls.api.errors import plain_error, want_write

_DRAINED = 16  # reads of 64 KiB
_LONGEST_POLL = 1 << 30  # milliseconds; the system counts them in an int

# The system's own calls: gevent puts a class of another kind in the place of socket.socket.
_System = _socket.socket
_read, _write = os.read, os.write


_forks = 0


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_count_fork)


def count_of_forks() -> int:
    """Return how often this process, and those that it was forked from, have forked."""
    return _forks


def _poll(sock: socket.socket, event: int) -> select.poll:
    """Return what waits for an event of a socket. Raises ssl.SSLError for one that was closed or detached."""
    if sock.fileno() < 0:
        raise plain_error("Underlying socket has been closed.")
    poll = select.poll()
    poll.register(sock, event)
    return poll


class Channel:
    """Moves bytes. An operation has a deadline, in seconds of the monotonic clock, or None."""

    def deadline(self) -> float | None:
        """Return when an operation that begins now is to end."""
        raise NotImplementedError  # every channel has its own

    def read(self, size: int, deadline: float | None, doing: str) -> bytes | None:
        """Return 1 to size bytes, no bytes at the end, or None when it would block.

        Raises TimeoutError at the deadline.
        """
        raise NotImplementedError  # every channel has its own

    def write(self, data: bytes | memoryview, deadline: float | None, doing: str) -> int:
        """Write some bytes and return how many. Raises as read does, with SSLWantWriteError."""
        raise NotImplementedError  # every channel has its own

    def write_now(self, data: bytes | memoryview) -> int:
        """Write what can be written without waiting, which may be nothing, and return how much it was."""
        raise NotImplementedError  # every channel has its own

    def drain(self) -> None:
        """Read and forget what is there, without waiting and within bounds."""
        raise NotImplementedError  # every channel has its own

    def peek(self) -> bytes:
        """Return what is there, as far as it can be looked at without taking it."""
        return b""

    def skip(self, size: int) -> None:
        """Take so many bytes that are there, and forget them."""

    @property
    def plain_socket(self) -> socket.socket | None:
        """The socket, if there is one."""
        return None


class BioChannel(Channel):
    """A pair of the standard library's MemoryBIOs."""

    def __init__(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._incoming = incoming
        self._outgoing = outgoing

    def deadline(self) -> None:
        """There is none: nothing here waits."""
        return

    def read(self, size: int, deadline: float | None, doing: str) -> bytes | None:
        """Return what is there; an empty BIO is the end only after write_eof()."""
        data = self._incoming.read(size)
        return data if data or self._incoming.eof else None

    def write(self, data: bytes | memoryview, deadline: float | None, doing: str) -> int:
        """Write everything."""
        return self._outgoing.write(data)

    def write_now(self, data: bytes | memoryview) -> int:
        """Write everything."""
        return self._outgoing.write(data)

    def drain(self) -> None:
        """Nothing is to be done: nobody resets a BIO."""

    @property
    def plain_socket(self) -> None:
        """There is none."""
        return


class SocketChannel(Channel):
    """A connected socket, with its own timeout: None to wait for ever, 0 for never.

    The SSLSocket is a socket itself, and owns the engine: only a weak reference leads back.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._socket = weakref.ref(sock)

    @property
    def plain_socket(self) -> socket.socket:
        """The socket. Raises OSError when it is gone."""
        found = self._socket()
        if found is None:
            raise OSError("the underlying socket is gone")
        return found

    def drain(self) -> None:
        """Receive what is there and forget it."""
        sock = self.plain_socket
        for _ in range(_DRAINED):
            try:
                # A socket with a timeout would wait for it, whatever the flags say.
                if not _poll(sock, select.POLLIN).poll(0) or not _System.recv(sock, 1 << 16, socket.MSG_DONTWAIT):
                    return
            except OSError:
                return

    def peek(self) -> bytes:
        """Return what the system has received, up to 64 KiB. Raises OSError."""
        sock = self.plain_socket
        if not _poll(sock, select.POLLIN).poll(0):
            return b""
        return _System.recv(sock, 1 << 16, socket.MSG_PEEK | socket.MSG_DONTWAIT)

    def skip(self, size: int) -> None:
        """Receive so many bytes that peek() showed. Raises OSError."""
        if size:
            _System.recv(self.plain_socket, size, socket.MSG_DONTWAIT)

    def deadline(self) -> float | None:
        """Return when the socket's timeout ends, if it has one."""
        timeout = self.plain_socket.gettimeout()
        return time.monotonic() + timeout if timeout else None

    def _wait(self, sock: socket.socket, event: int, deadline: float, doing: str) -> None:
        # One deadline for the whole operation: a peer that trickles bytes cannot stretch it.
        poll = _poll(sock, event)
        while (left := deadline - time.monotonic()) > 0:
            if poll.poll(min(left * 1000, _LONGEST_POLL)):
                return
        raise TimeoutError(f"The {doing} operation timed out")

    def read(self, size: int, deadline: float | None, doing: str) -> bytes | None:
        """Receive from the socket."""
        sock = self.plain_socket
        while True:
            try:
                return _read(self._descriptor(sock, deadline, doing), size)
            except BlockingIOError:
                if deadline is None:
                    return None
            self._wait(sock, select.POLLIN, deadline, doing)

    def write(self, data: bytes | memoryview, deadline: float | None, doing: str) -> int:
        """Send to the socket."""
        sock = self.plain_socket
        while True:
            try:
                return _write(self._descriptor(sock, deadline, doing), data)
            except BlockingIOError:
                if deadline is None:
                    raise want_write() from None
            self._wait(sock, select.POLLOUT, deadline, doing)

    def _descriptor(self, sock: socket.socket, deadline: float | None, doing: str) -> int:
        """Return what the system knows the socket by, for one step of an operation that has time left.

        A socket with a timeout does not block, and is asked at once: `recv()` and `send()` would wait for it first,
        each time, which hands the interpreter to another thread.
        """
        number = sock.fileno()
        if deadline is not None:
            if number < 0:
                raise plain_error("Underlying socket has been closed.")
            if time.monotonic() >= deadline:
                raise TimeoutError(f"The {doing} operation timed out")
        return number

    def write_now(self, data: bytes | memoryview) -> int:
        """Send to the socket what the system takes at once."""
        sock = self.plain_socket
        # A socket with a timeout would wait for it, whatever the flags say.
        if not _poll(sock, select.POLLOUT).poll(0):
            return 0
        try:
            return _System.send(sock, data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
