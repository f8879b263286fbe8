"""Certification paths: building one to a trusted certificate, and validating it (RFC 5280 §6)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa
from cryptography.x509 import Version
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from fasttls.trust.certificate import CERTIFICATES, Certificate
from fasttls.trust.constraints import check_name_constraints
from fasttls.trust.names import check_host
from fasttls.trust.store import TrustStore
from fasttls.trust.strict import check_strict
from fasttls.trust.verdicts import CertificateRejected, VerifyCode
from fasttls.wire.alerts import BadCertificate

MOST_INTERMEDIATES = 8
MOST_SIGNATURES = 32
"""Signature checks that one chain may cost."""

MOST_STEPS = 256
"""Issuers that a search for a path tries in all."""

MOST_CANDIDATES = 16
"""Certificates of a peer's chain that are looked at."""

LEAST_RSA_BITS = 2048
LEAST_EC_BITS = 224

# What validation understands or may pass over when it is marked critical.
_HANDLED = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        # OpenSSL's default processes no policy either, and accepts them marked critical.
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
    }
)


class Purpose(Enum):
    """What the peer's certificate must be good for."""

    SERVER_AUTH = "server"
    CLIENT_AUTH = "client"


_EKU = {
    Purpose.SERVER_AUTH: ExtendedKeyUsageOID.SERVER_AUTH,
    Purpose.CLIENT_AUTH: ExtendedKeyUsageOID.CLIENT_AUTH,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of one validation.

    now is in seconds since the epoch; host is None when no name is to be checked; partial_chain lets
    any trusted certificate end the path, self-signed or not (VERIFY_X509_PARTIAL_CHAIN); strict
    holds the path to the form of RFC 5280 (VERIFY_X509_STRICT).
    """

    purpose: Purpose
    now: float
    host: str | None = None
    partial_chain: bool = False
    strict: bool = False


def verify_chain(chain: Sequence[bytes], store: TrustStore, policy: Policy) -> tuple[Certificate, ...]:
    """Return the verified path, the peer's own certificate first and a trusted one last.

    chain is DER, the peer's own certificate first, the rest in any order and with strangers among
    them. Raises CertificateRejected, or BadCertificate for DER that does not parse.
    """
    try:
        certificates = [CERTIFICATES.parse(der) for der in chain[:MOST_CANDIDATES]]
        return _Builder(certificates, store, policy).build()
    except ValueError as exc:
        # Every field is parsed when it is first needed, so a malformed one may show at any point.
        raise BadCertificate(f"a certificate is malformed: {exc}") from exc


class _Builder:
    """A bounded depth-first search for a path that validates."""

    def __init__(self, chain: list[Certificate], store: TrustStore, policy: Policy) -> None:
        self._leaf = chain[0]
        self._pool = chain[1:]
        self._store = store
        self._policy = policy
        self._signatures_left = MOST_SIGNATURES
        self._steps_left = MOST_STEPS
        self._refusal: CertificateRejected | None = None
        self._dead_end: tuple[Certificate, ...] = (self._leaf,)

    def build(self) -> tuple[Certificate, ...]:
        for path in self._paths((self._leaf,)):
            try:
                self._validate(path)
            except CertificateRejected as refused:
                self._refusal = self._refusal or refused
            else:
                return path
        if self._refusal is None and self._store.read_sources():
            # A directory is read when what is loaded does not do.
            self._steps_left = MOST_STEPS
            return self.build()
        raise self._refusal or self._no_path()

    def _paths(self, path: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Every way to go on from path to a trusted certificate, trusted issuers first."""
        last = path[-1]
        if last in self._store and (self._policy.partial_chain or last.self_issued):
            yield path
            return
        if len(path) > MOST_INTERMEDIATES + 1:
            self._refusal = self._refusal or CertificateRejected(
                VerifyCode.CERT_CHAIN_TOO_LONG, len(path) - 1, f"more than {MOST_INTERMEDIATES} intermediates"
            )
            return
        if len(path) > len(self._dead_end):
            self._dead_end = path
        for issuer in (*self._store.find(last.issuer), *self._pool):
            if issuer not in path and last.may_be_issued_by(issuer):
                self._steps_left -= 1
                if self._steps_left < 0:
                    # Many certificates of one name make more paths than anyone should walk.
                    self._refusal = self._refusal or CertificateRejected(
                        VerifyCode.CERT_REJECTED, len(path) - 1, "too many paths to try"
                    )
                    return
                yield from self._paths((*path, issuer))

    def _no_path(self) -> CertificateRejected:
        """Say why no path was found, in OpenSSL's words."""
        last, depth = self._dead_end[-1], len(self._dead_end) - 1
        if last.self_issued and last.self_signed:
            if depth == 0:
                return CertificateRejected(VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT, 0, last.description)
            return CertificateRejected(
                VerifyCode.SELF_SIGNED_CERT_IN_CHAIN, depth, f"{last.description} is not trusted"
            )
        if depth and last in self._store:
            return CertificateRejected(VerifyCode.UNABLE_TO_GET_ISSUER_CERT, depth, last.description)
        issuer = last.x509.issuer.rfc4514_string()
        return CertificateRejected(
            VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            depth,
            f"{last.description} was issued by {issuer}, which was not sent and is not trusted",
        )

    def _validate(self, path: tuple[Certificate, ...]) -> None:
        """Apply every rule to a complete path, in OpenSSL's order. Raises CertificateRejected."""
        policy = self._policy
        intermediates = 0  # non-self-issued ones below this depth (RFC 5280 §6.1.4 (l))
        for depth, certificate in enumerate(path):
            _check_critical(certificate, depth)
            if depth:
                _check_ca(certificate, depth, intermediates, strict=policy.strict)
                if not certificate.self_issued:
                    intermediates += 1
            _check_purpose(certificate, depth, policy.purpose)
        if policy.strict:
            check_strict(path)
        for depth, certificate in enumerate(path):
            _check_strength(certificate, depth, trusted=depth == len(path) - 1)
        if policy.host is not None:
            check_host(path[0], policy.host)
        check_name_constraints(path)
        for depth in range(len(path) - 1, -1, -1):
            if depth < len(path) - 1:
                self._check_signature(path[depth], path[depth + 1], depth)
            _check_dates(path[depth], depth, policy.now)

    def _check_signature(self, certificate: Certificate, issuer: Certificate, depth: int) -> None:
        if self._signatures_left == 0:
            raise CertificateRejected(VerifyCode.CERT_REJECTED, depth, "too many signatures to check")
        self._signatures_left -= 1
        try:
            signed = certificate.signed_by(issuer)
        except ValueError as exc:
            raise CertificateRejected(VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM, depth, str(exc)) from exc
        if not signed:
            raise CertificateRejected(
                VerifyCode.CERT_SIGNATURE_FAILURE,
                depth,
                f"{issuer.description} did not sign {certificate.description}",
            )


def _check_critical(certificate: Certificate, depth: int) -> None:
    """RFC 5280 §4.2: a critical extension that is not understood refuses the certificate."""
    for extension in certificate.extensions.values():
        if extension.critical and extension.oid not in _HANDLED:
            raise CertificateRejected(VerifyCode.UNHANDLED_CRITICAL_EXTENSION, depth, extension.oid.dotted_string)


def _check_ca(certificate: Certificate, depth: int, intermediates: int, *, strict: bool) -> None:
    """RFC 5280 §6.1.4 (k)-(n): an issuer must be a CA, allow this length, and may sign certificates."""
    constraints = certificate.extension(ExtensionOID.BASIC_CONSTRAINTS)
    if constraints is None:
        # A self-signed version 1 certificate cannot say what it is; being trusted makes it a CA.
        if certificate.x509.version is Version.v3 or not certificate.self_issued or strict:
            raise CertificateRejected(VerifyCode.INVALID_CA, depth, f"{certificate.description} is no CA")
    elif not constraints.ca:
        raise CertificateRejected(VerifyCode.INVALID_CA, depth, f"{certificate.description} is no CA")
    elif constraints.path_length is not None and intermediates > constraints.path_length:
        raise CertificateRejected(
            VerifyCode.PATH_LENGTH_EXCEEDED,
            depth,
            f"{certificate.description} allows {constraints.path_length} intermediates, {intermediates} follow",
        )
    usage = certificate.extension(ExtensionOID.KEY_USAGE)
    if usage is not None and not usage.key_cert_sign:
        raise CertificateRejected(VerifyCode.KEYUSAGE_NO_CERTSIGN, depth, certificate.description)


def _check_purpose(certificate: Certificate, depth: int, purpose: Purpose) -> None:
    """Extended key usage, of every certificate that has it, and the leaf's key usage."""
    allowed = certificate.extension(ExtensionOID.EXTENDED_KEY_USAGE)
    if allowed is not None and _EKU[purpose] not in allowed:
        raise CertificateRejected(
            VerifyCode.INVALID_PURPOSE,
            depth,
            f"{certificate.description} has no {purpose.value}Auth in its extended key usage",
        )
    usage = certificate.extension(ExtensionOID.KEY_USAGE)
    if depth == 0 and usage is not None:
        good = usage.digital_signature or usage.key_agreement
        if purpose is Purpose.SERVER_AUTH:
            good = good or usage.key_encipherment
        if not good:
            raise CertificateRejected(
                VerifyCode.INVALID_PURPOSE,
                depth,
                f"the key usage of {certificate.description} allows no {purpose.value}",
            )


def _check_strength(certificate: Certificate, depth: int, *, trusted: bool) -> None:
    """Keys and digests; the signature on a trusted certificate is not relied on."""
    code = VerifyCode.CA_KEY_TOO_SMALL if depth else VerifyCode.EE_KEY_TOO_SMALL
    key = certificate.public_key.key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise CertificateRejected(code, depth, f"RSA of {key.key_size} bits, {LEAST_RSA_BITS} are needed")
    if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size < LEAST_EC_BITS:
        raise CertificateRejected(code, depth, f"a curve of {key.key_size} bits, {LEAST_EC_BITS} are needed")
    if isinstance(key, dsa.DSAPublicKey):
        raise CertificateRejected(code, depth, "DSA is not accepted")
    if not trusted:
        try:
            digest = certificate.x509.signature_hash_algorithm
        except UnsupportedAlgorithm as exc:
            raise CertificateRejected(VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM, depth, str(exc)) from exc
        if isinstance(digest, hashes.MD5 | hashes.SHA1):
            raise CertificateRejected(VerifyCode.CA_MD_TOO_WEAK, depth, f"signed with {digest.name}")


def _check_dates(certificate: Certificate, depth: int, now: float) -> None:
    """RFC 5280 §4.1.2.5: both ends of the validity belong to it."""
    if now < certificate.not_before:
        raise CertificateRejected(
            VerifyCode.CERT_NOT_YET_VALID,
            depth,
            f"{certificate.description}, valid from {_date(certificate.not_before)}",
        )
    if now >= certificate.not_after + 1:
        raise CertificateRejected(
            VerifyCode.CERT_HAS_EXPIRED,
            depth,
            f"{certificate.description}, valid until {_date(certificate.not_after)}",
        )


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
