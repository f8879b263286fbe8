"""Certificate and CertificateVerify of TLS 1.3, given and checked by either side (RFC 8446 §4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.x509.oid import ExtensionOID

from fasttls.crypto.signatures import PublicKey, signed_content, verify_with
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.handshake.flight import Flight
from fasttls.trust.certificate import CERTIFICATES, Certificate
from fasttls.trust.path import Policy, Purpose, verify_chain
from fasttls.trust.verdicts import CertificateRejected, VerifyCode
from fasttls.wire import messages
from fasttls.wire.alerts import BadCertificate, InternalError, UnsupportedCertificate, UnsupportedExtension
from fasttls.wire.extensions import Extensions, unsolicited
from fasttls.wire.iana import ExtensionType, SignatureScheme, name_of
from fasttls.wire.messages import CertificateEntry, CertificateVerify


@dataclass(frozen=True, slots=True)
class PeerIdentity:
    """A peer's certificates, its key, and the path that was validated, if one had to be."""

    chain: tuple[bytes, ...]
    public_key: PublicKey
    path: tuple[Certificate, ...]


def choose_credential(
    config: Config, accepted: tuple[int, ...], accepted_cert: tuple[int, ...] | None
) -> tuple[Credential, int] | None:
    """Return the credential and scheme to sign with, or None when the peer can verify none.

    accepted is in the peer's order of preference. A chain that the peer says it can verify goes
    before one that it does not (RFC 8446 §4.4.2.2).
    """
    fallback: tuple[Credential, int] | None = None
    chain_accepted = set(accepted if accepted_cert is None else accepted_cert)
    for scheme in accepted:
        if scheme not in config.signing_algorithms:
            continue
        for credential in config.credentials:
            if scheme in credential.signer.schemes:
                if credential.chain_algorithms <= chain_accepted:
                    return credential, scheme
                fallback = fallback or (credential, scheme)
    return fallback


def send_certificate(flight: Flight, credential: Credential, context: bytes = b"") -> None:
    """Send the Certificate of a credential."""
    entries = tuple(CertificateEntry(der, {}) for der in credential.chain)
    flight.send(messages.Certificate(context, entries))


def send_certificate_verify(flight: Flight, credential: Credential, scheme: int, context: bytes) -> None:
    """Sign the transcript and send CertificateVerify. Raises InternalError when the key does not sign."""
    content = signed_content(context, flight.transcript.digest())
    try:
        signature = credential.signer.sign(scheme, content)
    except Exception as exc:  # whatever an HSM or a callback may raise is a fault of this side
        raise InternalError(f"the private key did not sign with {name_of(SignatureScheme, scheme)}: {exc}") from exc
    flight.send(CertificateVerify(scheme, signature))


def check_certificate(
    config: Config,
    message: messages.Certificate,
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
    chain = tuple(entry.cert_data for entry in message.certificate_list)
    path: tuple[Certificate, ...] = ()
    refusal: CertificateRejected | BadCertificate | None = None
    if config.peer_certificate in (PeerCertificate.OPTIONAL, PeerCertificate.REQUIRED):
        policy = Policy(purpose, config.now(), host if config.check_host else None, config.partial_chain, config.strict)
        try:
            path = verify_chain(chain, config.trust, policy)
        except (CertificateRejected, BadCertificate) as refused:
            refusal = refused
    if config.verify_callback is not None:
        config.verify_callback(chain, path or None, refusal)
    if refusal is not None:
        raise refusal
    return PeerIdentity(chain, _signing_key(chain[0]), path)


def _signing_key(der: bytes) -> PublicKey:
    """Return the key of the peer's own certificate, which must be allowed to sign."""
    try:
        leaf = CERTIFICATES.parse(der)
        usage = leaf.extension(ExtensionOID.KEY_USAGE)
    except ValueError as exc:
        raise BadCertificate(f"the peer's certificate is malformed: {exc}") from exc
    # RFC 8446 §4.4.2.2: when there is a key usage, it must have digitalSignature.
    if usage is not None and not usage.digital_signature:
        rejected = CertificateRejected(VerifyCode.INVALID_PURPOSE, 0, "the key usage lacks digitalSignature")
        raise UnsupportedCertificate(str(rejected)) from rejected
    try:
        return leaf.public_key
    except ValueError as exc:
        raise UnsupportedCertificate(f"the peer's public key is of no use: {exc}") from exc


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
