"""What is right in itself and still not acceptable: schemes, shares, MACs and randoms out of place (RFC 8446 §4)."""

from __future__ import annotations

import certs
import pytest
from harness import Alter, Pair, client_config, credential, expect, on_message, on_type, refused, server_config

from fasttls.crypto.groups import GROUPS
from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import DecryptError, IllegalParameter
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import ExtensionType, NamedGroup, SignatureScheme
from fasttls.wire.messages import CertificateRequest, ClientHello

ONLY13 = {"minimum_version": 0x0304}
S = SignatureScheme

# A key, the scheme that it signs with, and a list that lacks it.
SCHEMES = [
    ("p256", S.ECDSA_SECP256R1_SHA256),
    ("p384", S.ECDSA_SECP384R1_SHA384),
    ("p521", S.ECDSA_SECP521R1_SHA512),
    ("ed25519", S.ED25519),
    ("ed448", S.ED448),
    ("rsa", S.RSA_PSS_RSAE_SHA256),
]
EVERY_SCHEME = tuple(scheme for _, scheme in SCHEMES)


@pytest.mark.parametrize(("key_type", "scheme"), SCHEMES, ids=[case[0] for case in SCHEMES])
class TestSchemeThatWasNotOffered:
    """RFC 8446 §4.4.3: illegal_parameter, though the signature is right and the scheme is known.

    The victim's own list is altered on its way out, before its transcript: the peer has no reason to hold back.
    """

    def test_by_a_server(self, key_type: str, scheme: SignatureScheme) -> None:
        def widen(hello: ClientHello) -> None:
            hello.extensions[ExtensionType.SIGNATURE_ALGORITHMS] = EVERY_SCHEME

        others = tuple(other for other in EVERY_SCHEME if other != scheme)
        ours = client_config(**ONLY13, signature_algorithms=others)
        pair = Pair(ours, server_config(key_type, **ONLY13), client_alters=on_message(ClientHello, widen))
        expect(pair, pair.client, IllegalParameter, pair.run, "WRONG_SIGNATURE_TYPE")

    def test_by_a_client(self, key_type: str, scheme: SignatureScheme) -> None:
        def widen(request: CertificateRequest) -> None:
            request.extensions[ExtensionType.SIGNATURE_ALGORITHMS] = EVERY_SCHEME

        others = tuple(other for other in EVERY_SCHEME if other != scheme)
        theirs = server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED, signature_algorithms=others)
        ours = client_config(**ONLY13, credentials=(credential(certs.client_credential(key_type)),))
        pair = Pair(ours, theirs, server_alters=on_message(CertificateRequest, widen))
        expect(pair, pair.server, IllegalParameter, pair.run, "WRONG_SIGNATURE_TYPE")


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP256R1], ids=lambda group: group.name)
@pytest.mark.parametrize("equal", [True, False], ids=["the same", "another"])
def test_two_good_shares_of_one_group(group: NamedGroup, equal: bool) -> None:
    """RFC 8446 §4.2.8: clients must not offer two for the same group, though each is a good one."""

    def twice(hello: ClientHello) -> None:
        first = GROUPS[group].offer(None).public
        second = first if equal else GROUPS[group].offer(None).public
        hello.extensions[ExtensionType.KEY_SHARE] = (KeyShareEntry(group, first), KeyShareEntry(group, second))

    refused("server", IllegalParameter, alter=on_message(ClientHello, twice))


def test_two_shares_of_a_group_nobody_knows() -> None:
    def twice(hello: ClientHello) -> None:
        hello.extensions[ExtensionType.SUPPORTED_GROUPS] += (0x7A7A,)
        hello.extensions[ExtensionType.KEY_SHARE] += (KeyShareEntry(0x7A7A, b"x"), KeyShareEntry(0x7A7A, b"y"))

    refused("server", IllegalParameter, alter=on_message(ClientHello, twice))


def test_one_share_of_a_group_nobody_knows_is_ignored() -> None:
    """RFC 8446 §4.2.7, RFC 8701: what is not known is passed over."""

    def grease(hello: ClientHello) -> None:
        hello.extensions[ExtensionType.SUPPORTED_GROUPS] = (0x7A7A, *hello.extensions[ExtensionType.SUPPORTED_GROUPS])
        shares = hello.extensions[ExtensionType.KEY_SHARE]
        hello.extensions[ExtensionType.KEY_SHARE] = (KeyShareEntry(0x7A7A, b"\0"), *shares)
        hello.extensions[ExtensionType.SUPPORTED_VERSIONS] = (0x7A7A, 0x0304)
        hello.cipher_suites = (0x7A7A, *hello.cipher_suites)

    Pair(client_config(**ONLY13), server_config(**ONLY13), client_alters=on_message(ClientHello, grease)).connect()


class Recorded:
    """Keeps the bodies of one message type that pass."""

    def __init__(self, handshake_type: int) -> None:
        self.bodies: list[bytes] = []
        self._type = handshake_type

    def alter(self, message: bytes) -> tuple[bytes, ...]:
        """Keep a body, and let its message pass."""
        if message[0] == self._type:
            self.bodies.append(message[4:])
        return (message,)


def finished(body: bytes) -> Alter:
    """Send another Finished."""
    return on_type(20, lambda _: body)


def test_the_servers_finished_sent_back() -> None:
    """RFC 8446 §4.4.4: each side has its own key; a reflected MAC proves nothing."""
    kept = Recorded(20)

    def reflect(message: bytes) -> tuple[bytes, ...]:
        return tuple(finished(kept.bodies[0])(message)) if message[0] == 20 else (message,)

    pair = Pair(client_config(**ONLY13), server_config(**ONLY13), server_alters=kept.alter, client_alters=reflect)
    expect(pair, pair.server, DecryptError, pair.run, "DIGEST_CHECK_FAILED", readable=False)
    assert len(kept.bodies) == 1
    assert not pair.server.connected


@pytest.mark.parametrize("side", ["client", "server"])
def test_the_finished_of_another_connection(side: str) -> None:
    kept = Recorded(20)
    sender = "server" if side == "client" else "client"
    Pair(client_config(**ONLY13), server_config(**ONLY13), **{f"{sender}_alters": kept.alter}).connect()
    alter = finished(kept.bodies[0])
    refused(side, DecryptError, "DIGEST_CHECK_FAILED", alter=alter, client=client_config(**ONLY13),
            server=server_config(**ONLY13), readable=side == "client")  # fmt: skip


def random_of(pair: Pair) -> bytes:
    """Return the random that both sides saw in ServerHello."""
    pair.connect()
    assert pair.client.negotiated is not None
    assert pair.server.negotiated is not None
    assert pair.client.negotiated.server_random == pair.server.negotiated.server_random
    return pair.client.negotiated.server_random


@pytest.mark.parametrize(
    ("client", "server", "marked"),
    [
        ({"maximum_version": 0x0303}, {}, True),
        ({}, {"maximum_version": 0x0303}, False),
        ({"maximum_version": 0x0303}, {"maximum_version": 0x0303}, False),
        ({}, {}, False),
    ],
    ids=["client of TLS 1.2", "server of TLS 1.2", "both of TLS 1.2", "both of TLS 1.3"],
)
def test_a_server_marks_a_downgrade(client: dict[str, int], server: dict[str, int], marked: bool) -> None:
    """RFC 8446 §4.1.3: the last eight bytes of the random, when the server could have spoken TLS 1.3."""
    random = random_of(Pair(client_config(**client), server_config(**server)))
    assert (random[-8:] == b"DOWNGRD\x01") is marked
    assert random[-8:] != b"DOWNGRD\x00"


def test_two_real_ends_made_to_speak_tls12_by_somebody_between_them() -> None:
    """RFC 8446 Appendix D.1: the client sees the mark in what the server really answers."""

    def strip(hello: ClientHello) -> None:
        hello.extensions[ExtensionType.SUPPORTED_VERSIONS] = (0x0303,)

    pair = Pair(client_alters=on_message(ClientHello, strip))
    expect(pair, pair.client, IllegalParameter, pair.run, "INAPPROPRIATE_FALLBACK")
