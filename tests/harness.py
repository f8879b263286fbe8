"""Two real connections over memory, one of which may be told to misbehave.

A Tampering connection runs the real states with real keys, and alters the handshake messages that it sends before its
own transcript takes them: its signatures and Finished are right, so that the victim meets the alteration alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import certs
import pytest

from fasttls.connection import Connection
from fasttls.crypto.signatures import KeySigner
from fasttls.events import Event
from fasttls.handshake import client
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.flight import Effect, Flight, Send
from fasttls.handshake.machine import Machine
from fasttls.native._protection import PlainSealer
from fasttls.native._wire import Reader, Writer
from fasttls.sessions.session import Session
from fasttls.trust.store import TrustStore
from fasttls.wire.alerts import Alert, AlertReceived, TLSError
from fasttls.wire.iana import ContentType
from fasttls.wire.messages import HEADER_SIZE, Message

HANDSHAKE, ALERT, DATA, CCS = (
    ContentType.HANDSHAKE,
    ContentType.ALERT,
    ContentType.APPLICATION_DATA,
    ContentType.CHANGE_CIPHER_SPEC,
)

Alter = Callable[[bytes], Iterable[bytes]]
"""Given a handshake message that is about to be sent, returns those to send in its place."""


def trust(*authorities: certs.Authority) -> TrustStore:
    """Return a store with these roots, or the shared one."""
    store = TrustStore()
    for authority in authorities or (certs.test_root(),):
        store.add(authority.der)
    return store


def credential(made: certs.Credential) -> Credential:
    """Return a certificate of the tests as a Config takes it."""
    intermediates = tuple(c.public_bytes(certs.serialization.Encoding.DER) for c in made.intermediates)
    return Credential((made.der, *intermediates), KeySigner(made.key))


def server_config(key_type: str = "p256", **settings: Any) -> Config:
    """Return a server's configuration with a certificate for localhost, asking for none."""
    from fasttls.handshake.config import PeerCertificate

    base: dict[str, Any] = {
        "credentials": (credential(certs.server_credential(key_type)),),
        "peer_certificate": PeerCertificate.UNCHECKED,
        "trust": trust(),
    }
    return Config(**{**base, **settings})


def client_config(**settings: Any) -> Config:
    """Return a client's configuration that trusts the shared root."""
    return Config(**{"trust": trust(), **settings})


class TamperingFlight(Flight):
    """A flight whose messages pass through alter before the transcript and the wire see them."""

    __slots__ = ("_alter",)

    def __init__(self, transcript: Any, alter: Alter) -> None:
        super().__init__(transcript)
        self._alter = alter

    def send(self, message: Message) -> None:
        for encoded in self._alter(message.encode()):
            super().send(Raw(encoded))

    def send_untracked(self, message: Message) -> None:
        for encoded in self._alter(message.encode()):
            super().send_untracked(Raw(encoded))


class Raw(Message):
    """A message as bytes, header included."""

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def encode(self) -> bytes:
        return self._encoded


class TamperingMachine(Machine):
    """A machine whose handlers write into a tampering flight."""

    __slots__ = ("alter",)

    alter: Alter

    def _new_flight(self) -> Flight:
        return TamperingFlight(self.transcript, self.alter)


class Tampering(Connection):
    """A connection that alters what it sends."""

    def __init__(
        self,
        config: Config,
        alter: Alter,
        *,
        server_side: bool,
        server_name: str | None = None,
        session: Session | None = None,
    ) -> None:
        super().__init__(config, server_side=server_side, server_name=server_name, session=session)
        machine = TamperingMachine(self._machine.state, self._transcript, config.limits, config.observer)
        machine.alter = alter
        self._alter = alter
        self._machine = machine
        self.one_message_per_record = True
        self.before_sending: Callable[[bytes], None] | None = None
        """Called with each message before it is protected, with the keys that protect it."""

    def _apply(self, effects: list[Effect], events: list[Event]) -> None:
        for effect in effects:
            if isinstance(effect, Send) and self.before_sending is not None:
                self.before_sending(effect.message)
            super()._apply([effect], events)
            if self.one_message_per_record:
                self._flush_handshake()

    def start(self) -> None:
        if self._started:
            return
        self._started = True
        flight = TamperingFlight(self._transcript, self._alter)
        self._machine.state = client.start(self.config, self.server_name, flight, self.session)
        self._apply(flight.effects, [])
        self._flush_handshake()


def unaltered(message: bytes) -> Iterable[bytes]:
    """Send every message as it is."""
    return (message,)


def on_type(handshake_type: int, change: Callable[[bytes], bytes | None]) -> Alter:
    """Alter the messages of one type: change takes and returns a body, or None to leave the message out."""

    def alter(message: bytes) -> Iterable[bytes]:
        if message[0] != handshake_type:
            return (message,)
        body = change(message[HEADER_SIZE:])
        return () if body is None else (framed(handshake_type, body),)

    return alter


def on_message(message_class: type, change: Callable[[Any], object]) -> Alter:
    """Alter the messages of one class: change mutates the decoded message, or returns another one."""

    def alter(message: bytes) -> Iterable[bytes]:
        if message[0] != message_class.handshake_type:  # type: ignore[attr-defined]
            return (message,)
        decoded = message_class.read(Reader(message, HEADER_SIZE))  # type: ignore[attr-defined]
        if not isinstance(decoded, message_class):
            return (message,)
        changed = change(decoded)
        return ((changed if changed is not None else decoded).encode(),)  # type: ignore[attr-defined]

    return alter


def framed(handshake_type: int, body: bytes) -> bytes:
    """Return a handshake message with this body."""
    return bytes([handshake_type]) + len(body).to_bytes(3, "big") + body


def record(content_type: int, content: bytes, version: int = 0x0303) -> bytes:
    """Return an unprotected record."""
    return PlainSealer(version).seal(content_type, content)


class Pair:
    """A client and a server. Either may tamper; nothing moves until it is told to."""

    def __init__(
        self,
        client_config_: Config | None = None,
        server_config_: Config | None = None,
        *,
        client_alters: Alter = unaltered,
        server_alters: Alter = unaltered,
        name: str = "localhost",
        session: Session | None = None,
    ) -> None:
        self.observed: dict[str, list[tuple[bool, int, bytes]]] = {"client": [], "server": []}
        ours = {"client": client_config_ or client_config(), "server": server_config_ or server_config()}
        for side, config in ours.items():
            kept = self.observed[side]
            ours[side] = replace(config, observer=lambda *step, kept=kept: kept.append(step))
        self.client = Tampering(ours["client"], client_alters, server_side=False, server_name=name, session=session)
        self.server = Tampering(ours["server"], server_alters, server_side=True)

    def peer_of(self, connection: Connection) -> Tampering:
        """Return the other end."""
        return self.server if connection is self.client else self.client

    def run(self, until: Callable[[], bool] | None = None) -> None:
        """Carry bytes both ways until both are quiet. Raises what a connection raises."""
        self.client.start()
        while True:
            if until is not None and until():
                return
            moved = False
            for sender, receiver in ((self.client, self.server), (self.server, self.client)):
                data = sender.take_output()
                if data:
                    moved = True
                    receiver.receive(data)
                    if until is not None and until():
                        return
            if not moved:
                return

    def inject(self, side: str, content_type: int, content: bytes, before: Collection[int], nth: int = 0) -> None:
        """Let a side send a record right before its nth message of some types, under the keys of that moment."""
        sender: Tampering = getattr(self, side)
        seen = 0

        def watch(message: bytes) -> None:
            nonlocal seen
            if message[0] in before:
                if seen == nth:
                    sender._flush_handshake()
                    sender._seal(ContentType(content_type), content)
                seen += 1

        sender.before_sending = watch

    def run_to(self, side: str, state: str) -> Connection:
        """Run record by record until one side is in the state of that name, and return that side."""
        target = getattr(self, side)
        self.client.start()
        queues: dict[str, list[bytes]] = {"client": [], "server": []}
        for _ in range(200):
            if type(target._machine.state).__name__ == state:
                # What was under way is delivered by whoever goes on.
                self.pending = {name: b"".join(queue) for name, queue in queues.items()}
                return target
            for sender, receiver in (("client", "server"), ("server", "client")):
                queues[receiver] += split(getattr(self, sender).take_output())
            for receiver in ("server", "client"):
                if queues[receiver]:
                    getattr(self, receiver).receive(queues[receiver].pop(0))
                    break
            else:
                break
        raise AssertionError(f"the {side} never came to {state}, it is in {type(target._machine.state).__name__}")

    def connect(self) -> Pair:
        """Complete the handshake."""
        self.run()
        assert self.client.connected
        assert self.server.connected
        return self


def split(data: bytes) -> list[bytes]:
    """Cut a stream into its records."""
    found = []
    while data:
        size = 5 + int.from_bytes(data[3:5], "big")
        found.append(data[:size])
        data = data[size:]
    return found


def expect(
    pair: Pair,
    victim: Connection,
    error: type[TLSError],
    do: Callable[[], object],
    reason: str | None = None,
    *,
    readable: bool = True,
) -> TLSError:
    """Do something that must end the victim's connection with an alert, and check everything about that.

    readable says that the peer has the keys to read the alert.
    """
    with pytest.raises(error) as caught:
        do()
    failure = caught.value
    assert victim.error is failure
    side = "client" if victim is pair.client else "server"
    output = victim.take_output()
    if isinstance(failure, Alert):
        assert failure.alert_sent is not None
        sent = [data for mine, kind, data in pair.observed[side] if mine and kind == ALERT]
        assert sent[-1] == bytes([2, failure.alert_sent]), "the alert is not the one that was raised"
        assert output, "the alert is not on the wire"
        if readable:
            peer = pair.peer_of(victim)
            with pytest.raises(AlertReceived) as received:
                peer.receive(output)
            assert received.value.alert_received == failure.alert_sent
    assert failure.reason
    if reason is not None:
        assert failure.reason == reason
    for use in (lambda: victim.receive(b""), lambda: victim.send(b"x"), victim.receive_eof):
        with pytest.raises(error) as again:
            use()
        assert again.value is failure
    assert victim.take_output() == b""
    return failure


def refused(
    side: str,
    error: type[TLSError],
    reason: str | None = None,
    *,
    alter: Alter = unaltered,
    client: Config | None = None,
    server: Config | None = None,
    readable: bool = True,
) -> TLSError:
    """Shake hands with a tampering peer; the side that is named must refuse."""
    tampered = {"client_alters": alter} if side == "server" else {"server_alters": alter}
    pair = Pair(client, server, **tampered)
    return expect(pair, getattr(pair, side), error, pair.run, reason, readable=readable)


def extension_block(extensions: list[tuple[int, bytes]]) -> bytes:
    """Encode extensions, however wrong they are."""
    writer = Writer()
    writer.open(2)
    for code, data in extensions:
        writer.u16(code)
        writer.vector(2, data)
    writer.close()
    return writer.finish()


def read_block(block: bytes) -> list[tuple[int, bytes]]:
    """Decode an extension block without looking into the extensions."""
    reader = Reader(block).sub(2)
    found = []
    while reader.left:
        found.append((reader.u16(), reader.vector(2)))
    return found


def events_of(connection: Connection, data: bytes) -> list[Event]:
    """Receive and return the events."""
    return connection.receive(data)
