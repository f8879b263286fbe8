"""Name constraints of CA certificates (RFC 5280 §4.2.1.10)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from fasttls.trust.certificate import Certificate, canonical_name
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# The contents of the DER of id-ce-nameConstraints.
_NAME_CONSTRAINTS = bytes.fromhex("551d1e")

MOST_COMPARISONS = 1 << 16
"""Names times constraints that one chain may cost; OpenSSL has a bound of the same kind."""


def _names(certificate: Certificate) -> Iterator[x509.GeneralName]:
    """Every name of a certificate that constraints apply to."""
    subject = certificate.subject_name
    if subject.rdns:
        yield x509.DirectoryName(subject)
    alternative = certificate.extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    if alternative is not None:
        yield from alternative
    else:
        # RFC 5280 §4.2.1.10: without alternative names, an address in the subject is constrained.
        for attribute in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
            yield x509.RFC822Name(str(attribute.value))


def _dns_within(name: str, base: str) -> bool:
    name, base = name.lower().removesuffix("."), base.lower().removesuffix(".")
    if base == "":
        return True
    if base.startswith("."):
        return name.endswith(base)
    return name == base or name.endswith("." + base)


def _wildcard_covers(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Whether a wildcard is good for a name that a DNS constraint is about."""
    if not isinstance(name, x509.DNSName) or not isinstance(base, x509.DNSName) or not name.value.startswith("*."):
        return False
    return base.value.lower().removesuffix(".").partition(".")[2] == name.value[2:].lower().removesuffix(".")


def _email_within(name: str, base: str) -> bool:
    if "@" in base:
        local, _, host = name.rpartition("@")
        base_local, _, base_host = base.rpartition("@")
        return local == base_local and host.lower() == base_host.lower()
    host = name.rpartition("@")[2].lower()
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


def _within(name: x509.GeneralName, base: x509.GeneralName) -> bool:
    """Whether a name is in the subtree of a base of the same kind."""
    if isinstance(name, x509.DNSName) and isinstance(base, x509.DNSName):
        return _dns_within(name.value, base.value)
    if isinstance(name, x509.IPAddress) and isinstance(base, x509.IPAddress):
        if not isinstance(base.value, ipaddress.IPv4Network | ipaddress.IPv6Network):
            raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_SYNTAX, detail="an IP constraint")
        address = name.value
        return isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address) and address in base.value
    if isinstance(name, x509.RFC822Name) and isinstance(base, x509.RFC822Name):
        return _email_within(name.value, base.value)
    if isinstance(name, x509.UniformResourceIdentifier) and isinstance(base, x509.UniformResourceIdentifier):
        return _uri_within(name.value, base.value)
    if isinstance(name, x509.DirectoryName) and isinstance(base, x509.DirectoryName):
        prefix = canonical_name(base.value)
        return canonical_name(name.value)[: len(prefix)] == prefix
    # Another kind: a constraint on it that cannot be judged must not be passed (RFC 5280 §4.2.1.10).
    raise CertificateRejected(VerifyCode.UNSUPPORTED_CONSTRAINT_TYPE, detail=type(name).__name__)


def _refused(code: VerifyCode, depth: int, certificate: Certificate, found: str) -> CertificateRejected:
    rule, expected = "RFC 5280 §4.2.1.10", "names and constraints that can be judged"
    name = certificate.description
    return CertificateRejected(code, depth, found, certificate=name, rule=rule, found=found, expected=expected)


def _judged(name: x509.GeneralName, base: x509.GeneralName, depth: int, certificate: Certificate) -> bool:
    """Whether a name is within a base; what cannot be judged refuses the certificate at depth."""
    try:
        return _within(name, base)
    except CertificateRejected as exc:
        raise _refused(VerifyCode(exc.verify_code), depth, certificate, exc.detail) from exc


def check_name_constraints(path: tuple[Certificate, ...], own: tuple[x509.GeneralName, ...] = ()) -> None:
    """Hold every name in the path, leaf first, to the constraints of the CAs above it.

    own are more names that the leaf stands for. Raises CertificateRejected. Self-issued intermediates are exempt
    (RFC 5280 §6.1.4 (b)).
    """
    budget = MOST_COMPARISONS
    for above, ca in enumerate(path[1:], 1):
        if _NAME_CONSTRAINTS not in ca.extension_values:
            continue
        constraints: x509.NameConstraints = ca.extension(ExtensionOID.NAME_CONSTRAINTS)
        permitted = tuple(constraints.permitted_subtrees or ())
        excluded = tuple(constraints.excluded_subtrees or ())
        for depth, certificate in enumerate(path[:above]):
            if depth and certificate.self_issued:
                continue
            for name in (*_names(certificate), *(own if depth == 0 else ())):
                budget -= len(permitted) + len(excluded)
                if budget < 0:
                    raise _refused(VerifyCode.CERT_REJECTED, depth, certificate, "too many names and name constraints")
                same_kind = [base for base in excluded if type(base) is type(name)]
                if any(_judged(name, base, depth, certificate) or _wildcard_covers(name, base) for base in same_kind):
                    raise CertificateRejected(
                        VerifyCode.EXCLUDED_VIOLATION,
                        depth,
                        f"{name.value} is excluded by {ca.description}",
                        certificate=certificate.description,
                        rule="RFC 5280 §4.2.1.10",
                        found=str(name.value),
                        expected=f"none of the names that {ca.description} excludes",
                    )
                same_kind = [base for base in permitted if type(base) is type(name)]
                if same_kind and not any(_judged(name, base, depth, certificate) for base in same_kind):
                    raise CertificateRejected(
                        VerifyCode.PERMITTED_VIOLATION,
                        depth,
                        f"{name.value} is not permitted by {ca.description}",
                        certificate=certificate.description,
                        rule="RFC 5280 §4.2.1.10",
                        found=str(name.value),
                        expected=f"one of the names that {ca.description} permits",
                    )
