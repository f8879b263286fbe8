"""Signatures and certificates of TLS 1.2, given and checked by either side (RFC 5246 §7.4.2, §7.4.3, §7.4.8)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, rsa

from fasttls.crypto.signatures import SCHEMES12, PublicKey, curve_of, verify_with
from fasttls.crypto.suites12 import KeyExchange
from fasttls.handshake.auth import PeerIdentity, sign
from fasttls.handshake.config import Config, Credential
from fasttls.handshake.flight import Flight
from fasttls.handshake.wanted import Wanted
from fasttls.wire.alerts import IllegalParameter
from fasttls.wire.iana import ClientCertificateType, SignatureScheme
from fasttls.wire.messages import CertificateVerify

# Members that every handshake reads: an attribute of an enumeration costs more than what is done with it.
_ECDHE_ECDSA = KeyExchange.ECDHE_ECDSA
_RSA = KeyExchange.RSA

_CURVES = ("secp256r1", "secp384r1", "secp521r1")

_RSA_SCHEMES = frozenset(code for code in SignatureScheme if code.name.startswith("RSA"))


def schemes_of(credential: Credential) -> tuple[int, ...]:
    """Return the schemes that a credential's key can sign with in TLS 1.2."""
    signer = credential.signer
    return tuple(getattr(signer, "schemes12", signer.schemes))


def choose_scheme(credential: Credential, wanted: Wanted, rsa_key: bool) -> int | None:
    """Return the first scheme of the peer's that the credential has, or None.

    rsa_key says whether it must be one of RSA, or of another kind.
    """
    own = schemes_of(credential)
    for scheme in wanted.schemes:
        if scheme in own and (scheme in _RSA_SCHEMES) is rsa_key:
            return scheme
    return None


def choose_client_credential(
    config: Config, accepted: tuple[int, ...], types: bytes, authorities: tuple[bytes, ...] = ()
) -> tuple[Credential, int] | None:
    """Return the credential and scheme to answer a CertificateRequest with, or None (RFC 5246 §7.4.4, §7.4.6).

    authorities are DER names; `Wanted` says which of several goes first.
    """
    wanted = Wanted(config, accepted, None, authorities)
    best: tuple[Credential, int] | None = None
    best_rank = (False, False)
    for credential in config.credentials:
        for rsa_key, kind in ((True, ClientCertificateType.RSA_SIGN), (False, ClientCertificateType.ECDSA_SIGN)):
            scheme = choose_scheme(credential, wanted, rsa_key) if kind in types else None
            if scheme is not None:
                rank = wanted.rank(credential)
                if best is None or rank > best_rank:
                    best, best_rank = (credential, scheme), rank
    return best


def check_key(key_exchange: KeyExchange, public: PublicKey) -> None:
    """Check that the server's key is of the kind that the suite names. Raises IllegalParameter."""
    key = public.key
    if key_exchange is _ECDHE_ECDSA:
        # RFC 8422 §5.10: EdDSA keys go with the ECDSA suites.
        fits = curve_of(key) is not None or isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    else:
        fits = isinstance(key, rsa.RSAPublicKey) and not (key_exchange is _RSA and public.pss_only)
    if fits:
        check_curve(public)
    else:
        raise IllegalParameter(
            f"the server selects {key_exchange.value} and has a {type(key).__name__}", reason="WRONG_CERTIFICATE_TYPE"
        )


def check_curve(public: PublicKey) -> None:
    """Check that an EC key is on a curve that this side may offer (RFC 8422 §5.3, §5.6). Raises IllegalParameter."""
    curve = curve_of(public.key)
    if curve is not None and curve not in _CURVES:
        raise IllegalParameter(f"the peer's certificate has a key on the curve {curve}", reason="WRONG_CURVE")


def verify(config: Config, public: PublicKey, scheme: int, signature: bytes, content: bytes) -> None:
    """Check a signature of the peer's. Raises IllegalParameter or DecryptError."""
    verify_with(scheme, config.signature_algorithms, public, signature, content, SCHEMES12)


def send_certificate_verify(flight: Flight, credential: Credential, scheme: int) -> None:
    """Sign every message so far and send CertificateVerify (RFC 5246 §7.4.8)."""
    flight.send(CertificateVerify(scheme, sign(credential, scheme, flight.transcript.messages())))


def check_certificate_verify(
    config: Config, identity: PeerIdentity, message: CertificateVerify, flight: Flight
) -> None:
    """Check that the client has the key of its certificate. Raises IllegalParameter or DecryptError."""
    content = flight.transcript.messages(before=True)
    check_curve(identity.public_key)
    verify(config, identity.public_key, message.algorithm, message.signature, content)
