"""What a handshake message says, in a few lines for a person who learns TLS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import IntEnum

from fasttls.crypto.groups import GROUPS
from fasttls.crypto.suites12 import EVERY_SUITE
from fasttls.handshake.hello import version_label
from fasttls.native._wire import Reader
from fasttls.trust.certificate import CERTIFICATES
from fasttls.wire import messages12
from fasttls.wire.alerts import AlertDescription, TLSError
from fasttls.wire.iana import (
    CipherSuite,
    ContentType,
    ExtensionType,
    HandshakeType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
    name_of,
)
from fasttls.wire.messages import (
    HEADER_SIZE,
    MESSAGES,
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    Finished,
    HelloRetryRequest,
    KeyUpdate,
    Message,
    NewSessionTicket,
    ServerHello,
)
from fasttls.wire.messages12 import MESSAGES12

_READERS13: dict[int, type[Message]] = {int(message.handshake_type): message for message in MESSAGES}
_READERS12 = {**_READERS13, **{int(message.handshake_type): message for message in MESSAGES12}}


def narrate(content_type: int, data: bytes, version: int) -> tuple[str, list[str]]:
    """Return a name for what crossed the wire, and what it says, a line each.

    data is a handshake message with its header, or the content of an alert or ChangeCipherSpec record; version is the
    connection's.
    """
    if content_type == ContentType.CHANGE_CIPHER_SPEC:
        if version == ProtocolVersion.TLS1_2:
            return "ChangeCipherSpec", ["what this side sends from here on is encrypted"]
        return "ChangeCipherSpec", ["no meaning in TLS 1.3: it calms middleboxes that expect TLS 1.2"]
    if content_type == ContentType.ALERT:
        return "Alert", [_alert(data)]
    message_class = (_READERS12 if version == ProtocolVersion.TLS1_2 else _READERS13).get(data[0])
    if message_class is None:
        return name_of(HandshakeType, data[0]), [f"a message that {version_label(version)} does not have"]
    try:
        message = message_class.read(Reader(data, HEADER_SIZE))
    except TLSError as error:
        return name_of(HandshakeType, data[0]), [f"malformed: {error}"]
    said = _said12(message) if isinstance(message, MESSAGES12) else _said(message)
    return type(message).__name__, list(said)


def group_name(code: int) -> str:
    """Return a group's name as OpenSSL spells it, or its number."""
    group = GROUPS.get(code)
    return name_of(NamedGroup, code) if group is None else group.names[0]


def _alert(data: bytes) -> str:
    if len(data) != 2:
        return f"malformed: {len(data)} bytes"
    if data[1] == AlertDescription.CLOSE_NOTIFY:
        return "close_notify: no more data from this side"
    return f"{name_of(AlertDescription, data[1]).lower()} ({'fatal' if data[0] == 2 else 'warning'})"


def _listed(codes: Iterable[int], table: type[IntEnum]) -> str:
    return ", ".join(name_of(table, code) for code in codes)


def _said(message: Message) -> Iterable[str]:
    match message:
        case ClientHello():
            yield from _client_hello(message)
        case HelloRetryRequest():
            group = message.extensions.get(ExtensionType.KEY_SHARE)
            if group is not None:
                yield f"wants a key share of {group_name(group)}, which the client offered and did not send"
            if ExtensionType.COOKIE in message.extensions:
                yield "gives a cookie that must come back"
        case ServerHello():
            yield from _server_hello(message)
        case EncryptedExtensions():
            protocol = message.extensions.get(ExtensionType.ALPN)
            yield f"application protocol {protocol.decode(errors='replace')}" if protocol else "no further choices"
        case CertificateRequest():
            schemes = message.extensions.get(ExtensionType.SIGNATURE_ALGORITHMS, ())
            yield f"asks the client for a certificate; it may sign with {_listed(schemes, SignatureScheme).lower()}"
        case Certificate():
            yield from _certificate([entry.cert_data for entry in message.certificate_list])
        case CertificateVerify():
            yield f"a signature with {name_of(SignatureScheme, message.algorithm).lower()} over every message so far:"
            yield "whoever sent it has the private key of the certificate"
        case Finished():
            yield f"a {8 * len(message.verify_data)}-bit MAC over every message so far: nothing was altered on the way"
        case NewSessionTicket():
            yield f"a ticket to resume with, good for {message.ticket_lifetime} s"
        case KeyUpdate():
            yield "new keys for this direction" + (
                ", and the peer is asked for the same" if message.request_update else ""
            )


def _client_hello(hello: ClientHello) -> Iterable[str]:
    extensions = hello.extensions
    versions = extensions.get(ExtensionType.SUPPORTED_VERSIONS, (hello.legacy_version,))
    yield f"offers {', '.join(map(version_label, versions))}"
    known = [code for code in hello.cipher_suites if code in EVERY_SUITE]
    others = len(hello.cipher_suites) - len(known)
    yield f"suites {_listed(known, CipherSuite)}" + (f", and {others} that are not spoken here" if others else "")
    groups = extensions.get(ExtensionType.SUPPORTED_GROUPS, ())
    yield f"groups {', '.join(map(group_name, groups))}"
    shares = extensions.get(ExtensionType.KEY_SHARE, ())
    if shares:
        yield "key shares " + ", ".join(
            f"{group_name(share.group)} ({len(share.key_exchange)} bytes)" for share in shares
        )
    schemes = extensions.get(ExtensionType.SIGNATURE_ALGORITHMS, ())
    if schemes:
        yield f"verifies {len(schemes)} signature schemes, {name_of(SignatureScheme, schemes[0]).lower()} preferred"
    name = extensions.get(ExtensionType.SERVER_NAME)
    if name is not None:
        yield f"server name {name.decode(errors='replace')}"
    protocols = extensions.get(ExtensionType.ALPN)
    if protocols:
        yield "application protocols " + ", ".join(name.decode(errors="replace") for name in protocols)


def _server_hello(hello: ServerHello) -> Iterable[str]:
    version = hello.extensions.get(ExtensionType.SUPPORTED_VERSIONS, hello.legacy_version)
    yield f"chooses {version_label(version)} and {name_of(CipherSuite, hello.cipher_suite)}"
    share = hello.extensions.get(ExtensionType.KEY_SHARE)
    if share is not None:
        yield f"key share {group_name(share.group)} ({len(share.key_exchange)} bytes): both sides can now make keys"
    if version == ProtocolVersion.TLS1_3:
        yield "everything from here on is encrypted"


def _said12(message: Message) -> Iterable[str]:
    """The same for the messages that only TLS 1.2 has in this form."""
    match message:
        case messages12.Certificate():
            yield from _certificate(message.certificate_list)
        case messages12.CertificateRequest():
            schemes = _listed(message.supported_signature_algorithms, SignatureScheme).lower()
            yield f"asks the client for a certificate; it may sign with {schemes}"
        case messages12.CertificateStatus():
            yield f"an OCSP response of {len(message.response)} bytes"
        case messages12.ServerKeyExchange():
            yield "the server's half of the key exchange, signed with the certificate's key"
        case messages12.ClientKeyExchange():
            yield "the client's half of the key exchange: both sides can now make keys"
        case messages12.ServerHelloDone():
            yield "the server has said everything: the client is next"
        case messages12.HelloRequest():
            yield "asks for another handshake, which is refused"


def _certificate(chain: Sequence[bytes]) -> Iterable[str]:
    if not chain:
        yield "none: the sender has no certificate to show"
    for position, der in enumerate(chain):
        try:
            certificate = CERTIFICATES.parse(der)
            subject, issuer = certificate.description, certificate.issuer_description
            until = datetime.fromtimestamp(certificate.not_after, UTC).date()
        except ValueError as exc:
            yield f"{position}: malformed: {exc}"
        else:
            yield f"{position}: {subject}, issued by {issuer}, valid until {until}"
