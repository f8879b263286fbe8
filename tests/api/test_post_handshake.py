"""verify_client_post_handshake() and post_handshake_auth, with `ssl` on either side (RFC 8446 §4.6.2)."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from api.peers import Bios, Peer, connected, each_library

import fasttls

PAIRS = [(fasttls, fasttls), (fasttls, ssl), (ssl, fasttls), (ssl, ssl)]
each_pair = pytest.mark.parametrize(
    ("near", "far"), PAIRS, ids=[f"{client.__name__}-{server.__name__}" for client, server in PAIRS]
)


def contexts(near: Any, far: Any, folder: Path, mode: ssl.VerifyMode = ssl.CERT_REQUIRED, *, known: bool = True) -> Any:
    """Return a client's context that may be asked, and a server's that asks after the handshake."""
    client = near.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(folder / "ca.pem")
    server = far.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    server.load_verify_locations(folder / "ca.pem")
    server.verify_mode = mode
    client.post_handshake_auth = server.post_handshake_auth = True
    if known:
        client.load_cert_chain(folder / "client-chain.pem", folder / "client-key.pem")
    return client, server


def ask(pair: Bios) -> None:
    """Let the server ask, and move what both say; raises what either raises."""
    pair.server.verify_client_post_handshake()
    pair.server.write(b"asking")
    assert pair.client.read(100) == b"asking"
    pair.client.write(b"answer")
    assert pair.server.read(100) == b"answer"


@each_library
def test_setting(library: Any) -> None:
    for protocol in (ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
        context = library.SSLContext(protocol)
        assert context.post_handshake_auth is False
        context.post_handshake_auth = 1
        assert context.post_handshake_auth is True
        context.verify_mode = ssl.CERT_REQUIRED
        assert context.verify_mode is ssl.CERT_REQUIRED


@each_pair
def test_client_is_known_when_it_was_asked(near: Any, far: Any, folder: Path) -> None:
    pair = Bios(*contexts(near, far, folder)).handshake()
    assert pair.server.getpeercert() is None
    ask(pair)
    certificate = pair.server.getpeercert()
    assert certificate is not None
    assert certificate["subject"]
    ask(pair)
    assert pair.server.getpeercert() == certificate


@each_pair
def test_over_sockets(near: Any, far: Any, folder: Path) -> None:
    with connected(*contexts(near, far, folder)) as (ours, theirs):
        theirs.verify_client_post_handshake()
        answering = Peer(lambda: (ours.recv(10), ours.sendall(b"x")))
        theirs.sendall(b"asking")
        assert theirs.recv(1) == b"x"
        answering.wait()
        assert theirs.getpeercert()


@each_pair
def test_request_goes_out_with_a_read_too(near: Any, far: Any, folder: Path) -> None:
    pair = Bios(*contexts(near, far, folder)).handshake()
    pair.server.verify_client_post_handshake()
    with pytest.raises(ssl.SSLWantReadError):
        pair.server.read(1)
    with suppress(ssl.SSLWantReadError):
        pair.client.read(1)
    with suppress(ssl.SSLWantReadError):
        pair.server.read(1)
    assert pair.server.getpeercert()


@each_pair
def test_optional(near: Any, far: Any, folder: Path) -> None:
    pair = Bios(*contexts(near, far, folder, ssl.CERT_OPTIONAL, known=False)).handshake()
    ask(pair)
    assert pair.server.getpeercert() is None


@each_pair
def test_required(near: Any, far: Any, folder: Path) -> None:
    pair = Bios(*contexts(near, far, folder, known=False)).handshake()
    pair.server.verify_client_post_handshake()
    pair.server.write(b"asking")
    assert pair.client.read(100) == b"asking"
    with pytest.raises(ssl.SSLError) as caught:
        pair.server.read(1)
    assert caught.value.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
    with pytest.raises(ssl.SSLError, match="certificate required"):
        pair.client.read(1)


@each_pair
def test_whom_a_server_cannot_ask(near: Any, far: Any, folder: Path) -> None:
    client, server = contexts(near, far, folder)
    client.post_handshake_auth = False
    pair = Bios(client, server).handshake()
    with pytest.raises(ssl.SSLError, match="extension not received") as caught:
        pair.server.verify_client_post_handshake()
    assert caught.value.reason == "EXTENSION_NOT_RECEIVED"
    with pytest.raises(ssl.SSLError, match="not server"):
        pair.client.verify_client_post_handshake()
    client, server = contexts(near, far, folder)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    pair = Bios(client, server).handshake()
    with pytest.raises(ssl.SSLError, match="wrong ssl version"):
        pair.server.verify_client_post_handshake()
    assert pair.server.getpeercert()  # TLS 1.2 asks in the handshake
    unverified = Bios(*contexts(near, far, folder, ssl.CERT_NONE)).handshake()
    with pytest.raises(ssl.SSLError, match="invalid config"):
        unverified.server.verify_client_post_handshake()


@each_pair
def test_asking_twice_before_the_answer(near: Any, far: Any, folder: Path) -> None:
    pair = Bios(*contexts(near, far, folder)).handshake()
    pair.server.verify_client_post_handshake()
    pair.server.write(b"asking")
    with pytest.raises(ssl.SSLError) as caught:
        pair.server.verify_client_post_handshake()
    assert caught.value.reason in ("REQUEST_SENT", "REQUEST_PENDING")


@each_pair
def test_client_keeps_its_own_settings(near: Any, far: Any, folder: Path) -> None:
    """Being asked does not make the client verify the server."""
    client, server = contexts(near, far, folder)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_NONE
    pair = Bios(client, server).handshake()
    ask(pair)
    assert pair.client.getpeercert() == {}
    assert pair.server.getpeercert()


@each_pair
def test_over_asyncio(near: Any, far: Any, folder: Path) -> None:
    client, server = contexts(near, far, folder)
    found: list[Any] = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.get_extra_info("ssl_object").verify_client_post_handshake()
        writer.write(b"asking")
        found.append(await reader.readexactly(1))
        found.append(writer.get_extra_info("ssl_object").getpeercert())
        writer.close()

    async def talk() -> None:
        listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
            assert await reader.readexactly(6) == b"asking"
            writer.write(b"x")
            await writer.drain()
            assert await reader.read() == b""
            writer.close()

    asyncio.run(talk())
    assert found[0] == b"x"
    assert found[1]["subject"]
