"""Whether a certificate is for a host: the rules of RFC 9525, and the verdict of `ssl` on the same names."""

from __future__ import annotations

import ssl

import pytest
from cryptography import x509
from trust.forge import leaf, root
from trust.judges import Case, judge

import fasttls
from fasttls.trust.certificate import Certificate, name_for_people
from fasttls.trust.names import as_ascii, as_ip_address, check_host, matches_dns
from fasttls.trust.verdicts import CertificateRejected

MATCHES = [
    ("example.com", "example.com"),
    ("EXAMPLE.com", "example.COM"),
    ("*.example.com", "www.example.com"),
    ("*.example.com", "WWW.example.com"),
    ("*.example.com", "xn--bcher-kva.example.com"),
    ("xn--bcher-kva.example", "bücher.example"),
    ("a.b.c.example.com", "a.b.c.example.com"),
    ("127.0.0.1", "127.0.0.1"),
    ("::1", "::1"),
    ("::1", "0:0:0:0:0:0:0:1"),
    ("2001:db8::1", "2001:DB8::0001"),
    ("under_score.example", "under_score.example"),
    ("localhost", "localhost"),
]

MISMATCHES = [
    ("example.com", "www.example.com"),
    ("www.example.com", "example.com"),
    ("*.example.com", "example.com"),
    ("*.example.com", "a.b.example.com"),
    ("*.com", "example.com"),
    ("*", "localhost"),
    ("w*.example.com", "www.example.com"),
    ("*w.example.com", "www.example.com"),
    ("www.*.com", "www.example.com"),
    ("*.*.com", "www.example.com"),
    ("*.example.com", "wwwexample.com"),
    ("example.com", "example.com.evil.org"),
    ("example.com", "notexample.com"),
    ("127.0.0.1", "127.0.0.2"),
    ("::1", "::2"),
    ("::ffff:127.0.0.1", "127.0.0.1"),
    ("127.0.0.1", "localhost"),
]

DIFFERENT = {
    ("*.example.com", "under_score.example.com"): (
        62,
        0,
        "what a wildcard stands for is one label, whatever its letters; OpenSSL wants those of host names",
    ),
    ("example.com", "example.com."): (62, 0, "a trailing dot makes a name absolute and no other name"),
    ("example.com.", "example.com"): (62, 0, "as above"),
}
"""The code of `ssl`, that of fasttls, and why they differ."""


def _case(name: str, host: str) -> Case:
    top = root()
    return Case([leaf(top, name)], [top], host=host)


@pytest.mark.parametrize(("name", "host"), MATCHES)
def test_name_that_matches(name: str, host: str) -> None:
    case = _case(name, host)
    assert judge(fasttls.SSLContext, case).accepted
    assert judge(ssl.SSLContext, case).accepted


@pytest.mark.parametrize(("name", "host"), MISMATCHES)
def test_name_that_does_not_match(name: str, host: str) -> None:
    # RFC 9525 §6.3: a wildcard is the whole left-most label and stands for one label.
    case = _case(name, host)
    ours, theirs = judge(fasttls.SSLContext, case), judge(ssl.SSLContext, case)
    assert ours.code == (62 if as_ip_address(host) is None else 64)
    assert ours == theirs


@pytest.mark.parametrize(("name", "host"), DIFFERENT)
def test_name_on_which_the_two_differ(name: str, host: str) -> None:
    code_of_ssl, ours, _ = DIFFERENT[name, host]
    case = _case(name, host)
    assert judge(fasttls.SSLContext, case).code == ours
    assert judge(ssl.SSLContext, case).code == code_of_ssl


def test_any_of_many_names_will_do() -> None:
    top = root()
    names = [f"host{number}.example" for number in range(300)]
    certificate = Certificate(leaf(top, *names).der)
    check_host(certificate, "host299.example")
    with pytest.raises(CertificateRejected, match="and 292 more"):
        check_host(certificate, "host300.example")


@pytest.mark.parametrize("host", ["", ".", "a..b", ".example.com", "a" * 64, "a." * 127 + "b", "x" * 300])
def test_host_that_can_be_none_is_a_value_error(host: str) -> None:
    with pytest.raises(ValueError, match="host name"):
        as_ascii(host)


@pytest.mark.parametrize("host", ["", ".example.com"])
def test_context_refuses_such_a_host_as_ssl_does(host: str) -> None:
    for library in (ssl, fasttls):
        context = library.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        with pytest.raises(ValueError, match=r"host|label"):
            context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)


def test_international_name_becomes_its_a_label() -> None:
    assert as_ascii("bücher.example") == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("127.0.0.1", bytes((127, 0, 0, 1))),
        ("[::1]", bytes(15) + b"\1"),
        ("127.1", None),
        ("0x7f000001", None),
        ("2130706433", None),
        ("0127.0.0.1", None),
        ("example.com", None),
        ("1.2.3.4.5", None),
    ],
)
def test_only_an_address_in_full_is_one(text: str, packed: bytes | None) -> None:
    assert as_ip_address(text) == packed


@pytest.mark.parametrize("pattern", ["", "*", "*.", ".", "**.example.com", "*a.example.com", "a.*"])
def test_pattern_that_is_for_no_host(pattern: str) -> None:
    for host in ("example.com", "a.example.com", "a", "*"):
        assert not matches_dns(pattern, host)


def test_name_with_a_null_byte_is_not_cut_short() -> None:
    # The trick of 2009: good for www.good.example to those who stop at the null.
    assert not matches_dns("www.good.example\0.evil.example", "www.good.example")


class TestForPeople:
    """Names in messages, as RFC 4514 writes them."""

    @pytest.mark.parametrize(
        "name",
        [
            "CN=example",
            "CN=a\\, b\\+c,OU=x,O=Ünï,L=Bern,ST=BE,C=CH",
            "CN=\\#1,O=\\\\",
            "CN=\\ x\\ ",
            "UID=u,DC=example,DC=org",
            "1.2.840.113549.1.9.1=a@b.example,CN=x",
            'CN=\\"\\<\\>\\;',
        ],
    )
    def test_like_cryptography(self, name: str) -> None:
        parsed = x509.Name.from_rfc4514_string(name)
        assert name_for_people(parsed.public_bytes()) == parsed.rfc4514_string() == name

    def test_what_is_not_printable(self) -> None:
        parsed = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a\r\nb")])
        assert name_for_people(parsed.public_bytes()) == "CN=a\\r\\nb"
