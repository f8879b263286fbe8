"""A common name that stands for a host, as OpenSSL still takes it where a certificate has no DNS name.

RFC 9525 §2 has given it up; programs ask for it by `SSLContext.hostname_checks_common_name`.
"""

from __future__ import annotations

from fasttls.native._x509 import attributes, text_of
from fasttls.trust.certificate import Certificate
from fasttls.trust.names import as_ascii, as_ip_address, matches_dns

_COMMON_NAME = bytes.fromhex("550403")  # id-at-commonName, the contents of its DER
_DNS_NAME = 2  # a kind of GeneralName (RFC 5280 §4.2.1.6)


def common_names(certificate: Certificate) -> tuple[str, ...]:
    """Return the common names that count as DNS names: none where the subjectAltName has one."""
    for kind, _ in certificate.alternative_names or ():
        if kind == _DNS_NAME:
            return ()
    found = []
    for relative in attributes(certificate.subject_der):
        for oid, tag, value in relative:
            if oid == _COMMON_NAME:
                found.append(text_of(tag, value))
    return tuple([name for name in found if _is_dns_name(name)])


def common_name_matches(certificate: Certificate, host: str) -> bool:
    """Whether a common name is for host; one never is for an IP address."""
    if as_ip_address(host) is not None:
        return False
    wanted = as_ascii(host)
    for name in common_names(certificate):  # noqa: SIM110 - a generator is another function, when compiled
        if matches_dns(name, wanted):
            return True
    return False


def constrained_names(certificate: Certificate, host: str | None) -> tuple[str, ...]:
    """Return the common names that constraints on DNS names apply to when they may stand for hosts.

    One without a dot is a word like any other, unless it is the host.
    """
    wanted = None if host is None or as_ip_address(host) is not None else as_ascii(host)
    names = common_names(certificate)
    return tuple([name for name in names if "." in name or (wanted is not None and matches_dns(name, wanted))])


def _is_dns_name(name: str) -> bool:
    """Whether it could be a host name at all: a person's name, say, is no DNS name."""
    labels = name.removeprefix("*.").removesuffix(".").split(".")
    return name.isascii() and all(
        0 < len(label) <= 63 and label.replace("-", "").replace("_", "").isalnum() and label[0] != "-"
        for label in labels
    )
