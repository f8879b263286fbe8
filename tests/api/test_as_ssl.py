"""What programs meet seldom, and that is as in `ssl` all the same: each test runs with both."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import Peer, client_context, each_library, server_context
from certs import test_root
from cryptography import x509

import fasttls
from fasttls.api.certdict import certificate_dict


def connected(
    client: ssl.SSLContext, server: ssl.SSLContext, *, timeout: float | None = 20
) -> tuple[ssl.SSLSocket, ssl.SSLSocket]:
    """Return the two ends of a connection over sockets."""
    near, far = socket.socketpair()
    near.settimeout(timeout)
    far.settimeout(timeout)
    serving = Peer(lambda: server.wrap_socket(far, server_side=True))
    return client.wrap_socket(near, server_hostname="localhost"), serving.wait()


@each_library
@pytest.mark.parametrize("shorter", [b"", b"b" * 10], ids=["nothing", "ten bytes"])
def test_a_write_that_would_block_is_repeated_with_as_much(folder: Path, library: ModuleType, shorter: bytes) -> None:
    client, server = connected(client_context(library, folder), server_context(ssl, folder))
    with client, server:
        client.setblocking(False)
        sent = _fill(client)
        with pytest.raises(ssl.SSLError) as refused:
            client.send(shorter)
        assert refused.value.reason == "BAD_LENGTH"
        if library is fasttls:  # whose connection goes on
            got = Peer(lambda: _received(server, sent + 16384))
            client.setblocking(True)
            assert client.send(b"a" * 16384) == 16384
            assert got.wait() == b"a" * (sent + 16384)


def _fill(sock: ssl.SSLSocket) -> int:
    """Send until it would block, and return how many bytes."""
    sent = 0
    while True:
        try:
            sent += sock.send(b"a" * 16384)
        except ssl.SSLWantWriteError:
            return sent


def _received(sock: ssl.SSLSocket, size: int) -> bytes:
    found = bytearray()
    while len(found) < size and (piece := sock.recv(65536)):
        found += piece
    return bytes(found)


def test_a_client_that_leaves_at_once_is_no_error_to_the_server(folder: Path) -> None:
    # Its system resets the connection, for the tickets were not read: a health check is not to fill the server's log.
    # With `ssl` it is none nearly every time: the reset is often met by the second ticket, which is written by itself.
    client, server = client_context(ssl, folder), server_context(fasttls, folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> bytes:
            accepted, _ = listening.accept()
            accepted.settimeout(20)
            with server.wrap_socket(accepted, server_side=True) as wrapped:
                time.sleep(0.01)
                return wrapped.recv(10)

        for _ in range(20):
            serving = Peer(serve)
            plain = socket.create_connection(listening.getsockname(), 20)
            client.wrap_socket(plain, server_hostname="localhost").close()
            assert serving.wait() == b""


@pytest.mark.parametrize("talks", ["server", "client"])
def test_a_reset_that_no_ticket_explains_is_told(folder: Path, talks: str) -> None:
    client, server = client_context(ssl, folder), server_context(fasttls, folder)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        spoken = threading.Event()

        def serve() -> bytes:
            accepted, _ = listening.accept()
            accepted.settimeout(20)
            with server.wrap_socket(accepted, server_side=True) as wrapped:
                if talks == "server":
                    wrapped.sendall(b"an answer")
                else:
                    assert wrapped.recv(100) == b"a request"
                spoken.set()
                return wrapped.recv(10)

        serving = Peer(serve)
        plain = socket.create_connection(listening.getsockname(), 20)
        wrapped = client.wrap_socket(plain, server_hostname="localhost")
        if talks == "client":
            wrapped.sendall(b"a request")
        assert spoken.wait(20)
        wrapped.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
        wrapped.close()
        assert isinstance(serving.wait_for_error(), ConnectionResetError)


@each_library
def test_a_descriptor_is_no_path(folder: Path, library: ModuleType) -> None:
    context = server_context(library, folder)
    reading, writing = os.pipe()
    try:
        for name, load in (
            ("certfile", lambda path: context.load_cert_chain(path)),
            ("keyfile", lambda path: context.load_cert_chain(folder / "server-chain.pem", path)),
            ("cafile", lambda path: context.load_verify_locations(cafile=path)),
            ("capath", lambda path: context.load_verify_locations(capath=path)),
        ):
            for path in (reading, -1, 1.5, object()):
                with pytest.raises(TypeError, match=f"{name} should be a valid filesystem path"):
                    load(path)
            with pytest.raises(ValueError, match="embedded null byte"):
                load("a\0b")
        os.fstat(reading)  # which is as open as it was
    finally:
        os.close(reading)
        os.close(writing)


@each_library
def test_a_directory_has_a_name(folder: Path, library: ModuleType) -> None:
    with pytest.raises(ssl.SSLError) as refused:
        client_context(library, folder).load_verify_locations(capath="")
    assert refused.value.reason == "INVALID_DIRECTORY"


@each_library
def test_suites_are_listed_whatever_is_spoken(folder: Path, library: ModuleType) -> None:
    context = client_context(library, folder)
    before = [suite["name"] for suite in context.get_ciphers()]
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    assert [suite["name"] for suite in context.get_ciphers()] == before
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    assert [suite["name"] for suite in context.get_ciphers()] == before


@each_library
@pytest.mark.parametrize("operation", ["recv", "send", "unwrap"])
def test_a_detached_socket_is_an_os_error(folder: Path, library: ModuleType, operation: str) -> None:
    client, server = connected(client_context(library, folder), server_context(ssl, folder), timeout=0.2)
    with client, server:
        operations = {"recv": lambda: client.recv(1), "send": lambda: client.send(b"a"), "unwrap": client.unwrap}
        descriptor = client.detach()
        try:
            with pytest.raises(OSError, match=r"closed|gone|timed out"):
                operations[operation]()
        finally:
            os.close(descriptor)


def _string(tag: int, text: bytes) -> bytes:
    return bytes((tag, len(text))) + text


NAMES = [
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), _string(0x0C, b"somebody@example.com")),
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), _string(0x16, b"of another type")),
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.5"), _string(0x0C, b"somebody@chat.example")),
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.7"), _string(0x16, b"_imap.example.com")),
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.8"), _string(0x0C, b"example.com")),
    x509.OtherName(x509.ObjectIdentifier("1.3.6.1.5.5.7.8.9"), _string(0x0C, b"somebody@example.com")),
    x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), _string(0x0C, b"unknown")),
    x509.RegisteredID(x509.ObjectIdentifier("2.5.4.3")),
    x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4.5.6")),
]


def test_names_of_every_kind_are_shown_alike(tmp_path: Path) -> None:
    from _ssl import _test_decode_cert

    made = test_root().issue(extensions=((x509.SubjectAlternativeName(NAMES), False),))
    path = tmp_path / "names.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(made.der))
    theirs: dict[str, Any] = _test_decode_cert(str(path))
    assert certificate_dict(made.der)["subjectAltName"] == theirs["subjectAltName"]
