"""Properties of a connection for any input: how it is cut does not matter, and nothing escapes but a TLSError."""

from __future__ import annotations

import contextlib
from functools import cache

import certs
import pytest
from harness import Pair, client_config, credential, framed, on_message, record, server_config, split
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fasttls.connection import Connection
from fasttls.events import Event
from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import Alert, TLSError, UnexpectedMessage
from fasttls.wire.iana import ContentType, HandshakeType
from fasttls.wire.messages import Certificate, CertificateEntry

QUICK = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FEW = settings(QUICK, max_examples=60)
ONLY13 = {"minimum_version": 0x0304}
MOST_OUTPUT = 1 << 16  # bytes that may answer any of the inputs here


def mutual() -> Pair:
    """Return a pair in which both sides are authenticated."""
    return Pair(
        client_config(**ONLY13, credentials=(credential(certs.client_credential()),)),
        server_config(**ONLY13, peer_certificate=PeerCertificate.REQUIRED),
    )


def check(connection: Connection, data: bytes, *, at_once: bool = True) -> list[Event]:
    """Feed bytes; only a TLSError may come out, with its alert on the wire, and nothing may be kept that grows."""
    events: list[Event] = []
    before = connection.error
    with contextlib.suppress(TLSError):
        for piece in [data] if at_once else [data[i : i + 1] for i in range(len(data))]:
            events += connection.receive(piece)
    if isinstance(connection.error, Alert) and before is None:
        output = connection.take_output()
        assert output, "the alert is not on the wire"
        assert len(output) <= MOST_OUTPUT
    assert connection._deframer.waiting <= len(data)
    assert len(connection._machine._pieces or b"") <= 4 + 256 * 1024
    return events


chunks = st.lists(st.integers(1, 700), min_size=1, max_size=12)


def deliver(sender: Connection, receiver: Connection, sizes: list[int]) -> bool:
    """Carry what waits, cut into pieces of these sizes, again and again; return whether there was any."""
    data = sender.take_output()
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        receiver.receive(data[at : at + size])
        at, turn = at + size, turn + 1
    return bool(data)


@QUICK
@given(to_server=chunks, to_client=chunks, payload=st.binary(min_size=1, max_size=3000))
def test_a_connection_does_not_depend_on_how_it_is_cut(
    to_server: list[int], to_client: list[int], payload: bytes
) -> None:
    pair = mutual()
    pair.client.start()
    while deliver(pair.client, pair.server, to_server) | deliver(pair.server, pair.client, to_client):
        pass
    assert pair.client.connected
    assert pair.server.connected
    pair.client.send(payload)
    data = pair.client.take_output()
    events = pair.server.receive(data[:7]) + pair.server.receive(data[7:])
    assert b"".join(event.data for event in events) == payload  # type: ignore[union-attr]


@QUICK
@given(st.lists(st.integers(2, 200), min_size=1, max_size=20))
def test_handshake_messages_may_be_cut_into_records_anywhere(sizes: list[int]) -> None:
    """RFC 8446 §5.1: fragments and coalesced messages are the same to the receiver, within Limits."""
    pair = mutual()
    pair.client.start()
    pair.client.take_output()
    hello = pair.observed["client"][0][2]
    at, turn = 0, 0
    while at < len(hello):
        size = sizes[turn % len(sizes)]
        pair.server.receive(record(ContentType.HANDSHAKE, hello[at : at + size]))
        at, turn = at + size, turn + 1
    pair.run()
    assert pair.client.connected
    assert pair.server.connected


@QUICK
@given(server_side=st.booleans(), data=st.binary(max_size=400), at_once=st.booleans())
def test_any_bytes_at_all(server_side: bool, data: bytes, at_once: bool) -> None:
    pair = mutual()
    connection = pair.server if server_side else pair.client
    connection.start()
    connection.take_output()
    check(connection, data, at_once=at_once)


records = st.builds(
    lambda kind, version, content: bytes([kind]) + version + len(content).to_bytes(2, "big") + content,
    st.sampled_from([20, 21, 22, 23, 24]),
    st.sampled_from([b"\3\1", b"\3\3", b"\3\4"]),
    st.one_of(
        st.binary(max_size=60),
        st.builds(framed, st.sampled_from([int(kind) for kind in HandshakeType]), st.binary(max_size=60)),
    ),
)


@QUICK
@given(server_side=st.booleans(), sent=st.lists(records, max_size=8), done=st.booleans())
def test_any_records_at_all(server_side: bool, sent: list[bytes], done: bool) -> None:
    pair = mutual()
    if done:
        pair.connect()
    connection = pair.server if server_side else pair.client
    connection.start()
    connection.take_output()
    check(connection, b"".join(sent))


inner = st.lists(
    st.tuples(
        st.sampled_from([20, 21, 22, 23, 24, 0, 255]),
        st.one_of(
            st.binary(max_size=40),
            st.builds(framed, st.integers(0, 26), st.binary(max_size=20)),
            st.just(framed(24, b"\1")),
            st.just(b"\1\x5a"),
        ),
    ),
    max_size=10,
)


@QUICK
@given(server_side=st.booleans(), sent=inner)
def test_any_protected_records_of_a_peer_with_the_keys(server_side: bool, sent: list[tuple[int, bytes]]) -> None:
    """RFC 8446 §5.4 and §4.6: the peer is authenticated, and malicious."""
    pair = mutual().connect()
    victim = pair.server if server_side else pair.client
    attacker = pair.peer_of(victim)
    for kind, content in sent:
        attacker._output.append(attacker._sealer.seal(kind, content, 0))
    check(victim, attacker.take_output())


@cache
def flights() -> tuple[list[bytes], list[bytes]]:
    """Return the records that each side of a connection sent."""
    pair = mutual()
    pair.client.start()
    sent: tuple[list[bytes], list[bytes]] = ([], [])
    for _ in range(4):
        for side, sender, receiver in ((0, pair.client, pair.server), (1, pair.server, pair.client)):
            data = sender.take_output()
            if data:
                sent[side].extend(split(data))
                receiver.receive(data)
    assert pair.client.connected
    return sent


edits_of_records = st.lists(
    st.tuples(st.sampled_from(["drop", "insert", "replace", "repeat", "swap"]), st.integers(0, 20), st.integers(0, 20)),
    max_size=2,
)


@QUICK
@given(changes=edits_of_records, server_side=st.booleans())
def test_records_of_another_connection(changes: list[tuple[str, int, int]], server_side: bool) -> None:
    """Dropped, repeated, exchanged, or out of another connection: never a connection that should not be.

    RFC 8446 Appendix E.1; only ChangeCipherSpec, which means nothing, may come and go.
    """
    pair = mutual()
    pair.client.start()
    victim = pair.server if server_side else pair.client
    if server_side:
        pair.server.receive(pair.client.take_output())
        pair.client.receive(pair.server.take_output())
    else:
        pair.server.receive(pair.client.take_output())
    own = split(pair.peer_of(victim).take_output())
    foreign = flights()[0 if server_side else 1]
    spliced = list(own)
    for what, at, other in changes:
        place = at % len(spliced) if spliced else 0
        match what:
            case "insert":
                spliced.insert(place, foreign[other % len(foreign)])
            case "replace" if spliced:
                spliced[place] = foreign[other % len(foreign)]
            case "repeat" if spliced:
                spliced.insert(place, spliced[place])
            case "swap" if spliced:
                mate = other % len(spliced)
                spliced[place], spliced[mate] = spliced[mate], spliced[place]
            case "drop" if spliced:
                spliced.pop(place)
    check(victim, b"".join(spliced))
    meaning = [part for part in spliced if part[0] != ContentType.CHANGE_CIPHER_SPEC]
    wanted = [part for part in own if part[0] != ContentType.CHANGE_CIPHER_SPEC]
    if victim.connected:
        assert meaning[: len(wanted)] == wanted
    elif meaning == wanted:
        # A ChangeCipherSpec in the wrong place may be refused; nothing else was wrong.
        assert isinstance(victim.error, UnexpectedMessage)


@FEW
@given(cut=st.integers(0, 6000), server_side=st.booleans(), flip=st.integers(0, 7))
def test_one_bit_anywhere_in_a_handshake(cut: int, server_side: bool, flip: int) -> None:
    """RFC 8446 Appendix E.1: both sides agree on everything, or do not connect.

    What no hash covers are the headers of unprotected records, and ChangeCipherSpec.
    """
    pair = mutual()
    pair.client.start()
    position = 0
    with contextlib.suppress(TLSError):
        for _ in range(4):
            for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
                data = bytearray(sender.take_output())
                if (receiver is pair.server) is server_side:
                    if position <= cut < position + len(data):
                        data[cut - position] ^= 1 << flip
                    position += len(data)
                receiver.receive(bytes(data))
    both = pair.client.negotiated, pair.server.negotiated
    if both[0] is not None and both[1] is not None:
        assert both[0].client_random == both[1].client_random
        assert both[0].server_random == both[1].server_random
        assert (both[0].suite, both[0].group) == (both[1].suite, both[1].group)
        assert pair.client.export_keying_material(b"t", 16) == pair.server.export_keying_material(b"t", 16)
    for side in (pair.client, pair.server):
        if isinstance(side.error, Alert):
            assert side.take_output()


KEY_TYPES = ["p256", "rsa", "ed25519"]
edits = st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=4)


@pytest.mark.parametrize("checked", [False, True], ids=["unchecked", "verified"])
@pytest.mark.parametrize("key_type", KEY_TYPES)
@FEW
@given(changes=edits)
def test_a_certificate_with_any_bytes(key_type: str, checked: bool, changes: list[tuple[int, int]]) -> None:
    """A parser of certificates raises all manner of things; a connection raises a TLSError.

    Unchecked, an altered certificate is taken, unless its key no longer is the one that signs.
    """
    der = bytearray(certs.server_credential(key_type).der)
    original = bytes(der)
    for at, byte in changes:
        der[at % len(der)] = byte

    def change(message: Certificate) -> None:
        rest = message.certificate_list[1:]
        message.certificate_list = (CertificateEntry(bytes(der), {}), *rest)

    mode = PeerCertificate.REQUIRED if checked else PeerCertificate.UNCHECKED
    pair = Pair(
        client_config(**ONLY13, peer_certificate=mode, check_host=checked),
        server_config(key_type, **ONLY13),
        server_alters=on_message(Certificate, change),
    )
    with contextlib.suppress(TLSError):
        pair.run(lambda: pair.client.error is not None)
    if isinstance(pair.client.error, Alert):
        assert pair.client.error.alert_sent not in (None, 80)
    if checked:
        assert pair.client.connected is (bytes(der) == original)
