"""Name constraints of CA certificates (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, NamedTuple

from fasttls.native._x509 import attributes, canonical_name, elements
from fasttls.trust.certificate import Certificate
from fasttls.trust.names import as_ascii
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# The contents of the DER of id-ce-nameConstraints, id-emailAddress and id-on-SmtpUTF8Mailbox (RFC 9598 §3).
_NAME_CONSTRAINTS = bytes.fromhex("551d1e")
_EMAIL_ADDRESS = bytes.fromhex("2a864886f70d010901")
_SMTP_UTF8_MAILBOX = bytes.fromhex("2b06010505070809")

# Kinds of GeneralName (RFC 5280 §4.2.1.6).
OTHER_NAME, EMAIL, DNS, DIRECTORY, URI, IP_ADDRESS = 0, 1, 2, 4, 6, 7

MOST_COMPARISONS = 1 << 16
"""Names times constraints that one chain may cost; OpenSSL has a bound of the same kind."""


class Comparisons:
    """How many comparisons a chain may still cost, over all the paths that are tried."""

    def __init__(self, left: int = MOST_COMPARISONS) -> None:
        self.left = left


class Name(NamedTuple):
    """A name, or the base of a subtree, in the form that is compared."""

    kind: int
    value: Any
    """Text; an IP address's bytes, a base's mask behind them; a directory name in its canonical form."""

    unbounded: bool = True
    """Of a base: whether minimum is 0 and there is no maximum, which nobody uses (RFC 5280 §4.2.1.10)."""

    @property
    def shown(self) -> str:
        """The name as a person reads it."""
        if self.kind == IP_ADDRESS and len(self.value) in (4, 16):
            return str(ipaddress.ip_address(self.value))
        return self.value if isinstance(self.value, str) else "a directory name" if self.kind == DIRECTORY else "a name"


def _name(kind: int, contents: bytes, *, unbounded: bool = True) -> Name:
    """Return a GeneralName of its kind and contents. Raises ValueError for a malformed directory name."""
    if kind in (EMAIL, DNS, URI):
        return Name(kind, contents.decode("latin-1"), unbounded)
    if kind == DIRECTORY:
        return Name(kind, canonical_name(contents), unbounded)
    if kind == OTHER_NAME:
        parts = elements(contents)
        if len(parts) == 2 and parts[0][1] == _SMTP_UTF8_MAILBOX:
            # RFC 9598 §6: constraints on mail addresses are for these too.
            return Name(EMAIL, b"".join(value for _, value in elements(parts[1][1])).decode("utf-8"), unbounded)
    return Name(kind, contents, unbounded)


def _names(certificate: Certificate) -> Iterator[Name]:
    """Every name of a certificate that constraints apply to."""
    if certificate.subject:
        yield Name(DIRECTORY, certificate.subject)
    if certificate.alternative_names is not None:
        for kind, value in certificate.alternative_names:
            yield _name(kind, value)
    else:
        # RFC 5280 §4.2.1.10: without alternative names, an address in the subject is constrained.
        for relative in attributes(certificate.subject_der):
            for oid, _, value in relative:
                if oid == _EMAIL_ADDRESS:
                    yield _name(EMAIL, value)


def _subtrees(certificate: Certificate) -> tuple[list[Name], list[Name]]:
    """Return the bases of what a CA permits and of what it excludes. Raises ValueError for what is malformed."""
    found: tuple[list[Name], list[Name]] = [], []
    ((outer, contents),) = elements(certificate.extension_values[_NAME_CONSTRAINTS][1])
    if outer != 0x30:
        raise ValueError("name constraints that are none")
    for tag, subtrees in elements(contents):
        if tag not in (0xA0, 0xA1):
            raise ValueError("name constraints that are none")
        for kind, subtree in elements(subtrees):
            parts = elements(subtree)
            if kind != 0x30 or not parts or parts[0][0] & 0xC0 != 0x80:
                raise ValueError("a name constraint that is none")
            unbounded = all(tag == 0x80 and value == b"\0" for tag, value in parts[1:])
            found[tag - 0xA0].append(_name(parts[0][0] & 0x1F, parts[0][1], unbounded=unbounded))
    if not found[0] and not found[1]:
        raise ValueError("name constraints that constrain nothing")
    return found


def _dns_within(name: str, base: str) -> bool:
    name, base = name.lower().removesuffix("."), base.lower().removesuffix(".")
    if base == "":
        return True
    if base.startswith("."):
        return name.endswith(base)
    return name == base or name.endswith("." + base)


def _wildcard_covers(name: Name, base: Name) -> bool:
    """Whether a wildcard is good for a name that a DNS constraint is about."""
    if name.kind != DNS or not name.value.startswith("*."):
        return False
    covered: bool = base.value.lower().removesuffix(".").partition(".")[2] == name.value[2:].lower().removesuffix(".")
    return covered


def _email_within(name: str, base: str) -> bool:
    local, at, host = name.rpartition("@")
    if not at:
        raise CertificateRejected(VerifyCode.UNSUPPORTED_NAME_SYNTAX, detail=f"the mail address {name!r}")
    if not host.isascii():
        try:
            host = as_ascii(host)
        except ValueError as exc:
            raise CertificateRejected(VerifyCode.UNSUPPORTED_NAME_SYNTAX, detail=str(exc)) from exc
    host = host.lower()
    if "@" in base:
        base_local, _, base_host = base.rpartition("@")
        return base_local in ("", local) and host == base_host.lower()
    base = base.lower()
    return host.endswith(base) if base.startswith(".") else host == base


def _uri_within(name: str, base: str) -> bool:
    authority = name.partition("://")[2].partition("/")[0].partition("?")[0].partition("#")[0]
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX, detail=f"the URI {name!r}")
    host = host.partition(":")[0].lower()
    if not host:
        raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX, detail=f"the URI {name!r}")
    base = base.lower()
    return host.endswith(base) if base.startswith(".") else host == base


def _address_within(address: bytes, base: bytes) -> bool:
    size = len(base) // 2
    if len(base) not in (8, 32):
        raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX, detail="an IP constraint")
    if len(address) not in (4, 16):
        raise CertificateRejected(VerifyCode.UNSUPPORTED_NAME_SYNTAX, detail="an IP address that is none")
    mask = int.from_bytes(base[size:], "big")
    return len(address) == size and not (int.from_bytes(address, "big") ^ int.from_bytes(base[:size], "big")) & mask


def _within(name: Name, base: Name) -> bool:
    """Whether a name is in the subtree of a base of the same kind."""
    if not base.unbounded:
        raise CertificateRejected(VerifyCode.SUBTREE_MINMAX, detail="a name constraint with a minimum or a maximum")
    if name.kind == DNS:
        return _dns_within(name.value, base.value)
    if name.kind == IP_ADDRESS:
        return _address_within(name.value, base.value)
    if name.kind == EMAIL:
        return _email_within(name.value, base.value)
    if name.kind == URI:
        return _uri_within(name.value, base.value)
    if name.kind == DIRECTORY:
        within: bool = name.value[: len(base.value)] == base.value
        return within
    # Another kind: a constraint on it that cannot be judged must not be passed (RFC 5280 §4.2.1.10).
    raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE, detail=f"a GeneralName of the kind {name.kind}")


def _refused(code: VerifyCode, depth: int, certificate: Certificate, found: str) -> CertificateRejected:
    rule, expected = "RFC 5280 §4.2.1.10", "names and constraints that can be judged"
    name = certificate.description
    return CertificateRejected(code, depth, found, certificate=name, rule=rule, found=found, expected=expected)


def _judged(name: Name, base: Name, depth: int, certificate: Certificate) -> bool:
    """Whether a name is within a base; what cannot be judged refuses the certificate at depth."""
    try:
        return _within(name, base)
    except CertificateRejected as exc:
        raise _refused(VerifyCode(exc.verify_code), depth, certificate, exc.detail) from exc


def check_name_constraints(
    path: tuple[Certificate, ...], own: tuple[str, ...] = (), comparisons: Comparisons | None = None
) -> None:
    """Hold every name in the path, leaf first, to the constraints of the CAs above it.

    own are more DNS names that the leaf stands for. Raises CertificateRejected, and ValueError for what is malformed.
    Self-issued intermediates are exempt (RFC 5280 §6.1.4 (b)).
    """
    comparisons = comparisons or Comparisons()
    names: dict[int, list[Name]] = {}
    for above, ca in enumerate(path[1:], 1):
        if _NAME_CONSTRAINTS not in ca.extension_values:
            continue
        permitted, excluded = _subtrees(ca)
        for depth, certificate in enumerate(path[:above]):
            if depth and certificate.self_issued:
                continue
            if depth not in names:
                names[depth] = [*_names(certificate), *(Name(DNS, name) for name in (own if depth == 0 else ()))]
            for name in names[depth]:
                comparisons.left -= len(permitted) + len(excluded)
                if comparisons.left < 0:
                    raise _refused(VerifyCode.CERT_REJECTED, depth, certificate, "too many names and name constraints")
                same_kind = [base for base in excluded if base.kind == name.kind]
                if any(_judged(name, base, depth, certificate) or _wildcard_covers(name, base) for base in same_kind):
                    raise CertificateRejected(
                        VerifyCode.EXCLUDED_VIOLATION,
                        depth,
                        f"{name.shown} is excluded by {ca.description}",
                        certificate=certificate.description,
                        rule="RFC 5280 §4.2.1.10",
                        found=name.shown,
                        expected=f"none of the names that {ca.description} excludes",
                    )
                same_kind = [base for base in permitted if base.kind == name.kind]
                if same_kind and not any(_judged(name, base, depth, certificate) for base in same_kind):
                    raise CertificateRejected(
                        VerifyCode.PERMITTED_VIOLATION,
                        depth,
                        f"{name.shown} is not permitted by {ca.description}",
                        certificate=certificate.description,
                        rule="RFC 5280 §4.2.1.10",
                        found=name.shown,
                        expected=f"one of the names that {ca.description} permits",
                    )
