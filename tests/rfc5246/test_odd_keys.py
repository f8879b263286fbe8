"""Certificates whose keys do not serve, and whose subjects cannot be read: an alert, whoever checks what.

A client that verifies nothing goes on with whatever it is given (RFC 5246 §7.4.2, §7.4.7.1; RFC 8446 §4.4.2.2).
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from certs import CLIENT, SERVER
from cryptography import x509
from harness import Pair, client_config, expect, on_type, server_config, trust
from trust.forge import Entity, fields, leaf, sign_fields, spare_key, tlv
from trust.lists import top

from fasttls.crypto.signatures import KeySigner
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.native._wire import Writer
from fasttls.trust import CertificateRejected, TrustStore
from fasttls.trust.verdicts import VerifyCode
from fasttls.wire.alerts import BadRecordMac, IllegalParameter, TLSError
from fasttls.wire.iana import HandshakeType

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd certificates

TLS12, TLS13 = 0x0303, 0x0304
BAD_RECORD_MAC, ILLEGAL_PARAMETER, UNSUPPORTED_CERTIFICATE = 20, 47, 43
ECDHE, TRANSPORT = 0xC02B, (0x009C, 0x009D)
"""TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, and suites of TLS_RSA."""

SERIAL, SUBJECT, SPKI = 1, 5, 6
"""The places of a TBSCertificate's fields."""

UNCHECKED, REQUIRED, ANY = PeerCertificate.UNCHECKED, PeerCertificate.REQUIRED, PeerCertificate.ANY


def only(version: int, *suites: int) -> dict[str, object]:
    """Return the settings of one version, and of suites."""
    return {"minimum_version": version, "maximum_version": version, **({"suites": suites} if suites else {})}


def store() -> TrustStore:
    """Return a store with the root that issues here."""
    found = trust()
    found.add(top().der)
    return found


def issued(one: Entity, changed: dict[int, bytes]) -> bytes:
    """Return a certificate of the root with other fields, by their places."""
    return sign_fields([changed.get(place, field) for place, field in enumerate(fields(one.der))], top().key)


def judged_elsewhere(*_: object) -> None:
    """Judge certificates as an application may that takes any."""


# Keys that do not encrypt a premaster secret.


def integer(number: int) -> bytes:
    """Return an INTEGER that is not negative."""
    return tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def rsa_key(bits: int, exponent: int = 65537, *, even: bool = False) -> bytes:
    """Return the SubjectPublicKeyInfo of an RSA key of some modulus; nobody has the private key."""
    modulus = random.Random(bits).getrandbits(bits) | 1 << (bits - 1) | 1
    key = tlv(0x30, integer(modulus ^ even), integer(exponent))
    return tlv(0x30, bytes.fromhex("300d06092a864886f70d0101010500"), tlv(3, b"\0", key))


class Unused:
    """A signer for a key that nobody has: RSA key transport asks it for no signature."""

    schemes = schemes12 = (0x0401,)

    def sign(self, scheme: int, data: bytes) -> bytes:
        raise AssertionError("RSA key transport does not sign")

    def decrypt(self, ciphertext: bytes) -> bytes:
        raise ValueError("nobody has the key")


def transporting(spki: bytes, suite: int) -> Config:
    """Return the configuration of a server of TLS 1.2 whose certificate has this key."""
    made = Credential((issued(leaf(top(), usage=None), {SPKI: spki}),), Unused())
    return server_config(**only(TLS12, suite), credentials=(made,))


SHORT: dict[str, Callable[[], bytes]] = {
    "256 bits": lambda: rsa_key(256),
    "384 bits": lambda: rsa_key(384),
    "464 bits": lambda: rsa_key(464),  # 48 bytes, and the 11 that PKCS#1 v1.5 adds, need 472
}

LONG: dict[str, Callable[[], bytes]] = {
    "17000 bits": lambda: rsa_key(17000),
    "exponent of 200 bits": lambda: rsa_key(4096, (1 << 199) + 1),
    "even modulus": lambda: rsa_key(2048, even=True),
}


@pytest.mark.parametrize("suite", TRANSPORT, ids=hex)
@pytest.mark.parametrize("name", [*SHORT, *LONG])
def test_key_that_does_not_encrypt_is_illegal_parameter(name: str, suite: int) -> None:
    server = transporting({**SHORT, **LONG}[name](), suite)
    pair = Pair(client_config(**only(TLS12, suite), peer_certificate=UNCHECKED), server)
    failure = expect(pair, pair.client, IllegalParameter, pair.run, "BAD_RSA_ENCRYPT")
    assert failure.alert_sent == ILLEGAL_PARAMETER
    assert "does not encrypt" in str(failure)


@pytest.mark.parametrize("name", LONG)
def test_key_that_does_not_encrypt_may_be_a_verified_one(name: str) -> None:
    """An authority issues what it is asked for, and the strength of a key says nothing of this."""
    server = transporting(LONG[name](), TRANSPORT[0])
    pair = Pair(client_config(**only(TLS12, TRANSPORT[0]), trust=store()), server)
    expect(pair, pair.client, IllegalParameter, pair.run, "BAD_RSA_ENCRYPT")


@pytest.mark.parametrize("name", SHORT)
def test_short_key_is_refused_before_that_where_it_is_verified(name: str) -> None:
    server = transporting(SHORT[name](), TRANSPORT[0])
    pair = Pair(client_config(**only(TLS12, TRANSPORT[0]), trust=store()), server)
    failure = expect(pair, pair.client, CertificateRejected, pair.run)
    assert isinstance(failure, CertificateRejected)
    assert failure.verify_code == VerifyCode.EE_KEY_TOO_SMALL


def test_shortest_key_that_encrypts_is_taken() -> None:
    """48 bytes and 11 of padding are 472 bits: the client goes on, and the server cannot answer."""
    server = transporting(rsa_key(472), TRANSPORT[0])
    pair = Pair(client_config(**only(TLS12, TRANSPORT[0]), peer_certificate=UNCHECKED), server)
    failure = expect(pair, pair.server, BadRecordMac, pair.run, readable=False)
    assert failure.alert_sent == BAD_RECORD_MAC
    assert pair.client.error is None


# Certificates whose subjects cannot be read.


def named(tag: int, value: bytes) -> dict[int, bytes]:
    """Return a subject of one common name, which is a value of any type."""
    return {SUBJECT: tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(tag, value))))}


UNREADABLE = {
    "of no type": named(0, b""),
    "BIT STRING": named(3, b"\0a"),
    "INTEGER": named(2, b"\1"),
    "no subject and no serial number": {SUBJECT: tlv(0x30), SERIAL: tlv(2)},
}

LACKING = [
    (TLS12, ECDHE, "p256", "key_encipherment", "digitalSignature"),
    (TLS12, TRANSPORT[0], "rsa", "digital_signature", "keyEncipherment"),
    (TLS13, 0x1301, "p256", "key_encipherment", "digitalSignature"),
    (TLS13, 0x1301, "rsa", "key_encipherment", "digitalSignature"),
]
"""A version, a suite, a kind of key, the one use that a certificate allows, and the one that is needed."""


def for_one_use(changed: dict[int, bytes], key_type: str, use: str, purpose: x509.ObjectIdentifier) -> Credential:
    """Return a certificate with other fields whose key usage has one bit."""
    one = leaf(top(), key=spare_key(1, key_type), usage=(use,), purposes=(purpose,))
    return Credential((issued(one, changed),), KeySigner(one.key))


def certificate(version: int, der: bytes) -> bytes:
    """Return the body of a Certificate message with one certificate (RFC 5246 §7.4.2, RFC 8446 §4.4.2)."""
    listed = Writer()
    if version == TLS13:
        listed.vector(1, b"")
    listed.open(3)
    listed.vector(3, der)
    if version == TLS13:
        listed.vector(2, b"")
    listed.close()
    return listed.finish()


def lacks(failure: TLSError, needed: str) -> None:
    """Check a refusal for a key usage without a bit."""
    assert isinstance(failure, CertificateRejected)
    assert failure.verify_code == VerifyCode.INVALID_PURPOSE
    assert failure.alert_sent == UNSUPPORTED_CERTIFICATE
    assert failure.expected == needed
    assert failure.certificate
    assert needed in str(failure)


@pytest.mark.parametrize(
    ("version", "suite", "key_type", "use", "needed"), LACKING, ids=["1.2 signs", "1.2 decrypts", "1.3", "1.3 with RSA"]
)
@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_server_certificate_without_the_use(
    name: str, version: int, suite: int, key_type: str, use: str, needed: str
) -> None:
    """What the refusal says of the certificate must not be what fails."""
    (der,) = for_one_use(UNREADABLE[name], key_type, use, SERVER).chain
    client = client_config(**only(version, suite), peer_certificate=ANY, verify_callback=judged_elsewhere)
    server = server_config(key_type, **only(version, suite))  # which could not read such a certificate of its own
    pair = Pair(client, server, server_alters=on_type(HandshakeType.CERTIFICATE, lambda _: certificate(version, der)))
    lacks(expect(pair, pair.client, CertificateRejected, pair.run), needed)


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=hex)
@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_client_certificate_without_the_use(name: str, version: int) -> None:
    made = for_one_use(UNREADABLE[name], "p256", "key_encipherment", CLIENT)
    server = server_config(**only(version), peer_certificate=ANY, verify_callback=judged_elsewhere)
    pair = Pair(client_config(**only(version), credentials=(made,)), server)
    lacks(expect(pair, pair.server, CertificateRejected, pair.run), "digitalSignature")


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=hex)
@pytest.mark.parametrize("name", [name for name in UNREADABLE if "serial" not in name])
def test_unreadable_subject_is_no_reason_to_refuse(name: str, version: int) -> None:
    """It is not asked for: the name is in subjectAltName (RFC 9525 §6.2)."""
    made = for_one_use(UNREADABLE[name], "p256", "digital_signature", SERVER)
    Pair(client_config(**only(version), trust=store()), server_config(**only(version), credentials=(made,))).connect()
