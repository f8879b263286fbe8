"""VERIFY_X509_STRICT: the form that RFC 5280 demands of certificates, as OpenSSL checks it."""

from __future__ import annotations

from cryptography.x509 import Version
from cryptography.x509.oid import ExtensionOID

from fasttls.trust.certificate import Certificate
from fasttls.trust.verdicts import CertificateRejected, VerifyCode


def check_strict(path: tuple[Certificate, ...]) -> None:
    """Hold every certificate of a path of two or more to RFC 5280 §4. Raises CertificateRejected.

    A self-signed certificate that is its own anchor is exempt (RFC 6818 §2).
    """
    if len(path) < 2:
        return
    for depth, certificate in enumerate(path):
        code = _fault(certificate, last=depth == len(path) - 1)
        if code is not None:
            raise CertificateRejected(code, depth, f"{certificate.description}, under VERIFY_X509_STRICT")


def _fault(certificate: Certificate, *, last: bool) -> VerifyCode | None:
    """Return the first rule that a certificate breaks, in OpenSSL's order."""
    extensions = certificate.extensions
    constraints = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    usage = certificate.extension(ExtensionOID.KEY_USAGE)
    alternative = extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    is_ca = constraints is not None and constraints.value.ca
    may_sign = usage is not None and usage.key_cert_sign
    # RFC 5280 §4.2.1.9.
    if constraints is not None and constraints.value.path_length is not None:
        if not is_ca:
            return VerifyCode.PATHLEN_INVALID_FOR_NON_CA
        if usage is not None and not may_sign:
            return VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN
    if is_ca and constraints is not None and not constraints.critical:
        return VerifyCode.CA_BCONS_NOT_CRITICAL
    # RFC 5280 §4.2.1.3.
    if is_ca and usage is None:
        return VerifyCode.CA_CERT_MISSING_KEY_USAGE
    if not is_ca and may_sign:
        return VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA
    # RFC 5280 §4.1.2.4 and §4.1.2.6.
    if not certificate.issuer:
        return VerifyCode.ISSUER_NAME_EMPTY
    if not certificate.subject:
        if is_ca or alternative is None:
            return VerifyCode.SUBJECT_NAME_EMPTY
        if not alternative.critical:
            return VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL
    # RFC 5280 §4.2.1.6.
    if alternative is not None and not list(alternative.value):
        return VerifyCode.EMPTY_SUBJECT_ALT_NAME
    return _key_identifier_fault(certificate, is_ca=is_ca, last=last)


def _key_identifier_fault(certificate: Certificate, *, is_ca: bool, last: bool) -> VerifyCode | None:
    """RFC 5280 §4.2.1.1 and §4.2.1.2."""
    authority = certificate.extensions.get(ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    subject = certificate.extensions.get(ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    if authority is not None and authority.critical:
        return VerifyCode.AUTHORITY_KEY_IDENTIFIER_CRITICAL
    if subject is not None and subject.critical:
        return VerifyCode.SUBJECT_KEY_IDENTIFIER_CRITICAL
    if certificate.x509.version is not Version.v3:
        return VerifyCode.EXTENSIONS_REQUIRE_VERSION_3 if certificate.extensions else None
    if not last and (authority is None or authority.value.key_identifier is None):
        return VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER
    if is_ca and subject is None:
        return VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER
    return None
