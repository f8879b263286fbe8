"""The engine behind ssl.SSLSocket and ssl.SSLObject: the methods of `_ssl._SSLSocket`, over a Connection.

It reads one record at a time and never past it, because programs wait in select() for the rest; and
it has sent everything that an operation produced before the operation returns or raises.
"""

from __future__ import annotations

import contextlib
import ssl
import time
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fasttls.api.agreed import Agreed
from fasttls.api.channel import Channel, count_of_forks
from fasttls.api.errors import closed, ssl_error, want_read
from fasttls.api.failures import as_ssl_error
from fasttls.api.session_link import SessionLink
from fasttls.connection import Connection
from fasttls.events import (
    ApplicationData,
    EarlyData,
    EarlyDataAnswered,
    Event,
    HandshakeCompleted,
    TicketReceived,
)
from fasttls.handshake.post_auth13 import CannotAsk
from fasttls.native._mutex import Mutex
from fasttls.wire.alerts import TLSError
from fasttls.wire.iana import ProtocolVersion

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from fasttls.api.context import SSLContext
    from fasttls.api.session import SSLSession
    from fasttls.api.sni import SniChoice

_RECORD = 16384  # bytes
_MOST_UNSENT = 64  # pieces of output
_WRAPPERS = (ssl.SSLSocket, ssl.SSLObject)


class Engine(Agreed):
    """One TLS connection as the standard library's wrappers drive it.

    One thread may read while another writes: `_lock` guards the connection's state and is never
    held while waiting, `_write_lock` keeps records on the wire in the order they were made,
    `_writing` lets one write() after another be whole, and `_reading` one record after another be
    read. What every record passes takes them by acquire() and release(): a compiled `with` costs
    twice as much.
    """

    def __init__(
        self,
        context: SSLContext,
        connection: Connection,
        channel: Channel,
        owner: object,
        choice: SniChoice | None = None,
    ) -> None:
        super().__init__(connection)
        self._context = context
        self._channel = channel
        self._choice = choice
        self._ignores_eof = context._ignores_unexpected_eof
        # gevent's SSLSocket gives an inner socket for the owner, with a reference to itself.
        front = None if isinstance(owner, _WRAPPERS) else getattr(owner, "_sslsock", None)
        owner = owner if front is None else front()
        self._owner = weakref.ref(owner) if owner is not None else None
        self._plaintext: list[bytes] = []
        self._taken = 0  # bytes of the first of them
        self._outgoing: list[bytes | memoryview] = []
        self._committed = 0  # bytes of a write that are sealed, sent or not, while it is not over
        self._early_committed = 0  # the same, of early data
        self._lock = Mutex()
        self._write_lock = Mutex()
        self._writing = Mutex()
        self._reading = Mutex()
        self._forks = count_of_forks()
        self._looked = 0  # how often the transport was read
        self._wrote = False  # whether application data was written
        self._sessions = SessionLink(context, connection, channel)
        self._early = bytearray()
        self._early_answer: EarlyDataAnswered | None = None

    # Moving bytes.

    def _collect(self) -> None:
        """Queue what the connection has to say."""
        output = self._connection.take_output()
        if output:
            self._outgoing.append(output)

    def _flush(self, deadline: float | None, doing: str) -> None:
        """Send everything that is queued. Raises SSLWantWriteError when it would block."""
        if not self._outgoing:
            return
        self._write_lock.acquire()  # and whoever had it may have sent it all
        try:
            while self._outgoing:
                data = self._outgoing[0]
                sent = self._channel.write(data, deadline, doing)
                if sent == len(data):
                    del self._outgoing[0]
                else:
                    self._outgoing[0] = memoryview(data)[sent:]
        finally:
            self._write_lock.release()

    def _flush_now(self) -> None:
        """Send what the system takes at once; what it does not take, and why, is the next write's affair.

        A read returns what the peer has sent, whatever becomes of what is to be sent.
        """
        if not self._outgoing or not self._write_lock.acquire_now():
            return
        try:
            while self._outgoing:
                data = self._outgoing[0]
                sent = self._channel.write_now(data)
                if sent < len(data):
                    if sent:
                        self._outgoing[0] = memoryview(data)[sent:]
                    return
                del self._outgoing[0]
        except OSError:
            return
        finally:
            self._write_lock.release()

    def _pump(self, seen: int, deadline: float | None, doing: str) -> bool:
        """Read towards the next record, take note of what happened, and return False when there is nothing to read yet.

        When the transport was read more often than `seen`, another thread has done so, and the caller looks again.
        """
        if self._reading.is_mine():  # a signal handler, in the midst of a read: there is nobody to wait for
            return self._read_record(deadline, doing)
        if deadline is None:
            self._reading.acquire()
        elif not self._reading.acquire_within(deadline - time.monotonic()):
            raise TimeoutError(f"The {doing} operation timed out")
        try:
            if self._looked != seen:
                return True
            try:
                return self._read_record(deadline, doing)
            finally:
                self._looked += 1  # only now: who waits is to see what came of it
        finally:
            self._reading.release()

    def _read_record(self, deadline: float | None, doing: str) -> bool:
        try:
            data = self._channel.read(self._connection.wanted, deadline, doing)
        except ConnectionResetError:
            if not self._sent_tickets_alone():
                raise
            data = b""
        if data is None:
            return False
        body = self._connection.take_header(data)  # which nobody who writes has to do with: no lock
        if body:
            data = self._channel.read(body, deadline, doing)
            if data is None:
                return False
        try:
            self._lock.acquire()
            try:
                self._receive(data)
            finally:
                self._lock.release()
        except TLSError as error:
            self._sessions.failed()
            self._say_goodbye(deadline, doing)
            raise as_ssl_error(error) from error
        except Exception:
            self._say_goodbye(deadline, doing)
            raise
        return True

    def _sent_tickets_alone(self) -> bool:
        """Whether tickets are all that went either way behind this server's handshake.

        A client that leaves without reading them makes its system reset the connection, which is no more than its end.
        """
        connection = self._connection
        negotiated = connection.negotiated
        return (
            connection.server_side
            and negotiated is not None
            and negotiated.version == ProtocolVersion.TLS1_3
            and not self._wrote
            and not connection.has_read
        )

    def _receive(self, data: bytes) -> None:
        try:
            if data:
                events = self._connection.receive(data)
                for event in events:
                    self._on_event(event)
            else:
                self._end()
        finally:
            self._collect()

    def _end(self) -> None:
        """Take note that the transport has ended: as an error, unless it is to pass for a close_notify."""
        if self._ignores_eof:
            self._connection.peer_closed = True
        else:
            self._connection.receive_eof()

    def _on_event(self, event: Event) -> None:
        if isinstance(event, ApplicationData):
            self._plaintext.append(event.data)
        elif isinstance(event, TicketReceived):
            self._sessions.received(event)
        elif isinstance(event, HandshakeCompleted):
            self._sessions.completed(event.negotiated)
        elif isinstance(event, EarlyData):
            self._early += event.data
        elif isinstance(event, EarlyDataAnswered):
            self._early_answer = event

    def _say_goodbye(self, deadline: float | None, doing: str) -> None:
        """Try to send the alert; that it cannot be sent must not hide why it was to be sent."""
        with contextlib.suppress(OSError):
            self._flush(deadline, doing)
            # What is left unread would make the system reset the connection when it is closed, and the peer
            # lose the alert.
            self._channel.drain()

    def _raise_failure(self) -> None:
        if self._connection.error is not None:
            raise as_ssl_error(self._connection.error)

    # The methods of _ssl._SSLSocket.

    def do_handshake(self) -> None:
        """Complete the handshake, this side's last flight sent included."""
        self._raise_failure()
        deadline = self._channel.deadline()
        connection = self._connection
        try:
            with self._lock:
                try:
                    self._sessions.begin()
                    connection.start()
                finally:
                    self._collect()
        except TLSError as error:
            self._say_goodbye(deadline, "handshake")
            raise as_ssl_error(error) from error
        except Exception:
            self._say_goodbye(deadline, "handshake")
            raise
        self._flush(deadline, "handshake")
        while True:
            seen = self._looked
            if connection.connected:
                return
            try:
                if not self._pump(seen, deadline, "handshake"):
                    raise want_read()
            except TimeoutError as exc:
                raise TimeoutError(f"{exc}, waiting for {connection.waits_for}") from None
            try:
                self._flush(deadline, "handshake")
            except (BrokenPipeError, ConnectionResetError):
                if not connection.connected or not connection.server_side:
                    raise
                # Tickets for a client that has left: what it sent before can be read all the same.
                with self._write_lock:
                    self._outgoing.clear()
            if connection.peer_closed and not connection.connected:
                raise closed()

    def read(self, size: int = 1024, buffer: Buffer | None = None) -> bytes | int:
        """Return up to size bytes of application data, or put them in buffer and return their count.

        Nothing is returned after the peer's close_notify.
        """
        target = None if buffer is None else memoryview(buffer).cast("B")
        if target is not None and target.readonly:  # before anything is read that would be lost
            raise TypeError(f"read() argument 2 must be read-write bytes-like object, not {type(buffer).__name__}")
        if target is not None and (size <= 0 or size > len(target)):
            size = len(target)
        if size < 0:
            raise ValueError("size should not be negative")
        if size == 0:
            return b"" if target is None else 0
        while True:
            if not self._plaintext:
                self._fill()
            self._lock.acquire()
            try:
                if self._plaintext:
                    # Of the record that was read, what is left; another one is another read.
                    first, start = self._plaintext[0], self._taken
                    end = start + size
                    if end < len(first):
                        self._taken = end
                    else:
                        end = len(first)
                        del self._plaintext[0]
                        self._taken = 0
                    break
                if self._connection.peer_closed:
                    return b"" if target is None else 0
            finally:
                self._lock.release()
            # Another thread has taken what came.
        if target is None:
            return first if end - start == len(first) else first[start:end]
        target[: end - start] = memoryview(first)[start:end]
        return end - start

    def _fill(self) -> None:
        """Read until there is application data, or the peer's close_notify."""
        self._raise_failure()
        deadline = self._channel.deadline()
        connection = self._connection
        if not connection.connected:
            self.do_handshake()
        self._flush_now()
        while True:
            seen = self._looked
            if self._plaintext or connection.peer_closed:
                break
            self._raise_failure()  # which another thread has met
            if len(self._outgoing) >= _MOST_UNSENT:
                self._flush(deadline, "read")  # a peer that asks much and reads nothing is not read any further
            if not self._pump(seen, deadline, "read"):
                raise want_read()
            self._flush_now()
        if not self._plaintext and connection.close_sent:
            raise closed()

    def write(self, data: Buffer) -> int:
        """Send application data and return how much of it.

        When it raises SSLWantWriteError, the call is to be repeated with the same data.
        """
        self._raise_failure()
        deadline = self._channel.deadline()
        view = data if type(data) is bytes else memoryview(data).cast("B")
        if self._connection.negotiated is None:
            self.do_handshake()
        if deadline is None:
            self._writing.acquire()
        elif not self._writing.acquire_within(deadline - time.monotonic()):
            raise TimeoutError("The write operation timed out")
        try:
            return self._write(view, deadline)
        finally:
            self._writing.release()

    def _write(self, view: bytes | memoryview, deadline: float | None) -> int:
        """Seal and send a piece after another. What ends it early, the caller's repetition goes on from."""
        size = len(view)
        self._wrote = True
        if self._committed > size:
            raise ssl_error("BAD_LENGTH", "bad length: a write that would have blocked is repeated with the same data")
        while True:
            if self._outgoing:
                self._flush(deadline, "write")
            start = self._committed
            if start >= size:
                self._committed = 0
                return size
            piece = view if size <= _RECORD and not start else memoryview(view)[start : start + _RECORD]
            self._lock.acquire()
            try:
                if self._connection.close_sent:
                    raise ssl_error("PROTOCOL_IS_SHUTDOWN", "protocol is shutdown")
                self._connection.send(piece)
                self._collect()
            except TLSError as error:  # another thread's read has met it
                raise as_ssl_error(error) from error
            finally:
                self._lock.release()
            self._committed = start + len(piece)

    def pending(self) -> int:
        """Return how many bytes can be read without waiting."""
        return sum(map(len, self._plaintext)) - self._taken

    def shutdown(self) -> Any:
        """Send close_notify, wait for the peer's, and return the plain socket."""
        self._raise_failure()
        if not self._connection.connected:
            raise ssl_error("SHUTDOWN_WHILE_IN_INIT", "shutdown while in init")
        deadline = self._channel.deadline()
        with self._lock:
            self._connection.close()
            self._collect()
        self._flush(deadline, "write")
        while True:
            seen = self._looked
            if self._connection.peer_closed:
                break
            if not self._pump(seen, deadline, "read"):
                raise want_read()
            if self._plaintext:
                self._plaintext.clear()
                self._taken = 0
                raise ssl_error("APPLICATION_DATA_AFTER_CLOSE_NOTIFY", "application data after close notify")
        return self._channel.plain_socket

    def leave(self) -> None:
        """Read what a server sends behind its handshake, when the socket is closed and nothing was read.

        The system resets a connection that is closed with something unread, and what this side sent may be lost; a
        server of TLS 1.3 sends tickets that a client may never get to read.
        """
        negotiated = self._negotiated
        if negotiated is None or self._connection.server_side or self._connection.has_read:
            return
        if self._forks != count_of_forks():
            return  # another process may go on with this connection
        if negotiated.version == ProtocolVersion.TLS1_3:
            with contextlib.suppress(OSError, ValueError):
                # Application data is left for whoever else may have the socket.
                self._channel.skip(self._connection.size_of_messages(self._channel.peek()))

    def key_update(self, request_peer: bool = False) -> None:
        """Send KeyUpdate, and ask the peer for one if wanted (RFC 8446 §4.6.3)."""
        self._raise_failure()
        with self._lock:
            self._connection.update_keys(request_peer=request_peer)
            self._collect()
        self._flush(self._channel.deadline(), "write")

    def verify_client_post_handshake(self) -> None:
        """Ask a TLS 1.3 client for its certificate; the answer is read among what it sends (RFC 8446 §4.6.2).

        The request goes out with what is written or read next. Raises ssl.SSLError when the client cannot be asked.
        """
        self._raise_failure()
        if self._negotiated is None or self._negotiated.version != ProtocolVersion.TLS1_3:
            raise ssl_error("WRONG_SSL_VERSION", "wrong ssl version")
        if self._connection.close_sent:
            raise ssl_error("PROTOCOL_IS_SHUTDOWN", "protocol is shutdown")
        try:
            with self._lock:
                try:
                    self._connection.request_certificate()
                finally:
                    self._collect()
        except CannotAsk as exc:
            words = exc.reason.lower().replace("_", " ")
            raise ssl_error(exc.reason, f"{words}: {exc}") from exc

    @property
    def context(self) -> SSLContext:
        """The context; a server's sni_callback may set another one."""
        return self._context

    @context.setter
    def context(self, context: SSLContext) -> None:
        if not callable(getattr(context, "_config", None)):
            raise TypeError("The value must be a SSLContext of fasttls")
        if self._choice is not None and self._choice.active:
            self._choice.take_context(context)
        elif not self._sessions.begun:
            self._take_certificates(context)
        self._context = context

    def _take_certificates(self, context: SSLContext) -> None:
        """Show the certificates of another context and trust whom it trusts.

        That is all that setting it changes before the handshake, as in OpenSSL: who must be verified stays.
        """
        old, found = self._connection, context._config()
        config = replace(old.config, credentials=found.credentials, trust=found.trust)
        self._connection = Connection(
            config, server_side=old.server_side, server_name=old.server_name, session=old.session
        )
        self._sessions.go_on_with(self._connection)

    @property
    def owner(self) -> object:
        """The SSLSocket or SSLObject in front of this engine."""
        return self._owner() if self._owner is not None else None

    @property
    def session(self) -> SSLSession | None:
        """The session: the newest that a later connection may go on with, or the one this connection goes on with."""
        return self._sessions.current

    @session.setter
    def session(self, session: object) -> None:
        self._sessions.give(session)

    # Early data.

    def write_early(self, data: Buffer) -> int:
        """Send early data before the handshake; return how much of it may be sent, nothing when none may."""
        connection = self._connection
        if connection.connected:
            raise ValueError("early data is sent before the handshake")
        self._raise_failure()
        deadline = self._channel.deadline()
        if not self._early_committed:  # else the call is repeated, and the data waits to be sent
            with self._lock:
                self._sessions.begin()
                connection.start()
                view = memoryview(data).cast("B")[: connection.early_data_left]
                if view:
                    connection.send_early(view)
                self._collect()
            self._early_committed = len(view)
        self._flush(deadline, "write")
        sent, self._early_committed = self._early_committed, 0
        return sent

    @property
    def early_data(self) -> bytes:
        """What a server took of early data, to be thought of as sent by anybody who saw it before."""
        return bytes(self._early)

    @property
    def early_data_answer(self) -> EarlyDataAnswered | None:
        """What became of early data, None where there was none."""
        return self._early_answer
