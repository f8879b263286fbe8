"""Every extension in every message: where it may be, its form, duplicates, answers nobody asked for (RFC 8446 §4.2)."""

from __future__ import annotations

from collections.abc import Callable

import certs
import pytest
from harness import Alter, Pair, client_config, credential, extension_block, on_type, read_block, refused, server_config

from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import DecodeError, IllegalParameter, TLSError, UnsupportedExtension
from fasttls.wire.extensions import TABLE, Carrier
from fasttls.wire.iana import ExtensionType

X = ExtensionType
Block = list[tuple[int, bytes]]
ONLY13 = {"minimum_version": 0x0304}
UNKNOWN = 0x7A7B

# RFC 8446 §4.2's table of where each extension may be; what this library does not name is unknown to it.
CH, SH, EE, CT, CR, NST, HRR = (
    Carrier.CLIENT_HELLO,
    Carrier.SERVER_HELLO,
    Carrier.ENCRYPTED_EXTENSIONS,
    Carrier.CERTIFICATE,
    Carrier.CERTIFICATE_REQUEST,
    Carrier.NEW_SESSION_TICKET,
    Carrier.HELLO_RETRY_REQUEST,
)
PLACES: dict[int, set[Carrier]] = {
    X.SERVER_NAME: {CH, EE},
    X.STATUS_REQUEST: {CH, CR, CT},
    X.SUPPORTED_GROUPS: {CH, EE},
    X.SIGNATURE_ALGORITHMS: {CH, CR},
    X.ALPN: {CH, EE},
    X.SIGNED_CERTIFICATE_TIMESTAMP: {CH, CR, CT},
    X.PADDING: {CH},
    X.KEY_SHARE: {CH, SH, HRR},
    X.PRE_SHARED_KEY: {CH, SH},
    X.PSK_KEY_EXCHANGE_MODES: {CH},
    X.EARLY_DATA: {CH, EE, NST},
    X.COOKIE: {CH, HRR},
    X.SUPPORTED_VERSIONS: {CH, SH, HRR},
    X.CERTIFICATE_AUTHORITIES: {CH, CR},
    X.OID_FILTERS: {CR},
    X.POST_HANDSHAKE_AUTH: {CH},
    X.SIGNATURE_ALGORITHMS_CERT: {CH, CR},
}
# Those of other documents: RFC 8449, and TLS 1.2's, which are named there or have no place but a hello.
OTHERS: dict[int, set[Carrier]] = {
    X.RECORD_SIZE_LIMIT: {CH, EE},
    X.EC_POINT_FORMATS: {CH},
    X.EXTENDED_MASTER_SECRET: {CH},
    X.SESSION_TICKET: {CH},
    X.RENEGOTIATION_INFO: {CH},
}


def test_the_table_has_what_the_rfc_has() -> None:
    """Each extension may be where the RFC puts it, and nowhere else; TLS 1.2's ServerHello aside."""
    assert {int(row.code) for row in TABLE} == {int(code) for code in PLACES | OTHERS} == {int(code) for code in X}
    for row in TABLE:
        places = (PLACES | OTHERS)[row.code]
        assert set(row.codecs) - {SH} == places - {SH}, row.code.name
        assert places & {SH} <= set(row.codecs), row.code.name


def on_block(change: Callable[[Block], Block], *, skip: Callable[[bytes], int], handshake_type: int) -> Alter:
    """Alter the extension block of a message, which begins where skip says and ends the body."""

    def on(body: bytes) -> bytes:
        at = skip(body)
        return body[:at] + extension_block(change(read_block(body[at:])))

    return on_type(handshake_type, on)


def after_client_hello_fields(body: bytes) -> int:
    """Return where the extensions of a ClientHello begin."""
    at = 35 + body[34]
    at += 2 + int.from_bytes(body[at : at + 2], "big")
    return at + 1 + body[at]


def in_entry(change: Callable[[Block], Block]) -> Alter:
    """Alter the extension block of the first entry of a Certificate with one entry."""

    def on(body: bytes) -> bytes:
        size = int.from_bytes(body[4:7], "big")
        entry = body[4 : 7 + size] + extension_block(change(read_block(body[7 + size :])))
        return body[:1] + len(entry).to_bytes(3, "big") + entry

    return on_type(11, on)


def carried(carrier: Carrier, change: Callable[[Block], Block]) -> Alter:
    """Alter the extensions of the message that is named."""
    if carrier is CT:
        return in_entry(change)
    kind, skip = {
        CH: (1, after_client_hello_fields),
        SH: (2, lambda body: 35 + body[34] + 3),
        HRR: (2, lambda body: 35 + body[34] + 3),
        EE: (8, lambda body: 0),
        CR: (13, lambda body: 1),
    }[carrier]
    return on_block(change, skip=skip, handshake_type=kind)


def meet(carrier: Carrier, change: Callable[[Block], Block], error: type[TLSError]) -> TLSError:
    """Let the receiver of a message refuse it."""
    alter = carried(carrier, change)
    server = server_config(**ONLY13)
    client = client_config(**ONLY13)
    if carrier is HRR:
        server = server_config(**ONLY13, groups=(23,), key_shares=(23,))
    if carrier is CR:
        server = server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED)
        client = client_config(**ONLY13, credentials=(credential(certs.client_credential()),))
    side = "server" if carrier is CH else "client"
    readable = carrier not in (SH, HRR)
    return refused(side, error, alter=alter, client=client, server=server, readable=readable)


CARRIERS = [CH, SH, HRR, EE, CR, CT]
MISPLACED = [
    (carrier, code) for carrier in CARRIERS for code, places in (PLACES | OTHERS).items() if carrier not in places
]


def case(value: object) -> str:
    """Name a case."""
    return value.value if isinstance(value, Carrier) else getattr(value, "name", str(value)).lower()


@pytest.mark.parametrize(("carrier", "code"), MISPLACED, ids=case)
def test_an_extension_that_the_message_does_not_have_is_illegal_parameter(carrier: Carrier, code: int) -> None:
    """RFC 8446 §4.2: recognized, and not specified for the message. An unsolicited answer may be told as such."""
    sample = {X.SERVER_NAME: b"", X.ALPN: b"\0\3\2h2", X.SESSION_TICKET: b"", X.RENEGOTIATION_INFO: b"\0"}

    def add(block: Block) -> Block:
        return [*(entry for entry in block if entry[0] != code), (code, sample.get(code, b""))]

    failure = meet(carrier, add, TLSError)
    expected = (IllegalParameter,)
    if carrier is SH:
        # A row for TLS 1.2's ServerHello reads it before it is known that this one is of TLS 1.3.
        expected = (IllegalParameter, UnsupportedExtension, DecodeError)
    assert isinstance(failure, expected)


@pytest.mark.parametrize("carrier", CARRIERS, ids=case)
def test_a_duplicate_is_illegal_parameter(carrier: Carrier) -> None:
    """RFC 8446 §4.2: not more than one extension of the same type in a block; the unknown ones too."""
    meet(carrier, lambda block: [*block, (UNKNOWN, b""), (UNKNOWN, b"")], IllegalParameter)
    if carrier not in (EE, CT):
        meet(carrier, lambda block: [*block, block[0]], IllegalParameter)


@pytest.mark.parametrize("carrier", [SH, HRR, EE, CT], ids=case)
def test_an_answer_to_nothing_is_unsupported_extension(carrier: Carrier) -> None:
    """RFC 8446 §4.2: extension responses that were not requested."""
    meet(carrier, lambda block: [*block, (UNKNOWN, b"data")], UnsupportedExtension)


@pytest.mark.parametrize("carrier", [CH, CR], ids=case)
def test_an_unknown_extension_of_a_request_is_passed_over(carrier: Carrier) -> None:
    """RFC 8446 §4.1.2, §4.3.2, and RFC 8701's reserved values."""
    alter = carried(carrier, lambda block: [(0x0A0A, b""), *block, (0xFAFA, b"\0"), (UNKNOWN, b"data")])
    side = "client_alters" if carrier is CH else "server_alters"
    server = server_config(**ONLY13, peer_certificate=PeerCertificate.OPTIONAL)
    Pair(client_config(**ONLY13), server, **{side: alter}).connect()


@pytest.mark.parametrize("carrier", CARRIERS, ids=case)
@pytest.mark.parametrize(
    "wrong", [b"", b"\0", b"\0\1", b"\0\4\0\x33\0\1", b"\xff\xff"], ids=lambda b: b.hex() or "none"
)
def test_a_block_that_is_no_block(carrier: Carrier, wrong: bytes) -> None:
    """A length without its bytes, an extension without its data: decode_error, or what is missing then."""

    def cut(body: bytes, at: int) -> bytes:
        return body[:at] + wrong

    kinds = {CH: 1, SH: 2, HRR: 2, EE: 8, CR: 13, CT: 11}
    starts: dict[Carrier, Callable[[bytes], int]] = {
        CH: after_client_hello_fields,
        SH: lambda body: 35 + body[34] + 3,
        HRR: lambda body: 35 + body[34] + 3,
        EE: lambda body: 0,
        CR: lambda body: 1,
        CT: lambda body: 7 + int.from_bytes(body[4:7], "big"),
    }
    alter = on_type(kinds[carrier], lambda body: cut(body, starts[carrier](body)))
    server = {"groups": (23,), "key_shares": (23,)} if carrier is HRR else {}
    if carrier is CR:
        server = {"peer_certificate": PeerCertificate.REQUIRED}
    side = "server" if carrier is CH else "client"
    error: type[TLSError] = TLSError if wrong == b"" and carrier in (CH, SH, HRR) else DecodeError
    refused(
        side,
        error,
        alter=alter,
        client=client_config(**ONLY13),
        server=server_config(**ONLY13, **server),
        readable=carrier not in (SH, HRR),
    )


# One well-formed value of each extension of a ClientHello.
WELL_FORMED: dict[int, bytes] = {
    X.SERVER_NAME: b"\0\x0c\0\0\x09localhost",
    X.SUPPORTED_GROUPS: b"\0\6\x11\xec\0\x1d\0\x17",
    X.EC_POINT_FORMATS: b"\1\0",
    X.SIGNATURE_ALGORITHMS: b"\0\2\4\3",
    X.ALPN: b"\0\3\2h2",
    X.SIGNED_CERTIFICATE_TIMESTAMP: b"",
    X.EXTENDED_MASTER_SECRET: b"",
    X.RECORD_SIZE_LIMIT: b"\x40\1",
    X.SUPPORTED_VERSIONS: b"\2\3\4",
    X.COOKIE: b"\0\1c",
    X.PSK_KEY_EXCHANGE_MODES: b"\1\1",
    X.CERTIFICATE_AUTHORITIES: b"\0\4\0\2\x30\0",
    X.POST_HANDSHAKE_AUTH: b"",
    X.SIGNATURE_ALGORITHMS_CERT: b"\0\2\4\3",
    X.KEY_SHARE: b"\0\x24\0\x1d\0\x20" + b"\x09" + bytes(31),
    X.RENEGOTIATION_INFO: b"\0",
}


def replaced(code: int, data: bytes) -> Callable[[Block], Block]:
    """Set the data of an extension."""
    return lambda block: [*(entry for entry in block if entry[0] != code), (code, data)]


@pytest.mark.parametrize("code", WELL_FORMED, ids=case)
def test_a_well_formed_one_is_taken(code: int) -> None:
    pair = Pair(server_config_=server_config(**ONLY13), client_alters=carried(CH, replaced(code, WELL_FORMED[code])))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    assert pair.server.error is None
    assert pair.server.take_output()


@pytest.mark.parametrize("code", WELL_FORMED, ids=case)
def test_bytes_behind_the_data_are_a_decode_error(code: int) -> None:
    meet(CH, replaced(code, WELL_FORMED[code] + b"\0"), DecodeError)


@pytest.mark.parametrize("code", [code for code, data in WELL_FORMED.items() if data], ids=case)
def test_data_cut_short_anywhere_is_a_decode_error(code: int) -> None:
    data = WELL_FORMED[code]
    for size in range(min(len(data), 12)):
        meet(CH, replaced(code, data[:size]), DecodeError)


EMPTY_LISTS: dict[int, list[bytes]] = {
    X.SERVER_NAME: [b"\0\0", b"\0\3\0\0\0"],
    X.SUPPORTED_GROUPS: [b"\0\0", b"\0\1\0", b"\0\3\0\x17\0"],
    X.SIGNATURE_ALGORITHMS: [b"\0\0", b"\0\1\4", b"\0\3\4\3\4"],
    X.ALPN: [b"\0\0", b"\0\1\0", b"\0\4\2h2\0", b"\0\2\2h"],
    X.SUPPORTED_VERSIONS: [b"\0", b"\1\3", b"\3\3\4\3"],
    X.COOKIE: [b"\0\0"],
    X.PSK_KEY_EXCHANGE_MODES: [b"\0"],
    X.CERTIFICATE_AUTHORITIES: [b"\0\0", b"\0\2\0\0", b"\0\4\0\0\0\0"],
    X.KEY_SHARE: [b"\0\1\0", b"\0\4\0\x1d\0\0", b"\0\5\0\x1d\0\2\1"],
    X.PRE_SHARED_KEY: [b"\0\0\0\0", b"\0\7\0\1i\0\0\0\0\0\0", b"\0\7\0\1i\0\0\0\0\0\x20\x1f" + bytes(31)],
}


@pytest.mark.parametrize("code", EMPTY_LISTS, ids=case)
def test_a_list_that_is_too_short_or_odd_is_a_decode_error(code: int) -> None:
    """The bounds that each vector's declaration gives (RFC 8446 §3.4)."""
    for data in EMPTY_LISTS[code]:
        meet(CH, replaced(code, data), DecodeError)


def test_two_host_names_are_refused() -> None:
    """RFC 6066 §3: not more than one name of the same type."""
    meet(CH, replaced(X.SERVER_NAME, b"\0\x08\0\0\1a\0\0\1b"), IllegalParameter)


def test_as_many_binders_as_identities() -> None:
    """RFC 8446 §4.2.11."""
    data = b"\0\7\0\1i\0\0\0\0" + b"\0\x42" + (b"\x20" + bytes(32)) * 2
    meet(CH, lambda block: [*block, (X.PSK_KEY_EXCHANGE_MODES, b"\1\1"), (X.PRE_SHARED_KEY, data)], IllegalParameter)


def test_reserved_values_in_every_list_are_passed_over() -> None:
    """RFC 8701 §4: a server must not fail for values that it does not know."""

    def grease(block: Block) -> Block:
        found = dict(block)
        for code, prefix in ((X.SUPPORTED_GROUPS, 2), (X.SIGNATURE_ALGORITHMS, 2), (X.SUPPORTED_VERSIONS, 1)):
            size = int.from_bytes(found[code][:prefix], "big") + 2
            found[code] = size.to_bytes(prefix, "big") + b"\x1a\x1a" + found[code][prefix:]
        shares = b"\x1a\x1a\0\1\0" + found[X.KEY_SHARE][2:]
        found[X.KEY_SHARE] = len(shares).to_bytes(2, "big") + shares
        found[X.ALPN] = b"\0\6\2\x1a\x1a\2h2"
        return list(found.items())

    pair = Pair(server_config_=server_config(alpn=(b"h2",)), client_alters=carried(CH, grease))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    assert pair.server.error is None
    assert pair.server.take_output()
