"""Certification paths: building one to a trusted certificate, and validating it (RFC 5280 §6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fasttls.trust.certificate import CERTIFICATES, Certificate, known_to_be_signed_by, may_be_issued_by
from fasttls.trust.common_name import common_name_matches, constrained_names
from fasttls.trust.names import check_host
from fasttls.trust.policy import CrlCheck, Policy, Purpose, Strength
from fasttls.trust.rules import check_dates, check_form, check_issuer, check_purpose, check_strength, refusal
from fasttls.trust.store import TrustStore
from fasttls.trust.strict import check_strict
from fasttls.trust.verdicts import CertificateRejected, VerifyCode
from fasttls.wire.alerts import BadCertificate

if TYPE_CHECKING:
    from fasttls.trust.constraints import Comparisons

_NAME_CONSTRAINTS = bytes.fromhex("551d1e")  # id-ce-nameConstraints, the contents of its DER

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_NONE = CrlCheck.NONE
_DEPTH_ZERO_SELF_SIGNED_CERT = VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT
_SELF_SIGNED_CERT_IN_CHAIN = VerifyCode.SELF_SIGNED_CERT_IN_CHAIN
_UNABLE_TO_GET_ISSUER_CERT = VerifyCode.UNABLE_TO_GET_ISSUER_CERT
_UNABLE_TO_GET_ISSUER_CERT_LOCALLY = VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY
_UNSUPPORTED_SIGNATURE_ALGORITHM = VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM

__all__ = ["CrlCheck", "Policy", "Purpose", "Strength", "verify_chain"]

MOST_INTERMEDIATES = 8
"""Intermediates in a path, unless the policy says otherwise."""

MOST_SIGNATURES = 32
"""Signature checks that one chain may cost."""

MOST_STEPS = 256
"""Issuers that a search for a path tries in all."""

MOST_LOOKUPS = 8
"""Paths of one chain that are looked up in revocation lists."""

MOST_CANDIDATES = 16
"""Certificates of a peer's chain that are looked at."""


def verify_chain(chain: Sequence[bytes], store: TrustStore, policy: Policy) -> tuple[Certificate, ...]:
    """Return the verified path, the peer's own certificate first and a trusted one last.

    chain is DER, the peer's own certificate first, the rest in any order and with strangers among
    them. Raises CertificateRejected, or BadCertificate for DER that does not parse.
    """
    try:
        certificates = [CERTIFICATES.parse(der) for der in chain[:MOST_CANDIDATES]]
        path = _Builder(certificates, store, policy).build()
        _ = path[0].public_key  # whoever relies on the path relies on the key
    except ValueError as exc:
        # Every field is parsed when it is first needed, so a malformed one may show at any point.
        raise _malformed(exc) from exc
    return path


def _malformed(exc: ValueError) -> BadCertificate:
    return BadCertificate(f"a certificate is malformed: {exc}")


def _is_among(certificate: Certificate, path: tuple[Certificate, ...]) -> bool:
    for one in path:  # noqa: SIM110 - a generator is another function, when compiled
        if one is certificate or one.der == certificate.der:
            return True
    return False


class _Builder:
    """A bounded depth-first search for a path that validates."""

    def __init__(self, chain: list[Certificate], store: TrustStore, policy: Policy) -> None:
        self._leaf = chain[0]
        self._pool = chain[1:]
        self._store = store
        self._policy = policy
        self._signatures_left = MOST_SIGNATURES
        self._steps_left = MOST_STEPS
        self._lookups_left = MOST_LOOKUPS
        self._refusal: CertificateRejected | BadCertificate | None = None
        self._dead_end: tuple[Certificate, ...] = (self._leaf,)
        self._everywhere = False
        self._host_checked = False
        self._host_refusal: CertificateRejected | None = None
        self._comparisons: Comparisons | None = None

    def build(self) -> tuple[Certificate, ...]:
        found = self._search((self._leaf,))
        if found is not None:
            return found
        if self._store.has_directories and not self._everywhere:
            # Directories are searched when what is loaded does not do.
            self._everywhere = True
            self._steps_left = MOST_STEPS
            return self.build()
        raise self._refusal or self._no_path()

    def _search(self, path: tuple[Certificate, ...]) -> tuple[Certificate, ...] | None:
        """Go on from path, by trusted issuers first, until one way to a trusted certificate validates."""
        last = path[-1]
        if (self._policy.partial_chain or last.self_issued) and last in self._store:
            return path if self._validates(path) else None
        most = self._policy.most_intermediates
        if len(path) > most + 1:
            self._refusal = self._refusal or CertificateRejected(
                VerifyCode.CERT_CHAIN_TOO_LONG,
                len(path) - 1,
                f"more than {most} intermediates",
                certificate=last.description,
                rule="the depth that is allowed",
                found=f"{len(path) - 1} intermediates and no end",
                expected=f"at most {most}",
            )
            return None
        if len(path) > len(self._dead_end):
            self._dead_end = path
        for issuer in (*self._store.find(last.issuer, everywhere=self._everywhere), *self._pool):
            if may_be_issued_by(last, issuer) and not _is_among(issuer, path):
                self._steps_left -= 1
                if self._steps_left < 0:
                    # Many certificates of one name make more paths than anyone should walk.
                    self._refusal = self._refusal or refusal(
                        VerifyCode.CERT_REJECTED,
                        last,
                        len(path) - 1,
                        "the paths that a chain may cost",
                        "too many paths to try",
                        f"at most {MOST_STEPS} issuers",
                        "too many paths to try",
                    )
                    return None
                found = self._search((*path, issuer))
                if found is not None:
                    return found
        return None

    def _validates(self, path: tuple[Certificate, ...]) -> bool:
        """Whether a complete path validates; the first refusal is kept."""
        try:
            self._validate(path)
        except CertificateRejected as refused:
            self._refusal = self._refusal or refused
        except ValueError as exc:
            self._refusal = self._refusal or _malformed(exc)
        else:
            return True
        return False

    def _no_path(self) -> CertificateRejected:
        """Say why no path was found, in OpenSSL's words."""
        last, depth = self._dead_end[-1], len(self._dead_end) - 1
        name, issuer = last.description, last.issuer_description
        if last.self_issued and last.self_signed:
            code, found = _SELF_SIGNED_CERT_IN_CHAIN, f"{name}, self-signed, which is not trusted"
            detail = f"{name} is not trusted"
            if depth == 0:
                code, detail = _DEPTH_ZERO_SELF_SIGNED_CERT, name
        elif depth and last in self._store:
            code, found, detail = _UNABLE_TO_GET_ISSUER_CERT, f"{name}, trusted but no root", name
        else:
            code, found = _UNABLE_TO_GET_ISSUER_CERT_LOCALLY, f"{name}, issued by {issuer}"
            detail = f"{name} was issued by {issuer}, which was not sent and is not trusted"
            if self._store.find(last.issuer, everywhere=self._everywhere):
                detail = f"{name} was issued by {issuer}; another authority of that name, not its issuer, is trusted"
        rule, expected = "RFC 5280 §6.1", "a path to a trusted certificate"
        return CertificateRejected(code, depth, detail, certificate=name, rule=rule, found=found, expected=expected)

    def _validate(self, path: tuple[Certificate, ...]) -> None:
        """Apply every rule to a complete path, in OpenSSL's order. Raises CertificateRejected."""
        policy = self._policy
        top = len(path) - 1
        intermediates = 0  # non-self-issued ones below this depth (RFC 5280 §6.1.4 (l))
        for depth, certificate in enumerate(path):
            if certificate.unhandled or certificate.fault is not None:
                check_form(certificate, depth)
            if depth:
                check_issuer(certificate, depth, intermediates, policy.strict, depth == top)
                if not certificate.self_issued:
                    intermediates += 1
            check_purpose(certificate, depth, policy.purpose)
        if policy.strict:
            check_strict(path)
        if policy.web_pki:
            from fasttls.trust.webpki import check_web_pki

            check_web_pki(path)
        for depth, certificate in enumerate(path):
            check_strength(certificate, depth, policy.strength, depth == top)
        if policy.host is not None and not self._host_checked:
            self._host_checked = True  # on this path as on all: the peer's own certificate is one
            try:
                if not (policy.common_name and common_name_matches(path[0], policy.host)):
                    check_host(path[0], policy.host)
            except CertificateRejected as refused:
                self._host_refusal = refused
        if self._host_refusal is not None:
            raise self._host_refusal
        if policy.crl_check is not _NONE:
            from fasttls.trust.revocation import check_revocation

            self._lookups_left -= 1
            if self._lookups_left < 0:
                # Lists are long, and whoever has a name of an authority's may show many keys for it.
                most, found = f"at most {MOST_LOOKUPS} paths", "too many paths to look up in revocation lists"
                rule = "the paths that are looked up in revocation lists"
                raise refusal(VerifyCode.CERT_REJECTED, path[0], 0, rule, found, most, found)
            check_revocation(path, self._store, policy)
        for depth in range(top, -1, -1):
            if depth < top:
                self._check_signature(path[depth], path[depth + 1], depth)
            check_dates(path[depth], depth, policy.now)
        for certificate in path:
            if _NAME_CONSTRAINTS in certificate.extension_values:
                self._check_name_constraints(path)
                break

    def _check_name_constraints(self, path: tuple[Certificate, ...]) -> None:
        from fasttls.trust.constraints import Comparisons, check_name_constraints

        if self._comparisons is None:
            self._comparisons = Comparisons()
        policy = self._policy
        own = constrained_names(path[0], policy.host) if policy.common_name else ()
        check_name_constraints(path, own, self._comparisons)

    def _check_signature(self, certificate: Certificate, issuer: Certificate, depth: int) -> None:
        if known_to_be_signed_by(certificate, issuer):
            return
        if self._signatures_left == 0:
            raise refusal(
                VerifyCode.CERT_REJECTED,
                certificate,
                depth,
                "the signatures that a chain may cost",
                "too many signatures to check",
                f"at most {MOST_SIGNATURES}",
                "too many signatures to check",
            )
        self._signatures_left -= 1
        try:
            signed = certificate.signed_by(issuer)
        except ValueError as exc:
            code, found, expected = _UNSUPPORTED_SIGNATURE_ALGORITHM, str(exc), "one by the issuer's key"
            raise refusal(code, certificate, depth, "RFC 5280 §6.1.3 (a)(1)", found, expected, found) from exc
        if not signed:
            raise CertificateRejected(
                VerifyCode.CERT_SIGNATURE_FAILURE,
                depth,
                f"{issuer.description} did not sign {certificate.description}",
                certificate=certificate.description,
                rule="RFC 5280 §6.1.3 (a)(1)",
                found="a signature that does not verify",
                expected=f"one by the key of {issuer.description}",
            )
        certificate.remember_signed_by(issuer)
