"""Parsed certificates, remembered by the SHA-256 of their DER."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.x509.oid import ExtensionOID, PublicKeyAlgorithmOID

from fasttls.crypto.signatures import PublicKey

CanonicalName = tuple[frozenset[tuple[str, str | bytes]], ...]


def canonical_name(name: x509.Name) -> CanonicalName:
    """Return a form in which two distinguished names that match are equal (RFC 5280 §7.1).

    Case and runs of white space do not count, nor does the string type; the order of RDNs does.
    """
    return tuple(
        frozenset(
            (
                part.oid.dotted_string,
                " ".join(part.value.split()).casefold() if isinstance(part.value, str) else part.value,
            )
            for part in rdn
        )
        for rdn in name.rdns
    )


class Certificate:
    """One X.509 certificate. What is derived from it is computed once, when it is first asked for.

    Everything here is a function of the bytes alone, so that a certificate may be shared by all
    connections and threads. Attributes raise ValueError where the certificate is malformed.
    """

    def __init__(self, der: bytes) -> None:
        """Parse der. Raises ValueError when it is not one certificate, whole."""
        self.der = der
        try:
            self.x509 = x509.load_der_x509_certificate(der)
        except x509.InvalidVersion as exc:
            raise ValueError(str(exc)) from exc

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Certificate) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @cached_property
    def subject(self) -> CanonicalName:
        """The subject, for comparing."""
        return canonical_name(self.x509.subject)

    @cached_property
    def issuer(self) -> CanonicalName:
        """The issuer, for comparing."""
        return canonical_name(self.x509.issuer)

    @cached_property
    def subject_der(self) -> bytes:
        """The subject as DER, as certificate_authorities carries it."""
        return self.x509.subject.public_bytes()

    @cached_property
    def self_issued(self) -> bool:
        """Whether subject and issuer are the same name."""
        return self.subject == self.issuer

    @cached_property
    def self_signed(self) -> bool:
        """Whether it is self-issued and its own key signed it."""
        return self.self_issued and self.signed_by(self)

    @cached_property
    def not_before(self) -> float:
        """The first second of its validity, in seconds since the epoch."""
        return self.x509.not_valid_before_utc.timestamp()

    @cached_property
    def not_after(self) -> float:
        """The last second of its validity, in seconds since the epoch."""
        return self.x509.not_valid_after_utc.timestamp()

    @cached_property
    def public_key(self) -> PublicKey:
        """The subject's public key."""
        try:
            key = self.x509.public_key()
        except UnsupportedAlgorithm as exc:
            raise ValueError(f"a public key that is not supported: {exc}") from exc
        return PublicKey(key, self.x509.public_key_algorithm_oid == PublicKeyAlgorithmOID.RSASSA_PSS)

    @cached_property
    def extensions(self) -> dict[x509.ObjectIdentifier, x509.Extension[Any]]:
        """The extensions by their OID."""
        try:
            return {extension.oid: extension for extension in self.x509.extensions}
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, TypeError) as exc:
            # `cryptography` says TypeError to a constraint on addresses that is no network.
            raise ValueError(str(exc)) from exc

    def extension(self, oid: x509.ObjectIdentifier) -> Any:
        """Return an extension's value, or None when the certificate does not have it."""
        found = self.extensions.get(oid)
        return None if found is None else found.value

    @cached_property
    def subject_key_identifier(self) -> bytes | None:
        """The subject key identifier's bytes."""
        found = self.extension(ExtensionOID.SUBJECT_KEY_IDENTIFIER)
        return None if found is None else found.digest

    @cached_property
    def is_ca(self) -> bool:
        """Whether it says that it is a CA; a self-issued version 1 certificate cannot say so and counts."""
        constraints = self.extension(ExtensionOID.BASIC_CONSTRAINTS)
        if constraints is None:
            return self.x509.version is x509.Version.v1 and self.self_issued
        return bool(constraints.ca)

    @cached_property
    def description(self) -> str:
        """The subject as a person reads it, for messages."""
        return self.x509.subject.rfc4514_string() or f"serial {self.x509.serial_number:x}"

    def may_be_issued_by(self, issuer: Certificate) -> bool:
        """Whether names and key identifiers allow that issuer signed this one (RFC 5280 §4.2.1.1)."""
        if self.issuer != issuer.subject:
            return False
        authority = self.extension(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
        if authority is None:
            return True
        identifier = issuer.subject_key_identifier
        if authority.key_identifier is not None and identifier is not None and authority.key_identifier != identifier:
            return False
        serial = authority.authority_cert_serial_number
        return serial is None or serial == issuer.x509.serial_number

    def signed_by(self, issuer: Certificate) -> bool:
        """Whether issuer's key made the signature on this certificate.

        Raises ValueError when the algorithm is not supported or the key is not for it.
        """
        key = issuer.public_key.key
        signature, data = self.x509.signature, self.x509.tbs_certificate_bytes
        if self.der[-len(signature) - 1] != 0:
            # RFC 3279 §2.2.3: the BIT STRING holds octets; else one good certificate could be made into others.
            raise ValueError("the signature has unused bits")
        try:
            if isinstance(key, ec.EllipticCurvePublicKey):
                parameters = self.x509.signature_algorithm_parameters
                if not isinstance(parameters, ec.ECDSA):
                    raise ValueError("the signature is not ECDSA, the issuer's key is")
                key.verify(signature, data, parameters)
            elif isinstance(key, rsa.RSAPublicKey):
                algorithm, padding = self.x509.signature_hash_algorithm, self.x509.signature_algorithm_parameters
                if algorithm is None or not isinstance(padding, AsymmetricPadding):
                    raise ValueError("the signature is not RSA, the issuer's key is")
                key.verify(signature, data, padding, algorithm)
            elif isinstance(
                key,
                ed25519.Ed25519PublicKey
                | ed448.Ed448PublicKey
                | mldsa.MLDSA44PublicKey
                | mldsa.MLDSA65PublicKey
                | mldsa.MLDSA87PublicKey,
            ):
                if self.x509.signature_algorithm_oid != issuer.x509.public_key_algorithm_oid:
                    raise ValueError("the signature's algorithm is not that of the issuer's key")
                key.verify(signature, data)
            else:
                raise ValueError(f"{type(key).__name__} cannot sign certificates here")
        except InvalidSignature:
            return False
        except UnsupportedAlgorithm as exc:
            raise ValueError(f"a signature algorithm that is not supported: {exc}") from exc
        return True


class CertificateCache:
    """Parsed certificates by the SHA-256 of their DER: bounded, and safe between threads.

    Only parsing is remembered, never a decision.
    """

    def __init__(self, size: int = 512) -> None:
        self._size = size
        self._kept: OrderedDict[bytes, Certificate] = OrderedDict()
        self._lock = threading.Lock()

    def parse(self, der: bytes) -> Certificate:
        """Return the certificate, parsed now or before. Raises ValueError for one that is malformed."""
        key = sha256(der).digest()
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        parsed = Certificate(der)
        with self._lock:
            self._kept[key] = parsed
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return parsed


CERTIFICATES = CertificateCache()
"""The process's cache."""
