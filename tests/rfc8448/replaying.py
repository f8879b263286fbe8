"""What a side of a trace was set to: its randomness, its keys, its certificate, its signature."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from rfc8448.trace import CLIENT_AUTHENTICATION, COMPATIBILITY, messages

from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader
from fasttls.wire.iana import CipherSuite, HandshakeType, NamedGroup, SignatureScheme
from fasttls.wire.messages import HEADER_SIZE, Certificate, CertificateVerify, Message

SUITES = (
    CipherSuite.TLS_AES_128_GCM_SHA256,
    CipherSuite.TLS_CHACHA20_POLY1305_SHA256,
    CipherSuite.TLS_AES_256_GCM_SHA384,
)
GROUPS = (NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.SECP521R1)

M = TypeVar("M", bound=Message)


def read(message_class: type[M], raw: bytes) -> M:
    """Read one whole message."""
    found: Any = message_class.read(Reader(raw, HEADER_SIZE))
    return found  # type: ignore[no-any-return]


def first(section: int, side: str, handshake_type: int) -> bytes:
    """Return a side's first message of a type."""
    return next(raw for raw in messages(section, side) if raw[0] == handshake_type)


def finished_is_in(payload: bytes) -> bool:
    """Whether the payload of a handshake record ends with Finished, whose verify_data has 32 bytes."""
    return payload[-36:-32] == bytes((HandshakeType.FINISHED, 0, 0, 32))


class Queue:
    """Randomness that was drawn before: each draw must have the size that is asked for."""

    def __init__(self, *drawn: bytes) -> None:
        self._drawn = list(drawn)

    def put(self, drawn: bytes) -> None:
        """Add what is drawn next."""
        self._drawn.append(drawn)

    def __call__(self, size: int) -> bytes:
        value = self._drawn.pop(0)
        assert len(value) == size
        return value

    @property
    def empty(self) -> bool:
        """Whether everything was drawn."""
        return not self._drawn


def check_signature(certificate: bytes, scheme: int, signature: bytes, data: bytes) -> None:
    """Raise unless the key of a certificate made a signature of data."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    digest = hashes.SHA256()
    if scheme == SignatureScheme.RSA_PSS_RSAE_SHA256:
        assert isinstance(key, rsa.RSAPublicKey)
        key.verify(signature, data, padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH), digest)
    else:
        assert scheme == SignatureScheme.ECDSA_SECP256R1_SHA256
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signature, data, ec.ECDSA(digest))


class TraceSigner:
    """A key that knows one signature, the trace's: it was random, and cannot be made again.

    With a certificate, it signs nothing but what the trace's key signed.
    """

    schemes12: tuple[int, ...] = ()
    decrypt = None

    def __init__(self, scheme: int, signature: bytes, certificate: bytes | None) -> None:
        self.schemes: tuple[int, ...] = (scheme,)
        self.signed = 0
        self._signature = signature
        self._certificate = certificate

    def sign(self, scheme: int, data: bytes) -> bytes:
        """Return the signature."""
        assert scheme in self.schemes
        if self._certificate is not None:
            check_signature(self._certificate, scheme, self._signature, data)
        self.signed += 1
        return self._signature


def credential(section: int, side: str) -> Credential:
    """Return the trace's chain, with a signer that knows the trace's signature.

    A server of fasttls has another EncryptedExtensions in its transcript than the trace: its data is not checked.
    """
    certificate = read(Certificate, first(section, side, HandshakeType.CERTIFICATE))
    verify = read(CertificateVerify, first(section, side, HandshakeType.CERTIFICATE_VERIFY))
    chain = tuple(entry.cert_data for entry in certificate.certificate_list)
    return Credential(chain, TraceSigner(verify.algorithm, verify.signature, chain[0] if side == "client" else None))


@dataclass
class Log:
    """The secrets that a connection gives to its key log, by NSS's labels."""

    client_random: bytes = b""
    secrets: dict[str, bytes] = field(default_factory=dict)

    def __call__(self, label: str, client_random: bytes, secret: Secret) -> None:
        assert label not in self.secrets
        assert self.client_random in (b"", client_random)
        self.client_random = client_random
        self.secrets[label] = bytes(secret)


def accept_any(chain: object, path: object, refusal: object) -> None:
    """Judge nothing: the trace's certificates are RSA-1024, self-signed and old."""


def config(section: int, side: str, random: Queue, **settings: Any) -> Config:
    """Return what one side of the trace was set to."""
    signs = section == CLIENT_AUTHENTICATION or side == "server"
    verifies = section == CLIENT_AUTHENTICATION or side == "client"
    base: dict[str, Any] = {
        "suites": SUITES,
        "groups": GROUPS,
        "key_shares": (NamedGroup.X25519,),
        "peer_certificate": PeerCertificate.ANY if verifies else PeerCertificate.UNCHECKED,
        "verify_callback": accept_any if verifies else None,
        "check_host": False,
        "compatibility_mode": section == COMPATIBILITY,
        "credentials": (credential(section, side),) if signs else (),
        "random": random,
        "deterministic_keys": True,
        "key_log": Log(),
    }
    return Config(**{**base, **settings})
