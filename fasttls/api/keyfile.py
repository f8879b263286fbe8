"""Certificate chains and private keys from PEM files."""

from __future__ import annotations

import os

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from fasttls.api.errors import ssl_error
from fasttls.crypto.signatures import KeySigner, certificate_scheme
from fasttls.handshake.config import Credential
from fasttls.trust.certificate import CERTIFICATES
from fasttls.trust.store import pem_certificates

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

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
    with open(certfile, "rb") as file:
        pem = file.read()
    if keyfile is None:
        key_pem = pem
    else:
        with open(keyfile, "rb") as file:
            key_pem = file.read()
    try:
        chain = tuple(pem_certificates(pem))
        leaf = CERTIFICATES.parse(chain[0]) if chain else None
        public = None if leaf is None else leaf.public_key
    except ValueError as exc:
        raise ssl_error("PEM_LIB", f"PEM lib: the certificate is malformed: {exc}") from exc
    if leaf is None or public is None:
        raise ssl_error("PEM_LIB", "PEM lib: the file has no certificate")
    # A password for a key that has none is not an error, and its callback is not called.
    encrypted = b"ENCRYPTED" in key_pem
    secret = _password_bytes(password) if encrypted or not callable(password) else None
    secret = secret if encrypted else None
    try:
        key = load_pem_private_key(key_pem, secret)
    except (TypeError, ValueError, UnsupportedAlgorithm) as exc:
        raise ssl_error("PEM_LIB", f"PEM lib: the private key cannot be read: {exc}") from exc
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if key.public_key().public_bytes(*form) != public.key.public_bytes(*form):
        raise ssl_error("KEY_VALUES_MISMATCH", "key values mismatch", library="X509")
    try:
        signer = KeySigner(key, pss_only=public.pss_only)
    except ValueError as exc:
        raise ssl_error("UNKNOWN_CERTIFICATE_TYPE", f"unknown certificate type: {exc}") from exc
    return Credential(chain, signer, chain_algorithms(chain))


def chain_algorithms(chain: tuple[bytes, ...]) -> frozenset[int]:
    """Return the schemes that the chain's signatures need; a self-issued certificate is not verified."""
    parsed = [CERTIFICATES.parse(der) for der in chain]
    found = {certificate_scheme(one.x509) for one in parsed if not one.self_issued}
    return frozenset(scheme for scheme in found if scheme is not None)
