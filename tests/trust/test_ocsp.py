"""Stapled OCSP responses, judged by fasttls in real handshakes and by OpenSSL alike (RFC 6960, RFC 6066 §8)."""

from __future__ import annotations

import datetime
import ssl
import subprocess
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import certs
import pytest
from certs import DAY, NOW, SERVER, PrivateKey, distinguished_name
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from harness import Pair, client_config, expect, on_message, server_config
from interop.ends import connect, program, serve
from interop.tools import openssl_client, openssl_server
from trust.forge import (
    ECDSA_SHA1,
    ECDSA_SHA256,
    Entity,
    Extensions,
    elements,
    extension,
    inside,
    leaf,
    make,
    root,
    spare_key,
    tlv,
)
from trust.judges import OPENSSL_3_0, pem
from trust.lists import DER, HOUR, bits_changed, middle, renamed, server, top

import fasttls
from fasttls.trust import CertificateRejected, TrustStore, verify_chain
from fasttls.trust.ocsp import check_staple
from fasttls.wire.iana import ExtensionType
from fasttls.wire.messages import ServerHello

OFF, IF_STAPLED, REQUIRED = fasttls.OCSPStapling.OFF, fasttls.OCSPStapling.IF_STAPLED, fasttls.OCSPStapling.REQUIRED
GOOD, REVOKED, UNKNOWN = ocsp.OCSPCertStatus.GOOD, ocsp.OCSPCertStatus.REVOKED, ocsp.OCSPCertStatus.UNKNOWN
ACCEPTED = 0
SIGNING = (ExtendedKeyUsageOID.OCSP_SIGNING,)
VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
every_version = pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)

BAD_STATUS = "TLSV1_BAD_CERTIFICATE_STATUS_RESPONSE"  # alert 113
ALERTS = {23: (44, "SSLV3_ALERT_CERTIFICATE_REVOKED"), **dict.fromkeys((73, 74, 75), (113, BAD_STATUS))}
"""The alert of a code, and OpenSSL's name for it."""


# Responses.


def response(
    subject: Entity,
    issuer: Entity,
    *,
    status: ocsp.OCSPCertStatus = GOOD,
    since: datetime.datetime = NOW - HOUR,
    until: datetime.datetime | None = NOW + DAY,
    why: x509.ReasonFlags | None = None,
    digest: hashes.HashAlgorithm | None = None,
    responder: Entity | None = None,
    key: PrivateKey | None = None,
    by_name: bool = False,
    certificates: Iterable[Entity] = (),
    extensions: Extensions = (),
    signed_with: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Make an OCSP response, good but for the settings; key is the P-256 key that signs it in the responder's name."""
    responder = responder or issuer
    encoding = ocsp.OCSPResponderEncoding
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            subject.certificate,
            issuer.certificate,
            digest or hashes.SHA1(),
            status,
            since,
            until,
            NOW - HOUR if status is REVOKED else None,
            why,
        )
        .responder_id(encoding.NAME if by_name else encoding.HASH, responder.certificate)
    )
    beside = [one.certificate for one in certificates]
    if beside:
        builder = builder.certificates(beside)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    raw = isinstance(responder.key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    made = builder.sign(responder.key, None if raw else signed_with or hashes.SHA256()).public_bytes(DER)
    return made if key is None else answered(made, key, lambda data: data)


def basic(der: bytes) -> list[bytes]:
    """Return the fields of a response's BasicOCSPResponse: content, algorithm, signature, certificates."""
    outer = elements(inside(inside(elements(inside(der))[1])))
    return elements(inside(inside(outer[1])))


def with_basic(parts: Iterable[bytes]) -> bytes:
    """Return a successful response with such a BasicOCSPResponse."""
    kind = bytes.fromhex("06092b0601050507300101")
    return tlv(0x30, b"\x0a\1\0", tlv(0xA0, tlv(0x30, kind, tlv(4, tlv(0x30, *parts)))))


def answered(der: bytes, key: PrivateKey, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Return a response with other fields in its ResponseData, signed anew with a P-256 key."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    content, _, _, *rest = basic(der)
    tbs = tlv(0x30, *change(elements(inside(content))))
    return with_basic([tbs, ECDSA_SHA256, tlv(3, b"\0", key.sign(tbs, ec.ECDSA(hashes.SHA256()))), *rest])


def with_singles(der: bytes, key: PrivateKey, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Return a response with other SingleResponses, signed anew with a P-256 key."""

    def changed(data: list[bytes]) -> list[bytes]:
        return [*data[:2], tlv(0x30, *change(elements(inside(data[2])))), *data[3:]]

    return answered(der, key, changed)


def with_single(der: bytes, key: PrivateKey, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Return a response whose one SingleResponse has other fields, signed anew with a P-256 key."""
    return with_singles(der, key, lambda singles: [tlv(0x30, *change(elements(inside(singles[0]))))])


# Cases.


@dataclass(frozen=True)
class Stapled:
    """A server's chain, its root, and what is stapled to its certificate."""

    response: bytes
    chain: tuple[Entity, ...]
    trusted: Entity


def stapled(der: bytes, *chain: Entity, trusted: Entity | None = None) -> Stapled:
    """Return the case of the shared server's certificate, or of another chain."""
    return Stapled(der, chain or (server(), middle()), trusted or top())


def good(**settings: Any) -> Stapled:
    """Return a response about the shared server's certificate that is good, but for the settings."""
    return stapled(response(server(), middle(), **settings))


def in_a_while(minutes: int) -> datetime.datetime:
    """Return a moment near this one, which is not NOW: that was when the tests began."""
    return datetime.datetime.now(datetime.UTC).replace(microsecond=0) + datetime.timedelta(minutes=minutes)


def changed(change: Callable[[list[bytes]], list[bytes]], **settings: Any) -> Stapled:
    """Return a good response whose SingleResponse has other fields: CertID, status, dates."""
    return stapled(with_single(response(server(), middle(), **settings), middle().key, change))


def delegate(issuer: Entity | None = None, **settings: Any) -> Entity:
    """Return a certificate for signing responses, good but for the settings."""
    return make(settings.pop("name", "Responder"), issuer or middle(), **{"purposes": SIGNING, **settings})


def delegated(by: Entity, *others: Entity, sent: bool = True, by_name: bool = False) -> Stapled:
    """Return a response that a delegate signed, whose certificate is sent behind some others."""
    certificates = (*others, by) if sent else others
    return good(responder=by, certificates=certificates, by_name=by_name)


def delegate_of_a_delegate() -> Stapled:
    upper = delegate(name="Upper", ca=True, usage=("digital_signature", "key_cert_sign"))
    return delegated(delegate(upper), upper)


def delegate_with_sha1() -> Stapled:
    made = delegate()
    der = middle().signs(lambda tbs: [*tbs[:2], ECDSA_SHA1, *tbs[3:]], made, sha1=True)
    return delegated(Entity(made.name, made.key, x509.load_der_x509_certificate(der)))


def of_kind(key_type: str, *, by_name: bool = False, status: ocsp.OCSPCertStatus = GOOD) -> Stapled:
    issuer = root("Root", key=spare_key(1, key_type))
    one = leaf(issuer)
    return stapled(response(one, issuer, by_name=by_name, status=status), one, trusted=issuer)


def signed_with_pss() -> Stapled:
    case = of_kind("rsa-2048")
    content, _, _, *rest = basic(case.response)
    assert isinstance(case.trusted.key, rsa.RSAPrivateKey)
    salted = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    named = bytes.fromhex(
        "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d0609608648"
        "0165030402010500a203020120"
    )
    signature = case.trusted.key.sign(content, salted, hashes.SHA256())
    return replace(case, response=with_basic([content, named, tlv(3, b"\0", signature), *rest]))


def signed_with_sha1() -> Stapled:
    content, _, _, *rest = basic(good().response)
    key = middle().key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    signature = key.sign(content, ec.ECDSA(hashes.SHA1()))
    return stapled(with_basic([content, ECDSA_SHA1, tlv(3, b"\0", signature), *rest]))


def beside(*certificates: bytes) -> Stapled:
    """Return a response that the issuer itself signed, and certificates that do not matter."""
    return stapled(with_basic([*basic(good().response)[:3], tlv(0xA0, tlv(0x30, *certificates))]))


def delegate_of_unknown_algorithm() -> bytes:
    return middle().signs(lambda tbs: [*tbs[:2], tlv(0x30, bytes.fromhex("06032a0304")), *tbs[3:]], delegate())


def issuer_in_another_case() -> Stapled:
    one = leaf(middle(), issuer_name="MIDDLE")
    return stapled(response(one, middle()), one, middle())


def about_issuer_hashed_with(identifier: str) -> Callable[[list[bytes]], list[bytes]]:
    def change(single: list[bytes]) -> list[bytes]:
        return [tlv(0x30, tlv(0x30, bytes.fromhex(identifier)), *elements(inside(single[0]))[1:]), *single[1:]]

    return change


def revoked_for(reason: int) -> Stapled:
    status = tlv(0xA1, tlv(0x18, b"20250101000000Z"), tlv(0xA0, tlv(0x0A, bytes([reason]))))
    return changed(lambda single: [single[0], status, *single[2:]])


def single_of(der: bytes) -> bytes:
    """Return a response's only SingleResponse."""
    return inside(elements(inside(basic(der)[0]))[2])


def several(*ders: bytes) -> Stapled:
    """Return a response that says what these say, one after another."""
    singles = [single_of(der) for der in ders]
    return stapled(with_singles(good().response, middle().key, lambda _: singles))


def with_dates(since: datetime.datetime, until: datetime.datetime) -> Stapled:
    dates = [tlv(0x18, f"{date:%Y%m%d%H%M%SZ}".encode()) for date in (since, until)]
    return changed(lambda single: [*single[:2], dates[0], tlv(0xA0, dates[1])])


def with_responder(name: x509.Name) -> Stapled:
    named = tlv(0xA1, name.public_bytes())
    return stapled(answered(good().response, middle().key, lambda data: [named, *data[1:]]))


def unsuccessful(status: ocsp.OCSPResponseStatus) -> Stapled:
    return stapled(ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(DER))


STATUSES = ocsp.OCSPResponseStatus
Made = Callable[[], Stapled]

EXPECTED: dict[str, tuple[int, Made]] = {
    "good": (ACCEPTED, good),
    "revoked": (23, lambda: good(status=REVOKED)),
    "revoked_for_a_reason": (23, lambda: good(status=REVOKED, why=x509.ReasonFlags.key_compromise)),
    "revoked_for_a_reason_that_nobody_knows": (23, lambda: revoked_for(7)),
    "revoked_for_a_reason_of_the_future": (23, lambda: revoked_for(99)),
    "unknown": (75, lambda: good(status=UNKNOWN)),
    # Whom it is about (RFC 6960 §4.1.1).
    "another_certificate": (74, lambda: stapled(response(leaf(middle()), middle()))),
    "another_issuer": (74, lambda: stapled(response(server(), root("Other")))),
    "namesake_of_the_issuer": (74, lambda: stapled(response(server(), root("Middle")))),
    "sha1": (ACCEPTED, lambda: good(digest=hashes.SHA1())),
    "issuer_in_another_case": (ACCEPTED, issuer_in_another_case),
    "digest_that_nobody_knows": (74, lambda: changed(about_issuer_hashed_with("06032a0304"))),
    "md5": (74, lambda: changed(about_issuer_hashed_with("06082a864886f70d0205"))),
    "about_no_certificate": (74, lambda: several()),
    "about_another_certificate_first": (
        ACCEPTED,
        lambda: several(response(leaf(middle()), middle()), good().response),
    ),
    "about_another_certificate_that_is_revoked": (
        ACCEPTED,
        lambda: several(response(leaf(middle()), middle(), status=REVOKED), good().response),
    ),
    "revoked_and_another_certificate_is_good": (
        23,
        lambda: several(response(leaf(middle()), middle()), good(status=REVOKED).response),
    ),
    # When (RFC 6960 §4.2.2.1).
    "expired": (74, lambda: good(since=NOW - 2 * DAY, until=NOW - DAY)),
    "expired_and_revoked": (74, lambda: good(since=NOW - 2 * DAY, until=NOW - DAY, status=REVOKED)),
    "of_the_future": (74, lambda: good(since=NOW + DAY, until=NOW + 2 * DAY)),
    "clocks_differ_a_little": (ACCEPTED, lambda: good(since=in_a_while(4))),
    "clocks_differ_too_much": (74, lambda: good(since=in_a_while(7))),
    "expired_a_moment_ago": (ACCEPTED, lambda: good(until=in_a_while(-4))),
    "expired_a_while_ago": (74, lambda: good(until=in_a_while(-7))),
    "no_next_update": (ACCEPTED, lambda: good(until=None)),
    "no_next_update_and_a_few_days_old": (ACCEPTED, lambda: good(until=None, since=NOW - 6 * DAY)),
    "no_next_update_and_old": (74, lambda: good(until=None, since=NOW - 8 * DAY)),
    "next_update_before_this_update": (74, lambda: with_dates(in_a_while(0), in_a_while(-1))),
    # Who signed (RFC 6960 §4.2.2.2).
    "forged": (74, lambda: good(key=spare_key(1))),
    "forged_and_revoked": (74, lambda: good(key=spare_key(1), status=REVOKED)),
    "by_name": (ACCEPTED, lambda: good(by_name=True)),
    "by_name_of_another": (74, lambda: with_responder(distinguished_name("Other"))),
    "by_name_in_another_case": (ACCEPTED, lambda: with_responder(distinguished_name("MIDDLE"))),
    "root_instead_of_the_issuer": (74, lambda: good(responder=top(), certificates=[top()])),
    "server_for_itself": (74, lambda: good(responder=server(), certificates=[server()])),
    "delegate_that_cannot_be_judged_beside": (ACCEPTED, lambda: beside(delegate_of_unknown_algorithm())),
    "rsa": (ACCEPTED, lambda: of_kind("rsa-2048")),
    "rsa_by_name": (ACCEPTED, lambda: of_kind("rsa-2048", by_name=True)),
    "rsa_and_revoked": (23, lambda: of_kind("rsa-2048", status=REVOKED)),
    "ed25519": (ACCEPTED, lambda: of_kind("ed25519")),
    "ed25519_by_name": (ACCEPTED, lambda: of_kind("ed25519", by_name=True)),
    "ed25519_and_revoked": (23, lambda: of_kind("ed25519", status=REVOKED)),
    "ed448": (ACCEPTED, lambda: of_kind("ed448")),
    "p384": (ACCEPTED, lambda: of_kind("p384")),
    "p521": (ACCEPTED, lambda: of_kind("p521")),
    "signed_with_sha384": (ACCEPTED, lambda: good(signed_with=hashes.SHA384())),
    "signed_with_sha512": (ACCEPTED, lambda: good(signed_with=hashes.SHA512())),
    "certificate_of_a_stranger_beside": (ACCEPTED, lambda: good(certificates=[root("Stranger")])),
    # Delegates (RFC 6960 §4.2.2.2).
    "delegate": (ACCEPTED, lambda: delegated(delegate())),
    "delegate_by_name": (ACCEPTED, lambda: delegated(delegate(), by_name=True)),
    "delegate_of_another_key_type": (ACCEPTED, lambda: delegated(delegate(key=spare_key(1, "rsa-2048")))),
    "delegate_that_is_not_to_be_checked": (
        ACCEPTED,
        lambda: delegated(delegate(extensions=[(x509.OCSPNoCheck(), False)])),
    ),
    "delegate_behind_others": (ACCEPTED, lambda: delegated(delegate(), root("Stranger"), delegate(name="Other"))),
    "delegate_that_is_not_sent": (74, lambda: delegated(delegate(), sent=False)),
    "delegate_for_servers": (74, lambda: delegated(delegate(purposes=(SERVER,)))),
    "delegate_for_nothing": (74, lambda: delegated(delegate(purposes=None))),
    "delegate_for_any_purpose": (
        74,
        lambda: delegated(delegate(purposes=(ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,))),
    ),
    "delegate_that_expired": (74, lambda: delegated(delegate(not_before=NOW - 2 * DAY, not_after=NOW - DAY))),
    "delegate_not_yet_valid": (74, lambda: delegated(delegate(not_before=NOW + DAY))),
    "delegate_of_the_root": (74, lambda: delegated(delegate(top()))),
    "delegate_of_a_namesake": (74, lambda: delegated(delegate(root("Middle")))),
    "delegate_of_a_namesake_without_identifiers": (74, lambda: delegated(delegate(root("Middle"), identifiers=False))),
    "delegate_of_a_delegate": (74, delegate_of_a_delegate),
    "delegate_that_signed_itself": (74, lambda: delegated(root("Responder", purposes=SIGNING))),
    "delegate_with_an_unknown_critical_extension": (
        74,
        lambda: delegated(delegate(extensions=[extension("1.3.6.1.4.1.99999.1", b"\5\0", critical=True)])),
    ),
    # What is no answer (RFC 6960 §4.2.1).
    "malformed_request": (74, lambda: unsuccessful(STATUSES.MALFORMED_REQUEST)),
    "internal_error": (74, lambda: unsuccessful(STATUSES.INTERNAL_ERROR)),
    "try_later": (74, lambda: unsuccessful(STATUSES.TRY_LATER)),
    "signature_required": (74, lambda: unsuccessful(STATUSES.SIG_REQUIRED)),
    "unauthorized": (74, lambda: unsuccessful(STATUSES.UNAUTHORIZED)),
    "status_that_nobody_knows": (74, lambda: stapled(tlv(0x30, b"\x0a\1\4"))),
    "successful_without_an_answer": (74, lambda: stapled(tlv(0x30, b"\x0a\1\0"))),
    "answer_of_another_kind": (
        74,
        lambda: stapled(tlv(0x30, b"\x0a\1\0", tlv(0xA0, tlv(0x30, bytes.fromhex("06032a0304"), tlv(4, b"\5\0"))))),
    ),
    "text": (74, lambda: stapled(b"nothing")),
    "certificate": (74, lambda: stapled(server().der)),
    "cut_short": (74, lambda: stapled(good().response[:-1])),
}
"""The code, and the case; OpenSSL accepts the same."""

DIFFERENT: dict[str, tuple[bool, int, str, Made]] = {
    "more_behind": (True, 74, "DER is one value and ends there", lambda: stapled(good().response + b"\0")),
    "signed_with_sha1": (True, 74, "SHA-1 is too weak to be relied on", signed_with_sha1),
    "signed_with_sha224": (
        True,
        74,
        "SHA-256, SHA-384 and SHA-512 are the digests of signatures on responses",
        lambda: good(signed_with=hashes.SHA224()),
    ),
    "signed_with_pss": (
        True,
        74,
        "RSASSA-PSS is not among the algorithms of responses",
        signed_with_pss,
    ),
    "sha224": (True, 74, "SHA-224 is not among the digests that name an issuer", lambda: good(digest=hashes.SHA224())),
    "delegate_with_a_key_that_is_not_to_sign": (
        True,
        74,
        "RFC 5280 §4.2.1.3: a key usage without digitalSignature; OpenSSL does not look",
        lambda: delegated(delegate(usage=("key_encipherment",))),
    ),
    "delegate_that_is_critically_not_to_be_checked": (
        True,
        74,
        "RFC 6960 §4.2.2.2.1: id-pkix-ocsp-nocheck SHOULD be non-critical; a critical one is not understood",
        lambda: delegated(delegate(extensions=[(x509.OCSPNoCheck(), True)])),
    ),
    "delegate_behind_many_others": (
        True,
        74,
        "only so many certificates are looked at",
        lambda: delegated(delegate(), *[delegate(name=f"Other {number}") for number in range(16)]),
    ),
    "delegate_with_a_weak_key": (
        True,
        74,
        "the security level is for whoever is relied on; OpenSSL does not ask it of responders",
        lambda: delegated(delegate(key=spare_key(1, "rsa-1024"))),
    ),
    "delegate_whose_certificate_is_signed_with_sha1": (True, 74, "as above", delegate_with_sha1),
}
"""Deliberate differences: whether OpenSSL accepts it, the code of fasttls, why, and the case."""


# Judges.


@dataclass
class Ends:
    """Both ends of a handshake, and how each of them failed."""

    client: ssl.SSLObject
    server: ssl.SSLObject
    client_error: Exception | None = None
    server_error: Exception | None = None


def shake(client_context: ssl.SSLContext, server_context: ssl.SSLContext, name: str = "localhost") -> Ends:
    """Shake hands over memory until both ends are done or failed."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = Ends(
        client_context.wrap_bio(to_client, to_server, server_hostname=name),
        server_context.wrap_bio(to_server, to_client, server_side=True),
    )
    return continued(ends)


def continued(ends: Ends) -> Ends:
    """Go on until both ends are done or failed."""
    for _ in range(10):
        for side in ("client", "server"):
            if getattr(ends, f"{side}_error") is not None:
                continue
            end = getattr(ends, side)
            try:
                end.do_handshake()
                end.read(1)  # in TLS 1.3 the client's alert comes after the server's end of the handshake
            except ssl.SSLWantReadError:
                pass
            except Exception as exc:  # the test looks at it
                setattr(ends, f"{side}_error", exc)
    return ends


def serving(der: object, chain: Iterable[Entity] = (), version: ssl.TLSVersion | None = None) -> fasttls.SSLContext:
    """Return a server's context that staples."""
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    shown = list(chain) or [server(), middle()]
    context.use_certificate([one.der for one in shown], shown[0].key)
    if der is not None:
        context.set_ocsp_response(der)  # type: ignore[arg-type]
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def asking(mode: fasttls.OCSPStapling = REQUIRED, trusted: Entity | None = None) -> fasttls.SSLContext:
    """Return a client's context that wants, or does not, that something is stapled."""
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    context.trust((trusted or top()).der)
    context.ocsp_stapling = mode
    return context


def stapled_to(ends: Ends) -> bytes | None:
    """Return what the client was given, after a handshake that is complete."""
    assert (ends.client_error, ends.server_error) == (None, None)
    assert isinstance(ends.client, fasttls.SSLObject)
    negotiated = ends.client.connection.negotiated
    assert negotiated is not None
    return negotiated.ocsp_response


def check_refused(ends: Ends, code: int) -> None:
    """The client refuses with a code, says why, and the server gets the alert for it."""
    error = ends.client_error
    assert isinstance(error, ssl.SSLCertVerificationError), error
    alert, reason = ALERTS[code]
    assert (error.verify_code, error.alert_sent) == (code, alert)  # type: ignore[attr-defined]
    refusal = error.refusal  # type: ignore[attr-defined]
    assert isinstance(refusal, CertificateRejected)
    assert (refusal.verify_code, refusal.depth, refusal.certificate) == (code, 0, "CN=leaf")
    assert refusal.rule.startswith("RFC ")
    assert refusal.found
    assert refusal.expected
    assert refusal.verify_message in str(error)
    assert isinstance(ends.server_error, ssl.SSLError)
    assert (ends.server_error.reason, ends.server_error.alert_received) == (reason, alert)  # type: ignore[attr-defined]


def check_verdict(case: Stapled, code: int, version: ssl.TLSVersion, mode: fasttls.OCSPStapling) -> None:
    """Shake hands and compare."""
    ends = shake(asking(mode, case.trusted), serving(case.response, case.chain, version))
    if code == ACCEPTED:
        assert stapled_to(ends) == case.response
    else:
        check_refused(ends, code)


@every_version
@pytest.mark.parametrize("name", EXPECTED)
def test_stapled_response_is_judged(name: str, version: ssl.TLSVersion) -> None:
    code, make_case = EXPECTED[name]
    check_verdict(make_case(), code, version, REQUIRED)


@every_version
@pytest.mark.parametrize("name", ["good", "revoked", "unknown", "another_certificate", "expired", "forged", "text"])
def test_response_is_judged_when_there_need_not_be_one(name: str, version: ssl.TLSVersion) -> None:
    code, make_case = EXPECTED[name]
    check_verdict(make_case(), code, version, IF_STAPLED)


@pytest.mark.parametrize("name", DIFFERENT)
def test_difference_is_deliberate(name: str) -> None:
    _, code, _, make_case = DIFFERENT[name]
    check_verdict(make_case(), code, ssl.TLSVersion.TLSv1_3, REQUIRED)


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_certificate_is_named_by_any_digest(digest: hashes.HashAlgorithm) -> None:
    # RFC 6960 §4.3, RFC 5019 §2.1.1: SHA-1 by everybody, the rest by who can.
    check_verdict(good(digest=digest), ACCEPTED, ssl.TLSVersion.TLSv1_3, REQUIRED)
    check_verdict(good(digest=digest, status=REVOKED), 23, ssl.TLSVersion.TLSv1_3, REQUIRED)


@pytest.mark.interop
@pytest.mark.parametrize("name", [*EXPECTED, *DIFFERENT])
def test_openssl_judges_alike(name: str, tmp_path: Path) -> None:
    """`openssl ocsp` reads the same response, and finds it good or not."""
    if name in EXPECTED:
        code, make_case = EXPECTED[name]
        accepts = code == ACCEPTED
    elif OPENSSL_3_0:
        accepts, _, _, make_case = DIFFERENT[name]
    else:
        pytest.skip("the differences are those from OpenSSL 3.0")
    case = make_case()
    issuer = case.chain[1] if len(case.chain) > 1 else case.trusted
    (tmp_path / "response.der").write_bytes(case.response)
    for file, one in {"leaf.pem": case.chain[0], "issuer.pem": issuer, "ca.pem": case.trusted}.items():
        (tmp_path / file).write_text(pem([one]))
    arguments = ["-respin", "response.der", "-issuer", "issuer.pem", *(["-sha224"] if name == "sha224" else [])]
    arguments += ["-cert", "leaf.pem", "-CAfile", "ca.pem", "-verify_other", "issuer.pem"]
    arguments += ["-validity_period", "300", "-status_age", str(7 * 86400 + 300)]
    done = subprocess.run(
        [program("openssl"), "ocsp", *arguments], cwd=tmp_path, capture_output=True, timeout=20, check=False
    )
    said = done.stdout + done.stderr
    found = b"leaf.pem: good" in said and b"Response verify OK" in said and b"Status times invalid" not in said
    assert found == accepts, said.decode()


# What is asked for, and what is there.


@every_version
@pytest.mark.parametrize(("mode", "code"), [(OFF, ACCEPTED), (IF_STAPLED, ACCEPTED), (REQUIRED, 73)])
def test_nothing_is_stapled(mode: fasttls.OCSPStapling, code: int, version: ssl.TLSVersion) -> None:
    for source in (None, lambda: None):
        ends = shake(asking(mode), serving(source, version=version))
        if code == ACCEPTED:
            assert stapled_to(ends) is None
        else:
            check_refused(ends, code)


def must_staple(*features: x509.TLSFeatureType, critical: bool = False) -> Entity:
    """Return a server's certificate that is good only with these features (RFC 7633)."""
    return leaf(middle(), extensions=[(x509.TLSFeature(features), critical)])


STATUS_REQUEST, STATUS_REQUEST_V2 = x509.TLSFeatureType.status_request, x509.TLSFeatureType.status_request_v2


@every_version
@pytest.mark.parametrize(("mode", "code"), [(OFF, ACCEPTED), (IF_STAPLED, 73), (REQUIRED, 73)])
@pytest.mark.parametrize("features", [(STATUS_REQUEST,), (STATUS_REQUEST_V2, STATUS_REQUEST)])
def test_certificate_that_must_be_stapled_and_is_not(
    features: tuple[x509.TLSFeatureType, ...], mode: fasttls.OCSPStapling, code: int, version: ssl.TLSVersion
) -> None:
    """RFC 7633 §4.2.3: a client that asks refuses it; one that does not ask cannot tell."""
    ends = shake(asking(mode), serving(None, [must_staple(*features), middle()], version))
    if code == ACCEPTED:
        assert stapled_to(ends) is None
    else:
        check_refused(ends, code)


@every_version
def test_certificate_that_must_be_stapled_and_is(version: ssl.TLSVersion) -> None:
    one = must_staple(STATUS_REQUEST)
    check_verdict(stapled(response(one, middle()), one, middle()), ACCEPTED, version, IF_STAPLED)
    check_verdict(stapled(response(one, middle(), status=REVOKED), one, middle()), 23, version, IF_STAPLED)


@pytest.mark.parametrize(
    "feature",
    [(x509.TLSFeature([STATUS_REQUEST_V2]), False), extension("1.3.6.1.5.5.7.1.24", tlv(0x30, b"\2\2\1\5"))],
    ids=["status_request_v2", "number 261"],
)
@pytest.mark.parametrize("mode", [OFF, IF_STAPLED])
def test_feature_that_the_client_does_not_offer_is_not_missed(
    mode: fasttls.OCSPStapling, feature: tuple[x509.ExtensionType, bool]
) -> None:
    # RFC 7633 §4.2.3: features that are in the ClientHello as well.
    ends = shake(asking(mode), serving(None, [leaf(middle(), extensions=[feature]), middle()]))
    assert stapled_to(ends) is None


@every_version
def test_client_that_does_not_ask_is_given_nothing(version: ssl.TLSVersion) -> None:
    # RFC 6066 §8, RFC 8446 §4.4.2.1: only in answer to status_request.
    calls: list[int] = []

    def source() -> bytes:
        calls.append(1)
        return b"nothing"

    context = serving(source, version=version)
    assert stapled_to(shake(asking(OFF), context)) is None
    assert calls == []
    check_refused(shake(asking(IF_STAPLED), context), 74)
    assert calls == [1]


@every_version
def test_client_that_does_not_verify_takes_anything(version: ssl.TLSVersion) -> None:
    for source in (b"nothing", None, good(status=REVOKED).response):
        context = asking(REQUIRED)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        assert stapled_to(shake(context, serving(source, version=version))) == source


@every_version
def test_standard_librarys_client_does_not_ask(version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=top().der)
    ends = shake(context, serving(good(status=REVOKED).response, version=version))
    assert (ends.client_error, ends.server_error) == (None, None)


PROMISE = on_message(ServerHello, lambda hello: hello.extensions.update({ExtensionType.STATUS_REQUEST: None}))


@pytest.mark.parametrize(("key_type", "suite"), [("p256", 0xC02B), ("rsa", 0x009C)], ids=["ECDHE", "RSA"])
@pytest.mark.parametrize("promised", [False, True])
@pytest.mark.parametrize("certificate_asked_for", [False, True])
def test_server_of_tls12_that_promises_to_staple_and_does_not(
    certificate_asked_for: bool, promised: bool, key_type: str, suite: int
) -> None:
    """RFC 6066 §8: it may; a client that must have one refuses wherever it finds that out."""
    from fasttls.handshake.config import PeerCertificate

    only12 = {"minimum_version": 0x0303, "maximum_version": 0x0303, "suites": (suite,)}
    asked = PeerCertificate.OPTIONAL if certificate_asked_for else PeerCertificate.UNCHECKED
    pair = Pair(
        client_config(**only12, ocsp_stapling=REQUIRED),
        server_config(key_type, **only12, peer_certificate=asked),
        **({"server_alters": PROMISE} if promised else {}),
    )
    failure = expect(pair, pair.client, CertificateRejected, pair.run)
    assert isinstance(failure, CertificateRejected)
    assert (failure.verify_code, failure.alert_sent) == (73, 113)


# The settings.


def test_stapling_is_off_at_first() -> None:
    assert fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT).ocsp_stapling is OFF
    assert fasttls.create_default_context().ocsp_stapling is OFF


def test_mode_is_one_of_three() -> None:
    context = asking(OFF)
    context.ocsp_stapling = 2  # type: ignore[assignment]
    assert context.ocsp_stapling is REQUIRED
    for bad in (3, -1, "required", None):
        with pytest.raises(ValueError, match="OCSPStapling"):
            context.ocsp_stapling = bad  # type: ignore[assignment]
    assert context.ocsp_stapling is REQUIRED


def test_certificate_is_loaded_before_its_response() -> None:
    with pytest.raises(ValueError, match="certificate"):
        fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER).set_ocsp_response(b"nothing")


@pytest.mark.parametrize("source", [5, [b"nothing"], 1.5])
def test_what_is_no_response_is_a_type_error(source: object) -> None:
    der = good().response
    context = serving(der)
    with pytest.raises(TypeError):
        context.set_ocsp_response(source)  # type: ignore[arg-type]
    assert stapled_to(shake(asking(), context)) == der


def test_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        serving(tmp_path / "missing")


@every_version
def test_source_is_bytes_or_a_path_or_a_function(version: ssl.TLSVersion, tmp_path: Path) -> None:
    der = good().response
    file = tmp_path / "response.der"
    file.write_bytes(der)
    for source in (der, file, str(file), lambda: der):
        assert stapled_to(shake(asking(), serving(source, version=version))) == der


def test_response_is_replaced_and_taken_away() -> None:
    first, second = good().response, good(digest=hashes.SHA256()).response
    context = serving(first)
    assert stapled_to(shake(asking(), context)) == first
    context.set_ocsp_response(second)
    assert stapled_to(shake(asking(), context)) == second
    context.set_ocsp_response(None)
    assert stapled_to(shake(asking(IF_STAPLED), context)) is None


def test_response_goes_with_its_certificate_when_that_is_replaced() -> None:
    context = serving(good().response)
    other = leaf(middle())
    context.use_certificate([other.der, middle().der], other.key)
    assert stapled_to(shake(asking(IF_STAPLED), context)) is None


def test_each_certificate_has_its_own_response() -> None:
    other = leaf(middle(), key=spare_key(1, "rsa-2048"))
    context = serving(good().response, version=ssl.TLSVersion.TLSv1_2)
    context.use_certificate([other.der, middle().der], other.key)
    context.set_ocsp_response(response(other, middle()))
    for suite, one in {"ECDHE-ECDSA-AES128-GCM-SHA256": server(), "ECDHE-RSA-AES128-GCM-SHA256": other}.items():
        client = asking()
        client.set_ciphers(suite)
        ends = shake(client, context)
        assert stapled_to(ends)
        assert ends.client.getpeercert(True) == one.der


def test_context_that_the_server_name_selects_staples_its_own() -> None:
    other = leaf(middle(), "other.example")
    selected = serving(response(other, middle()), [other, middle()])
    context = serving(good().response)
    context.sni_callback = lambda connection, name, _: setattr(connection, "context", selected)
    assert stapled_to(shake(asking(), context, "other.example"))


# Functions.


@every_version
def test_function_is_asked_once_for_each_handshake(version: ssl.TLSVersion) -> None:
    answers = [good().response, None, good(digest=hashes.SHA256()).response]
    left = list(answers)
    context = serving(lambda: left.pop(0), version=version)
    assert [stapled_to(shake(asking(IF_STAPLED), context)) for _ in answers] == answers


@every_version
def test_function_that_raises_is_the_servers_fault(version: ssl.TLSVersion) -> None:
    fault = KeyError("no response today")

    def source() -> bytes:
        raise fault

    ends = shake(asking(), serving(source, version=version))
    assert ends.server_error is fault
    assert isinstance(ends.client_error, ssl.SSLError)
    assert ends.client_error.reason == "TLSV1_ALERT_INTERNAL_ERROR"


@every_version
def test_function_that_returns_no_bytes_is_the_servers_fault(version: ssl.TLSVersion) -> None:
    ends = shake(asking(), serving(lambda: "text", version=version))
    assert isinstance(ends.server_error, TypeError)
    assert isinstance(ends.client_error, ssl.SSLError)
    assert ends.client_error.reason == "TLSV1_ALERT_INTERNAL_ERROR"


@every_version
@pytest.mark.parametrize("source", [b"", lambda: b""], ids=["bytes", "function"])
def test_empty_response_is_none(source: object, version: ssl.TLSVersion) -> None:
    # RFC 6066 §8: opaque OCSPResponse<1..2^24-1>. An empty file is none as well.
    assert stapled_to(shake(asking(IF_STAPLED), serving(source, version=version))) is None


# Files.


@every_version
@pytest.mark.parametrize("change", [Path.write_bytes, renamed])
def test_changed_file_is_stapled_in_the_next_handshake(
    change: Callable[[Path, bytes], object], version: ssl.TLSVersion, tmp_path: Path
) -> None:
    file = tmp_path / "response.der"
    file.write_bytes(good().response)
    context = serving(file, version=version)
    assert stapled_to(shake(asking(), context))
    for der in (good(digest=hashes.SHA256()).response, good(status=UNKNOWN).response, good().response):
        change(file, der)
        ends = shake(asking(OFF), context)
        assert stapled_to(ends) is None
        client = asking(REQUIRED)
        client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
        assert stapled_to(shake(client, context)) == der


@pytest.mark.parametrize("broken", ["gone", "empty", "directory"])
def test_file_that_is_gone_or_empty_leaves_the_response_as_it_was(broken: str, tmp_path: Path) -> None:
    first, second = good().response, good(digest=hashes.SHA256()).response
    file = tmp_path / "response.der"
    file.write_bytes(first)
    context = serving(file)
    file.unlink()
    if broken == "empty":
        file.write_bytes(b"")
    elif broken == "directory":
        file.mkdir()
    for _ in range(2):
        assert stapled_to(shake(asking(), context)) == first
    if broken == "directory":
        file.rmdir()
    file.write_bytes(second)
    assert stapled_to(shake(asking(), context)) == second


def test_file_that_is_empty_at_first_is_waited_for(tmp_path: Path) -> None:
    der, file = good().response, tmp_path / "response.der"
    file.write_bytes(b"")
    context = serving(file)
    assert stapled_to(shake(asking(IF_STAPLED), context)) is None
    file.write_bytes(der)
    assert stapled_to(shake(asking(), context)) == der


# Every bit of a response, changed.


SHAPES: dict[str, Made] = {
    "of_the_issuer": lambda: good(by_name=True),
    "that_revokes": lambda: good(status=REVOKED, why=x509.ReasonFlags.key_compromise),
    "of_a_delegate": lambda: delegated(delegate()),
    "by_rsa": lambda: of_kind("rsa-2048"),
}


def outcomes(case: Stapled, responses: Iterable[bytes]) -> tuple[list[bytes], Counter[str]]:
    """Return which responses are taken for good, and what else was raised than should be."""
    store = TrustStore()
    store.add(case.trusted.der)
    path = verify_chain([one.der for one in case.chain], store, "localhost")
    taken, faults = [], Counter[str]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of `cryptography`, about the nonsense
        for der in responses:
            try:
                check_staple(path, der, time.time(), required=True)
            except CertificateRejected:
                continue
            except Exception as exc:
                faults[f"{type(exc).__name__}: {exc}"] += 1
            else:
                taken.append(der)
    return taken, faults


@pytest.mark.parametrize("name", SHAPES)
def test_changed_response_is_never_taken_for_the_issuers(name: str) -> None:
    """One bit at a time: what is signed is refused, and nothing is raised that is no refusal."""
    case, revokes = SHAPES[name](), name == "that_revokes"
    assert outcomes(case, [case.response]) == ([] if revokes else [case.response], Counter())
    taken, faults = outcomes(case, bits_changed(case.response))
    signed = basic(case.response)[0]
    assert [der for der in taken if revokes or basic(der)[0] != signed] == []
    assert faults == Counter()


@pytest.mark.parametrize("name", SHAPES)
def test_response_that_is_cut_short_is_refused(name: str) -> None:
    case = SHAPES[name]()
    cut = [case.response[:size] for size in range(len(case.response))]
    assert outcomes(case, cut) == ([], Counter())


@pytest.mark.parametrize("name", ["of_the_issuer", "that_revokes"])
def test_issuer_that_signs_nonsense_is_refused_or_understood(name: str) -> None:
    """The same with a signature that is right: whatever it says, nothing is raised that is no refusal."""
    case, key = SHAPES[name](), middle().key
    assert isinstance(key, ec.EllipticCurvePrivateKey)

    def signed() -> Iterator[bytes]:
        for content in bits_changed(basic(case.response)[0]):
            yield with_basic([content, ECDSA_SHA256, tlv(3, b"\0", key.sign(content, ec.ECDSA(hashes.SHA256())))])

    taken, faults = outcomes(case, signed())
    assert faults == Counter()
    assert taken == [] or name == "of_the_issuer"


@pytest.mark.parametrize("position", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
@every_version
def test_changed_response_ends_the_handshake_with_the_alert(version: ssl.TLSVersion, position: float) -> None:
    der = bytearray(good().response)
    der[int(len(der) * position)] ^= 0xFF
    check_verdict(stapled(bytes(der)), 74, version, REQUIRED)


# OpenSSL as the other end.


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ca.pem, and the server's chain and key of P-256."""
    path = tmp_path_factory.mktemp("keys")
    certs.test_root().write(path)
    certs.server_credential().write(path, "p256")
    return path


def of_the_shared_root(status: ocsp.OCSPCertStatus = GOOD) -> bytes:
    """Return a response about the certificate of the interoperability tests."""
    issuer, made = certs.test_root(), certs.server_credential()
    return response(
        Entity(made.certificate.subject, made.key, made.certificate),
        Entity(issuer.certificate.subject, issuer.key, issuer.certificate),
        status=status,
    )


def reading(keys: Path) -> fasttls.SSLContext:
    """Return a client's context that trusts the folder's root and requires a response."""
    context = fasttls.create_default_context(cafile=str(keys / "ca.pem"))
    context.ocsp_stapling = REQUIRED
    return context


@pytest.mark.interop
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssls_server_staples(version: str, keys: Path, tmp_path: Path) -> None:
    file = tmp_path / "response.der"
    file.write_bytes(of_the_shared_root())
    with openssl_server(keys, "p256", "-rev", "-status_file", str(file), version) as (port, _):
        with connect(reading(keys), port) as wrapped:
            wrapped.sendall(b"fasttls\n")
            assert wrapped.recv(100) == b"slttsaf\n"
            assert wrapped.connection.negotiated is not None
            assert wrapped.connection.negotiated.ocsp_response == file.read_bytes()


@pytest.mark.interop
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("status", "code"), [(REVOKED, 23), (UNKNOWN, 75), (None, 73)])
def test_openssls_server_is_refused(
    status: ocsp.OCSPCertStatus | None, code: int, version: str, keys: Path, tmp_path: Path
) -> None:
    more: tuple[str, ...] = ()
    if status is not None:
        file = tmp_path / "response.der"
        file.write_bytes(of_the_shared_root(status))
        more = ("-status_file", str(file))
    with openssl_server(keys, "p256", "-rev", *more, version) as (port, tool):
        with pytest.raises(ssl.SSLCertVerificationError) as caught, connect(reading(keys), port):
            pass
        assert caught.value.verify_code == code
        assert caught.value.refusal.rule  # type: ignore[attr-defined]
        tool.output.wait_for(f"SSL alert number {ALERTS[code][0]}".encode())


@pytest.mark.interop
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssls_client_is_given_the_response(version: str, keys: Path) -> None:
    context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "p256-chain.pem", keys / "p256-key.pem")
    for status, words in {GOOD: b"Cert Status: good", REVOKED: b"Cert Status: revoked"}.items():
        context.set_ocsp_response(of_the_shared_root(status))
        with serve(context) as serving_, openssl_client(keys, serving_.port, "-status", version) as tool:
            printed = tool.output.wait_for(words)
            assert b"OCSP Response Status: successful" in printed
            tool.end()
    context.set_ocsp_response(None)
    with serve(context) as serving_, openssl_client(keys, serving_.port, "-status", version) as tool:
        tool.output.wait_for(b"OCSP response: no response sent")
        tool.end()
