"""What every certificate of a path must fulfil, one rule a function (RFC 5280 §6.1).

Each raises CertificateRejected, which says which certificate, which rule, what was found and what was expected.
"""

from __future__ import annotations

from fasttls.trust.certificate import DIGITAL_SIGNATURE, KEY_AGREEMENT, KEY_CERT_SIGN, KEY_ENCIPHERMENT, Certificate
from fasttls.trust.policy import Purpose, Strength
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# id-kp-serverAuth and id-kp-clientAuth, the contents of their DER (RFC 5280 §4.2.1.12).
_EKU = {
    Purpose.SERVER_AUTH: bytes.fromhex("2b06010505070301"),
    Purpose.CLIENT_AUTH: bytes.fromhex("2b06010505070302"),
}
_EKU_NAMES = {Purpose.SERVER_AUTH: "serverAuth", Purpose.CLIENT_AUTH: "clientAuth"}
_STEP_UP = (bytes.fromhex("6086480186f8420401"), bytes.fromhex("2b0601040182370a0303"))

# Netscape's extension of the time before extended key usages: its contents, and the bit of each purpose.
_NS_CERT_TYPE = bytes.fromhex("6086480186f8420101")
_NS_TYPE = {Purpose.SERVER_AUTH: 0x40, Purpose.CLIENT_AUTH: 0x80}
_BIT_STRING = 0x03

_SERVER_AUTH = Purpose.SERVER_AUTH
_LEAF_USAGE = {
    Purpose.SERVER_AUTH: DIGITAL_SIGNATURE | KEY_AGREEMENT | KEY_ENCIPHERMENT,
    Purpose.CLIENT_AUTH: DIGITAL_SIGNATURE | KEY_AGREEMENT,
}


def refusal(
    code: VerifyCode, certificate: Certificate, depth: int, rule: str, found: str, expected: str, detail: str = ""
) -> CertificateRejected:
    """Return the refusal of a certificate by a rule; detail is made of the rest when it is not given."""
    name = certificate.description
    detail = detail or f"{name}: {found}, expected {expected}"
    return CertificateRejected(code, depth, detail, certificate=name, rule=rule, found=found, expected=expected)


def check_form(certificate: Certificate, depth: int) -> None:
    """A critical extension that is not understood refuses the certificate. Raises ValueError for a malformed one."""
    if certificate.malformed is not None:
        raise ValueError(certificate.malformed)
    if certificate.unhandled:
        names = certificate.unhandled_names
        raise refusal(
            VerifyCode.UNHANDLED_CRITICAL_EXTENSION,
            certificate,
            depth,
            "RFC 5280 §4.2",
            f"the critical extension {names}",
            "critical extensions that are understood",
            f"{names} in {certificate.description}",
        )


def check_issuer(certificate: Certificate, depth: int, intermediates: int, strict: bool, trusted: bool) -> None:
    """An issuer must be a CA, allow the intermediates below it, and may sign certificates (RFC 5280 §6.1.4 (k)-(n)).

    trusted says that the path ends with it: an old root need not say that it is a CA, where no form is demanded.
    """
    if not certificate.ca and (strict or not trusted or not certificate.is_ca):
        raise refusal(
            VerifyCode.INVALID_CA,
            certificate,
            depth,
            "RFC 5280 §6.1.4 (k)",
            "no basicConstraints" if not certificate.has_basic_constraints else "basicConstraints with cA false",
            "basicConstraints with cA true",
            f"{certificate.description} is no CA",
        )
    if certificate.path_length is not None and intermediates > certificate.path_length:
        raise refusal(
            VerifyCode.PATH_LENGTH_EXCEEDED,
            certificate,
            depth,
            "RFC 5280 §6.1.4 (l)",
            f"{intermediates} intermediates below it",
            f"at most {certificate.path_length}",
            f"{certificate.description} allows {certificate.path_length} intermediates, {intermediates} follow",
        )
    if certificate.key_usage >= 0 and not certificate.key_usage & KEY_CERT_SIGN:
        raise refusal(
            VerifyCode.KEYUSAGE_NO_CERTSIGN,
            certificate,
            depth,
            "RFC 5280 §6.1.4 (n)",
            "a key usage without keyCertSign",
            "keyCertSign",
            certificate.description,
        )


def check_purpose(certificate: Certificate, depth: int, purpose: Purpose) -> None:
    """Extended key usage, of every certificate that has it, and the leaf's key usage (RFC 5280 §4.2.1.12, §4.2.1.3)."""
    uses = certificate.extended_key_usage
    if uses is not None and _EKU[purpose] not in uses and not (purpose is _SERVER_AUTH and _is_step_up(uses)):
        raise refusal(
            VerifyCode.INVALID_PURPOSE,
            certificate,
            depth,
            "RFC 5280 §4.2.1.12",
            f"an extended key usage without {_EKU_NAMES[purpose]}",
            _EKU_NAMES[purpose],
            f"{certificate.description} has no {_EKU_NAMES[purpose]} in its extended key usage",
        )
    usage = certificate.key_usage
    if depth == 0 and usage >= 0 and not usage & _LEAF_USAGE[purpose]:
        raise refusal(
            VerifyCode.INVALID_PURPOSE,
            certificate,
            depth,
            "RFC 5280 §4.2.1.3",
            f"a key usage that is none of a {purpose.value}",
            "digitalSignature",
            f"the key usage of {certificate.description} allows no {purpose.value}",
        )
    if depth == 0 and _NS_CERT_TYPE in certificate.extension_values:
        _check_netscape_type(certificate, purpose)


def _is_step_up(uses: tuple[bytes, ...]) -> bool:
    """Whether Netscape's or Microsoft's old usage of servers is among them, as OpenSSL takes it."""
    for use in uses:  # noqa: SIM110 - a generator is another function, when compiled
        if use in _STEP_UP:
            return True
    return False


def _check_netscape_type(certificate: Certificate, purpose: Purpose) -> None:
    """Hold the leaf to nsCertType, by which old authorities keep servers and clients apart, as OpenSSL does."""
    value = certificate.extension_values[_NS_CERT_TYPE][1]
    if len(value) < 4 or value[0] != _BIT_STRING or value[1] != len(value) - 2:
        raise ValueError("an nsCertType that is none")
    if not value[3] & _NS_TYPE[purpose]:
        raise refusal(
            VerifyCode.INVALID_PURPOSE,
            certificate,
            0,
            "nsCertType",
            f"a type that is none of a {purpose.value}",
            _EKU_NAMES[purpose],
            f"the nsCertType of {certificate.description} allows no {purpose.value}",
        )


def check_strength(certificate: Certificate, depth: int, strength: Strength, trusted: bool) -> None:
    """Keys and digests; the signature on a trusted certificate is not relied on."""
    kind, bits = certificate.key_kind, certificate.key_bits
    needed = strength.rsa_bits if kind[:3] == "rsa" else strength.ec_bits if kind == "ec" else 0
    if bits < needed or kind == "dsa":
        raise refusal(
            VerifyCode.CA_KEY_TOO_SMALL if depth else VerifyCode.EE_KEY_TOO_SMALL,
            certificate,
            depth,
            "the security level",
            f"{'a curve' if kind == 'ec' else 'RSA'} of {bits} bits" if kind != "dsa" else "a DSA key",
            f"{needed} bits" if needed else "RSA, an elliptic curve or ML-DSA",
        )
    if trusted:
        return
    try:
        digest = certificate.signed_with.digest
    except ValueError as exc:
        code, found, expected = VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM, str(exc), "RSA, ECDSA, EdDSA or ML-DSA"
        raise refusal(code, certificate, depth, "RFC 5280 §6.1.3 (a)(1)", found, expected, found) from exc
    if digest in strength.refused_digests:
        raise refusal(
            VerifyCode.CA_MD_TOO_WEAK,
            certificate,
            depth,
            "the security level",
            f"a signature with {digest}",
            "SHA-256 or better",
            f"{certificate.description} is signed with {digest}",
        )


def check_dates(certificate: Certificate, depth: int, now: float) -> None:
    """Both ends of the validity belong to it (RFC 5280 §4.1.2.5)."""
    if now < certificate.not_before:
        raise refusal(
            VerifyCode.CERT_NOT_YET_VALID,
            certificate,
            depth,
            "RFC 5280 §4.1.2.5",
            f"valid from {date(certificate.not_before)}",
            f"at or before {date(now)}",
            f"{certificate.description}, valid from {date(certificate.not_before)}; the clock here says {date(now)}",
        )
    if now >= certificate.not_after + 1:
        raise refusal(
            VerifyCode.CERT_HAS_EXPIRED,
            certificate,
            depth,
            "RFC 5280 §4.1.2.5",
            f"valid until {date(certificate.not_after)}",
            f"at or after {date(now)}",
            f"{certificate.description}, valid until {date(certificate.not_after)}; the clock here says {date(now)}",
        )


def date(seconds: float) -> str:
    """Return a moment as a person reads it."""
    from datetime import UTC, datetime  # for refusals alone

    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:.0f} s after 1970"
