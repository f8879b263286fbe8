"""The fields of a certificate, found in its DER: what `cryptography` says of them, and ValueError for anything else."""

from __future__ import annotations

import base64
import contextlib
import copy
import datetime
import ipaddress
import os
import pickle
import random
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import cryptography_vectors
import pytest
from certs import DAY, distinguished_name
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st
from trust.forge import (
    ECDSA_SHA1,
    ECDSA_SHA256,
    Entity,
    elements,
    extension,
    fields,
    inside,
    intermediate,
    leaf,
    make,
    root,
    sign_fields,
    spare_key,
    tlv,
)

from fasttls.native._x509 import CertificateFields, canonical_name, dotted
from fasttls.trust.certificate import Certificate

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd certificates

# The places of a TBSCertificate's fields.
VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, SPKI, EXTENSIONS = range(8)

HANDLED = frozenset(f"2.5.29.{last}" for last in (15, 17, 19, 30, 31, 32, 33, 36, 37, 54))
"""What may be critical: see RFC 5280 §4.2.1 and what OpenSSL understands by itself."""


@cache
def top() -> Entity:
    """Return the root that signs most of what is made here."""
    return root(key=spare_key(0))


@cache
def plain() -> Entity:
    """Return an ordinary server's certificate."""
    return leaf(top(), key=spare_key(1))


def changed(place: int, field: bytes, *, of: Entity | None = None) -> bytes:
    """Return a certificate with one other field."""
    return top().signs(lambda tbs: [*tbs[:place], field, *tbs[place + 1 :]], of or plain())


def with_extensions(*listed: bytes) -> bytes:
    """Return a certificate with these extensions, DER."""
    return changed(EXTENSIONS, tlv(0xA3, tlv(0x30, *listed)))


def with_extension(last: int, value: bytes, *, critical: bytes = b"") -> CertificateFields:
    """Return the fields of a certificate with one extension of the arc id-ce."""
    return CertificateFields(with_extensions(tlv(0x30, bytes((6, 3, 0x55, 0x1D, last)), critical, tlv(4, value))))


# What `cryptography` says.


def name_bytes(name: x509.GeneralName) -> tuple[int, bytes]:
    """Return a GeneralName as the pair of its kind and its bytes."""
    kinds = (
        x509.OtherName,
        x509.RFC822Name,
        x509.DNSName,
        None,
        x509.DirectoryName,
        None,
        x509.UniformResourceIdentifier,
        x509.IPAddress,
        x509.RegisteredID,
    )
    kind = kinds.index(type(name))
    if isinstance(name, x509.IPAddress):
        return kind, name.value.packed  # type: ignore[union-attr]
    if isinstance(name, x509.DirectoryName):
        return kind, name.value.public_bytes()
    if isinstance(name, x509.OtherName):
        return kind, oid_der(name.type_id) + tlv(0xA0, name.value)
    if isinstance(name, x509.RegisteredID):
        return kind, inside(oid_der(name.value))
    return kind, name.value.encode("utf-8")


def oid_der(oid: x509.ObjectIdentifier) -> bytes:
    """Return the DER of an object identifier, by way of `cryptography`."""
    return elements(inside(x509.ExtendedKeyUsage([oid]).public_bytes()))[0]


def usage_mask(usage: x509.KeyUsage) -> int:
    """Return a key usage as a mask, digitalSignature first (RFC 5280 §4.2.1.3)."""
    agreement = usage.key_agreement
    bits = (
        usage.digital_signature,
        usage.content_commitment,
        usage.key_encipherment,
        usage.data_encipherment,
        agreement,
        usage.key_cert_sign,
        usage.crl_sign,
        agreement and usage.encipher_only,
        agreement and usage.decipher_only,
    )
    return sum(bool(bit) << place for place, bit in enumerate(bits))


def key_of(found: x509.Certificate) -> tuple[str, int]:
    """Return the kind and the bits of a public key."""
    if found.public_key_algorithm_oid.dotted_string == "1.2.840.113549.1.1.10":
        key = found.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        return "rsa-pss", key.key_size
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ec", key.curve.key_size
    return ("dsa", 0) if isinstance(key, dsa.DSAPublicKey) else ("other", 0)


def assert_same(der: bytes) -> CertificateFields:
    """Compare every field with what `cryptography` says, and return them."""
    ours, theirs = CertificateFields(der), x509.load_der_x509_certificate(der)
    assert ours.fault is None
    assert_same_outside(ours, theirs, der)
    assert_same_extensions(ours, theirs)
    return ours


def assert_same_outside(ours: CertificateFields, theirs: x509.Certificate, der: bytes) -> None:
    """Compare all but the extensions."""
    assert ours.der == der
    assert ours.tbs == theirs.tbs_certificate_bytes
    assert int.from_bytes(ours.serial, "big", signed=True) == theirs.serial_number
    assert ours.version == theirs.version.value + 1
    assert ours.signature == theirs.signature
    assert ours.signature_algorithm == elements(inside(der))[1]
    assert dotted(inside(elements(inside(ours.signature_algorithm))[0])) == theirs.signature_algorithm_oid.dotted_string
    assert ours.not_before == theirs.not_valid_before_utc.timestamp()
    assert ours.not_after == theirs.not_valid_after_utc.timestamp()
    assert ours.issuer_der == theirs.issuer.public_bytes()
    assert ours.subject_der == theirs.subject.public_bytes()
    assert ours.issuer == canonical_name(ours.issuer_der)
    assert ours.subject == canonical_name(ours.subject_der)
    assert ours.self_issued == (ours.issuer == ours.subject)
    try:
        kind = key_of(theirs)
        key = theirs.public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        digest = x509.SubjectKeyIdentifier.from_public_key(key).digest  # type: ignore[arg-type]
    except (ValueError, UnsupportedAlgorithm):
        return  # a key that `cryptography` does not read, or does not know
    if kind[0] == "ec" and elements(inside(elements(inside(ours.spki))[0]))[1][0] != 6:
        assert ours.key_bits == 0  # RFC 5480 §2.1.1: a curve is named; one that is spelt out counts for nothing
        return
    assert (ours.key_kind, ours.key_bits) == kind
    if kind[0] != "rsa-pss":
        assert ours.spki == spki
    hashed = hashes.Hash(hashes.SHA1())
    hashed.update(ours.subject_public_key)
    assert hashed.finalize() == digest


def assert_same_extensions(ours: CertificateFields, theirs: x509.Certificate) -> None:
    """Compare the extensions."""
    listed = {extension.oid.dotted_string: extension for extension in theirs.extensions}
    assert [dotted(oid) for oid in ours.extension_values] == list(listed)
    for oid, (critical, _) in ours.extension_values.items():
        assert critical is listed[dotted(oid)].critical
    expected = [oid for oid, one in listed.items() if one.critical and oid not in HANDLED]
    assert [dotted(oid) for oid in ours.unhandled] == expected
    values = {oid: one.value for oid, one in listed.items()}
    constraints = values.get("2.5.29.19")
    assert ours.has_basic_constraints == (constraints is not None)
    assert (ours.ca, ours.path_length) == ((constraints.ca, constraints.path_length) if constraints else (False, None))
    usage = values.get("2.5.29.15")
    assert ours.key_usage == (-1 if usage is None else usage_mask(usage))
    uses = values.get("2.5.29.37")
    found = None if ours.extended_key_usage is None else [dotted(oid) for oid in ours.extended_key_usage]
    assert found == (None if uses is None else [oid.dotted_string for oid in uses])
    names = values.get("2.5.29.17")
    assert ours.alternative_names == (None if names is None else tuple(map(name_bytes, names)))
    identifier = values.get("2.5.29.14")
    assert ours.subject_key_identifier == (None if identifier is None else identifier.digest)
    authority = values.get("2.5.29.35")
    assert ours.authority_key_identifier == (None if authority is None else authority.key_identifier)
    number = None if authority is None else authority.authority_cert_serial_number
    assert (
        None if ours.authority_serial is None else int.from_bytes(ours.authority_serial, "big", signed=True)
    ) == number


# Fields that are right.


KEYS: dict[str, Callable[[], object]] = {
    "rsa-1024": lambda: spare_key(0, "rsa-1024"),
    "rsa-2048": lambda: spare_key(0, "rsa-2048"),
    "rsa-3072": lambda: spare_key(0, "rsa-3072"),
    "dsa": lambda: dsa.generate_private_key(1024),
    "ed25519": lambda: spare_key(0, "ed25519"),
    "ed448": lambda: spare_key(0, "ed448"),
    "mldsa44": mldsa.MLDSA44PrivateKey.generate,
    "mldsa65": mldsa.MLDSA65PrivateKey.generate,
    "mldsa87": mldsa.MLDSA87PrivateKey.generate,
    **{
        curve.name: lambda curve=curve: ec.generate_private_key(curve)
        for curve in (
            kind()
            for kind in (
                ec.SECP192R1,
                ec.SECP224R1,
                ec.SECP256R1,
                ec.SECP384R1,
                ec.SECP521R1,
                ec.SECP256K1,
                ec.BrainpoolP256R1,
                ec.BrainpoolP384R1,
                ec.BrainpoolP512R1,
            )
        )
    },
}


@pytest.mark.parametrize("kind", KEYS)
def test_key_of_every_kind(kind: str) -> None:
    found = assert_same(leaf(top(), key=KEYS[kind]()).der)
    number = re.search(r"\d+", kind)
    if kind.startswith("rsa"):
        assert (found.key_kind, found.key_bits) == ("rsa", int(kind[4:]))
    elif "ed" in kind or "dsa" in kind:
        assert (found.key_kind, found.key_bits) == ("dsa" if kind == "dsa" else "other", 0)
    else:
        assert number is not None
        assert (found.key_kind, found.key_bits) == ("ec", int(number[0]))


def test_every_curve_that_cryptography_has_is_among_them() -> None:
    usable = set()
    for curve in (kind() for kind in ec.EllipticCurve.__subclasses__()):
        try:
            ec.generate_private_key(curve)
        except UnsupportedAlgorithm:  # a curve of the past, which this build does not have
            continue
        usable.add(curve.name)
    assert usable <= set(KEYS)


@pytest.mark.parametrize(
    "kind", ["p256", "p384", "p521", "p224", "rsa-1024", "rsa-2048", "rsa-3072", "ed25519", "ed448"]
)
def test_signature_of_every_kind(kind: str) -> None:
    issuer = root(key=spare_key(0, kind))
    assert_same(issuer.der)
    assert_same(leaf(issuer, key=spare_key(1)).der)


def test_signature_with_pss_has_its_parameters() -> None:
    found = assert_same(leaf(root(key=spare_key(0, "rsa-2048")), key=spare_key(1), pss=True).der)
    assert len(found.signature_algorithm) > 30


def test_pss_key_is_told_from_an_rsa_key() -> None:
    spki = fields(leaf(top(), key=spare_key(0, "rsa-2048")).der)[SPKI]
    as_pss = spki.replace(bytes.fromhex("300d06092a864886f70d0101010500"), bytes.fromhex("300b06092a864886f70d01010a"))
    found = CertificateFields(changed(SPKI, tlv(0x30, inside(as_pss))))
    assert (found.key_kind, found.key_bits) == ("rsa-pss", 2048)


@pytest.mark.parametrize("leading", [0, 1, 3])
@pytest.mark.parametrize("bits", [1, 7, 8, 9, 1023, 1024, 2047, 4096, 16384])
def test_bits_of_a_modulus_are_counted_from_the_first_that_is_one(bits: int, leading: int) -> None:
    modulus = (1 << bits) - 1
    number = bytes(leading) + modulus.to_bytes((bits + 8) // 8, "big")
    key = tlv(0x30, tlv(2, number), tlv(2, b"\1\0\1"))
    spki = tlv(0x30, bytes.fromhex("300d06092a864886f70d0101010500"), tlv(3, b"\0", key))
    assert CertificateFields(changed(SPKI, spki)).key_bits == bits


def test_curve_that_is_not_known_has_no_bits() -> None:
    spki = tlv(0x30, tlv(0x30, bytes.fromhex("06072a8648ce3d0201"), tlv(6, b"\x2a\3\4")), tlv(3, b"\0\4"))
    found = CertificateFields(changed(SPKI, spki))
    assert (found.key_kind, found.key_bits) == ("ec", 0)
    assert found.subject_public_key == b"\4"


def utc(text: str) -> bytes:
    return tlv(0x17, text.encode())


def generalized(text: str) -> bytes:
    return tlv(0x18, text.encode())


MOMENTS = {
    utc("500101000000Z"): (1950, 1, 1),
    utc("491231235959Z"): (2049, 12, 31, 23, 59, 59),
    utc("000101000000Z"): (2000, 1, 1),
    utc("991231235959Z"): (1999, 12, 31, 23, 59, 59),
    utc("700101000000Z"): (1970, 1, 1),
    utc("691231235959Z"): (1969, 12, 31, 23, 59, 59),
    utc("000229120000Z"): (2000, 2, 29, 12),
    utc("240229000000Z"): (2024, 2, 29),
    utc("240301000000Z"): (2024, 3, 1),
    utc("230228235959Z"): (2023, 2, 28, 23, 59, 59),
    utc("380119031407Z"): (2038, 1, 19, 3, 14, 7),
    utc("380119031408Z"): (2038, 1, 19, 3, 14, 8),
    generalized("20500101000000Z"): (2050, 1, 1),
    generalized("20491231235959Z"): (2049, 12, 31, 23, 59, 59),
    generalized("21000228235959Z"): (2100, 2, 28, 23, 59, 59),
    generalized("21000301000000Z"): (2100, 3, 1),
    generalized("24000229010203Z"): (2400, 2, 29, 1, 2, 3),
    generalized("99991231235959Z"): (9999, 12, 31, 23, 59, 59),
    generalized("19500101000000Z"): (1950, 1, 1),
    generalized("18991231235959Z"): (1899, 12, 31, 23, 59, 59),
    generalized("19000301000000Z"): (1900, 3, 1),
    generalized("00010101000000Z"): (1, 1, 1),
}


@pytest.mark.parametrize("moment", MOMENTS, ids=lambda one: one[2:].decode())
def test_moment_is_seconds_since_the_epoch(moment: bytes) -> None:
    # RFC 5280 §4.1.2.5.1: from 50 on, a UTCTime's year is of the last century.
    year, month, day, *rest = MOMENTS[moment]
    hour, minute, second = (*rest, 0, 0, 0)[:3]
    expected = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.UTC).timestamp()
    der = changed(VALIDITY, tlv(0x30, moment, moment))
    found = CertificateFields(der)
    assert (found.not_before, found.not_after) == (expected, expected)
    try:
        x509.load_der_x509_certificate(der)
    except ValueError:
        assert year < 1950  # which RFC 5280 cannot say
    else:
        assert_same(der)


def test_every_day_of_four_centuries_is_where_the_calendar_has_it() -> None:
    day = datetime.datetime(1999, 12, 30, 1, 2, 3, tzinfo=datetime.UTC)
    tbs = fields(plain().der)
    for _ in range(0, 146_100, 17):
        moment = generalized(day.strftime("%Y%m%d%H%M%SZ"))
        body = tlv(0x30, *tbs[:VALIDITY], tlv(0x30, moment, moment), *tbs[VALIDITY + 1 :])
        assert CertificateFields(tlv(0x30, body, ECDSA_SHA256, b"\3\2\0\0")).not_before == day.timestamp()
        day += 17 * DAY


@pytest.mark.parametrize(
    "moment",
    [
        utc("2401010000Z"),
        utc("240101000000"),
        utc("240101000000+0000"),
        utc("2401010000000Z"),
        utc("240001000000Z"),
        utc("241301000000Z"),
        utc("240100000000Z"),
        utc("240132000000Z"),
        utc("240101240000Z"),
        utc("240101006000Z"),
        utc("240101000060Z"),
        utc("24010100000 Z"),
        utc("24010100000\0Z"),
        utc("-40101000000Z"),
        utc("240101000000z"),
        utc(""),
        generalized("20240101000000"),
        generalized("20240101000000.0Z"),
        generalized("20240101000000+0000"),
        generalized("202401010000Z"),
        generalized("240101000000Z"),
        generalized("2024010100000aZ"),
        utc("20240101000000Z"),
        tlv(0x16, b"240101000000Z"),
        tlv(0x37, b"240101000000Z"),
        b"",
    ],
    ids=repr,
)
def test_moment_that_is_none_is_refused(moment: bytes) -> None:
    # RFC 5280 §4.1.2.5: with seconds, without fractions, in GMT.
    good = utc("240101000000Z")
    for dates in ((moment, good), (good, moment)):
        with pytest.raises(ValueError, match=r"time|DER"):
            CertificateFields(changed(VALIDITY, tlv(0x30, *dates)))


def test_validity_is_two_moments_and_no_more() -> None:
    good = utc("240101000000Z")
    for dates in ((good,), (good, good, good), (good, good, b"\5\0")):
        with pytest.raises(ValueError, match="DER"):
            CertificateFields(changed(VALIDITY, tlv(0x30, *dates)))


@pytest.mark.parametrize(
    "serial", [1, 127, 128, 255, 256, 2**63, 2**64, 2**152 - 1, 2**159 - 1, 2**159, 2**200, 2**400, 0, -1, -129]
)
def test_serial_number_of_any_size(serial: int) -> None:
    body = serial.to_bytes(serial.bit_length() // 8 + 1, "big", signed=True)
    found = assert_same(changed(SERIAL, tlv(2, body)))
    assert found.serial == body


def test_first_version_has_no_extensions() -> None:
    der = sign_fields(fields(plain().der)[1:EXTENSIONS], top().key)
    found = assert_same(der)
    assert found.version == 1
    assert found.extension_values == {}
    assert (found.key_usage, found.extended_key_usage, found.alternative_names) == (-1, None, None)


def test_unique_identifiers_are_passed_over() -> None:
    for present in ((0x81,), (0x82,), (0x81, 0x82)):
        identifiers = [tlv(tag, b"\0\xaa") for tag in present]
        der = top().signs(lambda tbs, ids=identifiers: [*tbs[:EXTENSIONS], *ids, tbs[EXTENSIONS]], plain())
        assert assert_same(der).alternative_names == ((2, b"localhost"),)


def names(*listed: x509.GeneralName, critical: bool = False) -> list[tuple[x509.ExtensionType, bool]]:
    return [(x509.SubjectAlternativeName(listed), critical)]


ATTRIBUTES = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ördung"), *distinguished_name("x")])
GENERAL_NAMES = {
    "other name": x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), tlv(0x0C, b"user@example.com")),
    "mail address": x509.RFC822Name("user@example.com"),
    "host name": x509.DNSName("example.com"),
    "wildcard": x509.DNSName("*.example.com"),
    "directory name": x509.DirectoryName(ATTRIBUTES),
    "URI": x509.UniformResourceIdentifier("https://example.com/a?b#c"),
    "IPv4 address": x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
    "IPv6 address": x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
    "registered identifier": x509.RegisteredID(x509.ObjectIdentifier("1.2.840.113549.1.1")),
}


@pytest.mark.parametrize("kind", GENERAL_NAMES)
def test_general_name_of_every_kind(kind: str) -> None:
    name = GENERAL_NAMES[kind]
    found = assert_same(make("leaf", top(), key=spare_key(1), extensions=names(name)).der)
    assert found.alternative_names == (name_bytes(name),)


def test_general_names_keep_their_order() -> None:
    listed = [*GENERAL_NAMES.values(), *reversed(GENERAL_NAMES.values())]
    found = assert_same(make("leaf", top(), key=spare_key(1), extensions=names(*listed, critical=True)).der)
    assert found.alternative_names == tuple(map(name_bytes, listed))


@pytest.mark.parametrize("kind", [3, 5])
def test_general_name_that_cryptography_does_not_read(kind: int) -> None:
    # RFC 5280 §4.2.1.6: x400Address and ediPartyName.
    content = tlv(0xA1, tlv(0x0C, b"party"))
    assert with_extension(17, tlv(0x30, tlv(0xA0 | kind, content))).alternative_names == ((kind, content),)


@pytest.mark.parametrize("bit", range(9))
def test_bit_of_the_key_usage_alone(bit: int) -> None:
    octets = bytearray(1 + bit // 8)
    octets[bit // 8] = 0x80 >> bit % 8
    value = tlv(3, bytes((7 - bit % 8,)), octets)
    der = leaf(top(), key=spare_key(1), usage=None, extensions=[extension("2.5.29.15", value, critical=True)]).der
    found = CertificateFields(der)
    assert found.key_usage == 1 << bit
    assert found.fault is None
    if bit < 7:  # `cryptography` reads the last two beside keyAgreement alone
        assert_same(der)


def test_all_bits_of_the_key_usage() -> None:
    usage = x509.KeyUsage(*[True] * 9)
    found = assert_same(leaf(top(), key=spare_key(1), usage=None, extensions=[(usage, False)]).der)
    assert found.key_usage == 0x1FF


@pytest.mark.parametrize(
    ("value", "mask"),
    [
        ("030100", 0),
        ("03020780", 1),
        ("03020080", 1),
        ("030205a0", 5),
        ("0303070080", 1 << 8),
        ("0304000080ff", 1 << 8),
    ],
)
def test_bits_of_the_key_usage_that_are_not_named_do_not_count(value: str, mask: int) -> None:
    assert with_extension(15, bytes.fromhex(value)).key_usage == mask


def test_unused_bits_of_the_key_usage_do_not_count() -> None:
    # X.690 §8.6.2: five bits are unused, and digitalSignature alone is there, whatever they hold.
    assert with_extension(15, bytes.fromhex("030207ff")).key_usage == 1


PURPOSES = [
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    x509.ObjectIdentifier("2.999.1234567890.1"),
    x509.ObjectIdentifier("0.0"),
    x509.ObjectIdentifier("1.39.128"),
]


@pytest.mark.parametrize("count", range(1, len(PURPOSES) + 1))
def test_extended_key_usages(count: int) -> None:
    for listed in (PURPOSES[:count], PURPOSES[-count:]):
        found = assert_same(leaf(top(), key=spare_key(1), purposes=tuple(listed)).der)
        assert found.extended_key_usage is not None
        assert len(found.extended_key_usage) == count


@pytest.mark.parametrize("length", [None, 0, 1, 127, 128, 255, 65536, 2**31, 2**54])
def test_path_length_of_any_size(length: int | None) -> None:
    found = assert_same(intermediate("CA", top(), key=spare_key(1), path_length=length).der)
    assert found.ca
    assert found.path_length == length


def test_path_length_that_is_beyond_all_paths_is_large() -> None:
    found = with_extension(19, tlv(0x30, b"\1\1\xff", tlv(2, b"\x01" + bytes(20))))
    assert found.fault is None
    assert found.path_length is not None
    assert found.path_length > 1_000_000


def test_basic_constraints_of_no_authority() -> None:
    found = with_extension(19, tlv(0x30))
    assert (found.has_basic_constraints, found.ca, found.path_length) == (True, False, None)


ISSUER_NAMES = [x509.DirectoryName(distinguished_name("Root"))]


@pytest.mark.parametrize("key_identifier", [None, b"", b"key", bytes(64)])
@pytest.mark.parametrize("serial", [None, 1, 2**159 - 1])
def test_authority_key_identifier(key_identifier: bytes | None, serial: int | None) -> None:
    value = x509.AuthorityKeyIdentifier(key_identifier, None if serial is None else ISSUER_NAMES, serial)
    found = assert_same(leaf(top(), key=spare_key(1), identifiers=False, extensions=[(value, False)]).der)
    assert found.authority_key_identifier == key_identifier
    assert (found.authority_serial is None) == (serial is None)


@pytest.mark.parametrize("issuer", [False, True])
def test_half_of_what_names_a_certificate_is_a_fault(issuer: bool) -> None:
    # RFC 5280 §4.2.1.1: authorityCertIssuer and authorityCertSerialNumber are both there, or neither.
    half = tlv(0xA1, tlv(0x82, b"a")) if issuer else tlv(0x82, b"\1")
    found = with_extension(35, tlv(0x30, tlv(0x80, b"key"), half))
    assert found.fault is not None
    assert "half" in found.fault


@pytest.mark.parametrize("subject", [x509.Name([]), ATTRIBUTES, distinguished_name("x" * 64)], ids=lambda one: len(one))
def test_subject_of_any_length(subject: x509.Name) -> None:
    found = assert_same(make(subject, top(), key=spare_key(1), names=("localhost",)).der)
    assert len(found.subject) == len(subject.rdns)
    assert not found.self_issued


def test_self_issued_is_by_the_name_that_matches() -> None:
    # RFC 5280 §6.1: the same name, in another case too.
    lower, upper = distinguished_name("one  name"), distinguished_name("ONE NAME")
    der = top().signs(lambda tbs: [*tbs[:ISSUER], upper.public_bytes(), *tbs[ISSUER + 1 :]], make(lower, top()))
    found = CertificateFields(der)
    assert found.self_issued
    assert found.issuer_der != found.subject_der


def test_extensions_that_are_not_read_here_are_noticed() -> None:
    other = extension("1.2.3.4", b"\5\0", critical=True)
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.3"), None)]), True
    found = assert_same(leaf(top(), key=spare_key(1), extensions=[other, policies]).der)
    assert [dotted(oid) for oid in found.unhandled] == ["1.2.3.4"]
    assert found.extension_values.keys() > assert_same(plain().der).extension_values.keys()


def test_critical_identifiers_are_not_handled() -> None:
    # As in OpenSSL, which refuses a critical key identifier as unknown.
    identifiers = [
        (x509.SubjectKeyIdentifier(b"1234"), True),
        (x509.AuthorityKeyIdentifier(b"1234", None, None), True),
    ]
    found = assert_same(leaf(top(), key=spare_key(1), identifiers=False, extensions=identifiers).der)
    assert [dotted(oid) for oid in found.unhandled] == ["2.5.29.14", "2.5.29.35"]


def test_signature_is_given_with_its_unused_bits() -> None:
    der = sign_fields(fields(plain().der), top().key, unused_bits=3)
    found = CertificateFields(der)
    assert found.unused_bits == 3
    assert assert_same(plain().der).unused_bits == 0


PEM = re.compile(rb"-----BEGIN CERTIFICATE-----\s*?\n([^-]*)-----END CERTIFICATE-----")


def published() -> Iterator[bytes]:
    """Yield every certificate of cryptography_vectors, DER, those that are none among them."""
    seen = set()
    for file in sorted((Path(cryptography_vectors.__file__).parent / "x509").rglob("*")):
        if file.is_file():
            data = file.read_bytes()
            for der in [data] if data[:1] == b"\x30" else [base64.b64decode(one) for one in PEM.findall(data)]:
                if der not in seen:
                    seen.add(der)
                    yield der


def test_published_certificates() -> None:
    compared = 0
    for der in published():
        try:
            theirs = x509.load_der_x509_certificate(der)
            theirs.issuer.public_bytes(), theirs.subject.public_bytes()
            len(theirs.extensions)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion):
            continue
        ours = CertificateFields(der)
        assert_same_outside(ours, theirs, der)
        if ours.fault is None:
            assert_same_extensions(ours, theirs)
            compared += 1
    assert compared > 400


def test_published_files_that_are_no_certificates_raise_value_error_or_are_read() -> None:
    for file in sorted((Path(cryptography_vectors.__file__).parent / "x509").rglob("*")):
        if file.is_file():
            harmless(file.read_bytes())


# Faults in extensions: the certificate can be named, and is not to be relied on.


@pytest.mark.parametrize(
    ("last", "value"),
    [
        (19, "0500"),
        (19, "3003010101"),
        (19, "30030101ff00"),
        (19, "3002010100"),
        (19, "30020101"),
        (19, "30060101ff0201ff"),
        (19, "30050101ff0200"),
        (19, "30050101ff0500"),
        (19, "30090101ff020100020100"),
        (19, "30070101ff02020000"),  # X.690 §8.3.2: an INTEGER in as few octets as it needs
        (15, "0300"),
        (15, "030108"),
        (15, "030107"),
        (15, "020100"),
        (15, "230403020780"),
        (37, "0500"),
        (37, "30020500"),
        (37, "3003060255"),
        (17, "30118710" + "00" * 15),
        (17, "30028201ff"),
        (17, "30038901ff"),
        (17, "3003420161"),
        (17, "3003020161"),
        (17, "30039f8161"),
        (14, "0500"),
        (14, "0401000500"),
        (35, "0500"),
        (35, "3003020100"),
        (35, "300580010081"),
        (35, "30058201018000"),
    ],
)
def test_malformed_extension_is_a_fault(last: int, value: str) -> None:
    found = with_extension(last, bytes.fromhex(value))
    assert found.fault
    assert found.subject == plain_subject()


def plain_subject() -> tuple[bytes, ...]:
    return CertificateFields(plain().der).subject


@pytest.mark.parametrize("kind", [1, 2, 6, 7])
def test_general_name_of_a_string_is_primitive(kind: int) -> None:
    # X.690 §10.2: a string in DER is not constructed; OpenSSL and `cryptography` call such a certificate invalid.
    content = b"localhost" if kind != 7 else bytes((127, 0, 0, 1))
    assert with_extension(17, tlv(0x30, tlv(0xA0 | kind, content))).fault is not None


@pytest.mark.parametrize("kind", [0, 4])
def test_general_name_of_a_structure_is_constructed(kind: int) -> None:
    assert with_extension(17, tlv(0x30, tlv(0x80 | kind, b"\x30\x00"))).fault is not None


def test_value_of_an_extension_has_nothing_behind_it() -> None:
    for last, value in ((19, tlv(0x30)), (15, b"\3\2\7\x80"), (37, tlv(0x30)), (17, tlv(0x30)), (14, tlv(4, b"1"))):
        assert with_extension(last, value).fault is None
        assert with_extension(last, value + b"\0").fault is not None


@pytest.mark.parametrize("critical", ["0101fe", "010101", "0100", "01020000"])
def test_criticality_is_true_or_false(critical: str) -> None:
    # X.690 §11.1.
    assert with_extension(19, tlv(0x30), critical=bytes.fromhex(critical)).fault is not None


def test_extension_that_is_there_twice_is_a_fault() -> None:
    one = tlv(0x30, bytes((6, 3, 0x55, 0x1D, 19)), tlv(4, tlv(0x30)))
    assert "twice" in (CertificateFields(with_extensions(one, one)).fault or "")
    other = tlv(0x30, bytes((6, 3, 0x2A, 3, 4)), tlv(4))
    assert "twice" in (CertificateFields(with_extensions(other, other)).fault or "")


def test_extension_has_nothing_behind_its_value() -> None:
    one = tlv(0x30, bytes((6, 3, 0x55, 0x1D, 19)), tlv(4, tlv(0x30)), b"\5\0")
    assert CertificateFields(with_extensions(one)).fault is not None


def test_algorithm_inside_is_the_algorithm_outside() -> None:
    # RFC 5280 §4.1.1.2.
    found = CertificateFields(sign_fields(fields(plain().der), top().key, outer=ECDSA_SHA1))
    assert "algorithm" in (found.fault or "")


def test_name_that_is_malformed_is_like_itself_alone() -> None:
    bad = tlv(0x30, tlv(0x31, tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, b"\xff"))))
    found = CertificateFields(changed(SUBJECT, bad))
    assert "name" in (found.fault or "")
    assert found.subject == (bad,)
    assert found.subject_der == bad


# Bytes that are no certificate.


def refused(work: Callable[[], object]) -> bool:
    """Return whether what is done raises ValueError, whatever the words."""
    try:
        work()
    except ValueError:
        return True
    return False


def harmless(der: bytes) -> CertificateFields | None:
    """Read the bytes; what they are not must be a ValueError, and every field that there is can be looked at."""
    try:
        found = CertificateFields(der)
    except ValueError:
        return None
    for name in vars(CertificateFields):
        if not name.startswith("_"):
            try:
                getattr(found, name)
            except ValueError:
                assert name == "subject_public_key"
    for oid in (*found.extension_values, *found.unhandled, *(found.extended_key_usage or ())):
        with contextlib.suppress(ValueError):
            dotted(oid)
    return found


def agree(der: bytes) -> None:
    """Read the bytes; when `cryptography` reads them too, the fields that paths depend on must be the same."""
    found = harmless(der)
    if found is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = x509.load_der_x509_certificate(der)
        except (ValueError, x509.InvalidVersion):
            return
        assert found.tbs == theirs.tbs_certificate_bytes
        assert found.signature == theirs.signature
        assert int.from_bytes(found.serial, "big", signed=True) == theirs.serial_number
        assert found.version == theirs.version.value + 1
        assert found.not_before == theirs.not_valid_before_utc.timestamp()
        assert found.not_after == theirs.not_valid_after_utc.timestamp()
        if found.fault is not None:
            return
        try:
            listed = {one.oid.dotted_string: one for one in theirs.extensions}
            assert_same_extensions(found, theirs)
        except (ValueError, x509.UnsupportedGeneralNameType):
            return  # stricter than what is read here
        assert len(listed) == len(found.extension_values)


@cache
def rich() -> bytes:
    """Return a certificate with every extension that is read here."""
    authority = x509.AuthorityKeyIdentifier(b"key", ISSUER_NAMES, 5)
    alternative = x509.SubjectAlternativeName(list(GENERAL_NAMES.values()))
    identifiers = [(x509.SubjectKeyIdentifier(b"1234"), False), (authority, False), (alternative, False)]
    more = [extension("1.2.3.4", b"\5\0", critical=True)]
    return intermediate(
        "CA", top(), key=spare_key(1), path_length=3, identifiers=False, extensions=[*identifiers, *more],
        purposes=tuple(PURPOSES),
    ).der  # fmt: skip


def test_rich_certificate_is_read() -> None:
    assert_same(rich())


def test_certificate_that_is_cut_short_at_any_place_is_refused() -> None:
    for der in (rich(), plain().der, leaf(top(), key=spare_key(0, "rsa-2048")).der):
        for size in range(len(der)):
            with pytest.raises(ValueError, match="DER"):
                CertificateFields(der[:size])
        with pytest.raises(ValueError, match="left over"):
            CertificateFields(der + b"\0")


def test_certificate_that_is_cut_short_inside_is_no_crash() -> None:
    # The outermost lengths are right, what is in them is cut.
    body = inside(elements(inside(rich()))[0])
    for size in range(len(body)):
        harmless(tlv(0x30, tlv(0x30, body[:size]), ECDSA_SHA256, b"\3\2\0\0"))


@pytest.mark.parametrize("change", [0x01, 0x02, 0x20, 0x40, 0x7F, 0x80, 0xFF])
def test_byte_that_is_changed_raises_value_error_or_is_read_as_cryptography_does(change: int) -> None:
    good = rich()
    for position in range(len(good)):
        spoilt = bytearray(good)
        spoilt[position] ^= change
        agree(bytes(spoilt))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_bytes_that_are_put_in_and_taken_out(data: st.DataObject) -> None:
    good = rich()
    spoilt = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(spoilt)))
        stop = data.draw(st.integers(start, min(len(spoilt), start + 6)))
        spoilt[start:stop] = data.draw(st.binary(max_size=6))
    agree(bytes(spoilt))


def test_bytes_that_are_changed_here_and_there() -> None:
    draw, good = random.Random(5280), rich()
    for _ in range(15_000):
        spoilt = bytearray(good)
        for _ in range(draw.randint(1, 4)):
            start = draw.randrange(len(spoilt))
            spoilt[start : start + draw.choice((0, 1, 1, 1, 2, 5))] = draw.randbytes(draw.choice((0, 1, 1, 1, 2)))
        agree(bytes(spoilt))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.binary(max_size=100))
def test_any_bytes(data: bytes) -> None:
    harmless(data)
    for function in (canonical_name, dotted):
        with contextlib.suppress(ValueError):
            function(data)


TAGS = [
    0x01,
    0x02,
    0x03,
    0x04,
    0x06,
    0x0C,
    0x13,
    0x17,
    0x18,
    0x1E,
    0x30,
    0x31,
    0x80,
    0x81,
    0x82,
    0x87,
    0xA0,
    0xA1,
    0xA3,
]


def trees() -> st.SearchStrategy[bytes]:
    """Return well formed DER of any shape."""
    leaves = st.builds(tlv, st.sampled_from(TAGS), st.binary(max_size=20))
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=5).flatmap(lambda parts: st.sampled_from(TAGS).map(
            lambda tag: tlv(tag, *parts))), max_leaves=20,
    )  # fmt: skip


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.integers(0, EXTENSIONS), trees())
def test_any_der_in_the_place_of_a_field(place: int, field: bytes) -> None:
    tbs = fields(rich())
    body = tlv(0x30, *tbs[:place], field, *tbs[place + 1 :])
    agree(tlv(0x30, body, ECDSA_SHA256, b"\3\2\0\0"))


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.sampled_from([14, 15, 17, 19, 35, 37]), trees())
def test_any_der_in_the_place_of_an_extension(last: int, value: bytes) -> None:
    one = tlv(0x30, bytes((6, 3, 0x55, 0x1D, last)), tlv(4, value))
    body = tlv(0x30, *fields(rich())[:EXTENSIONS], tlv(0xA3, tlv(0x30, one)))
    agree(tlv(0x30, body, ECDSA_SHA256, b"\3\2\0\0"))


LENGTHS: dict[str, Callable[[bytes], bytes]] = {
    "not minimal": lambda body: b"\x81" + bytes((len(body),)) if len(body) < 0x80 else b"\x84" + long(body, 4),
    "two bytes for one": lambda body: b"\x82" + long(body, 2) if len(body) < 256 else b"\x83" + long(body, 3),
    "four bytes": lambda body: b"\x84" + long(body, 4),
    "five bytes": lambda body: b"\x85" + long(body, 5),
    "eight bytes": lambda body: b"\x88" + long(body, 8),
    "huge": lambda _: b"\x84\xff\xff\xff\xff",
    "huge and signed": lambda _: b"\x84\x80\x00\x00\x00",
    "larger than any": lambda _: b"\x88" + b"\xff" * 8,
    "reserved": lambda _: b"\xff",
    "one too long": lambda body: length(len(body) + 1),
    "one too short": lambda body: length(len(body) - 1) if body else b"\x01",
}


def long(body: bytes, size: int) -> bytes:
    return len(body).to_bytes(size, "big")


def length(size: int) -> bytes:
    return tlv(4, bytes(size))[1:-size] if size else b"\0"


def walk(element: bytes, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yield where the elements are that this module reads: by their places in those that contain them."""
    yield path
    if element[0] in (0x30, 0x31, 0xA0, 0xA3):
        for place, one in enumerate(elements(inside(element))):
            yield from walk(one, (*path, place))


def replaced(element: bytes, path: tuple[int, ...], change: Callable[[bytes], bytes]) -> bytes:
    """Return an element in which another one is changed, and all that are around it made to fit."""
    if not path:
        return change(element)
    parts = elements(inside(element))
    parts[path[0]] = replaced(parts[path[0]], path[1:], change)
    return tlv(element[0], *parts)


@pytest.mark.parametrize("name", LENGTHS)
def test_length_that_is_not_ders_is_refused_wherever_it_is(name: str) -> None:
    # X.690 §10.1: definite, in as few octets as it needs.
    good = plain().der
    accepted = []
    for path in walk(good):
        spoilt = replaced(good, path, lambda one: one[:1] + LENGTHS[name](inside(one)) + inside(one))
        found = harmless(spoilt)
        if found is not None and found.fault is None:
            accepted.append(path)
    # What stands in algorithm identifiers, and in keys other than RSA, is taken whole, and `cryptography` reads it.
    opaque = [path for path in walk(good) if path[:2] in ((0, 2), (0, 6)) or path[:1] == (1,)]
    assert [path for path in accepted if path not in opaque] == []
    for path in accepted:
        assert refused(
            lambda path=path: (
                Certificate(
                    replaced(good, path, lambda one: one[:1] + LENGTHS[name](inside(one)) + inside(one))
                ).public_key
            )
        )


def test_indefinite_length_is_refused_wherever_it_is() -> None:
    good = plain().der
    for path in walk(good):
        spoilt = replaced(good, path, lambda one: one[:1] + b"\x80" + inside(one) + b"\0\0")
        found = harmless(spoilt)
        assert found is None or found.fault is not None


@pytest.mark.parametrize("tag", [0x1F, 0x3F, 0x9F, 0xBF, 0xFF])
def test_long_tag_is_refused(tag: int) -> None:
    with pytest.raises(ValueError, match="tag"):
        CertificateFields(bytes((tag,)) + plain().der[1:])
    assert with_extension(17, tlv(0x30, bytes((tag, 1, 0)))).fault is not None


@pytest.mark.parametrize("version", [b"\x02\x01\x00", b"\x02\x01\x7f", b"\x02\x05\x01\0\0\0\0", tlv(2, b"\x7f" * 6)])
def test_version_of_any_size_is_no_other_error(version: bytes) -> None:
    harmless(changed(VERSION, tlv(0xA0, version)))


@pytest.mark.parametrize("given", [None, "text", 5, bytearray(b"\x30\x00"), memoryview(b"\x30\x00"), [b""]])
def test_what_is_no_bytes_is_a_type_error(given: object) -> None:
    for function in (CertificateFields, canonical_name, dotted):
        with pytest.raises(TypeError):
            function(given)  # type: ignore[operator]


def test_fields_are_not_copied_or_pickled() -> None:
    found = CertificateFields(plain().der)
    for work in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="pickled"):
            work(found)


def test_fields_cannot_be_changed() -> None:
    found = CertificateFields(plain().der)
    for name in ("ca", "der", "key_usage", "fault"):
        with pytest.raises(AttributeError):
            setattr(found, name, None)


def test_object_that_was_not_initialised_reads_no_memory() -> None:
    # In a process of its own: what is tested is that it does not crash.
    code = """
from fasttls.native._x509 import CertificateFields
for bad in (None, b"", b"0"):
    found = CertificateFields.__new__(CertificateFields)
    try:
        found.__init__(bad)
    except (TypeError, ValueError):
        pass
    try:
        found.subject_public_key
    except (AttributeError, TypeError, ValueError):
        pass
    else:
        raise SystemExit("a key of nothing")
"""
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # the modules that this process tests
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=paths, capture_output=True, timeout=60, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


# Time.


def seconds(work: Callable[[], object]) -> float:
    """Return the least of what some runs take."""
    best = 1e9
    for _ in range(2):
        started = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - started)
    return best


def numbered_oid(number: int) -> bytes:
    return bytes((6, 4, 0x2A, 0x80 | number >> 14, 0x80 | number >> 7 & 0x7F, number & 0x7F))


def many_critical_extensions(count: int) -> bytes:
    return with_extensions(
        *(tlv(0x30, numbered_oid(number), b"\1\1\xff", b"\4\0") for number in range(1 << 14, (1 << 14) + count))
    )


def many_names(count: int) -> bytes:
    return with_extensions(
        tlv(0x30, bytes((6, 3, 0x55, 0x1D, 17)), tlv(4, tlv(0x30, *[tlv(0x82, b"a.example")] * count)))
    )


def many_attributes(count: int) -> bytes:
    part = tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, b"Name"))
    return changed(SUBJECT, tlv(0x30, *[tlv(0x31, part)] * count))


def many_in_one_attribute(count: int) -> bytes:
    part = tlv(0x30, bytes.fromhex("0603550403"), tlv(0x0C, "Ä Name".encode()))
    return changed(SUBJECT, tlv(0x30, tlv(0x31, *[part] * count)))


def many_usages(count: int) -> bytes:
    return with_extensions(tlv(0x30, bytes((6, 3, 0x55, 0x1D, 37)), tlv(4, tlv(0x30, *[b"\6\3\x2a\3\4"] * count))))


@pytest.mark.parametrize(
    "many", [many_critical_extensions, many_names, many_attributes, many_in_one_attribute, many_usages]
)
def test_time_grows_with_the_size_and_no_faster(many: Callable[[int], bytes]) -> None:
    # What a peer may send is 256 kB: eight times the parts are about eight times the time, not 64 times.
    small, large = many(2000), many(16_000)
    assert len(large) < 400_000
    few, lots = seconds(lambda: CertificateFields(small)), seconds(lambda: CertificateFields(large))
    assert lots < 48 * few


# Names.


def attribute(text: bytes, tag: int = 0x0C, oid: str = "550403") -> bytes:
    return tlv(0x30, tlv(6, bytes.fromhex(oid)), tlv(tag, text))


def name_of(*rdns: bytes | tuple[bytes, ...]) -> bytes:
    """Return a Name of these RDNs, a tuple for one with several attributes."""
    return tlv(0x30, *(tlv(0x31, *(one if isinstance(one, tuple) else (one,))) for one in rdns))


def canonical(text: str, tag: int = 0x0C, encoding: str = "utf-8") -> tuple[bytes, ...]:
    return canonical_name(name_of(attribute(text.encode(encoding), tag)))


SAME = [
    ("Example", "example"),
    ("EXAMPLE", "example"),
    ("an example", "An  Example"),
    ("an example", "  an\texample "),
    ("an example", "an \n\r\v\f example"),
    ("a", " a "),
    ("", "   "),
    ("ÉCOLE", "école"),
    ("ΣΑΣ", "σας"),
    ("STRASSE", "straße"),
    ("Ünïcödé  Näme", "ÜNÏCÖDÉ NÄME"),
    ("x" * 300, "X" * 300),
    ("x" * 255 + " y", "X" * 255 + "  Y"),
    ("a\u00a0b", "a b"),
    ("\x1ca\x1fb\x1e", "a b"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_case_and_runs_of_space_do_not_count(one: str, other: str) -> None:
    # RFC 5280 §7.1 with RFC 4518 §2.
    assert canonical(one) == canonical(other)


DIFFERENT = [
    ("example", "examples"),
    ("an example", "anexample"),
    ("a b", "ab"),
    ("a", ""),
    ("e\u0301cole", "ecole"),
    ("x" * 256, "x" * 257),
    ("a\0", "a"),
    ("a\0b", "a"),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_other_text_is_another_name(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


STRING_TYPES = {
    "UTF8String": (0x0C, "utf-8"),
    "PrintableString": (0x13, "ascii"),
    "T61String": (0x14, "latin-1"),
    "IA5String": (0x16, "ascii"),
    "VisibleString": (0x1A, "ascii"),
    "NumericString": (0x12, "ascii"),
    "UniversalString": (0x1C, "utf-32-be"),
    "BMPString": (0x1E, "utf-16-be"),
}


@pytest.mark.parametrize("kind", STRING_TYPES)
def test_type_of_the_string_does_not_count(kind: str) -> None:
    tag, encoding = STRING_TYPES[kind]
    for text, same in (("Example  Org", "example org"), ("x" * 300, "X" * 300), ("", "")):
        assert canonical(text, tag, encoding) == canonical(same)


@pytest.mark.parametrize("kind", ["UTF8String", "T61String", "UniversalString", "BMPString"])
def test_text_that_is_not_ascii_is_the_same_in_every_type(kind: str) -> None:
    tag, encoding = STRING_TYPES[kind]
    assert canonical("École  Ñandú", tag, encoding) == canonical("école ñandú")


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.text(alphabet=st.characters(max_codepoint=0x7F), max_size=300))
def test_short_way_and_long_way_are_one(text: str) -> None:
    # ASCII text of few bytes is made canonical in C, anything else in Python.
    utf16 = canonical(text, 0x1E, "utf-16-be")
    assert canonical(text) == utf16
    assert canonical(text, 0x13, "ascii") == utf16
    assert canonical(text) == canonical(text.swapcase())


@settings(max_examples=120, deadline=None, derandomize=True)
@given(st.text(max_size=80), st.text(max_size=80))
def test_two_texts_are_one_name_only_when_they_match(one: str, other: str) -> None:
    def prepared(text: str) -> str:
        return " ".join(text.split()).casefold()

    assert (canonical(one) == canonical(other)) == (prepared(one) == prepared(other))


def test_order_of_attributes_in_one_rdn_does_not_count() -> None:
    # RFC 5280 §7.1: RDNs are sets.
    one, other = attribute(b"a"), attribute(b"b", oid="55040a")
    assert canonical_name(name_of((one, other))) == canonical_name(name_of((other, one)))


def test_order_of_rdns_counts() -> None:
    one, other = attribute(b"a"), attribute(b"b", oid="55040a")
    made = {canonical_name(name_of(*rdns)) for rdns in ((one, other), (other, one), ((one, other),), (one,), (other,))}
    assert len(made) == 5


def test_attribute_counts() -> None:
    assert canonical_name(name_of(attribute(b"a"))) != canonical_name(name_of(attribute(b"a", oid="55040a")))
    assert canonical_name(name_of(attribute(b"a"))) != canonical_name(name_of((attribute(b"a"), attribute(b"a"))))


def test_what_stands_in_one_attribute_is_not_taken_for_two() -> None:
    # Lengths are part of the form: no text can end its attribute and begin another one.
    two = canonical_name(name_of((attribute(b"a"), attribute(b"b", oid="55040a"))))
    whole = two[0]
    for cut in range(1, len(whole)):
        assert canonical_name(name_of(attribute(whole[cut:]))) != two
    assert len({canonical_name(name_of(attribute(text))) for text in (b"1", b"1 1", b"3 1 0 1 1", b"0 1 1")}) == 4


def test_value_that_is_no_string_is_compared_as_it_is() -> None:
    assert canonical_name(name_of(attribute(b"\0AB", 0x03))) != canonical_name(name_of(attribute(b"\0ab", 0x03)))
    assert canonical_name(name_of(attribute(b"AB", 0x04))) != canonical_name(name_of(attribute(b"AB", 0x0C)))


def test_empty_name_has_no_rdns() -> None:
    assert canonical_name(name_of()) == ()


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        b"\x31\x00",
        b"\x30\x00\x00",
        tlv(0x30, tlv(0x30)),
        tlv(0x30, tlv(0x31, b"\x05\x00")),
        tlv(0x30, tlv(0x31, tlv(0x30))),
        tlv(0x30, tlv(0x31, tlv(0x30, tlv(6, b"\x55")))),
        tlv(0x30, tlv(0x31, tlv(0x30, tlv(6, b"\x55"), tlv(0x0C, b"a"), b"\5\0"))),
        tlv(0x30, tlv(0x31, tlv(0x30, tlv(0x0C, b"a"), tlv(0x0C, b"a")))),
        name_of(attribute(b"\xff")),
        name_of(attribute(b"\xed\xa0\x80")),
        name_of(attribute(b"a", 0x1E)),
        name_of(attribute(b"\xd8\x00", 0x1E)),
        name_of(attribute(b"abc", 0x1C)),
        name_of(attribute(b"\0\x11\0\0", 0x1C)),
    ],
)
def test_name_that_is_malformed_is_refused(der: bytes) -> None:
    assert refused(lambda: canonical_name(der))


def test_name_is_that_of_cryptographys_bytes() -> None:
    listed = [
        (NameOID.COUNTRY_NAME, "DE"),
        (NameOID.ORGANIZATION_NAME, "Firma  GmbH"),
        (NameOID.COMMON_NAME, "Größe"),
        (NameOID.EMAIL_ADDRESS, "A@example.com"),
    ]
    one = x509.Name([x509.NameAttribute(oid, text) for oid, text in listed])
    other = x509.Name([x509.NameAttribute(oid, f" {text.swapcase()} " if oid != NameOID.COUNTRY_NAME else "de")
                       for oid, text in listed])  # fmt: skip
    assert canonical_name(one.public_bytes()) == canonical_name(other.public_bytes())
    assert len(canonical_name(one.public_bytes())) == 4


# Object identifiers.


@pytest.mark.parametrize(
    "text",
    ["0.0", "0.39", "1.0", "1.39", "2.0", "2.39", "2.40", "2.47", "2.48", "2.999", "2.5.29.19", "1.2.840.113549.1.1.11",
     "1.3.6.1.4.1.311.20.2.3", "2.16.840.1.101.3.4.3.19", "1.2.128.16383.16384.4294967295", "2.25.340282366920938463"],
)  # fmt: skip
def test_object_identifier_in_digits(text: str) -> None:
    assert dotted(inside(oid_der(x509.ObjectIdentifier(text)))) == text


def test_object_identifier_with_parts_of_any_size() -> None:
    assert dotted(b"\x88\x37" + b"\x83" + b"\xff" * 18 + b"\x7f") == f"2.999.{(4 << 7 * 19) - 1}"


@pytest.mark.parametrize("contents", [b"", b"\x80", b"\x2a\x80", b"\x2a\x86\xf7", b"\xff" * 20])
def test_object_identifier_that_is_cut_short_is_refused(contents: bytes) -> None:
    with pytest.raises(ValueError, match="cut short"):
        dotted(contents)
