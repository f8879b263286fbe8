"""The client of TLS 1.3, from ServerHello to Finished (RFC 8446 Appendix A.1)."""

from __future__ import annotations

from dataclasses import dataclass

from fasttls.crypto.groups import Offer
from fasttls.crypto.signatures import CLIENT_CONTEXT, SERVER_CONTEXT
from fasttls.crypto.suites import SUITES
from fasttls.events import EarlyDataAnswered, HandshakeCompleted, Negotiated
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.auth13 import (
    check_certificate,
    check_certificate_verify,
    choose_credential,
    send_certificate,
    send_certificate_verify,
)
from fasttls.handshake.config import Config
from fasttls.handshake.connected13 import ClientConnected
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.keys13 import HandshakeKeys, handshake_keys
from fasttls.handshake.post_auth13 import ClientMayAuthenticate
from fasttls.handshake.psk13 import PskOffer, selected_offer
from fasttls.handshake.state import State, readers_of
from fasttls.native._secret import Secret
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import (
    DecodeError,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
    UnsupportedExtension,
)
from fasttls.wire.extensions import KeyShareEntry, unsolicited
from fasttls.wire.iana import ExtensionType, NamedGroup, ProtocolVersion, PskKeyExchangeMode, name_of
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    ServerHello,
)

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_APPLICATION = Epoch.APPLICATION
_HANDSHAKE = Epoch.HANDSHAKE
_ALPN = ExtensionType.ALPN
_CERTIFICATE_AUTHORITIES = ExtensionType.CERTIFICATE_AUTHORITIES
_EARLY_DATA = ExtensionType.EARLY_DATA
_KEY_SHARE = ExtensionType.KEY_SHARE
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SIGNATURE_ALGORITHMS_CERT = ExtensionType.SIGNATURE_ALGORITHMS_CERT
_TLS1_3 = ProtocolVersion.TLS1_3
_PSK_DHE_KE = PskKeyExchangeMode.PSK_DHE_KE
_PSK_KE = PskKeyExchangeMode.PSK_KE
_SERVER_AUTH = Purpose.SERVER_AUTH


@dataclass(frozen=True)
class Opening:
    """What the client said in its last hello, and what it keeps for the answer."""

    config: Config
    host: str | None
    hello: ClientHello
    shares: dict[int, Offer]
    psks: tuple[PskOffer, ...]


@dataclass(frozen=True)
class Session:
    """What the hellos of both sides settled."""

    config: Config
    host: str | None
    hello: ClientHello
    answer: ServerHello
    group: int | None
    retried: bool
    psk: PskOffer | None
    early: bool
    """Whether early data was offered and is not refused yet."""


def begin(
    opening: Opening, answer: ServerHello, flight: Flight, retried: bool, early: bool = False
) -> WaitEncryptedExtensions:
    """Agree on the keys; everything from here on is protected (RFC 8446 §4.1.3, §4.2.8)."""
    config, hello = opening.config, opening.hello
    suite = SUITES[answer.cipher_suite]
    psk = selected_offer(opening.psks, answer.extensions.get(_PRE_SHARED_KEY), suite)
    if config.psk_only and (psk is None or psk.session is not None):
        raise HandshakeFailure("the server takes none of the pre-shared keys", reason="PSK_DECLINED")
    group, shared = _agreed(opening, answer, psk)
    keys = handshake_keys(suite, shared, hello.random, flight, None if psk is None else psk.secret)
    flight.read_with(_HANDSHAKE, suite, keys.traffic.server)
    session = Session(config, opening.host, hello, answer, group, retried, psk, early)
    if not early:  # else early data goes on until the server says whether it takes it
        flight.write_with(_HANDSHAKE, suite, keys.traffic.client)
    return WaitEncryptedExtensions(session, keys)


def _agreed(opening: Opening, answer: ServerHello, psk: PskOffer | None) -> tuple[int | None, Secret | None]:
    """Return the group and the shared secret of both shares, or neither where a pre-shared key does alone."""
    share: KeyShareEntry | None = answer.extensions.get(_KEY_SHARE)
    if share is None:
        if psk is not None and _PSK_KE in opening.config.psk_modes:
            return None, None
        if psk is not None:
            # RFC 8446 §4.2.11: what psk_key_exchange_modes requires must be there.
            raise IllegalParameter("the server takes a pre-shared key without key_share, which was not offered")
        raise MissingExtension("ServerHello without key_share")
    if psk is not None and _PSK_DHE_KE not in opening.config.psk_modes:
        raise IllegalParameter("the server uses a pre-shared key in a way that was not offered")
    offer = opening.shares.get(share.group)
    if offer is None:
        raise IllegalParameter(
            f"the server answers a share for {name_of(NamedGroup, share.group)}, which was not sent",
            reason="BAD_KEY_SHARE",
        )
    return share.group, offer.finish(share.key_exchange)


@dataclass(frozen=True)
class WaitEncryptedExtensions(State):
    """Client WAIT_EE."""

    session: Session
    keys: HandshakeKeys

    def on_encrypted_extensions(
        self, message: EncryptedExtensions, flight: Flight
    ) -> WaitCertificateOrRequest | WaitFinished:
        """Take in what the server says beside the keys (RFC 8446 §4.3.1)."""
        session = self.session
        offered = session.hello.extensions
        code = unsolicited(message.extensions, offered)
        if code is not None:
            raise UnsupportedExtension(f"the server answers {name_of(ExtensionType, code)}, which was not offered")
        alpn: bytes | None = message.extensions.get(_ALPN)
        if alpn is not None and alpn not in session.config.alpn:
            # RFC 7301 §3.2: one of those that the client offered.
            raise IllegalParameter(f"the server selects the protocol {alpn!r}, which was not offered")
        accepted = _EARLY_DATA in message.extensions
        if session.early:
            self._answer_early(accepted, alpn, flight)
        if session.psk is not None:
            return WaitFinished(session, self.keys, alpn, None, session.psk.peer, None, accepted)
        return WaitCertificateOrRequest(session, self.keys, alpn)

    def _answer_early(self, accepted: bool, alpn: bytes | None, flight: Flight) -> None:
        """Go on with early data, or give it up (RFC 8446 §4.2.10)."""
        session = self.session
        kept = None if session.psk is None else session.psk.session
        if accepted:
            selected = session.answer.extensions.get(_PRE_SHARED_KEY)
            if kept is None or selected != 0 or (kept.suite, kept.alpn) != (session.answer.cipher_suite, alpn):
                raise IllegalParameter("the server takes early data of another session than it goes on with")
            flight.emit(EarlyDataAnswered(True))
            return
        flight.offer_early_data(0)
        reason = "the server did not resume the session" if kept is None else "the server does not take it"
        flight.emit(EarlyDataAnswered(False, reason))
        flight.write_with(_HANDSHAKE, self.keys.suite, self.keys.traffic.client)

    handlers = {EncryptedExtensions: on_encrypted_extensions}
    readers = readers_of(handlers)


def _on_certificate(
    state: WaitCertificateOrRequest | WaitCertificate,
    message: Certificate,
    request: CertificateRequest | None,
) -> WaitCertificateVerify:
    """Verify the server's chain (RFC 8446 §4.4.2)."""
    session = state.session
    if message.certificate_request_context:
        raise IllegalParameter("the server's Certificate has a request context")
    if not message.certificate_list:
        # RFC 8446 §4.4.2.4.
        raise DecodeError("the server sent no certificate", reason="PEER_DID_NOT_RETURN_A_CERTIFICATE")
    identity = check_certificate(session.config, message, _SERVER_AUTH, session.host, session.hello.extensions)
    return WaitCertificateVerify(session, state.keys, state.alpn, request, identity)


@dataclass(frozen=True)
class WaitCertificateOrRequest(State):
    """Client WAIT_CERT_CR."""

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None

    def on_certificate_request(self, request: CertificateRequest, flight: Flight) -> WaitCertificate:
        """Remember that the server wants a certificate too (RFC 8446 §4.3.2)."""
        if request.certificate_request_context:
            raise IllegalParameter("a CertificateRequest in the handshake has a context")
        if _SIGNATURE_ALGORITHMS not in request.extensions:
            raise MissingExtension("CertificateRequest without signature_algorithms")
        return WaitCertificate(self.session, self.keys, self.alpn, request)

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify:
        """Verify the server's chain."""
        return _on_certificate(self, message, None)

    handlers = {CertificateRequest: on_certificate_request, Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificate(State):
    """Client WAIT_CERT."""

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None
    request: CertificateRequest

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify:
        """Verify the server's chain."""
        return _on_certificate(self, message, self.request)

    handlers = {Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificateVerify(State):
    """Client WAIT_CV."""

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None
    request: CertificateRequest | None
    identity: PeerIdentity

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitFinished:
        """Check that the server has the key of its certificate (RFC 8446 §4.4.3)."""
        check_certificate_verify(
            self.session.config, self.identity, message, SERVER_CONTEXT, flight.transcript.digest_before()
        )
        return WaitFinished(self.session, self.keys, self.alpn, self.request, self.identity, message.algorithm)

    handlers = {CertificateVerify: on_certificate_verify}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(State):
    """Client WAIT_FINISHED.

    The certificate is already verified; the server's Finished proves that nobody altered the
    handshake on the way (RFC 8446 §4.4.4).
    """

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None
    request: CertificateRequest | None
    identity: PeerIdentity | None
    """None for an external pre-shared key: knowing it is what proves who the server is."""

    peer_signature_algorithm: int | None
    early: bool = False
    """Whether the server takes early data."""

    def on_finished(self, finished: Finished, flight: Flight) -> ClientConnected | ClientMayAuthenticate:
        """Check the server's Finished, and send the client's last flight."""
        transcript = flight.transcript
        suite = self.keys.suite
        finished.check_size(suite.hash_size)
        if not self.keys.server_finished().verify(finished.verify_data, transcript.digest_before()):
            raise DecryptError("the server's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        application = self.keys.into_application(transcript.digest(), flight)
        flight.read_with(_APPLICATION, suite, application.traffic.server)
        if self.session.config.compatibility_mode and not self.session.retried and not self.session.early:
            # RFC 8446 Appendix D.4: before the second flight, and in one write with it.
            flight.send_change_cipher_spec()
        if self.early:
            flight.offer_early_data(0)
            flight.send(EndOfEarlyData())  # RFC 8446 §4.5
            flight.write_with(_HANDSHAKE, suite, self.keys.traffic.client)
        own_algorithm = self._authenticate(flight)
        own_finished = self.keys.client_finished().mac(transcript.digest())
        flight.send(Finished(own_finished))
        if not self.session.early:
            self.keys.wipe()  # else its secret may still be to be used, and forgets itself behind that
        flight.write_with(_APPLICATION, suite, application.traffic.client)
        negotiated = self._negotiated(own_algorithm)
        flight.emit(HandshakeCompleted(negotiated))
        connected = ClientConnected(
            suite,
            application.traffic.server,
            application.traffic.client,
            application.exporter,
            application.master.into_resumption(transcript.digest()),
            self.session.config,
            negotiated,
            finished.verify_data if negotiated.resumed else own_finished,
        )
        return ClientMayAuthenticate(connected) if negotiated.may_authenticate else connected

    def _authenticate(self, flight: Flight) -> int | None:
        """Answer a CertificateRequest, with an empty Certificate when nothing fits (RFC 8446 §4.4.2)."""
        if self.request is None:
            return None
        extensions = self.request.extensions
        chosen = choose_credential(
            self.session.config,
            extensions[_SIGNATURE_ALGORITHMS],
            extensions.get(_SIGNATURE_ALGORITHMS_CERT),
            extensions.get(_CERTIFICATE_AUTHORITIES, ()),
        )
        if chosen is None:
            flight.send(Certificate(b"", ()))
            return None
        credential, scheme = chosen
        send_certificate(flight, credential)
        send_certificate_verify(flight, credential, scheme, CLIENT_CONTEXT)
        return scheme

    def _negotiated(self, own_algorithm: int | None) -> Negotiated:
        session, identity = self.session, self.identity
        authorities = () if self.request is None else self.request.extensions.get(_CERTIFICATE_AUTHORITIES)
        kept = None if session.psk is None else session.psk.session
        return Negotiated(
            version=_TLS1_3,
            suite=session.answer.cipher_suite,
            group=session.group,
            retried=session.retried,
            server_name=session.host,
            alpn=self.alpn,
            client_random=session.hello.random,
            server_random=session.answer.random,
            legacy_session_id=session.hello.legacy_session_id,
            client_suites=session.hello.cipher_suites,
            peer_chain=() if identity is None else identity.chain,
            verified_path=() if identity is None else identity.path,
            ocsp_response=None if identity is None else identity.ocsp_response,
            peer_signature_algorithm=self.peer_signature_algorithm,
            own_signature_algorithm=own_algorithm,
            client_certificate_requested=self.request is not None,
            peer_authorities=authorities or (),
            may_authenticate=session.config.post_handshake_auth,
            session=kept,
            psk_identity=session.psk.identity if session.psk is not None and kept is None else None,
        )

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
