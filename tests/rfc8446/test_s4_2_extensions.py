"""Every extension of the table in every message: malformed, twice, where it must not be, unasked (RFC 8446 §4.2)."""

from __future__ import annotations

from collections.abc import Callable

import certs
import pytest
from harness import HANDSHAKE, Pair, client_config, credential, expect, framed, server_config
from rfc8446.blocks import Block, block_start, in_block, rewrite

from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import DecodeError, IllegalParameter, TLSError, UnsupportedExtension
from fasttls.wire.extensions import RAW, TABLE, Carrier
from fasttls.wire.iana import ContentType, HandshakeType, NamedGroup
from fasttls.wire.iana import ExtensionType as X
from fasttls.wire.messages import NewSessionTicket

CH, SH, HRR = Carrier.CLIENT_HELLO, Carrier.SERVER_HELLO, Carrier.HELLO_RETRY_REQUEST
EE, CT, CR = Carrier.ENCRYPTED_EXTENSIONS, Carrier.CERTIFICATE, Carrier.CERTIFICATE_REQUEST
NST = Carrier.NEW_SESSION_TICKET
ONLY13 = {"minimum_version": 0x0304}
TICKET = NewSessionTicket(7200, 5, b"\0", b"ticket", {})
X25519_SHARE = b"\0\x1d\0\x20" + bytes(31) + b"\x09"

# One well-formed specimen of each extension in each message that may carry it; those that are opaque there have none.
SPECIMENS: dict[tuple[int, Carrier], bytes] = {
    (X.SERVER_NAME, CH): b"\0\x0e\0\0\x0blocalhost.a",
    (X.SERVER_NAME, SH): b"",
    (X.SERVER_NAME, EE): b"",
    (X.STATUS_REQUEST, CH): b"\1\0\0\0\0",
    (X.STATUS_REQUEST, SH): b"",
    (X.STATUS_REQUEST, CR): b"",
    (X.OID_FILTERS, CR): b"\0\4\1a\0\0",
    (X.STATUS_REQUEST, CT): b"\1\0\0\1r",
    (X.SUPPORTED_GROUPS, CH): b"\0\2\0\x1d",
    (X.SUPPORTED_GROUPS, EE): b"\0\2\0\x1d",
    (X.EC_POINT_FORMATS, CH): b"\1\0",
    (X.EC_POINT_FORMATS, SH): b"\1\0",
    (X.SIGNATURE_ALGORITHMS, CH): b"\0\2\4\3",
    (X.SIGNATURE_ALGORITHMS, CR): b"\0\2\4\3",
    (X.ALPN, CH): b"\0\3\2h2",
    (X.ALPN, SH): b"\0\3\2h2",
    (X.ALPN, EE): b"\0\3\2h2",
    (X.SIGNED_CERTIFICATE_TIMESTAMP, CH): b"",
    (X.SIGNED_CERTIFICATE_TIMESTAMP, SH): b"\0\1s",
    (X.SIGNED_CERTIFICATE_TIMESTAMP, CR): b"",
    (X.SIGNED_CERTIFICATE_TIMESTAMP, CT): b"\0\1s",
    (X.EXTENDED_MASTER_SECRET, CH): b"",
    (X.EXTENDED_MASTER_SECRET, SH): b"",
    (X.RECORD_SIZE_LIMIT, CH): b"\x40\0",
    (X.RECORD_SIZE_LIMIT, SH): b"\x40\0",
    (X.RECORD_SIZE_LIMIT, EE): b"\x40\0",
    (X.SESSION_TICKET, SH): b"",
    (X.PRE_SHARED_KEY, CH): b"\0\7\0\1i\0\0\0\0" + b"\0\x21\x20" + bytes(32),
    (X.PRE_SHARED_KEY, SH): b"\0\0",
    (X.EARLY_DATA, CH): b"",
    (X.EARLY_DATA, EE): b"",
    (X.EARLY_DATA, NST): b"\0\0\0\1",
    (X.SUPPORTED_VERSIONS, CH): b"\2\3\4",
    (X.SUPPORTED_VERSIONS, SH): b"\3\4",
    (X.SUPPORTED_VERSIONS, HRR): b"\3\4",
    (X.COOKIE, CH): b"\0\1c",
    (X.COOKIE, HRR): b"\0\1c",
    (X.PSK_KEY_EXCHANGE_MODES, CH): b"\1\1",
    (X.CERTIFICATE_AUTHORITIES, CH): b"\0\4\0\2\x30\0",
    (X.CERTIFICATE_AUTHORITIES, CR): b"\0\4\0\2\x30\0",
    (X.POST_HANDSHAKE_AUTH, CH): b"",
    (X.SIGNATURE_ALGORITHMS_CERT, CH): b"\0\2\4\3",
    (X.SIGNATURE_ALGORITHMS_CERT, CR): b"\0\2\4\3",
    (X.KEY_SHARE, CH): b"\0\x24" + X25519_SHARE,
    (X.KEY_SHARE, SH): X25519_SHARE,
    (X.KEY_SHARE, HRR): b"\0\x17",
    (X.RENEGOTIATION_INFO, CH): b"\0",
    (X.RENEGOTIATION_INFO, SH): b"\0",
}

# A vector that is empty though its declaration wants something in it, or half an element.
WRONG_VECTORS: list[tuple[int, Carrier, bytes]] = [
    (X.SERVER_NAME, CH, b"\0\0"),
    (X.SERVER_NAME, CH, b"\0\3\0\0\0"),
    (X.SUPPORTED_GROUPS, CH, b"\0\0"),
    (X.SUPPORTED_GROUPS, CH, b"\0\3\0\x1d\0"),
    (X.EC_POINT_FORMATS, CH, b"\0"),
    (X.SIGNATURE_ALGORITHMS, CH, b"\0\0"),
    (X.SIGNATURE_ALGORITHMS, CH, b"\0\1\4"),
    (X.ALPN, CH, b"\0\0"),
    (X.ALPN, CH, b"\0\3\0\1h"),
    (X.SUPPORTED_VERSIONS, CH, b"\0"),
    (X.SUPPORTED_VERSIONS, CH, b"\3\3\4\3"),
    (X.COOKIE, CH, b"\0\0"),
    (X.COOKIE, HRR, b"\0\0"),
    (X.PSK_KEY_EXCHANGE_MODES, CH, b"\0"),
    (X.CERTIFICATE_AUTHORITIES, CH, b"\0\0"),
    (X.CERTIFICATE_AUTHORITIES, CR, b"\0\4\0\0\0\0"),
    (X.KEY_SHARE, CH, b"\0\4\0\x1d\0\0"),
    (X.KEY_SHARE, SH, b"\0\x1d\0\0"),
    (X.PRE_SHARED_KEY, CH, b"\0\6\0\0\0\0\0\0" + b"\0\x21\x20" + bytes(32)),
    (X.PRE_SHARED_KEY, CH, b"\0\7\0\1i\0\0\0\0" + b"\0\x20\x1f" + bytes(31)),
    (X.SIGNATURE_ALGORITHMS_CERT, CR, b"\0\0"),
    (X.STATUS_REQUEST, CH, b""),
    (X.STATUS_REQUEST, CH, b"\1\0\0\0"),
    (X.OID_FILTERS, CR, b"\0\4\0a\0\0"),
    (X.OID_FILTERS, CR, b"\0\3\1a\0"),
    (X.STATUS_REQUEST, CT, b"\1\0\0\0"),
    (X.STATUS_REQUEST, CT, b"\2\0\0\1r"),
    (X.SIGNED_CERTIFICATE_TIMESTAMP, CT, b"\0\0"),
    (X.EARLY_DATA, NST, b"\0\0\0"),
]


def name(value: object) -> str | None:
    """Name a parameter of these tests."""
    if isinstance(value, Carrier):
        return value.value
    return X(value).name if isinstance(value, int) and value in list(X) else None


def with_block(carrier: Carrier, error: type[TLSError], change: Callable[[Block], Block]) -> TLSError:
    """Rewrite the block of one message of a real connection; its receiver must refuse it."""
    mutual = carrier in (CR, CT)
    ours = client_config(**ONLY13, credentials=(credential(certs.client_credential()),) if mutual else ())
    groups = {"groups": (NamedGroup.SECP256R1,), "key_shares": (NamedGroup.SECP256R1,)} if carrier is HRR else {}
    wanted = {"peer_certificate": PeerCertificate.REQUIRED} if mutual else {}
    theirs = server_config(**ONLY13, **groups, **wanted)
    if carrier is NST:
        pair = Pair(ours, theirs).connect()
        body = rewrite(NST, TICKET.encode()[4:], change)
        pair.server._seal(ContentType.HANDSHAKE, framed(HandshakeType.NEW_SESSION_TICKET, body))
        return expect(pair, pair.client, error, lambda: pair.client.receive(pair.server.take_output()))
    if carrier is CH:
        pair = Pair(ours, theirs, client_alters=in_block(carrier, change))
        return expect(pair, pair.server, error, pair.run)
    pair = Pair(ours, theirs, server_alters=in_block(carrier, change))
    # After the first ServerHello the server reads with keys that a client which refuses it does not have:
    # it hears the alert in the clear. A server that asks for another ClientHello has no keys yet.
    return expect(pair, pair.client, error, pair.run, readable=carrier is not HRR)


def put(code: int, data: bytes) -> Callable[[Block], Block]:
    """Put an extension in the place of the one there is, or behind the others."""

    def change(block: Block) -> Block:
        if any(known == code for known, _ in block):
            return [(known, data if known == code else kept) for known, kept in block]
        return [*block, (code, data)]

    return change


ALLOWED = [(row.code, carrier) for row in TABLE for carrier in row.codecs]
FORBIDDEN = [(row.code, carrier) for row in TABLE for carrier in Carrier if carrier not in row.codecs]


def test_there_is_a_specimen_of_everything_that_is_not_opaque() -> None:
    opaque = {(row.code, carrier) for row in TABLE for carrier, codec in row.codecs.items() if codec is RAW}
    assert set(SPECIMENS) == set(ALLOWED) - opaque


@pytest.mark.parametrize(("code", "carrier"), list(SPECIMENS), ids=name)
def test_trailing_bytes(code: int, carrier: Carrier) -> None:
    """RFC 8446 §6.2: decode_error."""
    with_block(carrier, DecodeError, put(code, SPECIMENS[code, carrier] + b"\0"))


@pytest.mark.parametrize(("code", "carrier"), [key for key, data in SPECIMENS.items() if data], ids=name)
def test_cut_short(code: int, carrier: Carrier) -> None:
    """Wherever the data ends too early (RFC 8446 §6.2: decode_error)."""
    data = SPECIMENS[code, carrier]
    for size in sorted({0, 1, 2, len(data) // 2, len(data) - 1} & set(range(len(data)))):
        with_block(carrier, DecodeError, put(code, data[:size]))


@pytest.mark.parametrize(("code", "carrier", "data"), WRONG_VECTORS, ids=name)
def test_a_vector_that_breaks_its_declaration(code: int, carrier: Carrier, data: bytes) -> None:
    with_block(carrier, DecodeError, put(code, data))


@pytest.mark.parametrize(("code", "carrier"), ALLOWED, ids=name)
def test_twice(code: int, carrier: Carrier) -> None:
    """RFC 8446 §4.2: not more than one extension of the same type in a block."""
    data = SPECIMENS.get((code, carrier), b"\0")
    with_block(carrier, IllegalParameter, lambda block: [*put(code, data)(block), (code, data)])


@pytest.mark.parametrize("carrier", list(Carrier), ids=name)
def test_an_unknown_extension_twice(carrier: Carrier) -> None:
    with_block(carrier, IllegalParameter, lambda block: [*block, (0x7A7A, b""), (0x7A7A, b"")])


@pytest.mark.parametrize(("code", "carrier"), FORBIDDEN, ids=name)
def test_in_a_message_that_must_not_have_it(code: int, carrier: Carrier) -> None:
    """RFC 8446 §4.2: one that is known and not specified for the message is illegal_parameter."""
    with_block(carrier, IllegalParameter, put(code, b""))


@pytest.mark.parametrize("carrier", [SH, HRR, EE, CT], ids=name)
def test_an_unknown_extension_in_an_answer(carrier: Carrier) -> None:
    """RFC 8446 §4.2: unsupported_extension for what was not requested."""
    with_block(carrier, UnsupportedExtension, put(0x7A7A, b""))


OFFERED = {X.SERVER_NAME, X.SUPPORTED_GROUPS, X.SUPPORTED_VERSIONS, X.KEY_SHARE, X.SIGNATURE_ALGORITHMS}
UNASKED = [(code, carrier) for code, carrier in SPECIMENS if carrier in (SH, EE, CT) and code not in OFFERED]


@pytest.mark.parametrize(("code", "carrier"), UNASKED, ids=name)
def test_an_answer_to_what_was_not_asked(code: int, carrier: Carrier) -> None:
    with_block(carrier, UnsupportedExtension, put(code, SPECIMENS[code, carrier]))


@pytest.mark.parametrize("carrier", [CH, CR], ids=name)
def test_an_unknown_extension_in_an_offer_is_ignored(carrier: Carrier) -> None:
    """RFC 8446 §4.1.2, §4.3.2: recipients ignore what they do not know."""
    alter = in_block(carrier, put(0x7A7A, b"anything"))
    tampered = {"client_alters": alter} if carrier is CH else {"server_alters": alter}
    ours = client_config(**ONLY13, credentials=(credential(certs.client_credential()),))
    Pair(ours, server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED), **tampered).connect()


def test_an_unknown_extension_in_a_ticket_is_ignored() -> None:
    pair = Pair(client_config(**ONLY13), server_config(**ONLY13)).connect()
    body = rewrite(NST, TICKET.encode()[4:], put(0x7A7A, b"anything"))
    pair.server._seal(ContentType.HANDSHAKE, framed(HandshakeType.NEW_SESSION_TICKET, body))
    assert pair.client.receive(pair.server.take_output())


@pytest.mark.parametrize("carrier", [CH, SH, EE, CR], ids=name)
@pytest.mark.parametrize("difference", [-1, 1, 1000])
def test_a_block_whose_length_is_wrong(carrier: Carrier, difference: int) -> None:
    """RFC 8446 §6.2: decode_error."""
    kind = {CH: 1, SH: 2, EE: 8, CR: 13}[carrier]

    def alter(message: bytes) -> tuple[bytes, ...]:
        if message[0] != kind:
            return (message,)
        body = message[4:]
        at = block_start(carrier, body)
        size = max(0, int.from_bytes(body[at : at + 2], "big") + difference)
        return (framed(kind, body[:at] + size.to_bytes(2, "big") + body[at + 2 :]),)

    ours = client_config(**ONLY13, alpn=(b"h2",))
    theirs = server_config(**ONLY13, alpn=(b"h2",), peer_certificate=PeerCertificate.REQUIRED)
    pair = Pair(ours, theirs, **({"client_alters": alter} if carrier is CH else {"server_alters": alter}))
    expect(pair, pair.server if carrier is CH else pair.client, DecodeError, pair.run)


def test_the_specimens_of_a_client_hello_are_well_formed() -> None:
    """A ClientHello with all of them is answered: what is refused above is refused for the change alone."""
    skipped = {X.PRE_SHARED_KEY, X.EARLY_DATA, X.COOKIE, X.KEY_SHARE, X.SUPPORTED_GROUPS}

    def change(block: Block) -> Block:
        for (code, carrier), data in SPECIMENS.items():
            if carrier is CH and code not in skipped:
                block = put(code, data)(block)
        return block

    pair = Pair(client_config(**ONLY13), server_config(**ONLY13), client_alters=in_block(CH, change))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    assert pair.server.error is None
    assert any(kind == HANDSHAKE for mine, kind, _ in pair.observed["server"] if mine)
