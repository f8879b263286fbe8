"""The dict of getpeercert(), as the standard library makes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from fasttls.native._x509 import attributes, dotted, elements, text_of
from fasttls.trust.certificate import CERTIFICATES, Certificate

# Contents of the DER of object identifiers: two extensions, and two methods of access to information.
_AUTHORITY_INFORMATION_ACCESS = bytes.fromhex("2b06010505070101")
_CRL_DISTRIBUTION_POINTS = bytes.fromhex("551d1f")
_OCSP = bytes.fromhex("2b06010505073001")
_CA_ISSUERS = bytes.fromhex("2b06010505073002")

_URI = 6  # a kind of GeneralName

RelativeName = tuple[tuple[str, str], ...]


@lru_cache(maxsize=256)
def _name_of(oid: str) -> str:
    """Return OpenSSL's long name of an object identifier, or its digits."""
    from _ssl import txt2obj  # the table of names is OpenSSL's, and the standard library lends it

    try:
        return str(txt2obj(oid)[2])
    except ValueError:
        return oid


def _name(der: bytes) -> tuple[RelativeName, ...]:
    return tuple(
        tuple((_name_of(dotted(oid)), text_of(tag, value)) for oid, tag, value in relative)
        for relative in attributes(der)
    )


# In English whatever the locale is, as ssl.cert_time_to_seconds() reads it.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _date(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{_MONTHS[moment.month - 1]} {moment.day:2d} {moment:%H:%M:%S} {moment.year} GMT"


def _address(value: bytes) -> str:
    if len(value) == 16:
        return ":".join(f"{int.from_bytes(value[at : at + 2], 'big'):X}" for at in range(0, 16, 2))
    return ".".join(map(str, value)) if len(value) == 4 else "<invalid>"


# Kinds of otherName that OpenSSL prints, and the tag of the string that each holds.
_OTHER_NAMES = {
    "1.3.6.1.4.1.311.20.2.3": ("UPN", 0x0C),
    "1.3.6.1.5.5.7.8.5": ("XmppAddr", 0x0C),
    "1.3.6.1.5.5.7.8.7": ("SRVName", 0x16),
    "1.3.6.1.5.5.7.8.8": ("NAIRealm", 0x0C),
    "1.3.6.1.5.5.7.8.9": ("SmtpUTF8Mailbox", 0x0C),
}


def _other_name(contents: bytes) -> str:
    """Return an otherName as OpenSSL prints it."""
    (_, oid), *values = elements(contents)
    name, wanted = _OTHER_NAMES.get(dotted(oid), ("", 0))
    tag, value = elements(values[0][1])[0] if name and values else (0, b"")
    return f"{name}:{value.decode('utf-8', 'replace')}" if name and tag == wanted else "<unsupported>"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


_SHOWN: dict[int, tuple[str, Callable[[bytes], Any]]] = {
    0: ("othername", _other_name),
    1: ("email", _text),
    2: ("DNS", _text),
    3: ("X400Name", lambda _: "<unsupported>"),
    4: ("DirName", _name),
    5: ("EdiPartyName", lambda _: "<unsupported>"),
    _URI: ("URI", _text),
    7: ("IP Address", _address),
    8: ("Registered ID", lambda oid: _name_of(dotted(oid))),
}
"""The kinds of GeneralName (RFC 5280 §4.2.1.6): what each is called, and how its contents are shown."""


def _general_name(kind: int, contents: bytes) -> tuple[str, Any]:
    name, show = _SHOWN[kind]
    try:
        return name, show(contents)
    except (ValueError, IndexError):
        return name, "<invalid>"


def _uris(names: list[tuple[int, bytes]]) -> tuple[str, ...]:
    return tuple(_text(value) for tag, value in names if tag == 0x80 | _URI)


def _access(certificate: Certificate, method: bytes) -> tuple[str, ...]:
    """Return the URIs of a method of authority information access (RFC 5280 §4.2.2.1)."""
    found: tuple[str, ...] = ()
    for _, description in _sequence(certificate, _AUTHORITY_INFORMATION_ACCESS):
        parts = elements(description)
        if len(parts) == 2 and parts[0][1] == method:
            found += _uris(parts[1:])
    return found


def _points(certificate: Certificate) -> tuple[str, ...]:
    """Return the URIs of the CRL distribution points (RFC 5280 §4.2.1.13)."""
    found: tuple[str, ...] = ()
    for _, point in _sequence(certificate, _CRL_DISTRIBUTION_POINTS):
        for tag, name in elements(point):
            if tag == 0xA0:
                for kind, full_name in elements(name):
                    found += _uris(elements(full_name)) if kind == 0xA0 else ()
    return found


def _sequence(certificate: Certificate, oid: bytes) -> list[tuple[int, bytes]]:
    """Return the elements of an extension that is a SEQUENCE of them, none where it is not there."""
    kept = certificate.extension_values.get(oid)
    return [] if kept is None else elements(elements(kept[1])[0][1])


def _shown(uris: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
    """Return what an extension says, nothing where it is malformed: nobody relies on it."""
    try:
        return uris()
    except (ValueError, IndexError):
        return ()


def certificate_dict(der: bytes) -> dict[str, Any]:
    """Return what `SSLSocket.getpeercert()` returns for a certificate. Raises ValueError for a malformed one."""
    certificate = CERTIFICATES.parse(der)
    number = int.from_bytes(certificate.serial, "big", signed=True)
    serial = f"{abs(number):X}"
    found: dict[str, Any] = {
        "subject": _name(certificate.subject_der),
        "issuer": _name(certificate.issuer_der),
        "version": certificate.version,
        "serialNumber": ("-" if number < 0 else "") + serial.zfill(len(serial) + len(serial) % 2),
        "notBefore": _date(certificate.not_before),
        "notAfter": _date(certificate.not_after),
    }
    if certificate.alternative_names is not None:
        found["subjectAltName"] = tuple(_general_name(*name) for name in certificate.alternative_names)
    for key, uris in (
        ("OCSP", lambda: _access(certificate, _OCSP)),
        ("caIssuers", lambda: _access(certificate, _CA_ISSUERS)),
        ("crlDistributionPoints", lambda: _points(certificate)),
    ):
        told = _shown(uris)
        if told:
            found[key] = told
    return found
