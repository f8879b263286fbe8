"""Writes that are cut off: what was sealed counts as written when the caller repeats them, and is sent once."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import SECONDS, client_context, connected, each_library, server_context

import fasttls

DATA = b"".join(b"%07d\n" % number for number in range(100_000))


@each_library
def test_a_write_that_timed_out_is_repeated(library: ModuleType, folder: Path) -> None:
    """As `ssl` has it: with the same data, of which nothing is sent twice."""
    with connected(client_context(library, folder), server_context(ssl, folder)) as (client, server):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        received = bytearray()

        def read() -> None:
            time.sleep(0.5)
            while part := server.recv(65536):
                received.extend(part)

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        client.settimeout(0.15)
        sent = timeouts = 0
        while sent < len(DATA):
            try:
                sent += client.send(DATA[sent:])
            except TimeoutError:
                timeouts += 1
        client.settimeout(SECONDS)
        client.shutdown(socket.SHUT_WR)
        reader.join(SECONDS)
        assert timeouts
        assert bytes(received) == DATA


@each_library
def test_a_write_that_does_not_block_is_done_or_to_be_repeated(library: ModuleType, folder: Path) -> None:
    """There is no part of it: the caller would not know that more is on its way."""
    with connected(client_context(library, folder), server_context(ssl, folder)) as (client, server):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        client.setblocking(False)
        block, pending, sent, received = b"A" * 100_000, 0, 0, bytearray()
        server.settimeout(0.05)
        while sent < 40 * len(block):
            try:
                assert client.send(block) == len(block)
                sent += len(block)
            except ssl.SSLWantWriteError:
                pending += 1
                try:
                    received += server.recv(1 << 20)
                except TimeoutError:
                    continue
        assert pending
        client.setblocking(True)
        assert client.send(b"B" * 100) == 100
        server.settimeout(SECONDS)
        while len(received) < sent + 100:
            received += server.recv(1 << 20)
        assert received == b"A" * sent + b"B" * 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@each_library
def test_a_connection_goes_on_in_a_child_when_the_parent_closes_its_own(library: ModuleType, folder: Path) -> None:
    with connected(client_context(library, folder), server_context(ssl, folder)) as (client, server):
        server.sendall(b"hello")
        client.settimeout(5)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                time.sleep(0.2)  # until the parent has closed its copy
                os.write(writing, client.recv(100))
            finally:
                os._exit(0)
        os.close(writing)
        client.close()
        os.waitpid(child, 0)
        assert os.read(reading, 100) == b"hello"
        os.close(reading)


def test_a_peer_that_asks_much_and_reads_nothing_is_not_read_for_ever(folder: Path) -> None:
    """What waits to be sent has an end: reading waits for it too."""
    ours, theirs = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT), server_context(ssl, folder)
    ours.load_verify_locations(folder / "ca.pem")
    ours.post_handshake_auth = True
    theirs.load_verify_locations(folder / "ca.pem")
    theirs.verify_mode = ssl.CERT_OPTIONAL
    theirs.post_handshake_auth = True
    with connected(ours, theirs) as (client, server):
        engine = client._sslobj  # type: ignore[attr-defined]
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        piece = bytes(50_000)
        for _ in range(200):
            engine._outgoing.append(piece)
        client.settimeout(0.3)
        server.sendall(b"x")
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert len(engine._outgoing) > 64
        del engine._outgoing[1:]
        with suppress(ssl.SSLError):  # those were no records
            while server.recv(65536):
                pass
        assert client.recv(1) == b"x"
