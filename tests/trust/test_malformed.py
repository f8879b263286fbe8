"""Certificates that are not well formed: refused with an alert, whatever the bytes; nothing else escapes."""

from __future__ import annotations

import ipaddress
import ssl
import time
import warnings

import pytest
from cryptography import x509
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trust.forge import (
    ECDSA_SHA1,
    HOST,
    Entity,
    extension,
    fields,
    inside,
    intermediate,
    leaf,
    make,
    root,
    sign_fields,
    tlv,
)

import fasttls
from fasttls.trust.path import Policy, Purpose, verify_chain
from fasttls.trust.store import TrustStore
from fasttls.trust.verdicts import CertificateRejected
from fasttls.wire.alerts import BadCertificate

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd certificates


def _verify(chain: list[bytes], trusted: list[bytes], host: str | None = HOST) -> None:
    store = TrustStore()
    for der in trusted:
        store.add_unchecked(der)
    verify_chain(chain, store, Policy(Purpose.SERVER_AUTH, time.time(), host))


def _refused(chain: list[bytes], trusted: list[bytes]) -> None:
    with pytest.raises((CertificateRejected, BadCertificate)):
        _verify(chain, trusted)


@pytest.fixture(scope="module")
def chain() -> tuple[Entity, Entity, Entity]:
    """Return a root, an intermediate with name constraints, and a leaf: most kinds of extension."""
    top = root()
    rule = x509.NameConstraints([x509.DNSName("localhost")], [x509.IPAddress(ipaddress.ip_network("10.0.0.0/8"))])
    middle = intermediate("Middle", top, extensions=[(rule, True)])
    return top, middle, leaf(middle)


def test_chain_is_good_before_it_is_spoiled(chain: tuple[Entity, Entity, Entity]) -> None:
    top, middle, end = chain
    _verify([end.der, middle.der], [top.der])


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("change", [1, 0x80, 0x20, 0xFF])
def test_no_byte_can_be_changed(chain: tuple[Entity, Entity, Entity], which: int, change: int) -> None:
    top, middle, end = chain
    good = [end.der, middle.der]
    # The last field, the signature, has an octet of unused bits: a test of its own is below.
    spared = len(good[which]) - len(end.certificate.signature if which == 0 else middle.certificate.signature) - 1
    for position in range(len(good[which])):
        if position == spared:
            continue
        spoilt = bytearray(good[which])
        spoilt[position] ^= change
        presented = list(good)
        presented[which] = bytes(spoilt)
        _refused(presented, [top.der])


@pytest.mark.parametrize("which", [0, 1])
def test_certificate_cannot_be_cut_short(chain: tuple[Entity, Entity, Entity], which: int) -> None:
    top, middle, end = chain
    for size in range(len([end.der, middle.der][which])):
        presented = [end.der, middle.der]
        presented[which] = presented[which][:size]
        _refused(presented, [top.der])


def test_nothing_may_follow_a_certificate(chain: tuple[Entity, Entity, Entity]) -> None:
    top, middle, end = chain
    _refused([end.der + b"\0", middle.der], [top.der])


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_bytes_put_in_and_taken_out_are_refused(chain: tuple[Entity, Entity, Entity], data: st.DataObject) -> None:
    top, middle, end = chain
    good = end.der
    start = data.draw(st.integers(0, len(good)))
    end_of_cut = data.draw(st.integers(start, min(len(good), start + 8)))
    put = data.draw(st.binary(max_size=8))
    spoilt = good[:start] + put + good[end_of_cut:]
    if spoilt == good:
        return
    unused_bits_octet = len(good) - len(end.certificate.signature) - 1
    if len(spoilt) == len(good) and start <= unused_bits_octet < end_of_cut:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _refused([spoilt, middle.der], [top.der])


@settings(max_examples=200, deadline=None, derandomize=True)
@given(der=st.binary(max_size=80))
def test_any_bytes_are_refused(der: bytes) -> None:
    _refused([der], [])


# The places of a TBSCertificate's fields.
VERSION, SPKI, EXTENSIONS = 0, 6, 7


def _signed(issuer: Entity, subject: Entity, at: int, field: bytes) -> bytes:
    return issuer.signs(lambda tbs: [*tbs[:at], field, *tbs[at + 1 :]], subject)


# What a certificate authority's own signature covers, and is wrong all the same.


def test_version_that_does_not_exist_is_refused() -> None:
    # RFC 5280 §4.1.2.1: v1, v2 and v3.
    top = root()
    _refused([_signed(top, leaf(top), VERSION, tlv(0xA0, b"\x02\x01\x07"))], [top.der])


def test_extension_that_is_there_twice_is_refused() -> None:
    # RFC 5280 §4.2: not more than one instance of an extension.
    top = root()
    one = leaf(top)
    listed = inside(inside(fields(one.der)[-1]))
    first = listed[: 2 + listed[1]]
    _refused([_signed(top, one, EXTENSIONS, tlv(0xA3, tlv(0x30, listed, first)))], [top.der])


def test_unknown_signature_algorithm_is_refused() -> None:
    top = root()
    one = leaf(top)
    unknown = tlv(0x30, bytes.fromhex("06082a8648ce3d04037f"))
    tbs = [*fields(one.der)[:2], unknown, *fields(one.der)[3:]]
    _refused([sign_fields(tbs, top.key, outer=unknown)], [top.der])


def test_unknown_public_key_algorithm_is_refused() -> None:
    top = root()
    key = tlv(0x30, tlv(0x30, bytes.fromhex("06082a8648ce3d04037f")), tlv(0x03, b"\0\1\2\3"))
    _refused([_signed(top, leaf(top), SPKI, key)], [top.der])


def test_point_that_is_not_on_the_curve_is_refused() -> None:
    top = root()
    one = leaf(top)
    spki = bytearray(fields(one.der)[6])
    spki[-1] ^= 1
    _refused([_signed(top, one, SPKI, bytes(spki))], [top.der])


def test_two_signature_algorithms_that_differ_are_refused() -> None:
    # RFC 5280 §4.1.1.2: the two fields must be the same.
    top = root()
    _refused([sign_fields(fields(leaf(top).der), top.key, outer=ECDSA_SHA1)], [top.der])


def test_signature_with_unused_bits_is_refused() -> None:
    # RFC 5280 §4.1.1.3 with RFC 3279 §2.2.3: the BIT STRING holds octets. Otherwise anyone can make
    # another certificate, with another fingerprint, out of one that is good.
    top = root()
    _refused([sign_fields(fields(leaf(top).der), top.key, unused_bits=1)], [top.der])


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("2.5.29.17", b"\x30\x03\x87\x01\x7f"),  # an IP address of one byte
        ("2.5.29.17", b"\x30\x04\x82\x02\xff\xfe"),  # a DNS name that is not ASCII
        ("2.5.29.17", b"\x04\x00"),
        ("2.5.29.15", b"\x02\x01\x00"),
        ("2.5.29.37", b"\x30\x00"),
        ("2.5.29.19", b"\x30\x03\x01\x01\x01"),
        ("2.5.29.14", b"\x02\x01\x00"),
        ("2.5.29.35", b"\x30\x02\x9f\x00"),
        ("2.5.29.31", b"\x30\x01\x00"),
    ],
)
def test_malformed_extension_is_refused(oid: str, value: bytes) -> None:
    top = root()
    made = {"2.5.29.17": {"names": ()}, "2.5.29.15": {"usage": None}, "2.5.29.37": {"purposes": None}}
    settings_of_leaf: dict[str, object] = dict(made.get(oid, {}))
    if oid == "2.5.29.19":
        settings_of_leaf["ca"] = None
    if oid in ("2.5.29.14", "2.5.29.35"):
        settings_of_leaf["identifiers"] = False
    chosen = {"names": (HOST,), **settings_of_leaf}
    one = make("leaf", top, extensions=[extension(oid, value)], **chosen)  # type: ignore[arg-type]
    _refused([one.der], [top.der])


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("1.3.6.1.5.5.7.1.1", b"\x05\x00"),
        ("1.3.6.1.4.1.11129.2.4.2", b"\x04\x02\x00\x09"),  # SCTs whose length is wrong
        ("2.5.29.32", b"\x30\x01\xff"),
        ("1.3.6.1.4.1.311.21.7", b"\x30\x01"),  # Microsoft's template
    ],
)
def test_an_extension_that_no_path_depends_on_is_not_read(oid: str, value: bytes) -> None:
    """As in OpenSSL; authorities of one's own write what they will."""
    top = root()
    one = make("leaf", top, names=(HOST,), extensions=[extension(oid, value)])
    _verify([one.der], [top.der])


@pytest.mark.parametrize(
    "value",
    [
        b"\x30\x07\xa0\x05\x30\x03\x87\x01\x7f",  # a permitted IP range of one byte
        b"\x30\x0e\xa0\x0c\x30\x0a\x87\x08\x0a\x00\x00\x00\xff\x00\xff\x00",  # a mask with holes
        b"\x30\x08\xa0\x06\x30\x04\x87\x04\x0a\x00\x00\x00",  # no mask
        b"\x30\x00",
        b"\x05\x00",
    ],
)
def test_malformed_name_constraints_are_refused(value: bytes) -> None:
    top = root()
    middle = intermediate("Middle", top, extensions=[extension("2.5.29.30", value, critical=True)])
    _refused([leaf(middle, "127.0.0.1", HOST).der, middle.der], [top.der])


def test_malformed_certificate_is_an_ssl_error_with_an_alert() -> None:
    # RFC 8446 §4.4.2.4: bad_certificate; and `except ssl.SSLError` is what programs have.
    top = root()
    one = leaf(top)
    listed = inside(inside(fields(one.der)[-1]))
    twice = _signed(top, one, EXTENSIONS, tlv(0xA3, tlv(0x30, listed, listed[: 2 + listed[1]])))
    server = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    _give(server, twice, one)
    client = fasttls.SSLContext(fasttls.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_mode = ssl.CERT_REQUIRED
    client.load_verify_locations(cadata=top.der)
    ours = client.wrap_bio(to_client, to_server, server_hostname=HOST)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for side in (ours, theirs):
        with pytest.raises(ssl.SSLWantReadError):
            side.do_handshake()
    with pytest.raises(ssl.SSLError) as refusal:
        ours.do_handshake()
    assert refusal.value.alert_sent == 42  # type: ignore[attr-defined]
    with pytest.raises(ssl.SSLError, match="BAD_CERTIFICATE"):
        theirs.do_handshake()


def _give(server: fasttls.SSLContext, certificate: bytes, owner: Entity) -> None:
    """Give a server a certificate that its own loader would refuse."""
    from fasttls.crypto.signatures import KeySigner
    from fasttls.handshake.config import Credential

    server._credentials = (Credential((certificate,), KeySigner(owner.key)),)


@pytest.mark.parametrize("kind", [0x14, 0x03, 0x02], ids=["T61String", "BIT STRING", "INTEGER"])
@pytest.mark.parametrize("common_name", [True, False], ids=["common name", "no common name"])
def test_subject_of_another_form_is_nothing_where_it_is_not_asked(kind: int, common_name: bool) -> None:
    """It is read for a host that only it could name, and for words, and no other error escapes."""
    top = root()
    words = b"\x00\xe9vice1"
    der = top.signs(
        lambda old: [one.replace(b"\x0c\x07device1", bytes((kind, 7)) + words) for one in old],
        make("device1", top, names=("127.0.0.1",)),
    )
    assert words in der
    store = TrustStore()
    store.add(top.der)

    def verify(host: str) -> None:
        verify_chain([der], store, Policy(Purpose.SERVER_AUTH, time.time(), host, common_name=common_name))

    verify("127.0.0.1")
    with pytest.raises((CertificateRejected, BadCertificate)):
        verify("device1")
    with pytest.raises((CertificateRejected, BadCertificate)):
        _verify([der], [])
