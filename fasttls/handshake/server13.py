"""The server of TLS 1.3, from ClientHello to Finished (RFC 8446 Appendix A.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fasttls.crypto.groups import GROUPS
from fasttls.crypto.signatures import CLIENT_CONTEXT, SERVER_CONTEXT
from fasttls.crypto.suites import Suite
from fasttls.events import EarlyDataAnswered, HandshakeCompleted, Negotiated
from fasttls.handshake.alpn import choose_alpn
from fasttls.handshake.auth import PeerIdentity
from fasttls.handshake.auth13 import (
    certificate_request,
    check_certificate,
    check_certificate_verify,
    send_certificate,
    send_certificate_verify,
)
from fasttls.handshake.choose13 import Chosen, check_offer, choose, credential_for
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.connected13 import ServerConnected
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.hello import MOST_AUTHORITIES, Asked, known_suites, server_random
from fasttls.handshake.keys13 import ApplicationKeys, HandshakeKeys, handshake_keys
from fasttls.handshake.psk13 import ChosenPsk, choose_psk, early_data_refusal, use_up
from fasttls.handshake.state import State, readers_of
from fasttls.native._secret import Secret
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
    ExtensionType,
    NamedGroup,
    ProtocolVersion,
    PskKeyExchangeMode,
    name_of,
)
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    ClientHello,
    EncryptedExtensions,
    EndOfEarlyData,
    Finished,
    HelloRetryRequest,
    ServerHello,
)

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_APPLICATION = Epoch.APPLICATION
_EARLY = Epoch.EARLY
_HANDSHAKE = Epoch.HANDSHAKE
_ALPN = ExtensionType.ALPN
_CERTIFICATE_AUTHORITIES = ExtensionType.CERTIFICATE_AUTHORITIES
_COOKIE = ExtensionType.COOKIE
_EARLY_DATA = ExtensionType.EARLY_DATA
_KEY_SHARE = ExtensionType.KEY_SHARE
_POST_HANDSHAKE_AUTH = ExtensionType.POST_HANDSHAKE_AUTH
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_PSK_KEY_EXCHANGE_MODES = ExtensionType.PSK_KEY_EXCHANGE_MODES
_SERVER_NAME = ExtensionType.SERVER_NAME
_SIGNATURE_ALGORITHMS = ExtensionType.SIGNATURE_ALGORITHMS
_SIGNATURE_ALGORITHMS_CERT = ExtensionType.SIGNATURE_ALGORITHMS_CERT
_STATUS_REQUEST = ExtensionType.STATUS_REQUEST
_SUPPORTED_VERSIONS = ExtensionType.SUPPORTED_VERSIONS
_OPTIONAL = PeerCertificate.OPTIONAL
_UNCHECKED = PeerCertificate.UNCHECKED
_TLS1_3 = ProtocolVersion.TLS1_3
_PSK_DHE_KE = PskKeyExchangeMode.PSK_DHE_KE
_CLIENT_AUTH = Purpose.CLIENT_AUTH


def answer(
    config: Config, hello: ClientHello, flight: Flight, asked: Asked
) -> WaitSecondClientHello | WaitCertificate | WaitEndOfEarlyData | WaitFinished:
    """Answer the first ClientHello, with ServerHello or HelloRetryRequest."""
    chosen, psk = choose(config, hello, asked, flight)
    if _EARLY_DATA in hello.extensions and _PRE_SHARED_KEY not in hello.extensions:
        # RFC 8446 §4.2.10: early data is sent under the first pre-shared key.
        raise MissingExtension("ClientHello with early_data and without pre_shared_key")
    if chosen.share is None and chosen.group is not None:
        if _EARLY_DATA in hello.extensions:
            flight.skip_early_data(_may_be_skipped(config, psk), by_type=True)
            flight.emit(EarlyDataAnswered(False, "another ClientHello is needed"))
        return _send_retry(config, hello, chosen, flight, asked)
    flight.transcript.choose(chosen.suite.hash_name)
    return _send_flight(config, hello, chosen, psk, flight, asked, False)


def _send_retry(
    config: Config, hello: ClientHello, chosen: Chosen, flight: Flight, asked: Asked
) -> WaitSecondClientHello:
    """Ask for a share of the chosen group (RFC 8446 §4.1.4)."""
    extensions: Extensions = {
        _SUPPORTED_VERSIONS: _TLS1_3,
        _KEY_SHARE: chosen.group,
    }
    cookie = config.random(32) if config.retry_cookie else None
    if cookie is not None:
        extensions[_COOKIE] = cookie
    flight.transcript.choose(chosen.suite.hash_name, retried=True)
    flight.send(HelloRetryRequest(hello.legacy_session_id, chosen.suite.code, extensions))
    if hello.legacy_session_id:
        flight.send_change_cipher_spec()
    return WaitSecondClientHello(config, hello, chosen, cookie, asked)


def _send_flight(
    config: Config,
    hello: ClientHello,
    chosen: Chosen,
    psk: ChosenPsk | None,
    flight: Flight,
    asked: Asked,
    retried: bool,
) -> WaitCertificate | WaitEndOfEarlyData | WaitFinished:
    """Send everything from ServerHello to Finished (RFC 8446 §2)."""
    # Whatever may refuse the client comes before the first byte of the answer.
    psk = use_up(config, psk)
    certified = None if psk is not None else credential_for(config, hello)
    alpn = choose_alpn(config, hello)
    suite = chosen.suite
    early_digest = flight.transcript.digest()
    hello_extensions: Extensions = {}
    group, shared = _agree(config, hello, chosen, psk, hello_extensions)
    hello_extensions[_SUPPORTED_VERSIONS] = _TLS1_3
    if psk is not None:
        hello_extensions[_PRE_SHARED_KEY] = psk.position
    random = server_random(config, _TLS1_3)
    flight.send(ServerHello(random, hello.legacy_session_id, suite.code, hello_extensions))
    if hello.legacy_session_id and not retried:
        flight.send_change_cipher_spec()
    early = _EarlyData(config, hello, psk, suite, alpn, early_digest)
    keys = handshake_keys(suite, shared, hello.random, flight, None if psk is None else psk.secret)
    flight.write_with(_HANDSHAKE, suite, keys.traffic.server)
    early.begin(flight, keys)

    extensions: Extensions = {}
    if asked.by_name and psk is None:
        extensions[_SERVER_NAME] = None
    if alpn is not None:
        extensions[_ALPN] = alpn
    if early.accepted:
        extensions[_EARLY_DATA] = None
    flight.send(EncryptedExtensions(extensions))
    request, scheme = None, None
    if certified is not None:
        credential, scheme = certified
        request = _certificate_request(config)
        if request is not None:
            flight.send(request)
        send_certificate(flight, credential, _STATUS_REQUEST in hello.extensions)
        send_certificate_verify(flight, credential, scheme, SERVER_CONTEXT)
    finished = keys.server_finished().mac(flight.transcript.digest())
    flight.send(Finished(finished))
    application = keys.into_application(flight.transcript.digest(), flight)
    flight.write_with(_APPLICATION, suite, application.traffic.server)

    peer = None if psk is None else psk.peer
    negotiated = Negotiated(
        version=_TLS1_3,
        suite=suite.code,
        group=group,
        retried=retried,
        server_name=asked.server_name,
        alpn=alpn,
        client_random=hello.random,
        server_random=random,
        legacy_session_id=hello.legacy_session_id,
        client_suites=known_suites(hello.cipher_suites),
        peer_chain=() if peer is None else peer.chain,
        verified_path=() if peer is None else peer.path,
        peer_signature_algorithm=None if psk is None or psk.session is None else psk.session.peer_signature_algorithm,
        own_signature_algorithm=scheme,
        own_suites=config.offered_suites,
        client_certificate_requested=request is not None,
        peer_authorities=hello.extensions.get(_CERTIFICATE_AUTHORITIES, ())[:MOST_AUTHORITIES],
        own_certificate=None if certified is None else certified[0].chain[0],
        may_authenticate=_POST_HANDSHAKE_AUTH in hello.extensions,
        session=None if psk is None else psk.session,
        psk_identity=psk.identity if psk is not None and psk.session is None else None,
    )
    done = Done(config, keys, application, negotiated, _tickets(config, hello, psk), finished)
    if early.accepted:
        return WaitEndOfEarlyData(done)
    return WaitCertificate(done, request) if request is not None else WaitFinished(done)


def _agree(
    config: Config, hello: ClientHello, chosen: Chosen, psk: ChosenPsk | None, extensions: Extensions
) -> tuple[int | None, Secret | None]:
    """Return the group and the shared secret, and put this side's share into extensions.

    Neither is there for a pre-shared key alone. Raises HandshakeFailure when nothing is in common.
    """
    modes: tuple[int, ...] = hello.extensions.get(_PSK_KEY_EXCHANGE_MODES, ())
    with_dhe = _PSK_DHE_KE in modes and _PSK_DHE_KE in config.psk_modes
    if psk is not None and (chosen.share is None or not with_dhe):
        return None, None
    if chosen.share is None:
        raise HandshakeFailure("no group in common, and no pre-shared key", reason="NO_SUITABLE_GROUPS")
    group = chosen.share.group
    own_share, shared = GROUPS[group].answer(
        chosen.share.key_exchange, config.random if config.deterministic_keys else None
    )
    extensions[_KEY_SHARE] = KeyShareEntry(group, own_share)
    return group, shared


def _tickets(config: Config, hello: ClientHello, psk: ChosenPsk | None) -> int:
    """Return how many tickets the client gets, when it can use any."""
    modes: tuple[int, ...] = hello.extensions.get(_PSK_KEY_EXCHANGE_MODES, ())
    if not config.resumption or not set(modes) & set(config.psk_modes) or (psk is not None and psk.session is None):
        return 0
    return config.num_tickets if psk is None else min(config.num_tickets, config.renewed_tickets)


def _may_be_skipped(config: Config, psk: ChosenPsk | None) -> int:
    """Return how many bytes of early data that is refused are passed over: what a ticket allowed, at least."""
    allowed = psk.session.max_early_data if psk is not None and psk.session is not None else 0
    return max(config.limits.early_data, config.max_early_data, allowed)


class _EarlyData:
    """What becomes of the early data that a client may have sent (RFC 8446 §4.2.10)."""

    def __init__(
        self, config: Config, hello: ClientHello, psk: ChosenPsk | None, suite: Suite, alpn: bytes | None, digest: bytes
    ) -> None:
        """Decide, while the early secret is still there; digest is that of the ClientHello."""
        self._config = config
        self._psk = psk
        self._random = hello.random
        self._offered = _EARLY_DATA in hello.extensions
        self._reason = early_data_refusal(config, psk, suite, alpn) if self._offered else ""
        self.accepted = self._offered and not self._reason
        self._secret = psk.secret.client_traffic(digest) if self.accepted and psk is not None else None

    def begin(self, flight: Flight, keys: HandshakeKeys) -> None:
        """Read early data next, or skip it and read the handshake."""
        psk = self._psk
        if self._secret is not None and psk is not None and psk.session is not None:
            flight.log_secret("CLIENT_EARLY_TRAFFIC_SECRET", self._random, self._secret)
            flight.read_with(_EARLY, keys.suite, self._secret)
            flight.take_early_data(psk.session.max_early_data)  # RFC 8446 §4.6.1: what its ticket allows
            flight.emit(EarlyDataAnswered(True))
            return
        flight.read_with(_HANDSHAKE, keys.suite, keys.traffic.client)
        if self._offered:
            flight.skip_early_data(_may_be_skipped(self._config, self._psk), by_type=False)
            flight.emit(EarlyDataAnswered(False, self._reason))


def _certificate_request(config: Config) -> CertificateRequest | None:
    """Return what asks for the client's certificate in the handshake, or None."""
    if config.peer_certificate is _UNCHECKED or config.post_handshake_auth:
        return None
    return certificate_request(config)


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


@dataclass(frozen=True)
class WaitSecondClientHello(State):
    """Server START after HelloRetryRequest (RFC 8446 §4.1.4)."""

    config: Config
    first: ClientHello
    chosen: Chosen
    cookie: bytes | None
    asked: Asked

    def on_client_hello(
        self, hello: ClientHello, flight: Flight
    ) -> WaitCertificate | WaitEndOfEarlyData | WaitFinished:
        """Check that only what may change did, and answer."""
        if _without_changeable(hello) != _without_changeable(self.first):
            raise IllegalParameter("the second ClientHello is not the first one with the changes asked for")
        if _EARLY_DATA in hello.extensions:
            # RFC 8446 §4.2.10: not after a HelloRetryRequest.
            raise IllegalParameter("the second ClientHello has early_data")
        if hello.extensions.get(_COOKIE) != self.cookie:
            raise IllegalParameter("the second ClientHello does not have the cookie it was given")
        # The offer changes where it may: it is checked again.
        check_offer(hello)
        shares: tuple[KeyShareEntry, ...] = hello.extensions.get(_KEY_SHARE, ())
        shares_of = self.chosen.group
        assert shares_of is not None
        if len(shares) != 1 or shares[0].group != shares_of:
            # RFC 8446 §4.2.8: one share, of the group that was asked for.
            raise IllegalParameter(
                f"the second ClientHello must have one share, for {name_of(NamedGroup, shares_of)}",
                reason="BAD_KEY_SHARE",
            )
        psk = choose_psk(self.config, hello, (self.chosen.suite,), self.asked.server_name, flight.transcript)
        chosen = replace(self.chosen, share=shares[0])
        return _send_flight(self.config, hello, chosen, psk, flight, self.asked, True)

    handlers = {ClientHello: on_client_hello}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class Done:
    """All that the server's own flight settled; the client's is next."""

    config: Config
    keys: HandshakeKeys
    application: ApplicationKeys
    negotiated: Negotiated
    tickets: int
    """How many the client gets when it is done too."""

    finished: bytes = b""
    """What this side's Finished had."""


@dataclass(frozen=True)
class WaitEndOfEarlyData(State):
    """Server WAIT_EOED: early data comes until the client says that it has ended."""

    done: Done

    def on_end_of_early_data(self, message: EndOfEarlyData, flight: Flight) -> WaitFinished:
        """Read with the handshake's keys (RFC 8446 §4.5)."""
        flight.read_with(_HANDSHAKE, self.done.keys.suite, self.done.keys.traffic.client)
        return WaitFinished(self.done)

    handlers = {EndOfEarlyData: on_end_of_early_data}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificate(State):
    """Server WAIT_CERT."""

    done: Done
    request: CertificateRequest

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify | WaitFinished:
        """Verify the client's chain, or go on without when there is none and none is needed."""
        config = self.done.config
        if message.certificate_request_context:
            raise IllegalParameter("the client's Certificate has a request context")
        if not message.certificate_list:
            if config.peer_certificate is not _OPTIONAL:
                # RFC 8446 §4.4.2.4.
                raise CertificateRequired("the client sent no certificate")
            return WaitFinished(self.done)
        identity = check_certificate(config, message, _CLIENT_AUTH, None, self.request.extensions)
        return WaitCertificateVerify(self.done, identity)

    handlers = {Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificateVerify(State):
    """Server WAIT_CV."""

    done: Done
    identity: PeerIdentity

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitFinished:
        """Check that the client has the key of its certificate (RFC 8446 §4.4.3)."""
        check_certificate_verify(
            self.done.config, self.identity, message, CLIENT_CONTEXT, flight.transcript.digest_before()
        )
        negotiated = replace(
            self.done.negotiated,
            peer_chain=self.identity.chain,
            verified_path=self.identity.path,
            peer_signature_algorithm=message.algorithm,
        )
        return WaitFinished(replace(self.done, negotiated=negotiated))

    handlers = {CertificateVerify: on_certificate_verify}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(State):
    """Server WAIT_FINISHED."""

    done: Done

    def on_finished(self, finished: Finished, flight: Flight) -> ServerConnected:
        """Check the client's Finished; the connection is made (RFC 8446 §4.4.4)."""
        done, transcript = self.done, flight.transcript
        suite = done.keys.suite
        finished.check_size(suite.hash_size)
        if not done.keys.client_finished().verify(finished.verify_data, transcript.digest_before()):
            raise DecryptError("the client's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        done.keys.wipe()
        flight.read_with(_APPLICATION, suite, done.application.traffic.client)
        flight.emit(HandshakeCompleted(done.negotiated))
        connected = ServerConnected(
            suite,
            done.application.traffic.client,
            done.application.traffic.server,
            done.application.exporter,
            done.application.master.into_resumption(transcript.digest()),
            done.config,
            done.negotiated,
            done.finished if done.negotiated.resumed else finished.verify_data,
        )
        connected.issue_tickets(flight, done.tickets)
        return connected

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
