"""A client's certificate after the handshake of TLS 1.3, asked for and given (RFC 8446 §4.6.2).

The states stand around the connected ones of either side, which go on doing what comes between data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.signatures import CLIENT_CONTEXT, signed_content
from fasttls.events import Negotiated, PeerAuthenticated
from fasttls.handshake.auth import PeerIdentity, sign
from fasttls.handshake.auth13 import (
    certificate_of,
    certificate_request,
    check_certificate,
    check_certificate_verify,
    choose_credential,
)
from fasttls.handshake.config import Config, PeerCertificate
from fasttls.handshake.connected13 import ClientConnected, ServerConnected
from fasttls.handshake.flight import Flight
from fasttls.handshake.state import ConnectedState, readers_of
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import CertificateRequired, DecryptError, IllegalParameter, MissingExtension
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import (
    Certificate,
    CertificateRequest,
    CertificateVerify,
    Finished,
    KeyUpdate,
    NewSessionTicket,
)

if TYPE_CHECKING:
    from fasttls.native._hash import Transcript

_CONTEXT_SIZE = 32  # bytes


class CannotAsk(ValueError):
    """A client that cannot be asked for its certificate, or not now."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        """OpenSSL's reason."""


@dataclass(frozen=True)
class ClientMayAuthenticate(ConnectedState):
    """Client CONNECTED that has said that it may be asked for a certificate."""

    inner: ClientConnected

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.inner.config

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed."""
        return self.inner.negotiated

    @property
    def tls_unique(self) -> bytes | None:
        """The first Finished."""
        return self.inner.tls_unique

    def update_keys(self, flight: Flight, *, request_peer: bool) -> ClientMayAuthenticate:
        """Send KeyUpdate."""
        return replace(self, inner=self.inner.update_keys(flight, request_peer=request_peer))

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material (RFC 8446 §7.5)."""
        return self.inner.export(label, size, context)

    def on_key_update(self, update: KeyUpdate, flight: Flight) -> ClientMayAuthenticate:
        """Read with the next keys."""
        return replace(self, inner=self.inner.on_key_update(update, flight))

    def on_new_session_ticket(self, ticket: NewSessionTicket, flight: Flight) -> ClientMayAuthenticate:
        """Keep a ticket."""
        return replace(self, inner=self.inner.on_new_session_ticket(ticket, flight))

    def on_certificate_request(self, request: CertificateRequest, flight: Flight) -> ClientMayAuthenticate:
        """Answer with a certificate, or with none when nothing fits; both are confirmed by a Finished."""
        inner = self.inner
        if not request.certificate_request_context:
            # RFC 8446 §4.3.2: it is empty in the handshake alone.
            raise IllegalParameter("a CertificateRequest after the handshake has no context")
        accepted: tuple[int, ...] | None = request.extensions.get(ExtensionType.SIGNATURE_ALGORITHMS)
        if accepted is None:
            raise MissingExtension("CertificateRequest without signature_algorithms")
        # RFC 8446 §4.4: the handshake, the client's Finished included, and this request; nothing that came between.
        transcript = flight.transcript.copy()
        transcript.add(flight.received)
        chosen = choose_credential(
            inner.config,
            accepted,
            request.extensions.get(ExtensionType.SIGNATURE_ALGORITHMS_CERT),
            request.extensions.get(ExtensionType.CERTIFICATE_AUTHORITIES, ()),
        )
        context = request.certificate_request_context
        scheme = None
        if chosen is None:
            _send(Certificate(context, ()), transcript, flight)
        else:
            credential, scheme = chosen
            _send(certificate_of(credential, context), transcript, flight)
            content = signed_content(CLIENT_CONTEXT, transcript.digest())
            _send(CertificateVerify(scheme, sign(credential, scheme, content)), transcript, flight)
        key = FinishedKey(inner.suite.hash_name, inner.write_secret)
        _send(Finished(key.mac(transcript.digest())), transcript, flight)
        negotiated = replace(inner.negotiated, own_signature_algorithm=scheme, client_certificate_requested=True)
        flight.emit(PeerAuthenticated(negotiated))
        return ClientMayAuthenticate(replace(inner, negotiated=negotiated))

    handlers = {
        KeyUpdate: on_key_update,
        NewSessionTicket: on_new_session_ticket,
        CertificateRequest: on_certificate_request,
    }
    readers = readers_of(handlers)


def _send(message: Certificate | CertificateVerify | Finished, transcript: Transcript, flight: Flight) -> None:
    transcript.add(message.encode())
    flight.send_untracked(message)


def ask(state: ConnectedState, flight: Flight) -> WaitCertificate:
    """Ask the client of a connected server for its certificate.

    Raises CannotAsk when the client has not said that it may be asked, when it is being asked, and when the
    configuration wants no certificate.
    """
    if isinstance(state, WaitCertificate | WaitCertificateVerify | WaitFinished):
        raise CannotAsk("REQUEST_SENT", "the client is being asked for its certificate")
    if not isinstance(state, ServerConnected):
        raise CannotAsk("NOT_SERVER", "a server of TLS 1.3 asks for a certificate after the handshake")
    if not state.negotiated.may_authenticate:
        raise CannotAsk("EXTENSION_NOT_RECEIVED", "the client did not send post_handshake_auth")
    if state.config.peer_certificate is PeerCertificate.UNCHECKED:
        raise CannotAsk("INVALID_CONFIG", "no certificate is wanted of clients")
    request = certificate_request(state.config, state.config.random(_CONTEXT_SIZE))
    transcript = flight.transcript.copy()
    transcript.add(request.encode())
    flight.send_untracked(request)
    return WaitCertificate(state, request, transcript)


@dataclass(frozen=True)
class _Asking(ConnectedState):
    """A connected server while the client answers."""

    inner: ServerConnected
    request: CertificateRequest
    transcript: Transcript
    """Of the handshake and of this request and its answer alone."""

    @property
    def negotiated(self) -> Negotiated:
        """What was agreed."""
        return self.inner.negotiated

    @property
    def tls_unique(self) -> bytes | None:
        """The first Finished."""
        return self.inner.tls_unique

    def update_keys(self, flight: Flight, *, request_peer: bool) -> _Asking:
        """Send KeyUpdate."""
        return replace(self, inner=self.inner.update_keys(flight, request_peer=request_peer))

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material (RFC 8446 §7.5)."""
        return self.inner.export(label, size, context)


@dataclass(frozen=True)
class WaitCertificate(_Asking):
    """The client was asked; data and key updates may come before its answer."""

    def on_key_update(self, update: KeyUpdate, flight: Flight) -> WaitCertificate:
        """Read with the next keys."""
        return replace(self, inner=self.inner.on_key_update(update, flight))

    def on_certificate(self, message: Certificate, flight: Flight) -> WaitCertificateVerify | WaitFinished:
        """Verify the client's chain, or go on without when there is none and none is needed."""
        config = self.inner.config
        if message.certificate_request_context != self.request.certificate_request_context:
            raise IllegalParameter("the client's Certificate does not have the context of the request")
        self.transcript.add(flight.received)
        if not message.certificate_list:
            if config.peer_certificate is not PeerCertificate.OPTIONAL:
                # RFC 8446 §4.4.2.4.
                raise CertificateRequired("the client sent no certificate")
            return WaitFinished(self.inner, self.request, self.transcript)
        identity = check_certificate(config, message, Purpose.CLIENT_AUTH, None, self.request.extensions)
        return WaitCertificateVerify(self.inner, self.request, self.transcript, identity)

    handlers = {KeyUpdate: on_key_update, Certificate: on_certificate}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitCertificateVerify(_Asking):
    """The client's answer has begun: nothing comes between its messages (RFC 8446 §4.6.2)."""

    identity: PeerIdentity

    connected = False

    def on_certificate_verify(self, message: CertificateVerify, flight: Flight) -> WaitFinished:
        """Check that the client has the key of its certificate (RFC 8446 §4.4.3)."""
        inner = self.inner
        check_certificate_verify(inner.config, self.identity, message, CLIENT_CONTEXT, self.transcript.digest())
        self.transcript.add(flight.received)
        negotiated = replace(
            inner.negotiated,
            peer_chain=self.identity.chain,
            verified_path=self.identity.path,
            peer_signature_algorithm=message.algorithm,
            client_certificate_requested=True,
        )
        return WaitFinished(inner, self.request, self.transcript, negotiated)

    handlers = {CertificateVerify: on_certificate_verify}
    readers = readers_of(handlers)


@dataclass(frozen=True)
class WaitFinished(_Asking):
    """The client's answer ends with Finished."""

    authenticated: Negotiated | None = None
    """What is agreed from then on, None when the client has no certificate."""

    connected = False

    def on_finished(self, finished: Finished, flight: Flight) -> ServerConnected:
        """Check that nobody altered the answer; from now on the client is known (RFC 8446 §4.4.4)."""
        inner = self.inner
        finished.check_size(inner.suite.hash_size)
        key = FinishedKey(inner.suite.hash_name, inner.read_secret)
        if not key.verify(finished.verify_data, self.transcript.digest()):
            raise DecryptError("the client's Finished does not match the transcript", reason="DIGEST_CHECK_FAILED")
        negotiated = self.authenticated
        if negotiated is None:  # whoever the client was before, it does not say so any more
            negotiated = replace(
                inner.negotiated,
                peer_chain=(),
                verified_path=(),
                peer_signature_algorithm=None,
                client_certificate_requested=True,
            )
        flight.emit(PeerAuthenticated(negotiated))
        return replace(inner, negotiated=negotiated)

    handlers = {Finished: on_finished}
    readers = readers_of(handlers)
