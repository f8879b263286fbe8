"""After the handshake of TLS 1.3: tickets and key updates, on either side (RFC 8446 §4.6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, final

from fasttls.crypto.key_schedule import Exporter, next_traffic_secret
from fasttls.crypto.suites import Suite
from fasttls.events import KeysUpdated, TicketReceived
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.state import ConnectedState
from fasttls.native._secret import Secret
from fasttls.wire.messages import KeyUpdate, NewSessionTicket


@dataclass(frozen=True, slots=True)
class _Connected(ConnectedState):
    """What both sides hold when the handshake is over."""

    suite: Suite
    read_secret: Secret
    write_secret: Secret
    exporter: Exporter
    resumption: Secret

    def on_key_update(self, update: KeyUpdate, flight: Flight) -> Self:
        """Read with the next keys; answer when the peer asks for it (RFC 8446 §4.6.3)."""
        secret = next_traffic_secret(self.suite.hash_name, self.read_secret)
        flight.read_with(Epoch.APPLICATION, self.suite, secret)
        flight.emit(KeysUpdated(update.request_update))
        if update.request_update:
            flight.answer_key_update()
        return replace(self, read_secret=secret)

    def update_keys(self, flight: Flight, *, request_peer: bool) -> Self:
        """Send KeyUpdate and write with the next keys."""
        flight.send_untracked(KeyUpdate(request_peer))
        secret = next_traffic_secret(self.suite.hash_name, self.write_secret)
        flight.write_with(Epoch.APPLICATION, self.suite, secret)
        return replace(self, write_secret=secret)

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material (RFC 8446 §7.5)."""
        return self.exporter.export(label, size, context or b"")


@final
@dataclass(frozen=True, slots=True)
class ClientConnected(_Connected):
    """Client CONNECTED (RFC 8446 Appendix A.1)."""

    def on_new_session_ticket(self, ticket: NewSessionTicket, flight: Flight) -> ClientConnected:
        """Take note of a ticket."""
        flight.emit(TicketReceived(ticket.ticket_lifetime))
        return self

    handlers = {KeyUpdate: _Connected.on_key_update, NewSessionTicket: on_new_session_ticket}


@final
@dataclass(frozen=True, slots=True)
class ServerConnected(_Connected):
    """Server CONNECTED (RFC 8446 Appendix A.2)."""

    handlers = {KeyUpdate: _Connected.on_key_update}
