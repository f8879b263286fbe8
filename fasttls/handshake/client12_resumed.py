"""The client of TLS 1.2 that goes on with a session (RFC 5246 §7.3 figure 2, RFC 5077 §3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.key_schedule12 import VERIFY_DATA_SIZE, MasterSecret, RecordKeys
from fasttls.events import HandshakeCompleted, Negotiated
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.client12_common import Client12State, Session, negotiated_of, tell_new_session
from fasttls.handshake.config import Config
from fasttls.handshake.connected12 import ClientConnected
from fasttls.handshake.flight import Flight
from fasttls.handshake.resume import usable_session
from fasttls.handshake.state import readers_of
from fasttls.native._secret import Secret
from fasttls.sessions.session import Session as Resumption
from fasttls.wire.alerts import DecryptError, HandshakeFailure, IllegalParameter, UnexpectedMessage
from fasttls.wire.iana import ExtensionType, ProtocolVersion
from fasttls.wire.messages import ClientHello, Finished
from fasttls.wire.messages12 import ChangeCipherSpec, NewSessionTicket

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_SESSION_TICKET = ExtensionType.SESSION_TICKET
_TLS1_2 = ProtocolVersion.TLS1_2


@dataclass(frozen=True)
class Resumable:
    """A session that is offered, and its server, verified anew."""

    session: Resumption
    peer: PeerIdentity


def offer_session(config: Config, session: Resumption | None, host: str | None, hello: ClientHello) -> Resumable | None:
    """Put a session of TLS 1.2 into the ClientHello, or ask for a ticket (RFC 5077 §3.2, RFC 5246 §7.4.1.2)."""
    if not config.resumption:
        return None
    usable = usable_session(config, session, host, _TLS1_2)
    hello.extensions[_SESSION_TICKET] = b"" if usable is None else usable[0].ticket
    if usable is None:
        return None
    if usable[0].ticket:
        # RFC 5077 §3.4: the server echoes the id when it takes the ticket.
        hello.legacy_session_id = hello.legacy_session_id or config.random(32)
    else:
        hello.legacy_session_id = usable[0].session_id
    return Resumable(*usable)


def resume(session: Session, resumable: Resumable, flight: Flight) -> WaitTicketOrChange:
    """Go on with the session that the server took (RFC 5246 §7.3, figure 2)."""
    kept = resumable.session
    if kept.suite != session.suite.code:
        raise IllegalParameter(
            "the server resumes a session with another suite", reason="OLD_SESSION_CIPHER_NOT_RETURNED"
        )
    if kept.extended_master_secret != session.extended:
        # RFC 7627 §5.3: both handshakes have it, or neither.
        raise HandshakeFailure(
            "the server resumes a session and changes extended_master_secret", reason="INCONSISTENT_EXTMS"
        )
    randoms = session.hello.random, session.answer.random
    master = MasterSecret(session.suite, Secret(kept.secret), randoms[0], randoms[1], session.extended)
    flight.log_secret("CLIENT_RANDOM", session.hello.random, master.secret)
    negotiated = negotiated_of(session, resumable.peer, kept.peer_signature_algorithm, None, None, None, kept)
    renews = _SESSION_TICKET in session.answer.extensions
    return WaitTicketOrChange(session.config, master, negotiated, b"" if renews else None)


@dataclass(frozen=True)
class WaitTicketOrChange(Client12State):
    """The server resumes: a new ticket, if it promised one, and then it changes keys (RFC 5077 §3.1, figure 2)."""

    config: Config
    master: MasterSecret
    negotiated: Negotiated
    promised: bytes | None
    """Empty while a ticket is promised and did not come, None when there is none to come."""

    def on_new_session_ticket(self, ticket: NewSessionTicket, flight: Flight) -> WaitResumedChange:
        """Keep the ticket until the server's Finished vouches for it."""
        if self.promised is None:
            raise UnexpectedMessage("the server sends a ticket that it did not promise")
        return WaitResumedChange(self.config, self.master, self.negotiated, ticket)

    def on_change_cipher_spec(self, message: ChangeCipherSpec, flight: Flight) -> WaitResumedFinished:
        """Read with the new keys."""
        if self.promised is not None:
            raise UnexpectedMessage("the server promised a ticket and sends none")  # RFC 5077 §3.3
        return WaitResumedChange(self.config, self.master, self.negotiated, None).on_change_cipher_spec(message, flight)

    handlers = {NewSessionTicket: on_new_session_ticket, ChangeCipherSpec: on_change_cipher_spec}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitResumedChange(Client12State):
    """The server resumes, and changes keys next."""

    config: Config
    master: MasterSecret
    negotiated: Negotiated
    ticket: NewSessionTicket | None

    def on_change_cipher_spec(self, message: ChangeCipherSpec, flight: Flight) -> WaitResumedFinished:
        """Read with the new keys."""
        write_keys, read_keys = self.master.keys()
        flight.read_with12(read_keys)
        return WaitResumedFinished(self.config, self.master, write_keys, self.negotiated, self.ticket)

    handlers = {ChangeCipherSpec: on_change_cipher_spec}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitResumedFinished(Client12State):
    """The server resumes: its Finished comes first, and the client's answers it."""

    config: Config
    master: MasterSecret
    write_keys: RecordKeys
    negotiated: Negotiated
    ticket: NewSessionTicket | None

    def on_finished(self, finished: Finished, flight: Flight) -> ClientConnected:
        """Check that nobody altered the handshake, and finish it."""
        transcript = flight.transcript
        finished.check_size(VERIFY_DATA_SIZE)
        if not self.master.finished_matches(finished.verify_data, transcript.digest_before(), False):
            raise DecryptError("the server's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        flight.send_change_cipher_spec()
        flight.write_with12(self.write_keys)
        flight.send(Finished(self.master.finished(transcript.digest(), True)))
        unique = finished.verify_data if self.master.extended else None
        negotiated = self.negotiated.with_tls_unique(unique)
        flight.emit(HandshakeCompleted(negotiated))
        if self.ticket is not None:
            tell_new_session(self.config, self.master, negotiated, self.ticket, flight)
        return ClientConnected(self.master)

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
