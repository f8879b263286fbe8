"""The record layer: framing, protection, limits (RFC 8446 §5, and the limits of Config.limits)."""

from __future__ import annotations

import pytest
from harness import ALERT, CCS, DATA, HANDSHAKE, Pair, client_config, expect, framed, record, server_config, split

from fasttls.connection import Connection
from fasttls.events import ApplicationData
from fasttls.handshake.config import Limits
from fasttls.wire.alerts import (
    BadRecordMac,
    DecodeError,
    IllegalParameter,
    ProtocolVersionAlert,
    RecordOverflow,
    TLSError,
    UnexpectedMessage,
)
from fasttls.wire.iana import ContentType, HandshakeType

SIDES = pytest.mark.parametrize("side", ["client", "server"])


def connected(limits: Limits | None = None) -> Pair:
    """Return a pair that shook hands, with these limits on both sides."""
    kept = {} if limits is None else {"limits": limits}
    return Pair(client_config(**kept), server_config(**kept)).connect()


def victim_and_attacker(pair: Pair, side: str) -> tuple[Connection, Connection]:
    """Return the side that is named, and the other one."""
    victim = getattr(pair, side)
    return victim, pair.peer_of(victim)


def sealed(attacker: Connection, content_type: int, content: bytes) -> bytes:
    """Return a record under the attacker's present keys."""
    attacker._seal(ContentType(content_type), content)
    return attacker.take_output()


@SIDES
def test_a_flipped_bit_is_bad_record_mac(side: str) -> None:
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    data = sealed(attacker, DATA, b"hello")
    altered = data[:-1] + bytes([data[-1] ^ 1])
    expect(pair, victim, BadRecordMac, lambda: victim.receive(altered))


@SIDES
def test_a_replayed_record_is_bad_record_mac(side: str) -> None:
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    data = sealed(attacker, DATA, b"hello")
    assert victim.receive(data) == [ApplicationData(b"hello")]
    expect(pair, victim, BadRecordMac, lambda: victim.receive(data))


@SIDES
def test_a_dropped_record_is_bad_record_mac(side: str) -> None:
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    sealed(attacker, DATA, b"lost")
    expect(pair, victim, BadRecordMac, lambda: victim.receive(sealed(attacker, DATA, b"next")))


@SIDES
def test_an_oversized_ciphertext_is_refused_by_its_header(side: str) -> None:
    """RFC 8446 §5.2: record_overflow, before the rest is waited for."""
    pair = connected()
    victim, _ = victim_and_attacker(pair, side)
    size = 16384 + 256 + 1
    expect(pair, victim, RecordOverflow, lambda: victim.receive(b"\x17\x03\x03" + size.to_bytes(2, "big")))


def test_an_oversized_plaintext_record_is_refused_by_its_header() -> None:
    pair = Pair()
    expect(pair, pair.server, RecordOverflow, lambda: pair.server.receive(b"\x16\x03\x01\x40\x01"))


@SIDES
@pytest.mark.parametrize("content_type", [HANDSHAKE, CCS, DATA, ALERT])
def test_an_unprotected_record_under_protection(side: str, content_type: ContentType) -> None:
    """RFC 8446 §5.2: the outer type is application_data; an alert in the clear may come in the handshake alone."""
    pair = connected()
    victim, _ = victim_and_attacker(pair, side)
    content = {HANDSHAKE: framed(24, b"\0"), CCS: b"\1", DATA: b"x" * 20, ALERT: b"\2\x28"}[content_type]
    error: type[TLSError] = BadRecordMac if content_type == DATA else UnexpectedMessage
    expect(pair, victim, error, lambda: victim.receive(record(content_type, content)))


@SIDES
@pytest.mark.parametrize("content_type", [CCS, ContentType.HEARTBEAT])
def test_a_protected_record_of_another_type(side: str, content_type: ContentType) -> None:
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(sealed(attacker, content_type, b"\1")))


@SIDES
@pytest.mark.parametrize("content_type", [HANDSHAKE, ALERT])
def test_an_empty_record_of_anything_but_data(side: str, content_type: ContentType) -> None:
    """RFC 8446 §5.1, §5.4."""
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(sealed(attacker, content_type, b"")))


def test_an_empty_handshake_record_in_the_clear() -> None:
    pair = Pair()
    expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(record(HANDSHAKE, b"")))


@SIDES
def test_empty_data_records_are_counted(side: str) -> None:
    pair = connected(Limits(empty_records=5))
    victim, attacker = victim_and_attacker(pair, side)
    for _ in range(3):
        for _ in range(5):
            assert victim.receive(sealed(attacker, DATA, b"")) == []
        assert victim.receive(sealed(attacker, DATA, b"x")) == [ApplicationData(b"x")]
    for _ in range(5):
        victim.receive(sealed(attacker, DATA, b""))
    expect(pair, victim, UnexpectedMessage, lambda: victim.receive(sealed(attacker, DATA, b"")), "RECORD_TOO_SMALL")


def test_the_limit_of_empty_records_is_32_unless_told_otherwise() -> None:
    limits = Limits()
    assert (limits.empty_records, limits.warning_alerts, limits.key_updates) == (32, 32, 32)
    assert (limits.certificate_message, limits.handshake_message) == (256 * 1024, 64 * 1024)


def test_change_cipher_spec_records_are_counted() -> None:
    pair = Pair(client_config(limits=Limits(change_cipher_specs=4)))
    pair.run_to("client", "WaitServerHello")
    for _ in range(4):
        pair.client.receive(record(CCS, b"\1"))
    expect(
        pair,
        pair.client,
        UnexpectedMessage,
        lambda: pair.client.receive(record(CCS, b"\1")),
        "TOO_MANY_CHANGE_CIPHER_SPECS",
        readable=False,
    )


@pytest.mark.parametrize("body", [b"", b"\0", b"\2", b"\1\1"])
def test_a_change_cipher_spec_of_another_content(body: bytes) -> None:
    """RFC 8446 §5: exactly one byte 1."""
    pair = Pair()
    pair.run_to("client", "WaitServerHello")
    expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(record(CCS, body)), readable=False)


class TestFragments:
    """Handshake messages in pieces (RFC 8446 §5.1)."""

    def hello(self) -> tuple[Pair, bytes]:
        pair = Pair(server_config_=server_config(limits=Limits(message_fragments=5000)))
        pair.client.start()
        pair.client.take_output()
        return pair, pair.observed["client"][0][2]

    @pytest.mark.parametrize("size", [1, 3, 4, 5, 100])
    def test_a_message_may_come_in_pieces_of_any_size(self, size: int) -> None:
        pair, raw = self.hello()
        for start in range(0, len(raw), size):
            pair.server.receive(record(HANDSHAKE, raw[start : start + size]))
        pair.client.receive(pair.server.take_output())
        pair.run()
        assert pair.client.connected

    def test_fragments_are_counted(self) -> None:
        pair = Pair(server_config_=server_config(limits=Limits(message_fragments=4)))
        pair.client.start()
        pair.client.take_output()
        raw = pair.observed["client"][0][2]
        for start in range(4):
            pair.server.receive(record(HANDSHAKE, raw[start : start + 1]))
        expect(
            pair,
            pair.server,
            UnexpectedMessage,
            lambda: pair.server.receive(record(HANDSHAKE, raw[4:5])),
            "TOO_MANY_FRAGMENTS",
        )

    @pytest.mark.parametrize("content_type", [CCS, ALERT, DATA])
    def test_nothing_may_come_between_the_pieces(self, content_type: ContentType) -> None:
        pair, raw = self.hello()
        pair.server.receive(record(HANDSHAKE, raw[:50]))
        content = {CCS: b"\1", ALERT: b"\1\0", DATA: b"x"}[content_type]
        if content_type == ALERT:
            # An alert may always end a connection.
            pair.server.receive(record(ALERT, content))
            assert pair.server.peer_closed
            return
        expect(pair, pair.server, UnexpectedMessage, lambda: pair.server.receive(record(content_type, content)))

    @SIDES
    def test_data_between_the_pieces_of_a_later_message(self, side: str) -> None:
        pair = connected()
        victim, attacker = victim_and_attacker(pair, side)
        victim.receive(sealed(attacker, HANDSHAKE, framed(HandshakeType.KEY_UPDATE, b"\0")[:3]))
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(sealed(attacker, DATA, b"x")))

    def test_many_messages_may_share_a_record(self) -> None:
        pair = Pair()
        pair.client.one_message_per_record = pair.server.one_message_per_record = False
        pair.connect()


class TestSizes:
    """How long a message may be."""

    @pytest.mark.parametrize(
        ("kind", "limit", "name"),
        [(HandshakeType.CERTIFICATE, 1000, "certificate_message"), (HandshakeType.FINISHED, 40, "handshake_message")],
    )
    def test_a_message_over_the_limit_is_refused_by_its_header(self, kind: int, limit: int, name: str) -> None:
        base = Limits(certificate_message=100_000, handshake_message=20_000)
        fields = {**{f: getattr(base, f) for f in base.__dataclass_fields__}, name: limit}
        pair = Pair(client_config(limits=Limits(**fields)))
        if kind == HandshakeType.FINISHED:
            # Everything before is longer: the limit is set when its time has come.
            pair = Pair()
            pair.inject("server", HANDSHAKE, bytes([kind]) + (65537).to_bytes(3, "big"), {kind})
        else:
            pair.inject("server", HANDSHAKE, bytes([kind]) + (limit + 1).to_bytes(3, "big"), {kind})
        expect(pair, pair.client, IllegalParameter, pair.run, "EXCESSIVE_MESSAGE_SIZE")

    def test_a_certificate_message_may_have_256_kib(self) -> None:
        pair = Pair()
        size = 256 * 1024
        pair.inject("server", HANDSHAKE, bytes([11]) + (size + 1).to_bytes(3, "big"), {11})
        expect(pair, pair.client, IllegalParameter, pair.run, "EXCESSIVE_MESSAGE_SIZE")
        pair = Pair()
        pair.inject("server", HANDSHAKE, bytes([11]) + size.to_bytes(3, "big"), {11})
        # It is waited for: what follows is read as its body, which is no certificate list.
        pair.run()
        assert not pair.client.connected
        assert pair.client.error is None

    def test_a_client_hello_over_64_kib(self) -> None:
        pair = Pair()
        start = record(HANDSHAKE, b"\1" + (65537).to_bytes(3, "big"))
        expect(pair, pair.server, IllegalParameter, lambda: pair.server.receive(start), "EXCESSIVE_MESSAGE_SIZE")


class TestKeyChange:
    """RFC 8446 §5.1: a message must not span a key change, nor follow one in its record."""

    def test_behind_server_hello(self) -> None:
        pair = Pair()
        pair.server.one_message_per_record = True
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        first, *_ = split(pair.server.take_output())
        together = record(HANDSHAKE, first[5:] + framed(8, b"\0\0"))
        expect(
            pair,
            pair.client,
            UnexpectedMessage,
            lambda: pair.client.receive(together),
            "EXCESS_HANDSHAKE_DATA",
            readable=False,
        )

    def test_a_piece_behind_server_hello(self) -> None:
        pair = Pair()
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        first, *_ = split(pair.server.take_output())
        together = record(HANDSHAKE, first[5:] + b"\x08")
        expect(pair, pair.client, UnexpectedMessage, lambda: pair.client.receive(together), readable=False)

    @SIDES
    def test_behind_key_update(self, side: str) -> None:
        pair = connected()
        victim, attacker = victim_and_attacker(pair, side)
        twice = framed(HandshakeType.KEY_UPDATE, b"\0") * 2
        data = sealed(attacker, HANDSHAKE, twice)
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(data), "EXCESS_HANDSHAKE_DATA", readable=False)

    def test_behind_the_clients_finished(self) -> None:
        def more(message: bytes) -> tuple[bytes, ...]:
            return (message + framed(24, b"\0"),) if message[0] == 20 else (message,)

        pair = Pair(client_alters=more)
        expect(pair, pair.server, UnexpectedMessage, pair.run, "EXCESS_HANDSHAKE_DATA", readable=False)

    def test_behind_the_servers_finished(self) -> None:
        def more(message: bytes) -> tuple[bytes, ...]:
            return (message + framed(4, b""),) if message[0] == 20 else (message,)

        pair = Pair(server_alters=more)
        expect(pair, pair.client, UnexpectedMessage, pair.run, "EXCESS_HANDSHAKE_DATA", readable=False)

    def test_behind_client_hello(self) -> None:
        def more(message: bytes) -> tuple[bytes, ...]:
            return (message + framed(20, bytes(32)),) if message[0] == 1 else (message,)

        pair = Pair(client_alters=more)
        expect(pair, pair.server, UnexpectedMessage, pair.run, "EXCESS_HANDSHAKE_DATA", readable=False)


class TestPadding:
    """RFC 8446 §5.4."""

    @pytest.mark.parametrize("amount", [1, 100, 20000])
    def test_padded_records_are_read(self, amount: int) -> None:
        pair = Pair(client_config(padding=lambda size: amount), server_config(padding=lambda size: amount)).connect()
        pair.client.send(b"hello")
        data = pair.client.take_output()
        assert len(data) > amount or amount == 20000
        assert pair.server.receive(data) == [ApplicationData(b"hello")]

    def test_a_padded_record_is_never_too_long(self) -> None:
        pair = Pair(client_config(padding=lambda size: 1 << 30)).connect()
        pair.client.send(bytes(40000))
        for data in split(pair.client.take_output()):
            assert len(data) <= 5 + 16384 + 1 + 16
            pair.server.receive(data)


@pytest.mark.parametrize("size", [64, 100, 16384])
def test_max_fragment(size: int) -> None:
    pair = Pair(client_config(max_fragment=size), server_config(max_fragment=size)).connect()
    pair.server.send(bytes(1000))
    records = split(pair.server.take_output())
    assert all(len(data) <= 5 + size + 1 + 16 for data in records)
    assert b"".join(e.data for data in records for e in pair.client.receive(data)) == bytes(1000)


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\n\r\n", b"\x80\x2e\x01\x03\x01", b"\0" * 5, b"\xff" * 5, b"SSH-2.0-x\r\n"]
)
@SIDES
def test_what_is_no_tls(side: str, start: bytes) -> None:
    pair = Pair()
    pair.client.start()
    victim = getattr(pair, side)
    victim.take_output()
    failure = expect(pair, victim, TLSError, lambda: victim.receive(start), readable=False)
    assert isinstance(failure, ProtocolVersionAlert | UnexpectedMessage)


@pytest.mark.parametrize("content", [b"", b"\2", b"\2\x28\0", b"\1\0\1\0"])
@SIDES
def test_an_alert_of_another_size(side: str, content: bytes) -> None:
    """RFC 8446 §5.1: alone in its record, whole."""
    pair = connected()
    victim, attacker = victim_and_attacker(pair, side)
    error: type[TLSError] = DecodeError if content else UnexpectedMessage
    expect(pair, victim, error, lambda: victim.receive(sealed(attacker, ALERT, content)))


@pytest.mark.parametrize("records", [-1, 0, 2**62 + 1, 2**64])
def test_keys_are_updated_after_some_records(records: int) -> None:
    with pytest.raises(ValueError, match="keys are updated after"):
        client_config(key_update_after=records)
