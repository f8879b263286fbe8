"""The server of TLS 1.3, from ClientHello to Finished (RFC 8446 Appendix A.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, final

from fasttls.crypto.groups import GROUPS
from fasttls.crypto.signatures import CLIENT_CONTEXT, SERVER_CONTEXT
from fasttls.crypto.suites import SUITES, Suite
from fasttls.events import HandshakeCompleted, Negotiated
from fasttls.handshake.alpn import choose_alpn
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.auth13 import (
    check_certificate,
    check_certificate_verify,
    choose_credential,
    send_certificate,
    send_certificate_verify,
)
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.handshake.connected13 import ServerConnected
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.hello import Asked, listed, server_random
from fasttls.handshake.keys13 import ApplicationKeys, HandshakeKeys, handshake_keys
from fasttls.handshake.state import State
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import (
    CertificateRequired,
    DecryptError,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
)
from fasttls.wire.extensions import Extensions, KeyShareEntry
from fasttls.wire.iana import (
    CipherSuite,
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    SignatureScheme,
    name_of,
)
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    Finished,
    HelloRetryRequest,
    ServerHello,
)


class Chosen(NamedTuple):
    """What the server picks from a ClientHello."""

    suite: Suite
    group: int
    share: KeyShareEntry | None
    """None when the group needs a HelloRetryRequest."""


def _check_offer(hello: ClientHello) -> None:
    """RFC 8446 §9.2: what a ClientHello without a pre-shared key must have."""
    extensions = hello.extensions
    for code in (ExtensionType.SIGNATURE_ALGORITHMS, ExtensionType.SUPPORTED_GROUPS, ExtensionType.KEY_SHARE):
        if code not in extensions:
            raise MissingExtension(f"ClientHello without {code.name.lower()}")
    if ExtensionType.PRE_SHARED_KEY in extensions and ExtensionType.PSK_KEY_EXCHANGE_MODES not in extensions:
        # RFC 8446 §4.2.9.
        raise MissingExtension("ClientHello with pre_shared_key and without psk_key_exchange_modes")
    groups = set(extensions[ExtensionType.SUPPORTED_GROUPS])
    for share in extensions[ExtensionType.KEY_SHARE]:
        if share.group not in groups:
            # RFC 8446 §4.2.8: no share for a group that supported_groups does not have.
            raise IllegalParameter(
                f"a key share for {name_of(NamedGroup, share.group)}, which is not in supported_groups",
                reason="BAD_KEY_SHARE",
            )


def choose(config: Config, hello: ClientHello) -> Chosen:
    """Choose suite and group. Raises HandshakeFailure when nothing is in common."""
    _check_offer(hello)
    ours = tuple(code for code in config.suites if code in SUITES)
    first, second = (ours, hello.cipher_suites) if config.prefer_server_suites else (hello.cipher_suites, ours)
    code = next((code for code in first if code in second), None)
    if code is None:
        raise HandshakeFailure(
            f"no cipher suite in common: the client offers {listed(hello.cipher_suites, CipherSuite)}; "
            f"we have {listed(ours, CipherSuite)}",
            reason="NO_SHARED_CIPHER",
        )
    suite = SUITES[code]
    offered: tuple[int, ...] = hello.extensions[ExtensionType.SUPPORTED_GROUPS]
    shares = {share.group: share for share in hello.extensions[ExtensionType.KEY_SHARE]}
    common = [group for group in config.groups if group in offered]
    # A group whose share is here goes before one that costs another round trip.
    for group in common:
        if group in shares:
            return Chosen(suite, group, shares[group])
    if not common:
        raise HandshakeFailure(
            f"no group in common: the client offers {listed(offered, NamedGroup)}; "
            f"we have {listed(config.groups, NamedGroup)}",
            reason="NO_SUITABLE_GROUPS",
        )
    return Chosen(suite, common[0], None)


def answer(
    config: Config, hello: ClientHello, flight: Flight, asked: Asked
) -> WaitSecondClientHello | WaitCertificate | WaitFinished:
    """Answer the first ClientHello, with ServerHello or HelloRetryRequest."""
    chosen = choose(config, hello)
    if ExtensionType.EARLY_DATA in hello.extensions:
        if ExtensionType.PRE_SHARED_KEY not in hello.extensions:
            # RFC 8446 §4.2.10: early data is sent under the first pre-shared key.
            raise MissingExtension("ClientHello with early_data and without pre_shared_key")
        flight.skip_early_data(config.limits.early_data, by_type=chosen.share is None)
    if chosen.share is None:
        return _send_retry(config, hello, chosen, flight, asked)
    flight.transcript.choose(chosen.suite.hash_name)
    return _send_flight(config, hello, chosen, chosen.share, flight, asked, retried=False)


def _send_retry(
    config: Config, hello: ClientHello, chosen: Chosen, flight: Flight, asked: Asked
) -> WaitSecondClientHello:
    """Ask for a share of the chosen group (RFC 8446 §4.1.4)."""
    extensions: Extensions = {
        ExtensionType.SUPPORTED_VERSIONS: ProtocolVersion.TLS1_3,
        ExtensionType.KEY_SHARE: chosen.group,
    }
    cookie = config.random(32) if config.retry_cookie else None
    if cookie is not None:
        extensions[ExtensionType.COOKIE] = cookie
    flight.transcript.choose(chosen.suite.hash_name, retried=True)
    flight.send(HelloRetryRequest(hello.legacy_session_id, chosen.suite.code, extensions))
    if hello.legacy_session_id:
        flight.send_change_cipher_spec()
    return WaitSecondClientHello(config, hello, chosen, cookie, asked)


def _choose_credential(config: Config, hello: ClientHello) -> tuple[Credential, int]:
    accepted: tuple[int, ...] = hello.extensions[ExtensionType.SIGNATURE_ALGORITHMS]
    chosen = choose_credential(config, accepted, hello.extensions.get(ExtensionType.SIGNATURE_ALGORITHMS_CERT))
    if chosen is not None:
        return chosen
    if not config.credentials:
        raise HandshakeFailure("this server has no certificate", reason="NO_CERTIFICATE_SET")
    ours = tuple(scheme for credential in config.credentials for scheme in credential.signer.schemes)
    raise HandshakeFailure(
        f"no signature scheme in common: the client accepts {listed(accepted, SignatureScheme)}; "
        f"our certificates can sign with {listed(ours, SignatureScheme)}",
        reason="NO_SUITABLE_SIGNATURE_ALGORITHM",
    )


def _send_flight(
    config: Config,
    hello: ClientHello,
    chosen: Chosen,
    share: KeyShareEntry,
    flight: Flight,
    asked: Asked,
    *,
    retried: bool,
) -> WaitCertificate | WaitFinished:
    """Send everything from ServerHello to Finished (RFC 8446 §2)."""
    # Whatever may refuse the client comes before the first byte of the answer.
    credential, scheme = _choose_credential(config, hello)
    alpn = choose_alpn(config, hello)
    suite = chosen.suite
    own_share, shared = GROUPS[chosen.group].answer(
        share.key_exchange, config.random if config.deterministic_keys else None
    )
    random = server_random(config, ProtocolVersion.TLS1_3)
    flight.send(
        ServerHello(
            random,
            hello.legacy_session_id,
            suite.code,
            {
                ExtensionType.KEY_SHARE: KeyShareEntry(chosen.group, own_share),
                ExtensionType.SUPPORTED_VERSIONS: ProtocolVersion.TLS1_3,
            },
        )
    )
    if hello.legacy_session_id and not retried:
        flight.send_change_cipher_spec()
    keys = handshake_keys(suite, shared, hello.random, flight)
    flight.write_with(Epoch.HANDSHAKE, suite, keys.traffic.server)
    flight.read_with(Epoch.HANDSHAKE, suite, keys.traffic.client)

    extensions: Extensions = {}
    if asked.by_name:
        extensions[ExtensionType.SERVER_NAME] = None
    if alpn is not None:
        extensions[ExtensionType.ALPN] = alpn
    flight.send(EncryptedExtensions(extensions))
    request = _certificate_request(config)
    if request is not None:
        flight.send(request)
    send_certificate(flight, credential, staple=ExtensionType.STATUS_REQUEST in hello.extensions)
    send_certificate_verify(flight, credential, scheme, SERVER_CONTEXT)
    flight.send(Finished(keys.server_finished.mac(flight.transcript.digest())))
    application = keys.into_application(flight.transcript.digest(), flight)
    flight.write_with(Epoch.APPLICATION, suite, application.traffic.server)

    negotiated = Negotiated(
        version=ProtocolVersion.TLS1_3,
        suite=suite.code,
        group=chosen.group,
        retried=retried,
        server_name=asked.server_name,
        alpn=alpn,
        client_random=hello.random,
        server_random=random,
        legacy_session_id=hello.legacy_session_id,
        client_suites=hello.cipher_suites,
        own_signature_algorithm=scheme,
        client_certificate_requested=request is not None,
        peer_authorities=hello.extensions.get(ExtensionType.CERTIFICATE_AUTHORITIES, ()),
    )
    if request is not None:
        return WaitCertificate(config, keys, application, negotiated, request)
    return WaitFinished(keys, application, negotiated)


def _certificate_request(config: Config) -> CertificateRequest | None:
    """Return what asks for the client's certificate, or None (RFC 8446 §4.3.2)."""
    if config.peer_certificate is PeerCertificate.UNCHECKED:
        return None
    extensions: Extensions = {ExtensionType.SIGNATURE_ALGORITHMS: config.signature_algorithms}
    if config.signature_algorithms_cert is not None:
        extensions[ExtensionType.SIGNATURE_ALGORITHMS_CERT] = config.signature_algorithms_cert
    if config.certificate_authorities:
        extensions[ExtensionType.CERTIFICATE_AUTHORITIES] = config.certificate_authorities
    return CertificateRequest(b"", extensions)


# What a second ClientHello may have otherwise than the first (RFC 8446 §4.1.2).
_MAY_CHANGE = frozenset(
    {
        ExtensionType.KEY_SHARE,
        ExtensionType.EARLY_DATA,
        ExtensionType.COOKIE,
        ExtensionType.PRE_SHARED_KEY,
        ExtensionType.PADDING,
    }
)


def _without_changeable(hello: ClientHello) -> ClientHello:
    kept = {code: value for code, value in hello.extensions.items() if code not in _MAY_CHANGE}
    return replace(hello, extensions=kept)


@final
@dataclass(frozen=True, slots=True)
class WaitSecondClientHello(State):
    """Server START after HelloRetryRequest (RFC 8446 §4.1.4)."""

    config: Config
    first: ClientHello
    chosen: Chosen
    cookie: bytes | None
    asked: Asked

    def on_client_hello(self, hello: ClientHello, flight: Flight) -> WaitCertificate | WaitFinished:
        """Check that only what may change did, and answer."""
        if _without_changeable(hello) != _without_changeable(self.first):
            raise IllegalParameter("the second ClientHello is not the first one with the changes asked for")
        if ExtensionType.EARLY_DATA in hello.extensions:
            # RFC 8446 §4.2.10: not after a HelloRetryRequest.
            raise IllegalParameter("the second ClientHello has early_data")
        if hello.extensions.get(ExtensionType.COOKIE) != self.cookie:
            raise IllegalParameter("the second ClientHello does not have the cookie it was given")
        # The offer changes where it may: it is checked again.
        _check_offer(hello)
        shares: tuple[KeyShareEntry, ...] = hello.extensions[ExtensionType.KEY_SHARE]
        if len(shares) != 1 or shares[0].group != self.chosen.group:
            # RFC 8446 §4.2.8: one share, of the group that was asked for.
            raise IllegalParameter(
                f"the second ClientHello must have one share, for {name_of(NamedGroup, self.chosen.group)}",
                reason="BAD_KEY_SHARE",
            )
        return _send_flight(self.config, hello, self.chosen, shares[0], flight, self.asked, retried=True)

    handlers = {ClientHello: on_client_hello}


@final
@dataclass(frozen=True, slots=True)
class WaitCertificate(State):
    """Server WAIT_CERT."""

    config: Config
    keys: HandshakeKeys
    application: ApplicationKeys
    negotiated: Negotiated
    request: CertificateRequest

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify | WaitFinished:
        """Verify the client's chain, or go on without when there is none and none is needed."""
        if message.certificate_request_context:
            raise IllegalParameter("the client's Certificate has a request context")
        if not message.certificate_list:
            if self.config.peer_certificate is not PeerCertificate.OPTIONAL:
                # RFC 8446 §4.4.2.4.
                raise CertificateRequired("the client sent no certificate")
            return WaitFinished(self.keys, self.application, self.negotiated)
        identity = check_certificate(self.config, message, Purpose.CLIENT_AUTH, None, self.request.extensions)
        return WaitCertificateVerify(self.config, self.keys, self.application, self.negotiated, identity)

    handlers = {Certificate: on_certificate}


@final
@dataclass(frozen=True, slots=True)
class WaitCertificateVerify(State):
    """Server WAIT_CV."""

    config: Config
    keys: HandshakeKeys
    application: ApplicationKeys
    negotiated: Negotiated
    identity: PeerIdentity

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitFinished:
        """Check that the client has the key of its certificate (RFC 8446 §4.4.3)."""
        check_certificate_verify(self.config, self.identity, message, CLIENT_CONTEXT, flight.transcript.before)
        negotiated = replace(
            self.negotiated,
            peer_chain=self.identity.chain,
            verified_path=self.identity.path,
            peer_signature_algorithm=message.algorithm,
        )
        return WaitFinished(self.keys, self.application, negotiated)

    handlers = {CertificateVerify: on_certificate_verify}


@final
@dataclass(frozen=True, slots=True)
class WaitFinished(State):
    """Server WAIT_FINISHED."""

    keys: HandshakeKeys
    application: ApplicationKeys
    negotiated: Negotiated

    def on_finished(self, finished: Finished, flight: Flight) -> ServerConnected:
        """Check the client's Finished; the connection is made (RFC 8446 §4.4.4)."""
        transcript = flight.transcript
        suite = self.keys.suite
        finished.check_size(suite.hash_size)
        if not self.keys.client_finished.verify(finished.verify_data, transcript.before):
            raise DecryptError("the client's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        self.keys.wipe()
        flight.read_with(Epoch.APPLICATION, suite, self.application.traffic.client)
        flight.emit(HandshakeCompleted(self.negotiated))
        return ServerConnected(
            suite,
            self.application.traffic.client,
            self.application.traffic.server,
            self.application.exporter,
            self.application.master.into_resumption(transcript.digest()),
        )

    handlers = {Finished: on_finished}
