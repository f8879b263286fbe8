"""At every place of both flights: a changed, lost or moved byte ends in refusal or in waiting, never in doubt."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import certs
import pytest
from harness import DATA, HANDSHAKE, Alter, Pair, client_config, credential, record, server_config, split

from fasttls.connection import Connection
from fasttls.events import ApplicationData, Event
from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import Alert, AlertReceived, TLSError
from fasttls.wire.iana import NamedGroup

SMALL = {"minimum_version": 0x0304, "groups": (NamedGroup.X25519,), "key_shares": (NamedGroup.X25519,)}
MUTUAL_CLIENT = client_config(**SMALL, alpn=(b"h2",), credentials=(credential(certs.client_credential()),))
MUTUAL_SERVER = server_config(**SMALL, alpn=(b"h2",), peer_certificate=PeerCertificate.REQUIRED)
RETRY_SERVER = server_config(
    minimum_version=0x0304, groups=(NamedGroup.SECP256R1,), key_shares=(NamedGroup.SECP256R1,), retry_cookie=True
)
SIDES = pytest.mark.parametrize("side", ["client", "server"])


def mutual(**alters: Alter) -> Pair:
    """Return a pair in which both sides are authenticated."""
    return Pair(MUTUAL_CLIENT, MUTUAL_SERVER, **alters)


def retried(**alters: Alter) -> Pair:
    """Return a pair whose server asks for another share, with a cookie."""
    shares = {"groups": (NamedGroup.X25519, NamedGroup.SECP256R1), "key_shares": (NamedGroup.X25519,)}
    return Pair(client_config(minimum_version=0x0304, **shares), RETRY_SERVER, **alters)


def outcome(pair: Pair, *, liar: bool = False) -> None:
    """Check what must hold whatever happened. A liar sends another random than the one it remembers."""
    for end in (pair.client, pair.server):
        if isinstance(end.error, Alert):
            assert end.take_output(), "the alert is not on the wire"
            assert end.error.alert_sent is not None
        assert end.error is None or end.error.reason != TLSError.reason
        assert end._deframer.waiting <= 5 + 16384 + 256
    client, server = pair.client.negotiated, pair.server.negotiated
    if client is not None and server is not None:
        assert (client.suite, client.group, client.alpn) == (server.suite, server.group, server.alpn)
        assert liar or client.client_random == server.client_random
        assert liar or client.server_random == server.server_random


def attempt(do: Callable[[], object]) -> TLSError | None:
    """Do something and return its refusal, if it was refused. Nothing but a refusal may be raised."""
    try:
        do()
    except TLSError as refusal:
        return refusal
    return None


def carry(pair: Pair, tamper: Callable[[str, int, bytes], bytes]) -> None:
    """Run with somebody on the path, who is given the sender, the number of its flight and the bytes."""
    pair.client.start()
    turns = {"client": 0, "server": 0}
    for _ in range(4):
        for name, receiver in (("client", pair.server), ("server", pair.client)):
            data = getattr(pair, name).take_output()
            if data:
                data = tamper(name, turns[name], data)
                turns[name] += 1
                receiver.receive(data)


def flights(make: Callable[..., Pair]) -> list[tuple[str, int, bytes]]:
    """Return the flights of an honest handshake: sender, number, bytes."""
    seen: list[tuple[str, int, bytes]] = []

    def keep(name: str, turn: int, data: bytes) -> bytes:
        seen.append((name, turn, data))
        return data

    pair = make()
    carry(pair, keep)
    assert pair.client.connected
    assert pair.server.connected
    return seen


def ignored(data: bytes) -> set[int]:
    """Return the places whose value the RFC says to ignore: the minor legacy_record_version in the clear (§5.1)."""
    places, at = set(), 0
    for piece in split(data):
        if piece[0] != DATA:
            places.add(at + 2)
        at += len(piece)
    return places


@pytest.mark.parametrize("make", [mutual, retried])
def test_a_bit_that_is_flipped_anywhere_on_the_way(make: Callable[..., Pair]) -> None:
    """Whoever has no keys and changes anything but what is ignored prevents the connection."""
    draw = random.Random(6)
    for name, turn, honest in flights(make):
        free = ignored(honest)
        for at in range(len(honest)):
            bit = 1 << draw.randrange(8)

            def flip(who: str, which: int, data: bytes, here: tuple[str, int] = (name, turn), at: int = at) -> bytes:
                if (who, which) != here or at >= len(data):
                    return data
                return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]  # noqa: B023

            pair = make()
            refusal = attempt(lambda pair=pair, flip=flip: carry(pair, flip))
            receiver = pair.server if name == "client" else pair.client
            # Signatures differ in size, so that the last bytes of one flight may not be in another.
            if refusal is None and at not in free and at < len(honest) - 8:
                assert not receiver.connected, (name, turn, at)
            outcome(pair)


@SIDES
@pytest.mark.parametrize("make", [mutual, retried])
def test_a_message_changed_anywhere_by_a_peer_that_has_the_keys(make: Callable[..., Pair], side: str) -> None:
    """Every byte of every message, changed before the sender's own transcript takes it."""
    draw = random.Random(7)
    sizes: list[int] = []

    def measure(message: bytes) -> Iterable[bytes]:
        sizes.append(len(message))
        return (message,)

    make(**{f"{side}_alters": measure}).connect()
    for index, size in enumerate(list(sizes)):
        for at in range(size):
            seen = [0]
            value = draw.randrange(1, 256)

            def change(
                message: bytes, seen: list[int] = seen, index: int = index, at: int = at, value: int = value
            ) -> Iterable[bytes]:
                seen[0] += 1
                if seen[0] - 1 != index or at >= len(message):
                    return (message,)
                return (message[:at] + bytes([message[at] ^ value]) + message[at + 1 :],)

            pair = make(**{f"{side}_alters": change})
            refusal = attempt(pair.run)
            assert refusal is None or isinstance(refusal, Alert | AlertReceived)
            outcome(pair, liar=True)


@SIDES
def test_a_message_cut_anywhere_with_its_length_put_right(side: str) -> None:
    """The header tells the truth and the body ends early: never taken but where the message may be shorter."""
    sizes: list[int] = []

    def measure(message: bytes) -> Iterable[bytes]:
        sizes.append(len(message))
        return (message,)

    mutual(**{f"{side}_alters": measure}).connect()
    for index, size in enumerate(list(sizes)):
        for at in range(4, size):
            seen = [0]

            def cut(message: bytes, seen: list[int] = seen, index: int = index, at: int = at) -> Iterable[bytes]:
                seen[0] += 1
                if seen[0] - 1 != index or at >= len(message):
                    return (message,)
                return (message[:1] + (at - 4).to_bytes(3, "big") + message[4:at],)

            pair = mutual(**{f"{side}_alters": cut})
            if attempt(pair.run) is None:
                # Signatures differ in size: the one that was cut may be longer by a byte or two.
                assert size - at <= 3, "a message cut short was taken"
            outcome(pair)


@SIDES
def test_messages_of_two_handshakes_spliced(side: str) -> None:
    """One message of another connection takes the place of this one's, or comes before or behind it."""
    other: list[bytes] = []

    def keep(message: bytes) -> Iterable[bytes]:
        other.append(message)
        return (message,)

    mutual(**{f"{side}_alters": keep}).connect()
    for index in range(len(other)):
        for taken in other:
            for how in range(3):
                seen = [0]

                def splice(
                    message: bytes, seen: list[int] = seen, index: int = index, taken: bytes = taken, how: int = how
                ) -> Iterable[bytes]:
                    seen[0] += 1
                    if seen[0] - 1 != index:
                        return (message,)
                    return ((taken,), (taken, message), (message, taken))[how]

                pair = mutual(**{f"{side}_alters": splice})
                if attempt(pair.run) is None:
                    # The same message, or one that says the same: a hello's randomness, extensions, a chain.
                    assert how == 0
                    assert taken[0] in (1, 2, 8, 11, 13)
                outcome(pair, liar=True)


def events_in_pieces(pair: Pair, cut: Callable[[bytes], list[bytes]]) -> tuple[list[Event], list[Event]]:
    """Shake hands and exchange data with every transmission cut up; return both sides' events."""
    seen: dict[str, list[Event]] = {"client": [], "server": []}

    def deliver(sender: Connection, receiver: Connection, name: str) -> None:
        for piece in cut(sender.take_output()):
            seen[name] += receiver.receive(piece)

    pair.client.start()
    for _ in range(3):
        deliver(pair.client, pair.server, "server")
        deliver(pair.server, pair.client, "client")
    for sender, receiver, name in ((pair.client, pair.server, "server"), (pair.server, pair.client, "client")):
        sender.send(bytes(range(256)) * 80)
        sender.update_keys()
        sender.send(b"end")
        sender.close()
        deliver(sender, receiver, name)
    return seen["client"], seen["server"]


def said(events: list[Event]) -> list[object]:
    """Return what events say, without what differs between two handshakes."""
    return [event if isinstance(event, ApplicationData) else type(event) for event in events]


@pytest.mark.parametrize("make", [mutual, retried])
@pytest.mark.parametrize("size", [1, 2, 5, 7, 1000])
def test_the_events_do_not_depend_on_the_pieces(make: Callable[..., Pair], size: int) -> None:
    whole = events_in_pieces(make(), lambda data: [data] if data else [])
    pieces = events_in_pieces(make(), lambda data: [data[at : at + size] for at in range(0, len(data), size)])
    assert [said(events) for events in whole] == [said(events) for events in pieces]
    assert len(whole[0]) > 3


@SIDES
def test_random_records_under_the_right_keys(side: str) -> None:
    """A peer with keys that says anything: content types, messages and sizes at random."""
    draw = random.Random(8)

    def one_record() -> tuple[int, bytes]:
        kind = draw.choice([20, 21, 22, 22, 22, 23, 23, 24])
        content = draw.randbytes(draw.choice([0, 1, 2, 2, 5, 30]))
        if kind == HANDSHAKE and draw.random() < 0.8:
            body = draw.choice([b"", b"\0", b"\1", content])
            content = bytes([draw.choice([4, 24, 24, 1, 13, 20])]) + len(body).to_bytes(3, "big") + body
        return kind, content

    for _ in range(300):
        pair = mutual().connect()
        victim: Connection = getattr(pair, side)
        attacker = pair.peer_of(victim)

        def flood(victim: Connection = victim, attacker: Connection = attacker) -> None:
            for _ in range(60):
                victim.receive(attacker._sealer.seal(*one_record()))

        refusal = attempt(flood)
        assert victim.error is refusal
        assert refusal is not None or victim.peer_closed
        outcome(pair)


def test_random_client_hellos_of_the_right_form() -> None:
    """Extensions with random data, in random order and number."""
    draw = random.Random(9)
    codes = [0, 5, 10, 11, 13, 16, 18, 21, 23, 28, 35, 41, 42, 43, 44, 45, 47, 49, 50, 51, 0xFF01, 0x1A1A, 77]
    for _ in range(1500):
        block = b""
        for code in draw.sample(codes, draw.randrange(12)):
            data = draw.randbytes(draw.randrange(12))
            if draw.random() < 0.6:
                data = len(data).to_bytes(draw.choice([1, 2, 2]), "big") + data
            block += code.to_bytes(2, "big") + len(data).to_bytes(2, "big") + data
        body = b"\3\3" + draw.randbytes(32) + b"\0" + b"\0\2\x13\1" + b"\1\0" + len(block).to_bytes(2, "big") + block
        pair = mutual()
        with pytest.raises(Alert):
            pair.server.receive(record(HANDSHAKE, b"\1" + len(body).to_bytes(3, "big") + body))
        outcome(pair)
