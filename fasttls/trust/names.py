"""Whether a certificate is for a host name or an IP address (RFC 9525, RFC 6125)."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from fasttls.trust.certificate import Certificate
from fasttls.trust.verdicts import CertificateRejected, VerifyCode

# Kinds of GeneralName (RFC 5280 §4.2.1.6).
_DNS_NAME = 2
_IP_ADDRESS = 7


@lru_cache(maxsize=1024)
def as_ip_address(host: str) -> bytes | None:
    """Return the packed bytes of an IPv4 or IPv6 literal, brackets or none, or None for a name."""
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).packed
    except ValueError:
        return None


@lru_cache(maxsize=1024)
def as_ascii(host: str) -> str:
    """Return a host name as it stands in certificates and server_name: A-labels, no trailing dot.

    Raises ValueError for a name that cannot be one.
    """
    host = host.removesuffix(".")
    if not host:
        raise ValueError("an empty host name")
    if any(letter <= " " or letter == "\x7f" for letter in host):
        raise ValueError(f"{host!r} is no host name: it has a space or a control character")
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


def check_host(certificate: Certificate, host: str) -> None:
    """Raise CertificateRejected unless the certificate is for host, a name or an IP literal.

    Only the subjectAltName counts, never the common name (RFC 9525 §2).
    """
    names = certificate.alternative_names or ()
    address = as_ip_address(host)
    if address is not None:
        if (_IP_ADDRESS, address) in names:
            return
        code, words = VerifyCode.IP_ADDRESS_MISMATCH, "IP address mismatch"
    else:
        wanted = as_ascii(host)
        for kind, value in names:
            if kind == _DNS_NAME and matches_dns(value.decode("latin-1"), wanted):
                return
        code, words = VerifyCode.HOSTNAME_MISMATCH, "Hostname mismatch"
    raise CertificateRejected(
        code,
        detail=f"it is for {_listed(certificate)}{_advice(host)}",
        words=f"{words}, certificate is not valid for '{host}'.",
        certificate=certificate.description,
        rule="RFC 9525 §6",
        found=_listed(certificate),
        expected=host,
    )


def _advice(host: str) -> str:
    """Return what is wrong with a host name that is none."""
    if "://" in host or "/" in host:
        return f"; {host!r} is an address of the web: server_hostname is the host's name alone"
    name, colon, port = host.rpartition(":")
    if colon and ":" not in name and port.isdigit():
        return f"; {host!r} has a port: server_hostname is {name!r}"
    return ""


def host_names(certificate: Certificate) -> list[str]:
    """Return the host names and addresses that a certificate is for, as a person reads them."""
    found = []
    for kind, value in certificate.alternative_names or ():
        if kind == _DNS_NAME:
            found.append(value.decode("latin-1"))
        elif kind == _IP_ADDRESS and len(value) in (4, 16):
            found.append(str(ipaddress.ip_address(value)))
    return found


def _listed(certificate: Certificate, most: int = 8) -> str:
    """Return what a certificate is for, for messages."""
    if certificate.alternative_names is None:
        return f"no host: it has no subjectAltName, and is of {certificate.description}"
    found = host_names(certificate)
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return (", ".join(found[:most]) or "no host") + more
