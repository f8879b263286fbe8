"""Certificate chains and private keys, from files and from memory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, rsa, x448, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from fasttls.api.errors import ssl_error
from fasttls.crypto.signatures import ExternalSigner, KeySigner, PublicKey, Signer
from fasttls.handshake.config import Credential
from fasttls.trust import files
from fasttls.trust.certificate import CERTIFICATES, Certificate
from fasttls.trust.path import MOST_INTERMEDIATES
from fasttls.trust.pem import der_certificates, pem_certificates
from fasttls.trust.store import TrustStore

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_PRIVATE_KEYS = (
    rsa.RSAPrivateKey,
    ec.EllipticCurvePrivateKey,
    ed25519.Ed25519PrivateKey,
    ed448.Ed448PrivateKey,
    # What follows cannot sign a handshake, and is refused as such.
    dsa.DSAPrivateKey,
    x25519.X25519PrivateKey,
    x448.X448PrivateKey,
    mldsa.MLDSA44PrivateKey,
    mldsa.MLDSA65PrivateKey,
    mldsa.MLDSA87PrivateKey,
)

_LONGEST_PASSWORD = 1024  # bytes


def _password_bytes(password: object) -> bytes | None:
    """Return the password as bytes. Raises TypeError or ValueError as the standard library does."""
    if callable(password):
        password = password()
        if not isinstance(password, str | bytes | bytearray):
            raise TypeError("password callback must return a string")
    if password is None:
        return None
    if isinstance(password, str):
        password = password.encode()
    if not isinstance(password, bytes | bytearray):
        raise TypeError("password should be a string or callable")
    if len(password) > _LONGEST_PASSWORD:
        raise ValueError(f"password cannot be longer than {_LONGEST_PASSWORD} bytes")
    return bytes(password)


def load_credential(certfile: Path, keyfile: Path | None, password: object) -> Credential:
    """Return the credential of a PEM chain and its key, which may be in the same file.

    Raises OSError for a file that cannot be read and ssl.SSLError for one that cannot be used.
    """
    certificates = files.encoded(certfile, "certfile")
    keys = certificates if keyfile is None else files.encoded(keyfile, "keyfile")
    chain = key = _read_pem(certificates)
    if keyfile is not None:
        key = _read_pem(keys)
    return credential_of(chain, key, password)


def _read_pem(path: bytes) -> str:
    """Return a file as text, every byte a character: what is not PEM has none of its marks."""
    return files.read(path).decode("latin-1")


def credential_of(chain: object, key: object, password: object = None) -> Credential:
    """Return the credential of a chain and the key of its first certificate, straight from memory.

    chain is PEM or DER, one of `cryptography`'s certificates, or a list of any of these, the own
    certificate first. key is PEM or DER, which may be encrypted, one of `cryptography`'s private
    keys, or an object that signs (`fasttls.crypto.signatures.Signer`). Raises ssl.SSLError for what cannot be used,
    TypeError for what is neither.
    """
    try:
        ders = tuple(certificate_ders(chain))
        parsed = [CERTIFICATES.parse(der) for der in ders]
        leaf = parsed[0] if parsed else None
        public = None if leaf is None else leaf.public_key
    except ValueError as exc:
        raise ssl_error(None, f"PEM lib: the certificates cannot be used: {exc}") from exc
    if leaf is None or public is None:
        raise ssl_error(None, "PEM lib: the file has no certificate")
    return Credential(ders, _signer(key, public, password), chain_algorithms(ders))


def certificate_ders(given: object) -> list[bytes]:
    """Return the DER certificates of PEM text, of DER, of one of `cryptography`'s certificates, or of a list of these.

    Raises ValueError for what holds none, TypeError for anything else.
    """
    if isinstance(given, str):
        return pem_certificates(given.encode("latin-1", "replace"))
    if isinstance(given, bytes | bytearray | memoryview):
        data = bytes(given)
        return pem_certificates(data) if _is_pem(data) else der_certificates(data)
    if isinstance(given, Iterable):
        return [der for one in given for der in certificate_ders(one)]
    from cryptography import x509  # which takes long, and is imported already where somebody has such a certificate

    if isinstance(given, x509.Certificate):
        return [given.public_bytes(Encoding.DER)]
    raise TypeError(f"certificates are PEM, DER or `cryptography` objects, not {type(given).__name__}")


def _is_pem(data: bytes) -> bool:
    return b"-----BEGIN" in data or data[:1] != b"\x30"


def _signer(key: object, public: PublicKey, password: object) -> Signer:
    """Return what signs with a key, after a check that it is the certificate's. Raises ssl.SSLError and TypeError."""
    if isinstance(key, str):
        return _key_signer(_load_key(key.encode("latin-1", "replace"), password, is_pem=True), public)
    if isinstance(key, bytes | bytearray | memoryview):
        return _key_signer(_load_key(bytes(key), password, is_pem=_is_pem(bytes(key))), public)
    if isinstance(key, _PRIVATE_KEYS):
        return _key_signer(key, public)
    if not callable(getattr(key, "sign", None)) or not hasattr(key, "schemes"):
        raise TypeError(f"a private key is PEM, DER, a `cryptography` object or a Signer, not {type(key).__name__}")
    try:
        return ExternalSigner(key, public)
    except ValueError as exc:
        raise ssl_error("KEY_VALUES_MISMATCH", f"key values mismatch: {exc}", library="X509") from exc


def _key_signer(key: Any, public: PublicKey) -> KeySigner:
    if _spki(key.public_key()) != _spki(public.key):
        raise ssl_error("KEY_VALUES_MISMATCH", "key values mismatch", library="X509")
    try:
        return KeySigner(key, pss_only=public.pss_only, pss=public.pss)
    except ValueError as exc:
        raise ssl_error("UNKNOWN_CERTIFICATE_TYPE", f"unknown certificate type: {exc}") from exc


def _spki(key: Any) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def _load_key(data: bytes, password: object, *, is_pem: bool) -> object:
    """Return the private key in PEM or DER. A password for a key that has none is not an error, nor is it asked for."""
    load = load_pem_private_key if is_pem else load_der_private_key
    encrypted = b"ENCRYPTED" in data if is_pem else _is_encrypted(data)
    secret = _password_bytes(password) if encrypted or not callable(password) else None
    try:
        # To see whether the primes of an RSA key are primes takes 100 times as long as the rest. Its public half is
        # compared with the certificate's, and OpenSSL checks a signature made with the primes before it gives it.
        return load(data, secret if encrypted else None, unsafe_skip_rsa_key_validation=True)
    except (TypeError, ValueError, UnsupportedAlgorithm) as exc:
        raise ssl_error(None, f"PEM lib: the private key cannot be read: {exc}") from exc


def _is_encrypted(der: bytes) -> bool:
    """Whether a DER private key needs a password: an EncryptedPrivateKeyInfo begins with no version (RFC 5958 §3)."""
    try:
        load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        return True
    except (ValueError, UnsupportedAlgorithm):
        return False
    return False


def key_type(credential: Credential) -> tuple[str, object]:
    """Return what a context has one certificate of, as OpenSSL: RSA, RSA-PSS, elliptic curves, each other algorithm."""
    leaf = CERTIFICATES.parse(credential.chain[0])
    return leaf.key_kind, leaf.spki[:12] if leaf.key_kind == "other" else None


def with_issuers(credential: Credential, trust: TrustStore) -> Credential:
    """Return a credential whose certificate stands alone with its issuers, as far as they are trusted here.

    OpenSSL sends them too, unless a chain was given: servers rely on it that load their certificate and trust the
    authorities that issued it.
    """
    if len(credential.chain) > 1:
        return credential
    path = [CERTIFICATES.parse(credential.chain[0])]
    while not path[-1].self_issued and len(path) <= MOST_INTERMEDIATES:
        issuers = (one for one in trust.find(path[-1].issuer) if one not in path and path[-1].may_be_issued_by(one))
        issuer = next(issuers, None)
        if issuer is None:
            break
        path.append(issuer)
    if len(path) == 1:
        return credential
    chain = tuple(one.der for one in path)
    return replace(credential, chain=chain, chain_algorithms=chain_algorithms(chain))


def chain_algorithms(chain: tuple[bytes, ...]) -> frozenset[int]:
    """Return the schemes that the chain's signatures need; a self-issued certificate is not verified."""
    parsed = [CERTIFICATES.parse(der) for der in chain]
    found = {_scheme_of(one) for one in parsed if not one.self_issued}
    return frozenset(scheme for scheme in found if scheme is not None)


def _scheme_of(certificate: Certificate) -> int | None:
    """Return the scheme of a certificate's signature, None where it has no number or cannot be read."""
    try:
        return certificate.signed_with.scheme
    except ValueError:
        return None
