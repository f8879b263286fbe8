"""What reviews found once, and must not come back: events, fragments, authorities, shares, names, old servers."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import Any

import certs
import pytest
from harness import ALERT, CCS, HANDSHAKE, Pair, client_config, credential, record, server_config, trust

import fasttls
from fasttls.connection import Connection
from fasttls.events import ApplicationData
from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import AlertReceived, UnexpectedMessage
from fasttls.wire.iana import NamedGroup

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}


def test_events_of_the_records_before_a_failure_are_kept() -> None:
    pair = Pair().connect()
    pair.server.take_output()
    pair.client.send(b"hello")
    data = pair.client.take_output()
    pair.client._seal(ALERT, bytes([2, 80]))
    with pytest.raises(AlertReceived):
        pair.server.receive(data + pair.client.take_output())
    assert pair.server.undelivered == (ApplicationData(b"hello"),)


def test_a_client_hello_a_byte_at_a_time() -> None:
    """RFC 8446 §5.1: a message may be cut anywhere."""
    client = Connection(client_config(), server_side=False, server_name="localhost")
    client.start()
    server = Connection(server_config(), server_side=True)
    for byte in client.take_output()[5:]:
        server.receive(record(HANDSHAKE, bytes([byte])))
    assert server.take_output()


@pytest.mark.parametrize("versions", [ONLY12, {"minimum_version": 0x0304}], ids=["1.2", "1.3"])
def test_authorities_guide_the_choice_of_a_certificate(versions: dict[str, int]) -> None:
    """RFC 8446 §4.2.4, RFC 5246 §7.4.4: a chain from one of those that the peer names goes before others."""
    other, wanted = certs.Authority("Other"), certs.Authority("Wanted")
    both = tuple(credential(one.issue("localhost")) for one in (other, wanted))
    asks = {
        "trust": trust(wanted),
        "peer_certificate": PeerCertificate.REQUIRED,
        "certificate_authorities": (wanted.certificate.subject.public_bytes(),),
    }
    pair = Pair(client_config(**versions, credentials=both), server_config(**versions, **asks)).connect()
    assert pair.server.negotiated is not None
    assert pair.server.negotiated.peer_chain == both[1].chain


def test_shares_are_in_the_order_of_the_groups() -> None:
    """RFC 8446 §4.2.8."""
    config = client_config(
        groups=(NamedGroup.SECP256R1, NamedGroup.X25519), key_shares=(NamedGroup.X25519, NamedGroup.SECP256R1)
    )
    assert config.key_shares == (NamedGroup.SECP256R1, NamedGroup.X25519)


def test_a_host_name_has_no_null_bytes() -> None:
    with pytest.raises(TypeError, match="null bytes"):
        fasttls.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="a\0b")


def test_change_cipher_spec_before_the_server_hello_of_tls_1_2() -> None:
    """RFC 5246 §7.1; RFC 8446 §5 drops it where TLS 1.3 was offered, and only there."""
    client = Connection(client_config(**ONLY12), server_side=False, server_name="localhost")
    client.start()
    with pytest.raises(UnexpectedMessage):
        client.receive(record(CCS, b"\1"))


@pytest.mark.parametrize(("alert", "words"), [(70, "versions that were offered, TLSv1.2"), (40, "CBC and RC4")])
def test_an_alert_to_the_hello_says_what_was_offered(alert: int, words: str) -> None:
    client = Connection(client_config(), server_side=False, server_name="localhost")
    client.start()
    with pytest.raises(AlertReceived, match=words):
        client.receive(record(ALERT, bytes([2, alert])))


@pytest.mark.parametrize("versions", [{}, ONLY12], ids=["TLSv1.3", "TLSv1.2"])
def test_lists_are_as_good_as_tuples(versions: dict[str, int]) -> None:
    plain = client_config(**versions)
    names = ("suites", "groups", "signature_algorithms", "signing_algorithms", "dhe_groups", "psk_modes")
    given: dict[str, Any] = {name: list(getattr(plain, name)) for name in names}
    client = client_config(**versions, **given, alpn=[b"h2"], signature_algorithms_cert=given["signature_algorithms"])
    (own,) = server_config(**versions).credentials
    server = server_config(
        **versions, **given, alpn=[b"h2"], credentials=[replace(own, chain=list(own.chain))], certificate_authorities=[]
    )
    pair = Pair(client, server)
    pair.run()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.alpn == b"h2"
    assert client.groups == plain.groups
