"""Revocation lists of any shape, the wrong ones too, who judges by them, and what the verdicts are."""

from __future__ import annotations

import datetime
import os
import ssl
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from certs import CLIENT, DAY, NOW, PrivateKey, distinguished_name
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509.oid import NameOID
from trust.forge import (
    ECDSA_SHA256,
    Entity,
    Extensions,
    extension,
    fields,
    intermediate,
    leaf,
    root,
    spare_key,
    tlv,
)
from trust.judges import Case, Verdict, _alert_seen, _give_certificate, _presenter, _refusal, _run, judging_context

import fasttls

DER = serialization.Encoding.DER
HOUR = datetime.timedelta(hours=1)
LEAF, CHAIN = ssl.VERIFY_CRL_CHECK_LEAF, ssl.VERIFY_CRL_CHECK_CHAIN
PARTIAL = ssl.VERIFY_X509_PARTIAL_CHAIN
ACCEPTED = 0
OLD = {"since": NOW - 2 * HOUR}
STALE = {"since": NOW - 2 * DAY, "until": NOW - DAY}
EARLY = {"since": NOW + DAY, "until": NOW + 2 * DAY}
KEY_COMPROMISE, HOLD, REMOVED = (
    x509.ReasonFlags.key_compromise,
    x509.ReasonFlags.certificate_hold,
    x509.ReasonFlags.remove_from_crl,
)
SOME_REASONS = frozenset({KEY_COMPROMISE})
SHARD, OTHER_SHARD = "http://crl.example/1", "http://crl.example/2"
UNKNOWN = extension("1.3.6.1.4.1.99999.1", b"\5\0")
CRITICAL = extension("1.3.6.1.4.1.99999.1", b"\5\0", critical=True)
REASON, SCOPE = bytes.fromhex("0603551d15"), bytes.fromhex("0603551d1c")
"""The identifiers of the extensions reasonCode and issuingDistributionPoint, DER."""


# The authorities that most tests share.


@cache
def top() -> Entity:
    """Return the root."""
    return root("Root")


@cache
def middle() -> Entity:
    """Return the intermediate that issues."""
    return intermediate("Middle", top())


@cache
def server() -> Entity:
    """Return a server's certificate of the intermediate."""
    return leaf(middle())


@cache
def client() -> Entity:
    """Return a client's certificate of the intermediate."""
    return leaf(middle(), purposes=(CLIENT,))


# Revocation lists.


def serial_of(certificate: Entity | bytes) -> int:
    """Return the serial number of a certificate."""
    if isinstance(certificate, bytes):
        return x509.load_der_x509_certificate(certificate).serial_number
    return certificate.certificate.serial_number


def entry(certificate: Entity | bytes | int, *extensions: tuple[x509.ExtensionType, bool]) -> x509.RevokedCertificate:
    """Return an entry of a list for a certificate or a serial number."""
    serial = certificate if isinstance(certificate, int) else serial_of(certificate)
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - HOUR)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.build()


def reason(flag: x509.ReasonFlags, *, critical: bool = False) -> tuple[x509.ExtensionType, bool]:
    """Return the reason code of an entry."""
    return x509.CRLReason(flag), critical


def crl(
    issuer: Entity,
    *revoked: Entity | bytes | int | x509.RevokedCertificate,
    key: PrivateKey | None = None,
    name: x509.Name | None = None,
    since: datetime.datetime = NOW - HOUR,
    until: datetime.datetime = NOW + DAY,
    identifier: bool = True,
    extensions: Extensions = (),
    digest: hashes.HashAlgorithm | None = None,
    pss: bool = False,
) -> bytes:
    """Make a list of an issuer's, good but for the settings; key is who signs it in the issuer's name."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or issuer.name)
        .last_update(since)
        .next_update(until)
        .add_extension(x509.CRLNumber(1), False)
    )
    if identifier:
        known = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(known, False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    for one in revoked:
        found = one if isinstance(one, x509.RevokedCertificate) else entry(one)
        builder = builder.add_revoked_certificate(found)
    signer = key or issuer.key
    if isinstance(signer, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return builder.sign(signer, None).public_bytes(DER)
    digest = digest or hashes.SHA256()
    salt = padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH) if pss else None
    return builder.sign(signer, digest, rsa_padding=salt).public_bytes(DER)


def scope(
    *,
    urls: Iterable[str] = (),
    user: bool = False,
    ca: bool = False,
    attribute: bool = False,
    indirect: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
) -> tuple[x509.ExtensionType, bool]:
    """Return an issuingDistributionPoint."""
    names = [x509.UniformResourceIdentifier(url) for url in urls] or None
    return x509.IssuingDistributionPoint(names, None, user, ca, reasons, indirect, attribute), True


def points(*urls: str, reasons: frozenset[x509.ReasonFlags] | None = None) -> tuple[x509.ExtensionType, bool]:
    """Return a certificate's cRLDistributionPoints."""
    found = [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, reasons, None) for url in urls]
    return x509.CRLDistributionPoints(found), False


def resigned(der: bytes, key: PrivateKey, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Return a list with other fields in it, signed anew with a P-256 key."""
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    tbs = tlv(0x30, *change(fields(der)))
    return tlv(0x30, tbs, ECDSA_SHA256, tlv(3, b"\0", key.sign(tbs, ec.ECDSA(hashes.SHA256()))))


def with_entry(der: bytes, key: PrivateKey, certificate: Entity, extensions: bytes) -> bytes:
    """Return a list that has no entries with one, whose extensions are these, signed anew with a P-256 key."""
    number = serial_of(certificate)
    serial = tlv(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))
    made = tlv(0x30, serial, tlv(0x17, b"250101000000Z"), tlv(0x30, extensions))
    return resigned(der, key, lambda tbs: [*tbs[:5], tlv(0x30, made), *tbs[5:]])


def with_extensions(der: bytes, key: PrivateKey, *extensions: bytes) -> bytes:
    """Return a list that has no entries with other extensions, signed anew with a P-256 key."""
    return resigned(der, key, lambda tbs: [*tbs[:5], tlv(0xA0, tlv(0x30, *extensions))])


def crl_pem(*ders: bytes) -> str:
    """Return lists as PEM, whatever is in them."""
    return "".join(ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", "X509 CRL") for der in ders)


@dataclass(frozen=True, kw_only=True)
class ListCase(Case):
    """A chain to be judged by revocation lists too."""

    lists: tuple[bytes, ...] = ()


def by_lists(flags: int, *lists: bytes, **settings: object) -> ListCase:
    """Return the case of the shared server's certificate, but for the settings."""
    chosen: dict[str, object] = {"chain": [server(), middle()], "trusted": [top()], **settings}
    return ListCase(flags=flags, lists=lists, **chosen)  # type: ignore[arg-type]


def ready(library: type[ssl.SSLContext], case: Case) -> ssl.SSLContext:
    """Return a context that judges a case by whatever lists it is given."""
    context = judging_context(library, case)
    _give_certificate(context, case)
    return context


def load_lists(context: ssl.SSLContext, *lists: bytes) -> None:
    """Give lists to a context of either library, in a file."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "lists.pem")
        file.write_text(crl_pem(*lists))
        context.load_verify_locations(file)


def judge_by_lists(library: type[ssl.SSLContext], case: ListCase) -> Verdict:
    """Return the verdict of a library on a case, with the lists in a file of what is trusted."""
    context = ready(library, case)
    if case.lists:
        load_lists(context, *case.lists)
    return judged(context, case)


def judge_from_memory(case: ListCase) -> Verdict:
    """Return the verdict of fasttls on a case, with the lists given to use_crls."""
    context = ready(fasttls.SSLContext, case)
    assert isinstance(context, fasttls.SSLContext)
    context.use_crls(case.lists)
    return judged(context, case)


@dataclass(frozen=True)
class Wrapped:
    """A connection that judges, before its handshake, and the memory that it reads and writes."""

    judging: ssl.SSLObject
    incoming: ssl.MemoryBIO
    outgoing: ssl.MemoryBIO

    def shake_hands(self, case: Case) -> Verdict:
        """Shake hands with `ssl`, which shows the chain of a case. Raises what the judge raises."""
        return _run(self.judging, self._presenting(case))

    def _presenting(self, case: Case) -> ssl.SSLObject:
        return _presenter(case).wrap_bio(self.outgoing, self.incoming, server_side=not case.client_certificate)

    def run(self, case: Case) -> Verdict:
        """Shake hands and return the verdict on a case."""
        presenting = self._presenting(case)
        try:
            return _run(self.judging, presenting)
        except ssl.SSLError as error:
            verdict = _refusal(error)
            return Verdict(verdict.code, verdict.words, _alert_seen(presenting))


def wrap(context: ssl.SSLContext, case: Case) -> Wrapped:
    """Return a connection of a context that is to judge a case."""
    incoming, outgoing, is_server = ssl.MemoryBIO(), ssl.MemoryBIO(), case.client_certificate
    name = None if is_server else case.host
    return Wrapped(
        context.wrap_bio(incoming, outgoing, server_side=is_server, server_hostname=name), incoming, outgoing
    )


def judged(context: ssl.SSLContext, case: Case) -> Verdict:
    """Return the verdict of a context that is ready, after a handshake with `ssl` that shows the chain."""
    return wrap(context, case).run(case)


# Changes.


def renamed(file: Path, data: bytes) -> None:
    """Put a new file in the place of one."""
    fresh = file.with_name("fresh")
    fresh.write_bytes(data)
    os.replace(fresh, file)


def bits_changed(data: bytes) -> Iterator[bytes]:
    """Return data as often as it has bits, each time with another one changed."""
    for index, byte in enumerate(data):
        for bit in range(8):
            yield data[:index] + bytes([byte ^ 1 << bit]) + data[index + 1 :]


# Cases that take more than a line.


def without_crl_sign() -> ListCase:
    alone = root(usage=("key_cert_sign",))
    return by_lists(LEAF, crl(alone), chain=[leaf(alone)], trusted=[alone])


def without_key_usage() -> ListCase:
    alone = root(usage=None)
    return by_lists(LEAF, crl(alone), chain=[leaf(alone)], trusted=[alone])


def signed_by_a_namesake(*, identifier: bool, beside: bool = False, revoked: bool = False) -> ListCase:
    own, namesake = root(key=spare_key(1)), root(key=spare_key(2))
    one = leaf(own)
    lists = [crl(namesake, identifier=identifier)]
    if beside:
        lists.append(crl(own, *([one] if revoked else []), **OLD))
    return by_lists(LEAF, *lists, chain=[one], trusted=[own])


def of_kind(key_type: str, *, pss: bool = False, revoked: bool = False) -> ListCase:
    alone = root(key=spare_key(1, key_type))
    one = leaf(alone)
    return by_lists(LEAF, crl(alone, *([one] if revoked else []), pss=pss), chain=[one], trusted=[alone])


def with_a_weak_digest(algorithm: str, digest: hashes.HashAlgorithm) -> ListCase:
    alone = root(key=spare_key(1, "rsa-2048"))
    assert isinstance(alone.key, rsa.RSAPrivateKey)
    named = bytes.fromhex(algorithm)
    version, _, *rest = fields(crl(alone))
    tbs = tlv(0x30, version, named, *rest)
    made = tlv(0x30, tbs, named, tlv(3, b"\0", alone.key.sign(tbs, padding.PKCS1v15(), digest)))
    return by_lists(LEAF, made, chain=[leaf(alone)], trusted=[alone])


def sharded(*shards: str, revoked_in: str | None = None, **settings: object) -> ListCase:
    """The certificate belongs to the first shard, and the lists are of these, each newer than the one before."""
    one = leaf(middle(), extensions=[points(SHARD)], **settings)
    lists = [
        crl(
            middle(),
            *([one] if shard == revoked_in else []),
            since=NOW - 2 * HOUR + number * HOUR,
            extensions=[scope(urls=[shard])],
        )
        for number, shard in enumerate(shards)
    ]
    return by_lists(LEAF, *lists, chain=[one, middle()])


def of_a_relative_point() -> ListCase:
    name = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COMMON_NAME, "1")])
    point = x509.IssuingDistributionPoint(None, name, False, False, None, False, False)
    return by_lists(LEAF, crl(middle(), extensions=[(point, True)]))


def with_point_for_some_reasons() -> ListCase:
    one = leaf(middle(), extensions=[points(SHARD, reasons=SOME_REASONS)])
    return by_lists(LEAF, crl(middle()), chain=[one, middle()])


def of_the_key_before(*, revoked: bool) -> ListCase:
    """The issuer has a new key, which its old one certifies, and signs its lists with the old one still."""
    old = root("Root")
    new = intermediate("Root", old)
    one = leaf(new)
    return by_lists(LEAF, crl(old, *([one] if revoked else [])), chain=[one, new], trusted=[old])


def identified_by_another_serial() -> ListCase:
    known = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(top().name)], 7)
    return by_lists(CHAIN, crl(middle()), crl(top(), identifier=False, extensions=[(known, False)]))


def cross_signed_and_revoked_by_one() -> ListCase:
    first, second, key = root("First"), root("Second"), spare_key(3)
    by_first, by_second = intermediate("Middle", first, key=key), intermediate("Middle", second, key=key)
    return by_lists(
        CHAIN,
        *(crl(by_first), crl(first, by_first), crl(second)),
        chain=[leaf(by_first), by_first, by_second],
        trusted=[first, second],
    )


def revoked_and(**settings: object) -> ListCase:
    one = leaf(middle(), **settings)  # type: ignore[arg-type]
    return by_lists(LEAF, crl(middle(), one), chain=[one, middle()])


def revoked_and_not_signed_by_the_issuer() -> ListCase:
    alone = root(identifiers=False)
    one = leaf(root(identifiers=False), identifiers=False)
    return by_lists(LEAF, crl(alone, one, identifier=False), chain=[one], trusted=[alone])


def for_clients(flags: int, *lists: bytes) -> ListCase:
    return by_lists(flags, *lists, chain=[client(), middle()], client_certificate=True)


def entry_with(*raw: bytes) -> ListCase:
    """The server's entry has reason codes of these bytes."""
    made = b"".join(tlv(0x30, REASON, tlv(4, value)) for value in raw)
    return by_lists(LEAF, with_entry(crl(middle()), middle().key, server(), made))


# The table.

Made = Callable[[], ListCase]

EXPECTED: dict[str, tuple[int, Made]] = {
    # Which certificates are looked up.
    "good": (ACCEPTED, lambda: by_lists(LEAF, crl(middle()))),
    "another_certificate_is_revoked": (ACCEPTED, lambda: by_lists(LEAF, crl(middle(), 77))),
    "good_chain": (ACCEPTED, lambda: by_lists(CHAIN, crl(middle()), crl(top()))),
    "revoked": (23, lambda: by_lists(LEAF, crl(middle(), server()))),
    "revoked_in_a_chain": (23, lambda: by_lists(CHAIN, crl(middle(), server()), crl(top()))),
    "revoked_and_nobody_asks": (ACCEPTED, lambda: by_lists(0, crl(middle(), server()))),
    "revoked_intermediate": (23, lambda: by_lists(CHAIN, crl(middle()), crl(top(), middle()))),
    "revoked_intermediate_and_only_the_leaf_is_looked_up": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle()), crl(top(), middle())),
    ),
    "root_that_revokes_itself": (23, lambda: by_lists(CHAIN, crl(middle()), crl(top(), top()))),
    "no_list": (3, lambda: by_lists(LEAF)),
    "no_list_for_the_chain": (3, lambda: by_lists(CHAIN)),
    "no_list_of_the_root": (3, lambda: by_lists(CHAIN, crl(middle()))),
    "no_list_of_the_intermediate": (3, lambda: by_lists(CHAIN, crl(top()))),
    "list_of_another_issuer": (3, lambda: by_lists(LEAF, crl(root("Other")))),
    "serial_in_the_list_of_another_issuer": (ACCEPTED, lambda: by_lists(LEAF, crl(middle()), crl(top(), server()))),
    "trusted_intermediate_is_the_end": (ACCEPTED, lambda: by_lists(LEAF | PARTIAL, crl(middle()), trusted=[middle()])),
    "trusted_intermediate_is_looked_up_too": (
        3,
        lambda: by_lists(CHAIN | PARTIAL, crl(middle()), crl(top()), trusted=[middle()]),
    ),
    "issuer_in_another_case": (23, lambda: by_lists(LEAF, crl(middle(), server(), name=distinguished_name("MIDDLE")))),
    # Dates.
    "stale": (12, lambda: by_lists(LEAF, crl(middle(), **STALE))),
    "stale_and_revoked": (12, lambda: by_lists(LEAF, crl(middle(), server(), **STALE))),
    "stale_list_of_the_root": (12, lambda: by_lists(CHAIN, crl(middle()), crl(top(), **STALE))),
    "stale_list_of_the_root_and_only_the_leaf_is_looked_up": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle()), crl(top(), **STALE)),
    ),
    "not_yet_valid": (11, lambda: by_lists(LEAF, crl(middle(), **EARLY))),
    "no_next_update": (
        ACCEPTED,
        lambda: by_lists(LEAF, resigned(crl(middle()), middle().key, lambda tbs: [*tbs[:4], *tbs[5:]])),
    ),
    # Signatures.
    "forged": (8, lambda: by_lists(LEAF, crl(middle(), key=spare_key(1)))),
    "forged_and_revoked": (8, lambda: by_lists(LEAF, crl(middle(), server(), key=spare_key(1)))),
    "forged_list_of_the_root": (8, lambda: by_lists(CHAIN, crl(middle()), crl(top(), key=spare_key(1)))),
    "signed_with_a_key_of_another_kind": (8, lambda: by_lists(LEAF, crl(middle(), key=spare_key(1, "rsa-2048")))),
    "issuer_without_crl_sign": (35, without_crl_sign),
    "issuer_without_key_usage": (ACCEPTED, without_key_usage),
    "namesake_with_another_key": (3, lambda: signed_by_a_namesake(identifier=True)),
    "namesake_with_another_key_that_is_not_named": (8, lambda: signed_by_a_namesake(identifier=False)),
    "namesake_with_another_key_beside_the_issuer": (
        ACCEPTED,
        lambda: signed_by_a_namesake(identifier=True, beside=True),
    ),
    "namesake_with_another_key_beside_the_issuer_that_revokes": (
        23,
        lambda: signed_by_a_namesake(identifier=True, beside=True, revoked=True),
    ),
    "list_that_names_no_key": (ACCEPTED, lambda: by_lists(LEAF, crl(middle(), identifier=False))),
    "rsa": (ACCEPTED, lambda: of_kind("rsa-2048")),
    "rsa_pss": (ACCEPTED, lambda: of_kind("rsa-2048", pss=True)),
    "rsa_pss_revoked": (23, lambda: of_kind("rsa-2048", pss=True, revoked=True)),
    "ed25519": (ACCEPTED, lambda: of_kind("ed25519")),
    "ed25519_revoked": (23, lambda: of_kind("ed25519", revoked=True)),
    "ed448": (ACCEPTED, lambda: of_kind("ed448")),
    "p521": (ACCEPTED, lambda: of_kind("p521")),
    "sha1": (ACCEPTED, lambda: with_a_weak_digest("300d06092a864886f70d0101050500", hashes.SHA1())),
    # Extensions.
    "unknown_critical_extension": (36, lambda: by_lists(LEAF, crl(middle(), extensions=[CRITICAL]))),
    "unknown_critical_extension_and_revoked": (
        36,
        lambda: by_lists(LEAF, crl(middle(), server(), extensions=[CRITICAL])),
    ),
    "unknown_critical_extension_and_stale": (
        12,
        lambda: by_lists(LEAF, crl(middle(), extensions=[CRITICAL], **STALE)),
    ),
    "unknown_critical_extension_and_forged": (
        8,
        lambda: by_lists(LEAF, crl(middle(), extensions=[CRITICAL], key=spare_key(1))),
    ),
    "unknown_extension": (ACCEPTED, lambda: by_lists(LEAF, crl(middle(), extensions=[UNKNOWN]))),
    "critical_crl_number": (
        36,
        lambda: by_lists(
            LEAF, with_extensions(crl(middle()), middle().key, bytes.fromhex("300d0603551d140101ff0403020101"))
        ),
    ),
    "version_1": (ACCEPTED, lambda: by_lists(LEAF, resigned(crl(middle()), middle().key, lambda tbs: tbs[1:5]))),
    "version_1_and_revoked": (
        23,
        lambda: by_lists(LEAF, resigned(crl(middle(), server()), middle().key, lambda tbs: tbs[1:6])),
    ),
    # Scopes (RFC 5280 §5.2.5).
    "only_user_certificates": (ACCEPTED, lambda: by_lists(LEAF, crl(middle(), extensions=[scope(user=True)]))),
    "only_user_certificates_and_revoked": (
        23,
        lambda: by_lists(LEAF, crl(middle(), server(), extensions=[scope(user=True)])),
    ),
    "only_user_certificates_for_an_intermediate": (
        44,
        lambda: by_lists(CHAIN, crl(middle()), crl(top(), extensions=[scope(user=True)])),
    ),
    "only_ca_certificates": (44, lambda: by_lists(LEAF, crl(middle(), extensions=[scope(ca=True)]))),
    "only_ca_certificates_for_an_intermediate": (
        ACCEPTED,
        lambda: by_lists(CHAIN, crl(middle()), crl(top(), extensions=[scope(ca=True)])),
    ),
    "only_attribute_certificates": (44, lambda: by_lists(LEAF, crl(middle(), extensions=[scope(attribute=True)]))),
    "a_list_for_each_kind": (
        ACCEPTED,
        lambda: by_lists(
            LEAF, crl(middle(), extensions=[scope(user=True)], **OLD), crl(middle(), extensions=[scope(ca=True)])
        ),
    ),
    "a_list_for_each_kind_and_revoked": (
        23,
        lambda: by_lists(
            LEAF,
            crl(middle(), server(), extensions=[scope(user=True)], **OLD),
            crl(middle(), extensions=[scope(ca=True)]),
        ),
    ),
    "shard_of_the_certificate": (ACCEPTED, lambda: sharded(SHARD)),
    "shard_of_the_certificate_that_revokes": (23, lambda: sharded(SHARD, revoked_in=SHARD)),
    "another_shard": (44, lambda: sharded(OTHER_SHARD)),
    "another_shard_that_is_newer": (23, lambda: sharded(SHARD, OTHER_SHARD, revoked_in=SHARD)),
    "shard_that_the_certificate_does_not_name": (
        44,
        lambda: by_lists(LEAF, crl(middle(), extensions=[scope(urls=[SHARD])])),
    ),
    "shard_with_a_relative_name_that_the_certificate_does_not_name": (44, of_a_relative_point),
    "list_of_everything_for_a_certificate_of_a_shard": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle()), chain=[leaf(middle(), extensions=[points(SHARD)]), middle()]),
    ),
    # One list beside another.
    "newer_list_revokes": (23, lambda: by_lists(LEAF, crl(middle(), **OLD), crl(middle(), server()))),
    "newer_list_comes_first_and_revokes": (23, lambda: by_lists(LEAF, crl(middle(), server()), crl(middle(), **OLD))),
    "newer_list_does_not_revoke_any_longer": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle(), server(), **OLD), crl(middle())),
    ),
    "newer_list_comes_first_and_does_not_revoke": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle()), crl(middle(), server(), **OLD)),
    ),
    "newer_list_is_stale": (
        23,
        lambda: by_lists(
            LEAF, crl(middle(), server(), since=NOW - 2 * DAY), crl(middle(), since=NOW - DAY, until=NOW - HOUR)
        ),
    ),
    "newer_list_is_not_yet_valid": (
        23,
        lambda: by_lists(LEAF, crl(middle(), server()), crl(middle(), **EARLY)),
    ),
    "one_is_stale_and_one_not_yet_valid": (11, lambda: by_lists(LEAF, crl(middle(), **STALE), crl(middle(), **EARLY))),
    "twice_the_same": (23, lambda: by_lists(LEAF, *[crl(middle(), server())] * 2)),
    "delta_beside_the_list": (
        ACCEPTED,
        lambda: by_lists(LEAF, crl(middle()), crl(middle(), extensions=[(x509.DeltaCRLIndicator(1), True)], **OLD)),
    ),
    # Entries (RFC 5280 §5.3).
    "key_compromise": (23, lambda: by_lists(LEAF, crl(middle(), entry(server(), reason(KEY_COMPROMISE))))),
    "hold": (23, lambda: by_lists(LEAF, crl(middle(), entry(server(), reason(HOLD))))),
    "removed_from_the_list": (ACCEPTED, lambda: by_lists(LEAF, crl(middle(), entry(server(), reason(REMOVED))))),
    "unknown_critical_extension_of_the_entry": (36, lambda: by_lists(LEAF, crl(middle(), entry(server(), CRITICAL)))),
    "unknown_critical_extension_of_another_entry": (36, lambda: by_lists(LEAF, crl(middle(), entry(77, CRITICAL)))),
    "unknown_extension_of_the_entry": (23, lambda: by_lists(LEAF, crl(middle(), entry(server(), UNKNOWN)))),
    "reason_that_nobody_knows": (23, lambda: entry_with(b"\x0a\1\7")),
    "reason_that_is_malformed": (23, lambda: entry_with(b"\x0a\5\1")),
    "two_reasons": (23, lambda: entry_with(b"\x0a\1\1", b"\x0a\1\4")),
    # The order of rules.
    "revoked_and_for_another_host": (62, lambda: revoked_and(names=("other.example",))),
    "revoked_and_expired": (23, lambda: revoked_and(not_before=NOW - 2 * DAY, not_after=NOW - DAY)),
    "revoked_and_for_clients_only": (26, lambda: revoked_and(purposes=())),
    "revoked_and_not_signed_by_the_issuer": (23, revoked_and_not_signed_by_the_issuer),
    # Clients.
    "client": (ACCEPTED, lambda: for_clients(LEAF, crl(middle()))),
    "revoked_client": (23, lambda: for_clients(LEAF, crl(middle(), client()))),
    "revoked_client_and_nobody_asks": (ACCEPTED, lambda: for_clients(0, crl(middle(), client()))),
    "no_list_for_a_client": (3, lambda: for_clients(LEAF)),
    "stale_list_for_a_client": (12, lambda: for_clients(LEAF, crl(middle(), **STALE))),
    "forged_list_for_a_client": (8, lambda: for_clients(LEAF, crl(middle(), key=spare_key(1)))),
    "revoked_intermediate_of_a_client": (23, lambda: for_clients(CHAIN, crl(middle()), crl(top(), middle()))),
}
"""The code that both libraries give, and the case."""

DIFFERENT: dict[str, tuple[int, int, str, Made]] = {
    "only_some_reasons": (
        3,
        44,
        "the code says why the list does not count, OpenSSL's says only that there is none that does",
        lambda: by_lists(LEAF, crl(middle(), extensions=[scope(reasons=SOME_REASONS)])),
    ),
    "indirect": (3, 44, "as above", lambda: by_lists(LEAF, crl(middle(), extensions=[scope(indirect=True)]))),
    "point_of_the_certificate_is_for_some_reasons": (
        3,
        ACCEPTED,
        "RFC 5280 §6.3.3: a list of everything counts whatever the certificate's points say",
        with_point_for_some_reasons,
    ),
    "newer_list_has_an_unknown_critical_extension": (
        ACCEPTED,
        36,
        "the newest list counts, and what it says cannot be known; OpenSSL goes back to the older one",
        lambda: by_lists(LEAF, crl(middle(), **OLD), crl(middle(), extensions=[CRITICAL])),
    ),
    "delta_alone": (
        ACCEPTED,
        3,
        "RFC 5280 §5.2.4: a delta is no complete list; OpenSSL 3.0 takes it for one",
        lambda: by_lists(LEAF, crl(middle(), extensions=[(x509.DeltaCRLIndicator(1), True)])),
    ),
    "critical_reason": (
        36,
        23,
        "a reason is understood, critical or not; OpenSSL understands no critical extension of an entry",
        lambda: by_lists(LEAF, crl(middle(), entry(server(), reason(KEY_COMPROMISE, critical=True)))),
    ),
    "md5": (
        ACCEPTED,
        8,
        "MD5 is not verified at all",
        lambda: with_a_weak_digest("300d06092a864886f70d0101040500", hashes.MD5()),
    ),
    "signed_with_the_issuers_key_before": (
        ACCEPTED,
        3,
        "a list counts when the key signed it that signed the certificate, and no other of the same name",
        lambda: of_the_key_before(revoked=False),
    ),
    "revoked_with_the_issuers_key_before": (23, 3, "as above", lambda: of_the_key_before(revoked=True)),
    "key_identifier_with_another_serial": (
        3,
        ACCEPTED,
        "the signature shows whose list it is",
        identified_by_another_serial,
    ),
    "trusted_leaf_is_the_end": (
        ACCEPTED,
        3,
        "the path ends at the trusted certificate: nobody vouches for who issued it",
        lambda: by_lists(LEAF | PARTIAL, crl(middle()), trusted=[server()]),
    ),
    "intermediate_that_one_of_two_roots_revokes": (
        23,
        ACCEPTED,
        "a path that is refused is given up for another one; OpenSSL builds one only",
        cross_signed_and_revoked_by_one,
    ),
}
"""Deliberate differences: the code of `ssl`, that of fasttls, why, and the case."""
