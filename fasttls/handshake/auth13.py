"""Certificate and CertificateVerify of TLS 1.3, given and checked by either side (RFC 8446 §4.4)."""

from __future__ import annotations

from fasttls.crypto.signatures import signed_content, verify_with
from fasttls.handshake.auth import PeerIdentity, identify_peer, sign, with_staple
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.flight import Flight
from fasttls.handshake.wanted import Wanted
from fasttls.trust.path import Purpose
from fasttls.wire.alerts import UnsupportedExtension
from fasttls.wire.extensions import Extensions, unsolicited
from fasttls.wire.iana import ExtensionType, name_of
from fasttls.wire.messages import Certificate, CertificateEntry, CertificateRequest, CertificateVerify

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_STATUS_REQUEST = ExtensionType.STATUS_REQUEST
_SERVER_AUTH = Purpose.SERVER_AUTH


def choose_credential(
    config: Config,
    accepted: tuple[int, ...],
    accepted_cert: tuple[int, ...] | None,
    authorities: tuple[bytes, ...] = (),
) -> tuple[Credential, int] | None:
    """Return the credential and scheme to sign with, or None when the peer can verify none.

    The arguments are what `Wanted` takes. Of those that it ranks the same, the peer's order of schemes decides.
    """
    wanted = Wanted(config, accepted, accepted_cert, authorities)
    best: tuple[Credential, int] | None = None
    best_rank = (False, False)
    several = len(config.credentials) > 1
    for scheme in wanted.schemes:
        for credential in config.credentials:
            if scheme in credential.signer.schemes:
                if not several:
                    return credential, scheme
                rank = wanted.rank(credential)
                if rank == (True, True):
                    return credential, scheme
                if best is None or rank > best_rank:
                    best, best_rank = (credential, scheme), rank
    return best


def certificate_request(config: Config, context: bytes = b"") -> CertificateRequest:
    """Return what asks for the client's certificate (RFC 8446 §4.3.2)."""
    extensions: Extensions = {ExtensionType.SIGNATURE_ALGORITHMS: config.signature_algorithms}
    if config.signature_algorithms_cert is not None:
        extensions[ExtensionType.SIGNATURE_ALGORITHMS_CERT] = config.signature_algorithms_cert
    if config.certificate_authorities:
        extensions[ExtensionType.CERTIFICATE_AUTHORITIES] = config.certificate_authorities
    return CertificateRequest(context, extensions)


def certificate_of(credential: Credential, context: bytes = b"", staple: bool = False) -> Certificate:
    """Return the Certificate of a credential, with its OCSP response when the peer wants one (RFC 8446 §4.4.2.1)."""
    response = credential.staple() if staple and credential.staple is not None else None
    own: Extensions = {} if response is None else {_STATUS_REQUEST: response}
    entries = tuple([CertificateEntry(der, {} if depth else own) for depth, der in enumerate(credential.chain)])
    return Certificate(context, entries)


def send_certificate(flight: Flight, credential: Credential, staple: bool = False) -> None:
    """Send the Certificate of a credential."""
    flight.send(certificate_of(credential, b"", staple))


def send_certificate_verify(flight: Flight, credential: Credential, scheme: int, context: bytes) -> None:
    """Sign the transcript and send CertificateVerify. Raises InternalError when the key does not sign."""
    content = signed_content(context, flight.transcript.digest())
    flight.send(CertificateVerify(scheme, sign(credential, scheme, content)))


def check_certificate(
    config: Config,
    message: Certificate,
    purpose: Purpose,
    host: str | None,
    offered: Extensions,
) -> PeerIdentity:
    """Parse and, as the configuration asks, verify the peer's non-empty certificate list.

    offered are the extensions that the entries may answer. Raises CertificateRejected or another
    certificate alert.
    """
    for entry in message.certificate_list:
        code = unsolicited(entry.extensions, offered)
        if code is not None:
            raise UnsupportedExtension(f"a certificate has {name_of(ExtensionType, code)}, which was not asked for")
    identity = identify_peer(config, tuple([entry.cert_data for entry in message.certificate_list]), purpose, host)
    if purpose is not _SERVER_AUTH:
        return identity  # only servers are asked to staple
    return with_staple(config, identity, message.certificate_list[0].extensions.get(_STATUS_REQUEST))


def check_certificate_verify(
    config: Config, identity: PeerIdentity, message: CertificateVerify, context: bytes, transcript_hash: bytes
) -> None:
    """Check that the peer has the key of its certificate. Raises IllegalParameter or DecryptError."""
    verify_with(
        message.algorithm,
        config.signature_algorithms,
        identity.public_key,
        message.signature,
        signed_content(context, transcript_hash),
    )
