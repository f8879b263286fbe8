"""Whether a certificate of a path was revoked, by the lists of its issuer (RFC 5280 §6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttls.trust.certificate import CRL_SIGN, Certificate
from fasttls.trust.crl import Crl, reason_of
from fasttls.trust.policy import CrlCheck, Policy
from fasttls.trust.rules import date, refusal
from fasttls.trust.verdicts import VerifyCode

if TYPE_CHECKING:
    from fasttls.trust.store import TrustStore


def check_revocation(path: tuple[Certificate, ...], store: TrustStore, policy: Policy) -> None:
    """Look up the peer's own certificate, or every one, as the policy says. Raises CertificateRejected.

    A certificate about which no list in force speaks is refused, as OpenSSL does.
    """
    crls = store.crls()
    for depth in range(1 if policy.crl_check is CrlCheck.LEAF else len(path)):
        issuer = path[min(depth + 1, len(path) - 1)]
        _check(path[depth], issuer, depth, crls, policy.now)


def _check(certificate: Certificate, issuer: Certificate, depth: int, crls: list[Crl], now: float) -> None:
    ours = [crl for crl in crls if crl.issuer == certificate.issuer and not crl.is_delta and _by_key(crl, issuer)]
    if not ours:
        raise refusal(
            VerifyCode.UNABLE_TO_GET_CRL,
            certificate,
            depth,
            "RFC 5280 §6.3.3",
            f"no revocation list of {certificate.issuer_description}",
            "one that is loaded",
        )
    # The newest of those that speak about this certificate and are in force; without any, the best of the others.
    crl = max(ours, key=lambda one: (one.covers(certificate), _in_force(one, now), one.this_update))
    _check_list(crl, certificate, issuer, depth, now)
    entry = crl.entry(certificate)
    if entry is None:
        return
    reason = reason_of(entry)
    if reason == "removeFromCRL":
        return
    raise refusal(
        VerifyCode.CERT_REVOKED,
        certificate,
        depth,
        "RFC 5280 §6.3.3",
        f"revoked on {date(entry.revocation_date_utc.timestamp())}, reason {reason}",
        "a certificate that is not in its issuer's list",
    )


def _by_key(crl: Crl, issuer: Certificate) -> bool:
    ours, theirs = crl.key_identifier, issuer.subject_key_identifier
    return ours is None or theirs is None or ours == theirs


def _in_force(crl: Crl, now: float) -> bool:
    return crl.this_update <= now and (crl.next_update is None or now <= crl.next_update)


def _check_list(crl: Crl, certificate: Certificate, issuer: Certificate, depth: int, now: float) -> None:
    """Hold the list to what makes it count. Raises CertificateRejected, in OpenSSL's order."""
    rule = "RFC 5280 §6.3.3"
    if issuer.key_usage >= 0 and not issuer.key_usage & CRL_SIGN:
        found = f"a key usage of {issuer.description} without cRLSign"
        raise refusal(VerifyCode.KEYUSAGE_NO_CRL_SIGN, certificate, depth, rule, found, "cRLSign")
    if not crl.covers(certificate):
        raise refusal(
            VerifyCode.DIFFERENT_CRL_SCOPE, certificate, depth, rule, "a list of other certificates", "one of these"
        )
    if now < crl.this_update:
        raise refusal(
            VerifyCode.CRL_NOT_YET_VALID, certificate, depth, rule, f"a list from {date(crl.this_update)}", date(now)
        )
    if crl.next_update is not None and now > crl.next_update:
        raise refusal(
            VerifyCode.CRL_HAS_EXPIRED,
            certificate,
            depth,
            rule,
            f"a list until {date(crl.next_update)}",
            f"one in force at {date(now)}",
        )
    found = "a list whose signature does not verify"
    try:
        signed = crl.signed_by(issuer)
    except ValueError as exc:
        signed, found = False, str(exc)
    if not signed:
        expected = f"one that {issuer.description} signed"
        raise refusal(VerifyCode.CRL_SIGNATURE_FAILURE, certificate, depth, rule, found, expected)
    unknown = crl.unhandled() or crl.entry_unhandled
    if unknown is not None:
        raise refusal(
            VerifyCode.UNHANDLED_CRITICAL_CRL_EXTENSION,
            certificate,
            depth,
            "RFC 5280 §5.2",
            f"a list with the critical extension {unknown}",
            "critical extensions that are understood",
        )
