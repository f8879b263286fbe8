"""Which sessions a client does not go on with: of connections that failed, beside pre-shared keys, of great size."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import certs
import pytest
from api.peers import Bios
from api.resuming import each_version

import fasttls
from fasttls.api.session_link import _MOST_KEPT


def client(folder: Path, version: ssl.TLSVersion) -> Any:
    """Return a context that goes on with sessions by the host's name alone."""
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "ca.pem")
    context.resumption = True
    context.minimum_version = context.maximum_version = version
    return context


def server(key_pem: bytes = b"", chain_pem: bytes = b"") -> Any:
    context = fasttls.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = certs.server_credential()
    context.use_certificate(chain_pem or own.chain_pem, key_pem or own.key_pem.encode())
    return context


def connection(ours: Any, theirs: Any) -> Any:
    """Return both ends after their handshake, with the tickets read."""
    bios = Bios(ours, theirs).handshake()
    bios.server.write(b"x")
    assert bios.client.read(1) == b"x"
    return bios


@each_version
def test_of_a_connection_that_failed(version: ssl.TLSVersion, folder: Path) -> None:
    """RFC 5246 §7.2.2, RFC 8446 §6.2: what a connection left that ended with a fatal alert is forgotten."""
    ours, theirs = client(folder, version), server()
    failing = connection(ours, theirs)
    failing.to_client.write(b"\x17\x03\x03\0\x20" + bytes(32))
    with pytest.raises(ssl.SSLError, match="BAD_RECORD_MAC"):
        failing.client.read(1)
    assert not connection(ours, theirs).client.session_reused
    assert connection(ours, theirs).client.session_reused


@each_version
def test_beside_a_pre_shared_key_that_alone_says_who_the_server_is(version: ssl.TLSVersion, folder: Path) -> None:
    stranger = certs.Authority("mallory").issue("localhost")
    theirs = server(stranger.key_pem.encode(), stranger.chain_pem)
    ours = client(folder, version)
    ours.check_hostname = False
    ours.verify_mode = ssl.CERT_NONE
    connection(ours, theirs)
    assert connection(ours, theirs).client.session_reused
    ours.set_psk_client_callback(lambda hint: ("sensor", bytes(16)))
    with pytest.raises(ssl.SSLError, match=r"PSK_DECLINED|HANDSHAKE_FAILURE|NO_SHARED_CIPHER"):
        connection(ours, theirs)


def test_of_great_size(folder: Path) -> None:
    """A server may send 16 certificates that are looked at, and as much behind them as fits."""
    ours = client(folder, ssl.TLSVersion.TLSv1_3)
    theirs = server()
    bulk = certs.Authority("bulk").issue(*(f"{number}.example" for number in range(6000))).chain_pem
    theirs._credentials = (
        fasttls.handshake.config.Credential(
            (*theirs._credentials[0].chain, ssl.PEM_cert_to_DER_cert(bulk)), theirs._credentials[0].signer
        ),
    )
    assert sum(map(len, theirs._credentials[0].chain)) > _MOST_KEPT
    first = connection(ours, theirs)
    assert first.client.session is not None
    assert not connection(ours, theirs).client.session_reused


def test_an_empty_identity_is_the_one_of_ssl() -> None:
    """TLS 1.2 allows it (RFC 4279 §5.1); a server's callback is told of none, as in Python 3.13."""
    context, told = server(), []
    context.set_psk_server_callback(lambda identity: told.append(identity) or b"key")
    for identity in (b"", b"\0"):
        found = context._server_psk(identity)
        assert found is not None
        assert bytes(found.secret) == b"key"
    assert told == [None, None]
    context.set_psk_server_callback(lambda identity: b"")
    assert context._server_psk(b"") is None


def test_a_long_list_of_suites_is_not_kept() -> None:
    from fasttls.handshake.hello import known_suites

    assert known_suites((1, 2, 0x1301)) == (1, 2, 0x1301)
    assert known_suites((*range(0x8000, 0x8FFF), 0x1301, 0xC02B, 0x1301)) == (0x1301, 0xC02B)


@pytest.mark.parametrize("now", [-1.0, -1e9, 0.0])
def test_ticket_keys_of_an_epoch_before_the_clock_was_set(now: float) -> None:
    keys = fasttls.EpochTicketKeys(bytes(32), now=lambda: now)
    assert keys.find(keys.active().name) is not None


@pytest.mark.parametrize("renewed", [0, 1, 2])
def test_tickets_after_a_resumption(renewed: int, folder: Path) -> None:
    """With none, a full handshake follows when those of the one before are used."""
    ours, theirs = client(folder, ssl.TLSVersion.TLSv1_3), server()
    assert theirs.renewed_tickets == 1
    theirs.renewed_tickets = renewed
    connection(ours, theirs)  # which leaves two
    reused = [connection(ours, theirs).client.session_reused for _ in range(4)]
    assert reused == [True, True, bool(renewed), True]
    for wrong in (-1, 256):
        with pytest.raises(ValueError, match="0 to 255"):
            theirs.renewed_tickets = wrong
    with pytest.raises(TypeError):
        theirs.renewed_tickets = "1"
