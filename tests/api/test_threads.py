"""Threads: connections over one context, and two threads on one connection."""

from __future__ import annotations

import signal
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import (
    SECONDS,
    Peer,
    client_context,
    connected,
    each_pair,
    echo,
    server_context,
    serving,
)

import fasttls
from fasttls.api.later import later

RECORDS = 300


@each_pair
def test_many_connections_over_one_context(
    folder: Path, client_library: ModuleType, server_library: ModuleType
) -> None:
    context = client_context(client_library, folder)

    def one(address: tuple[str, int], number: int) -> bytes:
        data = f"{number} ".encode() * 2000  # fits into the sockets' buffers
        with (
            socket.create_connection(address, timeout=SECONDS) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as ours,
        ):
            ours.sendall(data)
            received = b""
            while len(received) < len(data):
                received += ours.recv(4096)
            return b"same" if received == data else received

    with serving(server_context(server_library, folder), echo) as address:
        for _ in range(2):
            peers = [Peer(lambda number=number: one(address, number)) for number in range(16)]
            assert [peer.wait() for peer in peers] == [b"same"] * 16


def test_one_thread_reads_while_another_writes(folder: Path) -> None:
    data = b"0123456789abcdef" * 1024
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):

        def send(sock: ssl.SSLSocket) -> None:
            for _ in range(RECORDS):
                sock.sendall(data)

        def receive(sock: ssl.SSLSocket) -> bool:
            for _ in range(RECORDS):
                left = len(data)
                while left:
                    part = sock.recv(left)
                    assert part == data[len(data) - left :][: len(part)]
                    assert part
                    left -= len(part)
            return True

        work = [Peer(lambda: send(ours)), Peer(lambda: send(theirs)), Peer(lambda: receive(theirs))]
        assert receive(ours)
        for peer in work:
            peer.wait()


def test_key_updates_while_both_directions_are_busy(folder: Path) -> None:
    # RFC 8446 §4.6.3: each side changes keys of its own direction, and answers when it is asked.
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        size, count = 2000, 200

        def send(sock: fasttls.SSLSocket) -> None:
            for number in range(count):
                sock.sendall(bytes((number % 256,)) * size)
                if number % 10 == 0:
                    sock.key_update(request_peer=number % 20 == 0)

        def receive(sock: ssl.SSLSocket) -> bool:
            received = bytearray()
            while len(received) < count * size:
                received += sock.recv(65536)
            return received == b"".join(bytes((number % 256,)) * size for number in range(count))

        peers = [Peer(lambda: send(ours)), Peer(lambda: send(theirs)), Peer(lambda: receive(ours))]  # type: ignore[arg-type]
        assert receive(theirs)
        peers[0].wait()
        peers[1].wait()
        assert peers[2].wait()


def test_two_threads_that_write_lose_nothing(folder: Path) -> None:
    # Each message is whole and there; which comes first is theirs to settle.
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        size, count, writers = 10_000, 60, 4

        def send(mark: int) -> None:
            for _ in range(count):
                ours.sendall(bytes((mark,)) * size)

        def receive() -> bytes:
            theirs.settimeout(5)
            received = bytearray()
            while len(received) < size * count * writers:
                try:
                    received += theirs.recv(65536)
                except TimeoutError:
                    break
            return bytes(received)

        receiving = Peer(receive)
        for peer in [Peer(lambda mark=mark: send(mark)) for mark in range(writers)]:
            peer.wait()
        received = receiving.wait()
        assert [received.count(bytes((mark,))) for mark in range(writers)] == [size * count] * writers


def test_what_a_context_makes_later_is_one_for_all_threads() -> None:
    everybody = threading.Barrier(4)
    made: list[object] = []

    def make() -> object:
        everybody.wait(SECONDS)  # so that each thread has found nothing yet
        made.append(object())
        return made[-1]

    class Context:
        shared: object = later(make)

    context, other = Context(), Context()
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: context.shared, range(4)))
    assert len(made) == 4
    assert found == {context.shared}
    assert found <= set(made)
    other.__dict__["shared"] = None
    assert other.shared is None


def test_settings_change_while_connections_are_made() -> None:
    # A change must hold for whatever is wrapped after it, however many threads wrap meanwhile. `ssl` is not held to
    # it: OpenSSL frees the protocols that another thread is copying.
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stop = threading.Event()

    def wrap() -> int:
        made = 0
        while not stop.is_set():
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
            made += 1
        return made

    wrapping = [Peer(wrap) for _ in range(2)]
    try:
        for number in range(200):
            context.set_alpn_protocols([str(number)])
            assert context._config().alpn == (str(number).encode(),)
            time.sleep(0)
    finally:
        stop.set()
    assert all(peer.wait() > 0 for peer in wrapping)


def test_snapshot_that_was_begun_before_a_change_does_not_survive_it(folder: Path) -> None:
    # A thread reads the settings for a snapshot; another changes one before the snapshot is kept.
    from api.racing import RacingContext

    context = RacingContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.change = lambda: setattr(context, "verify_mode", ssl.CERT_REQUIRED)
    context._config()
    from fasttls.handshake.config import PeerCertificate

    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context._config().peer_certificate is PeerCertificate.REQUIRED


def test_several_threads_that_read_lose_nothing_and_see_no_end_before_it_is_there(folder: Path) -> None:
    tokens = [f"{number:08}".encode() for number in range(800)]
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):

        def receive() -> list[bytes]:
            found = []
            while data := ours.recv(8):
                found.append(data)
            return found

        readers = [Peer(receive) for _ in range(4)]
        for number, token in enumerate(tokens):
            theirs.sendall(token)
            if number % 20 == 0:
                time.sleep(0.001)  # so that they wait, too
        ending = Peer(theirs.unwrap)
        found = [reader.wait() for reader in readers]
        ours.unwrap()
        ending.wait()
    assert sorted(token for tokens_of_one in found for token in tokens_of_one) == tokens


def test_a_thread_that_waits_for_another_ones_read_has_its_own_time(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, _):
        ours.settimeout(0.4)

        def receive() -> float:
            begun = time.monotonic()
            with pytest.raises(TimeoutError, match="read operation timed out"):
                ours.recv(1)
            return time.monotonic() - begun

        readers = [Peer(receive) for _ in range(3)]
        assert all(0.35 < reader.wait() < 5 for reader in readers)


def test_one_thread_ends_the_connection_while_another_reads(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        reading = Peer(lambda: ours.recv(1))
        time.sleep(0.1)
        ending = Peer(ours.unwrap)
        assert theirs.recv(1) == b""
        theirs.unwrap()
        ending.wait()
        with suppress(ssl.SSLError):  # it was this side that ended it
            assert reading.wait() == b""


def test_a_signal_handler_reads_while_its_thread_does(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        seen: list[bytes] = []

        def handler(*_: object) -> None:
            theirs.sendall(b"first")
            seen.append(ours.recv(5))
            theirs.sendall(b"later")

        before = signal.signal(signal.SIGALRM, handler)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            assert ours.recv(5) == b"later"
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert seen == [b"first"]


def test_who_waited_for_another_ones_read_sends_nobody_else_to_look_again(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, _):
        engine: Any = ours._sslobj  # type: ignore[attr-defined]
        before = engine._looked
        engine._pump(before - 1, None, "read")  # another thread has read since: this one does not
        assert engine._looked == before
