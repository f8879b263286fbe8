"""The server of TLS 1.2, from ClientHello to Finished (RFC 5246 §7.3, figure 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fasttls.crypto.groups import GROUPS, Offer
from fasttls.crypto.key_schedule12 import VERIFY_DATA_SIZE, MasterSecret, RecordKeys, master_secret
from fasttls.crypto.suites12 import SUITES12, Suite12
from fasttls.events import HandshakeCompleted, Negotiated
from fasttls.handshake import server12_resumed
from fasttls.handshake.alpn import choose_alpn
from fasttls.handshake.auth import PeerIdentity, identify_peer, sign
from fasttls.handshake.auth12 import check_certificate_verify
from fasttls.handshake.choose12 import check_hello, choose, choose_with_psk
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.connected12 import ServerConnected
from fasttls.handshake.exchange12 import ServerExchange, server_exchange
from fasttls.handshake.flight import Flight
from fasttls.handshake.hello import UNCOMPRESSED, Asked, known_suites, server_random
from fasttls.handshake.psk12 import PskKeyExchange, PskParams, psk_premaster
from fasttls.handshake.state import State, readers_of
from fasttls.trust.certificate import CERTIFICATES
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import (
    DecryptError,
    HandshakeFailure,
    UnknownPskIdentity,
)
from fasttls.wire.extensions import Extensions
from fasttls.wire.iana import (
    CipherSuite,
    ClientCertificateType,
    ExtensionType,
    ProtocolVersion,
)
from fasttls.wire.messages import CertificateVerify, ClientHello, Finished, ServerHello
from fasttls.wire.messages12 import (
    Certificate,
    CertificateRequest,
    CertificateStatus,
    ChangeCipherSpec,
    ClientKeyExchange,
    ServerHelloDone,
    ServerKeyExchange,
    SignedParams,
)

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_TLS_EMPTY_RENEGOTIATION_INFO_SCSV = CipherSuite.TLS_EMPTY_RENEGOTIATION_INFO_SCSV
_ALPN = ExtensionType.ALPN
_EC_POINT_FORMATS = ExtensionType.EC_POINT_FORMATS
_EXTENDED_MASTER_SECRET = ExtensionType.EXTENDED_MASTER_SECRET
_RENEGOTIATION_INFO = ExtensionType.RENEGOTIATION_INFO
_SERVER_NAME = ExtensionType.SERVER_NAME
_SESSION_TICKET = ExtensionType.SESSION_TICKET
_STATUS_REQUEST = ExtensionType.STATUS_REQUEST
_OPTIONAL = PeerCertificate.OPTIONAL
_UNCHECKED = PeerCertificate.UNCHECKED
_TLS1_2 = ProtocolVersion.TLS1_2
_CLIENT_AUTH = Purpose.CLIENT_AUTH


class _State(State):
    """What every state of the server of TLS 1.2 has in common."""

    __slots__ = ()

    ignores_change_cipher_spec = False

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return True


def answer(
    config: Config, hello: ClientHello, flight: Flight, asked: Asked
) -> WaitCertificate | WaitClientKeyExchange | WaitPskKeyExchange | server12_resumed.WaitChangeCipherSpec:
    """Send everything from ServerHello to ServerHelloDone (RFC 5246 §7.3), or go on with a session."""
    # Whatever may refuse the client comes before the first byte of the answer.
    check_hello(config, hello)
    found = server12_resumed.find(config, hello, asked)
    if found is not None:
        return server12_resumed.resume(config, hello, flight, asked, found, _extensions)
    with_psk = choose_with_psk(config, hello)
    if with_psk is not None:
        return _answer_with_psk(config, hello, with_psk, flight, asked)
    if config.psk_only:
        raise UnknownPskIdentity("the client offers no pre-shared key")
    chosen = choose(config, hello)
    alpn = choose_alpn(config, hello)
    suite, credential = chosen.suite, chosen.credential
    exchange = server_exchange(
        config,
        suite.key_exchange,
        chosen.group,
        getattr(credential.signer, "decrypt", None),
        CERTIFICATES.parse(credential.chain[0]).public_key.key,
        hello.legacy_version,
    )
    flight.transcript.choose(suite.hash_name, retried=False, keep=config.peer_certificate is not _UNCHECKED)
    random = server_random(config, _TLS1_2)
    extensions = _extensions(hello, suite, asked, alpn)
    wanted = _STATUS_REQUEST in hello.extensions
    response = credential.staple() if wanted and credential.staple is not None else None
    if response is not None:
        extensions[_STATUS_REQUEST] = None
    session_id = server12_resumed.offer(config, hello, extensions)
    flight.send(ServerHello(random, session_id, suite.code, extensions))
    flight.send(Certificate(credential.chain))
    if response is not None:
        flight.send(CertificateStatus(response))
    params = exchange.params
    if params is not None:
        assert chosen.scheme is not None
        signature = sign(credential, chosen.scheme, hello.random + random + params)
        flight.send(ServerKeyExchange(SignedParams(params, chosen.scheme, signature).encode()))
    negotiated = Negotiated(
        version=_TLS1_2,
        suite=suite.code,
        group=chosen.group,
        retried=False,
        server_name=asked.server_name,
        alpn=alpn,
        client_random=hello.random,
        server_random=random,
        legacy_session_id=session_id,
        client_suites=known_suites(hello.cipher_suites),
        own_signature_algorithm=chosen.scheme,
        own_certificate=chosen.credential.chain[0],
        own_suites=config.offered_suites,
        client_certificate_requested=config.peer_certificate is not _UNCHECKED,
        extended_master_secret=_EXTENDED_MASTER_SECRET in hello.extensions,
    )
    session = Session(config, suite, exchange, negotiated, _SESSION_TICKET in extensions)
    if config.peer_certificate is _UNCHECKED:
        flight.send(ServerHelloDone())
        return WaitClientKeyExchange(session, None)
    types = bytes([ClientCertificateType.ECDSA_SIGN, ClientCertificateType.RSA_SIGN])
    flight.send(CertificateRequest(types, config.signature_algorithms, config.certificate_authorities))
    flight.send(ServerHelloDone())
    return WaitCertificate(session)


def _extensions(hello: ClientHello, suite: Suite12, asked: Asked, alpn: bytes | None) -> Extensions:
    """Return what ServerHello says beside the choice; only what the client asked about."""
    offered = hello.extensions
    extensions: Extensions = {}
    if _RENEGOTIATION_INFO in offered or _TLS_EMPTY_RENEGOTIATION_INFO_SCSV in hello.cipher_suites:
        extensions[_RENEGOTIATION_INFO] = b""
    if _EXTENDED_MASTER_SECRET in offered:
        extensions[_EXTENDED_MASTER_SECRET] = None
    if _EC_POINT_FORMATS in offered and suite.key_exchange.uses_curves:
        extensions[_EC_POINT_FORMATS] = (UNCOMPRESSED,)
    if asked.by_name:
        extensions[_SERVER_NAME] = None
    if alpn is not None:
        extensions[_ALPN] = alpn
    return extensions


def _answer_with_psk(
    config: Config, hello: ClientHello, chosen: tuple[Suite12, int], flight: Flight, asked: Asked
) -> WaitPskKeyExchange:
    """Send everything from ServerHello to ServerHelloDone, without a certificate (RFC 5489 §2)."""
    suite, group = chosen
    alpn = choose_alpn(config, hello)
    offer = GROUPS[group].offer(config.random if config.deterministic_keys else None)
    flight.transcript.choose(suite.hash_name)
    random = server_random(config, _TLS1_2)
    flight.send(ServerHello(random, b"", suite.code, _extensions(hello, suite, asked, alpn)))
    params = PskParams(config.psk_identity_hint.encode(), group, offer.public)
    flight.send(ServerKeyExchange(params.encode()))
    flight.send(ServerHelloDone())
    negotiated = Negotiated(
        version=_TLS1_2,
        suite=suite.code,
        group=group,
        retried=False,
        server_name=asked.server_name,
        alpn=alpn,
        client_random=hello.random,
        server_random=random,
        legacy_session_id=b"",
        client_suites=known_suites(hello.cipher_suites),
        extended_master_secret=_EXTENDED_MASTER_SECRET in hello.extensions,
        own_suites=config.offered_suites,
    )
    return WaitPskKeyExchange(config, offer, negotiated)


@dataclass(frozen=True)
class WaitPskKeyExchange(_State):
    """A pre-shared key stands for certificates: the client names it, and sends its half (RFC 5489 §2)."""

    config: Config
    offer: Offer
    negotiated: Negotiated

    def on_client_key_exchange(self, message: ClientKeyExchange, flight: Flight) -> WaitChangeCipherSpec:
        """Derive the master secret; an identity that is not known is told (RFC 4279 §2)."""
        exchange, negotiated = PskKeyExchange.read(message.body), self.negotiated
        assert self.config.find_psk is not None
        psk = self.config.find_psk(exchange.identity)
        if psk is None or psk.imported:
            raise UnknownPskIdentity("the client's pre-shared key is not known here")
        master = master_secret(
            SUITES12[negotiated.suite],
            psk_premaster(self.offer.finish(exchange.public), psk.secret),
            negotiated.client_random,
            negotiated.server_random,
            flight.transcript.digest() if negotiated.extended_master_secret else None,
        )
        flight.log_secret("CLIENT_RANDOM", negotiated.client_random, master.secret)
        return WaitChangeCipherSpec(None, master, replace(negotiated, psk_identity=exchange.identity))

    handlers = {ClientKeyExchange: on_client_key_exchange}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class Session:
    """What the hellos of both sides settled, and the server's half of the key exchange."""

    config: Config
    suite: Suite12
    exchange: ServerExchange
    negotiated: Negotiated
    ticket: bool
    """Whether a ticket is promised."""


@dataclass(frozen=True)
class WaitCertificate(_State):
    """The client was asked for a certificate."""

    session: Session

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitClientKeyExchange:
        """Verify the client's chain, or go on without when there is none and none is needed."""
        config = self.session.config
        if not message.certificate_list:
            if config.peer_certificate is not _OPTIONAL:
                # RFC 5246 §7.4.6.
                raise HandshakeFailure("the client sent no certificate", reason="PEER_DID_NOT_RETURN_A_CERTIFICATE")
            return WaitClientKeyExchange(self.session, None)
        identity = identify_peer(config, message.certificate_list, _CLIENT_AUTH, None)
        return WaitClientKeyExchange(self.session, identity)

    handlers = {Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitClientKeyExchange(_State):
    """The client's half of the key exchange is next (RFC 5246 §7.4.7)."""

    session: Session
    identity: PeerIdentity | None

    def on_client_key_exchange(
        self, message: ClientKeyExchange, flight: Flight
    ) -> WaitCertificateVerify | WaitChangeCipherSpec:
        """Derive the master secret."""
        session = self.session
        negotiated = session.negotiated
        master = master_secret(
            session.suite,
            session.exchange.finish(message),
            negotiated.client_random,
            negotiated.server_random,
            flight.transcript.digest() if negotiated.extended_master_secret else None,
        )
        flight.log_secret("CLIENT_RANDOM", negotiated.client_random, master.secret)
        if self.identity is not None:
            return WaitCertificateVerify(session, master, negotiated, self.identity)
        flight.transcript.forget()
        return WaitChangeCipherSpec(session, master, negotiated)

    handlers = {ClientKeyExchange: on_client_key_exchange}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificateVerify(_State):
    """The client sent a certificate, and shows next that it has the key (RFC 5246 §7.4.8)."""

    session: Session
    master: MasterSecret
    negotiated: Negotiated
    identity: PeerIdentity

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitChangeCipherSpec:
        """Check the signature over every message before this one."""
        check_certificate_verify(self.session.config, self.identity, message, flight)
        flight.transcript.forget()
        negotiated = replace(
            self.negotiated,
            peer_chain=self.identity.chain,
            verified_path=self.identity.path,
            peer_signature_algorithm=message.algorithm,
        )
        return WaitChangeCipherSpec(self.session, self.master, negotiated)

    handlers = {CertificateVerify: on_certificate_verify}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitChangeCipherSpec(_State):
    """The client changes keys next (RFC 5246 §7.1)."""

    session: Session | None
    """None where there is nothing to leave: with a pre-shared key."""

    master: MasterSecret
    negotiated: Negotiated

    def on_change_cipher_spec(self, message: ChangeCipherSpec, flight: Flight) -> WaitFinished:
        """Read with the new keys."""
        read_keys, write_keys = self.master.keys()
        flight.read_with12(read_keys)
        return WaitFinished(self.session, self.master, write_keys, self.negotiated)

    handlers = {ChangeCipherSpec: on_change_cipher_spec}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(_State):
    """The client's Finished, the first message under the new keys (RFC 5246 §7.4.9)."""

    session: Session | None
    master: MasterSecret
    write_keys: RecordKeys
    negotiated: Negotiated

    def on_finished(self, finished: Finished, flight: Flight) -> ServerConnected:
        """Check that nobody altered the handshake, and finish it."""
        transcript = flight.transcript
        finished.check_size(VERIFY_DATA_SIZE)
        if not self.master.finished_matches(finished.verify_data, transcript.digest_before(), True):
            raise DecryptError("the client's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        if self.session is not None:
            config, promised = self.session.config, self.session.ticket
            server12_resumed.keep(config, self.master, self.negotiated, flight, ticket=promised)
        flight.send_change_cipher_spec()
        flight.write_with12(self.write_keys)
        flight.send(Finished(self.master.finished(transcript.digest(), False)))
        unique = finished.verify_data if self.master.extended else None
        flight.emit(HandshakeCompleted(self.negotiated.with_tls_unique(unique)))
        return ServerConnected(self.master)

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
