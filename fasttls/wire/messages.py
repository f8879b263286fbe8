# cython: annotation_typing=True
"""The handshake messages of TLS 1.3, and the hellos that every version begins with (RFC 8446 §4).

Each message reads itself from a Reader that stands behind the four-byte header, and writes itself
whole. Reading raises DecodeError for anything that is not exactly the structure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

from fasttls.native._wire import Reader, Writer
from fasttls.wire.alerts import DecodeError, IllegalParameter
from fasttls.wire.extensions import Carrier, Extensions, read_extensions, write_extensions
from fasttls.wire.iana import ExtensionType, HandshakeType, ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_CERTIFICATE = Carrier.CERTIFICATE
_CERTIFICATE_REQUEST = Carrier.CERTIFICATE_REQUEST
_CLIENT_HELLO = Carrier.CLIENT_HELLO
_ENCRYPTED_EXTENSIONS = Carrier.ENCRYPTED_EXTENSIONS
_HELLO_RETRY_REQUEST = Carrier.HELLO_RETRY_REQUEST
_NEW_SESSION_TICKET = Carrier.NEW_SESSION_TICKET
_SERVER_HELLO = Carrier.SERVER_HELLO
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY

HEADER_SIZE = 4

# RFC 8446 §4.1.3: the random that makes a ServerHello a HelloRetryRequest (SHA-256 of its name).
HELLO_RETRY_REQUEST_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

# RFC 8446 §4.1.3: the last eight bytes of the random of a server that could have spoken more.
DOWNGRADE_TO_TLS1_2 = b"DOWNGRD\x01"
DOWNGRADE_BELOW_TLS1_2 = b"DOWNGRD\x00"


class Message:
    """A handshake message."""

    handshake_type = cast("HandshakeType", None)  # each message class has its own

    @classmethod
    def read(cls, reader: Reader) -> Message:
        """Read the body. Raises DecodeError or IllegalParameter."""
        raise NotImplementedError  # every message class has its own

    def write(self, writer: Writer) -> None:
        """Write the body."""
        raise NotImplementedError  # every message class has its own

    def encode(self) -> bytes:
        """Return the whole message, header included."""
        writer = Writer()
        writer.u8(self.handshake_type)
        writer.open(3)
        self.write(writer)
        writer.close()
        return writer.finish()


class Encoded(Message):
    """A message that is encoded already, header included."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def encode(self) -> bytes:
        """Return it."""
        return self._encoded


@dataclass
class ClientHello(Message):
    """struct ClientHello (RFC 8446 §4.1.2)."""

    handshake_type = HandshakeType.CLIENT_HELLO
    random: bytes
    legacy_session_id: bytes
    cipher_suites: tuple[int, ...]
    extensions: Extensions
    legacy_version: int = ProtocolVersion.TLS1_2
    legacy_compression_methods: bytes = b"\0"

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body; before TLS 1.3 the extensions may be absent altogether."""
        version = reader.u16()
        random = reader.raw(32)
        session_id = reader.vector(1, 0, 32)
        suites = reader.u16_vector(2)
        compression = reader.vector(1, 1)
        extensions = read_extensions(reader, _CLIENT_HELLO) if reader.more() else {}
        reader.end()
        if _PRE_SHARED_KEY in extensions and next(reversed(extensions)) != _PRE_SHARED_KEY:
            # RFC 8446 §4.2.11: it must be the last extension.
            raise IllegalParameter("pre_shared_key is not the last extension")
        return cls(random, session_id, suites, extensions, version, compression)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u16(self.legacy_version)
        writer.raw(self.random)
        writer.vector(1, self.legacy_session_id)
        writer.u16_vector(2, self.cipher_suites)
        writer.vector(1, self.legacy_compression_methods)
        if self.extensions:
            write_extensions(writer, _CLIENT_HELLO, self.extensions)


@dataclass
class ServerHello(Message):
    """struct ServerHello (RFC 8446 §4.1.3)."""

    handshake_type = HandshakeType.SERVER_HELLO
    random: bytes
    legacy_session_id_echo: bytes
    cipher_suite: int
    extensions: Extensions
    legacy_version: int = ProtocolVersion.TLS1_2
    legacy_compression_method: int = 0

    @classmethod
    def read(cls, reader: Reader) -> ServerHello | HelloRetryRequest:
        """Read the body, which is a HelloRetryRequest's when its random says so."""
        version = reader.u16()
        random = reader.raw(32)
        session_id = reader.vector(1, 0, 32)
        suite = reader.u16()
        compression = reader.u8()
        retry = random == HELLO_RETRY_REQUEST_RANDOM
        carrier = _HELLO_RETRY_REQUEST if retry else _SERVER_HELLO
        extensions = read_extensions(reader, carrier) if reader.more() else {}
        reader.end()
        if retry:
            return HelloRetryRequest(session_id, suite, extensions, version, compression)
        return cls(random, session_id, suite, extensions, version, compression)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u16(self.legacy_version)
        writer.raw(self.random)
        writer.vector(1, self.legacy_session_id_echo)
        writer.u16(self.cipher_suite)
        writer.u8(self.legacy_compression_method)
        if self.extensions:
            write_extensions(writer, _SERVER_HELLO, self.extensions)


@dataclass
class HelloRetryRequest(Message):
    """A ServerHello with the random that asks for another ClientHello (RFC 8446 §4.1.4)."""

    handshake_type = HandshakeType.SERVER_HELLO
    legacy_session_id_echo: bytes
    cipher_suite: int
    extensions: Extensions
    legacy_version: int = ProtocolVersion.TLS1_2
    legacy_compression_method: int = 0

    @classmethod
    def read(cls, reader: Reader) -> ServerHello | HelloRetryRequest:
        """Read the body; the form is ServerHello's."""
        return ServerHello.read(reader)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u16(self.legacy_version)
        writer.raw(HELLO_RETRY_REQUEST_RANDOM)
        writer.vector(1, self.legacy_session_id_echo)
        writer.u16(self.cipher_suite)
        writer.u8(self.legacy_compression_method)
        write_extensions(writer, _HELLO_RETRY_REQUEST, self.extensions)


@dataclass
class EncryptedExtensions(Message):
    """struct { Extension extensions<0..2^16-1>; } EncryptedExtensions (RFC 8446 §4.3.1)."""

    handshake_type = HandshakeType.ENCRYPTED_EXTENSIONS
    extensions: Extensions

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        extensions = read_extensions(reader, _ENCRYPTED_EXTENSIONS)
        reader.end()
        return cls(extensions)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        write_extensions(writer, _ENCRYPTED_EXTENSIONS, self.extensions)


@dataclass
class CertificateRequest(Message):
    """struct { opaque context<0..2^8-1>; Extension extensions<2..2^16-1>; } (RFC 8446 §4.3.2)."""

    handshake_type = HandshakeType.CERTIFICATE_REQUEST
    certificate_request_context: bytes
    extensions: Extensions

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        context = reader.vector(1)
        extensions = read_extensions(reader, _CERTIFICATE_REQUEST)
        reader.end()
        return cls(context, extensions)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.vector(1, self.certificate_request_context)
        write_extensions(writer, _CERTIFICATE_REQUEST, self.extensions)


@dataclass(frozen=True)
class CertificateEntry:
    """struct { opaque cert_data<1..2^24-1>; Extension extensions<0..2^16-1>; } (RFC 8446 §4.4.2)."""

    cert_data: bytes
    extensions: Extensions


@dataclass
class Certificate(Message):
    """struct { opaque context<0..2^8-1>; CertificateEntry list<0..2^24-1>; } (RFC 8446 §4.4.2)."""

    handshake_type = HandshakeType.CERTIFICATE
    certificate_request_context: bytes
    certificate_list: tuple[CertificateEntry, ...]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        context = reader.vector(1)
        listed = reader.sub(3)
        entries = []
        while listed.more():
            cert_data = listed.vector(3, 1)
            entries.append(CertificateEntry(cert_data, read_extensions(listed, _CERTIFICATE)))
        reader.end()
        return cls(context, tuple(entries))

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.vector(1, self.certificate_request_context)
        writer.open(3)
        for entry in self.certificate_list:
            writer.vector(3, entry.cert_data)
            write_extensions(writer, _CERTIFICATE, entry.extensions)
        writer.close()


@dataclass
class CertificateVerify(Message):
    """struct { SignatureScheme algorithm; opaque signature<0..2^16-1>; } (RFC 8446 §4.4.3)."""

    handshake_type = HandshakeType.CERTIFICATE_VERIFY
    algorithm: int
    signature: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        algorithm, signature = reader.u16(), reader.vector(2)
        reader.end()
        return cls(algorithm, signature)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u16(self.algorithm)
        writer.vector(2, self.signature)


@dataclass
class Finished(Message):
    """struct { opaque verify_data[Hash.length]; } Finished (RFC 8446 §4.4.4)."""

    handshake_type = HandshakeType.FINISHED
    verify_data: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body; how long it must be is known with the suite."""
        return cls(reader.rest())

    def check_size(self, size: int) -> None:
        """Raise DecodeError when verify_data is not of the size that the suite has (RFC 8446 §6)."""
        if len(self.verify_data) != size:
            raise DecodeError(f"Finished has {len(self.verify_data)} bytes, not {size}", reason="BAD_DIGEST_LENGTH")

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.raw(self.verify_data)


@dataclass
class NewSessionTicket(Message):
    """struct NewSessionTicket (RFC 8446 §4.6.1)."""

    handshake_type = HandshakeType.NEW_SESSION_TICKET
    ticket_lifetime: int  # seconds
    ticket_age_add: int
    ticket_nonce: bytes
    ticket: bytes
    extensions: Extensions

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        lifetime, age_add = reader.u32(), reader.u32()
        nonce, ticket = reader.vector(1), reader.vector(2, 1)
        extensions = read_extensions(reader, _NEW_SESSION_TICKET)
        reader.end()
        return cls(lifetime, age_add, nonce, ticket, extensions)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u32(self.ticket_lifetime)
        writer.u32(self.ticket_age_add)
        writer.vector(1, self.ticket_nonce)
        writer.vector(2, self.ticket)
        write_extensions(writer, _NEW_SESSION_TICKET, self.extensions)


@dataclass
class KeyUpdate(Message):
    """struct { KeyUpdateRequest request_update; } KeyUpdate (RFC 8446 §4.6.3)."""

    handshake_type = HandshakeType.KEY_UPDATE
    request_update: bool

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        request = reader.u8()
        reader.end()
        if request > 1:
            # RFC 8446 §4.6.3: any other value is answered with illegal_parameter.
            raise IllegalParameter(f"KeyUpdate asks for {request}")
        return cls(request == 1)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u8(self.request_update)


@dataclass
class EmptyMessage(Message):
    """A message without a body: struct {}."""

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the empty body."""
        reader.end()
        return cls()

    def write(self, writer: Writer) -> None:
        """Write the empty body."""


@dataclass
class EndOfEarlyData(EmptyMessage):
    """struct {} EndOfEarlyData (RFC 8446 §4.5)."""

    handshake_type = HandshakeType.END_OF_EARLY_DATA


MESSAGES: tuple[type[Message], ...] = (
    ClientHello,
    ServerHello,
    HelloRetryRequest,
    NewSessionTicket,
    EndOfEarlyData,
    EncryptedExtensions,
    Certificate,
    CertificateRequest,
    CertificateVerify,
    Finished,
    KeyUpdate,
)
"""Every message of TLS 1.3, for tests and diagrams that must see them all."""
