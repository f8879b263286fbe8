"""Certificates, parsed once and remembered by their DER."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from fasttls.crypto.signatures import PublicKey, pss_restriction
from fasttls.native._x509 import CertificateFields, attributes, dotted, text_of
from fasttls.native._x509 import canonical_name as canonical_der_name
from fasttls.trust.cache import PureCache
from fasttls.trust.lazy import remembered
from fasttls.trust.signing import SIGNATURES, SignatureAlgorithm, algorithm_of
from fasttls.trust.verdicts import printable

# `cryptography.x509` takes as long to import as everything else: it is, where a certificate is first read by it.
if TYPE_CHECKING:
    from cryptography import x509 as pyca

CanonicalName = tuple[bytes, ...]
"""A distinguished name in which two that match are equal, an item for each RDN."""

_DIRECTORY_NAME = 4  # of a GeneralName

DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, KEY_AGREEMENT, KEY_CERT_SIGN, CRL_SIGN = (1 << bit for bit in (0, 2, 4, 5, 6))
"""Bits of `Certificate.key_usage` (RFC 5280 §4.2.1.3)."""


def canonical_name(name: pyca.Name) -> CanonicalName:
    """Return the canonical form of one of `cryptography`'s names (RFC 5280 §7.1)."""
    return canonical_der_name(name.public_bytes())


# Short names of attribute types (RFC 4514 §3), by the contents of the DER of their object identifiers.
_SHORT_NAMES = {
    bytes.fromhex("550403"): "CN",
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("550409"): "STREET",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    bytes.fromhex("0992268993f22c640119"): "DC",
    bytes.fromhex("0992268993f22c640101"): "UID",
}


def name_for_people(der: bytes) -> str:
    """Return a Name as RFC 4514 writes it, with what is not to be printed escaped. Raises ValueError."""
    relative = []
    for rdn in reversed(attributes(der)):
        parts = [f"{_SHORT_NAMES.get(oid) or dotted(oid)}={_escaped(text_of(tag, value))}" for oid, tag, value in rdn]
        relative.append("+".join(parts))
    return printable(",".join(relative))


def _escaped(text: str) -> str:
    """Escape what RFC 4514 §2.4 says."""
    text = "".join("\\" + one if one in ',+"\\<>;' else one for one in text)
    if text[:1] in ("#", " "):
        text = "\\" + text
    return text[:-1] + "\\ " if len(text) > 1 and text[-1] == " " else text


class UnknownFeature(ValueError):
    """A TLS feature that has no name."""


class Certificate(CertificateFields):
    """One X.509 certificate. What is derived from it is computed once, when it is first asked for.

    Everything here is a function of the bytes alone, so that a certificate may be shared by all
    connections and threads. Attributes raise ValueError where the certificate is malformed.
    """

    def __init__(self, der: bytes) -> None:
        """Parse der. Raises ValueError when it is not one certificate, whole."""
        super().__init__(der)
        if self.key_kind == "rsa-pss":
            _ = self.x509  # parameters are what binds such a key: malformed ones, read here in part, refuse it
        self.strict_faults: dict[bool, int | None] = {}
        """What VERIFY_X509_STRICT finds in it, by whether it is the last of a path, once it was looked for."""

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Certificate) and self.der == other.der)

    def __hash__(self) -> int:
        return hash(self.der)

    def __repr__(self) -> str:
        return f"<Certificate {self.description}>"

    @remembered
    def x509(self) -> pyca.Certificate:
        """The certificate as `cryptography` reads it."""
        from cryptography import x509 as pyca

        try:
            return pyca.load_der_x509_certificate(self.der)
        except pyca.InvalidVersion as exc:
            raise ValueError(str(exc)) from exc

    @remembered
    def subject_name(self) -> pyca.Name:
        """The subject as `cryptography` reads it."""
        try:
            return self.x509.subject
        except TypeError as exc:  # for a value of a type that its attribute may not have
            raise ValueError(f"the subject: {exc}") from exc

    @remembered
    def issuer_name(self) -> pyca.Name:
        """The issuer as `cryptography` reads it."""
        try:
            return self.x509.issuer
        except TypeError as exc:
            raise ValueError(f"the issuer: {exc}") from exc

    @remembered
    def self_signed(self) -> bool:
        """Whether it is self-issued and its own key signed it."""
        return self.self_issued and self.signed_by(self)

    @remembered
    def public_key(self) -> PublicKey:
        """The subject's public key."""
        try:
            key = load_der_public_key(self.spki)
        except UnsupportedAlgorithm as exc:
            raise ValueError(f"a public key that is not supported: {exc}") from exc
        return PublicKey(key, self.key_kind == "rsa-pss", pss_restriction(self.pss_parameters))

    @remembered
    def signed_with(self) -> SignatureAlgorithm:
        """The algorithm of the signature on this certificate."""
        return algorithm_of(self.signature_algorithm, lambda: self.x509)

    @remembered
    def extensions(self) -> dict[pyca.ObjectIdentifier, pyca.Extension[Any]]:
        """The extensions by their OID, as `cryptography` reads them."""
        from cryptography import x509 as pyca

        try:
            return {extension.oid: extension for extension in self.x509.extensions}
        except KeyError as exc:
            # `cryptography` knows two TLS features by their numbers, and no other.
            raise UnknownFeature(f"the TLS feature {exc}") from exc
        except (pyca.DuplicateExtension, pyca.UnsupportedGeneralNameType, TypeError) as exc:
            # `cryptography` says TypeError to a constraint on addresses that is no network.
            raise ValueError(str(exc)) from exc

    def extension(self, oid: pyca.ObjectIdentifier) -> Any:
        """Return an extension's value, or None when the certificate does not have it."""
        found = self.extensions.get(oid)
        return None if found is None else found.value

    @property
    def malformed(self) -> str | None:
        """What is malformed in the names or in the extensions that a path depends on, or None.

        Other extensions are read when they are needed, as OpenSSL does: a policy that nobody looks at refuses nothing.
        """
        return self.fault

    @property
    def is_ca(self) -> bool:
        """Whether OpenSSL counts it among CAs: those that say so, and old ones that have no way to say it."""
        if self.key_usage >= 0 and not self.key_usage & KEY_CERT_SIGN:
            return False
        if self.has_basic_constraints:
            return self.ca
        return (self.version == 1 and self.self_issued) or self.key_usage >= 0

    @remembered
    def description(self) -> str:
        """The subject as a person reads it, for messages."""
        try:
            return name_for_people(self.subject_der) or f"serial {self.serial.hex().lstrip('0')}"
        except ValueError:
            return "a certificate whose subject cannot be read"

    @remembered
    def issuer_description(self) -> str:
        """The issuer as a person reads it, for messages."""
        try:
            return name_for_people(self.issuer_der)
        except ValueError:
            return "an authority whose name cannot be read"

    @property
    def unhandled_names(self) -> str:
        """The critical extensions that nobody here understands, for messages."""
        return ", ".join(map(dotted, self.unhandled[:8]))

    def may_be_issued_by(self, issuer: Certificate) -> bool:
        """Whether names and key identifiers allow that issuer signed this one (RFC 5280 §4.2.1.1)."""
        return may_be_issued_by(self, issuer)

    def signed_by(self, issuer: Certificate) -> bool:
        """Whether issuer's key made the signature on this certificate.

        Raises ValueError when the algorithm is not supported or the key is not for it.
        """
        if self.unused_bits != 0:
            # RFC 3279 §2.2.3: the BIT STRING holds octets; else one good certificate could be made into others.
            raise ValueError("the signature has unused bits")
        return self.signed_with.verify_by(issuer.public_key, self.signature, self.tbs)

    def remember_signed_by(self, issuer: Certificate) -> None:
        """Remember that issuer's key signed this one."""
        SIGNATURES.keep((self.der, issuer.spki), True)


def may_be_issued_by(certificate: CertificateFields, issuer: CertificateFields) -> bool:
    """Whether names and key identifiers allow that issuer signed certificate (RFC 5280 §4.2.1.1)."""
    if certificate.issuer != issuer.subject:
        return False
    identifier = certificate.authority_key_identifier
    theirs = issuer.subject_key_identifier
    if identifier is not None and theirs is not None and identifier != theirs:
        return False
    serial = certificate.authority_serial
    return serial is None or (serial == issuer.serial and _names_issuer_of(certificate, issuer))


def _names_issuer_of(certificate: CertificateFields, issuer: CertificateFields) -> bool:
    """Whether the authority key identifier's names, as far as they are directory names, have issuer's issuer."""
    names = [value for kind, value in certificate.authority_issuers or () if kind == _DIRECTORY_NAME]
    try:
        return not names or canonical_der_name(names[0]) == issuer.issuer
    except ValueError:
        return False


def known_to_be_signed_by(certificate: CertificateFields, issuer: CertificateFields) -> bool:
    """Whether it was computed before, and true, that issuer's key signed certificate."""
    return SIGNATURES.find((certificate.der, issuer.spki)) is True


class CertificateCache(PureCache[bytes, Certificate]):
    """Parsed certificates by their DER. Only parsing is remembered, never a decision."""

    def parse(self, der: bytes) -> Certificate:
        """Return the certificate, parsed now or before. Raises ValueError for one that is malformed."""
        found: Certificate | None = self.find(der)
        if found is None:
            found = Certificate(der)
            self.keep(der, found)
        return found


CERTIFICATES = CertificateCache(512, room=1 << 20)
"""The process's cache: 1 MiB of DER, of which some MiB of objects are made, for what strangers send is kept too."""
