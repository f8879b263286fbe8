"""Stapled OCSP responses with fields that cannot be read: a refusal like any other, whoever signed (RFC 6960 §3.2)."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable

import pytest
from trust.forge import spare_key, tlv
from trust.lists import middle, server, top
from trust.test_ocsp import (
    REQUIRED,
    answered,
    asking,
    changed,
    check_refused,
    every_version,
    good,
    serving,
    shake,
)

from fasttls.trust import CertificateRejected, TrustStore, verify_chain
from fasttls.trust.ocsp import check_staple
from fasttls.trust.verdicts import VerifyCode

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # `cryptography` warns of odd responses

Made = Callable[[], bytes]

COMMON_NAME, COUNTRY = bytes.fromhex("0603550403"), bytes.fromhex("0603550406")
YEAR_0 = b"00000101000000Z"
YEAR_1 = b"00010101000000Z"
YEAR_9999 = b"99991231235959Z"


def generalized(date: bytes) -> bytes:
    """Return a GeneralizedTime."""
    return tlv(0x18, date)


# Responses.


def with_name(attribute: bytes, value: bytes, *, by_a_stranger: bool = False) -> bytes:
    """Return a response whose responder has a name of one attribute; the issuer signed it, or somebody did."""
    name = tlv(0xA1, tlv(0x30, tlv(0x31, tlv(0x30, attribute, value))))
    key = spare_key(3) if by_a_stranger else middle().key
    return answered(good().response, key, lambda data: [name, *data[1:]])


def updated(this: bytes, following: bytes | None = None) -> bytes:
    """Return a response of the issuer with these dates."""
    after = [] if following is None else [tlv(0xA0, generalized(following))]
    return changed(lambda single: [*single[:2], generalized(this), *after]).response


def now_and(following: bytes) -> bytes:
    """Return a response of the issuer with this date of the next."""
    return changed(lambda single: [*single[:3], tlv(0xA0, generalized(following))]).response


def revoked_at(date: bytes) -> bytes:
    """Return a response of the issuer that revokes since a date."""
    return changed(lambda single: [single[0], tlv(0xA1, generalized(date)), *single[2:]]).response


ODD: dict[str, Made] = {
    # RFC 5280 Appendix A.1: X520CommonName is a DirectoryString, X520countryName a PrintableString.
    "common name that is a BIT STRING": lambda: with_name(COMMON_NAME, tlv(3, b"\0a")),
    "common name that is a BIT STRING, of a stranger": lambda: with_name(
        COMMON_NAME, tlv(3, b"\0a"), by_a_stranger=True
    ),
    "country that is a BIT STRING": lambda: with_name(COUNTRY, tlv(3, b"\0US")),
    "common name that is an INTEGER": lambda: with_name(COMMON_NAME, tlv(2, b"\1")),
    "common name that is no UTF-8": lambda: with_name(COMMON_NAME, tlv(12, b"\xff")),
    "common name that is empty": lambda: with_name(COMMON_NAME, tlv(12)),
    # A GeneralizedTime may be of the year 0, and a date of Python's may not.
    "thisUpdate of the year 0": lambda: updated(YEAR_0),
    "thisUpdate of the year 0, good for long": lambda: updated(YEAR_0, YEAR_9999),
    "nextUpdate of the year 0": lambda: now_and(YEAR_0),
    "revocationTime of the year 0": lambda: revoked_at(YEAR_0),
}


# Judges.


def verdict(der: bytes) -> int:
    """Return the code for a response to the shared server's certificate, 0 for one that is taken."""
    store = TrustStore()
    store.add(top().der)
    path = verify_chain([server().der, middle().der], store, "localhost")
    try:
        check_staple(path, der, time.time(), required=True)
    except CertificateRejected as refusal:
        return refusal.verify_code
    return 0


def test_response_is_good_before_it_is_made_odd() -> None:
    assert verdict(good().response) == 0
    assert verdict(changed(lambda single: single).response) == 0


@pytest.mark.parametrize("name", ODD)
def test_odd_response_is_refused(name: str) -> None:
    """CertificateRejected, and no error that a program would not catch."""
    assert verdict(ODD[name]()) == VerifyCode.OCSP_VERIFY_FAILED


@every_version
@pytest.mark.parametrize("name", ODD)
def test_odd_response_ends_the_handshake_with_the_alert(name: str, version: ssl.TLSVersion) -> None:
    """The client's error is the one that a program catches, and the server is told (RFC 6066 §8)."""
    ends = shake(asking(REQUIRED), serving(ODD[name](), version=version))
    check_refused(ends, VerifyCode.OCSP_VERIFY_FAILED)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (lambda: updated(YEAR_1), VerifyCode.OCSP_VERIFY_FAILED),
        (lambda: updated(YEAR_1, YEAR_9999), 0),
        (lambda: updated(YEAR_9999), VerifyCode.OCSP_VERIFY_FAILED),
        (lambda: now_and(YEAR_1), VerifyCode.OCSP_VERIFY_FAILED),
        (lambda: now_and(YEAR_9999), 0),
        (lambda: revoked_at(YEAR_1), VerifyCode.CERT_REVOKED),
        (lambda: revoked_at(YEAR_9999), VerifyCode.CERT_REVOKED),
    ],
    ids=["old", "lasting", "of the future", "expired", "good for long", "revoked", "to be revoked"],
)
def test_first_and_last_year_of_the_calendar_are_dates(made: Made, code: int) -> None:
    """What can be read is judged by what it says."""
    assert verdict(made()) == code
