"""Certificates of any shape, the wrong ones too: forged with real keys, one field at a time."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from certs import DAY, NOW, SERVER, PrivateKey, distinguished_name, general_name, new_key
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

HOST = "localhost"
SIGNING = ("digital_signature",)
CA_USAGE = ("key_cert_sign", "crl_sign")
_ALL_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)

Extensions = Iterable[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True)
class Entity:
    """A name with a key, and the certificate that says so."""

    name: x509.Name
    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def signs(self, change: Callable[[list[bytes]], list[bytes]], subject: Entity, *, sha1: bool = False) -> bytes:
        """Return subject's certificate with other fields in it, signed by this entity's P-256 key."""
        return sign_fields(change(fields(subject.der)), self.key, sha1=sha1)


@cache
def spare_key(number: int, key_type: str = "p256") -> PrivateKey:
    """Return one of a few keys that are made once."""
    if key_type.startswith("rsa-"):
        bits = int(key_type.removeprefix("rsa-"))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the weak ones are asked for on purpose
            return rsa.generate_private_key(65537, bits)
    if key_type == "p224":
        return ec.generate_private_key(ec.SECP224R1())
    if key_type == "p192":
        return ec.generate_private_key(ec.SECP192R1())
    return new_key(key_type)


def key_usage(usages: Iterable[str]) -> x509.KeyUsage:
    """Return a key usage with these bits."""
    chosen = set(usages)
    return x509.KeyUsage(**{name: name in chosen for name in _ALL_USAGES})


def make(
    subject: str | x509.Name,
    issuer: Entity | None = None,
    *,
    key: PrivateKey | None = None,
    ca: bool | None = False,
    constraints_critical: bool = True,
    path_length: int | None = None,
    usage: Iterable[str] | None = SIGNING,
    purposes: tuple[x509.ObjectIdentifier, ...] | None = (SERVER,),
    names: tuple[str, ...] = (),
    extensions: Extensions = (),
    identifiers: bool = True,
    issuer_name: str | None = None,
    not_before: datetime.datetime = NOW - DAY,
    not_after: datetime.datetime = NOW + 30 * DAY,
    digest: hashes.HashAlgorithm | None = None,
    pss: bool = False,
) -> Entity:
    """Make a certificate; issuer None signs it with its own key. None leaves an extension out."""
    key = key or new_key("p256")
    name = distinguished_name(subject) if isinstance(subject, str) else subject
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(distinguished_name(issuer_name) if issuer_name else issuer.name if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    added: list[tuple[x509.ExtensionType, bool]] = []
    if ca is not None:
        added.append((x509.BasicConstraints(ca, path_length if ca else None), constraints_critical))
    if usage is not None:
        added.append((key_usage(usage), True))
    if purposes is not None:
        added.append((x509.ExtendedKeyUsage(purposes), False))
    if names:
        added.append((x509.SubjectAlternativeName([general_name(one) for one in names]), False))
    if identifiers:
        added.append((x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False))
        added.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), False))
    for extension, critical in (*added, *extensions):
        builder = builder.add_extension(extension, critical)
    return Entity(name, key, _sign(builder, signer, digest, pss))


def _sign(
    builder: x509.CertificateBuilder, key: PrivateKey, digest: hashes.HashAlgorithm | None, pss: bool
) -> x509.Certificate:
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return builder.sign(key, None)
    digest = digest or hashes.SHA256()
    if pss:
        return builder.sign(key, digest, rsa_padding=padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH))
    return builder.sign(key, digest)


def root(name: str = "Root", **settings: object) -> Entity:
    """Make a good root, but for the settings."""
    chosen: dict[str, object] = {"ca": True, "usage": CA_USAGE, "purposes": None, **settings}
    return make(name, **chosen)  # type: ignore[arg-type]


def intermediate(name: str, issuer: Entity, **settings: object) -> Entity:
    """Make a good intermediate CA, but for the settings."""
    chosen: dict[str, object] = {"ca": True, "usage": CA_USAGE, "purposes": None, **settings}
    return make(name, issuer, **chosen)  # type: ignore[arg-type]


def leaf(issuer: Entity | None, *names: str, **settings: object) -> Entity:
    """Make a good server certificate for localhost or other names, but for the settings."""
    chosen: dict[str, object] = {"names": names or (HOST,), **settings}
    return make("leaf", issuer, **chosen)  # type: ignore[arg-type]


# DER, for what no builder makes.


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return a DER element."""
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(size))) + size + body


def elements(data: bytes) -> list[bytes]:
    """Return the DER elements that stand one after another."""
    found = []
    while data:
        size, header = data[1], 2
        if size & 0x80:
            header += size & 0x7F
            size = int.from_bytes(data[2:header], "big")
        found.append(data[: header + size])
        data = data[header + size :]
    return found


def inside(element: bytes) -> bytes:
    """Return what a DER element contains."""
    header = 2 + (element[1] & 0x7F if element[1] & 0x80 else 0)
    return element[header:]


def fields(certificate: bytes) -> list[bytes]:
    """Return the fields of a certificate's TBSCertificate: version first, extensions last."""
    return elements(inside(elements(inside(certificate))[0]))


ECDSA_SHA256 = tlv(0x30, bytes.fromhex("06082a8648ce3d040302"))
ECDSA_SHA1 = tlv(0x30, bytes.fromhex("06072a8648ce3d0401"))


def sign_fields(
    tbs_fields: list[bytes],
    key: PrivateKey,
    *,
    outer: bytes | None = None,
    unused_bits: int = 0,
    sha1: bool = False,
) -> bytes:
    """Return a certificate of these fields, signed with a P-256 key.

    outer is the algorithm that stands beside the signature; unused_bits are the bits of the
    signature's BIT STRING that do not count, and are zero.
    """
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    tbs = tlv(0x30, *tbs_fields)
    outer = outer or (ECDSA_SHA1 if sha1 else ECDSA_SHA256)
    while True:
        signature = key.sign(tbs, ec.ECDSA(hashes.SHA1() if sha1 else hashes.SHA256()))
        if signature[-1] & ((1 << unused_bits) - 1) == 0:
            break
    return tlv(0x30, tbs, outer, tlv(0x03, bytes((unused_bits,)), signature))


def extension(oid: str, value: bytes, *, critical: bool = False) -> tuple[x509.UnrecognizedExtension, bool]:
    """Return an extension of any bytes, for make()."""
    return x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value), critical
