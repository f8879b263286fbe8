"""verify_chain, for programs without a connection: what it takes, what it returns, and what a refusal tells."""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_network

import pytest
from certs import CLIENT, DAY, NOW, SERVER, distinguished_name
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, mldsa, padding
from cryptography.x509.oid import ExtendedKeyUsageOID
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
    spare_key,
    tlv,
)
from trust.lists import crl, scope
from trust.test_caches import store_of

from fasttls.trust import (
    BadCertificate,
    Certificate,
    CertificateRejected,
    CrlCheck,
    Purpose,
    Strength,
    TrustStore,
    VerifyCode,
    verify_chain,
)
from fasttls.trust.path import MOST_CANDIDATES
from fasttls.wire.alerts import Alert

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd certificates

SECONDS_THAT_A_CHAIN_MAY_COST = 2.0
NAMES = (HOST, "127.0.0.1", "::1", "xn--bcher-kva.example", "*.wild.example")


@cache
def top() -> Entity:
    return root(key=spare_key(0))


@cache
def server() -> Entity:
    return leaf(top(), *NAMES)


def ders(*chain: Entity | bytes) -> list[bytes]:
    return [one if isinstance(one, bytes) else one.der for one in chain]


def trusting(*trusted: Entity | bytes) -> TrustStore:
    store = TrustStore()
    for der in ders(*trusted):
        store.add_unchecked(der)
    return store


def verified(
    chain: Sequence[Entity | bytes], *trusted: Entity | bytes, host: str | None = HOST, **rules: object
) -> list[str]:
    """Return the names on the path, or raise what verify_chain raises."""
    started = time.perf_counter()
    try:
        path = verify_chain(ders(*chain), trusting(*trusted), host, **rules)  # type: ignore[arg-type]
    finally:
        assert time.perf_counter() - started < SECONDS_THAT_A_CHAIN_MAY_COST
    return [certificate.description.removeprefix("CN=") for certificate in path]


def refusal(chain: Sequence[Entity | bytes], *trusted: Entity | bytes, **rules: object) -> CertificateRejected:
    with pytest.raises(CertificateRejected) as refused:
        verified(chain, *trusted, **rules)  # type: ignore[arg-type]
    return refused.value


# What it takes and returns.


def test_path_is_returned_from_the_leaf_to_the_trusted_certificate() -> None:
    middle = intermediate("Middle", top())
    end = leaf(middle)
    path = verify_chain([end.der, middle.der], store_of(top()), HOST)
    assert isinstance(path, tuple)
    assert all(isinstance(one, Certificate) for one in path)
    assert [one.der for one in path] == [end.der, middle.der, top().der]


def test_chain_may_be_any_sequence_of_bytes() -> None:
    assert len(verify_chain((server().der,), store_of(top()))) == 2


@pytest.mark.parametrize("chain", [[], ()])
def test_empty_chain_is_a_value_error(chain: Sequence[bytes]) -> None:
    with pytest.raises(ValueError, match="one certificate or more"):
        verify_chain(chain, store_of(top()))


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x00", b"junk", b"\x30\x03\x02\x01\x01"])
def test_what_does_not_parse_is_a_bad_certificate(der: bytes) -> None:
    for chain in ([der], [der, server().der], [server().der, der]):
        with pytest.raises(BadCertificate, match="malformed"):
            verify_chain(chain, store_of(top()), HOST)


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        b"localhost",
        "LOCALHOST",
        "LocalHost.",
        b"localhost.",
        "127.0.0.1",
        b"127.0.0.1",
        "::1",
        b"::1",
        "[::1]",
        "0:0:0:0:0:0:0:1",
        "0000:0000:0000:0000:0000:0000:0000:0001",
        "bücher.example",
        "BÜCHER.example",
        "bücher.example.",
        "xn--bcher-kva.example",
        b"XN--BCHER-KVA.EXAMPLE",
        "www.wild.example",
        "www.wild.example.",
        b"under_score.wild.example",
        None,
    ],
)
def test_name_that_the_certificate_is_for(name: str | bytes | None) -> None:
    assert len(verify_chain([server().der], store_of(top()), name)) == 2


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("other.example", 62),
        (b"other.example", 62),
        ("bucher.example", 62),
        ("wild.example", 62),
        ("a.b.wild.example", 62),
        ("*.wild.example", 0),
        ("127.0.0.2", 64),
        (b"127.0.0.2", 64),
        ("::2", 64),
        ("::ffff:127.0.0.1", 64),
        ("127.0.0.1.", 62),
        ("127.1", 62),
        ("leaf", 62),
        ("localhost\0", None),
        (" localhost", None),
        ("localhost..", None),
    ],
)
def test_name_that_the_certificate_is_not_for(name: str | bytes, code: int | None) -> None:
    if code is None:
        with pytest.raises(ValueError, match="host name"):
            verify_chain([server().der], store_of(top()), name)
    elif code == 0:
        assert verify_chain([server().der], store_of(top()), name)  # a pattern is a name of its own form
    else:
        with pytest.raises(CertificateRejected) as refused:
            verify_chain([server().der], store_of(top()), name)
        assert refused.value.verify_code == code


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "a..b",
        ".example.com",
        "a" * 64 + ".example",
        "a." * 130 + "b",
        "ü" * 70,
        b"b\xfccher.example",
        b"",
    ],
)
def test_name_that_can_be_none_is_a_value_error(name: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"host name|ascii"):
        verify_chain([server().der], store_of(top()), name)


@pytest.mark.parametrize(
    ("usages", "good_for"),
    [
        ((SERVER,), {Purpose.SERVER_AUTH}),
        ((CLIENT,), {Purpose.CLIENT_AUTH}),
        ((SERVER, CLIENT), set(Purpose)),
        (None, set(Purpose)),
        ((ExtendedKeyUsageOID.CODE_SIGNING,), set()),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), set()),
    ],
)
def test_purpose(usages: tuple[x509.ObjectIdentifier, ...] | None, good_for: set[Purpose]) -> None:
    end = leaf(top(), purposes=usages)
    for purpose in Purpose:
        if purpose in good_for:
            assert verified([end], top(), purpose=purpose) == ["leaf", "Root"]
        else:
            assert refusal([end], top(), purpose=purpose).verify_code == 26
    assert (Purpose.SERVER_AUTH in good_for) == succeeds(lambda: verified([end], top()))


def succeeds(work: Callable[[], object]) -> bool:
    try:
        work()
    except Alert:
        return False
    return True


PARIS = datetime.timezone(datetime.timedelta(hours=1))


@pytest.mark.parametrize(
    "moment",
    [
        None,
        NOW,
        NOW.astimezone(PARIS),
        NOW.timestamp(),
        int(NOW.timestamp()),
        NOW + 5 * DAY,
    ],
)
def test_moment_in_which_the_chain_is_valid(moment: float | datetime.datetime | None) -> None:
    assert verify_chain([server().der], store_of(top()), HOST, time=moment)


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (0, 9),
        (0.0, 9),
        (-1e12, 9),
        (1e12, 10),
        (1e300, 10),
        (float("inf"), 10),
        (float("-inf"), 9),
        (NOW + 400 * DAY, 10),
        (NOW - 400 * DAY, 9),
        (datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC), 10),
        (datetime.datetime(1, 1, 2, tzinfo=datetime.UTC), 9),
        (datetime.datetime(9999, 12, 31, tzinfo=PARIS), 10),
    ],
)
def test_moment_in_which_it_is_not(moment: float | datetime.datetime, code: int) -> None:
    assert refusal([server()], top(), time=moment).verify_code == code


def test_zone_of_a_datetime_counts() -> None:
    end = leaf(top(), not_before=NOW, not_after=NOW + DAY / 24)
    later = (NOW + DAY / 48).replace(tzinfo=PARIS)  # which is before NOW
    assert refusal([end], top(), time=later).verify_code == 9
    assert verified([end], top(), time=(NOW + DAY / 48).astimezone(PARIS))


def test_datetime_without_a_zone_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        verify_chain([server().der], store_of(top()), HOST, time=NOW.replace(tzinfo=None))


def test_time_that_is_no_number_never_validates() -> None:
    # It is neither before nor after anything: what is expired must not pass by it.
    expired = leaf(top(), not_before=NOW - 3 * DAY, not_after=NOW - DAY / 2)
    with pytest.raises((ValueError, CertificateRejected)):
        verify_chain([expired.der], store_of(top()), HOST, time=float("nan"))


def test_partial_chain_may_end_at_any_trusted_certificate() -> None:
    middle = intermediate("Middle", root())
    end = leaf(middle)
    assert refusal([end, middle], middle).verify_code == 2
    assert verified([end, middle], middle, partial_chain=True) == ["leaf", "Middle"]
    assert verified([end], middle, partial_chain=True) == ["leaf", "Middle"]
    assert verified([end], end, partial_chain=True) == ["leaf"]


def test_strict_is_the_form_of_rfc_5280_and_of_the_web() -> None:
    middle = intermediate("Middle", root(), identifiers=False)
    end = leaf(middle, extensions=[(x509.ExtendedKeyUsage([SERVER]), True)], purposes=None)
    assert verified([end, middle], middle, partial_chain=True)
    assert refusal([end, middle], middle, partial_chain=True, strict=True).verify_code == 86
    web = leaf(top(), purposes=None, extensions=[(x509.ExtendedKeyUsage([SERVER]), True)])
    assert verified([web], top())
    assert refusal([web], top(), strict=True).verify_code == 41
    assert verified([server()], top(), strict=True) == ["leaf", "Root"]


def test_strength_is_what_is_asked_for() -> None:
    weak = leaf(top(), key=spare_key(0, "rsa-1024"))
    assert refusal([weak], top()).verify_code == 66
    assert verified([weak], top(), strength=Strength(rsa_bits=1024))
    assert verified([weak], top(), strength=Strength.of_level(0))
    assert refusal([server()], top(), strength=Strength(refused_digests=frozenset({"sha256"}))).verify_code == 68
    assert Strength() == Strength.of_level(2)


def with_lists(store: TrustStore, *lists: bytes) -> TrustStore:
    for one in lists:
        store.add_crl(one)
    return store


def test_revocation_is_looked_up_for_whom_it_is_asked() -> None:
    middle = intermediate("Middle", top())
    end = leaf(middle)
    chain = ders(end, middle)

    def code(check: CrlCheck, *lists: bytes) -> int:
        try:
            verify_chain(chain, with_lists(store_of(top()), *lists), HOST, crl_check=check)
        except CertificateRejected as refused:
            return refused.verify_code
        return 0

    of_leaf, of_middle = crl(middle), crl(top())
    assert [code(check) for check in CrlCheck] == [0, 3, 3]
    assert [code(check, of_leaf) for check in CrlCheck] == [0, 0, 3]
    assert [code(check, of_leaf, of_middle) for check in CrlCheck] == [0, 0, 0]
    assert [code(check, of_leaf, crl(top(), middle)) for check in CrlCheck] == [0, 0, 23]
    assert [code(check, crl(middle, end), of_middle) for check in CrlCheck] == [0, 23, 23]


# What a refusal tells.


@dataclass(frozen=True)
class Refused:
    """A chain that is refused, and what the refusal must tell; the last four are parts of what it says."""

    code: VerifyCode
    depth: int
    chain: Sequence[Entity | bytes]
    trusted: Sequence[Entity | bytes]
    certificate: str = "CN=leaf"
    rule: str = ""
    found: str = ""
    expected: str = ""
    rules: dict[str, object] = field(default_factory=dict)
    lists: Sequence[bytes] = ()


KINDS: dict[str, Callable[[], Refused]] = {}


def kind(function: Callable[[], Refused]) -> Callable[[], Refused]:
    KINDS[function.__name__] = function
    return function


PATH = "RFC 5280 §6.1"
OLD = {"not_before": NOW - 9 * DAY, "not_after": NOW - 8 * DAY}
NEW = {"not_before": NOW + 8 * DAY, "not_after": NOW + 9 * DAY}
V = VerifyCode


@kind
def unknown_issuer() -> Refused:
    return Refused(V.UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 0, [server()], [], rule=PATH, found="issued by CN=Root",
                   expected="a path to a trusted certificate")  # fmt: skip


@kind
def unknown_issuer_of_an_intermediate() -> Refused:
    middle = intermediate("Middle", top())
    return Refused(
        V.UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 1, [leaf(middle), middle], [], "CN=Middle", PATH, "issued by CN=Root"
    )


@kind
def trusted_intermediate() -> Refused:
    middle = intermediate("Middle", top())
    return Refused(V.UNABLE_TO_GET_ISSUER_CERT, 1, [leaf(middle), middle], [middle], "CN=Middle", PATH, "no root")


@kind
def self_signed() -> Refused:
    return Refused(V.DEPTH_ZERO_SELF_SIGNED_CERT, 0, [leaf(None)], [top()], rule=PATH, found="self-signed")


@kind
def self_signed_in_the_chain() -> Refused:
    other = root("Other")
    return Refused(
        V.SELF_SIGNED_CERT_IN_CHAIN, 1, [leaf(other), other], [top()], "CN=Other", PATH, "which is not trusted"
    )


@kind
def wrong_signature() -> Refused:
    end = leaf(root(identifiers=False), identifiers=False)
    return Refused(V.CERT_SIGNATURE_FAILURE, 0, [end], [root(identifiers=False)], rule="RFC 5280 §6.1.3 (a)(1)",
                   found="does not verify", expected="by the key of CN=Root")  # fmt: skip


@kind
def wrong_signature_of_an_intermediate() -> Refused:
    middle = intermediate("Middle", root(identifiers=False), identifiers=False)
    chain = [leaf(middle, identifiers=False), middle]
    return Refused(V.CERT_SIGNATURE_FAILURE, 1, chain, [root(identifiers=False)], "CN=Middle", "RFC 5280 §6.1.3")


@kind
def expired() -> Refused:
    return Refused(V.CERT_HAS_EXPIRED, 0, [leaf(top(), **OLD)], [top()], rule="RFC 5280 §4.1.2.5",
                   found=f"{NOW - 8 * DAY:%Y-%m-%d}", expected=f"{NOW:%Y-%m-%d}")  # fmt: skip


@kind
def expired_intermediate() -> Refused:
    middle = intermediate("Middle", top(), **OLD)
    return Refused(V.CERT_HAS_EXPIRED, 1, [leaf(middle), middle], [top()], "CN=Middle", "RFC 5280 §4.1.2.5", "until")


@kind
def expired_root() -> Refused:
    old = root("Old", **OLD)
    return Refused(V.CERT_HAS_EXPIRED, 1, [leaf(old)], [old], "CN=Old", "RFC 5280 §4.1.2.5", "until", "at or after")


@kind
def not_yet_valid() -> Refused:
    return Refused(V.CERT_NOT_YET_VALID, 0, [leaf(top(), **NEW)], [top()], rule="RFC 5280 §4.1.2.5",
                   found=f"{NOW + 8 * DAY:%Y-%m-%d}", expected=f"{NOW:%Y-%m-%d}")  # fmt: skip


@kind
def too_long() -> Refused:
    rungs = [intermediate("CA 0", top(), key=spare_key(0))]
    for number in range(1, 9):
        rungs.insert(0, intermediate(f"CA {number}", rungs[0], key=spare_key(number % 4)))
    return Refused(V.CERT_CHAIN_TOO_LONG, 9, [leaf(rungs[0]), *rungs], [top()], "CN=CA 0", "depth", "9", "8")


@kind
def issuer_without_basic_constraints() -> Refused:
    middle = make("Middle", top(), ca=None, usage=None, purposes=None)
    return Refused(V.INVALID_CA, 1, [leaf(middle), middle], [top()], "CN=Middle", "RFC 5280 §6.1.4 (k)",
                   "no basicConstraints", "cA true")  # fmt: skip


@kind
def issuer_that_is_no_authority() -> Refused:
    other = leaf(top(), usage=("digital_signature", "key_cert_sign"))
    end = make("end", other, names=(HOST,))
    return Refused(V.INVALID_CA, 1, [end, other], [top()], "CN=leaf", "RFC 5280 §6.1.4 (k)", "cA false", "cA true")


@kind
def path_length() -> Refused:
    upper = intermediate("Upper", top(), path_length=0)
    lower = intermediate("Lower", upper)
    return Refused(V.PATH_LENGTH_EXCEEDED, 2, [leaf(lower), lower, upper], [top()], "CN=Upper", "RFC 5280 §6.1.4 (l)",
                   "1 intermediates", "at most 0")  # fmt: skip


@kind
def issuer_that_may_not_sign_certificates() -> Refused:
    middle = intermediate("Middle", top(), usage=("crl_sign",))
    return Refused(V.KEYUSAGE_NO_CERTSIGN, 1, [leaf(middle), middle], [top()], "CN=Middle", "RFC 5280 §6.1.4 (n)",
                   "without keyCertSign", "keyCertSign")  # fmt: skip


@kind
def another_extended_key_usage() -> Refused:
    return Refused(V.INVALID_PURPOSE, 0, [leaf(top(), purposes=(CLIENT,))], [top()], rule="RFC 5280 §4.2.1.12",
                   found="without serverAuth", expected="serverAuth")  # fmt: skip


@kind
def another_extended_key_usage_of_an_intermediate() -> Refused:
    middle = intermediate("Middle", top(), purposes=(SERVER,))
    end = leaf(middle, purposes=(SERVER, CLIENT))
    return Refused(V.INVALID_PURPOSE, 1, [end, middle], [top()], "CN=Middle", "RFC 5280 §4.2.1.12",
                   "without clientAuth", "clientAuth", {"purpose": Purpose.CLIENT_AUTH})  # fmt: skip


@kind
def another_key_usage() -> Refused:
    return Refused(V.INVALID_PURPOSE, 0, [leaf(top(), usage=("data_encipherment",))], [top()],
                   rule="RFC 5280 §4.2.1.3", found="none of a server", expected="digitalSignature")  # fmt: skip


@kind
def unknown_critical_extension() -> Refused:
    end = leaf(top(), extensions=[extension("1.2.3.4", b"\5\0", critical=True)])
    return Refused(V.UNHANDLED_CRITICAL_EXTENSION, 0, [end], [top()], rule="RFC 5280 §4.2", found="1.2.3.4",
                   expected="understood")  # fmt: skip


@kind
def another_host() -> Refused:
    return Refused(V.HOSTNAME_MISMATCH, 0, [server()], [top()], rule="RFC 9525 §6", found="localhost, 127.0.0.1",
                   expected="other.example", rules={"host": "other.example"})  # fmt: skip


@kind
def another_address() -> Refused:
    return Refused(V.IP_ADDRESS_MISMATCH, 0, [server()], [top()], rule="RFC 9525 §6", found="127.0.0.1",
                   expected="127.0.0.2", rules={"host": "127.0.0.2"})  # fmt: skip


@kind
def no_alternative_name() -> Refused:
    return Refused(V.HOSTNAME_MISMATCH, 0, [make("leaf", top())], [top()], rule="RFC 9525 §6",
                   found="no subjectAltName", expected=HOST)  # fmt: skip


@kind
def small_key() -> Refused:
    return Refused(V.EE_KEY_TOO_SMALL, 0, [leaf(top(), key=spare_key(0, "rsa-1024"))], [top()], rule="security level",
                   found="1024 bits", expected="2048 bits")  # fmt: skip


@kind
def small_key_of_an_authority() -> Refused:
    weak = root("Weak", key=spare_key(0, "p192"))
    return Refused(V.CA_KEY_TOO_SMALL, 1, [leaf(weak)], [weak], "CN=Weak", "security level", "192 bits", "224 bits")


@kind
def dsa_key() -> Refused:
    key = dsa.generate_private_key(1024)
    return Refused(V.EE_KEY_TOO_SMALL, 0, [leaf(top(), key=key)], [top()], rule="security level",  # type: ignore[arg-type]
                   found="DSA", expected="RSA")  # fmt: skip


@kind
def weak_digest() -> Refused:
    end = top().signs(lambda tbs: [*tbs[:2], ECDSA_SHA1, *tbs[3:]], server(), sha1=True)
    return Refused(V.CA_MD_TOO_WEAK, 0, [end], [top()], rule="security level", found="sha1", expected="SHA-256")


def constrained(permitted: list[x509.GeneralName] | None, excluded: list[x509.GeneralName] | None) -> Entity:
    return intermediate("Middle", top(), extensions=[(x509.NameConstraints(permitted, excluded), True)])


@kind
def name_that_is_not_permitted() -> Refused:
    middle = constrained([x509.DNSName("example.com")], None)
    return Refused(V.PERMITTED_VIOLATION, 0, [leaf(middle), middle], [top()], rule="RFC 5280 §4.2.1.10",
                   found="localhost", expected="CN=Middle permits")  # fmt: skip


@kind
def name_that_is_excluded() -> Refused:
    middle = constrained(None, [x509.IPAddress(ip_network("127.0.0.0/8"))])
    return Refused(V.EXCLUDED_VIOLATION, 0, [leaf(middle, HOST, "127.0.0.1"), middle], [top()],
                   rule="RFC 5280 §4.2.1.10", found="127.0.0.1", expected="CN=Middle excludes")  # fmt: skip


OTHER_NAME = x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")


def also_named(issuer: Entity, name: x509.GeneralName) -> Entity:
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), name])
    return make("leaf", issuer, extensions=[(names, False)])


@kind
def constraint_of_a_kind_that_is_not_understood() -> Refused:
    middle = constrained(None, [OTHER_NAME])
    return Refused(V.UNSUPPORTED_CONSTRAINT_TYPE, 0, [also_named(middle, OTHER_NAME), middle], [top()])


@kind
def constraint_on_a_uri_without_a_host() -> Refused:
    middle = constrained(None, [x509.UniformResourceIdentifier("example.com")])
    end = also_named(middle, x509.UniformResourceIdentifier("urn:isbn:1"))
    return Refused(V.UNSUPPORTED_CONSTRAINT_SYNTAX, 0, [end, middle], [top()])


@kind
def constraint_that_an_intermediate_breaks_in_a_way_that_is_not_understood() -> Refused:
    upper = constrained(None, [OTHER_NAME])
    names = x509.SubjectAlternativeName([OTHER_NAME])
    lower = intermediate("Lower", upper, extensions=[(names, False)])
    return Refused(V.UNSUPPORTED_CONSTRAINT_TYPE, 1, [leaf(lower), lower, upper], [top()], "CN=Lower")


@kind
def too_many_names_and_constraints() -> Refused:
    middle = constrained([x509.DNSName(f"d{number}.example") for number in range(300)], None)
    end = leaf(middle, *[f"a.d{number}.example" for number in range(300)])
    return Refused(V.CERT_REJECTED, 0, [end, middle], [top()], rules={"host": None})


@kind
def too_many_paths() -> Refused:
    # Each layer has several certificates of one name and key, and any of them may have issued any below it.
    layers = [[root("Nobody", key=spare_key(3), identifiers=False)]]
    for number, width in enumerate((3, 4, 4, 4)):
        above, key = layers[-1][0], spare_key(number % 3)
        layers.append([intermediate(f"CA {number}", above, key=key, identifiers=False) for _ in range(width)])
    chain = [leaf(layers[-1][0], identifiers=False), *itertools.chain.from_iterable(layers[1:])]
    return Refused(V.CERT_REJECTED, 3, chain, [], certificate="CN=CA")


@kind
def key_that_is_not_for_the_signature() -> Refused:
    end = leaf(root(identifiers=False), identifiers=False)
    return Refused(V.UNSUPPORTED_SIGNATURE_ALGORITHM, 0, [end], [root(key=spare_key(0, "ed25519"), identifiers=False)])


@kind
def unknown_signature_algorithm() -> Refused:
    unknown = tlv(0x30, bytes.fromhex("06082a8648ce3d04037f"))
    tbs = fields(server().der)
    end = sign_fields([*tbs[:2], unknown, *tbs[3:]], top().key, outer=unknown)
    return Refused(V.UNSUPPORTED_SIGNATURE_ALGORITHM, 0, [end], [top()])


LISTS = "RFC 5280 §6.3.3"


def by_list(code: VerifyCode, *lists: bytes, trusted: Entity | None = None, **parts: str) -> Refused:
    issuer = trusted or top()
    end = server() if trusted is None else leaf(trusted)
    return Refused(
        code, 0, [end], [issuer], rules={"crl_check": CrlCheck.LEAF}, lists=lists, **{"rule": LISTS, **parts}
    )


@kind
def no_list() -> Refused:
    return by_list(V.UNABLE_TO_GET_CRL, found="CN=Root", expected="loaded")


@kind
def revoked() -> Refused:
    serial = server().certificate.serial_number
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - DAY)
    entry = builder.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), False).build()
    found = f"{NOW - DAY:%Y-%m-%d %H:%M:%S}Z, reason keyCompromise"
    return by_list(V.CERT_REVOKED, crl(top(), entry), found=found, expected="not in its issuer's list")


@kind
def stale_list() -> Refused:
    return by_list(V.CRL_HAS_EXPIRED, crl(top(), since=NOW - 3 * DAY, until=NOW - 2 * DAY),
                   found=f"{NOW - 2 * DAY:%Y-%m-%d}", expected=f"{NOW:%Y-%m-%d}")  # fmt: skip


@kind
def list_of_tomorrow() -> Refused:
    return by_list(V.CRL_NOT_YET_VALID, crl(top(), since=NOW + 2 * DAY, until=NOW + 3 * DAY),
                   found=f"{NOW + 2 * DAY:%Y-%m-%d}", expected=f"{NOW:%Y-%m-%d}")  # fmt: skip


@kind
def list_with_a_wrong_signature() -> Refused:
    return by_list(V.CRL_SIGNATURE_FAILURE, crl(top(), key=spare_key(3)), found="does not verify", expected="CN=Root")


@kind
def list_of_other_certificates() -> Refused:
    return by_list(V.DIFFERENT_CRL_SCOPE, crl(top(), extensions=[scope(ca=True)]), found="list", expected="one")


@kind
def list_of_an_issuer_that_may_not_make_any() -> Refused:
    alone = root("Alone", usage=("key_cert_sign",))
    return by_list(V.KEYUSAGE_NO_CRL_SIGN, crl(alone), trusted=alone, found="without cRLSign", expected="cRLSign")


@kind
def list_with_an_unknown_critical_extension() -> Refused:
    made = crl(top(), extensions=[extension("1.2.3.4", b"\5\0", critical=True)])
    return by_list(V.UNHANDLED_CRITICAL_CRL_EXTENSION, made, rule="RFC 5280 §5.2", found="1.2.3.4",
                   expected="understood")  # fmt: skip


def strictly(code: VerifyCode, chain: Sequence[Entity | bytes], depth: int = 0, *, trusted: Entity | None = None,
             certificate: str = "CN=leaf", host: str | None = HOST) -> Refused:  # fmt: skip
    rules: dict[str, object] = {"strict": True, "host": host}
    return Refused(code, depth, chain, [trusted or top()], certificate, "RFC 5280", rules=rules)


@kind
def path_length_of_no_authority() -> Refused:
    value = tlv(0x30, b"\x02\x01\x00")
    end = leaf(top(), ca=None, extensions=[extension("2.5.29.19", value, critical=True)])
    return strictly(V.PATHLEN_INVALID_FOR_NON_CA, [end])


@kind
def constraints_not_critical() -> Refused:
    middle = intermediate("Middle", top(), constraints_critical=False)
    return strictly(V.CA_BCONS_NOT_CRITICAL, [leaf(middle), middle], 1, certificate="CN=Middle")


@kind
def authority_without_key_usage() -> Refused:
    middle = intermediate("Middle", top(), usage=None)
    return strictly(V.CA_CERT_MISSING_KEY_USAGE, [leaf(middle), middle], 1, certificate="CN=Middle")


@kind
def leaf_that_may_sign_certificates() -> Refused:
    end = leaf(top(), usage=("digital_signature", "key_cert_sign"))
    return strictly(V.KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, [end])


@kind
def no_name_at_all() -> Refused:
    return strictly(V.SUBJECT_NAME_EMPTY, [make(x509.Name([]), top())], certificate="serial ", host=None)


@kind
def empty_alternative_names() -> Refused:
    end = make("leaf", top(), extensions=[extension("2.5.29.17", b"\x30\x00")])
    return strictly(V.EMPTY_SUBJECT_ALT_NAME, [end], host=None)


@kind
def alternative_names_that_should_be_critical() -> Refused:
    end = make(x509.Name([]), top(), names=(HOST,))
    return strictly(V.EMPTY_SUBJECT_SAN_NOT_CRITICAL, [end], certificate="serial ")


@kind
def no_authority_key_identifier() -> Refused:
    return strictly(V.MISSING_AUTHORITY_KEY_IDENTIFIER, [leaf(top(), identifiers=False)])


@kind
def no_subject_key_identifier() -> Refused:
    alone = root("Alone", identifiers=False)
    return strictly(V.MISSING_SUBJECT_KEY_IDENTIFIER, [leaf(alone)], 1, trusted=alone, certificate="CN=Alone")


@kind
def serial_number_that_is_zero() -> Refused:
    end = top().signs(lambda tbs: [tbs[0], b"\x02\x01\x00", *tbs[2:]], server())
    return Refused(V.INVALID_EXTENSION, 0, [end], [top()], rule="RFC 5280 §4.1.2.2", found="00", expected="positive",
                   rules={"strict": True})  # fmt: skip


@kind
def critical_extended_key_usage() -> Refused:
    end = leaf(top(), purposes=None, extensions=[(x509.ExtendedKeyUsage([SERVER]), True)])
    return Refused(V.INVALID_EXTENSION, 0, [end], [top()], rule="Baseline Requirements", found="extended key usage",
                   expected="neither", rules={"strict": True})  # fmt: skip


@kind
def root_with_an_extended_key_usage() -> Refused:
    alone = root("Alone", purposes=(SERVER,))
    return Refused(V.INVALID_EXTENSION, 1, [leaf(alone)], [alone], "CN=Alone", "Baseline Requirements",
                   "extended key usage", "none", {"strict": True})  # fmt: skip


@cache
def told(name: str) -> tuple[Refused, CertificateRejected]:
    """Return a case, and the refusal that verify_chain raises for it."""
    case = KINDS[name]()
    rules = dict(case.rules)
    host = rules.pop("host", HOST)
    store = with_lists(trusting(*case.trusted), *case.lists)
    with pytest.raises(CertificateRejected) as refused:
        verify_chain(ders(*case.chain), store, host, **rules)  # type: ignore[arg-type]
    return case, refused.value


def test_kinds_of_refusal_are_many() -> None:
    assert len({case().code for case in KINDS.values()}) > 35


@pytest.mark.parametrize("name", KINDS)
def test_refusal_says_what_it_is_about(name: str) -> None:
    case, refused = told(name)
    assert (VerifyCode(refused.verify_code), refused.depth) == (case.code, case.depth)
    assert case.rule in refused.rule
    assert case.found in refused.found
    assert case.expected in refused.expected
    assert type(refused.verify_code) is int
    assert refused.verify_message
    assert str(refused).startswith(refused.verify_message)
    assert refused.alert_sent
    assert refused.reason == "CERTIFICATE_VERIFY_FAILED"


@pytest.mark.parametrize("name", KINDS)
def test_refusal_names_the_certificate(name: str) -> None:
    case, refused = told(name)
    assert refused.certificate
    assert refused.certificate.startswith(case.certificate)


@pytest.mark.parametrize("name", KINDS)
def test_refusal_names_the_rule(name: str) -> None:
    assert told(name)[1].rule


# Decoys: what else a peer may send, or the store may hold, must not hide the good path, or cost much.


def decoys(count: int, issuer: Entity | None = None, **settings: object) -> list[Entity]:
    """Make intermediates of the name Middle that issued nothing."""
    chosen = {"identifiers": False, **settings}
    return [
        intermediate("Middle", issuer or top(), key=spare_key(number % 4, "p384"), **chosen) for number in range(count)
    ]


@pytest.mark.parametrize("place", [0, 1, 7, 13])
def test_issuer_is_found_among_others_of_its_name(place: int) -> None:
    # All of them the root did sign.
    middle = intermediate("Middle", top(), identifiers=False)
    others = decoys(13)
    chain = [leaf(middle, identifiers=False), *others[:place], middle, *others[place:]]
    assert verified(chain, top()) == ["leaf", "Middle", "Root"]


def test_issuer_is_found_by_its_key_identifier_among_others_of_its_name() -> None:
    middle = intermediate("Middle", top())
    others = [intermediate("Middle", top(), key=spare_key(number % 4, "p384")) for number in range(13)]
    assert verified([leaf(middle), *others, middle], top()) == ["leaf", "Middle", "Root"]


def test_issuer_is_found_behind_others_whose_roots_are_not_trusted() -> None:
    middle = intermediate("Middle", top(), identifiers=False)
    strangers = [decoys(1, root(f"Stranger {number}"))[0] for number in range(10)]
    assert verified([leaf(middle, identifiers=False), *strangers, middle], top()) == ["leaf", "Middle", "Root"]


@pytest.mark.parametrize(("name", "more", "good"), [("Root", 0, True), ("Root", 1, False), ("Somebody else", 0, False)])
def test_issuer_is_the_certificate_that_the_key_identifier_names(name: str, more: int, good: bool) -> None:
    # RFC 5280 §4.2.1.1: by the issuer's issuer and serial number; OpenSSL compares both.
    number = top().certificate.serial_number + more
    value = x509.AuthorityKeyIdentifier(None, [x509.DirectoryName(distinguished_name(name))], number)
    end = leaf(top(), identifiers=False, extensions=[(value, False)])
    if good:
        assert verified([end], top()) == ["leaf", "Root"]
    else:
        assert refusal([end], top()).verify_code == 20


def test_loop_does_not_hide_the_good_path() -> None:
    keys = spare_key(1), spare_key(2)
    first, second = root("First", key=keys[0]), root("Second", key=keys[1])
    loop = [intermediate("First", second, key=keys[0]), intermediate("Second", first, key=keys[1])]
    way_out = intermediate("Second", top(), key=keys[1])
    end = leaf(first)
    assert refusal([end, *loop], top()).verify_code in (19, 20, 22)
    assert verified([end, *loop, way_out], top()) == ["leaf", "First", "Second", "Root"]
    assert verified([end, way_out, *loop], top()) == ["leaf", "First", "Second", "Root"]


def test_certificate_that_issued_itself_and_others_of_one_key_end() -> None:
    key = spare_key(1)
    same = [root("Same", key=key, not_after=NOW + number * DAY) for number in range(2, 16)]
    assert refusal([leaf(same[0]), *same], top()).verify_code
    assert verified([leaf(same[0]), *same], same[7]) == ["leaf", "Same"]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_every_root_of_a_cross_signed_web_is_reached(order: tuple[int, ...]) -> None:
    keys = [spare_key(number) for number in range(3)]
    roots = [root(f"Root {number}", key=keys[number]) for number in range(3)]
    crossed = [
        intermediate(f"Root {subject}", roots[issuer], key=keys[subject])
        for subject in range(3)
        for issuer in range(3)
        if subject != issuer
    ]
    chain = [leaf(roots[0]), *[crossed[2 * number] for number in order], *[crossed[2 * number + 1] for number in order]]
    for trusted in roots:
        assert verified(chain, trusted)[-1] == trusted.certificate.subject.rfc4514_string().removeprefix("CN=")


def test_root_that_expired_is_passed_by() -> None:
    key = spare_key(1)
    old, new = root("Old", **OLD), root("New")
    middles = [intermediate("Middle", issuer, key=key) for issuer in (old, new)]
    for chain in (middles, middles[::-1]):
        for trusted in ((old, new), (new, old)):
            assert verified([leaf(middles[0]), *chain], *trusted) == ["leaf", "Middle", "New"]


def test_renewed_root_of_the_same_key_is_used_when_the_old_one_expired() -> None:
    old, new = root("Root", key=spare_key(1), **OLD), root("Root", key=spare_key(1))
    end = leaf(old)
    for trusted in ((old, new), (new, old)):
        assert verified([end], *trusted) == ["leaf", "Root"]
    assert verified([end, old], new) == ["leaf", "Root"]


USELESS: dict[str, Callable[[Entity], Entity]] = {
    "expired": lambda real: intermediate("Middle", top(), key=real.key, **OLD),
    "no authority": lambda real: make("Middle", top(), key=real.key),
    "not for servers": lambda real: intermediate("Middle", top(), key=real.key, purposes=(CLIENT,)),
    "for other names": lambda real: intermediate(
        "Middle", top(), key=real.key, extensions=[(x509.NameConstraints([x509.DNSName("example.com")], None), True)]
    ),
    "with an unknown critical extension": lambda real: intermediate(
        "Middle", top(), key=real.key, extensions=[extension("1.2.3.4", b"\5\0", critical=True)]
    ),
    "of another root": lambda real: intermediate("Middle", root("Other"), key=real.key),
    "with the identifier of the real one and another key": lambda real: intermediate(
        "Middle",
        top(),
        key=spare_key(3),
        identifiers=False,
        extensions=[(x509.SubjectKeyIdentifier.from_public_key(real.key.public_key()), False)],
    ),
}


@pytest.mark.parametrize("what", USELESS)
@pytest.mark.parametrize("first", [True, False])
def test_useless_namesake_does_not_hide_the_issuer(what: str, first: bool) -> None:
    middle = intermediate("Middle", top())
    useless = USELESS[what](middle)
    assert verified([leaf(middle), *([useless, middle] if first else [middle, useless])], top())[-1] == "Root"
    assert refusal([leaf(middle), useless], top()).verify_code


def spoilt(place: int, new: bytes) -> Callable[[Entity], bytes]:
    return lambda real: top().signs(lambda tbs: [*tbs[:place], new, *tbs[place + 1 :]], real)


def spoilt_extensions(change: Callable[[bytes], bytes]) -> Callable[[Entity], bytes]:
    def made(real: Entity) -> bytes:
        listed = inside(inside(fields(real.der)[-1]))
        return top().signs(lambda tbs: [*tbs[:7], tlv(0xA3, tlv(0x30, change(listed)))], real)

    return made


def without_signature(real: Entity) -> bytes:
    return tlv(0x30, tlv(0x30, *fields(real.der)), tlv(0x30, bytes.fromhex("06082a8648ce3d040302")), b"\3\1\0")


def unused_bits(real: Entity) -> bytes:
    return sign_fields(fields(real.der), top().key, unused_bits=1)


UNKNOWN_KEY = tlv(0x30, tlv(0x30, bytes.fromhex("06082a8648ce3d04037f")), tlv(0x03, b"\0\1\2\3"))
OFF_THE_CURVE = tlv(0x30, bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"), tlv(3, b"\0\4" + b"\1" * 64))
BAD_RSA = tlv(
    0x30, bytes.fromhex("300d06092a864886f70d0101010500"), tlv(3, b"\0", tlv(0x30, tlv(2, b"\0"), tlv(2, b"\1")))
)

MALFORMED: dict[str, Callable[[Entity], bytes]] = {
    "key that is not known": spoilt(6, UNKNOWN_KEY),
    "key that is no point of the curve": spoilt(6, OFF_THE_CURVE),
    "RSA key of nothing": spoilt(6, BAD_RSA),
    "extension that is there twice": spoilt_extensions(lambda listed: listed + listed[: 2 + listed[1]]),
    "key usage that is no bits": spoilt_extensions(lambda _: tlv(0x30, bytes.fromhex("0603551d0f"), tlv(4, b"\5\0"))),
    "alternative names that are cut short": spoilt_extensions(
        lambda listed: listed + tlv(0x30, bytes.fromhex("0603551d11"), tlv(4, b"\x30\x05\x82\x01a"))
    ),
    "constraints that are none": spoilt_extensions(
        lambda listed: listed + tlv(0x30, bytes.fromhex("0603551d1e"), b"\1\1\xff", tlv(4, b"\5\0"))
    ),
    "signature of nothing": without_signature,
    "signature with unused bits": unused_bits,
    "two algorithms": lambda real: sign_fields(fields(real.der), top().key, outer=ECDSA_SHA1),
}  # fmt: skip


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("first", [True, False])
def test_malformed_namesake_in_the_chain_does_not_hide_the_issuer(what: str, first: bool) -> None:
    middle = intermediate("Middle", top(), identifiers=False)
    end = leaf(middle, identifiers=False)
    bad = MALFORMED[what](middle)
    assert verified([end, *([bad, middle] if first else [middle, bad])], top()) == ["leaf", "Middle", "Root"]
    with pytest.raises((CertificateRejected, BadCertificate)):
        verified([end, bad], top())


@pytest.mark.parametrize("what", MALFORMED)
@pytest.mark.parametrize("first", [True, False])
def test_malformed_namesake_in_the_store_does_not_hide_the_root(what: str, first: bool) -> None:
    end = leaf(top(), identifiers=False)
    bad = MALFORMED[what](top())
    assert verified([end], *([bad, top()] if first else [top(), bad])) == ["leaf", "Root"]


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"junk", b"\x30\x84\xff\xff\xff\xff"])
def test_what_does_not_parse_in_the_store_does_not_hide_the_root(der: bytes) -> None:
    assert verified([server()], der, top()) == ["leaf", "Root"]


def test_issuer_is_found_though_the_leaf_is_there_many_times() -> None:
    middle = intermediate("Middle", top())
    end = leaf(middle)
    assert verified([end, *[end] * 14, middle], top()) == ["leaf", "Middle", "Root"]


@pytest.mark.parametrize("extra", [14, 15, 100, 1000])
def test_certificates_that_are_not_needed_cost_little(extra: int) -> None:
    middle, stranger = intermediate("Middle", top()), root("Stranger")
    strangers = [leaf(stranger)] * extra
    assert verified([leaf(middle), middle, *strangers], top()) == ["leaf", "Middle", "Root"]


def test_issuer_behind_more_certificates_than_are_looked_at_is_not_found() -> None:
    middle, stranger = intermediate("Middle", top()), leaf(root("Stranger"))
    end = leaf(middle)
    assert verified([end, *[stranger] * (MOST_CANDIDATES - 2), middle], top())
    assert refusal([end, *[stranger] * (MOST_CANDIDATES - 1), middle], top()).verify_code == 20


def test_search_among_many_of_one_name_is_bounded() -> None:
    # A ladder whose every rung has two certificates of the same name and key: 2^7 paths, none to a trusted root.
    rungs: list[Entity] = [root("Nobody", key=spare_key(0))]
    chain: list[Entity] = []
    for number in range(7):
        key, above = spare_key(1 + number % 3), rungs[-1]
        pair = [intermediate(f"Rung {number}", above, key=key, not_after=NOW + days * DAY) for days in (5, 6)]
        chain = [*pair, *chain]
        rungs.append(pair[0])
    assert refusal([leaf(rungs[-1]), *chain], top()).verify_code


# Signatures of every kind.


def signed(subject: str, key: object, issuer: str, signer: object, *, ca: bool, **how: object) -> bytes:
    """Return a certificate, DER, for a key of any kind, signed by a key of any kind."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(distinguished_name(subject))
        .issuer_name(distinguished_name(issuer))
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.BasicConstraints(ca, None), True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
    )
    from cryptography.hazmat.primitives.serialization import Encoding

    return builder.sign(signer, **{"algorithm": None, **how}).public_bytes(Encoding.DER)  # type: ignore[arg-type]


SIGNERS: dict[str, tuple[Callable[[], object], dict[str, object]]] = {
    "ML-DSA-44": (mldsa.MLDSA44PrivateKey.generate, {}),
    "ML-DSA-65": (mldsa.MLDSA65PrivateKey.generate, {}),
    "ML-DSA-87": (mldsa.MLDSA87PrivateKey.generate, {}),
    "Ed25519": (lambda: spare_key(0, "ed25519"), {}),
    "Ed448": (lambda: spare_key(0, "ed448"), {}),
    **{f"RSA with {digest.name}": (lambda: spare_key(0, "rsa-2048"), {"algorithm": digest})
       for digest in (hashes.SHA224(), hashes.SHA256(), hashes.SHA384(), hashes.SHA512(), hashes.SHA3_256())},
    **{f"RSA-PSS with {digest.name}": (
        lambda: spare_key(0, "rsa-2048"),
        {"algorithm": digest, "rsa_padding": padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)},
    ) for digest in (hashes.SHA256(), hashes.SHA384(), hashes.SHA512())},
    **{f"{curve.name} with {digest.name}": (
        lambda curve=curve: ec.generate_private_key(curve), {"algorithm": digest},
    ) for curve, digest in (
        (ec.SECP224R1(), hashes.SHA224()), (ec.SECP256R1(), hashes.SHA512()), (ec.SECP384R1(), hashes.SHA384()),
        (ec.SECP521R1(), hashes.SHA256()), (ec.SECP256K1(), hashes.SHA256()), (ec.BrainpoolP256R1(), hashes.SHA256()),
        (ec.BrainpoolP512R1(), hashes.SHA512()), (ec.SECP256R1(), hashes.SHA3_256()),
    )},
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNERS)
def test_chain_of_every_signature_algorithm(name: str) -> None:
    new_key, how = SIGNERS[name]
    root_key, middle_key = new_key(), new_key()
    anchor = signed("Root", root_key, "Root", root_key, ca=True, **how)
    middle = signed("Middle", middle_key, "Root", root_key, ca=True, **how)
    for key in (spare_key(0), new_key()):
        end = signed("leaf", key, "Middle", middle_key, ca=False, **how)
        assert verified([end, middle], anchor) == ["leaf", "Middle", "Root"]
    for which in (0, 1):
        chain = [end, middle]
        chain[which] = chain[which][:-1] + bytes((chain[which][-1] ^ 1,))
        refused = refusal(chain, anchor)
        assert (refused.verify_code, refused.depth) == (7, which)


@pytest.mark.parametrize("name", ["ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "Ed25519", "Ed448"])
def test_key_of_another_kind_does_not_verify(name: str) -> None:
    new_key, _ = SIGNERS[name]
    key = new_key()
    end = signed("leaf", spare_key(0), "Root", key, ca=False)
    for other, (new_other, how) in SIGNERS.items():
        if other not in (name, "RSA with sha224") and not other.startswith(("RSA", "brainpool", "secp")):
            root_key = new_other()
            anchor = signed("Root", root_key, "Root", root_key, ca=True, **how)
            assert refusal([end], anchor).verify_code == 76


def test_chain_of_mixed_kinds() -> None:
    keys = [mldsa.MLDSA65PrivateKey.generate(), spare_key(0, "ed448"), spare_key(0, "ed25519"), spare_key(0)]
    chain = [signed("CA 0", keys[0], "CA 0", keys[0], ca=True)]
    for number in range(1, 4):
        chain.insert(0, signed(f"CA {number}", keys[number], f"CA {number - 1}", keys[number - 1], ca=number < 3))
    assert verified(chain[:-1], chain[-1]) == ["CA 3", "CA 2", "CA 1", "CA 0"]
