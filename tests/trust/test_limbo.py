"""x509-limbo: every case gets the verdict it should get, or stands in a table with the reason."""

from __future__ import annotations

import time

import pytest
from trust.limbo import FILE, LimboCase, load
from vectors import require

pytestmark = pytest.mark.filterwarnings("ignore")  # `cryptography` warns of odd certificates

_WEB_PKI = "a rule for the web's public authorities, which private ones break every day"
_STRICT = "VERIFY_X509_STRICT refuses it; without, what OpenSSL's users have keeps working"

ACCEPTED_ALWAYS = {
    "crl::crlnumber-missing": "RFC 5280 §5.2.3 asks it of issuers; a list without a number is in force all the same",
    "rfc5280::aki::cross-signed-root-missing-aki": "an anchor is trusted as it is: nobody looks for its issuer",
    "webpki::cn::not-in-san": "the common name is not looked at (RFC 9525 §2), but for one that is misspelt",
    "webpki::san::public-suffix-multi-label-wildcard-san": "there is no list of public suffixes",
}
"""Accepted though limbo expects a refusal, with either profile."""

ACCEPTED_BY_DEFAULT = {
    "rfc5280::san::noncritical-with-empty-subject": _STRICT,
    "rfc5280::ski::intermediate-missing-ski": _STRICT,
    "rfc5280::root-non-critical-basic-constraints": _STRICT,
    "rfc5280::root-missing-basic-constraints": "as in OpenSSL, a trusted root with keyCertSign need not say it",
    "webpki::malformed-aia": "an extension that nothing depends on, as in OpenSSL; the web's profile refuses it",
    "rfc5280::leaf-ku-keycertsign": _STRICT,
    "rfc5280::nc::invalid-dnsname-leading-period": (
        "private authorities write .example.com; it is read as RFC 5280 §4.2.1.10 reads it in URIs"
    ),
    "rfc5280::nc::not-allowed-in-ee-noncritical": "constraints of a leaf constrain nothing",
    "rfc5280::nc::not-allowed-in-ee-critical": "constraints of a leaf constrain nothing",
    "rfc5280::serial::too-long": "RFC 5280 §4.1.2.2 asks to handle serial numbers gracefully",
    "rfc5280::serial::zero": "RFC 5280 §4.1.2.2 asks to handle serial numbers gracefully",
    "webpki::aki::root-with-aki-all-fields": _WEB_PKI,
    "webpki::cn::ipv4-hex-mismatch": _WEB_PKI,
    "webpki::cn::ipv4-leading-zeros-mismatch": _WEB_PKI,
    "webpki::cn::ipv6-uncompressed-mismatch": _WEB_PKI,
    "webpki::cn::ipv6-non-rfc5952-mismatch": _WEB_PKI,
    "webpki::cn::utf8-vs-punycode-mismatch": _WEB_PKI,
    "webpki::cn::case-mismatch": _WEB_PKI,
    "webpki::ee-basicconstraints-ca": _WEB_PKI,
    "webpki::eku::ee-anyeku": _WEB_PKI,
    "webpki::eku::ee-critical-eku": _WEB_PKI,
    "webpki::eku::root-has-eku": _WEB_PKI,
    "webpki::san::san-critical-with-nonempty-subject": _WEB_PKI,
}
"""Accepted though limbo expects a refusal, by the default profile."""

REFUSED_ALWAYS = {
    "pathlen::max-chain-depth-1-self-issued": "the depth that is allowed counts every intermediate, as in OpenSSL",
    "rfc5280::ca-as-leaf": "RFC 8446 §4.4.2.2: its key usage lacks digitalSignature, so it cannot sign a handshake",
}
"""Refused though limbo expects a success, with either profile."""


@pytest.fixture(scope="module")
def cases() -> dict[str, LimboCase]:
    return load(require(FILE))


@pytest.mark.parametrize("strict", [False, True], ids=["default", "strict"])
def test_verdicts_are_limbos_but_for_the_tables(cases: dict[str, LimboCase], strict: bool) -> None:
    now = time.time()
    accepted, refused, raised = set(), set(), {}
    for name, case in cases.items():
        try:
            reason = case.refusal(now, strict=strict)
        except Exception as exc:  # what is no refusal is a fault of ours, whichever it is
            raised[name] = repr(exc)
            continue
        if reason is None and not case.should_succeed:
            accepted.add(name)
        elif reason is not None and case.should_succeed:
            refused.add(name)
    assert accepted == {*ACCEPTED_ALWAYS, *({} if strict else ACCEPTED_BY_DEFAULT)}
    assert refused == set(REFUSED_ALWAYS)
    assert raised == {}


def _optional(case: LimboCase) -> bool:
    """Whether a case is beyond what a validator must do: pedantry, revocation, depth, policies, directory names."""
    features = case.data["features"]
    extra = {"has-crl", "max-chain-depth", "name-constraint-dn", "denial-of-service", "has-cert-policies"}
    return any(feature in extra or feature.startswith("pedantic") for feature in features)


def test_nearly_all_that_is_not_optional_is_right_when_strict(cases: dict[str, LimboCase]) -> None:
    needed = [case for case in cases.values() if not _optional(case)]
    now = time.time()
    right = [case for case in needed if (case.refusal(now, strict=True) is None) == case.should_succeed]
    assert len(right) >= 0.95 * len(needed), f"{len(right)} of {len(needed)}"


def test_both_verdicts_and_both_sides_are_among_the_cases(cases: dict[str, LimboCase]) -> None:
    kinds = {(case.data["validation_kind"], case.should_succeed) for case in cases.values()}
    assert kinds == {(side, verdict) for side in ("SERVER", "CLIENT") for verdict in (True, False)}
    assert len(cases) > 100
