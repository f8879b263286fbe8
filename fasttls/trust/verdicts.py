"""The ways in which a certificate is refused: OpenSSL's numbers and words, and the alert for each."""

from __future__ import annotations

from enum import IntEnum

from fasttls.wire.alerts import Alert, AlertDescription


class VerifyCode(IntEnum):
    """OpenSSL's X509_V_ERR numbers, for the refusals that this library makes."""

    OK = 0
    UNABLE_TO_GET_ISSUER_CERT = 2
    UNABLE_TO_GET_CRL = 3
    CERT_SIGNATURE_FAILURE = 7
    CRL_SIGNATURE_FAILURE = 8
    CERT_NOT_YET_VALID = 9
    CERT_HAS_EXPIRED = 10
    CRL_NOT_YET_VALID = 11
    CRL_HAS_EXPIRED = 12
    DEPTH_ZERO_SELF_SIGNED_CERT = 18
    SELF_SIGNED_CERT_IN_CHAIN = 19
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY = 20
    CERT_CHAIN_TOO_LONG = 22
    CERT_REVOKED = 23
    PATH_LENGTH_EXCEEDED = 25
    INVALID_PURPOSE = 26
    CERT_REJECTED = 28
    KEYUSAGE_NO_CERTSIGN = 32
    UNHANDLED_CRITICAL_EXTENSION = 34
    KEYUSAGE_NO_CRL_SIGN = 35
    UNHANDLED_CRITICAL_CRL_EXTENSION = 36
    INVALID_EXTENSION = 41
    DIFFERENT_CRL_SCOPE = 44
    PERMITTED_VIOLATION = 47
    EXCLUDED_VIOLATION = 48
    SUBTREE_MINMAX = 49
    UNSUPPORTED_CONSTRAINT_TYPE = 51
    UNSUPPORTED_CONSTRAINT_SYNTAX = 52
    UNSUPPORTED_NAME_SYNTAX = 53
    HOSTNAME_MISMATCH = 62
    IP_ADDRESS_MISMATCH = 64
    EE_KEY_TOO_SMALL = 66
    CA_KEY_TOO_SMALL = 67
    CA_MD_TOO_WEAK = 68
    OCSP_VERIFY_NEEDED = 73
    OCSP_VERIFY_FAILED = 74
    OCSP_CERT_UNKNOWN = 75
    UNSUPPORTED_SIGNATURE_ALGORITHM = 76
    INVALID_CA = 79
    PATHLEN_INVALID_FOR_NON_CA = 80
    PATHLEN_WITHOUT_KU_KEY_CERT_SIGN = 81
    KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA = 82
    ISSUER_NAME_EMPTY = 83
    SUBJECT_NAME_EMPTY = 84
    MISSING_AUTHORITY_KEY_IDENTIFIER = 85
    MISSING_SUBJECT_KEY_IDENTIFIER = 86
    EMPTY_SUBJECT_ALT_NAME = 87
    EMPTY_SUBJECT_SAN_NOT_CRITICAL = 88
    CA_BCONS_NOT_CRITICAL = 89
    AUTHORITY_KEY_IDENTIFIER_CRITICAL = 90
    SUBJECT_KEY_IDENTIFIER_CRITICAL = 91
    CA_CERT_MISSING_KEY_USAGE = 92
    EXTENSIONS_REQUIRE_VERSION_3 = 93


_WORDS = {
    VerifyCode.OK: "ok",
    VerifyCode.UNABLE_TO_GET_ISSUER_CERT: "unable to get issuer certificate",
    VerifyCode.UNABLE_TO_GET_CRL: "unable to get certificate CRL",
    VerifyCode.CERT_SIGNATURE_FAILURE: "certificate signature failure",
    VerifyCode.CRL_SIGNATURE_FAILURE: "CRL signature failure",
    VerifyCode.CERT_NOT_YET_VALID: "certificate is not yet valid",
    VerifyCode.CERT_HAS_EXPIRED: "certificate has expired",
    VerifyCode.CRL_NOT_YET_VALID: "CRL is not yet valid",
    VerifyCode.CRL_HAS_EXPIRED: "CRL has expired",
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: "self-signed certificate",
    VerifyCode.SELF_SIGNED_CERT_IN_CHAIN: "self-signed certificate in certificate chain",
    VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "unable to get local issuer certificate",
    VerifyCode.CERT_CHAIN_TOO_LONG: "certificate chain too long",
    VerifyCode.CERT_REVOKED: "certificate revoked",
    VerifyCode.PATH_LENGTH_EXCEEDED: "path length constraint exceeded",
    VerifyCode.INVALID_PURPOSE: "unsuitable certificate purpose",
    VerifyCode.CERT_REJECTED: "certificate rejected",
    VerifyCode.KEYUSAGE_NO_CERTSIGN: "key usage does not include certificate signing",
    VerifyCode.UNHANDLED_CRITICAL_EXTENSION: "unhandled critical extension",
    VerifyCode.KEYUSAGE_NO_CRL_SIGN: "key usage does not include CRL signing",
    VerifyCode.UNHANDLED_CRITICAL_CRL_EXTENSION: "unhandled critical CRL extension",
    VerifyCode.INVALID_EXTENSION: "invalid or inconsistent certificate extension",
    VerifyCode.DIFFERENT_CRL_SCOPE: "different CRL scope",
    VerifyCode.PERMITTED_VIOLATION: "permitted subtree violation",
    VerifyCode.EXCLUDED_VIOLATION: "excluded subtree violation",
    VerifyCode.SUBTREE_MINMAX: "name constraints minimum and maximum not supported",
    VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE: "unsupported name constraint type",
    VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX: "unsupported or invalid name constraint syntax",
    VerifyCode.UNSUPPORTED_NAME_SYNTAX: "unsupported or invalid name syntax",
    VerifyCode.HOSTNAME_MISMATCH: "hostname mismatch",
    VerifyCode.IP_ADDRESS_MISMATCH: "IP address mismatch",
    VerifyCode.EE_KEY_TOO_SMALL: "EE certificate key too weak",
    VerifyCode.CA_KEY_TOO_SMALL: "CA certificate key too weak",
    VerifyCode.CA_MD_TOO_WEAK: "CA signature digest algorithm too weak",
    VerifyCode.OCSP_VERIFY_NEEDED: "OCSP verification needed",
    VerifyCode.OCSP_VERIFY_FAILED: "OCSP verification failed",
    VerifyCode.OCSP_CERT_UNKNOWN: "OCSP unknown cert",
    VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM: "Cannot find certificate signature algorithm",
    VerifyCode.INVALID_CA: "invalid CA certificate",
    VerifyCode.PATHLEN_INVALID_FOR_NON_CA: "Path length invalid for non-CA cert",
    VerifyCode.PATHLEN_WITHOUT_KU_KEY_CERT_SIGN: "Path length given without key usage keyCertSign",
    VerifyCode.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA: "Key usage keyCertSign invalid for non-CA cert",
    VerifyCode.ISSUER_NAME_EMPTY: "Issuer name empty",
    VerifyCode.SUBJECT_NAME_EMPTY: "Subject name empty",
    VerifyCode.MISSING_AUTHORITY_KEY_IDENTIFIER: "Missing Authority Key Identifier",
    VerifyCode.MISSING_SUBJECT_KEY_IDENTIFIER: "Missing Subject Key Identifier",
    VerifyCode.EMPTY_SUBJECT_ALT_NAME: "Empty Subject Alternative Name extension",
    VerifyCode.EMPTY_SUBJECT_SAN_NOT_CRITICAL: "Subject empty and Subject Alt Name extension not critical",
    VerifyCode.CA_BCONS_NOT_CRITICAL: "Basic Constraints of CA cert not marked critical",
    VerifyCode.AUTHORITY_KEY_IDENTIFIER_CRITICAL: "Authority Key Identifier marked critical",
    VerifyCode.SUBJECT_KEY_IDENTIFIER_CRITICAL: "Subject Key Identifier marked critical",
    VerifyCode.CA_CERT_MISSING_KEY_USAGE: "CA cert does not include key usage extension",
    VerifyCode.EXTENSIONS_REQUIRE_VERSION_3: "Using cert extension requires at least X509v3",
}

# RFC 8446 §6.2 by meaning; where it leaves a choice, what OpenSSL sends.
_ALERTS = {
    VerifyCode.UNABLE_TO_GET_ISSUER_CERT: AlertDescription.UNKNOWN_CA,
    VerifyCode.UNABLE_TO_GET_CRL: AlertDescription.UNKNOWN_CA,
    VerifyCode.CERT_SIGNATURE_FAILURE: AlertDescription.DECRYPT_ERROR,
    VerifyCode.CRL_SIGNATURE_FAILURE: AlertDescription.DECRYPT_ERROR,
    VerifyCode.CRL_NOT_YET_VALID: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.CRL_HAS_EXPIRED: AlertDescription.CERTIFICATE_EXPIRED,
    VerifyCode.CERT_REVOKED: AlertDescription.CERTIFICATE_REVOKED,
    VerifyCode.OCSP_VERIFY_NEEDED: AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE,
    VerifyCode.OCSP_VERIFY_FAILED: AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE,
    VerifyCode.OCSP_CERT_UNKNOWN: AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE,
    VerifyCode.CERT_NOT_YET_VALID: AlertDescription.CERTIFICATE_EXPIRED,
    VerifyCode.CERT_HAS_EXPIRED: AlertDescription.CERTIFICATE_EXPIRED,
    VerifyCode.DEPTH_ZERO_SELF_SIGNED_CERT: AlertDescription.UNKNOWN_CA,
    VerifyCode.SELF_SIGNED_CERT_IN_CHAIN: AlertDescription.UNKNOWN_CA,
    VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY: AlertDescription.UNKNOWN_CA,
    VerifyCode.CERT_CHAIN_TOO_LONG: AlertDescription.UNKNOWN_CA,
    VerifyCode.PATH_LENGTH_EXCEEDED: AlertDescription.UNKNOWN_CA,
    VerifyCode.INVALID_PURPOSE: AlertDescription.UNSUPPORTED_CERTIFICATE,
    VerifyCode.KEYUSAGE_NO_CERTSIGN: AlertDescription.UNKNOWN_CA,
    VerifyCode.INVALID_CA: AlertDescription.UNKNOWN_CA,
    VerifyCode.CERT_REJECTED: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.HOSTNAME_MISMATCH: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.IP_ADDRESS_MISMATCH: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.EE_KEY_TOO_SMALL: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.CA_KEY_TOO_SMALL: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.CA_MD_TOO_WEAK: AlertDescription.BAD_CERTIFICATE,
    VerifyCode.UNSUPPORTED_SIGNATURE_ALGORITHM: AlertDescription.UNSUPPORTED_CERTIFICATE,
}


MOST_SHOWN = 1024
"""Characters of what a peer says that a message shows."""


def printable(text: str) -> str:
    """Return text that may be a peer's for a message or a log: what is not printable escaped, the length bounded."""
    if len(text) > MOST_SHOWN:
        text = text[:MOST_SHOWN] + "…"
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


class CertificateRejected(Alert):
    """A chain that is not to be trusted, with the certificate and the rule that say so.

    `verify_code` and `verify_message` are OpenSSL's; `depth` counts from 0, the peer's own
    certificate, and `certificate` is that one's subject; `rule` names the RFC and section, `found` the
    value that breaks it and `expected` what it should be, each empty where there is nothing to say;
    `detail` is a sentence of all that.
    """

    description = AlertDescription.CERTIFICATE_UNKNOWN
    default_reason = "CERTIFICATE_VERIFY_FAILED"

    def __init__(
        self,
        code: VerifyCode,
        depth: int = 0,
        detail: str = "",
        *,
        words: str | None = None,
        certificate: str = "",
        rule: str = "",
        found: str = "",
        expected: str = "",
    ) -> None:
        self.verify_code = int(code)
        self.verify_message = words or _WORDS[code]
        self.depth = depth
        self.detail = printable(detail)
        self.certificate = printable(certificate)
        self.rule = rule
        self.found = printable(found)
        self.expected = printable(expected)
        super().__init__(f"{self.verify_message} (certificate {depth}{': ' if detail else ''}{self.detail})")
        self.alert_sent = _ALERTS.get(code, AlertDescription.CERTIFICATE_UNKNOWN)
