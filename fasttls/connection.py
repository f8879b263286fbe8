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

from fasttls.events import Event
from fasttls.exchange import Exchange
from fasttls.handshake import client, post_auth13
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.flight import Flight
from fasttls.handshake.state import State
from fasttls.native._protection import PlainSealer
from fasttls.sessions.session import Session
from fasttls.trust.names import as_ascii, as_ip_address
from fasttls.wire.alerts import FATAL, WARNING, AlertDescription, InternalError, TLSError, Truncated
from fasttls.wire.iana import ContentType, ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_CLOSE_NOTIFY = AlertDescription.CLOSE_NOTIFY
_OPTIONAL = PeerCertificate.OPTIONAL
_REQUIRED = PeerCertificate.REQUIRED
_TLS1_0 = ProtocolVersion.TLS1_0
_TLS1_2 = ProtocolVersion.TLS1_2

# Integers of C, where this is compiled.
_TYPE_HANDSHAKE = int(ContentType.HANDSHAKE)
_TYPE_APPLICATION_DATA = int(ContentType.APPLICATION_DATA)

if TYPE_CHECKING:
    from typing_extensions import Buffer

_RECORD_HEADER = 5  # bytes


def _start_server(config: Config) -> State:
    """Import the server with the first connection of one, and stand back: most programs are clients."""
    global _start_server
    from fasttls.handshake.server import start

    _start_server = start
    return start(config)


class Connection(Exchange):
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
        name = None if server_name is None else str.__str__(server_name)  # of str itself
        if server_side:
            state = _start_server(config)
        else:
            if name is not None and as_ip_address(name) is None:
                as_ascii(name)  # raises for what is no host name, before anything is sent
            verifies = config.peer_certificate in (_OPTIONAL, _REQUIRED)
            if verifies and config.check_host and name is None:
                raise ValueError("a server name is needed, for the server's certificate to be checked against")
            state = client.NOT_STARTED
        super().__init__(config, server_side, name, state)
        self.session = session
        """The session that a client offers."""

        self.undelivered: tuple[Event, ...] = ()
        """The events that the last receive() could not return, because it raised."""

        self._started = server_side

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
            self._update_keys(False)
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
        self._update_keys(request_peer)

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
