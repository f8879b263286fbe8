"""Whether a certificate is for a host name or an IP address (RFC 9525, RFC 6125)."""

from __future__ import annotations

import ipaddress

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from fasttls.trust.certificate import Certificate
from fasttls.trust.verdicts import CertificateRejected, VerifyCode


def as_ip_address(host: str) -> bytes | None:
    """Return the packed bytes of an IPv4 or IPv6 literal, brackets or none, or None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).packed
    except ValueError:
        return None


def as_ascii(host: str) -> str:
    """Return a host name as it stands in certificates and server_name: A-labels, no trailing dot.

    Raises ValueError for a name that cannot be one.
    """
    host = host.removesuffix(".")
    if not host:
        raise ValueError("an empty host name")
    if host.isascii():
        labels = host.split(".")
        if any(not 1 <= len(label) <= 63 for label in labels) or len(host) > 253:
            raise ValueError(f"{host!r} is no host name: a label has 1 to 63 characters")
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as exc:
        raise ValueError(f"{host!r} is no host name: {exc}") from exc


def matches_dns(pattern: str, host: str) -> bool:
    """Whether a dNSName of a certificate is for host, an A-label name without a trailing dot.

    A wildcard is the whole left-most label, stands for exactly one label, and has at least two labels
    behind it (RFC 9525 §6.3).
    """
    pattern, host = pattern.removesuffix(".").lower(), host.lower()
    if "*" not in pattern:
        return pattern == host and pattern != ""
    star, _, rest = pattern.partition(".")
    if star != "*" or "*" in rest or "." not in rest:
        return False
    _, dot, host_rest = host.partition(".")
    return dot == "." and host_rest == rest


def subject_alternative_names(certificate: Certificate) -> x509.SubjectAlternativeName | None:
    """Return the certificate's subjectAltName, or None."""
    found: x509.SubjectAlternativeName | None = certificate.extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    return found


def check_host(certificate: Certificate, host: str) -> None:
    """Raise CertificateRejected unless the certificate is for host, a name or an IP literal.

    Only the subjectAltName counts, never the common name (RFC 9525 §2).
    """
    names = subject_alternative_names(certificate)
    address = as_ip_address(host)
    if address is not None:
        listed = [] if names is None else names.get_values_for_type(x509.IPAddress)
        if any(getattr(one, "packed", None) == address for one in listed):
            return
        raise CertificateRejected(
            VerifyCode.IP_ADDRESS_MISMATCH,
            detail=f"it is for {_listed(names)}",
            words=f"IP address mismatch, certificate is not valid for '{host}'.",
        )
    wanted = as_ascii(host)
    patterns = [] if names is None else names.get_values_for_type(x509.DNSName)
    if any(matches_dns(pattern, wanted) for pattern in patterns):
        return
    raise CertificateRejected(
        VerifyCode.HOSTNAME_MISMATCH,
        detail=f"it is for {_listed(names)}",
        words=f"Hostname mismatch, certificate is not valid for '{host}'.",
    )


def _listed(names: x509.SubjectAlternativeName | None, most: int = 8) -> str:
    """Return the names a certificate is for, as a person reads them."""
    if names is None:
        return "no host: it has no subjectAltName"
    found = [str(value) for kind in (x509.DNSName, x509.IPAddress) for value in names.get_values_for_type(kind)]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return (", ".join(found[:most]) or "no host") + more
