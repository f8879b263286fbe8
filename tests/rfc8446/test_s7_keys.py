"""Key exchange and traffic keys: bad shares of every group, forged records of every suite (RFC 8446 §5, §7)."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from harness import (
    DATA,
    HANDSHAKE,
    Pair,
    Raw,
    client_config,
    expect,
    framed,
    on_message,
    record,
    refused,
    server_config,
    split,
)

from fasttls.connection import Connection
from fasttls.crypto.groups import GROUPS
from fasttls.crypto.key_schedule import next_traffic_secret
from fasttls.crypto.protection import opener13
from fasttls.crypto.suites import SUITES, Suite
from fasttls.events import ApplicationData
from fasttls.native._kdf import traffic_keys
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader
from fasttls.wire.alerts import Alert, BadRecordMac, IllegalParameter, RecordOverflow, UnexpectedMessage
from fasttls.wire.extensions import KeyShareEntry
from fasttls.wire.iana import ContentType, ExtensionType, NamedGroup
from fasttls.wire.messages import ClientHello, ServerHello

X = ExtensionType
SIDES = pytest.mark.parametrize("side", ["client", "server"])
ONLY13 = {"minimum_version": 0x0304}
P25519 = 2**255 - 19
P448 = 2**448 - 2**224 - 1

# RFC 7748 §6: points of small order, and the same numbers not reduced; every one leads to zero.
LOW_ORDER_25519 = [
    *(number.to_bytes(32, "little") for number in (0, 1, P25519 - 1, P25519, P25519 + 1)),
    (325606250916557431795983626356110631294008115727848805560023387167927233504).to_bytes(32, "little"),
    (39382357235489614581723060781553021112529911719440698176882885853963445705823).to_bytes(32, "little"),
]
LOW_ORDER_448 = [number.to_bytes(56, "little") for number in (0, 1, P448 - 1, P448, P448 + 1)]
CURVES = {
    NamedGroup.SECP256R1: (32, 2**256 - 2**224 + 2**192 + 2**96 - 1),
    NamedGroup.SECP384R1: (48, 2**384 - 2**128 - 2**96 + 2**32 - 1),
    NamedGroup.SECP521R1: (66, 2**521 - 1),
}


def bad_shares(group: int, for_server: bool) -> list[bytes]:
    """Return shares that must be refused, as the client or the server sends them."""
    if group == NamedGroup.X25519:
        return [*LOW_ORDER_25519, b"\1" * 31, b"\1" * 33, b"\4" + b"\1" * 64]
    if group == NamedGroup.X448:
        return [*LOW_ORDER_448, b"\1" * 55, b"\1" * 57, b"\1" * 32]
    if group == NamedGroup.X25519MLKEM768:
        size = 1184 if for_server else 1088
        low = [bytes(size) + point for point in LOW_ORDER_25519]
        return [*low, bytes(size), b"\7" * (size + 31), b"\7" * (size + 33), b"\7" * 32, b"\1"]
    size, prime = CURVES[NamedGroup(group)]
    on_x = (5).to_bytes(size, "big")
    return [
        b"\0",
        b"\4",
        b"\4" + bytes(2 * size),
        b"\4" + on_x + (1).to_bytes(size, "big"),
        b"\4" + b"\xff" * (2 * size),
        b"\4" + prime.to_bytes(size, "big") + on_x,
        b"\2" + on_x,
        b"\3" + on_x,
        b"\6" + on_x * 2,
        b"\5" + on_x * 2,
        bytes(1 + 2 * size),
        b"\4" + on_x * 2 + b"\0",
        b"\4" + (on_x * 2)[:-1],
        on_x * 2,
    ]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: NamedGroup(group).name)
@SIDES
def test_a_share_that_is_none_of_its_group(side: str, group: int) -> None:
    """RFC 8446 §4.2.8.1, §4.2.8.2, §7.4.2; RFC 7748 §6: illegal_parameter, before any key is derived from it."""
    groups: dict[str, Any] = {"groups": (group,), "key_shares": (group,)}
    for share in bad_shares(group, side == "server"):
        entry = KeyShareEntry(group, share)
        if side == "server":
            alter = on_message(ClientHello, lambda hello, entry=entry: hello.extensions.update({X.KEY_SHARE: (entry,)}))
        else:
            alter = on_message(ServerHello, lambda hello, entry=entry: hello.extensions.update({X.KEY_SHARE: entry}))
        logged: list[str] = []
        log = lambda *entry, logged=logged: logged.append(entry[0])  # noqa: E731
        client = client_config(**ONLY13, **groups, key_log=log if side == "client" else None)
        server = server_config(**ONLY13, **groups, key_log=log if side == "server" else None)
        refused(side, IllegalParameter, alter=alter, client=client, server=server, readable=side == "server")
        assert logged == [], "a key was derived from a bad share"


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: NamedGroup(group).name)
def test_another_good_share_is_no_way_in(group: int) -> None:
    """The server's share is replaced on its way: the keys differ, and the first protected record says so."""
    groups: dict[str, Any] = {"groups": (group,), "key_shares": (group,)}
    pair = Pair(client_config(**ONLY13, **groups), server_config(**ONLY13, **groups))
    pair.client.start()
    pair.server.receive(pair.client.take_output())
    first, *rest = split(pair.server.take_output())
    public, _ = GROUPS[group].answer(_offer_of(pair, group), None)
    hello = ServerHello.read(_reader(first[5:]))
    assert isinstance(hello, ServerHello)
    hello.extensions[X.KEY_SHARE] = KeyShareEntry(group, public)
    altered = record(HANDSHAKE, Raw(hello.encode()).encode())
    pair.client.receive(altered)
    # A CCS of the middlebox mode, which is in the clear, goes before.
    expect(pair, pair.client, BadRecordMac, lambda: [pair.client.receive(data) for data in rest], readable=False)


def _reader(message: bytes) -> Reader:
    return Reader(message, 4)


def _offer_of(pair: Pair, group: int) -> bytes:
    """Return the client's share of a group."""
    hello = ClientHello.read(_reader(pair.observed["client"][0][2]))
    return next(bytes(share.key_exchange) for share in hello.extensions[X.KEY_SHARE] if share.group == group)


def with_suite(suite: int) -> tuple[Pair, dict[str, bytes]]:
    """Return a connected pair that speaks a suite, and its secrets."""
    secrets: dict[str, bytes] = {}
    log = lambda label, random, secret: secrets.setdefault(label, bytes(secret))  # noqa: E731
    pair = Pair(
        client_config(**ONLY13, suites=(suite,), key_log=log), server_config(**ONLY13, suites=(suite,))
    ).connect()
    return pair, secrets


SUITE_IDS = pytest.mark.parametrize("suite", SUITES.values(), ids=lambda suite: suite.name)


@SUITE_IDS
@SIDES
@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 15, 16, 17, 24, 40])
def test_a_record_too_short_to_be_authentic(side: str, suite: Suite, size: int) -> None:
    """RFC 8446 §5.2: bad_record_mac, for every AEAD."""
    pair, _ = with_suite(suite.code)
    victim = getattr(pair, side)
    expect(pair, victim, BadRecordMac, lambda: victim.receive(record(DATA, bytes(size))))


def forge(suite: Suite, secret: bytes, inner: bytes, sequence: int = 0, version: bytes = b"\3\3") -> bytes:
    """Protect any inner plaintext whatever, with the right keys."""
    key, iv = traffic_keys(suite.hash_name, Secret(secret), suite.key_size)
    nonce = (int.from_bytes(bytes(iv), "big") ^ sequence).to_bytes(12, "big")
    header = b"\x17" + version + (len(inner) + suite.tag_size).to_bytes(2, "big")
    return header + suite.aead(key).encrypt(nonce, inner, header)


@SUITE_IDS
class TestInnerPlaintext:
    """RFC 8446 §5.2, §5.4: what authentic records may hold."""

    def victim(self, suite: Suite) -> tuple[Pair, Connection, bytes]:
        pair, secrets = with_suite(suite.code)
        return pair, pair.server, secrets["CLIENT_TRAFFIC_SECRET_0"]

    def test_this_is_how_a_record_is_made(self, suite: Suite) -> None:
        _, victim, secret = self.victim(suite)
        assert victim.receive(forge(suite, secret, b"hello\x17\0\0")) == [ApplicationData(b"hello")]
        assert victim.receive(forge(suite, secret, b"again\x17", 1)) == [ApplicationData(b"again")]
        pair, victim, secret = self.victim(suite)
        pair.client.send(b"the same")
        assert pair.client.take_output() == forge(suite, secret, b"the same\x17")

    @pytest.mark.parametrize("inner", [b"", b"\0", bytes(16384), bytes(16385)], ids=len)
    def test_nothing_but_padding(self, suite: Suite, inner: bytes) -> None:
        """RFC 8446 §5.4: no non-zero byte is unexpected_message."""
        pair, victim, secret = self.victim(suite)
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(forge(suite, secret, inner)))

    @pytest.mark.parametrize("inner", [bytes(16385) + b"\x17", b"x" * 16384 + b"\x17\0", bytes(16400)], ids=len)
    def test_more_than_fits(self, suite: Suite, inner: bytes) -> None:
        """RFC 8446 §5.4: at most 2^14 + 1 bytes, padding and type included."""
        pair, victim, secret = self.victim(suite)
        expect(pair, victim, RecordOverflow, lambda: victim.receive(forge(suite, secret, inner)))

    def test_as_much_as_fits(self, suite: Suite) -> None:
        _, victim, secret = self.victim(suite)
        assert victim.receive(forge(suite, secret, b"x" * 16384 + b"\x17")) == [ApplicationData(b"x" * 16384)]
        assert victim.receive(forge(suite, secret, b"x\x17" + bytes(16383), 1)) == [ApplicationData(b"x")]

    @pytest.mark.parametrize("kind", [1, 19, 20, 24, 25, 26, 99, 255])
    @pytest.mark.parametrize("content", [b"", b"\1"], ids=["empty", "one byte"])
    def test_a_content_type_that_is_none(self, suite: Suite, kind: int, content: bytes) -> None:
        pair, victim, secret = self.victim(suite)
        inner = content + bytes([kind])
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(forge(suite, secret, inner)))

    @pytest.mark.parametrize("kind", [ContentType.HANDSHAKE, ContentType.ALERT])
    def test_no_content_behind_a_type_with_padding(self, suite: Suite, kind: int) -> None:
        """RFC 8446 §5.4: no zero-length handshake or alert content, even if it is padded."""
        pair, victim, secret = self.victim(suite)
        inner = bytes([kind]) + bytes(100)
        expect(pair, victim, UnexpectedMessage, lambda: victim.receive(forge(suite, secret, inner)))

    def test_the_header_is_authenticated(self, suite: Suite) -> None:
        """RFC 8446 §5.2: the version of the header counts for the AEAD, and for nothing else."""
        pair, victim, secret = self.victim(suite)
        assert victim.receive(forge(suite, secret, b"x\x17", version=b"\3\1")) == [ApplicationData(b"x")]
        altered = forge(suite, secret, b"x\x17", 1)
        altered = altered[:2] + b"\1" + altered[3:]
        expect(pair, victim, BadRecordMac, lambda: victim.receive(altered))

    @pytest.mark.parametrize("sequence", [1, 2, 2**63, 2**64 - 1])
    def test_another_sequence_number(self, suite: Suite, sequence: int) -> None:
        pair, victim, secret = self.victim(suite)
        expect(pair, victim, BadRecordMac, lambda: victim.receive(forge(suite, secret, b"x\x17", sequence)))

    def test_the_keys_of_another_time_or_side(self, suite: Suite) -> None:
        for label in ("SERVER_TRAFFIC_SECRET_0", "CLIENT_HANDSHAKE_TRAFFIC_SECRET", "EXPORTER_SECRET"):
            pair, secrets = with_suite(suite.code)
            data = forge(suite, secrets[label], b"x\x17")
            expect(pair, pair.server, BadRecordMac, lambda pair=pair, data=data: pair.server.receive(data))


@SIDES
def test_a_reflected_record_is_bad_record_mac(side: str) -> None:
    pair = Pair(client_config(**ONLY13), server_config(**ONLY13)).connect()
    victim = getattr(pair, side)
    victim.send(b"mine")
    data = victim.take_output()
    pair.peer_of(victim).receive(data)
    expect(pair, victim, BadRecordMac, lambda: victim.receive(data))


@SUITE_IDS
@SIDES
def test_every_update_is_the_next_secret(side: str, suite: Suite) -> None:
    """RFC 8446 §7.2: application_traffic_secret_N+1, and the sequence begins at 0 (§5.3)."""
    pair, secrets = with_suite(suite.code)
    writer = getattr(pair, side)
    secret = secrets[f"{side.upper()}_TRAFFIC_SECRET_0"]
    for _ in range(5):
        writer.update_keys()
        writer.take_output()
        secret = bytes(next_traffic_secret(suite.hash_name, Secret(secret)))
        writer.send(b"x")
        assert writer.take_output() == forge(suite, secret, b"x\x17")


@SIDES
def test_the_old_keys_are_of_no_use_after_an_update(side: str) -> None:
    suite = SUITES[0x1301]
    pair, secrets = with_suite(suite.code)
    victim = getattr(pair, side)
    attacker = pair.peer_of(victim)
    label = "SERVER_TRAFFIC_SECRET_0" if side == "client" else "CLIENT_TRAFFIC_SECRET_0"
    attacker.update_keys()
    victim.receive(attacker.take_output())
    data = forge(suite, secrets[label], b"x\x17", 1)
    expect(pair, victim, BadRecordMac, lambda: victim.receive(data))


@SUITE_IDS
def test_an_alert_is_protected_with_the_keys_of_its_time(suite: Suite) -> None:
    """A fault in the server's flight is told under the client's handshake keys, at once."""
    secrets: dict[str, bytes] = {}
    log = lambda label, random, secret: secrets.setdefault(label, bytes(secret))  # noqa: E731
    pair = Pair(
        client_config(**ONLY13, suites=(suite.code,), key_log=log), server_config(**ONLY13, suites=(suite.code,))
    )
    pair.inject("server", HANDSHAKE, framed(1, b""), {8})
    with pytest.raises(Alert):
        pair.run()
    *_, last = split(pair.client.take_output())
    opener = opener13(suite, Secret(secrets["CLIENT_HANDSHAKE_TRAFFIC_SECRET"]))
    assert opener.open(last[:5], last[5:]) == (ContentType.ALERT, b"\2\x0a")
    wrong = opener13(suite, Secret(secrets["SERVER_HANDSHAKE_TRAFFIC_SECRET"]))
    with pytest.raises(BadRecordMac) as caught:
        wrong.open(last[:5], last[5:])
    assert isinstance(caught.value.__cause__, InvalidTag)
