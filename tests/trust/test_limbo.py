"""x509-limbo: every case gets the verdict it should get, or stands in a table with the reason."""

from __future__ import annotations

import time

import pytest
from trust.limbo import FILE, LimboCase, load
from vectors import require

pytestmark = pytest.mark.filterwarnings("ignore")  # `cryptography` warns of odd certificates

_NO_CRL = "revocation comes in a later issue; the flags that ask for it raise"
_WEB_PKI = "a rule of the CA/Browser Forum for certificate authorities, not of RFC 5280 for who validates"
_STRICT = "VERIFY_X509_STRICT refuses it; without, what OpenSSL's users have keeps working"

ACCEPTED_ALWAYS = {
    "crl::revoked-certificate-with-crl": _NO_CRL,
    "crl::crlnumber-missing": _NO_CRL,
    "crl::crlnumber-critical": _NO_CRL,
    "crl::issuer-missing-crlsign": _NO_CRL,
    "pathlen::max-chain-depth-1-exhausted": "there is no setting for the depth, in `ssl` neither",
    "rfc5280::nc::invalid-dnsname-leading-period": (
        "private authorities write .example.com; it is read as RFC 5280 §4.2.1.10 reads it in URIs"
    ),
    "rfc5280::nc::not-allowed-in-ee-noncritical": "constraints of a leaf constrain nothing",
    "rfc5280::nc::not-allowed-in-ee-critical": "constraints of a leaf constrain nothing",
    "rfc5280::aki::cross-signed-root-missing-aki": "an anchor is trusted as it is: nobody looks for its issuer",
    "rfc5280::serial::too-long": "RFC 5280 §4.1.2.2 asks to handle serial numbers gracefully",
    "rfc5280::serial::zero": "RFC 5280 §4.1.2.2 asks to handle serial numbers gracefully",
    "webpki::aki::root-with-aki-all-fields": _WEB_PKI,
    "webpki::cn::ipv4-hex-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::ipv4-leading-zeros-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::ipv6-uncompressed-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::ipv6-non-rfc5952-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::utf8-vs-punycode-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::not-in-san": "the common name is not looked at (RFC 9525 §2)",
    "webpki::cn::case-mismatch": "the common name is not looked at (RFC 9525 §2)",
    "webpki::eku::ee-anyeku": _WEB_PKI,
    "webpki::eku::ee-critical-eku": _WEB_PKI,
    "webpki::eku::root-has-eku": _WEB_PKI,
    "webpki::san::public-suffix-multi-label-wildcard-san": "there is no list of public suffixes",
    "webpki::san::san-critical-with-nonempty-subject": _WEB_PKI,
    "webpki::ee-basicconstraints-ca": "a CA certificate may be a server's own (RFC 5280 has no rule against it)",
}
"""Accepted though limbo expects a refusal, with either profile."""

ACCEPTED_BY_DEFAULT = {
    "rfc5280::san::noncritical-with-empty-subject": _STRICT,
    "rfc5280::ski::intermediate-missing-ski": _STRICT,
    "rfc5280::root-non-critical-basic-constraints": _STRICT,
    "rfc5280::leaf-ku-keycertsign": _STRICT,
}
"""Accepted though limbo expects a refusal, without VERIFY_X509_STRICT."""

REFUSED_ALWAYS = {
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


def test_both_verdicts_and_both_sides_are_among_the_cases(cases: dict[str, LimboCase]) -> None:
    kinds = {(case.data["validation_kind"], case.should_succeed) for case in cases.values()}
    assert kinds == {(side, verdict) for side in ("SERVER", "CLIENT") for verdict in (True, False)}
    assert len(cases) > 100
