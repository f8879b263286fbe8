"""wrap_socket and wrap_bio, client and server, fasttls with itself and with `ssl`."""

from __future__ import annotations

import ssl
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import Bios, Peer, client_context, connected, each_pair, server_context, socket_pair
from certs import client_credential, server_credential

import fasttls


@each_pair
def test_socket_and_what_it_tells(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    client.set_alpn_protocols(["h2", "http/1.1"])
    server.set_alpn_protocols(["http/1.1"])
    with connected(client, server) as (ours, theirs):
        for side in (ours, theirs):
            assert side.version() == "TLSv1.3"
            name, version, bits = side.cipher() or ("", "", 0)
            assert (name[:4], version) == ("TLS_", "TLSv1.3")
            assert bits in (128, 256)
            assert side.selected_alpn_protocol() == "http/1.1"
            assert side.compression() is None
            assert side.session_reused is False
            assert side.pending() == 0
            assert isinstance(side.fileno(), int)
        assert ours.cipher() == theirs.cipher()
        assert (ours.server_side, theirs.server_side) == (False, True)
        assert ours.server_hostname == "localhost"
        assert ours.getpeercert(True) == server_credential().der
        assert theirs.getpeercert() is None
        assert theirs.getpeercert(True) is None
        assert ours.shared_ciphers() is None
        assert theirs.cipher() in (theirs.shared_ciphers() or [])
        assert ours.getpeername() == theirs.getsockname()
        ours.sendall(b"question")
        assert theirs.recv(100) == b"question"
        theirs.sendall(b"answer")
        assert ours.recv(100) == b"answer"


@each_pair
def test_object_over_memory_bios(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    pair = Bios(client_context(client_library, folder), server_context(server_library, folder)).handshake()
    assert pair.client.version() == pair.server.version() == "TLSv1.3"
    assert pair.client.cipher() == pair.server.cipher()
    assert pair.client.getpeercert(True) == server_credential().der
    assert pair.client.write(b"question") == 8
    assert pair.server.read(100) == b"question"
    buffer = bytearray(10)
    assert pair.server.write(b"answer") == 6
    assert pair.client.read(100, buffer) == 6
    assert bytes(buffer[:6]) == b"answer"
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    assert pair.server.read(1) == b""
    pair.server.unwrap()
    pair.client.unwrap()


@each_pair
def test_client_certificate(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    client.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(folder / "ca.pem")
    with connected(client, server) as (ours, theirs):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
        assert theirs.getpeercert(True) == client_credential().der
        assert theirs.getpeercert() == {**(theirs.getpeercert() or {}), "subject": ((("commonName", "client"),),)}


@each_pair
@pytest.mark.parametrize("mode", [ssl.CERT_OPTIONAL, ssl.CERT_REQUIRED])
def test_client_without_a_certificate(
    folder: Path, client_library: ModuleType, server_library: ModuleType, mode: ssl.VerifyMode
) -> None:
    client, server = client_context(client_library, folder), server_context(server_library, folder)
    server.verify_mode = mode
    server.load_verify_locations(folder / "ca.pem")
    if mode == ssl.CERT_OPTIONAL:
        with connected(client, server) as (ours, theirs):
            ours.sendall(b"x")
            assert theirs.recv(1) == b"x"
            assert theirs.getpeercert() is None
        return
    pair = Bios(client, server)
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE") as refusal:
        pair.handshake()
    assert refusal.value.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    with pytest.raises(ssl.SSLError) as alert:
        pair.client.read(1)
    assert alert.value.reason == "TLSV13_ALERT_CERTIFICATE_REQUIRED"


def test_methods_before_the_handshake_are_the_standard_librarys(folder: Path) -> None:
    seen = []
    for library in (ssl, fasttls):
        pair = Bios(client_context(library, folder), server_context(library, folder))
        one = pair.client
        told: list[object] = [
            one.version(),
            one.cipher(),
            one.compression(),
            one.selected_alpn_protocol(),
            one.shared_ciphers(),
            one.pending(),
            one.session_reused,
            one.server_hostname,
            one.server_side,
            pair.server.server_hostname,
            one.get_channel_binding("tls-unique"),
        ]
        for call in (one.getpeercert, lambda one=one: one.getpeercert(True), one.unwrap):
            try:
                told.append(call())
            except Exception as exc:
                told.append(type(exc))
        seen.append(told)
    assert seen[1] == seen[0]


def test_reading_and_writing_do_the_handshake(folder: Path) -> None:
    server = server_context(fasttls, folder)
    client = client_context(fasttls, folder)
    with connected(client, server, do_handshake_on_connect=False) as (ours, theirs):
        writing = Peer(lambda: ours.write(b"x"))
        assert theirs.read(10) == b"x"
        assert writing.wait() == 1
        assert ours.version() == theirs.version() == "TLSv1.3"


def test_server_name_is_known_to_the_server(folder: Path) -> None:
    pair = Bios(client_context(fasttls, folder), server_context(fasttls, folder), "example.com").handshake()
    assert pair.client.server_hostname == "example.com"


def test_ip_address_as_server_hostname(folder: Path) -> None:
    for host in ("127.0.0.1", "::1"):
        pair = Bios(client_context(fasttls, folder), server_context(ssl, folder), host).handshake()
        assert pair.client.version() == "TLSv1.3"


def test_wrong_roles_are_refused_as_by_ssl(folder: Path) -> None:
    for library in (ssl, fasttls):
        with pytest.raises(ssl.SSLError, match="Cannot create a server socket"):
            client_context(library, folder).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_side=True)
        with pytest.raises(ssl.SSLError, match="Cannot create a client socket"):
            server_context(library, folder).wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())
        with socket_pair() as (near, _), pytest.raises(ValueError, match="server_hostname"):
            server_context(library, folder).wrap_socket(near, server_side=True, server_hostname="localhost")


def test_context_is_a_real_subclass_and_makes_fasttls_sockets(folder: Path) -> None:
    client, server = client_context(fasttls, folder), server_context(fasttls, folder)
    assert isinstance(client, ssl.SSLContext)
    with connected(client, server) as (ours, _):
        assert isinstance(ours, ssl.SSLSocket)
        assert isinstance(ours, fasttls.SSLSocket)
        assert ours.context is client
    assert isinstance(Bios(client, server).client, fasttls.SSLObject)


def test_what_only_fasttls_tells(folder: Path) -> None:
    with connected(client_context(fasttls, folder), server_context(fasttls, folder)) as (ours, theirs):
        assert ours.group() == theirs.group() == "X25519MLKEM768"
        assert ours.server_sigalg() == theirs.server_sigalg() == "ecdsa_secp256r1_sha256"
        assert ours.client_sigalg() is theirs.client_sigalg() is None
        assert ours.hello_retried() is theirs.hello_retried() is False
        exported = ours.export_keying_material("EXPERIMENTAL test", 32, b"context")
        assert exported == theirs.export_keying_material(b"EXPERIMENTAL test", 32, b"context")
        assert exported != ours.export_keying_material("EXPERIMENTAL test", 32)
        assert ours.get_channel_binding("tls-exporter") == theirs.get_channel_binding("tls-exporter")
        with pytest.raises(ValueError, match="channel binding"):
            ours.get_channel_binding("none")
        ours.key_update(request_peer=True)
        ours.sendall(b"after")
        assert theirs.recv(10) == b"after"
        theirs.sendall(b"answered")
        assert ours.recv(10) == b"answered"
