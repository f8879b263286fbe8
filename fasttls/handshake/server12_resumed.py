"""A server of TLS 1.2 that goes on with a session, by ticket or by id (RFC 5246 §7.3 figure 2, RFC 5077 §3.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fasttls.crypto.key_schedule12 import VERIFY_DATA_SIZE, MasterSecret, RecordKeys
from fasttls.crypto.suites12 import SUITES12, Suite12
from fasttls.events import HandshakeCompleted, Negotiated
from fasttls.handshake.alpn import choose_alpn
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.config import Config
from fasttls.handshake.connected12 import ServerConnected
from fasttls.handshake.flight import Flight
from fasttls.handshake.hello import Asked, known_suites, server_random
from fasttls.handshake.resume import server_may_resume
from fasttls.handshake.state import State, readers_of
from fasttls.native._secret import Secret
from fasttls.sessions.keys import NAME_SIZE, open_ticket, seal_ticket
from fasttls.sessions.session import Session
from fasttls.wire.alerts import DecryptError, HandshakeFailure
from fasttls.wire.extensions import Extensions
from fasttls.wire.iana import ExtensionType, ProtocolVersion
from fasttls.wire.messages import ClientHello, Finished, ServerHello
from fasttls.wire.messages12 import ChangeCipherSpec, NewSessionTicket

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_SESSION_TICKET = ExtensionType.SESSION_TICKET
_TLS1_2 = ProtocolVersion.TLS1_2


@dataclass(frozen=True)
class Found:
    """A session to go on with, its client, verified anew, and whether the client gets a new ticket."""

    session: Session
    peer: PeerIdentity | None
    renew: bool


def find(config: Config, hello: ClientHello, asked: Asked) -> Found | None:
    """Return the session that the client offers, if it may be gone on with.

    Raises HandshakeFailure for a client that drops the extended master secret (RFC 7627 §5.3).
    """
    if not config.resumption:
        return None
    ticket: bytes | None = hello.extensions.get(_SESSION_TICKET)
    session: Session | None = None
    renew = False
    if ticket and config.ticket_keys is not None:
        session = open_ticket(config.ticket_keys, ticket)
        active = config.ticket_keys.active()
        renew = active is not None and ticket[:NAME_SIZE] != active.name
    elif not ticket and hello.legacy_session_id and config.server_sessions is not None:
        session = config.server_sessions.find(hello.legacy_session_id)
    if session is None or session.version != _TLS1_2:
        return None
    if session.suite not in hello.cipher_suites or session.suite not in config.suites:
        return None
    extended = _EXTENDED_MASTER_SECRET in hello.extensions
    if session.extended_master_secret and not extended:
        raise HandshakeFailure("the client goes on with a session and drops extended_master_secret")
    if session.extended_master_secret != extended:
        return None
    may = server_may_resume(config, session, asked.server_name)
    return None if may is None else Found(session, may.peer, renew)


def offer(config: Config, hello: ClientHello, extensions: Extensions) -> bytes:
    """Promise a ticket in the ServerHello's extensions, or return the id of a session that is kept here.

    Returns an empty id when there is a ticket, or neither.
    """
    if not config.resumption:
        return b""
    keys = config.ticket_keys
    if _SESSION_TICKET in hello.extensions and keys is not None and keys.active() is not None:
        extensions[_SESSION_TICKET] = None
        return b""
    return config.random(32) if config.server_sessions is not None else b""


def keep(config: Config, master: MasterSecret, negotiated: Negotiated, flight: Flight, *, ticket: bool) -> None:
    """Give the session to the client in a ticket that was promised, or keep it by its id."""
    session = Session(
        version=negotiated.version,
        suite=negotiated.suite,
        secret=Secret(master.secret),
        created=config.now(),
        lifetime=config.ticket_lifetime,
        server_name=negotiated.server_name,
        alpn=negotiated.alpn,
        peer_chain=negotiated.peer_chain,
        peer_signature_algorithm=negotiated.peer_signature_algorithm,
        extended_master_secret=negotiated.extended_master_secret,
        session_id=negotiated.legacy_session_id,
        verified=bool(negotiated.verified_path),
    )
    if ticket:
        sealed = None if config.ticket_keys is None else seal_ticket(config.ticket_keys, session)
        # RFC 5077 §3.3: an empty ticket where one was promised and cannot be given after all.
        flight.send(NewSessionTicket(config.ticket_lifetime, sealed or b""))
    elif session.session_id and config.server_sessions is not None:
        config.server_sessions.keep(session)


def resume(
    config: Config,
    hello: ClientHello,
    flight: Flight,
    asked: Asked,
    found: Found,
    extensions_of: Callable[[ClientHello, Suite12, Asked, bytes | None], Extensions],
) -> WaitChangeCipherSpec:
    """Send everything from ServerHello to Finished."""
    session = found.session
    suite = SUITES12[session.suite]
    alpn = choose_alpn(config, hello)
    # RFC 6066 §3: a server that resumes does not answer server_name.
    extensions = extensions_of(hello, suite, Asked(asked.server_name, False), alpn)
    if found.renew:
        extensions[_SESSION_TICKET] = None
    flight.transcript.choose(suite.hash_name)
    random = server_random(config, _TLS1_2)
    flight.send(ServerHello(random, hello.legacy_session_id, suite.code, extensions))
    peer = found.peer
    negotiated = Negotiated(
        version=_TLS1_2,
        suite=suite.code,
        group=None,
        retried=False,
        server_name=asked.server_name,
        alpn=alpn,
        client_random=hello.random,
        server_random=random,
        legacy_session_id=hello.legacy_session_id,
        client_suites=known_suites(hello.cipher_suites),
        peer_chain=() if peer is None else peer.chain,
        verified_path=() if peer is None else peer.path,
        peer_signature_algorithm=session.peer_signature_algorithm,
        extended_master_secret=session.extended_master_secret,
        session=session,
        own_suites=config.offered_suites,
    )
    master = MasterSecret(suite, Secret(session.secret), hello.random, random, session.extended_master_secret)
    flight.log_secret("CLIENT_RANDOM", hello.random, master.secret)
    if found.renew:
        keep(config, master, negotiated, flight, ticket=True)
    read_keys, write_keys = master.keys()
    flight.send_change_cipher_spec()
    flight.write_with12(write_keys)
    verify_data = master.finished(flight.transcript.digest(), False)
    flight.send(Finished(verify_data))
    unique = verify_data if master.extended else None
    return WaitChangeCipherSpec(master, read_keys, negotiated.with_tls_unique(unique))


class _State(State):
    """What every state of the server of TLS 1.2 has in common."""

    __slots__ = ()

    ignores_change_cipher_spec = False

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return True


@dataclass(frozen=True)
class WaitChangeCipherSpec(_State):
    """The server's Finished is out: the client changes keys next."""

    master: MasterSecret
    read_keys: RecordKeys
    negotiated: Negotiated

    def on_change_cipher_spec(self, message: ChangeCipherSpec, flight: Flight) -> WaitFinished:
        """Read with the new keys."""
        flight.read_with12(self.read_keys)
        return WaitFinished(self.master, self.negotiated)

    handlers = {ChangeCipherSpec: on_change_cipher_spec}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(_State):
    """The client's Finished, which ends the handshake."""

    master: MasterSecret
    negotiated: Negotiated

    def on_finished(self, finished: Finished, flight: Flight) -> ServerConnected:
        """Check that nobody altered the handshake; the connection is made."""
        finished.check_size(VERIFY_DATA_SIZE)
        if not self.master.finished_matches(finished.verify_data, flight.transcript.digest_before(), True):
            raise DecryptError("the client's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        flight.emit(HandshakeCompleted(self.negotiated))
        return ServerConnected(self.master)

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
