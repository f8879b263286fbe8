"""Stapled OCSP responses: what the issuer says of a certificate (RFC 6960, RFC 6066 §8, RFC 7633)."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha1, sha256, sha384, sha512
from itertools import chain
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import SignatureAlgorithmOID

from fasttls.native._x509 import small_integers
from fasttls.trust.certificate import CERTIFICATES, DIGITAL_SIGNATURE, Certificate, canonical_name
from fasttls.trust.policy import DEFAULT_STRENGTH, Strength
from fasttls.trust.rules import check_dates, check_form, check_strength, date, refusal
from fasttls.trust.signing import SignatureAlgorithm, algorithm_without_parameters
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

MOST_SECONDS = 7 * 86400.0
"""How old a response may be that does not say when the next one is due."""

CLOCK_SKEW_SECONDS = 300.0

_MOST_DELEGATES = 16

# id-kp-OCSPSigning, id-pe-tlsfeature with status_request alone or among others, the contents of their DER.
_OCSP_SIGNING = bytes.fromhex("2b06010505070309")
_TLS_FEATURE = bytes.fromhex("2b06010505070118")
_STATUS_REQUEST = 5

_HASHES = {"sha1": sha1, "sha256": sha256, "sha384": sha384, "sha512": sha512}


def must_staple(certificate: Certificate) -> bool:
    """Whether a certificate is good only with an OCSP response beside it (RFC 7633 §4)."""
    found = certificate.extension_values.get(_TLS_FEATURE)
    return found is not None and _STATUS_REQUEST in small_integers(found[1])


def check_staple(
    path: tuple[Certificate, ...],
    response: bytes | None,
    now: float,
    *,
    required: bool,
    strength: Strength = DEFAULT_STRENGTH,
) -> None:
    """Hold a verified path's first certificate to the response that was stapled to it, or to its absence.

    Raises CertificateRejected: for a certificate that was revoked, and for a response that does not
    verify, is not about this certificate, or is out of date.
    """
    leaf, issuer = path[0], path[min(1, len(path) - 1)]
    if response is None:
        if required or must_staple(leaf):
            raise refusal(
                VerifyCode.OCSP_VERIFY_NEEDED,
                leaf,
                0,
                "RFC 7633 §4.2.3" if must_staple(leaf) else "RFC 6066 §8",
                "no OCSP response",
                "one that is stapled to the certificate",
            )
        return
    try:
        single = _verified(response, leaf, issuer, now, strength)
        status, when = single.certificate_status, single.revocation_time_utc
        _check_dates(single, leaf, now)
    except (ValueError, OverflowError) as exc:  # a field is read when it is asked for, and a date may be none
        raise _failed(leaf, str(exc)) from exc
    if status is ocsp.OCSPCertStatus.REVOKED:
        raise refusal(
            VerifyCode.CERT_REVOKED,
            leaf,
            0,
            "RFC 6960 §2.2",
            f"revoked on {date(when.timestamp()) if when else 'an unknown day'}, reason {_reason(single)}",
            "the status good",
        )
    if status is not ocsp.OCSPCertStatus.GOOD:
        raise refusal(VerifyCode.OCSP_CERT_UNKNOWN, leaf, 0, "RFC 6960 §2.2", "the status unknown", "the status good")


def _reason(single: ocsp.OCSPSingleResponse) -> str:
    try:
        reason = single.revocation_reason
    except ValueError:
        return "unspecified"  # one that has no name
    return "unspecified" if reason is None else str(reason.value)


def _failed(leaf: Certificate, found: str) -> CertificateRejected:
    return refusal(
        VerifyCode.OCSP_VERIFY_FAILED, leaf, 0, "RFC 6960 §3.2", found, "a response in force from the issuer"
    )


def _verified(
    der: bytes, leaf: Certificate, issuer: Certificate, now: float, strength: Strength
) -> ocsp.OCSPSingleResponse:
    """Return what a response says of the certificate, when who may speak said it. Raises ValueError."""
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError(f"the response {response.response_status.name}")
    _check_signature(response, issuer, now, strength)
    serial = leaf.x509.serial_number
    for single in response.responses:
        if single.serial_number == serial and _is_of(single, leaf, issuer):
            return single
    raise ValueError("a response that is not about this certificate")


def _is_of(single: ocsp.OCSPSingleResponse, leaf: Certificate, issuer: Certificate) -> bool:
    """Whether the response names the leaf's issuer, by the digests of its name and key (RFC 6960 §4.1.1)."""
    try:
        made = _HASHES.get(single.hash_algorithm.name)
    except UnsupportedAlgorithm:
        return False
    if made is None:
        return False
    name, key = made(leaf.issuer_der).digest(), made(issuer.subject_public_key).digest()
    return (single.issuer_name_hash, single.issuer_key_hash) == (name, key)


def _check_signature(response: ocsp.OCSPResponse, issuer: Certificate, now: float, strength: Strength) -> None:
    """RFC 6960 §4.2.2.2: the issuer itself signs, or whom it gave a certificate for that."""
    algorithm = _algorithm(response)
    for signer in chain((issuer,), _delegates(response, issuer, now, strength)):
        if _is_responder(response, signer) and algorithm.verify_by(
            signer.public_key, response.signature, response.tbs_response_bytes
        ):
            return
    raise ValueError("a response that neither the issuer nor one it allows to has signed")


def _algorithm(response: ocsp.OCSPResponse) -> SignatureAlgorithm:
    oid = response.signature_algorithm_oid
    try:
        digest = response.signature_hash_algorithm
    except UnsupportedAlgorithm as exc:
        raise ValueError(str(exc)) from exc
    if digest is not None and digest.name in ("sha1", "md5"):
        raise ValueError(f"a response signed with {digest.name}")
    arguments: dict[Any, tuple[Any, ...]] = {
        SignatureAlgorithmOID.ECDSA_WITH_SHA256: (ec.ECDSA, digest),
        SignatureAlgorithmOID.ECDSA_WITH_SHA384: (ec.ECDSA, digest),
        SignatureAlgorithmOID.ECDSA_WITH_SHA512: (ec.ECDSA, digest),
        SignatureAlgorithmOID.RSA_WITH_SHA256: (padding.PKCS1v15, digest),
        SignatureAlgorithmOID.RSA_WITH_SHA384: (padding.PKCS1v15, digest),
        SignatureAlgorithmOID.RSA_WITH_SHA512: (padding.PKCS1v15, digest),
    }
    found = arguments.get(oid)
    return algorithm_without_parameters(oid.dotted_string, *(found or (None, None)))


def _is_responder(response: ocsp.OCSPResponse, signer: Certificate) -> bool:
    if response.responder_key_hash is not None:
        return bool(response.responder_key_hash == sha1(signer.subject_public_key).digest())  # noqa: S324 - a name
    try:
        name = response.responder_name
    except TypeError as exc:  # for a value of a type that its attribute may not have
        raise ValueError(f"the responder's name: {exc}") from exc
    return name is not None and canonical_name(name) == signer.subject


def _delegates(
    response: ocsp.OCSPResponse, issuer: Certificate, now: float, strength: Strength
) -> Iterator[Certificate]:
    """Yield the certificates in the response that the issuer gave for signing responses."""
    for parsed in response.certificates[:_MOST_DELEGATES]:
        certificate = CERTIFICATES.parse(parsed.public_bytes(Encoding.DER))
        uses = certificate.extended_key_usage
        if uses is None or _OCSP_SIGNING not in uses or not certificate.may_be_issued_by(issuer):
            continue
        if certificate.key_usage >= 0 and not certificate.key_usage & DIGITAL_SIGNATURE:
            continue
        try:
            check_form(certificate, 0)
            check_strength(certificate, 0, strength, trusted=False)
            check_dates(certificate, 0, now)
            if certificate.signed_by(issuer):
                yield certificate
        except (CertificateRejected, ValueError):
            continue


def _check_dates(single: ocsp.OCSPSingleResponse, leaf: Certificate, now: float) -> None:
    """RFC 6960 §4.2.2.1: in force now, give or take what clocks differ."""
    made = single.this_update_utc.timestamp()
    due = single.next_update_utc
    until = made + MOST_SECONDS if due is None else due.timestamp()
    if until < made:
        raise _failed(leaf, f"a response from {date(made)} until {date(until)}")
    if not made - CLOCK_SKEW_SECONDS <= now <= until + CLOCK_SKEW_SECONDS:
        raise _failed(leaf, f"a response from {date(made)} until {date(until)}, which it is not at {date(now)}")
