"""The machine: handshake bytes in, effects out.

It owns the state, the transcript and the bytes of a message that is not all there yet. It knows no
records, so that QUIC or another transport can drive it.
"""

from __future__ import annotations

from fasttls.handshake.config import Limits, Observer
from fasttls.handshake.flight import Effect, Flight
from fasttls.handshake.state import State
from fasttls.native._hash import Transcript
from fasttls.native._wire import reader_of
from fasttls.wire.alerts import IllegalParameter, UnexpectedMessage
from fasttls.wire.iana import ContentType, HandshakeType, name_of
from fasttls.wire.messages import HEADER_SIZE
from fasttls.wire.messages12 import ChangeCipherSpec

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_HANDSHAKE = ContentType.HANDSHAKE

# The messages that may come after the handshake: which of the Limits bounds each, and the reason to give.
_BETWEEN_DATA: dict[int, tuple[str, str]] = {
    HandshakeType.KEY_UPDATE: ("key_updates", "TOO_MANY_KEY_UPDATES"),
    HandshakeType.NEW_SESSION_TICKET: ("tickets", "TOO_MANY_TICKETS"),
    HandshakeType.CERTIFICATE_REQUEST: ("certificate_requests", "TOO_MANY_CERTIFICATE_REQUESTS"),
    HandshakeType.HELLO_REQUEST: ("renegotiations", "TOO_MANY_RENEGOTIATIONS"),
    HandshakeType.CLIENT_HELLO: ("renegotiations", "TOO_MANY_RENEGOTIATIONS"),
}


# C integers, where this is compiled.
_HEADER_SIZE = HEADER_SIZE
_TYPE_CERTIFICATE = int(HandshakeType.CERTIFICATE)


class Machine:
    """Runs a handshake from its first state to its last."""

    def __init__(
        self,
        state: State,
        transcript: Transcript,
        limits: Limits,
        observer: Observer | None,
        logs_secrets: bool = True,
    ) -> None:
        self.state = state
        self.transcript = transcript
        self._limits = limits
        self._observer = observer
        self._logs_secrets = logs_secrets
        self._pieces: bytearray | None = None  # of a message that is not all there
        self._needed = HEADER_SIZE  # bytes of the message that is not all there, as far as they are known
        self._fragments = 0
        self._in_a_row: dict[int, int] | None = None  # counts of the messages in _BETWEEN_DATA, once there is one

    @property
    def in_message(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._pieces is not None

    @property
    def wanted(self) -> str:
        """The messages that may come next, for messages to people."""
        return _wanted(self.state)

    def receive(self, data: bytes) -> list[Effect]:
        """Take the handshake bytes of one record, and return what is to be done for them.

        Raises an Alert for a message that is malformed, out of place, too long or in too many pieces.
        """
        flight = self._new_flight()
        if self._pieces is not None:
            self._fragments += 1
            if self._fragments > self._limits.message_fragments:
                raise UnexpectedMessage("a handshake message in too many fragments", reason="TOO_MANY_FRAGMENTS")
            self._pieces += data
            if len(self._pieces) < self._needed:
                return flight.effects
            data = bytes(self._pieces)
            self._pieces = None
        else:
            self._fragments = 1
        self._needed = _HEADER_SIZE
        start, end = 0, len(data)
        while end - start >= _HEADER_SIZE:
            size = self._size(data, start)
            if size > end - start:
                self._needed = size
                break
            self._step(data if size == end else data[start : start + size], flight)
            start += size
            self._fragments = 1
            if flight.changes_reading and start < end:
                # RFC 8446 §5.1: messages must not span a key change.
                raise UnexpectedMessage(
                    "handshake bytes behind a key change in one record", reason="EXCESS_HANDSHAKE_DATA"
                )
        if start < end:
            self._pieces = bytearray(data[start:])
        return flight.effects

    def change_cipher_spec(self) -> list[Effect] | None:
        """Take a ChangeCipherSpec record of TLS 1.2. Return None when the state does not wait for one.

        Raises UnexpectedMessage for one inside a handshake message.
        """
        handler = self.state.handlers.get(ChangeCipherSpec)
        if handler is None:
            return None
        if self._pieces is not None:
            raise UnexpectedMessage("ChangeCipherSpec inside a handshake message")
        flight = self._new_flight()
        self.state = handler(self.state, ChangeCipherSpec(), flight)
        return flight.effects

    def data_came(self) -> None:
        """Say that application data came: what is counted in a row begins anew."""
        self._in_a_row = None

    def _new_flight(self) -> Flight:
        return Flight(self.transcript, self._logs_secrets)

    def _count(self, message_type: int) -> None:
        """Bound the messages that come after the handshake without any data between them."""
        if message_type not in _BETWEEN_DATA:
            return
        limit, reason = _BETWEEN_DATA[message_type]
        if self._in_a_row is None:
            self._in_a_row = {}
        count = self._in_a_row[message_type] = self._in_a_row.get(message_type, 0) + 1
        if count > getattr(self._limits, limit):
            name = name_of(HandshakeType, message_type)
            raise UnexpectedMessage(f"too many {name} messages in a row", reason=reason)

    def _size(self, data: bytes, start: int) -> int:
        """Return the whole size of the message that begins at start, if the state may receive it."""
        state = self.state
        code = data[start]
        if code not in state.readers:
            raise UnexpectedMessage(
                f"{type(state).__name__} wants {_wanted(state)}, got {name_of(HandshakeType, code)}"
            )
        high, middle, low = data[start + 1], data[start + 2], data[start + 3]
        size = high << 16 | middle << 8 | low
        most = self._limits.certificate_message if code == _TYPE_CERTIFICATE else self._limits.handshake_message
        if size > most:
            raise IllegalParameter(
                f"a {name_of(HandshakeType, code)} of {size} bytes, at most {most} are allowed",
                reason="EXCESSIVE_MESSAGE_SIZE",
            )
        return _HEADER_SIZE + size

    def _step(self, raw: bytes, flight: Flight) -> None:
        """Receive one whole message."""
        state = self.state
        if self._observer is not None:
            self._observer(False, _HANDSHAKE, raw)
        message = state.readers[raw[0]](reader_of(raw, HEADER_SIZE))
        handler = state.handlers.get(type(message))
        if handler is None:
            raise UnexpectedMessage(f"{type(state).__name__} wants {_wanted(state)}, got {type(message).__name__}")
        if state.in_transcript:
            self.transcript.add(raw)
        if state.connected:
            self._count(raw[0])
        flight.received = raw
        self.state = handler(state, message, flight)


def _wanted(state: State) -> str:
    return " or ".join(message.__name__ for message in state.handlers) or "no handshake message"
