"""Signatures on certificates: their algorithms, and the equations that were found to hold (RFC 5280 §4.1.1.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding

from fasttls.crypto.signatures import NO_DIGEST, PublicKey, pss_restriction
from fasttls.native._x509 import pss_parameters
from fasttls.trust.cache import PureCache
from fasttls.wire.iana import SignatureScheme

if TYPE_CHECKING:
    from cryptography import x509

_ANY_DIGEST = "none of its own"

# The schemes of TLS by the digest of a certificate's signature. An ECDSA signature is known by that alone: the
# certificate does not say on which curve it is.
_PKCS1_SCHEMES = {
    "sha1": SignatureScheme.RSA_PKCS1_SHA1,
    "sha256": SignatureScheme.RSA_PKCS1_SHA256,
    "sha384": SignatureScheme.RSA_PKCS1_SHA384,
    "sha512": SignatureScheme.RSA_PKCS1_SHA512,
}
_PSS_SCHEMES = {
    "sha256": SignatureScheme.RSA_PSS_RSAE_SHA256,
    "sha384": SignatureScheme.RSA_PSS_RSAE_SHA384,
    "sha512": SignatureScheme.RSA_PSS_RSAE_SHA512,
}
_ECDSA_SCHEMES = {
    "sha1": SignatureScheme.ECDSA_SHA1,
    "sha256": SignatureScheme.ECDSA_SECP256R1_SHA256,
    "sha384": SignatureScheme.ECDSA_SECP384R1_SHA384,
    "sha512": SignatureScheme.ECDSA_SECP521R1_SHA512,
}


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """A signature algorithm: the keys that it is for, its digest's name, and its arguments to `cryptography`."""

    keys: type[Any]
    digest: str
    arguments: tuple[Any, ...]
    pss: tuple[str, int] | None = None
    """The digest and the bytes of salt of an RSASSA-PSS signature, None for another."""

    @property
    def scheme(self) -> int | None:
        """The signature scheme of TLS, None where there is no code for it (RFC 8446 §4.2.3)."""
        if self.keys is ec.EllipticCurvePublicKey:
            return _ECDSA_SCHEMES.get(self.digest)
        if self.keys is rsa.RSAPublicKey:
            schemes = _PKCS1_SCHEMES if isinstance(self.arguments[0], padding.PKCS1v15) else _PSS_SCHEMES
            return schemes.get(self.digest)
        return _SCHEMES_WITHOUT_DIGEST.get(self.keys)

    def verify_by(self, public: PublicKey, signature: bytes, data: bytes) -> bool:
        """Whether an issuer's key made the signature of data. Raises ValueError when it is not for this algorithm."""
        if public.pss_only and not self._is_for(public):
            raise ValueError("the signature is not one that the issuer's RSASSA-PSS key may make")
        return self.verify(public.key, signature, data)

    def verify(self, key: Any, signature: bytes, data: bytes) -> bool:
        """Whether one of `cryptography`'s keys made the signature of data. Raises ValueError as verify_by() does."""
        if not isinstance(key, self.keys):
            raise ValueError(f"the signature's algorithm is not one for the issuer's {type(key).__name__}")
        try:
            key.verify(signature, data, *self.arguments)
        except InvalidSignature:
            return False
        except UnsupportedAlgorithm as exc:
            raise ValueError(f"a signature algorithm that is not supported: {exc}") from exc
        return True

    def _is_for(self, public: PublicKey) -> bool:
        """RFC 4055 §1.2, §3.3: a key for RSASSA-PSS alone signs so, and by its own parameters where it has some."""
        if self.pss is None or public.pss is None:
            return self.pss is not None
        digest, salt = public.pss
        return digest == self.pss[0] != NO_DIGEST and salt <= self.pss[1]


def _ecdsa(digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    return SignatureAlgorithm(ec.EllipticCurvePublicKey, digest.name, (ec.ECDSA(digest),))


def _pkcs1(digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    return SignatureAlgorithm(rsa.RSAPublicKey, digest.name, (padding.PKCS1v15(), digest))


_SCHEMES_WITHOUT_DIGEST: dict[type[Any], int] = {
    ed25519.Ed25519PublicKey: SignatureScheme.ED25519,
    ed448.Ed448PublicKey: SignatureScheme.ED448,
}

_WITHOUT_DIGEST: dict[str, type[Any]] = {
    "1.3.101.112": ed25519.Ed25519PublicKey,
    "1.3.101.113": ed448.Ed448PublicKey,
    "2.16.840.1.101.3.4.3.17": mldsa.MLDSA44PublicKey,
    "2.16.840.1.101.3.4.3.18": mldsa.MLDSA65PublicKey,
    "2.16.840.1.101.3.4.3.19": mldsa.MLDSA87PublicKey,
}

# The AlgorithmIdentifiers that nearly every certificate has, whole (RFC 5758 §3.2, RFC 4055 §5, RFC 8410 §3).
_KNOWN = {
    bytes.fromhex("300a06082a8648ce3d040302"): _ecdsa(hashes.SHA256()),
    bytes.fromhex("300a06082a8648ce3d040303"): _ecdsa(hashes.SHA384()),
    bytes.fromhex("300a06082a8648ce3d040304"): _ecdsa(hashes.SHA512()),
    bytes.fromhex("300d06092a864886f70d01010b0500"): _pkcs1(hashes.SHA256()),
    bytes.fromhex("300d06092a864886f70d01010c0500"): _pkcs1(hashes.SHA384()),
    bytes.fromhex("300d06092a864886f70d01010d0500"): _pkcs1(hashes.SHA512()),
    # SHA-1 is recognised, to be refused by name, or accepted at a security level that allows it.
    bytes.fromhex("300906072a8648ce3d0401"): _ecdsa(hashes.SHA1()),  # noqa: S303 - as above
    bytes.fromhex("300d06092a864886f70d0101050500"): _pkcs1(hashes.SHA1()),  # noqa: S303 - as above
    bytes.fromhex("300506032b6570"): SignatureAlgorithm(ed25519.Ed25519PublicKey, _ANY_DIGEST, ()),
    bytes.fromhex("300506032b6571"): SignatureAlgorithm(ed448.Ed448PublicKey, _ANY_DIGEST, ()),
}


def algorithm_of(
    identifier: bytes, read: Callable[[], x509.Certificate | x509.CertificateRevocationList]
) -> SignatureAlgorithm:
    """Return the algorithm of an AlgorithmIdentifier, DER, of the signature on what read() returns.

    Raises ValueError for one that is not supported.
    """
    found = _KNOWN.get(identifier)
    if found is not None:
        return found
    signed = read()
    oid = signed.signature_algorithm_oid.dotted_string
    if oid in _WITHOUT_DIGEST:
        return SignatureAlgorithm(_WITHOUT_DIGEST[oid], _ANY_DIGEST, ())
    try:
        digest = signed.signature_hash_algorithm
        parameters = signed.signature_algorithm_parameters
    except UnsupportedAlgorithm as exc:
        raise ValueError(f"a signature algorithm that is not supported: {exc}") from exc
    if digest is not None and isinstance(parameters, ec.ECDSA):
        return SignatureAlgorithm(ec.EllipticCurvePublicKey, digest.name, (parameters,))
    if digest is not None and isinstance(parameters, AsymmetricPadding):
        pss = pss_restriction(pss_parameters(identifier))
        return SignatureAlgorithm(rsa.RSAPublicKey, digest.name, (parameters, digest), pss)
    raise ValueError(f"a signature algorithm that is not supported: {oid}")


def algorithm_without_parameters(oid: str, kind: Any, digest: hashes.HashAlgorithm | None) -> SignatureAlgorithm:
    """Return the algorithm of an object identifier that says all; kind is ec.ECDSA or padding.PKCS1v15 or None.

    Raises ValueError for one that is not supported.
    """
    if oid in _WITHOUT_DIGEST:
        return SignatureAlgorithm(_WITHOUT_DIGEST[oid], _ANY_DIGEST, ())
    if digest is not None and kind is ec.ECDSA:
        return _ecdsa(digest)
    if digest is not None and kind is padding.PKCS1v15:
        return _pkcs1(digest)
    raise ValueError(f"a signature algorithm that is not supported: {oid}")


SIGNATURES: PureCache[tuple[bytes, bytes], bool] = PureCache(1024)
"""Signature equations that hold: by the certificate, DER, which is its content, algorithm and signature, and the
issuer's subjectPublicKeyInfo. Only what is true is kept."""
