"""Certificate revocation lists (RFC 5280 §5)."""

from __future__ import annotations

import os
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import CRLEntryExtensionOID, ExtensionOID

from fasttls.native._x509 import signed_algorithm
from fasttls.trust import files
from fasttls.trust.certificate import CanonicalName, Certificate, canonical_name
from fasttls.trust.lazy import remembered
from fasttls.trust.pem import pem_certificates_and_crls
from fasttls.trust.signing import algorithm_of

Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]

# What may be critical in a list, as in OpenSSL: its scope, whose key signed it, and that it is a delta.
_HANDLED = frozenset(
    {
        ExtensionOID.ISSUING_DISTRIBUTION_POINT,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.DELTA_CRL_INDICATOR,
    }
)
_HANDLED_ENTRY = frozenset({CRLEntryExtensionOID.CRL_REASON, CRLEntryExtensionOID.INVALIDITY_DATE})


class Crl:
    """One revocation list. Like a certificate's, everything here is a function of the bytes alone."""

    def __init__(self, der: bytes) -> None:
        """Parse der. Raises ValueError when it is malformed."""
        self.der = der
        try:
            self.x509 = x509.load_der_x509_crl(der)
        except x509.InvalidVersion as exc:
            raise ValueError(str(exc)) from exc
        self.issuer: CanonicalName = canonical_name(self.x509.issuer)
        self.this_update = self.x509.last_update_utc.timestamp()
        following = self.x509.next_update_utc
        self.next_update = None if following is None else following.timestamp()
        """The second in which the next list is due, seconds since the epoch, or None when the list does not say."""

        self._verified: set[bytes] = set()  # subjectPublicKeyInfos
        try:
            self._extensions: dict[x509.ObjectIdentifier, x509.Extension[Any]] = {
                extension.oid: extension for extension in self.x509.extensions
            }
        except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as exc:
            raise ValueError(str(exc)) from exc

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Crl) and self.der == other.der

    def __hash__(self) -> int:
        return hash(self.der)

    @remembered
    def key_identifier(self) -> bytes | None:
        """Which of the issuer's keys signed it, if it says so."""
        found = self._extensions.get(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
        return None if found is None else found.value.key_identifier

    @remembered
    def scope(self) -> x509.IssuingDistributionPoint | None:
        """What it is a list of, when not of all the issuer's certificates."""
        found = self._extensions.get(ExtensionOID.ISSUING_DISTRIBUTION_POINT)
        return None if found is None else found.value

    @property
    def is_delta(self) -> bool:
        """Whether it only has what changed since another one."""
        return ExtensionOID.DELTA_CRL_INDICATOR in self._extensions

    def unhandled(self) -> str | None:
        """Return a critical extension that nobody here understands, or None."""
        for oid, extension in self._extensions.items():
            if extension.critical and oid not in _HANDLED:
                return str(oid.dotted_string)
        return None

    def covers(self, certificate: Certificate) -> bool:
        """Whether the certificate is of the kind that this is a list of (RFC 5280 §5.2.5)."""
        scope = self.scope
        if scope is None:
            return True
        if scope.indirect_crl or scope.only_contains_attribute_certs or scope.only_some_reasons is not None:
            return False
        if (scope.full_name or scope.relative_name) and not self._is_named_by(certificate, scope):
            return False
        if scope.only_contains_user_certs:
            return not certificate.ca
        return certificate.ca or not scope.only_contains_ca_certs

    def _is_named_by(self, certificate: Certificate, scope: x509.IssuingDistributionPoint) -> bool:
        """Whether one of the certificate's distribution points is this list's (RFC 5280 §6.3.3 (b)(2)(i))."""
        ours = _point_names(scope.full_name, scope.relative_name, self.x509.issuer)
        points: x509.CRLDistributionPoints = certificate.extension(ExtensionOID.CRL_DISTRIBUTION_POINTS) or ()  # type: ignore[assignment]
        for point in points:
            if point.reasons is not None or point.crl_issuer:
                continue  # a list of some reasons, or of another issuer, does not answer for this one
            if any(name in ours for name in _point_names(point.full_name, point.relative_name, self.x509.issuer)):
                return True
        return False

    def signed_by(self, issuer: Certificate) -> bool:
        """Whether issuer's key made its signature. Raises ValueError when the algorithm is not for the key."""
        if issuer.spki in self._verified:
            return True
        algorithm = algorithm_of(signed_algorithm(self.der), lambda: self.x509)
        if not algorithm.verify_by(issuer.public_key, self.x509.signature, self.x509.tbs_certlist_bytes):
            return False
        self._verified.add(issuer.spki)
        return True

    def entry(self, certificate: Certificate) -> x509.RevokedCertificate | None:
        """Return what the list says of a certificate of its issuer, or None when it is not revoked."""
        return self.x509.get_revoked_certificate_by_serial_number(certificate.x509.serial_number)

    @remembered
    def entry_unhandled(self) -> str | None:
        """A critical extension of any entry that nobody here understands: no entry counts then (RFC 5280 §5.3)."""
        for entry in self.x509:
            try:
                extensions = list(entry.extensions)
            except (ValueError, x509.DuplicateExtension):
                continue  # a reason that is none: the entry revokes all the same
            for extension in extensions:
                if extension.critical and extension.oid not in _HANDLED_ENTRY:
                    return str(extension.oid.dotted_string)
        return None


def _point_names(
    full_name: list[x509.GeneralName] | None, relative_name: x509.RelativeDistinguishedName | None, issuer: x509.Name
) -> list[x509.GeneralName]:
    """Return the names of a distribution point, a relative one made whole by the issuer's (RFC 5280 §4.2.1.13)."""
    found = list(full_name or ())
    if relative_name is not None:
        found.append(x509.DirectoryName(x509.Name([*issuer.rdns, relative_name])))
    return found


def reason_of(entry: x509.RevokedCertificate) -> str:
    """Return the reason of an entry, for messages; one that is none, or is there twice, is unspecified."""
    try:
        return str(entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension):
        return "unspecified"


def crl_der(given: bytes | str | x509.CertificateRevocationList) -> list[bytes]:
    """Return the DER of the lists in PEM or DER, or one of `cryptography`'s. Raises ValueError."""
    if isinstance(given, x509.CertificateRevocationList):
        return [given.public_bytes(Encoding.DER)]
    data = given.encode("ascii") if isinstance(given, str) else bytes(given)
    if data[:1] == b"\x30":
        return [data]
    _, crls = pem_certificates_and_crls(data)
    if not crls:
        raise ValueError("no certificate revocation list was found")
    return crls


class CrlFile:
    """The revocation lists of a file, PEM or DER, read again when it changes.

    While it cannot be read, or is malformed, the lists that were read last stay in force, until
    they are stale by their own dates.
    """

    def __init__(self, path: Path) -> None:
        """Read the file. Raises OSError and ValueError."""
        self.path = path
        self._kept = self._stat(), self._read()

    def _stat(self) -> tuple[int, ...]:
        status = files.stat(self.path)
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def _read(self) -> tuple[Crl, ...]:
        return tuple(Crl(der) for der in crl_der(files.read(self.path)))

    def crls(self) -> tuple[Crl, ...]:
        """Return the lists as the file has them now."""
        try:
            state = self._stat()
            if state != self._kept[0]:
                self._kept = state, self._read()
        except (OSError, ValueError):
            pass
        return self._kept[1]
