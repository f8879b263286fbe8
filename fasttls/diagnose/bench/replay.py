"""A handshake that was recorded, and its parts done again one at a time: messages, key schedule, records, trust.

Each function returns a call that does what both sides together do of it in one handshake, with what crossed the wire
then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from fasttls import trust
from fasttls.connection import Connection
from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EarlySecret
from fasttls.crypto.key_schedule12 import RecordKeys, master_secret
from fasttls.crypto.protection import opener12, opener13, sealer12, sealer13
from fasttls.crypto.suites import SUITES
from fasttls.crypto.suites12 import SUITES12
from fasttls.diagnose.bench.ends import HOST, Pair
from fasttls.handshake.config import Config
from fasttls.native._hash import Transcript
from fasttls.native._protection import Opener, PlainOpener, PlainSealer, Sealer
from fasttls.native._record import Deframer
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader
from fasttls.trust.store import TrustStore
from fasttls.wire.iana import ContentType, HandshakeType, ProtocolVersion
from fasttls.wire.messages import HEADER_SIZE, MESSAGES, Message
from fasttls.wire.messages12 import MESSAGES12

Call = Callable[[], object]

_HEADER = 5  # bytes of a record's
_NONCE = 12  # bytes
_EXPLICIT_NONCE = 8  # bytes, of TLS 1.2's AES-GCM
_TAG = 16  # bytes
_HANDSHAKE = int(ContentType.HANDSHAKE)
_CHANGE_CIPHER_SPEC = int(ContentType.CHANGE_CIPHER_SPEC)
_APPLICATION_DATA = int(ContentType.APPLICATION_DATA)


class Sent(NamedTuple):
    """A handshake message, header included, and who sent it."""

    by_client: bool
    data: bytes


class Recorded(NamedTuple):
    """What crossed the wire in one handshake, and what its client goes by."""

    version: int
    suite: int
    messages: tuple[Sent, ...]
    written: tuple[bytes, bytes]
    """All that the client and that the server wrote."""

    chain: tuple[bytes, ...]
    store: TrustStore


def configs(pair: Pair) -> tuple[Config, Config]:
    """Return what the contexts of a pair give their connections."""
    return pair.client._config(), pair.server._config()


def shake(client_config: Config, server_config: Config) -> tuple[Connection, Connection, bytes, bytes]:
    """Shake hands without contexts, sockets or BIOs: the connections, and what each of them wrote."""
    client = Connection(client_config, server_side=False, server_name=HOST)
    server = Connection(server_config, server_side=True)
    client.start()
    written: tuple[list[bytes], list[bytes]] = ([], [])
    while not (client.connected and server.connected):
        written[0].append(client.take_output())
        server.receive(written[0][-1])
        written[1].append(server.take_output())
        client.receive(written[1][-1])
    return client, server, b"".join(written[0]), b"".join(written[1])


def record(pair: Pair) -> Recorded:
    """Shake hands once, and return what there was to see."""
    messages: list[Sent] = []

    def watch(sent: bool, content_type: int, data: bytes) -> None:
        if content_type == _HANDSHAKE:
            messages.append(Sent(sent, data))

    ours, theirs = configs(pair)
    client, _, of_client, of_server = shake(replace(ours, observer=watch), theirs)
    agreed = client.negotiated
    assert agreed is not None
    return Recorded(
        agreed.version, agreed.suite, tuple(messages), (of_client, of_server), agreed.peer_chain, ours.trust
    )


def wire(recorded: Recorded) -> Call:
    """Every message read once and encoded once."""
    kinds: dict[int, type[Message]] = {int(kind.handshake_type): kind for kind in MESSAGES}
    if recorded.version == ProtocolVersion.TLS1_2:
        kinds |= {int(kind.handshake_type): kind for kind in MESSAGES12}
    known = [(kinds[sent.data[0]], sent.data) for sent in recorded.messages]

    def work() -> None:
        for kind, data in known:
            kind.read(Reader(data, HEADER_SIZE)).encode()

    assert all(kind.read(Reader(data, HEADER_SIZE)).encode() == data for kind, data in known)
    return work


def key_schedule(recorded: Recorded) -> Call:
    """The transcript, the secrets and both Finished, on either side."""
    side = _schedule12(recorded) if recorded.version == ProtocolVersion.TLS1_2 else _schedule13(recorded)

    def work() -> None:
        side()
        side()

    return work


def _place(recorded: Recorded, kind: HandshakeType) -> int:
    """Return where the last message of a kind stands."""
    return max(place for place, sent in enumerate(recorded.messages) if sent.data[0] == kind)


def _schedule13(recorded: Recorded) -> Call:
    hash_name = SUITES[recorded.suite].hash_name
    messages = [sent.data for sent in recorded.messages]
    to_hello = _place(recorded, HandshakeType.SERVER_HELLO) + 1
    to_signature = _place(recorded, HandshakeType.CERTIFICATE_VERIFY)
    finished = [place for place, data in enumerate(messages) if data[0] == HandshakeType.FINISHED]
    of_server, of_client = finished[0], finished[1]

    def work() -> None:
        transcript = Transcript()
        transcript.choose(hash_name)
        for data in messages[:to_hello]:
            transcript.add(data)
        handshake = EarlySecret(hash_name).into_handshake(Secret(bytes(32)))
        during = handshake.traffic(transcript.digest())
        for place, data in enumerate(messages[to_hello : of_server + 1], to_hello):
            if place == to_signature:
                transcript.digest()
            if place == of_server:
                FinishedKey(hash_name, during.server).mac(transcript.digest())
            transcript.add(data)
        master = handshake.into_master()
        after = transcript.digest()
        master.traffic(after)
        master.exporter(after)
        for data in messages[of_server + 1 : of_client]:
            transcript.add(data)
        FinishedKey(hash_name, during.client).mac(transcript.digest())
        transcript.add(messages[of_client])
        master.into_resumption(transcript.digest())

    return work


def _schedule12(recorded: Recorded) -> Call:
    suite = SUITES12[recorded.suite]
    messages = [sent.data for sent in recorded.messages]
    to_key_exchange = _place(recorded, HandshakeType.CLIENT_KEY_EXCHANGE) + 1
    client_random, server_random = messages[0][6:38], messages[1][6:38]

    def work() -> None:
        transcript = Transcript()
        transcript.choose(suite.hash_name)
        for data in messages[:to_key_exchange]:
            transcript.add(data)
        master = master_secret(suite, Secret(bytes(32)), client_random, server_random, transcript.digest())
        master.keys()
        for data in messages[to_key_exchange:]:
            if data[0] == HandshakeType.FINISHED:
                master.finished(transcript.digest(), True)
            transcript.add(data)

    return work


def records(recorded: Recorded) -> Call:
    """Every record cut out of what arrives, and sealed and opened with keys made for that."""
    framed = [list(_records(written)) for written in recorded.written]
    older = recorded.version == ProtocolVersion.TLS1_2
    ends_of = _ends12 if older else _ends13

    def work() -> None:
        for written, found in zip(recorded.written, framed, strict=True):
            deframer = Deframer()
            deframer.feed(written)
            ends = ends_of(recorded.suite)
            sealer, opener = next(ends)
            hidden = 0
            for header, body in found:
                deframer.next()
                if older and header[0] == _CHANGE_CIPHER_SPEC:
                    sealer.seal(header[0], body)
                    sealer, opener = next(ends)
                    continue
                if header[0] == _APPLICATION_DATA:
                    if hidden < 2:  # the handshake's keys, then the application's
                        sealer, opener = next(ends)
                    hidden += 1
                size = len(body)
                if not isinstance(sealer, PlainSealer):
                    size -= _TAG + (_EXPLICIT_NONCE if older else 1)  # a byte for the type
                sealed = sealer.protect(_HANDSHAKE, bytes(size), 0)
                opener.open(sealed[:_HEADER], sealed[_HEADER:])

    work()
    return work


def _records(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    deframer = Deframer()
    deframer.feed(data)
    while (found := deframer.next()) is not None:
        yield found


def _ends13(suite: int) -> Iterator[tuple[Sealer, Opener]]:
    """Yield what one direction's records are sealed and opened with, one epoch after another."""
    yield PlainSealer(), PlainOpener()
    for _ in range(2):
        yield sealer13(SUITES[suite], Secret(bytes(48))), opener13(SUITES[suite], Secret(bytes(48)))


def _ends12(suite: int) -> Iterator[tuple[Sealer, Opener]]:
    known = SUITES12[suite]
    yield PlainSealer(), PlainOpener()
    keys = RecordKeys(known, Secret(bytes(known.key_size)), Secret(bytes(_NONCE)))
    yield sealer12(keys), opener12(keys)


def validation(recorded: Recorded) -> Call:
    """The chain of the server verified for its name."""
    chain, store = recorded.chain, recorded.store

    def work() -> None:
        trust.verify_chain(chain, store, HOST)

    return work
