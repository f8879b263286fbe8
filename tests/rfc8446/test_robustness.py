"""Whatever comes, the outcome is a connection or a TLSError with its alert on the wire, in bounded time."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterable

import certs
import pytest
from harness import Pair, client_config, credential, server_config, split

from fasttls.connection import Connection
from fasttls.handshake.config import PeerCertificate
from fasttls.wire.alerts import Alert, TLSError

VERSIONS = pytest.mark.parametrize("version", [0x0303, 0x0304], ids=["TLSv1.2", "TLSv1.3"])


def mutual(version: int) -> dict[str, object]:
    """Return the arguments of a pair in which both sides are authenticated: the most messages there are."""
    only = {"minimum_version": version, "maximum_version": version}
    return {
        "client_config_": client_config(**only, credentials=(credential(certs.client_credential()),)),
        "server_config_": server_config(**only, peer_certificate=PeerCertificate.REQUIRED),
    }


def attempt(pair: Pair) -> bool:
    """Run; return whether both sides are connected. Any exception but a TLSError is a failure of the test."""
    with contextlib.suppress(TLSError):
        pair.run()
    for end in (pair.client, pair.server):
        if isinstance(end.error, Alert):
            assert end.take_output(), "the alert is not on the wire"
        assert end._deframer.waiting <= 5 + 16384 + 2048
    return pair.client.connected and pair.server.connected


def mutate(draw: random.Random, message: bytes) -> Iterable[bytes]:
    """Return a message that was changed in one of several ways."""
    at = draw.randrange(len(message))
    match draw.randrange(8):
        case 0:
            return (message[:at] + bytes([message[at] ^ 1 << draw.randrange(8)]) + message[at + 1 :],)
        case 1:
            return (message[:at],) if at else ()
        case 2:
            return (message[:at] + draw.randbytes(draw.randrange(1, 5)) + message[at:],)
        case 3:
            return (message[:at] + message[at + 1 + draw.randrange(4) :],)
        case 4:
            return (message, message)
        case 5:
            return (bytes([draw.randrange(26)]) + message[1:],)
        case 6:
            body = message[4:at] if at > 4 else b""
            return (message[:1] + len(body).to_bytes(3, "big") + body,)
        case _:
            other = draw.randrange(len(message))
            low, high = sorted((at, other))
            return (message[:low] + bytes(high - low) + message[high:],)


@VERSIONS
@pytest.mark.parametrize("side", ["client", "server"])
def test_mutated_messages(side: str, version: int) -> None:
    """One message of a flight is changed, before the sender's transcript and keys see it."""
    draw = random.Random(version * 2 + (side == "server"))
    connected = 0
    for round_ in range(250):
        target, seen = round_ % 6, [0]

        def alter(message: bytes, target: int = target, seen: list[int] = seen) -> Iterable[bytes]:
            seen[0] += 1
            return mutate(draw, message) if seen[0] - 1 == target else (message,)

        pair = Pair(**mutual(version), **{f"{side}_alters": alter})  # type: ignore[arg-type]
        connected += attempt(pair)
    assert connected < 200


def record_mutations(draw: random.Random, stream: bytes) -> bytes:
    """Return a stream of records that was changed."""
    records = split(stream)
    index = draw.randrange(len(records))
    chosen = records[index]
    match draw.randrange(6):
        case 0:
            at = draw.randrange(len(chosen))
            records[index] = chosen[:at] + bytes([chosen[at] ^ 1 << draw.randrange(8)]) + chosen[at + 1 :]
        case 1:
            records.pop(index)
        case 2:
            records.insert(index, chosen)
        case 3:
            records.insert(index, draw.randbytes(draw.randrange(1, 40)))
        case 4:
            draw.shuffle(records)
        case _:
            records[index] = chosen[: draw.randrange(len(chosen))]
    return b"".join(records)


@VERSIONS
@pytest.mark.parametrize("side", ["client", "server"])
def test_mutated_records(side: str, version: int) -> None:
    """The bytes on the wire are changed: somebody on the path."""
    draw = random.Random(version * 5 + (side == "server"))
    for round_ in range(200):
        pair = Pair(**mutual(version))  # type: ignore[arg-type]
        pair.client.start()
        turn = 0
        try:
            for _ in range(6):
                for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
                    data = sender.take_output()
                    if data:
                        if sender is getattr(pair, side) and turn == round_ % 3:
                            data = record_mutations(draw, data)
                        turn += 1
                        receiver.receive(data)
        except TLSError:
            pass
        for end in (pair.client, pair.server):
            if isinstance(end.error, Alert):
                assert end.take_output()
        both = pair.client.negotiated, pair.server.negotiated
        if all(both):
            assert both[0].client_random == both[1].client_random  # type: ignore[union-attr]


@pytest.mark.parametrize("server_side", [False, True])
def test_random_bytes(server_side: bool) -> None:
    draw = random.Random(7)
    for round_ in range(400):
        config = server_config() if server_side else client_config()
        connection = Connection(config, server_side=server_side, server_name=None if server_side else "localhost")
        connection.start()
        connection.take_output()
        start = [
            b"",
            b"\x16\x03\x01",
            b"\x16\x03\x03\0\x20\x02",
            b"\x15\x03\x03\0\2",
            b"\x16\x03\x01\1\0\1\0\0\xfc\3\3",
        ]
        data = start[round_ % 5] + draw.randbytes(draw.randrange(600))
        try:
            connection.receive(data)
        except TLSError as error:
            if isinstance(error, Alert):
                assert connection.take_output()
        assert connection._deframer.waiting <= len(data)


@VERSIONS
def test_a_byte_at_a_time_is_the_same_as_all_at_once(version: int) -> None:
    pair = Pair(**mutual(version))  # type: ignore[arg-type]
    pair.client.start()
    for _ in range(6):
        for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
            for byte in sender.take_output():
                receiver.receive(bytes([byte]))
    assert pair.client.connected
    assert pair.server.connected
    pair.client.send(bytes(20000))
    events = [event for byte in pair.client.take_output() for event in pair.server.receive(bytes([byte]))]
    assert b"".join(event.data for event in events) == bytes(20000)  # type: ignore[union-attr]


@VERSIONS
def test_every_cut_of_a_handshake_is_told_at_the_end_of_the_stream(version: int) -> None:
    from fasttls.wire.alerts import Truncated

    for cut in range(0, 3000, 97):
        pair = Pair(**mutual(version))  # type: ignore[arg-type]
        pair.client.start()
        pair.server.receive(pair.client.take_output())
        data = pair.server.take_output()
        if cut >= len(data):
            break
        pair.client.receive(data[:cut])
        with pytest.raises(Truncated):
            pair.client.receive_eof()
