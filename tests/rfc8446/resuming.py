"""Resumption for tests: a clock to turn, connections that go on, and pre-shared keys offered by hand."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import sessions
from harness import HANDSHAKE, Alter, Pair, framed
from sessions import carry

from fasttls.connection import Connection
from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EarlySecret
from fasttls.events import ApplicationData, Event, TicketReceived
from fasttls.handshake.config import Config
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader
from fasttls.sessions.session import Session
from fasttls.wire.extensions import OfferedPsks, PskIdentity
from fasttls.wire.iana import ContentType, ExtensionType, HandshakeType
from fasttls.wire.messages import HEADER_SIZE, ClientHello, NewSessionTicket

ONLY13 = {"minimum_version": 0x0304}
ONLY12 = {"maximum_version": 0x0303}
DAY = 86400.0  # seconds


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


def tickets_of(events: Iterable[Event]) -> list[Session]:
    """Return the sessions among the events."""
    return [event.session for event in events if isinstance(event, TicketReceived) and event.session is not None]


def exchange(pair: Pair) -> None:
    """Send data both ways, and see that both sides export the same."""
    for sender, receiver in ((pair.client, pair.server), (pair.server, pair.client)):
        sender.send(b"ping")
        assert ApplicationData(b"ping") in receiver.receive(sender.take_output())
    exported = [end.export_keying_material(b"EXPORTER-test", 32, b"context") for end in (pair.client, pair.server)]
    assert exported[0] == exported[1]


def resumed(pair: Pair) -> bool:
    """Whether both sides are connected and say that they went on with a session; they agree on it."""
    said = []
    for end in (pair.client, pair.server):
        assert end.negotiated is not None
        said.append(end.negotiated.resumed)
    assert said[0] == said[1]
    return said[0]


def share_records(pair: Pair) -> None:
    """Let both sides put messages into one record where they can, as connections do that are not told otherwise."""
    pair.client.one_message_per_record = pair.server.one_message_per_record = False


def go_on(client: Config, server: Config, session: Session | None, **more: Any) -> Pair:
    """Connect, whatever comes of the session, and exchange data."""
    pair = Pair(client, server, session=session, **more)
    share_records(pair)
    carry(pair)
    exchange(pair)
    return pair


def hellos(pair: Pair) -> list[ClientHello]:
    """Return the ClientHellos that the client sent."""
    found = []
    for mine, _, raw in pair.observed["client"]:
        if mine and raw[0] == HandshakeType.CLIENT_HELLO and len(raw) > 100:
            found.append(ClientHello.read(Reader(raw, HEADER_SIZE)))
    return found


def offers_psk(pair: Pair) -> bool:
    """Whether the client's first hello has pre_shared_key."""
    return ExtensionType.PRE_SHARED_KEY in hellos(pair)[0].extensions


def sent_types(connection: Connection, pair: Pair) -> list[int]:
    """Return the types of the handshake messages that a side sent."""
    side = "client" if connection is pair.client else "server"
    return [raw[0] for mine, kind, raw in pair.observed[side] if mine and kind == HANDSHAKE]


class Key:
    """One pre-shared key as a test offers it: identity, secret, binder label, and what is written beside it."""

    def __init__(
        self,
        identity: bytes,
        secret: bytes | Secret,
        hash_name: str = "sha256",
        label: bytes = b"res binder",
        age: int = 0,
        spoil: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.identity = identity
        self.secret = secret if isinstance(secret, Secret) else Secret(secret)
        self.hash_name = hash_name
        self.label = label
        self.age = age
        self.spoil = spoil

    @classmethod
    def of(cls, session: Session, now: float | None = None, **more: Any) -> Key:
        """Return the key of a session."""
        age = session.obfuscated_age(session.created if now is None else now)
        return cls(session.ticket, Secret(session.secret), session.hash_name, b"res binder", age, **more)


def bind(hello: ClientHello, keys: Sequence[Key]) -> bytes:
    """Return a first ClientHello, header included, that offers keys with binders computed here (RFC 8446 §4.2.11.2)."""
    identities = tuple(PskIdentity(key.identity, key.age) for key in keys)
    empty = tuple(bytes(hashlib.new(key.hash_name).digest_size) for key in keys)
    hello.extensions.pop(ExtensionType.PRE_SHARED_KEY, None)
    hello.extensions[ExtensionType.PRE_SHARED_KEY] = OfferedPsks(identities, empty)
    tail = 2 + sum(1 + len(binder) for binder in empty)
    prefix = hello.encode()[:-tail]
    binders = []
    for key in keys:
        early = EarlySecret(key.hash_name, Secret(key.secret))
        digest = hashlib.new(key.hash_name, prefix).digest()
        binder = FinishedKey(key.hash_name, early.binder_key(key.label)).mac(digest)
        binders.append(binder if key.spoil is None else key.spoil(binder))
    listed = b"".join(bytes([len(binder)]) + binder for binder in binders)
    body = prefix + len(listed).to_bytes(2, "big") + listed
    # A binder that was spoilt may have another length: then the lengths around it are not right any more.
    return framed(HandshakeType.CLIENT_HELLO, body[HEADER_SIZE:])


def offering(keys: Sequence[Key], change: Callable[[ClientHello], object] | None = None) -> Alter:
    """Alter a client's first hello so that it offers keys, bound rightly to whatever else is changed in it."""
    done = False

    def alter(message: bytes) -> Iterable[bytes]:
        nonlocal done
        if message[0] != HandshakeType.CLIENT_HELLO or done:
            return (message,)
        done = True
        hello = ClientHello.read(Reader(message, HEADER_SIZE))
        if change is not None:
            change(hello)
        return (bind(hello, keys),)

    return alter


def send_handshake(connection: Connection, data: bytes) -> None:
    """Send handshake bytes of the test's choice, in as many records as they need."""
    for start in range(0, len(data), 16384):
        connection._seal(ContentType.HANDSHAKE, data[start : start + 16384])


def ticketed(client: Config, server: Config, ticket: NewSessionTicket) -> Session | None:
    """Return what a client makes of a ticket of the test's choice."""
    pair = Pair(client, replace(server, num_tickets=0))
    carry(pair)
    send_handshake(pair.server, ticket.encode())
    found = [e for e in pair.client.receive(pair.server.take_output()) if isinstance(e, TicketReceived)]
    assert len(found) == 1
    return found[0].session


left_by = sessions.left_by
client_and_server = sessions.client_and_server
