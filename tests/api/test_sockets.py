"""Blocking and non-blocking sockets: reads, writes, time-outs and ends, as the standard library's behave."""

from __future__ import annotations

import select
import socket
import ssl
import time
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import (
    SECONDS,
    Peer,
    client_context,
    connected,
    each_library,
    each_pair,
    read_all,
    server_context,
    socket_pair,
)

import fasttls

MEBIBYTE = 1 << 20


DATA = bytes(range(256)) * (2 * MEBIBYTE // 256)


def _receive(sock: ssl.SSLSocket, size: int = len(DATA)) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = sock.recv(70_000)
        assert part
        received += part
    return bytes(received)


@each_pair
def test_megabytes_each_way(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    with connected(client, server) as (ours, theirs):
        for sender, receiver in ((ours, theirs), (theirs, ours)):
            sending = Peer(lambda sender=sender: sender.sendall(DATA))
            assert _receive(receiver) == DATA
            sending.wait()


@each_library
def test_megabytes_are_sent_while_others_arrive(folder: Path, library: ModuleType) -> None:
    with connected(client_context(fasttls, folder), server_context(library, folder)) as (ours, theirs):

        def echo() -> None:
            left = len(DATA)
            while left:
                part = theirs.recv(65536)
                theirs.sendall(part)
                left -= len(part)

        echoing, sending = Peer(echo), Peer(lambda: ours.sendall(DATA))
        assert _receive(ours) == DATA
        sending.wait()
        echoing.wait()


@each_library
def test_ways_to_read(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        theirs.sendall(b"0123456789")
        assert ours.recv(0) == b""
        assert ours.recv(3) == b"012"
        assert ours.pending() == 7
        buffer = bytearray(4)
        assert ours.recv_into(buffer, 2) == 2
        assert bytes(buffer) == b"34\0\0"
        assert ours.recv_into(memoryview(buffer)[1:]) == 3
        assert bytes(buffer) == b"3567"
        assert ours.read(1) == b"8"
        assert ours.read(5, buffer) == 1
        assert buffer[:1] == b"9"
        assert ours.pending() == 0
        with pytest.raises(ValueError, match=r".*"):
            ours.read(-1)
        with pytest.raises(ValueError, match="non-zero flags"):
            ours.recv(1, socket.MSG_PEEK)
        with pytest.raises(ValueError, match=r"recvfrom|sendto"):
            ours.recvfrom(1)
        with pytest.raises(NotImplementedError):
            ours.recvmsg(1)
        with pytest.raises(NotImplementedError):
            ours.sendmsg([b"x"])


@each_library
def test_ways_to_write(folder: Path, tmp_path: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        import array

        assert ours.send(b"") == 0
        assert ours.send(memoryview(b"12")) == 2
        assert ours.write(bytearray(b"34")) == 2
        ours.sendall(array.array("H", [0x3635, 0x3837]))
        file = tmp_path / "file"
        file.write_bytes(b"9" * 100_000)
        with file.open("rb") as opened:
            sending = Peer(lambda: ours.sendfile(opened))
            received = b""
            while len(received) < 100_008:
                received += theirs.recv(65536)
            assert sending.wait() == 100_000
        assert received == b"12345678" + b"9" * 100_000


@each_library
def test_file_interface(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        with ours.makefile("rwb") as near, theirs.makefile("rwb") as far:
            near.write(b"one\ntwo\n")
            near.flush()
            assert far.readline() == b"one\n"
            assert far.readline() == b"two\n"
            far.write(b"x" * 100_000 + b"\n")
            flushing = Peer(far.flush)
            assert len(near.readline()) == 100_001
            flushing.wait()


@each_pair
def test_unwrap_gives_the_plain_sockets_back(
    folder: Path, client_library: ModuleType, server_library: ModuleType
) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    with connected(client, server) as (ours, theirs):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        theirs.sendall(b"y")
        assert ours.recv(1) == b"y"
        unwrapping = Peer(theirs.unwrap)
        plain, other = ours.unwrap(), unwrapping.wait()
        plain.sendall(b"in the clear")
        assert other.recv(100) == b"in the clear"
        with pytest.raises(ValueError, match="No SSL wrapper"):
            ours.unwrap()


def test_no_byte_behind_close_notify_is_taken(folder: Path) -> None:
    # A protocol that goes on in the clear after unwrap() needs them.
    with connected(client_context(fasttls, folder), server_context(ssl, folder)) as (ours, theirs):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"

        def leave() -> None:
            plain = theirs.unwrap()
            plain.sendall(b"in the clear")

        leaving = Peer(leave)
        assert ours.recv(10) == b""
        plain = ours.unwrap()
        leaving.wait()
        assert plain.recv(100) == b"in the clear"


@each_library
def test_end_with_close_notify_is_no_data(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        theirs.sendall(b"rest")
        leaving = Peer(theirs.unwrap)
        assert read_all(ours) == b"rest"
        assert ours.recv(1) == b""
        assert ours.recv_into(bytearray(5)) == 0
        ours.unwrap()
        leaving.wait()


@each_library
@pytest.mark.parametrize("suppress", [True, False])
def test_end_without_close_notify(folder: Path, library: ModuleType, suppress: bool) -> None:
    # RFC 8446 §6.1: the data may have been cut short.
    client, server = client_context(library, folder), server_context(fasttls, folder)
    with connected(client, server, suppress_ragged_eofs=suppress) as (ours, theirs):
        theirs.sendall(b"rest")
        socket.socket.shutdown(theirs, socket.SHUT_WR)
        assert ours.recv(10) == b"rest"
        if suppress:
            assert ours.recv(10) == b""
            assert ours.recv_into(bytearray(5)) == 0
        else:
            with pytest.raises(ssl.SSLEOFError) as ended:
                ours.recv(10)
            assert ended.value.errno == ssl.SSL_ERROR_EOF
            assert ended.value.reason in ("UNEXPECTED_EOF_WHILE_READING", None)


@each_library
def test_end_in_the_handshake_is_an_eof_error(folder: Path, library: ModuleType) -> None:
    with socket_pair() as (near, far):
        far.close()
        with pytest.raises((ssl.SSLEOFError, ConnectionResetError)):
            client_context(library, folder).wrap_socket(near, server_hostname="localhost")


@each_library
def test_shutdown_of_the_socket_ends_it(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        ours.shutdown(socket.SHUT_RDWR)
        assert theirs.recv(1) == b""
        assert ours.version() is None
        with pytest.raises(OSError, match=r".*"):
            ours.sendall(b"x")


@each_library
def test_writing_after_close_notify_is_refused(folder: Path, library: ModuleType) -> None:
    from api.peers import Bios

    pair = Bios(client_context(library, folder), server_context(fasttls, folder)).handshake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    with pytest.raises(ssl.SSLError) as refused:
        pair.client.write(b"x")
    assert refused.value.reason == "PROTOCOL_IS_SHUTDOWN"


# Sockets that do not wait.


def _both_without_waiting(ours: ssl.SSLSocket, theirs: ssl.SSLSocket) -> int:
    """Do the handshake with select(); return how often either had to wait."""
    waits, waiting = 0, {ours, theirs}
    deadline = time.monotonic() + SECONDS
    while waiting:
        assert time.monotonic() < deadline
        for side in list(waiting):
            try:
                side.do_handshake()
                waiting.discard(side)
            except ssl.SSLWantReadError:
                waits += 1
            except ssl.SSLWantWriteError:
                select.select([], [side], [], 1)
                waits += 1
        select.select(list(waiting), [], [], 0.05)
    return waits


@each_pair
def test_non_blocking_sockets(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    with socket_pair() as (near, far):
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)  # the system may grow it beyond all the data
        near.setblocking(False)
        far.setblocking(False)
        ours = client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False)
        theirs = server.wrap_socket(far, server_side=True, do_handshake_on_connect=False)
        with ours, theirs:
            assert _both_without_waiting(ours, theirs) > 0
            with pytest.raises(ssl.SSLWantReadError):
                theirs.recv(1)
            data, sent, received = b"data" * MEBIBYTE, 0, 0
            blocked = False
            deadline = time.monotonic() + SECONDS
            while received < len(data):
                assert time.monotonic() < deadline
                if sent < len(data):
                    try:
                        sent += ours.send(data[sent : sent + 100_000])
                    except ssl.SSLWantWriteError:
                        blocked = True
                if blocked or sent == len(data):
                    try:
                        part = theirs.recv(65536)
                        assert part == data[received : received + len(part)]
                        received += len(part)
                    except ssl.SSLWantReadError:
                        continue
            assert blocked
            assert sent == received == len(data)


@each_pair
def test_a_timeout_of_months(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    # More milliseconds than poll() takes.
    with socket_pair() as (near, far):
        near.settimeout(1e7)
        far.settimeout(1e7)
        accepting = Peer(lambda: server_context(server_library, folder).wrap_socket(far, server_side=True))
        with client_context(client_library, folder).wrap_socket(near, server_hostname="localhost") as ours:
            with accepting.wait() as theirs:
                ours.sendall(b"data")
                assert theirs.recv(4) == b"data"


def test_select_sees_what_was_not_read_yet(folder: Path) -> None:
    # Programs call select() when pending() is 0: no record may wait unseen in a buffer of ours.
    with connected(client_context(fasttls, folder), server_context(ssl, folder)) as (ours, theirs):
        theirs.sendall(b"one")
        theirs.sendall(b"two")
        time.sleep(0.05)
        ours.setblocking(False)
        received = []
        while select.select([ours], [], [], 1)[0] and len(received) < 2:
            try:
                received.append(ours.recv(100))
            except ssl.SSLWantReadError:
                continue
            assert ours.pending() == 0
        assert received == [b"one", b"two"]


# Time-outs.


@each_library
def test_handshake_times_out(folder: Path, library: ModuleType) -> None:
    with socket_pair() as (near, _):
        near.settimeout(0.1)
        with pytest.raises(TimeoutError, match="handshake operation timed out"):
            client_context(library, folder).wrap_socket(near, server_hostname="localhost")


@each_library
def test_reading_times_out_and_can_be_repeated(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        ours.settimeout(0.1)
        with pytest.raises(TimeoutError, match="read operation timed out"):
            ours.recv(1)
        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"


@each_library
def test_writing_times_out(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, _):
        ours.settimeout(0.2)
        started = time.monotonic()
        with pytest.raises(TimeoutError, match="write operation timed out"):
            ours.sendall(bytes(64 * MEBIBYTE))
        assert time.monotonic() - started < 10


def test_timeout_is_that_of_the_whole_operation(folder: Path) -> None:
    # A peer that sends a byte now and then does not stretch it.
    with socket_pair() as (near, far):
        near.settimeout(0.4)

        def trickle() -> None:
            try:
                for byte in b"\x16\x03\x03\x40\x00" + bytes(200):
                    far.send(bytes((byte,)))
                    time.sleep(0.05)
            except OSError:
                pass

        trickling = Peer(trickle)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            client_context(fasttls, folder).wrap_socket(near, server_hostname="localhost")
        assert time.monotonic() - started < 2
        near.close()
        trickling.wait()


def test_socket_that_is_closed_while_waiting_ends_the_wait(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        reading = Peer(lambda: ours.recv(1))
        time.sleep(0.05)
        socket.socket.shutdown(theirs, socket.SHUT_RDWR)
        assert reading.wait() == b""


def test_accept_on_a_wrapped_listener(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        plain.settimeout(SECONDS)
        with server_context(fasttls, folder).wrap_socket(plain, server_side=True) as listener:
            accepting = Peer(listener.accept)
            with (
                socket.create_connection(listener.getsockname(), timeout=SECONDS) as near,
                client_context(ssl, folder).wrap_socket(near, server_hostname="localhost") as ours,
            ):
                theirs, address = accepting.wait()
                with theirs:
                    assert address == ours.getsockname()
                    ours.sendall(b"x")
                    assert theirs.recv(1) == b"x"


def test_connect_on_a_wrapped_socket(folder: Path) -> None:
    from api.peers import echo, serving

    with serving(server_context(fasttls, folder), echo) as address:
        plain = socket.socket()
        plain.settimeout(SECONDS)
        with client_context(fasttls, folder).wrap_socket(plain, server_hostname="localhost") as ours:
            ours.connect(address)
            ours.sendall(b"x")
            assert ours.recv(1) == b"x"


def test_datagram_sockets_are_refused(folder: Path) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as plain, pytest.raises(NotImplementedError):
        client_context(fasttls, folder).wrap_socket(plain, server_hostname="localhost")


@each_library
def test_empty_write_sends_nothing_and_returns_zero(folder: Path, library: ModuleType) -> None:
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (ours, theirs):
        assert ours.write(b"") == 0
        ours.sendall(b"")
        ours.sendall(b"x")
        assert theirs.recv(10) == b"x"


@each_library
def test_what_cannot_be_sent_does_not_keep_back_what_came(folder: Path, library: ModuleType) -> None:
    """A write that timed out leaves bytes to send; a read after it returns what the peer has sent."""
    with connected(client_context(library, folder), server_context(fasttls, folder)) as (client, server):
        server.sendall(b"an answer")
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.sendall(bytes(64 * MEBIBYTE))  # more than the system takes
        assert client.recv(100) == b"an answer"
