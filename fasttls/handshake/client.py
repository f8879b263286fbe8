"""The client until the version is known (RFC 8446 Appendix A.1: START and WAIT_SH).

ServerHello and HelloRetryRequest are checked here as far as every version needs; the last line of
a handler is the fork to the version's own states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fasttls.crypto.groups import Offer
from fasttls.crypto.suites import SUITES
from fasttls.crypto.suites12 import SUITES12
from fasttls.events import EarlyDataAnswered
from fasttls.handshake import client12, client12_resumed, client13
from fasttls.handshake.client12_resumed import Resumable
from fasttls.handshake.config import Config
from fasttls.handshake.flight import Epoch, Flight
from fasttls.handshake.hello import (
    build_client_hello,
    is_downgrade,
    is_legacy_suite,
    key_offers,
    key_share_entries,
    listed,
    version_label,
    version_range,
)
from fasttls.handshake.psk13 import PskOffer, client_offers, send_with_binders
from fasttls.handshake.state import State, readers_of
from fasttls.sessions.session import Session
from fasttls.wire.alerts import (
    AlertDescription,
    HandshakeFailure,
    IllegalParameter,
    MissingExtension,
    ProtocolVersionAlert,
    UnsupportedExtension,
)
from fasttls.wire.extensions import unsolicited
from fasttls.wire.iana import CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme, name_of
from fasttls.wire.messages import ClientHello, HelloRetryRequest, ServerHello

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_HANDSHAKE_FAILURE = AlertDescription.HANDSHAKE_FAILURE
_INSUFFICIENT_SECURITY = AlertDescription.INSUFFICIENT_SECURITY
_PROTOCOL_VERSION = AlertDescription.PROTOCOL_VERSION
_EARLY = Epoch.EARLY
_COOKIE = ExtensionType.COOKIE
_EARLY_DATA = ExtensionType.EARLY_DATA
_KEY_SHARE = ExtensionType.KEY_SHARE
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_PRE_SHARED_KEY = ExtensionType.PRE_SHARED_KEY
_SUPPORTED_VERSIONS = ExtensionType.SUPPORTED_VERSIONS
_TLS1_2 = ProtocolVersion.TLS1_2
_TLS1_3 = ProtocolVersion.TLS1_3


@dataclass(frozen=True)
class NotStarted(State):
    """Client START: nothing may come before the ClientHello is sent."""

    ignores_change_cipher_spec = False


NOT_STARTED = NotStarted()


@dataclass(frozen=True)
class Offered:
    """What a client offers to go on with."""

    psks: tuple[PskOffer, ...] = ()
    session12: Resumable | None = None
    early: bool = False
    """Whether early data is offered under the first of the keys."""


NOTHING_OFFERED = Offered()


def start(config: Config, host: str | None, flight: Flight, session: Session | None = None) -> State:
    """Send the first ClientHello, which offers the session if it may be gone on with.

    host is the server's name, which may be None when none is checked.
    """
    shares = key_offers(config, config.key_shares or ()) if config.speaks13 else {}
    hello = build_client_hello(config, host, shares)
    psks = client_offers(config, session, host) if config.speaks13 else ()
    session12 = client12_resumed.offer_session(config, session, host, hello) if config.speaks12 else None
    if config.psk_only and not psks and not config.speaks12:
        raise HandshakeFailure(
            "there is no pre-shared key to offer, and nothing else is wanted", reason="PSK_NO_CLIENT_CB"
        )
    early = _may_send_early(config, psks)
    if early:
        hello.extensions[_EARLY_DATA] = None
    send_with_binders(hello, psks, config, flight.transcript, flight)
    if early:
        _begin_early_data(config, psks[0], hello, flight)
    return WaitServerHello(config, host, hello, shares, Offered(psks, session12, early))


def _may_send_early(config: Config, psks: tuple[PskOffer, ...]) -> bool:
    """Whether early data may be offered: under a session's key that allows it (RFC 8446 §4.2.10)."""
    session = psks[0].session if psks else None
    return config.early_data and session is not None and session.max_early_data > 0


def _begin_early_data(config: Config, offer: PskOffer, hello: ClientHello, flight: Flight) -> None:
    """Protect what follows the ClientHello with the early traffic secret (RFC 8446 §2.3)."""
    assert offer.session is not None
    digest = flight.transcript.digest_without_tail(offer.hash_name, 0)
    secret = offer.secret.client_traffic(digest)
    flight.log_secret("CLIENT_EARLY_TRAFFIC_SECRET", hello.random, secret)
    if config.compatibility_mode:
        flight.send_change_cipher_spec()
    flight.write_with(_EARLY, SUITES[offer.session.suite], secret)
    flight.offer_early_data(offer.session.max_early_data)


def _selected_version(config: Config, hello: ClientHello, answer: ServerHello | HelloRetryRequest) -> int:
    """Return the version that the server selected, one of those that were offered (RFC 8446 §4.1.3, §4.2.1)."""
    selected: int | None = answer.extensions.get(_SUPPORTED_VERSIONS)
    if selected is not None:
        if _SUPPORTED_VERSIONS not in hello.extensions:
            # RFC 8446 §4.2: an answer to what was not asked.
            raise UnsupportedExtension("the server answers supported_versions, which was not offered")
        if selected != _TLS1_3 or not config.speaks13:
            # RFC 8446 §4.2.1: the extension selects TLS 1.3 or a later version that was offered.
            raise IllegalParameter(f"the server selects {version_label(selected)} in supported_versions")
        return selected
    if isinstance(answer, HelloRetryRequest):
        raise MissingExtension("HelloRetryRequest without supported_versions")
    version = answer.legacy_version
    if is_downgrade(config, version, answer.random):
        raise IllegalParameter(
            "the server could speak a later version and something made it answer with "
            f"{version_label(version)}: a downgrade attack, or a broken middlebox",
            reason="INAPPROPRIATE_FALLBACK",
        )
    if version != _TLS1_2 or not config.speaks12:
        raise ProtocolVersionAlert(f"the server speaks {version_label(version)}, we speak {version_range(config)}")
    return version


def _check_common(hello: ClientHello, answer: ServerHello | HelloRetryRequest, suites: Mapping[int, object]) -> None:
    """Check what every answer must fulfil; suites are those of its version (RFC 8446 §4.1.3, RFC 5246 §7.4.1.3)."""
    code = unsolicited(answer.extensions, hello.extensions)
    if code is not None:
        raise UnsupportedExtension(f"the server answers {name_of(ExtensionType, code)}, which was not offered")
    if answer.legacy_compression_method != 0:
        raise IllegalParameter("the server selects compression", reason="INVALID_COMPRESSION_ALGORITHM")
    if answer.cipher_suite not in hello.cipher_suites or answer.cipher_suite not in suites:
        raise IllegalParameter(
            f"the server selects {name_of(CipherSuite, answer.cipher_suite)}, which was not offered for this version"
            + (", as CBC and RC4 suites are not spoken here" if is_legacy_suite(answer.cipher_suite) else ""),
            reason="WRONG_CIPHER_RETURNED",
        )


def _check13(hello: ClientHello, answer: ServerHello | HelloRetryRequest) -> None:
    """Check what an answer of TLS 1.3 must fulfil."""
    _check_common(hello, answer, SUITES)
    if answer.legacy_version != _TLS1_2:
        raise IllegalParameter(f"ServerHello has the legacy_version {version_label(answer.legacy_version)}")
    if answer.legacy_session_id_echo != hello.legacy_session_id:
        raise IllegalParameter("the server does not echo legacy_session_id", reason="INVALID_SESSION_ID")
    if isinstance(answer, ServerHello):
        for code in answer.extensions:
            if code not in _IN_SERVER_HELLO:
                # RFC 8446 §4.1.3: only what establishes the keys.
                raise IllegalParameter(
                    f"ServerHello has {name_of(ExtensionType, code)}, which belongs in EncryptedExtensions"
                )


def _refused_without_a_reason(config: Config, hello: ClientHello) -> str:
    """Return what there is to say of a server that refuses a ClientHello without a reason."""
    groups: tuple[int, ...] = hello.extensions.get(ExtensionType.SUPPORTED_GROUPS, ())
    schemes: tuple[int, ...] = hello.extensions.get(ExtensionType.SIGNATURE_ALGORITHMS, ())
    likely = "it has nothing of one of these, or no certificate for this name"
    if config.speaks12:
        likely += "; DHE and RSA key transport are offered once set_ciphers() names them, CBC and RC4 suites never"
    return (
        f"the server refuses the ClientHello and does not say why: we offer {version_range(config)}, "
        f"the suites {listed(config.offered_suites, CipherSuite)}, the groups {listed(groups, NamedGroup)} and "
        f"the signature schemes {listed(schemes, SignatureScheme)}; likely {likely}"
    )


_IN_SERVER_HELLO = {ExtensionType.SUPPORTED_VERSIONS, ExtensionType.KEY_SHARE, ExtensionType.PRE_SHARED_KEY}


@dataclass(frozen=True)
class WaitServerHello(State):
    """Client WAIT_SH, before any HelloRetryRequest (RFC 8446 Appendix A.1)."""

    @property
    def ignores_change_cipher_spec(self) -> bool:  # type: ignore[override]
        """Whether TLS 1.3 may be spoken: before it, nothing but the server's Finished follows one."""
        return self.config.speaks13

    def explain_alert(self, description: int) -> str:
        """Say what an alert at this point usually means: the server answers the ClientHello with it."""
        config = self.config
        if description == _PROTOCOL_VERSION:
            return f"the server speaks none of the versions that were offered, {version_range(config)}"
        if description in (_HANDSHAKE_FAILURE, _INSUFFICIENT_SECURITY):
            return _refused_without_a_reason(config, self.hello)
        return ""

    @property
    def tolerates_warnings(self) -> bool:
        """Whether TLS 1.2 may be spoken."""
        return self.config.speaks12

    config: Config
    host: str | None
    hello: ClientHello
    shares: dict[int, Offer]
    offered: Offered = NOTHING_OFFERED

    def on_server_hello(
        self, answer: ServerHello, flight: Flight
    ) -> (
        client13.WaitEncryptedExtensions
        | client12.WaitCertificate
        | client12.WaitPskServerKeyExchange
        | client12_resumed.WaitTicketOrChange
    ):
        """Go on with the version that the server selected."""
        if _selected_version(self.config, self.hello, answer) == _TLS1_2:
            _check_common(self.hello, answer, SUITES12)
            for code in (_KEY_SHARE, _PRE_SHARED_KEY):
                if code in answer.extensions:
                    # RFC 8446 §4.2: it belongs in a ServerHello of TLS 1.3.
                    raise IllegalParameter(f"a ServerHello of TLS 1.2 has {name_of(ExtensionType, code)}")
            if self.offered.early:
                # RFC 8446 Appendix D.3: a server of early data that has become one of TLS 1.2 cannot be talked to.
                raise ProtocolVersionAlert("the server answers early data with TLS 1.2")
            return client12.begin(self.config, self.host, self.hello, answer, flight, self.offered.session12)
        _check13(self.hello, answer)
        flight.transcript.choose(SUITES[answer.cipher_suite].hash_name)
        opening = client13.Opening(self.config, self.host, self.hello, self.shares, self.offered.psks)
        return client13.begin(opening, answer, flight, False, self.offered.early)

    def on_hello_retry_request(self, retry: HelloRetryRequest, flight: Flight) -> WaitSecondServerHello:
        """Send the ClientHello again, with what the server asks for (RFC 8446 §4.1.4)."""
        _selected_version(self.config, self.hello, retry)
        _check13(self.hello, retry)
        extensions = dict(self.hello.extensions)
        shares = self.shares
        group = retry.extensions.get(_KEY_SHARE)
        cookie = retry.extensions.get(_COOKIE)
        if group is None and cookie is None:
            raise IllegalParameter("HelloRetryRequest that changes nothing")
        if group is not None:
            if group not in self.config.groups or group in shares:
                # RFC 8446 §4.2.8: one that was offered, and whose share was not sent.
                raise IllegalParameter(
                    f"HelloRetryRequest for {name_of(NamedGroup, group)}, which is not offered or already sent",
                    reason="BAD_KEY_SHARE",
                )
            shares = key_offers(self.config, (group,))
            extensions[_KEY_SHARE] = key_share_entries(shares)
        if cookie is not None:
            extensions[_COOKIE] = cookie
        flight.transcript.choose(SUITES[retry.cipher_suite].hash_name, retried=True)
        if self.offered.early:
            # RFC 8446 §4.2.10: a HelloRetryRequest refuses it, and the second ClientHello has none.
            extensions.pop(_EARLY_DATA)
            flight.offer_early_data(0)
            flight.emit(EarlyDataAnswered(False, "the server asks for another ClientHello"))
            flight.write_plain()
        elif self.config.compatibility_mode:
            flight.send_change_cipher_spec()
        hello = replace(self.hello, extensions=extensions)
        # RFC 8446 §4.1.2: the keys that still go with the suite are offered again, bound anew.
        psks = tuple(psk for psk in self.offered.psks if psk.hash_name == SUITES[retry.cipher_suite].hash_name)
        hello.extensions.pop(_PRE_SHARED_KEY, None)
        try:
            send_with_binders(hello, psks, self.config, flight.transcript, flight)
        except OverflowError as exc:
            raise IllegalParameter("HelloRetryRequest asks for more than a ClientHello can hold") from exc
        return WaitSecondServerHello(self.config, self.host, hello, shares, retry, psks)

    handlers = {ServerHello: on_server_hello, HelloRetryRequest: on_hello_retry_request}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitSecondServerHello(State):
    """Client WAIT_SH after a HelloRetryRequest: a second one is refused (RFC 8446 §4.1.4)."""

    config: Config
    host: str | None
    hello: ClientHello
    shares: dict[int, Offer]
    retry: HelloRetryRequest
    psks: tuple[PskOffer, ...] = ()

    def on_server_hello(self, answer: ServerHello, flight: Flight) -> client13.WaitEncryptedExtensions:
        """Go on, when the answer is what the HelloRetryRequest announced."""
        if _selected_version(self.config, self.hello, answer) != _TLS1_3:
            # RFC 8446 §4.1.4: HelloRetryRequest was TLS 1.3, and so is what follows.
            raise IllegalParameter("the server changes the version after HelloRetryRequest")
        _check13(self.hello, answer)
        if answer.cipher_suite != self.retry.cipher_suite:
            raise IllegalParameter(
                f"the server selects {name_of(CipherSuite, answer.cipher_suite)} after "
                f"{name_of(CipherSuite, self.retry.cipher_suite)}",
                reason="WRONG_CIPHER_RETURNED",
            )
        opening = client13.Opening(self.config, self.host, self.hello, self.shares, self.psks)
        return client13.begin(opening, answer, flight, True)

    handlers = {ServerHello: on_server_hello}
    readers = readers_of(handlers)
