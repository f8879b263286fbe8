"""Certificates and signatures made to confuse: strange keys, broken DER, borrowed signatures (RFC 8446 §4.4)."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable
from functools import cache
from typing import Any

import certs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa, x448, x25519
from harness import Alter, Pair, client_config, credential, expect, on_message, refused, server_config

from fasttls.crypto.signatures import CLIENT_CONTEXT, SERVER_CONTEXT, signed_content
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.wire.alerts import Alert, DecryptError, IllegalParameter, TLSError
from fasttls.wire.iana import ExtensionType, SignatureScheme
from fasttls.wire.messages import Certificate, CertificateEntry, CertificateRequest, CertificateVerify

ONLY13 = {"minimum_version": 0x0304}
CERTIFICATE_ALERTS = {42, 43, 44, 45, 46, 47, 48, 50, 51}

MODES = pytest.mark.parametrize(
    "mode", [PeerCertificate.REQUIRED, PeerCertificate.UNCHECKED, PeerCertificate.ANY], ids=lambda mode: mode.value
)


def judged(mode: PeerCertificate, **settings: Any) -> Config:
    """Return a client's configuration; what ANY leaves to the application is accepted."""
    callback = (lambda chain, path, refusal: None) if mode is PeerCertificate.ANY else None
    return client_config(**ONLY13, peer_certificate=mode, verify_callback=callback, **settings)


def presenting(*chain: bytes) -> Alter:
    """Send these certificates in place of the server's."""

    def change(message: Certificate) -> None:
        message.certificate_list = tuple(CertificateEntry(der, {}) for der in chain)

    return on_message(Certificate, change)


@cache
def strange_certificates() -> dict[str, bytes]:
    """Return certificates of the shared root whose keys sign no handshake."""
    made: dict[str, Any] = {
        "X25519": x25519.X25519PrivateKey.generate(),
        "X448": x448.X448PrivateKey.generate(),
        "DSA": dsa.generate_private_key(2048),
        "secp256k1": ec.generate_private_key(ec.SECP256K1()),
        "brainpool": ec.generate_private_key(ec.BrainpoolP256R1()),
        "P-224": ec.generate_private_key(ec.SECP224R1()),
        "RSA 1024": rsa.generate_private_key(65537, 1024),
    }
    found = {name: certs.test_root().issue("localhost", key=key).der for name, key in made.items()}
    p256 = certs.server_credential().der
    curve = bytes.fromhex("06082a8648ce3d030107")
    assert curve in p256
    found["an unknown curve"] = p256.replace(curve, bytes.fromhex("06082a8648ce3d03017f"))
    found["an unknown kind of key"] = p256.replace(
        bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06072a8648ce3d027f")
    )
    found["a point off the curve"] = _with_point(p256, b"\x04" + bytes(63) + b"\1")
    found["the point at infinity"] = _with_point(p256, b"\x00" + bytes(64))
    found["a compressed point of no curve"] = _with_point(p256, b"\x05" + bytes(64))
    return found


def _with_point(der: bytes, point: bytes) -> bytes:
    """Replace the public point of a P-256 certificate."""
    public = x509.load_der_x509_certificate(der).public_key().public_numbers()  # type: ignore[union-attr]
    old = b"\x04" + public.x.to_bytes(32, "big") + public.y.to_bytes(32, "big")
    assert old in der
    return der.replace(old, point)


STRANGE = (
    *("X25519", "X448", "DSA", "secp256k1", "brainpool", "P-224", "RSA 1024", "an unknown curve"),
    *("an unknown kind of key", "a point off the curve", "the point at infinity", "a compressed point of no curve"),
)


def test_no_strange_certificate_is_left_out() -> None:
    assert set(STRANGE) == set(strange_certificates())


@MODES
@pytest.mark.parametrize("name", STRANGE)
def test_a_certificate_with_a_key_that_cannot_sign_here(name: str, mode: PeerCertificate) -> None:
    alter = presenting(strange_certificates()[name])
    failure = refused("client", Alert, alter=alter, client=judged(mode), server=server_config(**ONLY13))
    assert failure.alert_sent in CERTIFICATE_ALERTS


@MODES
def test_a_certificate_with_any_byte_changed(mode: PeerCertificate) -> None:
    """Refused with a certificate alert, never with another exception, and taken only where no trust is asked for."""
    der = certs.server_credential().der
    draw = random.Random(44)
    client, server = judged(mode), server_config(**ONLY13)
    for at in range(len(der)):
        wrong = der[:at] + bytes([der[at] ^ (1 << draw.randrange(8))]) + der[at + 1 :]
        pair = Pair(client, server, server_alters=presenting(wrong))
        with contextlib.suppress(Alert):
            pair.run()
        if pair.client.error is None:
            # Nobody looked at what was changed: no trust was asked for.
            assert pair.client.connected
            assert mode is not PeerCertificate.REQUIRED
        else:
            assert pair.client.error.alert_sent in CERTIFICATE_ALERTS
            assert pair.client.take_output()


@MODES
def test_a_certificate_that_is_garbage(mode: PeerCertificate) -> None:
    draw = random.Random(45)
    der = certs.server_credential().der
    wrongs = [draw.randbytes(draw.randrange(1, 60)) for _ in range(60)]
    wrongs += [der[: draw.randrange(1, len(der))] for _ in range(40)]
    wrongs += [b"\x30\x80" + bytes(40), b"\x30\x84\xff\xff\xff\xff", b"\x30" * 200, b"\x30\x00", der + der]
    for wrong in wrongs:
        refused("client", Alert, alter=presenting(wrong), client=judged(mode), server=server_config(**ONLY13))


def test_a_client_certificate_with_any_byte_changed() -> None:
    """The same on the server, which asks for one."""
    made = certs.client_credential()
    draw = random.Random(46)
    client = client_config(**ONLY13, credentials=(credential(made),))
    server = server_config(**ONLY13, peer_certificate=PeerCertificate.OPTIONAL)
    for at in range(0, len(made.der), 2):
        wrong = made.der[:at] + bytes([made.der[at] ^ (1 << draw.randrange(8))]) + made.der[at + 1 :]
        pair = Pair(client, server, client_alters=presenting(wrong))
        with pytest.raises(Alert) as caught:
            pair.run()
        assert caught.value is pair.server.error
        assert caught.value.alert_sent in CERTIFICATE_ALERTS


@pytest.mark.parametrize("count", [17, 400])
def test_a_long_list_of_certificates_costs_little(count: int) -> None:
    """What is looked at is bounded, and the right path is found when it is among the first."""
    der = certs.server_credential().der
    strangers = [certs.Authority("Stranger").der] * count
    pair = Pair(judged(PeerCertificate.REQUIRED), server_config(**ONLY13), server_alters=presenting(der, *strangers))
    pair.connect()


KEY_TYPES = ["p256", "p384", "p521", "rsa", "ed25519", "ed448"]
SCHEME_OF = {"p256": 0x0403, "p384": 0x0503, "p521": 0x0603, "rsa": 0x0804, "ed25519": 0x0807, "ed448": 0x0808}


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("scheme", list(SignatureScheme), ids=lambda scheme: scheme.name)
def test_a_scheme_that_is_not_of_the_key(key_type: str, scheme: int) -> None:
    """RFC 8446 §4.4.3: the scheme must fit the key of the certificate, and is told apart from a bad signature."""
    fitting = {"rsa": {0x0804, 0x0805, 0x0806}}.get(key_type, {SCHEME_OF[key_type]})
    alter = on_message(CertificateVerify, lambda message: setattr(message, "algorithm", scheme))
    server = server_config(key_type, **ONLY13)
    if scheme == SCHEME_OF[key_type]:
        Pair(client_config(**ONLY13), server, server_alters=alter).connect()
        return
    error: type[TLSError] = DecryptError if scheme in fitting else IllegalParameter
    failure = refused("client", error, alter=alter, client=client_config(**ONLY13), server=server)
    assert failure.reason


def signing(made: certs.Credential, sign: Callable[[Any, int, bytes], bytes]) -> Credential:
    """Return a credential whose signatures are made by a function of key, scheme and content."""
    real = credential(made)

    class Forging:
        schemes = real.signer.schemes
        schemes12 = real.signer.schemes12
        decrypt = None

        def sign(self, scheme: int, data: bytes) -> bytes:
            return sign(made.key, scheme, data)

    return Credential(real.chain, Forging())


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    "forge",
    [
        lambda content: (
            content.replace(CLIENT_CONTEXT, b"?").replace(SERVER_CONTEXT, CLIENT_CONTEXT)
            if SERVER_CONTEXT in content
            else content.replace(CLIENT_CONTEXT, SERVER_CONTEXT)
        ),
        lambda content: content[64:],
        lambda content: content.replace(b"\0", b"", 1),
        lambda content: content[-32:],
        lambda content: content[:-32] + bytes(32),
    ],
    ids=["the other side's context", "no padding", "no separator", "the digest alone", "an empty digest"],
)
def test_a_signature_over_something_else(side: str, forge: Callable[[bytes], bytes]) -> None:
    """RFC 8446 §4.4.3: 64 spaces, the context, a zero, the transcript's hash; all of it counts."""
    made = certs.server_credential() if side == "client" else certs.client_credential()
    own = credential(made)
    forging = signing(made, lambda key, scheme, content: own.signer.sign(scheme, forge(content)))
    server = server_config(**ONLY13, credentials=(forging,))
    client = client_config(**ONLY13)
    if side == "server":
        server = server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED)
        client = client_config(**ONLY13, credentials=(forging,))
    refused(side, DecryptError, "BAD_SIGNATURE", client=client, server=server, readable=side == "client")


def test_what_is_signed() -> None:
    """RFC 8446 §4.4.3's own example of the form."""
    expected = bytes([0x20]) * 64 + b"TLS 1.3, server CertificateVerify" + b"\0" + b"\1" * 32
    assert signed_content(SERVER_CONTEXT, b"\1" * 32) == expected


@pytest.mark.parametrize("salt", [0, 20, 31, 33, 64])
def test_a_salt_of_another_length(salt: int) -> None:
    """RFC 8446 §4.2.3: the salt of RSASSA-PSS is as long as the digest."""
    made = certs.server_credential("rsa")

    def sign(key: Any, scheme: int, content: bytes) -> bytes:
        digest = {0x0804: certs.hashes.SHA256(), 0x0805: certs.hashes.SHA384(), 0x0806: certs.hashes.SHA512()}[scheme]
        return bytes(key.sign(content, padding.PSS(padding.MGF1(digest), salt), digest))

    client = client_config(**ONLY13, signature_algorithms=(0x0804, 0x0403))
    server = server_config(**ONLY13, credentials=(signing(made, sign),))
    refused("client", DecryptError, "BAD_SIGNATURE", client=client, server=server)


def test_pkcs1_under_the_name_of_pss() -> None:
    made = certs.server_credential("rsa")
    sign = lambda key, scheme, content: bytes(key.sign(content, padding.PKCS1v15(), certs.hashes.SHA256()))  # noqa: E731
    server = server_config(**ONLY13, credentials=(signing(made, sign),))
    client = client_config(**ONLY13, signature_algorithms=(0x0804, 0x0403))
    refused("client", DecryptError, "BAD_SIGNATURE", client=client, server=server)


def test_the_servers_own_messages_do_not_authenticate_a_client() -> None:
    """A reflection: the client sends the server's Certificate and CertificateVerify back."""
    kept: dict[int, bytes] = {}

    def keep(message: bytes) -> tuple[bytes, ...]:
        kept[message[0]] = message
        return (message,)

    def reflect(message: bytes) -> tuple[bytes, ...]:
        return (kept[message[0]],) if message[0] in (11, 15) else (message,)

    pair = Pair(
        client_config(**ONLY13, credentials=(credential(certs.client_credential()),)),
        server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED),
        client_alters=reflect,
        server_alters=keep,
    )
    expect(pair, pair.server, DecryptError, pair.run, "BAD_SIGNATURE", readable=False)


def test_a_request_that_nothing_fits_is_answered_with_no_certificate() -> None:
    """RFC 8446 §4.4.2: an empty Certificate, and no CertificateVerify."""

    def only_ed448(request: CertificateRequest) -> None:
        request.extensions[ExtensionType.SIGNATURE_ALGORITHMS] = (0x0808,)

    pair = Pair(
        client_config(**ONLY13, credentials=(credential(certs.client_credential()),)),
        server_config(**ONLY13, peer_certificate=PeerCertificate.OPTIONAL),
        server_alters=on_message(CertificateRequest, only_ed448),
    ).connect()
    sent = [content for mine, kind, content in pair.observed["client"] if mine and kind == 22]
    assert [message[0] for message in sent] == [1, 11, 20]
    assert sent[1] == bytes.fromhex("0b000004 00 000000")
