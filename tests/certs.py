"""Certificates made on the spot: authorities, and what they issue."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH

PrivateKey = CertificateIssuerPrivateKeyTypes

KEY_TYPES = {
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
}


def new_key(key_type: str) -> PrivateKey:
    """Make a private key of a type that KEY_TYPES names."""
    return KEY_TYPES[key_type]()


def distinguished_name(common_name: str) -> x509.Name:
    """Return a name with nothing but a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def general_name(name: str) -> x509.GeneralName:
    """Return a subjectAltName entry: an IP address if it is one, else a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@dataclass(frozen=True)
class Credential:
    """A certificate, its private key, and the certificates between it and the root."""

    certificate: x509.Certificate
    key: PrivateKey
    intermediates: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """The certificate alone, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def certificate_pem(self) -> str:
        """The certificate alone, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def chain_pem(self) -> str:
        """The certificate and the intermediates, PEM."""
        chain = (self.certificate, *self.intermediates)
        return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in chain)

    @property
    def key_pem(self) -> str:
        """The private key, PKCS#8 PEM without a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()

    def write(self, folder: Path, name: str = "server") -> tuple[Path, Path]:
        """Write NAME-chain.pem and NAME-key.pem into a folder and return their paths."""
        chain, key = folder / f"{name}-chain.pem", folder / f"{name}-key.pem"
        chain.write_text(self.chain_pem)
        key.write_text(self.key_pem)
        return chain, key


@dataclass
class Authority:
    """A CA: a root, or with a parent an intermediate."""

    name: str = "Test Root"
    key_type: str = "p256"
    parent: Authority | None = None
    path_length: int | None = None
    extensions: list[tuple[x509.ExtensionType, bool]] = field(default_factory=list)
    not_before: datetime.datetime = NOW - DAY
    not_after: datetime.datetime = NOW + 30 * DAY

    def __post_init__(self) -> None:
        """Make the key and the CA certificate."""
        self.key: PrivateKey = new_key(self.key_type)
        issuer = self.parent or self
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        builder = (
            self._builder(self.name, self.key, issuer)
            .not_valid_before(self.not_before)
            .not_valid_after(self.not_after)
            .add_extension(x509.BasicConstraints(True, self.path_length), True)
            .add_extension(usage, True)
        )
        for extension, critical in self.extensions:
            builder = builder.add_extension(extension, critical)
        self.certificate: x509.Certificate = issuer.sign(builder)

    @staticmethod
    def _builder(name: str, key: PrivateKey, issuer: Authority) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(distinguished_name(name))
            .issuer_name(distinguished_name(issuer.name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
        )

    def sign(
        self,
        builder: x509.CertificateBuilder,
        algorithm: hashes.HashAlgorithm | None = None,
        *,
        pss: bool = False,
    ) -> x509.Certificate:
        """Sign a builder with this authority's key."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
            return builder.sign(self.key, None)
        algorithm = algorithm or hashes.SHA256()
        if pss:
            salt = padding.PSS(padding.MGF1(algorithm), padding.PSS.DIGEST_LENGTH)
            return builder.sign(self.key, algorithm, rsa_padding=salt)
        return builder.sign(self.key, algorithm)

    def issue(
        self,
        *names: str,
        key_type: str = "p256",
        key: PrivateKey | None = None,
        common_name: str = "",
        usages: tuple[x509.ObjectIdentifier, ...] = (SERVER, CLIENT),
        extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
        not_before: datetime.datetime = NOW - DAY,
        not_after: datetime.datetime = NOW + 10 * DAY,
    ) -> Credential:
        """Issue an end-entity certificate for DNS names and IP addresses."""
        key = key or new_key(key_type)
        builder = (
            self._builder(common_name or (names[0] if names else "nobody"), key, self)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(False, None), True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([general_name(name) for name in names])
            builder = builder.add_extension(alternatives, False)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), False)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return Credential(self.sign(builder), key, self.intermediates)

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """The CA certificates from this one up to, not including, the root."""
        if self.parent is None:
            return ()
        return (self.certificate, *self.parent.intermediates)

    @property
    def der(self) -> bytes:
        """The CA certificate, DER."""
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> str:
        """The CA certificate, PEM."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def write(self, folder: Path, name: str = "ca") -> Path:
        """Write NAME.pem into a folder and return its path."""
        path = folder / f"{name}.pem"
        path.write_text(self.pem)
        return path


@cache
def test_root() -> Authority:
    """Return the root that most tests share."""
    return Authority()


def server_credential(key_type: str = "p256") -> Credential:
    """Return a certificate of the shared root for localhost, its addresses and example.com."""
    return _server_credential(key_type)


def client_credential(key_type: str = "p256") -> Credential:
    """Return a client certificate of the shared root."""
    return _client_credential(key_type)


@cache
def _server_credential(key_type: str) -> Credential:
    names = ("localhost", "127.0.0.1", "::1", "example.com", "*.wild.example")
    return test_root().issue(*names, key_type=key_type)


@cache
def _client_credential(key_type: str) -> Credential:
    return test_root().issue("client.example", key_type=key_type, common_name="client", usages=(CLIENT,))


test_root.__test__ = False  # type: ignore[attr-defined]  # a name that pytest would take for a test
