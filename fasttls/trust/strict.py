"""VERIFY_X509_STRICT: the form that RFC 5280 demands of certificates, as OpenSSL checks it."""

from __future__ import annotations

from fasttls.trust.certificate import KEY_CERT_SIGN, Certificate
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# The contents of the DER of the extensions' identifiers, under id-ce.
_SUBJECT_KEY_IDENTIFIER = bytes.fromhex("551d0e")
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("551d11")
_BASIC_CONSTRAINTS = bytes.fromhex("551d13")
_AUTHORITY_KEY_IDENTIFIER = bytes.fromhex("551d23")


def check_strict(path: tuple[Certificate, ...]) -> None:
    """Hold every certificate of a path of two or more to RFC 5280 §4. Raises CertificateRejected.

    A self-signed certificate that is its own anchor is exempt (RFC 6818 §2).
    """
    if len(path) < 2:
        return
    for depth, certificate in enumerate(path):
        last = depth == len(path) - 1
        known = certificate.strict_faults
        if last not in known:
            known[last] = _fault(certificate, last=last)
        code = known[last]
        if code is not None:
            name = certificate.description
            raise CertificateRejected(
                VerifyCode(code),
                depth,
                f"{name}, under VERIFY_X509_STRICT",
                certificate=name,
                rule="RFC 5280 §4, strictly",
            )


def _critical(certificate: Certificate, oid: bytes) -> bool:
    found = certificate.extension_values.get(oid)
    return found is not None and found[0]


def _fault(certificate: Certificate, *, last: bool) -> VerifyCode | None:
    """Return the first rule that a certificate breaks, in OpenSSL's order."""
    usage = certificate.key_usage
    may_sign = usage >= 0 and usage & KEY_CERT_SIGN
    is_ca = certificate.ca
    # RFC 5280 §4.2.1.9.
    if certificate.path_length is not None:
        if not is_ca:
            return VerifyCode.PATHLEN_INVALID_FOR_NON_CA
        if usage >= 0 and not may_sign:
            return VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN
    if is_ca and not _critical(certificate, _BASIC_CONSTRAINTS):
        return VerifyCode.CA_BCONS_NOT_CRITICAL
    # RFC 5280 §4.2.1.3.
    if is_ca and usage < 0:
        return VerifyCode.CA_CERT_MISSING_KEY_USAGE
    if not is_ca and may_sign:
        return VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA
    # RFC 5280 §4.1.2.4 and §4.1.2.6.
    if not certificate.issuer:
        return VerifyCode.ISSUER_NAME_EMPTY
    if not certificate.subject:
        if is_ca or certificate.alternative_names is None:
            return VerifyCode.SUBJECT_NAME_EMPTY
        if not _critical(certificate, _SUBJECT_ALTERNATIVE_NAME):
            return VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL
    # RFC 5280 §4.2.1.6.
    if certificate.alternative_names is not None and not certificate.alternative_names:
        return VerifyCode.EMPTY_SUBJECT_ALT_NAME
    return _key_identifier_fault(certificate, is_ca=is_ca, last=last)


def _key_identifier_fault(certificate: Certificate, *, is_ca: bool, last: bool) -> VerifyCode | None:
    """RFC 5280 §4.2.1.1 and §4.2.1.2."""
    if _critical(certificate, _AUTHORITY_KEY_IDENTIFIER):
        return VerifyCode.AUTHORITY_KEY_IDENTIFIER_CRITICAL
    if _critical(certificate, _SUBJECT_KEY_IDENTIFIER):
        return VerifyCode.SUBJECT_KEY_IDENTIFIER_CRITICAL
    if certificate.version != 3:
        return VerifyCode.EXTENSIONS_REQUIRE_VERSION_3 if certificate.extension_values else None
    if not last and certificate.authority_key_identifier is None:
        return VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER
    if is_ca and certificate.subject_key_identifier is None:
        return VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER
    return None
