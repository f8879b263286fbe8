"""What passes between two sides: records to the machine, what it wants done, and the failure that ends it.

`Connection` is this with what a caller does.
"""

from __future__ import annotations

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
from fasttls.handshake.config import Config
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
from fasttls.wire.alerts import (
    FATAL,
    WARNING,
    Alert,
    AlertDescription,
    AlertReceived,
    BadRecordMac,
    DecodeError,
    IllegalParameter,
    RecordOverflow,
    TLSError,
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
_TLS1_2 = ProtocolVersion.TLS1_2

# Integers of C, where this is compiled: every record is compared with them.
_TYPE_CHANGE_CIPHER_SPEC = int(ContentType.CHANGE_CIPHER_SPEC)
_TYPE_ALERT = int(ContentType.ALERT)
_TYPE_HANDSHAKE = int(ContentType.HANDSHAKE)
_TYPE_APPLICATION_DATA = int(ContentType.APPLICATION_DATA)

_CHANGE_CIPHER_SPEC_BODY = b"\x01"

_TYPE_AND_TAG = 17  # bytes

_EXPANSION = 256
"""Bytes that a protected record may have more than its content (RFC 8446 §5.2)."""

_WRITES = (SendChangeCipherSpec, SendWarning, WriteWith12)


class Exchange(RecordLayer):
    """Records in, effects out: one side of a connection, as the peer drives it."""

    def __init__(self, config: Config, server_side: bool, server_name: str | None, state: State) -> None:
        """Begin in a state; server_name is the server's, for a client."""
        super().__init__(config.max_fragment, config.padding, config.record_observer)
        self.config = config
        settings = self.config
        self.server_side = server_side
        self.server_name = server_name
        self._observer = settings.observer

        self.negotiated: Negotiated | None = None
        """What the handshake agreed on, once it is complete."""

        self.error: TLSError | None = None
        """The failure that ended the connection."""

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
        self._machine = Machine(
            state, self._transcript, settings.limits, settings.observer, settings.key_log is not None
        )

    @property
    def connected(self) -> bool:
        """Whether the handshake is complete."""
        return self.negotiated is not None

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
            self._update_keys(False)

    def _update_keys(self, request_peer: bool) -> None:
        """Send KeyUpdate and write with new keys."""
        self._check_sendable()
        flight = Flight(self._transcript)
        self._machine.state = self._connected_state().update_keys(flight, request_peer=request_peer)
        self._answer_due = False
        self._apply(flight.effects, [])
        self._flush_handshake()

    def _write(self, content_type: int, content: bytes | memoryview) -> None:
        """Send one record, and change keys before the AEAD's limit is reached (RFC 8446 §5.5)."""
        if self._sealer.sequence >= self._records_per_key - 1 and not self.close_sent:
            self._update_keys(False)
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
