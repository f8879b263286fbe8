"""The client of TLS 1.2, from ServerHello to Finished (RFC 5246 §7.3, figure 1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.key_schedule12 import VERIFY_DATA_SIZE, MasterSecret, RecordKeys, master_secret
from fasttls.crypto.suites12 import SUITES12
from fasttls.events import HandshakeCompleted, Negotiated
from fasttls.handshake.auth import KeyUse, PeerIdentity, identify_peer, with_staple
from fasttls.handshake.auth12 import check_key, choose_client_credential, send_certificate_verify, verify
from fasttls.handshake.client12_common import Client12State, Session, negotiated_of, tell_new_session
from fasttls.handshake.client12_resumed import Resumable, WaitTicketOrChange, resume
from fasttls.handshake.config import Config
from fasttls.handshake.connected12 import ClientConnected
from fasttls.handshake.exchange12 import Agreed, ServerParams, agree, read_server_params
from fasttls.handshake.flight import Flight
from fasttls.handshake.hello import UNCOMPRESSED
from fasttls.handshake.psk12 import PskParams, agree_psk
from fasttls.handshake.state import readers_of
from fasttls.native._secret import Secret
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import DecodeError, DecryptError, HandshakeFailure, IllegalParameter
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import ClientHello, Finished, ServerHello
from fasttls.wire.messages12 import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ChangeCipherSpec,
    NewSessionTicket,
    ServerHelloDone,
    ServerKeyExchange,
)

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_ALPN = ExtensionType.ALPN
_EC_POINT_FORMATS = ExtensionType.EC_POINT_FORMATS
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_RENEGOTIATION_INFO = ExtensionType.RENEGOTIATION_INFO
_SESSION_TICKET = ExtensionType.SESSION_TICKET
_STATUS_REQUEST = ExtensionType.STATUS_REQUEST
_DECRYPT = KeyUse.DECRYPT
_SIGN = KeyUse.SIGN
_SERVER_AUTH = Purpose.SERVER_AUTH


def begin(
    config: Config,
    host: str | None,
    hello: ClientHello,
    answer: ServerHello,
    flight: Flight,
    resumable: Resumable | None = None,
) -> WaitCertificate | WaitPskServerKeyExchange | WaitTicketOrChange:
    """Check what a ServerHello of TLS 1.2 says (RFC 5246 §7.4.1.3)."""
    resumes = bool(hello.legacy_session_id) and answer.legacy_session_id_echo == hello.legacy_session_id
    if resumes and resumable is None:
        # There is no session of that name: it was made for middleboxes (RFC 8446 Appendix D.4).
        raise IllegalParameter("the server resumes a session that does not exist", reason="INVALID_SESSION_ID")
    extensions = answer.extensions
    _check_safety(config, answer)
    if UNCOMPRESSED not in extensions.get(_EC_POINT_FORMATS, (UNCOMPRESSED,)):
        raise IllegalParameter("the server does not take uncompressed points")  # RFC 8422 §5.1.2
    alpn: bytes | None = extensions.get(_ALPN)
    if alpn is not None and alpn not in config.alpn:
        # RFC 7301 §3.2: one of those that the client offered.
        raise IllegalParameter(f"the server selects the protocol {alpn!r}, which was not offered")
    suite = SUITES12[answer.cipher_suite]
    session = Session(config, host, hello, answer, suite)
    if config.psk_only and not suite.key_exchange.uses_psk:
        raise HandshakeFailure("the server takes none of the pre-shared keys", reason="PSK_DECLINED")
    if resumes and resumable is not None:
        flight.transcript.choose(suite.hash_name)
        return resume(session, resumable, flight)
    if suite.key_exchange.uses_psk:
        flight.transcript.choose(suite.hash_name)
        return WaitPskServerKeyExchange(session)
    flight.transcript.choose(suite.hash_name, retried=False, keep=True)
    return WaitCertificate(session)


def _check_safety(config: Config, answer: ServerHello) -> None:
    """Refuse a server that may be open to attacks known since 2009 and 2014, unless that is allowed."""
    extensions = answer.extensions
    renegotiated: bytes | None = extensions.get(_RENEGOTIATION_INFO)
    if renegotiated:
        # RFC 5746 §3.4: empty in a first handshake.
        raise HandshakeFailure("renegotiation_info is not empty", reason="RENEGOTIATION_MISMATCH")
    if renegotiated is None and config.require_secure_renegotiation:
        raise HandshakeFailure(
            "the server does not have renegotiation_info (RFC 5746): an attacker could put data before the "
            "client's; OP_LEGACY_SERVER_CONNECT allows it",
            reason="UNSAFE_LEGACY_RENEGOTIATION_DISABLED",
        )
    if _EXTENDED_MASTER_SECRET not in extensions and config.require_extended_master_secret:
        raise HandshakeFailure(
            "the server does not have extended_master_secret (RFC 7627); OP_LEGACY_SERVER_CONNECT allows it",
            reason="EXTENDED_MASTER_SECRET_MISSING",
        )


@dataclass(frozen=True)
class WaitCertificate(Client12State):
    """ServerHello came; every key exchange that is spoken goes on with the server's Certificate."""

    session: Session

    def on_certificate(
        self, message: Certificate, flight: Flight
    ) -> WaitStatusOrServerKeyExchange | WaitStatusOrServerHelloDone | WaitServerKeyExchange | WaitCertificateRequest:
        """Verify the server's chain (RFC 5246 §7.4.2)."""
        session = self.session
        if not message.certificate_list:
            raise DecodeError("the server sent no certificate", reason="PEER_DID_NOT_RETURN_A_CERTIFICATE")
        key_exchange = session.suite.key_exchange
        use = _SIGN if key_exchange.is_ephemeral else _DECRYPT
        identity = identify_peer(session.config, message.certificate_list, _SERVER_AUTH, session.host, use)
        check_key(key_exchange, identity.public_key)
        stapled = _STATUS_REQUEST in session.answer.extensions
        if not stapled:
            identity = with_staple(session.config, identity, None)
        server = Server(session, identity)
        if key_exchange.is_ephemeral:
            return WaitStatusOrServerKeyExchange(server) if stapled else WaitServerKeyExchange(server)
        return WaitStatusOrServerHelloDone(server) if stapled else WaitCertificateRequest(server, None, None)

    handlers = {Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class Server:
    """What is settled, and who the server is."""

    session: Session
    identity: PeerIdentity

    def with_status(self, status: CertificateStatus | None) -> Server:
        """Return the same with the stapled response, or without one. Raises CertificateRejected."""
        response = None if status is None else status.response
        return Server(self.session, with_staple(self.session.config, self.identity, response))


@dataclass(frozen=True)
class WaitServerKeyExchange(Client12State):
    """The key exchange is ephemeral: the server's half is next (RFC 5246 §7.4.3)."""

    server: Server

    def on_server_key_exchange(self, message: ServerKeyExchange, flight: Flight) -> WaitCertificateRequest:
        """Check the signature over both randoms and the parameters."""
        session = self.server.session
        params, signed = read_server_params(session.suite, message.body)
        content = session.hello.random + session.answer.random + signed.params
        verify(session.config, self.server.identity.public_key, signed.algorithm, signed.signature, content)
        return WaitCertificateRequest(self.server, params, signed.algorithm)

    handlers = {ServerKeyExchange: on_server_key_exchange}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificateRequest(Client12State):
    """CertificateRequest may come, or ServerHelloDone at once."""

    server: Server
    params: ServerParams | None
    peer_signature_algorithm: int | None

    def on_certificate_request(self, message: CertificateRequest, flight: Flight) -> WaitServerHelloDone:
        """Remember that the server wants a certificate too (RFC 5246 §7.4.4)."""
        return WaitServerHelloDone(self.server, self.params, self.peer_signature_algorithm, message)

    def on_server_hello_done(
        self, message: ServerHelloDone, flight: Flight
    ) -> WaitNewSessionTicket | WaitChangeCipherSpec:
        """Send the client's flight."""
        return _send_flight(self.server, self.params, self.peer_signature_algorithm, None, flight)

    handlers = {CertificateRequest: on_certificate_request, ServerHelloDone: on_server_hello_done}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitServerHelloDone(Client12State):
    """The server asked for a certificate; ServerHelloDone is next."""

    server: Server
    params: ServerParams | None
    peer_signature_algorithm: int | None
    request: CertificateRequest

    def on_server_hello_done(
        self, message: ServerHelloDone, flight: Flight
    ) -> WaitNewSessionTicket | WaitChangeCipherSpec:
        """Send the client's flight."""
        return _send_flight(self.server, self.params, self.peer_signature_algorithm, self.request, flight)

    handlers = {ServerHelloDone: on_server_hello_done}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitStatusOrServerKeyExchange(Client12State):
    """The server said that it may staple: CertificateStatus, or none (RFC 6066 §8)."""

    server: Server

    def on_certificate_status(self, message: CertificateStatus, flight: Flight) -> WaitServerKeyExchange:
        """Keep the response."""
        return WaitServerKeyExchange(self.server.with_status(message))

    def on_server_key_exchange(self, message: ServerKeyExchange, flight: Flight) -> WaitCertificateRequest:
        """Go on without."""
        return WaitServerKeyExchange(self.server.with_status(None)).on_server_key_exchange(message, flight)

    handlers = {CertificateStatus: on_certificate_status, ServerKeyExchange: on_server_key_exchange}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitStatusOrServerHelloDone(Client12State):
    """The same for RSA key transport, which has no ServerKeyExchange."""

    server: Server

    def on_certificate_status(self, message: CertificateStatus, flight: Flight) -> WaitCertificateRequest:
        """Keep the response."""
        return WaitCertificateRequest(self.server.with_status(message), None, None)

    def on_certificate_request(self, message: CertificateRequest, flight: Flight) -> WaitServerHelloDone:
        """Go on without."""
        return WaitServerHelloDone(self.server.with_status(None), None, None, message)

    def on_server_hello_done(
        self, message: ServerHelloDone, flight: Flight
    ) -> WaitNewSessionTicket | WaitChangeCipherSpec:
        """Go on without."""
        return _send_flight(self.server.with_status(None), None, None, None, flight)

    handlers = {
        CertificateStatus: on_certificate_status,
        CertificateRequest: on_certificate_request,
        ServerHelloDone: on_server_hello_done,
    }
    readers = readers_of(handlers)


def _send_flight(
    server: Server,
    params: ServerParams | None,
    peer_signature_algorithm: int | None,
    request: CertificateRequest | None,
    flight: Flight,
) -> WaitNewSessionTicket | WaitChangeCipherSpec:
    """Send everything from Certificate to Finished (RFC 5246 §7.3)."""
    session = server.session
    config, suite = session.config, session.suite
    agreed: Agreed = agree(config, suite, params, server.identity)
    chosen = None
    if request is not None:
        accepted = request.supported_signature_algorithms
        chosen = choose_client_credential(config, accepted, request.certificate_types, request.certificate_authorities)
        flight.send(Certificate(() if chosen is None else chosen[0].chain))
    flight.send(agreed.message)
    master = _master(session, agreed.premaster, flight)
    if chosen is not None:
        send_certificate_verify(flight, *chosen)
    negotiated = negotiated_of(
        session,
        server.identity,
        peer_signature_algorithm,
        agreed.group,
        None if chosen is None else chosen[1],
        request,
    )
    return _finish(session, master, negotiated, flight)


def _master(session: Session, premaster: Secret, flight: Flight) -> MasterSecret:
    """Derive the master secret; the transcript ends with ClientKeyExchange."""
    randoms = session.hello.random, session.answer.random
    bound = flight.transcript.digest() if session.extended else None
    master = master_secret(session.suite, premaster, *randoms, bound)
    flight.log_secret("CLIENT_RANDOM", session.hello.random, master.secret)
    return master


def _finish(
    session: Session, master: MasterSecret, negotiated: Negotiated, flight: Flight
) -> WaitNewSessionTicket | WaitChangeCipherSpec:
    """Change the keys for writing, and send Finished."""
    flight.transcript.forget()
    write_keys, read_keys = master.keys()
    flight.send_change_cipher_spec()
    flight.write_with12(write_keys)
    verify_data = master.finished(flight.transcript.digest(), True)
    flight.send(Finished(verify_data))
    negotiated = negotiated.with_tls_unique(verify_data if session.extended else None)
    if _SESSION_TICKET in session.answer.extensions:
        return WaitNewSessionTicket(session.config, master, read_keys, negotiated)
    return WaitChangeCipherSpec(session.config, master, read_keys, negotiated, None)


@dataclass(frozen=True)
class WaitPskServerKeyExchange(Client12State):
    """A pre-shared key stands for certificates: the server's half is next, or is left out (RFC 5489 §2)."""

    session: Session

    def on_server_key_exchange(self, message: ServerKeyExchange, flight: Flight) -> WaitPskServerHelloDone:
        """Read the hint and the server's key; nobody signs them: Finished proves that both have the same."""
        return WaitPskServerHelloDone(self.session, PskParams.read(message.body))

    handlers = {ServerKeyExchange: on_server_key_exchange}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitPskServerHelloDone(Client12State):
    """Nothing is asked for where a pre-shared key stands for certificates: ServerHelloDone is next."""

    session: Session
    params: PskParams

    def on_server_hello_done(
        self, message: ServerHelloDone, flight: Flight
    ) -> WaitNewSessionTicket | WaitChangeCipherSpec:
        """Send the client's flight."""
        session = self.session
        agreed = agree_psk(session.config, self.params)
        flight.send(agreed.message)
        master = _master(session, agreed.premaster, flight)
        negotiated = negotiated_of(session, None, None, self.params.group, None, None, None, agreed.identity)
        return _finish(session, master, negotiated, flight)

    handlers = {ServerHelloDone: on_server_hello_done}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitNewSessionTicket(Client12State):
    """The server promised a ticket, and sends it before it changes keys (RFC 5077 §3.1)."""

    config: Config
    master: MasterSecret
    read_keys: RecordKeys
    negotiated: Negotiated

    def on_new_session_ticket(self, ticket: NewSessionTicket, flight: Flight) -> WaitChangeCipherSpec:
        """Keep the ticket until the server's Finished vouches for it."""
        return WaitChangeCipherSpec(self.config, self.master, self.read_keys, self.negotiated, ticket)

    handlers = {NewSessionTicket: on_new_session_ticket}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitChangeCipherSpec(Client12State):
    """The client's flight is out: the server changes keys next (RFC 5246 §7.1)."""

    config: Config
    master: MasterSecret
    read_keys: RecordKeys
    negotiated: Negotiated
    ticket: NewSessionTicket | None

    def on_change_cipher_spec(self, message: ChangeCipherSpec, flight: Flight) -> WaitFinished:
        """Read with the new keys."""
        flight.read_with12(self.read_keys)
        return WaitFinished(self.config, self.master, self.negotiated, self.ticket)

    handlers = {ChangeCipherSpec: on_change_cipher_spec}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(Client12State):
    """The server's Finished, the first message under the new keys (RFC 5246 §7.4.9)."""

    config: Config
    master: MasterSecret
    negotiated: Negotiated
    ticket: NewSessionTicket | None

    def on_finished(self, finished: Finished, flight: Flight) -> ClientConnected:
        """Check that nobody altered the handshake; the connection is made."""
        finished.check_size(VERIFY_DATA_SIZE)
        if not self.master.finished_matches(finished.verify_data, flight.transcript.digest_before(), False):
            raise DecryptError("the server's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        flight.emit(HandshakeCompleted(self.negotiated))
        tell_new_session(self.config, self.master, self.negotiated, self.ticket, flight)
        return ClientConnected(self.master)

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
