"""After the handshake of TLS 1.2: renegotiation is refused, on either side (RFC 5246 §7.4.1, RFC 5746)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.key_schedule12 import MasterSecret
from fasttls.handshake.flight import Flight
from fasttls.handshake.state import ConnectedState, readers_of
from fasttls.wire.alerts import AlertDescription
from fasttls.wire.messages import ClientHello
from fasttls.wire.messages12 import HelloRequest

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_NO_RENEGOTIATION = AlertDescription.NO_RENEGOTIATION


@dataclass(frozen=True)
class _Connected(ConnectedState):
    """What both sides hold when the handshake is over."""

    master: MasterSecret

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return True

    def settle(self) -> None:
        """Keep the master secret, and not what it was as a key."""
        self.master.secret.settle()

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material (RFC 5705 §4)."""
        return self.master.export(label, size, context)


@dataclass(frozen=True)
class ClientConnected(_Connected):
    """The client's last state."""

    def on_hello_request(self, message: HelloRequest, flight: Flight) -> ClientConnected:
        """Refuse to renegotiate (RFC 5246 §7.2.2: no_renegotiation)."""
        flight.warn(_NO_RENEGOTIATION)
        return self

    handlers = {HelloRequest: on_hello_request}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class ServerConnected(_Connected):
    """The server's last state."""

    def on_client_hello(self, message: ClientHello, flight: Flight) -> ServerConnected:
        """Refuse to renegotiate (RFC 5246 §7.2.2: no_renegotiation)."""
        flight.warn(_NO_RENEGOTIATION)
        return self

    handlers = {ClientHello: on_client_hello}
    readers = readers_of(handlers)
