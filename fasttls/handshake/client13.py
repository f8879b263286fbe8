"""The client of TLS 1.3, from ServerHello to Finished (RFC 8446 Appendix A.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from fasttls.crypto.groups import Offer
from fasttls.crypto.signatures import CLIENT_CONTEXT, SERVER_CONTEXT
from fasttls.crypto.suites import SUITES
from fasttls.events import HandshakeCompleted, Negotiated
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
from fasttls.handshake.state import State
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import (
    DecodeError,
    DecryptError,
    IllegalParameter,
    MissingExtension,
    UnsupportedExtension,
)
from fasttls.wire.extensions import KeyShareEntry, unsolicited
from fasttls.wire.iana import ExtensionType, NamedGroup, ProtocolVersion, name_of
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    Finished,
    ServerHello,
)


@dataclass(frozen=True, slots=True)
class Session:
    """What the hellos of both sides settled."""

    config: Config
    host: str | None
    hello: ClientHello
    answer: ServerHello
    group: int
    retried: bool


def begin(
    config: Config,
    host: str | None,
    hello: ClientHello,
    shares: dict[int, Offer],
    answer: ServerHello,
    flight: Flight,
    *,
    retried: bool,
) -> WaitEncryptedExtensions:
    """Agree on the keys; everything from here on is protected (RFC 8446 §4.1.3, §4.2.8)."""
    share: KeyShareEntry | None = answer.extensions.get(ExtensionType.KEY_SHARE)
    if share is None:
        raise MissingExtension("ServerHello without key_share")
    offer = shares.get(share.group)
    if offer is None:
        raise IllegalParameter(
            f"the server answers a share for {name_of(NamedGroup, share.group)}, which was not sent",
            reason="BAD_KEY_SHARE",
        )
    suite = SUITES[answer.cipher_suite]
    keys = handshake_keys(suite, offer.finish(share.key_exchange), hello.random, flight)
    flight.read_with(Epoch.HANDSHAKE, suite, keys.traffic.server)
    if config.compatibility_mode and not retried:
        flight.send_change_cipher_spec()
    flight.write_with(Epoch.HANDSHAKE, suite, keys.traffic.client)
    return WaitEncryptedExtensions(Session(config, host, hello, answer, share.group, retried), keys)


@final
@dataclass(frozen=True, slots=True)
class WaitEncryptedExtensions(State):
    """Client WAIT_EE."""

    session: Session
    keys: HandshakeKeys

    def on_encrypted_extensions(self, message: EncryptedExtensions, flight: Flight) -> WaitCertificateOrRequest:
        """Take in what the server says beside the keys (RFC 8446 §4.3.1)."""
        offered = self.session.hello.extensions
        code = unsolicited(message.extensions, offered)
        if code is not None:
            raise UnsupportedExtension(f"the server answers {name_of(ExtensionType, code)}, which was not offered")
        alpn: bytes | None = message.extensions.get(ExtensionType.ALPN)
        if alpn is not None and alpn not in self.session.config.alpn:
            # RFC 7301 §3.2: one of those that the client offered.
            raise IllegalParameter(f"the server selects the protocol {alpn!r}, which was not offered")
        return WaitCertificateOrRequest(self.session, self.keys, alpn)

    handlers = {EncryptedExtensions: on_encrypted_extensions}


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
    identity = check_certificate(session.config, message, Purpose.SERVER_AUTH, session.host, session.hello.extensions)
    return WaitCertificateVerify(session, state.keys, state.alpn, request, identity)


@final
@dataclass(frozen=True, slots=True)
class WaitCertificateOrRequest(State):
    """Client WAIT_CERT_CR."""

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None

    def on_certificate_request(self, request: CertificateRequest, flight: Flight) -> WaitCertificate:
        """Remember that the server wants a certificate too (RFC 8446 §4.3.2)."""
        if request.certificate_request_context:
            raise IllegalParameter("a CertificateRequest in the handshake has a context")
        if ExtensionType.SIGNATURE_ALGORITHMS not in request.extensions:
            raise MissingExtension("CertificateRequest without signature_algorithms")
        return WaitCertificate(self.session, self.keys, self.alpn, request)

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify:
        """Verify the server's chain."""
        return _on_certificate(self, message, None)

    handlers = {CertificateRequest: on_certificate_request, Certificate: on_certificate}


@final
@dataclass(frozen=True, slots=True)
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


@final
@dataclass(frozen=True, slots=True)
class WaitCertificateVerify(State):
    """Client WAIT_CV."""

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None
    request: CertificateRequest | None
    identity: PeerIdentity

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitFinished:
        """Check that the server has the key of its certificate (RFC 8446 §4.4.3)."""
        check_certificate_verify(self.session.config, self.identity, message, SERVER_CONTEXT, flight.transcript.before)
        return WaitFinished(self.session, self.keys, self.alpn, self.request, self.identity, message.algorithm)

    handlers = {CertificateVerify: on_certificate_verify}


@final
@dataclass(frozen=True, slots=True)
class WaitFinished(State):
    """Client WAIT_FINISHED.

    The certificate is already verified; the server's Finished proves that nobody altered the
    handshake on the way (RFC 8446 §4.4.4).
    """

    session: Session
    keys: HandshakeKeys
    alpn: bytes | None
    request: CertificateRequest | None
    identity: PeerIdentity
    peer_signature_algorithm: int

    def on_finished(self, finished: Finished, flight: Flight) -> ClientConnected:
        """Check the server's Finished, and send the client's last flight."""
        transcript = flight.transcript
        suite = self.keys.suite
        finished.check_size(suite.hash_size)
        if not self.keys.server_finished.verify(finished.verify_data, transcript.before):
            raise DecryptError("the server's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        application = self.keys.into_application(transcript.digest(), flight)
        flight.read_with(Epoch.APPLICATION, suite, application.traffic.server)
        own_algorithm = self._authenticate(flight)
        flight.send(Finished(self.keys.client_finished.mac(transcript.digest())))
        self.keys.wipe()
        flight.write_with(Epoch.APPLICATION, suite, application.traffic.client)
        flight.emit(HandshakeCompleted(self._negotiated(own_algorithm)))
        return ClientConnected(
            suite,
            application.traffic.server,
            application.traffic.client,
            application.exporter,
            application.master.into_resumption(transcript.digest()),
        )

    def _authenticate(self, flight: Flight) -> int | None:
        """Answer a CertificateRequest, with an empty Certificate when nothing fits (RFC 8446 §4.4.2)."""
        if self.request is None:
            return None
        extensions = self.request.extensions
        chosen = choose_credential(
            self.session.config,
            extensions[ExtensionType.SIGNATURE_ALGORITHMS],
            extensions.get(ExtensionType.SIGNATURE_ALGORITHMS_CERT),
        )
        if chosen is None:
            flight.send(Certificate(b"", ()))
            return None
        credential, scheme = chosen
        send_certificate(flight, credential)
        send_certificate_verify(flight, credential, scheme, CLIENT_CONTEXT)
        return scheme

    def _negotiated(self, own_algorithm: int | None) -> Negotiated:
        session = self.session
        authorities = () if self.request is None else self.request.extensions.get(ExtensionType.CERTIFICATE_AUTHORITIES)
        return Negotiated(
            version=ProtocolVersion.TLS1_3,
            suite=session.answer.cipher_suite,
            group=session.group,
            retried=session.retried,
            server_name=session.host,
            alpn=self.alpn,
            client_random=session.hello.random,
            server_random=session.answer.random,
            legacy_session_id=session.hello.legacy_session_id,
            client_suites=session.hello.cipher_suites,
            peer_chain=self.identity.chain,
            verified_path=self.identity.path,
            ocsp_response=self.identity.ocsp_response,
            peer_signature_algorithm=self.peer_signature_algorithm,
            own_signature_algorithm=own_algorithm,
            client_certificate_requested=self.request is not None,
            peer_authorities=authorities or (),
        )

    handlers = {Finished: on_finished}
