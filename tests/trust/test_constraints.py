"""Name constraints (RFC 5280 §4.2.1.10), kind by kind, without a handshake."""

from __future__ import annotations

import ipaddress

import pytest
from certs import distinguished_name
from cryptography import x509
from cryptography.x509.oid import NameOID
from trust.forge import Entity, intermediate, make, root

from fasttls.trust.certificate import Certificate
from fasttls.trust.constraints import check_name_constraints
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

DNS, EMAIL, URI = x509.DNSName, x509.RFC822Name, x509.UniformResourceIdentifier


def _ip(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_network(text) if "/" in text else ipaddress.ip_address(text))


def _directory(*values: str) -> x509.DirectoryName:
    return x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in values]))


WITHIN = [
    (DNS("host.example.com"), DNS("example.com")),
    (DNS("example.com"), DNS("example.com")),
    (DNS("HOST.example.com"), DNS("EXAMPLE.com")),
    (DNS("host.example.com"), DNS(".example.com")),
    (DNS("anything"), DNS("")),
    (_ip("10.1.2.3"), _ip("10.0.0.0/8")),
    (_ip("10.1.2.3"), _ip("0.0.0.0/0")),
    (_ip("2001:db8::1"), _ip("2001:db8::/32")),
    (EMAIL("a@example.com"), EMAIL("example.com")),
    (EMAIL("a@EXAMPLE.com"), EMAIL("example.com")),
    (EMAIL("a@example.com"), EMAIL("a@example.com")),
    (EMAIL("a@host.example.com"), EMAIL(".example.com")),
    (URI("https://example.com/path"), URI("example.com")),
    (URI("https://user@example.com:8080?q"), URI("example.com")),
    (URI("https://host.example.com/"), URI(".example.com")),
    (_directory("one", "two"), _directory("one")),
    (_directory("ONE  two"), _directory("one two")),
]

OUTSIDE = [
    (DNS("notexample.com"), DNS("example.com")),
    (DNS("example.com"), DNS("host.example.com")),
    (DNS("example.com"), DNS(".example.com")),
    (DNS("example.com.evil.org"), DNS("example.com")),
    (_ip("11.1.2.3"), _ip("10.0.0.0/8")),
    (_ip("10.1.2.3"), _ip("2001:db8::/32")),
    (_ip("2001:db9::1"), _ip("2001:db8::/32")),
    (EMAIL("a@host.example.com"), EMAIL("example.com")),
    (EMAIL("A@example.com"), EMAIL("a@example.com")),
    (EMAIL("a@example.com"), EMAIL(".example.com")),
    (URI("https://host.example.com/"), URI("example.com")),
    (URI("https://example.com.evil.org/"), URI("example.com")),
    (URI("https://example.com@evil.org/"), URI("example.com")),
    (_directory("two", "one"), _directory("one")),
    (_directory("one"), _directory("one", "two")),
]


def _path(
    names: list[x509.GeneralName],
    permitted: list[x509.GeneralName] | None = None,
    excluded: list[x509.GeneralName] | None = None,
) -> tuple[Certificate, ...]:
    top = root()
    rule = x509.NameConstraints(permitted, excluded)
    middle = intermediate("Middle", top, extensions=[(rule, True)])
    return _certificates(_named(middle, names), middle, top)


def _named(issuer: Entity, names: list[x509.GeneralName]) -> Entity:
    alternative = [(x509.SubjectAlternativeName(names), True)] if names else []
    return make(x509.Name([]), issuer, extensions=alternative)


def _certificates(*entities: Entity) -> tuple[Certificate, ...]:
    return tuple(Certificate(one.der) for one in entities)


def _code(path: tuple[Certificate, ...]) -> VerifyCode:
    with pytest.raises(CertificateRejected) as refused:
        check_name_constraints(path)
    return VerifyCode(refused.value.verify_code)


@pytest.mark.parametrize(("name", "base"), WITHIN)
def test_name_in_the_subtree(name: x509.GeneralName, base: x509.GeneralName) -> None:
    check_name_constraints(_path([name], permitted=[base]))
    assert _code(_path([name], excluded=[base])) is VerifyCode.EXCLUDED_VIOLATION


@pytest.mark.parametrize(("name", "base"), OUTSIDE)
def test_name_outside_the_subtree(name: x509.GeneralName, base: x509.GeneralName) -> None:
    check_name_constraints(_path([name], excluded=[base]))
    assert _code(_path([name], permitted=[base])) is VerifyCode.PERMITTED_VIOLATION


def test_exclusion_goes_before_permission() -> None:
    path = _path([DNS("a.example.com")], permitted=[DNS("example.com")], excluded=[DNS("a.example.com")])
    assert _code(path) is VerifyCode.EXCLUDED_VIOLATION


def test_one_of_several_permitted_subtrees_is_enough() -> None:
    check_name_constraints(_path([DNS("b.example")], permitted=[DNS("a.example"), DNS("b.example")]))


def test_every_name_must_be_permitted() -> None:
    path = _path([DNS("a.example"), DNS("c.example")], permitted=[DNS("a.example"), DNS("b.example")])
    assert _code(path) is VerifyCode.PERMITTED_VIOLATION


@pytest.mark.parametrize("uri", ["urn:isbn:1", "https://[::1]/", "mailto:a@example.com"])
def test_uri_without_a_host_name_cannot_be_judged(uri: str) -> None:
    # RFC 5280 §4.2.1.10: it must be rejected.
    assert _code(_path([URI(uri)], permitted=[URI("example.com")])) is VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX
    assert _code(_path([URI(uri)], excluded=[URI("example.com")])) is VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX


def test_kind_that_is_not_understood_cannot_be_judged() -> None:
    other = x509.OtherName(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    assert _code(_path([other], permitted=[other])) is VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE
    assert _code(_path([other], excluded=[other])) is VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE
    check_name_constraints(_path([DNS("a.example")], permitted=[other]))


def test_wildcard_that_covers_an_excluded_name_is_excluded() -> None:
    path = _path([DNS("*.example.com")], excluded=[DNS("bar.example.com")])
    assert _code(path) is VerifyCode.EXCLUDED_VIOLATION


def test_wildcard_beside_an_excluded_name_is_not() -> None:
    check_name_constraints(_path([DNS("*.example.org")], excluded=[DNS("bar.example.com")]))
    check_name_constraints(_path([DNS("*.example.com")], excluded=[DNS("a.b.example.com")]))


def test_constraints_hold_for_intermediates_too() -> None:
    top = root(extensions=[(x509.NameConstraints(None, [x509.DirectoryName(distinguished_name("Middle"))]), True)])
    middle = intermediate("Middle", top)
    assert _code(_certificates(_named(middle, [DNS("a.example")]), middle, top)) is VerifyCode.EXCLUDED_VIOLATION


def test_self_issued_intermediate_is_exempt_and_a_self_issued_leaf_is_not() -> None:
    # RFC 5280 §6.1.4 (b) with §6.1.3 (b).
    rule = x509.NameConstraints(None, [x509.DirectoryName(distinguished_name("Root"))])
    top = root(extensions=[(rule, True)])
    renewed = intermediate("Root", top)
    check_name_constraints(_certificates(_named(renewed, [DNS("a.example")]), renewed, top))
    assert _code(_certificates(make("Root", top), top)) is VerifyCode.EXCLUDED_VIOLATION


def test_mail_address_in_the_subject_counts_without_alternative_names() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, "a@example.com")])
    top = root(extensions=[(x509.NameConstraints(None, [EMAIL("example.com")]), True)])
    assert _code(_certificates(make(subject, top), top)) is VerifyCode.EXCLUDED_VIOLATION
