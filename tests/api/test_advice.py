"""What errors advise: the cause, and what to do about it, where this side can see it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from api.peers import Bios, client_context, server_context, socket_pair

import fasttls


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"OPTIONS * HTTP/1.1\r\n", "it is to use https://"),
        (b"J\x00\x00\x00\x0a8.0.36\x00", "MySQL"),
        (b"AMQP\x00\x00\x09\x01", "AMQP"),
        (b"-ERR unknown command", "Redis"),
        (b"\x03\x00\x00\x13\x0e\xd0", "RDP"),
        (b"<?xml version='1.0'?><stream:stream", "XMPP"),
        (b"<html><body>", "a proxy answers"),
    ],
)
def test_a_peer_that_speaks_something_else(start: bytes, words: str, folder: Path) -> None:
    incoming = ssl.MemoryBIO()
    ours = server_context(fasttls, folder).wrap_bio(incoming, ssl.MemoryBIO(), server_side=True)
    incoming.write(start)
    with pytest.raises(ssl.SSLError, match=words):
        ours.do_handshake()


@pytest.mark.parametrize(
    ("host", "words"),
    [("localhost:443", "server_hostname is 'localhost'"), ("https://localhost/", "the host's name alone")],
)
def test_a_host_name_that_is_none(host: str, words: str, folder: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        Bios(client_context(fasttls, folder), server_context(fasttls, folder), host).handshake()


@pytest.mark.parametrize("server_side", [True, False])
def test_a_handshake_that_takes_too_long_says_what_it_waits_for(server_side: bool, folder: Path) -> None:
    context = server_context(fasttls, folder) if server_side else client_context(fasttls, folder)
    with socket_pair() as (near, _):
        near.settimeout(0.1)
        with pytest.raises(
            TimeoutError,
            match=r"timed out, waiting for .*ClientHello" if server_side else r"timed out, waiting for .*ServerHello",
        ):
            context.wrap_socket(near, server_side=server_side, server_hostname=None if server_side else "localhost")


def test_what_a_server_is_told_by_a_client_that_wanted_another_host(folder: Path) -> None:
    bios = Bios(client_context(fasttls, folder), server_context(fasttls, folder), "elsewhere.example")
    for side in (bios.client, bios.server):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLCertVerificationError):
        bios.client.do_handshake()
    with pytest.raises(ssl.SSLError, match=r"another host than the client wanted, being for .*localhost"):
        bios.server.do_handshake()


def test_what_a_client_is_told_by_a_server_without_its_site(folder: Path) -> None:
    server = server_context(fasttls, folder)
    server.sni_callback = lambda sock, name, context: ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    bios = Bios(client_context(fasttls, folder), server, "localhost")
    with pytest.raises(ssl.SSLWantReadError):
        bios.client.do_handshake()
    with pytest.raises(ssl.SSLError, match="the server name 'localhost'"):
        bios.server.do_handshake()
    with pytest.raises(ssl.SSLError, match="has no site 'localhost'"):
        bios.client.do_handshake()


@pytest.mark.parametrize(("name", "words"), [("der", "is DER"), ("key", "has a private key"), ("empty", "is empty")])
def test_a_file_of_authorities_that_is_none(name: str, words: str, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    pem = (folder / "ca.pem").read_text()
    path.write_bytes(
        {
            "der": ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN") :]),
            "key": (folder / "server-key.pem").read_bytes(),
            "empty": b"",
        }[name]
    )
    with pytest.raises(ssl.SSLError, match=words) as refused:
        fasttls.create_default_context(cafile=str(path))
    assert str(path) in str(refused.value)
