"""After the handshake of TLS 1.3: tickets and key updates, on either side (RFC 8446 §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from fasttls.crypto.key_schedule import Exporter, next_traffic_secret, ticket_key
from fasttls.crypto.suites import Suite
from fasttls.events import KeysUpdated, Negotiated, TicketReceived
from fasttls.handshake.config import Config
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.state import ConnectedState, readers_of
from fasttls.native._secret import Secret
from fasttls.sessions.keys import seal_ticket
from fasttls.sessions.session import Session
from fasttls.wire.extensions import Extensions
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import KeyUpdate, NewSessionTicket

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_APPLICATION = Epoch.APPLICATION
_EARLY_DATA = ExtensionType.EARLY_DATA


@dataclass(frozen=True)
class _Connected(ConnectedState):
    """What both sides hold when the handshake is over."""

    suite: Suite
    read_secret: Secret
    write_secret: Secret
    exporter: Exporter
    resumption: Secret
    config: Config
    negotiated: Negotiated
    finished: bytes = b""
    """The client's Finished, or the server's after a resumption."""

    @property
    def tls_unique(self) -> bytes:
        """What OpenSSL has for the tls-unique channel binding, which TLS 1.3 does not define (RFC 9266 §3)."""
        return self.finished

    def settle(self) -> None:
        """Keep the secrets, and not what they were as keys."""
        self.read_secret.settle()
        self.write_secret.settle()
        self.resumption.settle()

    def on_key_update(self, update: KeyUpdate, flight: Flight) -> Self:
        """Read with the next keys; answer when the peer asks for it (RFC 8446 §4.6.3)."""
        secret = next_traffic_secret(self.suite.hash_name, self.read_secret)
        flight.read_with(_APPLICATION, self.suite, secret)
        flight.emit(KeysUpdated(update.request_update))
        if update.request_update:
            flight.answer_key_update()
        return replace(self, read_secret=secret)

    def update_keys(self, flight: Flight, *, request_peer: bool) -> Self:
        """Send KeyUpdate and write with the next keys."""
        flight.send_untracked(KeyUpdate(request_peer))
        secret = next_traffic_secret(self.suite.hash_name, self.write_secret)
        flight.write_with(_APPLICATION, self.suite, secret)
        return replace(self, write_secret=secret)

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material (RFC 8446 §7.5)."""
        return self.exporter.export(label, size, context or b"")


@dataclass(frozen=True)
class ClientConnected(_Connected):
    """Client CONNECTED (RFC 8446 Appendix A.1)."""

    def on_new_session_ticket(self, ticket: NewSessionTicket, flight: Flight) -> ClientConnected:
        """Make a session of a ticket (RFC 8446 §4.6.1)."""
        lifetime = ticket.ticket_lifetime
        if not self.config.resumption:
            flight.emit(TicketReceived(lifetime))
            return self
        negotiated = self.negotiated
        session = Session(
            version=negotiated.version,
            suite=negotiated.suite,
            secret=ticket_key(self.suite.hash_name, self.resumption, ticket.ticket_nonce),
            created=self.config.now(),
            lifetime=lifetime,
            server_name=negotiated.server_name,
            alpn=negotiated.alpn,
            peer_chain=negotiated.peer_chain,
            peer_signature_algorithm=negotiated.peer_signature_algorithm,
            extended_master_secret=True,
            ticket=ticket.ticket,
            age_add=ticket.ticket_age_add,
            max_early_data=ticket.extensions.get(_EARLY_DATA, 0),
            verified=bool(negotiated.verified_path),
        )
        self.resumption.settle()
        # RFC 8446 §4.6.1: a lifetime of 0 is for discarding the ticket at once.
        flight.emit(TicketReceived(lifetime, session if lifetime else None))
        return self

    handlers = {KeyUpdate: _Connected.on_key_update, NewSessionTicket: on_new_session_ticket}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class ServerConnected(_Connected):
    """Server CONNECTED (RFC 8446 Appendix A.2)."""

    def issue_tickets(self, flight: Flight, count: int) -> None:
        """Send so many tickets, as far as there are keys or room for them (RFC 8446 §4.6.1)."""
        config, negotiated = self.config, self.negotiated
        for number in range(count):
            nonce = number.to_bytes(8, "big")
            session = Session(
                version=negotiated.version,
                suite=negotiated.suite,
                secret=ticket_key(self.suite.hash_name, self.resumption, nonce),
                created=config.now(),
                lifetime=config.ticket_lifetime,
                server_name=negotiated.server_name,
                alpn=negotiated.alpn,
                peer_chain=negotiated.peer_chain,
                peer_signature_algorithm=negotiated.peer_signature_algorithm,
                extended_master_secret=True,
                age_add=int.from_bytes(config.random(4), "big"),
                max_early_data=config.max_early_data,
                verified=bool(negotiated.verified_path),
            )
            if config.ticket_keys is not None:
                ticket = seal_ticket(config.ticket_keys, session)
            elif config.server_sessions is not None:
                ticket = config.random(32)
                config.server_sessions.keep(replace(session, session_id=ticket))
            else:
                ticket = None
            if ticket is None:
                return
            extensions: Extensions = {}
            if config.max_early_data:
                extensions[_EARLY_DATA] = config.max_early_data
            flight.send_untracked(NewSessionTicket(config.ticket_lifetime, session.age_add, nonce, ticket, extensions))

    handlers = {KeyUpdate: _Connected.on_key_update}
    readers = readers_of(handlers)
