"""A TLS connection without I/O: bytes in, bytes and events out.

    connection = Connection(config, server_side=False, server_name="example.com")
    connection.start()
    transport.send(connection.take_output())
    for event in connection.receive(transport.recv()):
        ...

The output is complete after every call, the one that raises included: whatever happens, send what
take_output() returns. A failure is a TLSError, whose attributes tell the alert that was sent or
received and a stable reason; it stays in `error`, and every later call raises it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fasttls.crypto.protection import opener12, opener13, sealer12, sealer13
from fasttls.crypto.record_layer import RecordLayer
from fasttls.events import (
    ApplicationData,
    EarlyData,
    Event,
    HandshakeCompleted,
    Negotiated,
    PeerAuthenticated,
    PeerClosed,
)
from fasttls.handshake import client, post_auth13
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.flight import (
    AnswerKeyUpdate,
    Effect,
    Emit,
    Epoch,
    Flight,
    LogSecret,
    OfferEarlyData,
    ReadWith,
    ReadWith12,
    SelectConfig,
    Send,
    SendChangeCipherSpec,
    SendWarning,
    SkipEarlyData,
    TakeEarlyData,
    WritePlain,
    WriteWith,
    WriteWith12,
)
from fasttls.handshake.machine import Machine
from fasttls.handshake.state import ConnectedState, State
from fasttls.native._hash import Transcript
from fasttls.native._protection import PlainSealer
from fasttls.native._record import MAX_PLAINTEXT
from fasttls.sessions.session import Session
from fasttls.trust.names import as_ascii, as_ip_address
from fasttls.wire.alerts import (
    FATAL,
    WARNING,
    Alert,
    AlertDescription,
    AlertReceived,
    BadRecordMac,
    DecodeError,
    IllegalParameter,
    InternalError,
    RecordOverflow,
    TLSError,
    Truncated,
    UnexpectedMessage,
)
from fasttls.wire.iana import ContentType, ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_CLOSE_NOTIFY = AlertDescription.CLOSE_NOTIFY
_USER_CANCELED = AlertDescription.USER_CANCELED
_ALERT = ContentType.ALERT
_CHANGE_CIPHER_SPEC = ContentType.CHANGE_CIPHER_SPEC
_CONTENT_TYPE_HANDSHAKE = ContentType.HANDSHAKE
_APPLICATION = Epoch.APPLICATION
_EARLY = Epoch.EARLY
_EPOCH_HANDSHAKE = Epoch.HANDSHAKE
_OPTIONAL = PeerCertificate.OPTIONAL
_REQUIRED = PeerCertificate.REQUIRED
_TLS1_0 = ProtocolVersion.TLS1_0
_TLS1_2 = ProtocolVersion.TLS1_2

# Integers of C, where this is compiled: every record is compared with them.
_TYPE_CHANGE_CIPHER_SPEC = int(ContentType.CHANGE_CIPHER_SPEC)
_TYPE_ALERT = int(ContentType.ALERT)
_TYPE_HANDSHAKE = int(ContentType.HANDSHAKE)
_TYPE_APPLICATION_DATA = int(ContentType.APPLICATION_DATA)

if TYPE_CHECKING:
    from typing_extensions import Buffer

_CHANGE_CIPHER_SPEC_BODY = b"\x01"

_TYPE_AND_TAG = 17  # bytes
_RECORD_HEADER = 5  # bytes

_EXPANSION = 256
"""Bytes that a protected record may have more than its content (RFC 8446 §5.2)."""

_WRITES = (SendChangeCipherSpec, SendWarning, WriteWith12)


def _start_server(config: Config) -> State:
    """Import the server with the first connection of one, and stand back: most programs are clients."""
    global _start_server
    from fasttls.handshake.server import start

    _start_server = start
    return start(config)


class Connection(RecordLayer):
    """One side of a TLS connection.

    server_name is the name or IP address of the server, for a client: it is sent, and the server's
    certificate must be for it. Not for use by two threads at once.
    """

    def __init__(
        self,
        config: Config,
        *,
        server_side: bool,
        server_name: str | None = None,
        session: Session | None = None,
    ) -> None:
        """Make a connection that has not begun. A client offers to go on with session, when it may.

        Raises ValueError for a server name that is none, or that is missing though it must be checked.
        """
        super().__init__(config.max_fragment, config.padding, config.record_observer)
        self.config = config
        settings = self.config
        self.server_side = server_side
        self.server_name = None if server_name is None else str.__str__(server_name)  # of str itself
        self.session = session
        """The session that a client offers."""

        self._observer = settings.observer

        self.negotiated: Negotiated | None = None
        """What the handshake agreed on, once it is complete."""

        self.error: TLSError | None = None
        """The failure that ended the connection."""

        self.undelivered: tuple[Event, ...] = ()
        """The events that the last receive() could not return, because it raised."""

        self.peer_closed = False
        """Whether the peer sent close_notify."""

        self._server_sessions = settings.server_sessions  # those of the configuration that was selected
        self._transcript = Transcript()
        self._read_epoch: Epoch | None = None
        self._records_per_key = settings.key_update_after or 1 << 62
        self._skip_early_data: int | None = None  # bytes that may still be skipped; None when there are none to come
        self._skip_by_type = False
        self._empty_records = 0
        self._warnings = 0
        self._change_cipher_specs = 0
        self._answered = False  # a request for new keys, since application data was sent last
        self._answer_due = False  # before application data is sent next
        self._early_data_left = 0  # bytes that may still be sent before the handshake is complete
        self._early_data_due = 0  # bytes that may still come before it
        self._started = server_side
        if server_side:
            state = _start_server(config)
        else:
            if server_name is not None and as_ip_address(server_name) is None:
                as_ascii(server_name)  # raises for what is no host name, before anything is sent
            verifies = settings.peer_certificate in (_OPTIONAL, _REQUIRED)
            if verifies and settings.check_host and server_name is None:
                raise ValueError("a server name is needed, for the server's certificate to be checked against")
            state = client.NOT_STARTED
        self._machine = Machine(
            state, self._transcript, settings.limits, settings.observer, settings.key_log is not None
        )

    # What the caller does.

    def start(self) -> None:
        """Begin the handshake: a client sends its ClientHello. A server has nothing to do."""
        if self._started:
            return
        self._started = True
        # RFC 8446 §5.1: the first ClientHello may go out as TLS 1.0, for servers of that time.
        self._sealer = PlainSealer(_TLS1_0)
        flight = Flight(self._transcript, self.config.key_log is not None)
        try:
            self._machine.state = client.start(self.config, self.server_name, flight, self.session)
        except TLSError as error:
            self._fail(error)
            raise
        except Exception as exc:
            self._fail(InternalError(f"{type(exc).__name__} while making the ClientHello"))
            raise
        self._apply(flight.effects, [])
        self._flush_handshake()
        if isinstance(self._sealer, PlainSealer):
            self._sealer = PlainSealer(_TLS1_2)

    @property
    def connected(self) -> bool:
        """Whether the handshake is complete."""
        return self.negotiated is not None

    def take_header(self, data: Buffer) -> int:
        """Take data when it is the header of the next record and just that, and return how long the body is to be.

        Nothing else happens then. Returns 0 when it was not taken: data is for receive(), which refuses it or not.
        """
        if not self._started or self.error is not None or self.peer_closed:
            return 0
        return self._deframer.take_header(data)

    def receive(self, data: Buffer) -> list[Event]:
        """Take bytes from the peer and return what happened, in order.

        Raises a TLSError when the connection fails; the alert for the peer is then in the output, and
        what the records before the one that failed said is in `undelivered`. After the peer's
        close_notify, bytes are ignored (RFC 8446 §6.1).
        """
        self._check_usable()
        self.start()
        events: list[Event] = []
        self.undelivered = ()
        if self.peer_closed:
            return events
        self._deframer.feed(data)
        try:
            while (record := self._deframer.next()) is not None:
                self._on_record(record[0], record[1], events)
                if self.peer_closed:
                    break
        except TLSError as error:
            self.undelivered = tuple(events)
            self._fail(error)
            raise
        except Exception as exc:
            self.undelivered = tuple(events)
            # A callback of the caller's, or a fault of ours: the peer is told, the caller sees the cause.
            self._fail(InternalError(f"{type(exc).__name__} while handling the peer's bytes"))
            raise
        self._flush_handshake()
        return events

    def receive_eof(self) -> None:
        """Say that the transport has ended. Raises Truncated unless the peer sent close_notify before.

        In the handshake it always does: nothing vouches for a close_notify there.
        """
        self._check_usable()
        if not (self.peer_closed and self.connected):
            self.error = Truncated(
                "the peer closed the transport without close_notify"
                if self.connected
                else f"the peer closed the transport in the handshake, in state {type(self._machine.state).__name__}, "
                f"where {self.waits_for} was to come{self._begun()}"
            )
            raise self.error

    def size_of_messages(self, data: bytes) -> int:
        """Return how many of the first bytes are records of handshake messages alone, as tickets are.

        The connection is of no use after it: it is for one that is given up.
        """
        deframer = self._deframer
        if self.error is not None or deframer.waiting:
            return 0
        size = 0
        try:
            deframer.feed(data)
            while (record := deframer.next()) is not None:
                if self._opener.open(record[0], record[1])[0] != _TYPE_HANDSHAKE:
                    break
                size += _RECORD_HEADER + len(record[1])
        except TLSError:
            pass  # what cannot be read stays where it is
        self.error = TLSError("this side has given the connection up")
        return size

    @property
    def waits_for(self) -> str:
        """The messages that may come next, as the RFCs name them."""
        return str(self._machine.wanted)

    def _begun(self) -> str:
        """Return what came of a record that is not whole, for messages."""
        waiting = self._deframer.waiting
        return f"; {waiting} bytes of a record that is not whole have come" if waiting else ""

    def send(self, data: Buffer) -> None:
        """Protect application data, in as many records as it needs.

        Raises ValueError before the handshake is complete and after close().
        """
        self._check_sendable()
        content = data if type(data) is bytes else memoryview(data).cast("B")
        size = len(content)
        if not size:
            return
        if self._answer_due:
            self.update_keys()
        self._answered = False
        if size <= self._max_fragment:
            self._write(_TYPE_APPLICATION_DATA, content)
            return
        view = memoryview(content)
        for start in range(0, size, self._max_fragment):
            self._write(_TYPE_APPLICATION_DATA, view[start : start + self._max_fragment])

    @property
    def early_data_left(self) -> int:
        """How many bytes a client may send before the handshake is complete (RFC 8446 §4.2.10)."""
        return self._early_data_left

    def send_early(self, data: Buffer) -> None:
        """Send early data, which the server may refuse, and which an attacker may send it again.

        Call it after start(), and look at the event EarlyDataAnswered: what was refused is to be sent
        anew. Raises ValueError for more than early_data_left.
        """
        self._check_usable()
        view = memoryview(data).cast("B")
        if len(view) > self._early_data_left or self.close_sent:
            raise ValueError(f"{len(view)} bytes of early data, {self._early_data_left} may be sent")
        self._early_data_left -= len(view)
        for start in range(0, len(view), self._max_fragment):
            self._seal(_TYPE_APPLICATION_DATA, view[start : start + self._max_fragment])

    def close(self) -> None:
        """Send close_notify: this side will send no more, and may go on reading (RFC 8446 §6.1)."""
        if self.error is None and not self.close_sent:
            self._send_alert(WARNING, _CLOSE_NOTIFY)
            self.close_sent = True

    def abort(self, description: int) -> None:
        """End the connection with a fatal alert of the caller's choice. Raises ValueError for what is none."""
        self._check_usable()
        if not 0 <= description <= 255:
            raise ValueError(f"an alert's description is one byte, not {description}")
        error = TLSError(f"this side ended the connection with alert {description}")
        error.reason = "ABORTED"
        self.error = error
        if not self.close_sent:
            error.alert_sent = description
            self._send_alert(FATAL, description)

    def update_keys(self, *, request_peer: bool = False) -> None:
        """Send KeyUpdate and write with new keys; the peer may be asked to do the same (RFC 8446 §4.6.3)."""
        self._check_sendable()
        flight = Flight(self._transcript)
        self._machine.state = self._connected_state().update_keys(flight, request_peer=request_peer)
        self._answer_due = False
        self._apply(flight.effects, [])
        self._flush_handshake()

    def export_keying_material(self, label: bytes, size: int, context: bytes | None = None) -> bytes:
        """Return size bytes that both sides can derive and nobody else (RFC 8446 §7.5, RFC 5705).

        Raises ValueError before the handshake is complete, when label or size do not fit, and for a TLS 1.2
        connection without the extended master secret.
        """
        return self._connected_state().export(label, size, context)

    def request_certificate(self) -> None:
        """Ask the client for its certificate, after a handshake of TLS 1.3 (RFC 8446 §4.6.2).

        The answer comes among what the client sends, as the event PeerAuthenticated. Raises post_auth13.CannotAsk, a
        ValueError, when the client cannot be asked.
        """
        self._check_sendable()
        flight = Flight(self._transcript)
        self._machine.state = post_auth13.ask(self._connected_state(), flight)
        self._apply(flight.effects, [])
        self._flush_handshake()

    @property
    def tls_unique(self) -> bytes | None:
        """The tls-unique channel binding (RFC 5929 §3), None before the handshake is complete.

        TLS 1.3 does not define it; what stands for it there is what OpenSSL has.
        """
        if self.negotiated is None:
            return None
        return self.negotiated.tls_unique or self._connected_state().tls_unique

    # What the peer does.

    def _on_record(self, header: bytes, body: bytes, events: list[Event]) -> None:
        content_type = header[0]
        hides_type = self._opener.hides_type and content_type == _TYPE_APPLICATION_DATA
        if self._record_observer is not None and not hides_type:
            self._record_observer(False, header, None)
        if content_type == _TYPE_CHANGE_CIPHER_SPEC:
            self._on_change_cipher_spec(body, events)
            return
        if self._skip_early_data is not None and self._skip_by_type and content_type != _TYPE_APPLICATION_DATA:
            if len(body) > MAX_PLAINTEXT:
                # RFC 8446 §5.1: the room for protection is for what is skipped alone.
                raise RecordOverflow(f"a record of {len(body)} bytes, at most {MAX_PLAINTEXT} are allowed")
        elif self._skip_early_data is not None and self._skip_by_type:
            if self._machine.in_message:
                # RFC 8446 §5.1: no record of another type between the pieces of a message.
                raise UnexpectedMessage("application data inside a handshake message")
            self._skip(len(body))
            return
        if self._opener.hides_type and content_type != _TYPE_APPLICATION_DATA:
            hears_plain_alerts = self.server_side and self._read_epoch is _EPOCH_HANDSHAKE and not self._opener.sequence
            if content_type != _TYPE_ALERT or not hears_plain_alerts:
                raise UnexpectedMessage(f"an unprotected record of type {content_type}")
            # A client that could not follow to the new keys says so in the clear; a server has them first.
            self._on_alert(body, events)
            return
        try:
            content_type, content = self._opener.open(header, body)
        except BadRecordMac:
            if self._skip_early_data is not None and not self._opener.sequence:
                self._skip(len(body))
                return
            raise
        if self._record_observer is not None and hides_type:
            self._record_observer(False, header, content_type)
        if self._skip_early_data is not None:
            self._skip_early_data = None
            self._deframer.max_body = self._opener.max_body
        if content:
            self._empty_records = 0
        else:
            self._on_empty(content_type)
        if content_type == _TYPE_HANDSHAKE:
            self._on_handshake(content, events)
        elif content_type == _TYPE_APPLICATION_DATA:
            self._on_application_data(content, events)
        elif content_type == _TYPE_ALERT:
            self._on_alert(content, events)
        else:
            raise UnexpectedMessage(f"a record of type {content_type}")

    def _on_empty(self, content_type: int) -> None:
        if content_type != _TYPE_APPLICATION_DATA:
            # RFC 8446 §5.1: no zero-length fragments but of application data.
            raise UnexpectedMessage(f"an empty record of type {content_type}")
        self._empty_records += 1
        if self._empty_records > self.config.limits.empty_records:
            raise UnexpectedMessage(f"{self._empty_records} empty records in a row", reason="RECORD_TOO_SMALL")

    def _skip(self, size: int) -> None:
        """Pass over refused early data (RFC 8446 §4.2.10)."""
        assert self._skip_early_data is not None
        # RFC 8446 §4.6.1: the content counts, not what protects it; an empty record is not to be had for nothing.
        size = max(size - _TYPE_AND_TAG, 1)
        if size > self._skip_early_data:
            raise UnexpectedMessage("more early data than may be skipped", reason="TOO_MUCH_SKIPPED_EARLY_DATA")
        self._skip_early_data -= size

    def _on_change_cipher_spec(self, body: bytes, events: list[Event]) -> None:
        """Hand TLS 1.2's to the state; drop the one for middleboxes, where it may be (RFC 8446 §5)."""
        effects = self._machine.change_cipher_spec() if body == _CHANGE_CIPHER_SPEC_BODY else None
        if effects is not None:
            if self._observer is not None:
                self._observer(False, _CHANGE_CIPHER_SPEC, body)
            self._apply(effects, events)
            return
        if not self._machine.state.ignores_change_cipher_spec or body != _CHANGE_CIPHER_SPEC_BODY:
            raise UnexpectedMessage("ChangeCipherSpec out of place", reason="UNEXPECTED_CCS_MESSAGE")
        if self._machine.in_message:
            raise UnexpectedMessage("ChangeCipherSpec inside a handshake message")
        self._change_cipher_specs += 1
        if self._change_cipher_specs > self.config.limits.change_cipher_specs:
            raise UnexpectedMessage("too many ChangeCipherSpec records", reason="TOO_MANY_CHANGE_CIPHER_SPECS")
        if self._observer is not None:
            self._observer(False, _CHANGE_CIPHER_SPEC, body)

    def _on_handshake(self, content: bytes, events: list[Event]) -> None:
        self._apply(self._machine.receive(content), events)

    def _on_application_data(self, content: bytes, events: list[Event]) -> None:
        if self._read_epoch is _EARLY:
            self._on_early_data(content, events)
            return
        if not self._machine.state.connected:
            raise UnexpectedMessage("application data before Finished", reason="APP_DATA_IN_HANDSHAKE")
        if self._machine.in_message:
            raise UnexpectedMessage("application data inside a handshake message")
        if content:
            self._machine.data_came()
            self._warnings = 0
            events.append(ApplicationData(content))

    def _on_early_data(self, content: bytes, events: list[Event]) -> None:
        if self._machine.in_message:
            raise UnexpectedMessage("application data inside a handshake message")
        if len(content) > self._early_data_due:
            # RFC 8446 §4.2.10: more than the ticket allows.
            raise UnexpectedMessage("more early data than is taken", reason="TOO_MUCH_EARLY_DATA")
        self._early_data_due -= len(content)
        if content:
            events.append(EarlyData(content))

    def _on_alert(self, content: bytes, events: list[Event]) -> None:
        if len(content) != 2:
            # RFC 8446 §5.1: an alert is alone in its record, whole.
            raise DecodeError(f"an alert of {len(content)} bytes", reason="BAD_ALERT")
        level, description = content
        if self._observer is not None:
            self._observer(False, _ALERT, content)
        if description == _CLOSE_NOTIFY:
            self.peer_closed = True
            events.append(PeerClosed())
            return
        ignorable = description == _USER_CANCELED or self._machine.state.tolerates_warnings
        if level == WARNING and ignorable:
            if self._machine.in_message:
                # RFC 8446 §5.1: no record of another type between the pieces of a message.
                raise UnexpectedMessage("an alert inside a handshake message")
            # TLS 1.3 has one warning left besides close_notify.
            self._warnings += 1
            if self._warnings > self.config.limits.warning_alerts:
                raise UnexpectedMessage("too many warning alerts", reason="TOO_MANY_WARNING_ALERTS")
            return
        if level not in (WARNING, FATAL):
            raise IllegalParameter(f"an alert of level {level}", reason="UNKNOWN_ALERT_TYPE")
        raise AlertReceived(description, self._explanation(description))

    def _explanation(self, description: int) -> str:
        """Return what an alert means here, for people."""
        from fasttls.handshake.explain import explain_alert

        state, host = self._machine.state, self.server_name
        return explain_alert(description, state, self.config, server_side=self.server_side, host=host)

    # What follows from either.

    def _apply(self, effects: list[Effect], events: list[Event]) -> None:
        """Apply a flight's effects, in order."""
        began_connected = self.negotiated is not None
        for effect in effects:
            if isinstance(effect, Send):
                self._send_message(effect)
            elif isinstance(effect, WriteWith):
                self._write_with(effect)
            elif isinstance(effect, ReadWith):
                self._read_with(effect)
            elif isinstance(effect, Emit):
                self._emit(effect.event, events)
            elif isinstance(effect, LogSecret):
                if self.config.key_log is not None:
                    self.config.key_log(effect.label, effect.client_random, effect.secret)
            else:
                self._apply_rare(effect)
        if self.negotiated is not None and not began_connected:
            self._connected_state().settle()

    def _send_message(self, effect: Send) -> None:
        if not self.close_sent:
            if self._observer is not None:
                self._observer(True, _CONTENT_TYPE_HANDSHAKE, effect.message)
            self._handshake_out += effect.message

    def _write_with(self, effect: WriteWith) -> None:
        if not self.close_sent:
            self._seal_with(sealer13(effect.suite, effect.secret))
            most = effect.suite.record_limit
            wanted = self.config.key_update_after
            self._records_per_key = most if wanted is None else min(most, wanted)

    def _read_with(self, effect: ReadWith) -> None:
        self._open_with(opener13(effect.suite, effect.secret))
        self._read_epoch = effect.epoch

    def _apply_rare(self, effect: Effect) -> None:
        """Apply what a full handshake of TLS 1.3 does at most once."""
        if self.close_sent and isinstance(effect, _WRITES):
            return  # RFC 8446 §6.1: close_notify was the last that this side sends
        if isinstance(effect, SendChangeCipherSpec):
            self._flush_handshake()
            if self._observer is not None:
                self._observer(True, _CHANGE_CIPHER_SPEC, _CHANGE_CIPHER_SPEC_BODY)
            self._send_change_cipher_spec()
        elif isinstance(effect, WriteWith12):
            self._seal_with(sealer12(effect.keys))
            self._records_per_key = 1 << 62
        elif isinstance(effect, ReadWith12):
            self._open_with(opener12(effect.keys))
            self._read_epoch = _APPLICATION
        elif isinstance(effect, WritePlain):
            self._seal_with(PlainSealer(_TLS1_2))
        elif isinstance(effect, OfferEarlyData):
            self._early_data_left = effect.size
        elif isinstance(effect, TakeEarlyData):
            self._early_data_due = effect.size
        elif isinstance(effect, AnswerKeyUpdate):
            self._answer_key_update()
        elif isinstance(effect, SendWarning):
            self._send_alert(WARNING, effect.description)
        elif isinstance(effect, SelectConfig):
            self._server_sessions = effect.config.server_sessions
        elif isinstance(effect, SkipEarlyData):
            self._skip_early_data = effect.size
            self._skip_by_type = effect.by_type
            if effect.by_type:
                # What is skipped is protected, though nothing else is yet (RFC 8446 §4.2.10).
                self._deframer.max_body = MAX_PLAINTEXT + _EXPANSION
        else:
            raise AssertionError(f"nobody applies {effect!r}")

    def _emit(self, event: Event, events: list[Event]) -> None:
        if isinstance(event, HandshakeCompleted):
            if self.close_sent:
                return  # this side's Finished was never sent: nothing was completed
            self.negotiated = event.negotiated
        elif isinstance(event, PeerAuthenticated):
            self.negotiated = event.negotiated
        events.append(event)

    def _answer_key_update(self) -> None:
        """Answer a request for new keys; whoever is silent answers several of them once (RFC 8446 §4.6.3)."""
        if self.close_sent:
            return
        if self._answered:
            self._answer_due = True
        else:
            self._answered = True
            self.update_keys()

    def _write(self, content_type: int, content: bytes | memoryview) -> None:
        """Send one record, and change keys before the AEAD's limit is reached (RFC 8446 §5.5)."""
        if self._sealer.sequence >= self._records_per_key - 1 and not self.close_sent:
            self.update_keys()
        self._seal(content_type, content)

    def _send_alert(self, level: int, description: int) -> None:
        self._flush_handshake()
        alert = bytes((level, description))
        if self._observer is not None:
            self._observer(True, _ALERT, alert)
        self._seal(_TYPE_ALERT, alert)

    def _fail(self, error: TLSError) -> None:
        """End the connection: keep the error, and tell the peer when the fault is to be told."""
        self.error = error
        self._forget_session()
        if isinstance(error, Alert):
            assert error.alert_sent is not None
            if self.close_sent:
                error.alert_sent = None  # RFC 8446 §6.1: nothing follows close_notify
            else:
                self._send_alert(FATAL, error.alert_sent)

    def _forget_session(self) -> None:
        """Let no client go on with a session of a server's whose connection failed (RFC 5246 §7.2.2)."""
        sessions = self._server_sessions
        agreed = self.negotiated or getattr(self._machine.state, "negotiated", None)
        if sessions is not None and isinstance(agreed, Negotiated) and agreed.version == _TLS1_2:
            sessions.remove(agreed.legacy_session_id)

    def _connected_state(self) -> ConnectedState:
        state = self._machine.state
        if not isinstance(state, ConnectedState):
            raise ValueError("the handshake is not complete")
        return state

    def _check_usable(self) -> None:
        if self.error is not None:
            raise self.error

    def _check_sendable(self) -> None:
        self._check_usable()
        if self.negotiated is None:
            raise ValueError("the handshake is not complete")
        if self.close_sent:
            raise ValueError("this side has sent close_notify")
