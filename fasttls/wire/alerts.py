"""Alerts: the code points, and the exceptions of a connection that fails.

A fault of the peer is raised as the class of the alert that the peer must be sent (RFC 8446 §6).
`reason` is a stable word for programs, spelt as OpenSSL spells it where OpenSSL has one; the
message is for people, and says what was expected and what came.
"""

from enum import IntEnum
from typing import ClassVar


class AlertDescription(IntEnum):
    """Alert descriptions (RFC 8446 §6)."""

    CLOSE_NOTIFY = 0
    UNEXPECTED_MESSAGE = 10
    BAD_RECORD_MAC = 20
    DECRYPTION_FAILED = 21
    RECORD_OVERFLOW = 22
    DECOMPRESSION_FAILURE = 30
    HANDSHAKE_FAILURE = 40
    NO_CERTIFICATE = 41
    BAD_CERTIFICATE = 42
    UNSUPPORTED_CERTIFICATE = 43
    CERTIFICATE_REVOKED = 44
    CERTIFICATE_EXPIRED = 45
    CERTIFICATE_UNKNOWN = 46
    ILLEGAL_PARAMETER = 47
    UNKNOWN_CA = 48
    ACCESS_DENIED = 49
    DECODE_ERROR = 50
    DECRYPT_ERROR = 51
    EXPORT_RESTRICTION = 60
    PROTOCOL_VERSION = 70
    INSUFFICIENT_SECURITY = 71
    INTERNAL_ERROR = 80
    INAPPROPRIATE_FALLBACK = 86
    USER_CANCELED = 90
    NO_RENEGOTIATION = 100
    MISSING_EXTENSION = 109
    UNSUPPORTED_EXTENSION = 110
    UNRECOGNIZED_NAME = 112
    BAD_CERTIFICATE_STATUS_RESPONSE = 113
    UNKNOWN_PSK_IDENTITY = 115
    CERTIFICATE_REQUIRED = 116
    NO_APPLICATION_PROTOCOL = 120


WARNING = 1
FATAL = 2


class TLSError(Exception):
    """A connection that failed. What happened is in the attributes; the message is for people.

    alert_sent and alert_received are the code points of the fatal alert that went either way, or
    None; reason is a stable word.
    """

    alert_sent: int | None = None
    alert_received: int | None = None
    reason: str = "UNKNOWN"


class AlertReceived(TLSError):
    """The peer ended the connection with a fatal alert."""

    def __init__(self, description: int, explanation: str = "") -> None:
        told = f"the peer sent the alert {alert_name(description)}"
        super().__init__(f"{told}: {explanation}" if explanation else told)
        self.alert_received = description
        self.explanation = explanation
        self.reason = f"ALERT_{alert_name(description).upper().replace(' ', '_')}"


class Truncated(TLSError):
    """The transport ended without close_notify: what came before it may be cut short (RFC 8446 §6.1)."""

    reason = "UNEXPECTED_EOF_WHILE_READING"


class Alert(TLSError):
    """A fault that this side answers with a fatal alert."""

    description: ClassVar[AlertDescription]
    default_reason: ClassVar[str]

    def __init__(self, message: str = "", *, reason: str | None = None) -> None:
        super().__init__(message)
        self.alert_sent = self.description
        self.reason = reason or self.default_reason


class UnexpectedMessage(Alert):
    """A message, record or order of them that the protocol does not allow here."""

    description = AlertDescription.UNEXPECTED_MESSAGE
    default_reason = "UNEXPECTED_MESSAGE"


class BadRecordMac(Alert):
    """A record that does not decrypt."""

    description = AlertDescription.BAD_RECORD_MAC
    default_reason = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"


class RecordOverflow(Alert):
    """A record longer than the protocol allows."""

    description = AlertDescription.RECORD_OVERFLOW
    default_reason = "DATA_LENGTH_TOO_LONG"


class HandshakeFailure(Alert):
    """No common set of parameters."""

    description = AlertDescription.HANDSHAKE_FAILURE
    default_reason = "HANDSHAKE_FAILURE"


class BadCertificate(Alert):
    """A certificate that is corrupt, or whose signatures do not verify."""

    description = AlertDescription.BAD_CERTIFICATE
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class UnsupportedCertificate(Alert):
    """A certificate of a kind, or for a purpose, that is not supported here."""

    description = AlertDescription.UNSUPPORTED_CERTIFICATE
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class CertificateRevoked(Alert):
    """A certificate that its issuer revoked."""

    description = AlertDescription.CERTIFICATE_REVOKED
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class CertificateExpired(Alert):
    """A certificate that is expired or not yet valid."""

    description = AlertDescription.CERTIFICATE_EXPIRED
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class CertificateUnknown(Alert):
    """A certificate that is unacceptable for some other reason."""

    description = AlertDescription.CERTIFICATE_UNKNOWN
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class IllegalParameter(Alert):
    """A field that is well-formed and wrong."""

    description = AlertDescription.ILLEGAL_PARAMETER
    default_reason = "ILLEGAL_PARAMETER"


class UnknownCa(Alert):
    """A chain that leads to no trusted certificate."""

    description = AlertDescription.UNKNOWN_CA
    default_reason = "CERTIFICATE_VERIFY_FAILED"


class AccessDenied(Alert):
    """A valid certificate that is not let in."""

    description = AlertDescription.ACCESS_DENIED
    default_reason = "ACCESS_DENIED"


class DecodeError(Alert):
    """A message that does not have the form its type promises."""

    description = AlertDescription.DECODE_ERROR
    default_reason = "DECODE_ERROR"


class DecryptError(Alert):
    """A signature or a Finished that does not verify."""

    description = AlertDescription.DECRYPT_ERROR
    default_reason = "DECRYPT_ERROR"


class ProtocolVersionAlert(Alert):
    """A version that is not spoken here."""

    description = AlertDescription.PROTOCOL_VERSION
    default_reason = "UNSUPPORTED_PROTOCOL"


class InsufficientSecurity(Alert):
    """Parameters weaker than this side allows."""

    description = AlertDescription.INSUFFICIENT_SECURITY
    default_reason = "INSUFFICIENT_SECURITY"


class InternalError(Alert):
    """A fault of this side: its own certificate, key or callback cannot be used."""

    description = AlertDescription.INTERNAL_ERROR
    default_reason = "INTERNAL_ERROR"


class InappropriateFallback(Alert):
    """A client that fell back to a version lower than both sides speak (RFC 7507)."""

    description = AlertDescription.INAPPROPRIATE_FALLBACK
    default_reason = "INAPPROPRIATE_FALLBACK"


class NoRenegotiation(Alert):
    """A request to renegotiate."""

    description = AlertDescription.NO_RENEGOTIATION
    default_reason = "NO_RENEGOTIATION"


class MissingExtension(Alert):
    """A message that lacks an extension it must have."""

    description = AlertDescription.MISSING_EXTENSION
    default_reason = "MISSING_EXTENSION"


class UnsupportedExtension(Alert):
    """An extension where it is not allowed, or that nobody asked for."""

    description = AlertDescription.UNSUPPORTED_EXTENSION
    default_reason = "UNSOLICITED_EXTENSION"


class UnrecognizedName(Alert):
    """A server name that this server does not serve."""

    description = AlertDescription.UNRECOGNIZED_NAME
    default_reason = "UNRECOGNIZED_NAME"


class BadCertificateStatusResponse(Alert):
    """A stapled OCSP response that is invalid."""

    description = AlertDescription.BAD_CERTIFICATE_STATUS_RESPONSE
    default_reason = "INVALID_STATUS_RESPONSE"


class UnknownPskIdentity(Alert):
    """A pre-shared key that is required and unknown."""

    description = AlertDescription.UNKNOWN_PSK_IDENTITY
    default_reason = "UNKNOWN_PSK_IDENTITY"


class CertificateRequired(Alert):
    """A client certificate that is required and was not sent."""

    description = AlertDescription.CERTIFICATE_REQUIRED
    default_reason = "PEER_DID_NOT_RETURN_A_CERTIFICATE"


class NoApplicationProtocol(Alert):
    """No application protocol in common (RFC 7301 §3.2)."""

    description = AlertDescription.NO_APPLICATION_PROTOCOL
    default_reason = "NO_APPLICATION_PROTOCOL"


def _classes(root: type[Alert]) -> dict[AlertDescription, type[Alert]]:
    return {leaf.description: leaf for leaf in root.__subclasses__()}


ALERTS: dict[AlertDescription, type[Alert]] = _classes(Alert)
"""The class to raise for each description, for callbacks that choose the alert."""


def alert_name(description: int) -> str:
    """Return the RFC's name of an alert, lower case, or its number when it has none."""
    try:
        return AlertDescription(description).name.lower()
    except ValueError:
        return f"alert {description}"
