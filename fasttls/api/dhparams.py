"""Diffie-Hellman parameters from a file, as far as they are those of a group that is known to be safe."""

from __future__ import annotations

import re
from binascii import Error as Base64Error
from binascii import a2b_base64

from fasttls.api.errors import ssl_error
from fasttls.api.keyfile import Path
from fasttls.crypto.dhe import known_group
from fasttls.trust import files

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9. ]+)-----\s*?\n([^-]*)-----END \1-----")
_SEQUENCE, _INTEGER = 0x30, 0x02
_KINDS = (b"DH PARAMETERS", b"X9.42 DH PARAMETERS")


def dh_groups(path: Path) -> tuple[int, ...]:
    """Return the group that the parameters in a PEM file stand for.

    Raises OSError for a file that cannot be read, ssl.SSLError for one without parameters, and for parameters that are
    none of RFC 7919 or RFC 3526.
    """
    prime, generator = _numbers(files.read(path))
    group = known_group(prime, generator)
    if group is None:
        raise ssl_error(
            "BAD_DH_VALUE",
            f"bad dh value: the group of {prime.bit_length()} bits is none of RFC 7919 or RFC 3526 with 2048 bits "
            "or more, and nobody could tell whether it is safe",
        )
    return (group,)


def _numbers(data: bytes) -> tuple[int, int]:
    for kind, body in _BLOCK.findall(data):
        try:
            der = a2b_base64(body)
        except Base64Error as exc:
            raise ssl_error("BAD_BASE64_DECODE", f"bad base64 decode: {exc}", library="PEM") from exc
        if kind not in _KINDS:
            continue
        try:
            return _integers(der)
        except ValueError as exc:
            raise ssl_error(None, f"ASN1 lib: the parameters are malformed: {exc}", library="PEM") from exc
    raise ssl_error("NO_START_LINE", "no start line: the file has no Diffie-Hellman parameters", library="PEM")


def _integers(der: bytes) -> tuple[int, int]:
    """Return the prime and the generator, which PKCS #3 and X9.42 have first. Raises ValueError for what is neither."""
    tag, body, rest = _element(der)
    if tag != _SEQUENCE or rest:
        raise ValueError("no sequence")
    tag, prime, body = _element(body)
    second, generator, _ = _element(body)
    if tag != _INTEGER or second != _INTEGER or prime[0] & 0x80 or generator[0] & 0x80:
        raise ValueError("no two positive numbers")
    return int.from_bytes(prime, "big"), int.from_bytes(generator, "big")


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """Return the tag and the body, not empty, of the element that DER begins with, and what follows it."""
    if len(der) < 3:
        raise ValueError("cut short")
    size, start = der[1], 2
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    if not 0 < size <= len(der) - start:
        raise ValueError("a length that does not fit")
    return der[0], der[start : start + size], der[start + size :]
