"""What a connection tells its caller."""

from __future__ import annotations

from dataclasses import dataclass, field

from fasttls.crypto.groups import GROUPS
from fasttls.crypto.suites12 import EVERY_SUITE
from fasttls.sessions.session import Session
from fasttls.trust.certificate import Certificate
from fasttls.wire.iana import VERSION_NAMES, NamedGroup, ProtocolVersion, name_of


@dataclass(frozen=True, kw_only=True)
class Negotiated:
    """What a completed handshake agreed on: code points, and names beside them."""

    version: int
    suite: int
    group: int | None
    """None for TLS 1.2's RSA key transport, and for a Diffie-Hellman group without a code point."""

    retried: bool
    """Whether there was a HelloRetryRequest."""

    server_name: str | None
    alpn: bytes | None
    client_random: bytes
    server_random: bytes
    legacy_session_id: bytes
    client_suites: tuple[int, ...]
    """What the client offered, in its order."""

    own_suites: tuple[int, ...] = ()
    """What a server would have taken, in its order."""

    peer_chain: tuple[bytes, ...] = ()
    """The certificates that the peer sent, DER."""

    verified_path: tuple[Certificate, ...] = ()
    """The path that was validated, to the trusted certificate; empty when nothing was asked to be."""

    peer_signature_algorithm: int | None = None
    own_signature_algorithm: int | None = None
    client_certificate_requested: bool = False
    extended_master_secret: bool = True
    """Whether the keys are bound to the handshake; always in TLS 1.3 (RFC 7627)."""

    tls_unique: bytes | None = field(default=None, repr=False)
    """The first Finished, for a channel binding (RFC 5929 §3); TLS 1.3 has none."""

    ocsp_response: bytes | None = field(default=None, repr=False)
    """What the server stapled, not checked."""

    peer_authorities: tuple[bytes, ...] = field(default=(), repr=False)
    """The CA names that the peer sent, DER."""

    own_certificate: bytes | None = field(default=None, repr=False)
    """The certificate that a server sent of its own, DER; None after a resumption."""

    may_authenticate: bool = False
    """Whether the client may be asked for a certificate after the handshake (RFC 8446 §4.6.2)."""

    session: Session | None = field(default=None, repr=False)
    """The session that was gone on with, None after a full handshake."""

    psk_identity: bytes | None = field(default=None, repr=False)
    """The identity of the external pre-shared key that was used."""

    def with_tls_unique(self, value: bytes | None) -> Negotiated:
        """Return the same with another tls_unique; dataclasses.replace() takes six times as long."""
        return Negotiated(
            version=self.version,
            suite=self.suite,
            group=self.group,
            retried=self.retried,
            server_name=self.server_name,
            alpn=self.alpn,
            client_random=self.client_random,
            server_random=self.server_random,
            legacy_session_id=self.legacy_session_id,
            client_suites=self.client_suites,
            own_suites=self.own_suites,
            peer_chain=self.peer_chain,
            verified_path=self.verified_path,
            peer_signature_algorithm=self.peer_signature_algorithm,
            own_signature_algorithm=self.own_signature_algorithm,
            client_certificate_requested=self.client_certificate_requested,
            extended_master_secret=self.extended_master_secret,
            tls_unique=value,
            ocsp_response=self.ocsp_response,
            peer_authorities=self.peer_authorities,
            own_certificate=self.own_certificate,
            may_authenticate=self.may_authenticate,
            session=self.session,
            psk_identity=self.psk_identity,
        )

    @property
    def resumed(self) -> bool:
        """Whether a session was gone on with."""
        return self.session is not None

    @property
    def version_name(self) -> str:
        """The version as `SSLSocket.version()` names it."""
        return VERSION_NAMES[ProtocolVersion(self.version)]

    @property
    def suite_name(self) -> str:
        """The cipher suite's IANA name."""
        return EVERY_SUITE[self.suite].name

    @property
    def group_name(self) -> str | None:
        """The group's name, as OpenSSL spells it."""
        if self.group is None:
            return None
        found = GROUPS.get(self.group)
        return name_of(NamedGroup, self.group).lower() if found is None else found.names[0]


@dataclass(frozen=True)
class HandshakeCompleted:
    """Both Finished messages are in order; application data may flow."""

    negotiated: Negotiated


@dataclass(frozen=True)
class PeerAuthenticated:
    """A client was asked for its certificate after the handshake, and has answered (RFC 8446 §4.6.2)."""

    negotiated: Negotiated
    """What is agreed from now on."""


@dataclass(frozen=True)
class ApplicationData:
    """Bytes from the peer, of one record."""

    data: bytes


@dataclass(frozen=True)
class PeerClosed:
    """The peer's close_notify: no more will come. This side may still send (RFC 8446 §6.1)."""


@dataclass(frozen=True)
class KeysUpdated:
    """The keys of one direction, or of both when the peer asked, are new (RFC 8446 §4.6.3)."""

    requested: bool


@dataclass(frozen=True)
class TicketReceived:
    """A NewSessionTicket came (RFC 8446 §4.6.1, RFC 5077 §3.3)."""

    lifetime_seconds: int
    session: Session | None = None
    """What a later connection may go on with; None when this one does not resume."""


@dataclass(frozen=True)
class EarlyData:
    """Early data from the client, of one record: an attacker may have sent it before (RFC 8446 §8)."""

    data: bytes


@dataclass(frozen=True)
class EarlyDataAnswered:
    """What became of early data: taken, or refused with a reason, and then it is to be sent again."""

    accepted: bool
    reason: str = ""


Event = (
    HandshakeCompleted
    | PeerAuthenticated
    | ApplicationData
    | PeerClosed
    | KeysUpdated
    | TicketReceived
    | EarlyData
    | EarlyDataAnswered
)
