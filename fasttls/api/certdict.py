"""The dict of getpeercert(), as the standard library makes it."""

from __future__ import annotations

import ipaddress
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from fasttls.trust.certificate import CERTIFICATES

RelativeName = tuple[tuple[str, str], ...]


@lru_cache(maxsize=256)
def _name_of(oid: str) -> str:
    """Return OpenSSL's long name of an object identifier, or its digits."""
    from _ssl import txt2obj  # the table of names is OpenSSL's, and the standard library lends it

    try:
        return str(txt2obj(oid)[2])
    except ValueError:
        return oid


def _name(name: x509.Name) -> tuple[RelativeName, ...]:
    return tuple(tuple((_name_of(part.oid.dotted_string), _text(part.value)) for part in rdn) for rdn in name.rdns)


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


# In English whatever the locale is, as ssl.cert_time_to_seconds() reads it.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _date(moment: datetime) -> str:
    return f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {moment.year} GMT"


def _address(value: Any) -> str:
    if isinstance(value, ipaddress.IPv6Address):
        return ":".join(f"{int(group, 16):X}" for group in value.exploded.split(":"))
    return str(value)


# Kinds of otherName that OpenSSL prints, and the tag of the string that each holds.
_OTHER_NAMES = {
    "1.3.6.1.4.1.311.20.2.3": ("UPN", 0x0C),
    "1.3.6.1.5.5.7.8.5": ("XmppAddr", 0x0C),
    "1.3.6.1.5.5.7.8.7": ("SRVName", 0x16),
    "1.3.6.1.5.5.7.8.8": ("NAIRealm", 0x0C),
    "1.3.6.1.5.5.7.8.9": ("SmtpUTF8Mailbox", 0x0C),
}


def _other_name(kind: str, value: bytes) -> str:
    """Return an otherName as OpenSSL prints it."""
    name, tag = _OTHER_NAMES.get(kind, ("", 0))
    if not name or value[:1] != bytes((tag,)):
        return "<unsupported>"
    header = 2 if value[1] < 0x80 else 2 + (value[1] & 0x7F)
    return f"{name}:{value[header:].decode('utf-8', 'replace')}"


def _general_name(name: x509.GeneralName) -> tuple[str, Any]:
    match name:
        case x509.DNSName(value=value):
            return "DNS", value
        case x509.RFC822Name(value=value):
            return "email", value
        case x509.UniformResourceIdentifier(value=value):
            return "URI", value
        case x509.IPAddress(value=value):
            return "IP Address", _address(value)
        case x509.DirectoryName(value=value):
            return "DirName", _name(value)
        case x509.RegisteredID(value=value):
            return "Registered ID", _name_of(value.dotted_string)
        case x509.OtherName(type_id=kind, value=value):
            return "othername", _other_name(kind.dotted_string, value)
        case _:
            return "othername", "<unsupported>"


def _uris(names: Any) -> tuple[str, ...]:
    return tuple(name.value for name in names if isinstance(name, x509.UniformResourceIdentifier))


def certificate_dict(der: bytes) -> dict[str, Any]:
    """Return what `SSLSocket.getpeercert()` returns for a certificate. Raises ValueError for a malformed one."""
    certificate = CERTIFICATES.parse(der)
    parsed = certificate.x509
    number = int.from_bytes(certificate.serial, "big", signed=True)
    serial = f"{abs(number):X}"
    found: dict[str, Any] = {
        "subject": _name(parsed.subject),
        "issuer": _name(parsed.issuer),
        "version": parsed.version.value + 1,
        "serialNumber": ("-" if number < 0 else "") + serial.zfill(len(serial) + len(serial) % 2),
        "notBefore": _date(parsed.not_valid_before_utc),
        "notAfter": _date(parsed.not_valid_after_utc),
    }
    alternative = certificate.extension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    if alternative is not None:
        found["subjectAltName"] = tuple(_general_name(name) for name in alternative)
    access = certificate.extension(ExtensionOID.AUTHORITY_INFORMATION_ACCESS)
    for key, method in (
        ("OCSP", AuthorityInformationAccessOID.OCSP),
        ("caIssuers", AuthorityInformationAccessOID.CA_ISSUERS),
    ):
        uris = _uris(one.access_location for one in access or () if one.access_method == method)
        if uris:
            found[key] = uris
    points = certificate.extension(ExtensionOID.CRL_DISTRIBUTION_POINTS)
    uris = tuple(uri for point in points or () for uri in _uris(point.full_name or ()))
    if uris:
        found["crlDistributionPoints"] = uris
    return found
