"""The handshake messages that only TLS 1.2 has, or has in another form (RFC 5246 §7.4).

ClientHello, ServerHello, CertificateVerify and Finished are those of `messages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Self

from fasttls.native._wire import Reader, Writer
from fasttls.wire.alerts import IllegalParameter
from fasttls.wire.iana import ECCurveType, HandshakeType
from fasttls.wire.messages import EmptyMessage, Message

_OCSP = 1


@dataclass
class HelloRequest(EmptyMessage):
    """struct {} HelloRequest (RFC 5246 §7.4.1.1)."""

    handshake_type = HandshakeType.HELLO_REQUEST


@dataclass
class Certificate(Message):
    """struct { ASN.1Cert certificate_list<0..2^24-1>; } Certificate (RFC 5246 §7.4.2)."""

    handshake_type = HandshakeType.CERTIFICATE
    certificate_list: tuple[bytes, ...]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        listed = reader.sub(3)
        certificates = []
        while listed.more():
            certificates.append(listed.vector(3, 1))
        reader.end()
        return cls(tuple(certificates))

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.open(3)
        for certificate in self.certificate_list:
            writer.vector(3, certificate)
        writer.close()


@dataclass
class CertificateStatus(Message):
    """struct { CertificateStatusType status_type; opaque response<1..2^24-1>; } (RFC 6066 §8)."""

    handshake_type = HandshakeType.CERTIFICATE_STATUS
    response: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body, an OCSP response."""
        kind, response = reader.u8(), reader.vector(3, 1)
        reader.end()
        if kind != _OCSP:
            raise IllegalParameter(f"a CertificateStatus of type {kind}")
        return cls(response)

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u8(_OCSP)
        writer.vector(3, self.response)


@dataclass
class ServerKeyExchange(Message):
    """ServerKeyExchange (RFC 5246 §7.4.3), whose form depends on the key exchange."""

    handshake_type = HandshakeType.SERVER_KEY_EXCHANGE
    body: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body; what it says is read when the key exchange is known."""
        return cls(reader.rest())

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.raw(self.body)


@dataclass
class CertificateRequest(Message):
    """struct CertificateRequest (RFC 5246 §7.4.4)."""

    handshake_type = HandshakeType.CERTIFICATE_REQUEST
    certificate_types: bytes
    supported_signature_algorithms: tuple[int, ...]
    certificate_authorities: tuple[bytes, ...]

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        types = reader.vector(1, 1)
        algorithms = reader.u16_vector(2)
        listed = reader.sub(2)
        names = []
        while listed.more():
            names.append(listed.vector(2, 1))
        reader.end()
        return cls(types, algorithms, tuple(names))

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.vector(1, self.certificate_types)
        writer.u16_vector(2, self.supported_signature_algorithms)
        writer.open(2)
        for name in self.certificate_authorities:
            writer.vector(2, name)
        writer.close()


@dataclass
class ServerHelloDone(EmptyMessage):
    """struct {} ServerHelloDone (RFC 5246 §7.4.5)."""

    handshake_type = HandshakeType.SERVER_HELLO_DONE


@dataclass
class NewSessionTicket(Message):
    """struct { uint32 ticket_lifetime_hint; opaque ticket<0..2^16-1>; } NewSessionTicket (RFC 5077 §3.3)."""

    handshake_type = HandshakeType.NEW_SESSION_TICKET
    ticket_lifetime_hint: int  # seconds, 0 when the server does not say
    ticket: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body."""
        found = cls(reader.u32(), reader.vector(2))
        reader.end()
        return found

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.u32(self.ticket_lifetime_hint)
        writer.vector(2, self.ticket)


@dataclass
class ClientKeyExchange(Message):
    """ClientKeyExchange (RFC 5246 §7.4.7), whose form depends on the key exchange."""

    handshake_type = HandshakeType.CLIENT_KEY_EXCHANGE
    body: bytes

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """Read the body; what it says is read when the key exchange is known."""
        return cls(reader.rest())

    def write(self, writer: Writer) -> None:
        """Write the body."""
        writer.raw(self.body)


class ServerEcdhParams(NamedTuple):
    """struct ServerECDHParams with a named curve (RFC 8422 §5.4)."""

    group: int
    public: bytes

    def encode(self) -> bytes:
        """Return the bytes, which the server signs."""
        writer = Writer()
        writer.u8(ECCurveType.NAMED_CURVE)
        writer.u16(self.group)
        writer.vector(1, self.public)
        return writer.finish()


class ServerDhParams(NamedTuple):
    """struct { opaque dh_p<1..2^16-1>; dh_g; dh_Ys; } ServerDHParams (RFC 5246 §7.4.3)."""

    prime: bytes
    generator: bytes
    public: bytes

    def encode(self) -> bytes:
        """Return the bytes, which the server signs."""
        writer = Writer()
        for part in self:
            writer.vector(2, part)
        return writer.finish()


class SignedParams(NamedTuple):
    """The parameters of a ServerKeyExchange, as bytes, and the signature over them."""

    params: bytes
    algorithm: int
    signature: bytes

    def encode(self) -> bytes:
        """Return the body of the message."""
        writer = Writer()
        writer.raw(self.params)
        writer.u16(self.algorithm)
        writer.vector(2, self.signature)
        return writer.finish()


def read_ecdhe(body: bytes) -> tuple[ServerEcdhParams, SignedParams]:
    """Read the ServerKeyExchange of ECDHE. Raises DecodeError, or IllegalParameter for an unnamed curve."""
    reader = Reader(body)
    kind = reader.u8()
    if kind != ECCurveType.NAMED_CURVE:
        # RFC 8422 §5.4: the other forms are not to be used.
        raise IllegalParameter(f"ServerKeyExchange has a curve of type {kind}", reason="WRONG_CURVE")
    found = ServerEcdhParams(reader.u16(), reader.vector(1, 1))
    return found, _signed(reader, body, found.encode())


def read_dhe(body: bytes) -> tuple[ServerDhParams, SignedParams]:
    """Read the ServerKeyExchange of DHE. Raises DecodeError."""
    reader = Reader(body)
    found = ServerDhParams(*(reader.vector(2, 1) for _ in range(3)))
    return found, _signed(reader, body, found.encode())


def _signed(reader: Reader, body: bytes, params: bytes) -> SignedParams:
    assert body.startswith(params)
    algorithm, signature = reader.u16(), reader.vector(2)
    reader.end()
    return SignedParams(params, algorithm, signature)


def read_public(body: bytes, width: int) -> bytes:
    """Read a ClientKeyExchange: one vector whose length has width bytes. Raises DecodeError."""
    reader = Reader(body)
    public: bytes = reader.vector(width, 1)
    reader.end()
    return public


def write_public(public: bytes, width: int) -> ClientKeyExchange:
    """Return the ClientKeyExchange that holds one vector."""
    writer = Writer()
    writer.vector(width, public)
    return ClientKeyExchange(writer.finish())


class ChangeCipherSpec:
    """The ChangeCipherSpec record, for the handler tables: no handshake message (RFC 5246 §7.1)."""


MESSAGES12: tuple[type[Message], ...] = (
    HelloRequest,
    Certificate,
    CertificateStatus,
    ServerKeyExchange,
    CertificateRequest,
    ServerHelloDone,
    NewSessionTicket,
    ClientKeyExchange,
)
"""The messages of TLS 1.2 beside those that it shares with `messages.MESSAGES`."""
