"""_msg_callback tells what OpenSSL tells, in the same order and with the same values."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from api.peers import Bios, Peer, connected, each_library, socket_pair

import fasttls

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
each_version = pytest.mark.parametrize("version", [TLS12, TLS13], ids=["1.2", "1.3"])

Told = tuple[str, int, int, int]


def contexts(library: Any, folder: Path, version: ssl.TLSVersion) -> tuple[Any, Any]:
    client = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(folder / "ca.pem")
    server = library.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server-chain.pem", folder / "server-key.pem")
    client.minimum_version = client.maximum_version = version
    return client, server


def kept(log: list[Told]) -> Callable[..., None]:
    def callback(conn: Any, direction: str, version: int, content_type: int, message_type: int, data: bytes) -> None:
        assert isinstance(conn, ssl.SSLObject)
        assert isinstance(data, bytes)
        log.append((direction, version, content_type, message_type))

    return callback


def whole_connection(library: Any, folder: Path, version: ssl.TLSVersion) -> tuple[list[Told], list[Told]]:
    """Return what client and server are told of a connection from its beginning to its end."""
    client, server = contexts(library, folder, version)
    logs: tuple[list[Told], list[Told]] = [], []
    client._msg_callback, server._msg_callback = kept(logs[0]), kept(logs[1])
    pair = Bios(client, server)
    for _ in range(4):
        for side in (pair.client, pair.server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    pair.client.write(b"hello")
    assert pair.server.read(10) == b"hello"
    with suppress(ssl.SSLWantReadError):
        pair.client.unwrap()
    assert pair.server.read(10) == b""
    pair.server.unwrap()
    pair.client.unwrap()
    return logs


def messages(log: list[Told]) -> list[Told]:
    """Return what is not about records: how many messages share one is a library's own affair."""
    content = ssl._TLSContentType  # type: ignore[attr-defined]
    return [told for told in log if told[2] not in (content.HEADER, content.INNER_CONTENT_TYPE)]


@each_version
def test_messages_are_those_that_openssl_tells(version: ssl.TLSVersion, folder: Path) -> None:
    for ours, theirs in zip(
        whole_connection(fasttls, folder, version), whole_connection(ssl, folder, version), strict=True
    ):
        assert messages(ours) == messages(theirs)
        assert [type(value) for told in ours for value in told] == [str, ssl.TLSVersion, *_kinds(ours)]


def _kinds(log: list[Told]) -> list[type]:
    """Return the types of all values but the first two."""
    flat = [type(value) for told in log for value in told]
    assert set(flat) <= {str, ssl.TLSVersion, ssl._TLSContentType, ssl._TLSMessageType, ssl._TLSAlertType}  # type: ignore[attr-defined]
    return flat[2:]


@each_version
def test_kinds_of_records_are_those_that_openssl_tells(version: ssl.TLSVersion, folder: Path) -> None:
    for ours, theirs in zip(
        whole_connection(fasttls, folder, version), whole_connection(ssl, folder, version), strict=True
    ):
        assert set(ours) == set(theirs)
        assert ours[0] == theirs[0]


@each_library
def test_callback_must_be_callable(library: Any) -> None:
    context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert context._msg_callback is None
    with pytest.raises(TypeError, match="is not callable"):
        context._msg_callback = object()
    context._msg_callback = print
    assert context._msg_callback is print
    context._msg_callback = None
    assert context._msg_callback is None


@each_library
@each_version
def test_what_it_raises_is_raised_when_the_operation_is_over(
    library: Any, version: ssl.TLSVersion, folder: Path
) -> None:
    client, server = contexts(library, folder, version)
    calls: list[int] = []

    def callback(*told: Any) -> None:
        calls.append(1)
        raise LookupError("from the callback")

    client._msg_callback = callback
    with socket_pair() as (near, far):
        accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
        with client.wrap_socket(near, server_hostname="localhost", do_handshake_on_connect=False) as ours:
            with pytest.raises(LookupError, match="from the callback"):
                ours.do_handshake()
            accepting.wait().close()
    assert calls
    pair = Bios(client, server)
    with pytest.raises(ssl.SSLWantReadError) as caught:  # an operation that fails says so itself
        pair.client.do_handshake()
    assert isinstance(caught.value.__context__, LookupError)
    client._msg_callback = None
    assert pair.to_server.pending > 0
    pair.handshake()
    assert pair.client.version() == ("TLSv1.2" if version is TLS12 else "TLSv1.3")


def failing(*told: Any) -> None:
    raise LookupError("from the callback")


def test_what_it_raises_of_a_key_update_is_raised_by_that(folder: Path) -> None:
    client, server = contexts(fasttls, folder, TLS13)
    client._msg_callback = kept([])
    pair = Bios(client, server)
    pair.handshake()
    client._msg_callback = failing
    with pytest.raises(LookupError, match="from the callback"):
        pair.client.key_update()
    client._msg_callback = None
    pair.client.write(b"under the new keys")
    assert pair.server.read(64) == b"under the new keys"


def test_what_it_raises_of_early_data_is_raised_by_that(folder: Path) -> None:
    client, server = contexts(fasttls, folder, TLS13)
    client.resumption = client.early_data = True
    client._msg_callback = kept([])
    pair = Bios(client, server)
    client._msg_callback = failing
    with pytest.raises(LookupError, match="from the callback"):
        pair.client.write_early_data(b"early")
    client._msg_callback = None
    pair.handshake()
    assert pair.client.version() == "TLSv1.3"


@each_library
def test_what_it_raises_of_a_request_for_a_certificate_is_raised_by_the_next_write(library: Any, folder: Path) -> None:
    client, server = contexts(library, folder, TLS13)
    client.post_handshake_auth = server.post_handshake_auth = True
    server.verify_mode = ssl.CERT_OPTIONAL
    server.load_verify_locations(folder / "ca.pem")
    server._msg_callback = kept([])
    pair = Bios(client, server)
    pair.handshake()
    server._msg_callback = failing
    pair.server.verify_client_post_handshake()
    with pytest.raises(LookupError, match="from the callback"):
        pair.server.write(b"x")


@each_library
def test_sni_callback_changes_whose_it_is(library: Any, folder: Path) -> None:
    client, server = contexts(library, folder, TLS13)
    _, other = contexts(library, folder, TLS13)
    logs: tuple[list[Told], list[Told]] = [], []
    server._msg_callback, other._msg_callback = kept(logs[0]), kept(logs[1])

    def choose(sock: Any, name: str | None, context: Any) -> None:
        sock.context = other

    server.sni_callback = choose
    Bios(client, server).handshake()
    assert {told[0] for told in logs[0]} == {"read"}
    assert {told[0] for told in logs[1]} == {"read", "write"}


@each_library
def test_over_sockets(library: Any, folder: Path) -> None:
    client, server = contexts(library, folder, TLS12)
    log: list[tuple[Any, ...]] = []
    client._msg_callback = lambda *told: log.append((isinstance(told[0], ssl.SSLSocket), *told[1:5]))
    with connected(client, server) as (ours, theirs):
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
    kinds = ssl._TLSContentType, ssl._TLSMessageType  # type: ignore[attr-defined]
    assert (True, "read", TLS12, kinds[0].HANDSHAKE, kinds[1].SERVER_KEY_EXCHANGE) in log
    assert (True, "write", TLS12, kinds[0].CHANGE_CIPHER_SPEC, kinds[1].CHANGE_CIPHER_SPEC) in log
