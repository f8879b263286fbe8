"""From the engine's failures to the standard library's exceptions, with OpenSSL's words."""

from __future__ import annotations

import ssl

from fasttls.api.errors import ssl_error
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import AlertDescription, AlertReceived, TLSError, Truncated

# OpenSSL names an alert by the version of the protocol that introduced it.
_SINCE_SSL3 = frozenset({10, 20, 30, 40, 41, 42, 43, 44, 45, 46, 47})
_SINCE_TLS13 = frozenset({AlertDescription.MISSING_EXTENSION, AlertDescription.CERTIFICATE_REQUIRED})
_WITHOUT_ALERT = frozenset(
    {
        AlertDescription.UNSUPPORTED_EXTENSION,
        AlertDescription.UNRECOGNIZED_NAME,
        AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE,
    }
)


def _reason_of_alert(description: int) -> str:
    """Return OpenSSL's reason for an alert that was received."""
    try:
        name = AlertDescription(description).name
    except ValueError:
        return f"TLSV1_ALERT_{description}"
    if name == "USER_CANCELED":
        name = "USER_CANCELLED"
    if description in _SINCE_SSL3:
        return f"SSLV3_ALERT_{name}"
    if description in _SINCE_TLS13:
        return f"TLSV13_ALERT_{name}"
    return f"TLSV1_{name}" if description in _WITHOUT_ALERT else f"TLSV1_ALERT_{name}"


def as_ssl_error(error: TLSError) -> ssl.SSLError:
    """Return the exception that `ssl` would raise; its attributes tell what the engine knows too.

    Beside errno, strerror, library and reason it has alert_sent and alert_received, code points or
    None; and refusal, for a certificate that was refused the CertificateRejected that says which one,
    by which rule, what was found and what was expected, else None.
    """
    made: ssl.SSLError
    reason = error.reason
    if error.reason == "CERTIFICATE_VERIFY_FAILED":
        message = str(error)
        if isinstance(error, CertificateRejected):
            message = error.verify_message + (f" ({error.detail})" if error.detail else "")
        made = ssl.SSLCertVerificationError(
            int(ssl.SSL_ERROR_SSL), f"[SSL: {reason}] certificate verify failed: {message}"
        )
        made.verify_code = error.verify_code if isinstance(error, CertificateRejected) else 1
        made.verify_message = error.verify_message if isinstance(error, CertificateRejected) else message
    elif isinstance(error, Truncated):
        made = ssl.SSLEOFError(
            int(ssl.SSL_ERROR_EOF), f"[SSL: {reason}] EOF occurred in violation of protocol: {error}"
        )
    elif isinstance(error, AlertReceived):
        assert error.alert_received is not None
        reason = _reason_of_alert(error.alert_received)
        words = reason.lower().replace("_", " ") + (f": {error.explanation}" if error.explanation else "")
        made = ssl_error(reason, words)
    else:
        made = ssl_error(reason, f"{reason.lower().replace('_', ' ')}: {error}")
    made.library = "SSL"
    made.reason = reason
    made.alert_sent = error.alert_sent  # type: ignore[attr-defined]
    made.alert_received = error.alert_received  # type: ignore[attr-defined]
    made.refusal = error if isinstance(error, CertificateRejected) else None  # type: ignore[attr-defined]
    made.__cause__ = error
    return made
