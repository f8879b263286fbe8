"""What every state of the client of TLS 1.2 holds and tells, in a full handshake and in a resumed one."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.key_schedule12 import MasterSecret
from fasttls.crypto.suites12 import Suite12
from fasttls.events import Negotiated, TicketReceived
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.config import Config
from fasttls.handshake.flight import Flight
from fasttls.handshake.state import State
from fasttls.native._secret import Secret
from fasttls.sessions.session import Session as Resumption
from fasttls.wire.iana import ExtensionType, ProtocolVersion
from fasttls.wire.messages import ClientHello, ServerHello
from fasttls.wire.messages12 import CertificateRequest, NewSessionTicket

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_ALPN = ExtensionType.ALPN
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_TLS1_2 = ProtocolVersion.TLS1_2


class Client12State(State):
    """What every state of the client of TLS 1.2 has in common."""

    __slots__ = ()

    ignores_change_cipher_spec = False

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return True


@dataclass(frozen=True)
class Session:
    """What the hellos of both sides settled."""

    config: Config
    host: str | None
    hello: ClientHello
    answer: ServerHello
    suite: Suite12

    @property
    def extended(self) -> bool:
        """Whether the master secret is bound to the handshake (RFC 7627)."""
        return _EXTENDED_MASTER_SECRET in self.answer.extensions


def negotiated_of(
    session: Session,
    identity: PeerIdentity | None,
    peer_signature_algorithm: int | None,
    group: int | None = None,
    own_signature_algorithm: int | None = None,
    request: CertificateRequest | None = None,
    resumed: Resumption | None = None,
    psk_identity: bytes | None = None,
) -> Negotiated:
    """Return what was agreed; identity is None where a pre-shared key stands for the server's certificate."""
    return Negotiated(
        version=_TLS1_2,
        suite=session.suite.code,
        group=group,
        retried=False,
        server_name=session.host,
        alpn=session.answer.extensions.get(_ALPN),
        client_random=session.hello.random,
        server_random=session.answer.random,
        legacy_session_id=session.answer.legacy_session_id_echo,
        client_suites=session.hello.cipher_suites,
        peer_chain=() if identity is None else identity.chain,
        verified_path=() if identity is None else identity.path,
        peer_signature_algorithm=peer_signature_algorithm,
        extended_master_secret=session.extended,
        own_signature_algorithm=own_signature_algorithm,
        client_certificate_requested=request is not None,
        peer_authorities=() if request is None else request.certificate_authorities,
        ocsp_response=None if identity is None else identity.ocsp_response,
        session=resumed,
        psk_identity=psk_identity,
    )


def tell_new_session(
    config: Config, master: MasterSecret, negotiated: Negotiated, ticket: NewSessionTicket | None, flight: Flight
) -> None:
    """Tell the caller of a session that may be gone on with, if there is one (RFC 5077 §3.3, RFC 5246 §7.3)."""
    session_id = negotiated.legacy_session_id if ticket is None else b""
    if not config.resumption or not (session_id or (ticket is not None and ticket.ticket)):
        return
    lifetime = (ticket.ticket_lifetime_hint if ticket is not None else 0) or config.ticket_lifetime
    session = Resumption(
        version=negotiated.version,
        suite=negotiated.suite,
        secret=Secret(master.secret),
        created=config.now(),
        lifetime=lifetime,
        server_name=negotiated.server_name,
        alpn=negotiated.alpn,
        peer_chain=negotiated.peer_chain,
        peer_signature_algorithm=negotiated.peer_signature_algorithm,
        extended_master_secret=negotiated.extended_master_secret,
        ticket=b"" if ticket is None else ticket.ticket,
        session_id=session_id,
        verified=bool(negotiated.verified_path),
    )
    flight.emit(TicketReceived(lifetime, session))
