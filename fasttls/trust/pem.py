"""Certificates and revocation lists in PEM text and DER bytes."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64

_PEM = re.compile(
    rb"-----BEGIN (?P<kind>(?:TRUSTED |X509 )?CERTIFICATE|X509 CRL)-----\s*?\n(?P<body>[^-]*)-----END (?P=kind)-----"
)


class NotBase64(ValueError):
    """A PEM block whose body is not base64, or that does not end as it begins."""


_BEGIN = re.compile(rb"-----BEGIN (?:(?:TRUSTED |X509 )?CERTIFICATE|X509 CRL)-----")


def pem_certificates_and_crls(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the DER of every certificate and of every CRL in PEM text, which may have other text around them.

    Raises ValueError for a block that is not base64, and for a certificate with OpenSSL's trust
    settings, which are not to be passed over in silence.
    """
    certificates: list[bytes] = []
    crls: list[bytes] = []
    begun = len(_BEGIN.findall(data))
    for block in _PEM.finditer(data):
        if block["kind"] == b"TRUSTED CERTIFICATE":
            raise ValueError(
                "a certificate with OpenSSL's own trust settings, which are not supported: "
                "`openssl x509 -in FILE` writes it without"
            )
        try:
            der = a2b_base64(b"".join(block["body"].split()), strict_mode=True)
        except Base64Error as exc:
            raise NotBase64(f"a PEM block that is not base64: {exc}") from exc
        (crls if block["kind"] == b"X509 CRL" else certificates).append(der)
        begun -= 1
    if begun:
        raise NotBase64("a PEM block that does not end as it begins")
    return certificates, crls


def pem_certificates(data: bytes) -> list[bytes]:
    """Return the DER of every certificate in PEM text. Raises ValueError as above, and for a CRL among them."""
    certificates, crls = pem_certificates_and_crls(data)
    if crls:
        raise ValueError("a revocation list among certificates is not supported: use_crls() takes it")
    return certificates


def der_certificates(data: bytes) -> list[bytes]:
    """Return the DER certificates that stand one after another in data. Raises ValueError."""
    found = []
    while data:
        size = _der_size(data)
        found.append(data[:size])
        data = data[size:]
    return found


def _der_size(data: bytes) -> int:
    """Return the size of the DER SEQUENCE that data begins with."""
    if len(data) < 2 or data[0] != 0x30:
        raise ValueError("not a DER certificate")
    size, header = data[1], 2
    if size >= 0x80:
        header += size - 0x80
        if not 3 <= header <= 6 or len(data) < header:
            raise ValueError("not a DER certificate")
        size = int.from_bytes(data[2:header], "big")
    if header + size > len(data):
        raise ValueError("a DER certificate that is cut short")
    return header + size
