"""The sessions of one connection: the one it offers, the ones it leaves, and what its context counts."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING

from fasttls.api.session import SSLSession, session_of
from fasttls.events import Negotiated, TicketReceived
from fasttls.native._secret import Secret
from fasttls.sessions.session import Session
from fasttls.wire.iana import ProtocolVersion

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_TLS1_2 = ProtocolVersion.TLS1_2

_MOST_KEPT = 1 << 16  # bytes of a ticket and the server's certificates; a context keeps a few hundred of them

if TYPE_CHECKING:
    from fasttls.api.channel import Channel
    from fasttls.api.context import SSLContext
    from fasttls.connection import Connection


class SessionLink:
    """Stands between an engine and its context's sessions."""

    def __init__(self, context: SSLContext, connection: Connection, channel: Channel) -> None:
        self._context = context
        self._counters = context._counters
        self._connection = connection
        self._channel = channel
        self.begun = False
        self._place: Hashable = None
        self._received = False  # whether it left a session
        self._session = connection.session
        self._completed: Negotiated | None = None  # where no session but what was agreed is to be shown
        self._completed_at = 0.0  # seconds since the epoch
        self._shown: SSLSession | None = None  # made when it is first asked for: few programs do

    @property
    def current(self) -> SSLSession | None:
        """What `SSLSocket.session` shows."""
        if self._shown is None:
            session = self._session
            if session is None and self._completed is not None:
                session = _without_ticket(self._completed, self._completed_at)
            if session is not None:
                self._shown = SSLSession(session, self._context)
        return self._shown

    def go_on_with(self, connection: Connection) -> None:
        """Stand by another connection, which takes the place of one that has not begun."""
        self._connection = connection

    def give(self, session: object) -> None:
        """Offer this session. Raises TypeError and ValueError as the standard library does."""
        if session is None:
            raise TypeError("Value is not a SSLSession.")
        given = session_of(session, self._context)
        if self._connection.server_side:
            raise ValueError("Cannot set session for server-side SSLSocket.")
        if self.begun:
            raise ValueError("Cannot set session after handshake.")
        self._connection.session = given
        assert isinstance(session, SSLSession)
        self._session, self._shown = given, session

    def begin(self) -> None:
        """Count the connection, and offer a session of the context's when the caller gave none."""
        if self.begun:
            return
        self.begun = True
        connection = self._connection
        if connection.server_side:
            self._counters.add("accept")
            return
        self._counters.add("connect")
        config = connection.config
        if not config.resumption:
            return
        port = self._port()
        if port is None and not self._context._resumes_by_name:
            return
        self._place = self._context._place(config, connection.server_name, port)
        if connection.session is None:
            connection.session = self._context._take_session(config, self._place)

    def _port(self) -> object:
        """Where the server is, beside its name; None where nobody knows."""
        try:
            sock = self._channel.plain_socket
            address = None if sock is None else sock.getpeername()
        except OSError:
            return None
        return address[1] if isinstance(address, tuple) else address

    def completed(self, negotiated: Negotiated) -> None:
        """Count a handshake that is complete."""
        side = "accept_good" if self._connection.server_side else "connect_good"
        self._counters.add(side, "hits" if negotiated.resumed else "")
        if negotiated.resumed and negotiated.version == _TLS1_2 and negotiated.session is not None:
            self._session, self._shown = negotiated.session, None
        elif self._session is None or negotiated.session is None:
            self._session, self._shown = None, None
            self._completed, self._completed_at = negotiated, self._connection.config.now()

    def received(self, ticket: TicketReceived) -> None:
        """Keep a session that a later connection may go on with."""
        if ticket.session is None:
            return
        self._session, self._shown = ticket.session, None
        self._received = True
        if self._place is not None and _weight(ticket.session) <= _MOST_KEPT:
            self._context._client_sessions.keep(self._place, ticket.session)

    def failed(self) -> None:
        """Forget the sessions of a place where a connection with one failed (RFC 5246 §7.2.2, RFC 8446 §6.2)."""
        if self._place is not None and (self._received or self._connection.session is not None):
            self._context._client_sessions.forget(self._place)


def _weight(session: Session) -> int:
    """Return the bytes of a session that a server chose."""
    size = len(session.ticket)
    for der in session.peer_chain:
        size += len(der)
    return size


def _without_ticket(negotiated: Negotiated, now: float) -> Session:
    """Return a session that says what there is to say of a connection, and that nobody can go on with."""
    return Session(
        version=negotiated.version,
        suite=negotiated.suite,
        secret=Secret(bytes(32)),
        created=now,
        lifetime=7200,
        server_name=negotiated.server_name,
        alpn=negotiated.alpn,
        peer_chain=(),
        peer_signature_algorithm=None,
        extended_master_secret=negotiated.extended_master_secret,
        session_id=negotiated.legacy_session_id or negotiated.server_random,
    )
