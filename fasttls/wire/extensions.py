"""The extensions: one table of what each may hold, and in which messages (RFC 8446 §4.2).

A row gives, for each message that may carry the extension, how its data is read and written. An
extension block is a dict from the code point to the value that the row's reader returns; the data
of an extension without a row stays bytes. Each reader's docstring is the structure it mirrors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from fasttls.native._wire import Reader, Writer
from fasttls.wire.alerts import DecodeError, IllegalParameter
from fasttls.wire.iana import ExtensionType, name_of

Extensions = dict[int, Any]


class Carrier(Enum):
    """The messages that carry extensions; Certificate stands for each of its entries."""

    __hash__ = object.__hash__  # each is itself alone, and the hash of its name costs more than what it finds

    CLIENT_HELLO = "ClientHello"
    SERVER_HELLO = "ServerHello"
    HELLO_RETRY_REQUEST = "HelloRetryRequest"
    ENCRYPTED_EXTENSIONS = "EncryptedExtensions"
    CERTIFICATE = "Certificate"
    CERTIFICATE_REQUEST = "CertificateRequest"
    NEW_SESSION_TICKET = "NewSessionTicket"


@dataclass(frozen=True)
class KeyShareEntry:
    """struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } (RFC 8446 §4.2.8)."""

    group: int
    key_exchange: bytes


@dataclass(frozen=True)
class PskIdentity:
    """struct { opaque identity<1..2^16-1>; uint32 obfuscated_ticket_age; } (RFC 8446 §4.2.11)."""

    identity: bytes
    obfuscated_ticket_age: int


@dataclass(frozen=True)
class OfferedPsks:
    """The identities and binders of a ClientHello's pre_shared_key (RFC 8446 §4.2.11)."""

    identities: tuple[PskIdentity, ...]
    binders: tuple[bytes, ...]


HOST_NAME = 0
OCSP = 1


class Codec:
    """How one extension is read from and written to one kind of message."""

    def read(self, reader: Reader) -> Any:
        """Read the data. Raises DecodeError or IllegalParameter."""
        raise NotImplementedError  # every codec has its own

    def write(self, writer: Writer, value: Any) -> None:
        """Write the data of a value that read() could have returned."""
        raise NotImplementedError  # every codec has its own


class _Empty(Codec):
    """struct {} Empty;"""

    def read(self, reader: Reader) -> None:
        return None

    def write(self, writer: Writer, value: None) -> None:
        return


class _Raw(Codec):
    """opaque data[...], as much as there is."""

    def read(self, reader: Reader) -> bytes:
        return reader.rest()

    def write(self, writer: Writer, value: bytes) -> None:
        writer.raw(value)


class _U16(Codec):
    """uint16"""

    def read(self, reader: Reader) -> int:
        return reader.u16()

    def write(self, writer: Writer, value: int) -> None:
        writer.u16(value)


class _U32(Codec):
    """uint32"""

    def read(self, reader: Reader) -> int:
        return reader.u32()

    def write(self, writer: Writer, value: int) -> None:
        writer.u32(value)


class _U16s(Codec):
    """uint16 values<2..2^16-2>"""

    def read(self, reader: Reader) -> tuple[int, ...]:
        return reader.u16_vector(2)

    def write(self, writer: Writer, values: tuple[int, ...]) -> None:
        writer.u16_vector(2, values)


class _U8s(Codec):
    """uint8 values<1..255>"""

    def read(self, reader: Reader) -> tuple[int, ...]:
        return tuple(reader.vector(1, 1))

    def write(self, writer: Writer, values: tuple[int, ...]) -> None:
        writer.vector(1, bytes(values))


class _ServerName(Codec):
    """struct { NameType name_type; HostName name<1..2^16-1>; } server_name_list<1..2^16-1> (RFC 6066 §3)"""

    def read(self, reader: Reader) -> bytes | None:
        names = reader.sub(2, 1)
        host: bytes | None = None
        while names.more():
            name_type = names.u8()
            name = names.vector(2, 1)
            if name_type != HOST_NAME:
                continue
            if host is not None:
                # RFC 6066 §3: not more than one name of the same type.
                raise IllegalParameter("two host names in one server_name")
            host = name
        return host

    def write(self, writer: Writer, name: bytes) -> None:
        writer.open(2)
        writer.u8(HOST_NAME)
        writer.vector(2, name)
        writer.close()


def _read_protocols(reader: Reader) -> tuple[bytes, ...]:
    names = reader.sub(2, 2)
    found = []
    while names.more():
        found.append(names.vector(1, 1))
    return tuple(found)


def _write_protocols(writer: Writer, names: tuple[bytes, ...]) -> None:
    writer.open(2)
    for name in names:
        writer.vector(1, name)
    writer.close()


class _Protocols(Codec):
    """opaque ProtocolName<1..2^8-1>; ProtocolName protocol_name_list<2..2^16-1> (RFC 7301 §3.1)"""

    def read(self, reader: Reader) -> tuple[bytes, ...]:
        return _read_protocols(reader)

    def write(self, writer: Writer, names: tuple[bytes, ...]) -> None:
        _write_protocols(writer, names)


class _Protocol(Codec):
    """The same list with exactly one name (RFC 7301 §3.1)"""

    def read(self, reader: Reader) -> bytes:
        names = _read_protocols(reader)
        if len(names) != 1:
            raise DecodeError(f"{len(names)} protocols were selected, one is wanted")
        return names[0]

    def write(self, writer: Writer, name: bytes) -> None:
        _write_protocols(writer, (name,))


class _Versions(Codec):
    """ProtocolVersion versions<2..254>"""

    def read(self, reader: Reader) -> tuple[int, ...]:
        return reader.u16_vector(1)

    def write(self, writer: Writer, versions: tuple[int, ...]) -> None:
        writer.u16_vector(1, versions)


def _read_key_share(reader: Reader) -> KeyShareEntry:
    return KeyShareEntry(reader.u16(), reader.vector(2, 1))


def _write_key_share(writer: Writer, share: KeyShareEntry) -> None:
    writer.u16(share.group)
    writer.vector(2, share.key_exchange)


class _KeyShare(Codec):
    """struct { NamedGroup group; opaque key_exchange<1..2^16-1>; } KeyShareEntry"""

    def read(self, reader: Reader) -> KeyShareEntry:
        return _read_key_share(reader)

    def write(self, writer: Writer, share: KeyShareEntry) -> None:
        _write_key_share(writer, share)


class _KeyShares(Codec):
    """KeyShareEntry client_shares<0..2^16-1>"""

    def read(self, reader: Reader) -> tuple[KeyShareEntry, ...]:
        shares = reader.sub(2)
        found: dict[int, KeyShareEntry] = {}
        while shares.more():
            share = _read_key_share(shares)
            if share.group in found:
                # RFC 8446 §4.2.8: not two values for the same group.
                raise IllegalParameter(f"two key shares for group 0x{share.group:04x}")
            found[share.group] = share
        return tuple(found.values())

    def write(self, writer: Writer, shares: tuple[KeyShareEntry, ...]) -> None:
        writer.open(2)
        for share in shares:
            _write_key_share(writer, share)
        writer.close()


class _Cookie(Codec):
    """opaque cookie<1..2^16-1>"""

    def read(self, reader: Reader) -> bytes:
        return reader.vector(2, 1)

    def write(self, writer: Writer, cookie: bytes) -> None:
        writer.vector(2, cookie)


class _Authorities(Codec):
    """opaque DistinguishedName<1..2^16-1>; DistinguishedName authorities<3..2^16-1>"""

    def read(self, reader: Reader) -> tuple[bytes, ...]:
        names = reader.sub(2, 3)
        found = []
        while names.more():
            found.append(names.vector(2, 1))
        return tuple(found)

    def write(self, writer: Writer, names: tuple[bytes, ...]) -> None:
        writer.open(2)
        for name in names:
            writer.vector(2, name)
        writer.close()


class _OfferedPsks(Codec):
    """PskIdentity identities<7..2^16-1>; PskBinderEntry binders<33..2^16-1>"""

    def read(self, reader: Reader) -> OfferedPsks:
        listed = reader.sub(2, 7)
        identities = []
        while listed.more():
            identities.append(PskIdentity(listed.vector(2, 1), listed.u32()))
        listed = reader.sub(2, 33)
        binders = []
        while listed.more():
            binders.append(listed.vector(1, 32))
        if len(binders) != len(identities):
            raise IllegalParameter(f"{len(identities)} identities and {len(binders)} binders")
        return OfferedPsks(tuple(identities), tuple(binders))

    def write(self, writer: Writer, offered: OfferedPsks) -> None:
        psks = offered  # a C structure, where this is compiled
        writer.open(2)
        for one in psks.identities:
            writer.vector(2, one.identity)
            writer.u32(one.obfuscated_ticket_age)
        writer.close()
        writer.open(2)
        for binder in psks.binders:
            writer.vector(1, binder)
        writer.close()


class _Status(Codec):
    """struct { CertificateStatusType status_type; opaque OCSPResponse<1..2^24-1>; } (RFC 6066 §8)"""

    def read(self, reader: Reader) -> bytes:
        if (status_type := reader.u8()) != OCSP:
            raise DecodeError(f"certificate status of type {status_type}")
        return reader.vector(3, 1)

    def write(self, writer: Writer, response: bytes) -> None:
        writer.u8(OCSP)
        writer.vector(3, response)


class _StatusRequest(_Raw):
    """struct { CertificateStatusType status_type; OCSPStatusRequest request; } (RFC 6066 §8), as it stands there."""

    def read(self, reader: Reader) -> bytes:
        data: bytes = reader.rest()
        inner = Reader(data)
        if inner.u8() == OCSP:
            inner.vector(2)
            inner.vector(2)
            inner.end()
        return data


class _OidFilters(Codec):
    """struct { opaque oid<1..2^8-1>; opaque values<0..2^16-1>; } OIDFilter filters<0..2^16-1> (RFC 8446 §4.2.5)."""

    def read(self, reader: Reader) -> tuple[tuple[bytes, bytes], ...]:
        listed = reader.sub(2)
        found: dict[bytes, bytes] = {}
        while listed.more():
            oid, values = listed.vector(1, 1), listed.vector(2)
            if oid in found:
                raise IllegalParameter("the same OID filter twice")
            found[oid] = values
        return tuple(found.items())

    def write(self, writer: Writer, filters: tuple[tuple[bytes, bytes], ...]) -> None:
        writer.open(2)
        for oid, values in filters:
            writer.vector(1, oid)
            writer.vector(2, values)
        writer.close()


class _Vector16(Codec):
    """opaque data<1..2^16-1>"""

    def read(self, reader: Reader) -> bytes:
        return reader.vector(2, 1)

    def write(self, writer: Writer, data: bytes) -> None:
        writer.vector(2, data)


class _Vector8(Codec):
    """opaque renegotiated_connection<0..255> (RFC 5746 §3.2)"""

    def read(self, reader: Reader) -> bytes:
        return reader.vector(1)

    def write(self, writer: Writer, data: bytes) -> None:
        writer.vector(1, data)


EMPTY = _Empty()
RAW = _Raw()
U16 = _U16()
U32 = _U32()
U16S = _U16s()
U8S = _U8s()
SERVER_NAME = _ServerName()
PROTOCOLS = _Protocols()
PROTOCOL = _Protocol()
VERSIONS = _Versions()
KEY_SHARE = _KeyShare()
KEY_SHARES = _KeyShares()
COOKIE = _Cookie()
AUTHORITIES = _Authorities()
OFFERED_PSKS = _OfferedPsks()
STATUS = _Status()
STATUS_REQUEST = _StatusRequest()
OID_FILTERS = _OidFilters()
VECTOR16 = _Vector16()
VECTOR8 = _Vector8()


@dataclass(frozen=True, slots=True)
class Row:
    """One extension: in which messages it may be, and its form in each.

    offered_first says that it answers the same extension of the peer's earlier message, so that
    an unsolicited one is refused (RFC 8446 §4.2).
    """

    code: ExtensionType
    codecs: Mapping[Carrier, Codec]
    offered_first: bool = True


CH = Carrier.CLIENT_HELLO
SH = Carrier.SERVER_HELLO
HRR = Carrier.HELLO_RETRY_REQUEST
EE = Carrier.ENCRYPTED_EXTENSIONS
CT = Carrier.CERTIFICATE
CR = Carrier.CERTIFICATE_REQUEST
NST = Carrier.NEW_SESSION_TICKET

# RFC 8446 §4.2's table, and the extensions of TLS 1.2's ServerHello.
TABLE = (
    Row(ExtensionType.SERVER_NAME, {CH: SERVER_NAME, SH: EMPTY, EE: EMPTY}),
    Row(ExtensionType.STATUS_REQUEST, {CH: STATUS_REQUEST, SH: EMPTY, CR: EMPTY, CT: STATUS}),
    # Some load balancers echo it in TLS 1.2's ServerHello, where it says nothing and RFC 8422 §4 does not have it.
    Row(ExtensionType.SUPPORTED_GROUPS, {CH: U16S, SH: RAW, EE: U16S}),
    Row(ExtensionType.EC_POINT_FORMATS, {CH: U8S, SH: U8S}),
    Row(ExtensionType.SIGNATURE_ALGORITHMS, {CH: U16S, CR: U16S}),
    Row(ExtensionType.ALPN, {CH: PROTOCOLS, SH: PROTOCOL, EE: PROTOCOL}),
    Row(ExtensionType.SIGNED_CERTIFICATE_TIMESTAMP, {CH: EMPTY, SH: VECTOR16, CR: EMPTY, CT: VECTOR16}),
    Row(ExtensionType.PADDING, {CH: RAW}),
    Row(ExtensionType.EXTENDED_MASTER_SECRET, {CH: EMPTY, SH: EMPTY}),
    Row(ExtensionType.RECORD_SIZE_LIMIT, {CH: U16, SH: U16, EE: U16}),
    Row(ExtensionType.SESSION_TICKET, {CH: RAW, SH: EMPTY}),
    Row(ExtensionType.PRE_SHARED_KEY, {CH: OFFERED_PSKS, SH: U16}),
    Row(ExtensionType.EARLY_DATA, {CH: EMPTY, EE: EMPTY, NST: U32}),
    Row(ExtensionType.SUPPORTED_VERSIONS, {CH: VERSIONS, SH: U16, HRR: U16}),
    # A HelloRetryRequest may bring a cookie that nobody asked for.
    Row(ExtensionType.COOKIE, {CH: COOKIE, HRR: COOKIE}, offered_first=False),
    Row(ExtensionType.PSK_KEY_EXCHANGE_MODES, {CH: U8S}),
    Row(ExtensionType.CERTIFICATE_AUTHORITIES, {CH: AUTHORITIES, CR: AUTHORITIES}),
    Row(ExtensionType.OID_FILTERS, {CR: OID_FILTERS}),
    Row(ExtensionType.POST_HANDSHAKE_AUTH, {CH: EMPTY}),
    Row(ExtensionType.SIGNATURE_ALGORITHMS_CERT, {CH: U16S, CR: U16S}),
    Row(ExtensionType.KEY_SHARE, {CH: KEY_SHARES, SH: KEY_SHARE, HRR: U16}),
    Row(ExtensionType.RENEGOTIATION_INFO, {CH: VECTOR8, SH: VECTOR8}),
)

_ROWS: Mapping[int, Row] = {row.code: row for row in TABLE}
_NEED_NO_OFFER = frozenset(row.code for row in TABLE if not row.offered_first)

# The same table by the message.
_CODECS: Mapping[Carrier, Mapping[int, Codec]] = {
    carrier: {row.code: row.codecs[carrier] for row in TABLE if carrier in row.codecs} for carrier in Carrier
}


def read_extensions(reader: Reader, carrier: Carrier) -> Extensions:
    """Extension extensions<0..2^16-1>, in wire order.

    Raises IllegalParameter for a duplicate, and for an extension that this message must not carry
    (RFC 8446 §4.2); DecodeError for data that does not have its form.
    """
    block = reader.sub(2)
    found: Extensions = {}
    if not block.more():
        return found
    codecs = _CODECS[carrier]
    while block.more():
        code = block.u16()
        data = block.sub(2)
        if code in found:
            raise IllegalParameter(f"{carrier.value} has the extension {name_of(ExtensionType, code)} twice")
        codec = codecs.get(code)
        if codec is not None:
            found[code] = codec.read(data)
            data.end()
        elif code in _ROWS:
            raise IllegalParameter(f"{carrier.value} must not have the extension {_ROWS[code].code.name}")
        else:
            found[code] = data.rest()
    return found


def write_extensions(writer: Writer, carrier: Carrier, extensions: Extensions) -> None:
    """Write the block, in the order of the dict; values without a row must be bytes."""
    writer.open(2)
    if extensions:
        codecs = _CODECS[carrier]
        for code, value in extensions.items():
            writer.u16(code)
            writer.open(2)
            codec = codecs.get(code)
            if codec is not None:
                codec.write(writer, value)
            elif code in _ROWS:
                raise KeyError(f"{carrier.value} has no extension {_ROWS[code].code.name}")
            else:
                writer.raw(value)
            writer.close()
    writer.close()


def unsolicited(extensions: Extensions, offered: Extensions) -> int | None:
    """Return the first code of an answer that the offer did not have, or None (RFC 8446 §4.2)."""
    for code in extensions:
        if code not in offered and code not in _NEED_NO_OFFER:
            return code
    return None
