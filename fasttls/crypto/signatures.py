"""Signature schemes, as a table over `cryptography`'s keys (RFC 8446 §4.2.3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa

from fasttls.crypto.rsa_transport import Decrypt, decrypter
from fasttls.wire.alerts import DecryptError, IllegalParameter
from fasttls.wire.iana import SignatureScheme, name_of


class Signer(Protocol):
    """A private key, or whatever stands for one: a module, a service, an agent."""

    schemes: tuple[int, ...]
    """The signature schemes it can make, the best first."""

    schemes12: tuple[int, ...]
    """Those that it can make in TLS 1.2, where more fit a key."""

    decrypt: Decrypt | None
    """RSA decryption for TLS 1.2's key transport; None when there is none."""

    def sign(self, scheme: int, data: bytes) -> bytes:
        """Return the signature of data. What it raises ends the handshake with internal_error."""


@dataclass(unsafe_hash=True)
class PublicKey:
    """A public key with what TLS must know of it beside the key itself."""

    key: Any
    """One of `cryptography`'s public keys."""

    pss_only: bool = False
    """Whether it is an id-RSASSA-PSS key, for the rsa_pss_pss schemes alone (RFC 8446 §4.2.3)."""

    pss: tuple[str, int] | None = None
    """The digest that such a key is restricted to, and the shortest salt in bytes; None for any."""

    _fitting: dict[Scheme, None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """The schemes that were found to fit."""

    def schemes(self) -> tuple[int, ...]:
        """Return the schemes that this key can verify in TLS 1.3's CertificateVerify."""
        return tuple(code for code, scheme in SCHEMES.items() if scheme.fits(self))


_EC_KEYS: dict[type, bool] = {}
"""Types of keys, and whether they are of elliptic curves: asking an abstract class takes 4,000 instructions."""


def curve_of(key: Any) -> str | None:
    """Return the name that `cryptography` has for the curve of an ECDSA key, None for a key of another kind."""
    kind = type(key)
    is_ec = _EC_KEYS.get(kind)
    if is_ec is None:
        is_ec = _EC_KEYS[kind] = isinstance(key, ec.EllipticCurvePublicKey)
    if not is_ec:
        return None
    name: str = key.curve.name
    return name


@dataclass(frozen=True, eq=False)
class Scheme:
    """One signature scheme: the keys that it fits, and its arguments to `cryptography`."""

    code: SignatureScheme
    fits: Callable[[PublicKey], bool]
    arguments: tuple[Any, ...]

    def sign(self, key: Any, data: bytes) -> bytes:
        """Return the signature of data by one of `cryptography`'s private keys."""
        signature: bytes = key.sign(data, *self.arguments)
        return signature

    def verify(self, public: PublicKey, signature: bytes, data: bytes) -> None:
        """Raise IllegalParameter when the key is not of this scheme, DecryptError when it did not sign data."""
        if self not in public._fitting:
            if not self.fits(public):
                raise IllegalParameter(f"{self.code.name} was used with a {type(public.key).__name__}")
            public._fitting[self] = None
        try:
            public.key.verify(signature, data, *self.arguments)
        except InvalidSignature as exc:
            raise DecryptError(f"the {self.code.name} signature does not verify", reason="BAD_SIGNATURE") from exc


def _on_curve(curve: type[ec.EllipticCurve]) -> Callable[[PublicKey], bool]:
    return lambda public: isinstance(public.key, ec.EllipticCurvePublicKey) and isinstance(public.key.curve, curve)


def _rsa(hash_algorithm: hashes.HashAlgorithm, pss_only: bool) -> Callable[[PublicKey], bool]:
    # RFC 8017 §9.1.1: a salt as long as the digest needs an encoded message of twice that and two bytes.
    needed = 2 * hash_algorithm.digest_size + 2

    def fits(public: PublicKey) -> bool:
        key = public.key
        if not isinstance(key, rsa.RSAPublicKey) or public.pss_only is not pss_only:
            return False
        if public.pss is not None:
            # RFC 8446 §4.2.3: a key that has parameters is for those alone.
            digest, salt = public.pss
            if digest != hash_algorithm.name or salt > hash_algorithm.digest_size:
                return False
        return bool((key.key_size + 6) // 8 >= needed)

    return fits


NO_DIGEST = "none"

_DIGESTS = {
    bytes.fromhex("608648016503040201"): "sha256",
    bytes.fromhex("608648016503040202"): "sha384",
    bytes.fromhex("608648016503040203"): "sha512",
}
"""By their object identifiers, the contents of their DER (RFC 4055 §2.1)."""


def pss_restriction(parameters: tuple[bytes, bytes, int] | None) -> tuple[str, int] | None:
    """Return what RSASSA-PSS parameters, those of `CertificateFields`, restrict a key to; None for nothing.

    A digest without a scheme of TLS, or another one in the mask generation function, is NO_DIGEST: no scheme fits.
    """
    if parameters is None:
        return None
    digest, mask_digest, salt = parameters
    return _DIGESTS.get(digest, NO_DIGEST) if digest == mask_digest else NO_DIGEST, salt


def _pss(hash_algorithm: hashes.HashAlgorithm) -> tuple[Any, ...]:
    return padding.PSS(padding.MGF1(hash_algorithm), hash_algorithm.digest_size), hash_algorithm


_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()

SCHEMES: Mapping[int, Scheme] = {
    scheme.code: scheme
    for scheme in (
        Scheme(SignatureScheme.ECDSA_SECP256R1_SHA256, _on_curve(ec.SECP256R1), (ec.ECDSA(_SHA256),)),
        Scheme(SignatureScheme.ED25519, lambda public: isinstance(public.key, ed25519.Ed25519PublicKey), ()),
        Scheme(SignatureScheme.ECDSA_SECP384R1_SHA384, _on_curve(ec.SECP384R1), (ec.ECDSA(_SHA384),)),
        Scheme(SignatureScheme.ECDSA_SECP521R1_SHA512, _on_curve(ec.SECP521R1), (ec.ECDSA(_SHA512),)),
        Scheme(SignatureScheme.ED448, lambda public: isinstance(public.key, ed448.Ed448PublicKey), ()),
        Scheme(SignatureScheme.RSA_PSS_PSS_SHA256, _rsa(_SHA256, True), _pss(_SHA256)),
        Scheme(SignatureScheme.RSA_PSS_PSS_SHA384, _rsa(_SHA384, True), _pss(_SHA384)),
        Scheme(SignatureScheme.RSA_PSS_PSS_SHA512, _rsa(_SHA512, True), _pss(_SHA512)),
        Scheme(SignatureScheme.RSA_PSS_RSAE_SHA256, _rsa(_SHA256, False), _pss(_SHA256)),
        Scheme(SignatureScheme.RSA_PSS_RSAE_SHA384, _rsa(_SHA384, False), _pss(_SHA384)),
        Scheme(SignatureScheme.RSA_PSS_RSAE_SHA512, _rsa(_SHA512, False), _pss(_SHA512)),
    )
}
"""The schemes that may sign a TLS 1.3 handshake, the preferred first."""

CERTIFICATE_ONLY: tuple[int, ...] = (
    SignatureScheme.RSA_PKCS1_SHA256,
    SignatureScheme.RSA_PKCS1_SHA384,
    SignatureScheme.RSA_PKCS1_SHA512,
)
"""PKCS#1 v1.5, which in TLS 1.3 is for the signatures in certificates alone (RFC 8446 §4.2.3)."""


def _ecdsa(public: PublicKey) -> bool:
    # RFC 8422 §5.10: in TLS 1.2 the scheme names the digest, and the curve is the key's.
    return isinstance(public.key, ec.EllipticCurvePublicKey)


def _pkcs1(public: PublicKey) -> bool:
    return isinstance(public.key, rsa.RSAPublicKey) and not public.pss_only


SCHEMES12: Mapping[int, Scheme] = {
    **SCHEMES,
    **{
        scheme.code: scheme
        for scheme in (
            Scheme(SignatureScheme.ECDSA_SECP256R1_SHA256, _ecdsa, (ec.ECDSA(_SHA256),)),
            Scheme(SignatureScheme.ECDSA_SECP384R1_SHA384, _ecdsa, (ec.ECDSA(_SHA384),)),
            Scheme(SignatureScheme.ECDSA_SECP521R1_SHA512, _ecdsa, (ec.ECDSA(_SHA512),)),
            Scheme(SignatureScheme.RSA_PKCS1_SHA256, _pkcs1, (padding.PKCS1v15(), _SHA256)),
            Scheme(SignatureScheme.RSA_PKCS1_SHA384, _pkcs1, (padding.PKCS1v15(), _SHA384)),
            Scheme(SignatureScheme.RSA_PKCS1_SHA512, _pkcs1, (padding.PKCS1v15(), _SHA512)),
        )
    },
}
"""The schemes that may sign a TLS 1.2 handshake (RFC 5246 §7.4.1.4.1, RFC 8446 §4.2.3)."""

DEFAULT_SCHEMES: tuple[int, ...] = (*SCHEMES, *CERTIFICATE_ONLY)

SERVER_CONTEXT = b"TLS 1.3, server CertificateVerify"
CLIENT_CONTEXT = b"TLS 1.3, client CertificateVerify"


def signed_content(context: bytes, transcript_hash: bytes) -> bytes:
    """Return what CertificateVerify signs (RFC 8446 §4.4.3)."""
    return b" " * 64 + context + b"\0" + transcript_hash


def verify_with(
    scheme: int,
    accepted: tuple[int, ...],
    public: PublicKey,
    signature: bytes,
    data: bytes,
    schemes: Mapping[int, Scheme] = SCHEMES,
) -> None:
    """Check a signature of the handshake; schemes are those that its version has.

    Raises IllegalParameter for a scheme that is not accepted, DecryptError for a bad signature.
    """
    found = schemes.get(scheme)
    if found is None or scheme not in accepted:
        # RFC 8446 §4.4.3: it must be one that was offered, and in TLS 1.3 never PKCS#1 v1.5.
        raise IllegalParameter(
            f"the peer signed with {name_of(SignatureScheme, scheme)}, which was not offered",
            reason="WRONG_SIGNATURE_TYPE",
        )
    found.verify(public, signature, data)


class KeySigner:
    """A Signer over one of `cryptography`'s private keys."""

    def __init__(self, key: Any, *, pss_only: bool = False, pss: tuple[str, int] | None = None) -> None:
        """Take the key; the rest as for PublicKey. Raises ValueError when no scheme fits it."""
        self._key = key
        public = PublicKey(key.public_key(), pss_only, pss)
        self.schemes = public.schemes()
        self.schemes12 = tuple(code for code, scheme in SCHEMES12.items() if scheme.fits(public))
        if not self.schemes12:
            raise ValueError(f"a {type(key).__name__} cannot sign a handshake")
        self.decrypt: Decrypt | None = None
        if isinstance(key, rsa.RSAPrivateKey) and not pss_only:
            self.decrypt = decrypter(key)

    def sign(self, scheme: int, data: bytes) -> bytes:
        """Return the signature of data."""
        return SCHEMES12[scheme].sign(self._key, data)

    def __repr__(self) -> str:
        names = ", ".join(name_of(SignatureScheme, code) for code in self.schemes)
        return f"<KeySigner for {names}>"


class ExternalSigner:
    """A Signer over any object that signs: a hardware module, a key service, an agent.

    The object has `schemes`, the signature schemes that it makes, and `sign(scheme, data)`. What is more is
    optional: `schemes12`, when TLS 1.2 may have others, and `decrypt`, for RSA key transport.
    """

    __slots__ = ("_key", "decrypt", "schemes", "schemes12")

    def __init__(self, key: Any, public: PublicKey) -> None:
        """Take the object, after a signature by it that the certificate's key verifies.

        Raises ValueError for one whose signature does not, or that has no scheme for the key.
        """
        self._key = key
        known = {code for code, scheme in SCHEMES12.items() if scheme.fits(public)}
        self.schemes = tuple(code for code in key.schemes if code in SCHEMES and SCHEMES[code].fits(public))
        self.schemes12 = tuple(code for code in getattr(key, "schemes12", key.schemes) if code in known)
        self.decrypt: Decrypt | None = getattr(key, "decrypt", None)
        if not self.schemes12:
            raise ValueError("the object that signs has no signature scheme for the certificate's key")
        content = signed_content(b"the key and its certificate", b"")
        try:
            SCHEMES12[self.schemes12[0]].verify(public, key.sign(self.schemes12[0], content), content)
        except (DecryptError, IllegalParameter) as exc:
            raise ValueError("what the object signs does not verify with the certificate's key") from exc

    def sign(self, scheme: int, data: bytes) -> bytes:
        """Return the signature of data."""
        signature: bytes = self._key.sign(scheme, data)
        return signature

    def __repr__(self) -> str:
        return f"<ExternalSigner over a {type(self._key).__name__}>"
