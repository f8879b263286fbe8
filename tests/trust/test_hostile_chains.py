"""Chains by which a peer without a certificate wants to be believed, or to keep this side busy."""

from __future__ import annotations

import ssl
import time

import pytest
from certs import DAY, NOW
from cryptography import x509
from trust.forge import Entity, extension, intermediate, leaf, make, root, spare_key, tlv
from trust.judges import Case, judge

import fasttls
from fasttls.trust import CERTIFICATES, TrustStore
from fasttls.trust.certificate import CertificateCache
from fasttls.trust.path import Policy, Purpose, verify_chain
from fasttls.trust.verdicts import MOST_SHOWN, CertificateRejected, VerifyCode, printable
from fasttls.wire.alerts import BadCertificate

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd certificates

NETSCAPE_TYPE = "2.16.840.1.113730.1.1"
SUBJECT_ALTERNATIVE_NAME, NAME_CONSTRAINTS = "2.5.29.17", "2.5.29.30"
MOST_SECONDS = 2.0  # of CPU: the chains below took from 3 to more than 100
FAKES = 15


def test_a_version_1_certificate_with_its_authoritys_name_is_no_authority() -> None:
    """RFC 5280 §6.1.4 (k): only what ends the path is trusted without saying what it is."""
    top = root("ACME")
    server = make("ACME", top, ca=None, usage=None, purposes=None, identifiers=False)
    old = top.signs(lambda tbs: tbs[1:-1] if tbs[-1][:1] == b"\xa3" else tbs[1:], server)
    issued = leaf(server, "bank.example")
    for der in (old, server.der):
        case = Case([issued, der], [top], host="bank.example")
        assert judge(fasttls.SSLContext, case).code == VerifyCode.INVALID_CA
        assert not judge(ssl.SSLContext, case).accepted


def directory_name(*values: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, value) for value in values]))


def fakes(trusted: Entity, *rules: x509.NameConstraints) -> tuple[Entity, list[bytes]]:
    """Return who has a trusted authority's name, and certificates that it gives itself."""
    key = spare_key(0)
    mine = Entity(trusted.name, key, trusted.certificate)
    made = [
        intermediate(
            "Root",
            mine,
            key=key,
            identifiers=False,
            extensions=[*((rule, False) for rule in rules), extension(f"1.2.{number}", b"")],
        ).der
        for number in range(FAKES)
    ]
    return mine, made


def test_names_are_not_compared_for_who_signed_nothing() -> None:
    """Nobody but an authority has this side compare names with constraints, by the thousand."""
    top = root("Root", identifiers=False)
    rules = (
        x509.NameConstraints(None, [directory_name("x")] * 300),
        x509.NameConstraints(None, [x509.DNSName("x.y")] * 500),
    )
    for rule in rules:
        mine, made = fakes(top, rule)
        subject = directory_name(*(f"a{number}" for number in range(300))).value
        names = ("localhost", *(f"h{number}.z" for number in range(300)))
        one = make(subject, mine, key=mine.key, identifiers=False, names=names)
        assert seconds_to_refuse([one.der, *made], top) < MOST_SECONDS


def test_a_host_is_looked_for_once() -> None:
    """Not on every path: the peer's own certificate is one."""
    top = root("Root", identifiers=False)
    mine, made = fakes(top)
    one = make("leaf", mine, key=mine.key, identifiers=False, names=tuple(f"{n}.x" for n in range(20000)))
    seconds_to_refuse([one.der, *made], top)  # which parses them
    few, many = (min(seconds_to_refuse([one.der, *made[:count]], top) for _ in range(3)) for count in (1, FAKES))
    assert many < FAKES / 2 * few  # as often as there are paths, it would be more than FAKES times


def seconds_to_refuse(chain: list[bytes], trusted: Entity) -> float:
    store = TrustStore()
    store.add(trusted.der)
    begun = time.process_time()
    with pytest.raises((CertificateRejected, BadCertificate)):
        verify_chain(chain, store, Policy(Purpose.SERVER_AUTH, time.time(), "localhost"))
    return time.process_time() - begun


def test_what_strangers_send_fills_no_memory() -> None:
    """The cache has room by the bytes: 512 certificates of 250 KB would be some gigabytes of objects."""
    cache = CertificateCache(512, room=1 << 16)
    top = root()
    large = make("leaf", top, names=tuple(f"{number}.x" for number in range(2000))).der
    assert cache.parse(large) is not cache.parse(large)
    assert cache.counters().kept == 0
    small = [make(f"leaf {number}", top).der for number in range(200)]
    for der in small:
        cache.parse(der)
    kept = cache.counters().kept
    assert 0 < kept < len(small)
    assert sum(map(len, small[-kept:])) <= 1 << 16
    assert cache.parse(small[-1]) is cache.parse(small[-1])
    cache.clear()
    assert cache.parse(small[0]) is cache.parse(small[0])
    assert CERTIFICATES._room


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("CN=example", "CN=example"),
        ("CN=x\r\n2026 CRITICAL root: login\x1b[2J", "CN=x\\r\\n2026 CRITICAL root: login\\x1b[2J"),
        ("CN=\u202egnp.exe", "CN=\\u202egnp.exe"),
        ("CN=Zürich 北京", "CN=Zürich 北京"),
        ("a" * 9999, "a" * MOST_SHOWN + "…"),
    ],
)
def test_what_a_peer_says_does_not_write_into_logs(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_refusal_shows_a_name_that_cannot_break_the_line() -> None:
    top = make("CN=x\r\nroot: login ok\x1b[2J".removeprefix("CN="), ca=True, usage=("key_cert_sign",), purposes=None)
    with pytest.raises(CertificateRejected) as refused:
        verify_chain([top.der], TrustStore(), Policy(Purpose.SERVER_AUTH, time.time(), None))
    assert str(refused.value).isprintable()
    assert "\\r\\n" in refused.value.certificate


def under(constraints: bytes, *names: bytes, **chosen: object) -> Case:
    """Return a leaf for localhost and more names, under an authority with constraints."""
    top = root()
    middle = intermediate("M", top, extensions=[extension(NAME_CONSTRAINTS, tlv(0x30, constraints), critical=True)])
    listed = extension(SUBJECT_ALTERNATIVE_NAME, tlv(0x30, tlv(0x82, b"localhost"), *names))
    return Case([make("leaf", middle, extensions=[listed], **chosen), middle], [top])  # type: ignore[arg-type]


def permitted(*parts: bytes) -> bytes:
    return tlv(0xA0, tlv(0x30, *parts))


def excluded(*parts: bytes) -> bytes:
    return tlv(0xA1, tlv(0x30, *parts))


def of_type(bits: str, *, critical: bool = False, **chosen: object) -> Case:
    """Return a leaf with Netscape's type."""
    top = root()
    kind = extension(NETSCAPE_TYPE, bytes.fromhex(bits), critical=critical)
    return Case([leaf(top, purposes=None, extensions=[kind])], [top], **chosen)  # type: ignore[arg-type]


def step_up() -> Case:
    top = root()
    return Case([leaf(top, purposes=(x509.ObjectIdentifier("2.16.840.1.113730.4.1"),))], [top])


def root_that_does_not_say_so() -> Case:
    top = root("R2", ca=None)
    return Case([leaf(top)], [top])


def not_permitted_and_forged() -> Case:
    case = under(permitted(tlv(0x82, b"other")))
    first, *rest = case.chain
    assert isinstance(first, Entity)
    forged = first.der[:-1] + bytes((first.der[-1] ^ 1,))
    return Case([forged, *rest], case.trusted, key=first.key)


MAILBOX = tlv(0xA0, bytes.fromhex("06082b06010505070809"), tlv(0xA0, tlv(0x0C, b"u@evil")))
OLD = {"not_before": NOW - 3 * DAY, "not_after": NOW - DAY}
JUDGED = {
    "nsCertType of a client, as a server": (26, lambda: of_type("03020780")),
    "nsCertType of a server, as a client": (26, lambda: of_type("03020640", host=None, client_certificate=True)),
    "nsCertType of a server, critical": (0, lambda: of_type("03020640", critical=True)),
    "Netscape's usage of servers alone": (0, step_up),
    "permitted, with a minimum": (49, lambda: under(permitted(tlv(0x82, b"localhost"), b"\x80\1\1"))),
    "permitted, with a minimum of 0": (0, lambda: under(permitted(tlv(0x82, b"localhost"), b"\x80\1\0"))),
    "excluded mail of every user of a host": (
        48,
        lambda: under(excluded(tlv(0x81, b"@x.test")), tlv(0x81, b"u@x.test")),
    ),
    "mail that is none": (53, lambda: under(permitted(tlv(0x81, b"x.test")), tlv(0x81, b"x.test"))),
    "mail in UTF-8, not permitted": (47, lambda: under(permitted(tlv(0x81, b"x.test")), MAILBOX)),
    "a root with keyCertSign that does not say it is one": (0, root_that_does_not_say_so),
    "not permitted and expired": (10, lambda: under(permitted(tlv(0x82, b"other")), **OLD)),
    "not permitted and not signed": (7, not_permitted_and_forged),
}


@pytest.mark.parametrize("name", JUDGED)
def test_both_judge_alike(name: str) -> None:
    code, made = JUDGED[name]
    case = made()
    ours, theirs = judge(fasttls.SSLContext, case), judge(ssl.SSLContext, case)
    assert ours.code == theirs.code == code


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing issuer is named, and not looked for where the certificate says that it is (AIA)."""
    import socket

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a validation goes to the network")

    for name in ("getaddrinfo", "create_connection", "socket"):
        monkeypatch.setattr(socket, name, refuse)
    top = root()
    middle = intermediate("Middle", top)
    where = x509.UniformResourceIdentifier("http://ca.example/middle.der")
    access = x509.AuthorityInformationAccess(
        [x509.AccessDescription(x509.AuthorityInformationAccessOID.CA_ISSUERS, where)]
    )
    one = make("leaf", middle, names=("localhost",), extensions=[(access, False)])
    store = TrustStore()
    store.add(top.der)
    with pytest.raises(CertificateRejected) as refused:
        verify_chain([one.der], store, Policy(Purpose.SERVER_AUTH, time.time(), "localhost"))
    assert refused.value.verify_code == VerifyCode.UNABLE_TO_GET_ISSUER_CERT_LOCALLY
