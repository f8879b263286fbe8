"""Who the peer is, verified by either side in every version (RFC 5280, RFC 8446 §4.4.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from fasttls.crypto.signatures import PublicKey
from fasttls.handshake.config import Config, Credential, PeerCertificate
from fasttls.trust.certificate import CERTIFICATES, DIGITAL_SIGNATURE, KEY_ENCIPHERMENT, Certificate
from fasttls.trust.path import Policy, Purpose, verify_chain
from fasttls.trust.policy import OCSPStapling
from fasttls.trust.verdicts import CertificateRejected, VerifyCode
from fasttls.wire.alerts import BadCertificate, InternalError, UnsupportedCertificate
from fasttls.wire.iana import SignatureScheme, name_of


class KeyUse(Enum):
    """What the handshake needs the peer's key for."""

    SIGN = "sign"
    DECRYPT = "decrypt"


# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_SIGN = KeyUse.SIGN
_OFF = OCSPStapling.OFF
_STAPLING_REQUIRED = OCSPStapling.REQUIRED
_OPTIONAL = PeerCertificate.OPTIONAL
_UNCHECKED = PeerCertificate.UNCHECKED
_PEER_CERTIFICATE_REQUIRED = PeerCertificate.REQUIRED


@dataclass(frozen=True)
class PeerIdentity:
    """A peer's certificates, its key, and the path that was validated, if one had to be."""

    chain: tuple[bytes, ...]
    public_key: PublicKey
    path: tuple[Certificate, ...]
    ocsp_response: bytes | None = None
    """What was stapled to the certificate."""


def sign(credential: Credential, scheme: int, content: bytes) -> bytes:
    """Return a signature by this side's key. Raises InternalError when the key does not sign."""
    try:
        return bytes(memoryview(credential.signer.sign(scheme, content)))  # any buffer is fine
    except Exception as exc:  # whatever an HSM or a callback may raise is a fault of this side
        raise InternalError(f"the private key did not sign with {name_of(SignatureScheme, scheme)}: {exc}") from exc


def identify_peer(
    config: Config, chain: tuple[bytes, ...], purpose: Purpose, host: str | None, use: KeyUse = KeyUse.SIGN
) -> PeerIdentity:
    """Parse and, as the configuration asks, verify the certificates that the peer sent, at least one.

    Raises CertificateRejected or another certificate alert.
    """
    path: tuple[Certificate, ...] = ()
    refusal: CertificateRejected | BadCertificate | None = None
    if config.peer_certificate in (_OPTIONAL, _PEER_CERTIFICATE_REQUIRED):
        policy = Policy(
            purpose,
            config.now(),
            host if config.check_host else None,
            config.partial_chain,
            config.strict,
            config.strength,
            config.crl_check,
            common_name=config.check_common_name and purpose is Purpose.SERVER_AUTH,
        )
        try:
            path = verify_chain(chain, config.trust, policy)
        except (CertificateRejected, BadCertificate) as refused:
            refusal = refused
    if config.verify_callback is not None:
        config.verify_callback(chain, path or None, refusal)
    if refusal is not None:
        raise refusal
    return PeerIdentity(chain, _public_key(chain[0], use, config.peer_certificate), path)


def with_staple(config: Config, identity: PeerIdentity, response: bytes | None) -> PeerIdentity:
    """Return the server's identity with what was stapled to its certificate, or nothing, checked if it is to be.

    Raises CertificateRejected.
    """
    if config.ocsp_stapling is not _OFF and identity.path:
        from fasttls.trust.ocsp import check_staple

        required = config.ocsp_stapling is _STAPLING_REQUIRED
        check_staple(identity.path, response, config.now(), required=required, strength=config.strength)
    return identity if response is None else replace(identity, ocsp_response=response)


def _public_key(der: bytes, use: KeyUse, asked: PeerCertificate) -> PublicKey:
    """Return the key of the peer's own certificate, which must be allowed to do what it is needed for.

    Where nobody asks who the peer is, it is a key and no more.
    """
    try:
        leaf = CERTIFICATES.parse(der)
    except ValueError as exc:
        raise BadCertificate(f"the peer's certificate is malformed: {exc}") from exc
    if leaf.malformed is not None and asked is not _UNCHECKED:
        raise BadCertificate(f"the peer's certificate is malformed: {leaf.malformed}")
    # RFC 8446 §4.4.2.2, RFC 5246 §7.4.2: when there is a key usage, it must have the bit.
    bit, needed = (DIGITAL_SIGNATURE, "digitalSignature") if use is _SIGN else (KEY_ENCIPHERMENT, "keyEncipherment")
    if leaf.key_usage >= 0 and not leaf.key_usage & bit and asked is not _UNCHECKED:
        raise CertificateRejected(
            VerifyCode.INVALID_PURPOSE,
            0,
            f"the key usage of {leaf.description} lacks {needed}",
            certificate=leaf.description,
            rule="RFC 8446 §4.4.2.2",
            found=f"a key usage without {needed}",
            expected=needed,
        )
    try:
        return leaf.public_key
    except ValueError as exc:
        raise UnsupportedCertificate(f"the peer's public key is of no use: {exc}") from exc
