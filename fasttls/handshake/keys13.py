"""The keys of a TLS 1.3 handshake as the states hold them (RFC 8446 §7.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EarlySecret, Exporter, HandshakeSecret, MasterSecret, TrafficSecrets
from fasttls.crypto.suites import Suite
from fasttls.handshake.flight import Flight
from fasttls.native._secret import Secret


@dataclass(frozen=True)
class ApplicationKeys:
    """What a connection keeps after the handshake."""

    traffic: TrafficSecrets
    exporter: Exporter
    master: MasterSecret


@dataclass(frozen=True)
class HandshakeKeys:
    """The secrets between ServerHello and the last Finished."""

    suite: Suite
    client_random: bytes
    secret: HandshakeSecret
    traffic: TrafficSecrets

    def client_finished(self) -> FinishedKey:
        """Return the key of the client's Finished."""
        return FinishedKey(self.suite.hash_name, self.traffic.client)

    def server_finished(self) -> FinishedKey:
        """Return the key of the server's Finished."""
        return FinishedKey(self.suite.hash_name, self.traffic.server)

    def wipe(self) -> None:
        """Forget the traffic secrets, when both Finished messages are done."""
        self.traffic.client.wipe()
        self.traffic.server.wipe()

    def into_application(self, to_server_finished: bytes, flight: Flight) -> ApplicationKeys:
        """Derive the application secrets from the digest up to the server's Finished."""
        master = self.secret.into_master()
        keys = ApplicationKeys(master.traffic(to_server_finished), master.exporter(to_server_finished), master)
        flight.log_secret("CLIENT_TRAFFIC_SECRET_0", self.client_random, keys.traffic.client)
        flight.log_secret("SERVER_TRAFFIC_SECRET_0", self.client_random, keys.traffic.server)
        flight.log_secret("EXPORTER_SECRET", self.client_random, keys.exporter.secret)
        return keys


def handshake_keys(
    suite: Suite, shared: Secret | None, client_random: bytes, flight: Flight, early: EarlySecret | None = None
) -> HandshakeKeys:
    """Derive the handshake secrets; the transcript ends with ServerHello. The shared secret is wiped.

    early is the first stage with a pre-shared key, which is wiped too; shared is None with such a key alone.
    """
    if early is None:
        early = EarlySecret(suite.hash_name)
    secret = early.into_handshake(shared)
    keys = HandshakeKeys(suite, client_random, secret, secret.traffic(flight.transcript.digest()))
    flight.log_secret("CLIENT_HANDSHAKE_TRAFFIC_SECRET", client_random, keys.traffic.client)
    flight.log_secret("SERVER_HANDSHAKE_TRAFFIC_SECRET", client_random, keys.traffic.server)
    return keys
