"""RSA key transport tells nothing: one alert at one point, whatever is wrong (RFC 5246 §7.4.7.1, Bleichenbacher)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import certs
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from harness import Pair, client_config, expect, on_type, server_config

from fasttls.crypto.rsa_transport import decrypter, receive
from fasttls.wire.alerts import BadRecordMac

ONLY = {"minimum_version": 0x0303, "maximum_version": 0x0303, "suites": (0x009C,)}


def key() -> rsa.RSAPrivateKey:
    """Return the server's key."""
    found = certs.server_credential("rsa").key
    assert isinstance(found, rsa.RSAPrivateKey)
    return found


def encrypted(padded: bytes) -> bytes:
    """Return the raw RSA encryption of a padded block."""
    numbers = key().public_key().public_numbers()
    return pow(int.from_bytes(padded, "big"), numbers.e, numbers.n).to_bytes(256, "big")


def block(content: bytes, *, start: bytes = b"\0\2", end: bytes = b"\0") -> bytes:
    """Return a PKCS#1 v1.5 block of 256 bytes, right or nearly."""
    filling = 256 - len(start) - len(end) - len(content)
    return start + bytes(1 + b % 255 for b in os.urandom(filling)) + end + content


PREMASTER = b"\3\3" + bytes(range(46))
MALFORMED: dict[str, Callable[[], bytes]] = {
    "another premaster secret, well formed": lambda: encrypted(block(PREMASTER)),
    "block type 1": lambda: encrypted(block(PREMASTER, start=b"\0\1")),
    "no leading zero": lambda: encrypted(block(PREMASTER, start=b"\1\2")),
    "no end of the padding": lambda: encrypted(block(b"\3\3" + b"x" * 46, end=b"\x07")),
    "a zero in the first eight bytes": lambda: encrypted(b"\0\2\1\1\0" + block(PREMASTER)[5:]),
    "TLS 1.1's version": lambda: encrypted(block(b"\3\2" + PREMASTER[2:])),
    "TLS 1.3's version": lambda: encrypted(block(b"\3\4" + PREMASTER[2:])),
    "47 bytes": lambda: encrypted(block(PREMASTER[:-1])),
    "49 bytes": lambda: encrypted(block(PREMASTER + b"\0")),
    "nothing": lambda: encrypted(block(b"")),
    "as much as fits": lambda: encrypted(block(b"\3\3" + bytes(243))),
    "random bytes": lambda: b"\0" + os.urandom(255),
    "zero": lambda: bytes(256),
    "one": lambda: bytes(255) + b"\1",
    "the modulus": lambda: key().public_key().public_numbers().n.to_bytes(256, "big"),
    "all ones": lambda: b"\xff" * 256,
    "a short ciphertext": lambda: os.urandom(255),
    "a long ciphertext": lambda: b"\0" + os.urandom(256),
    "an empty ciphertext": lambda: b"",
}


def vector(ciphertext: bytes) -> bytes:
    """Return the body of a ClientKeyExchange."""
    return len(ciphertext).to_bytes(2, "big") + ciphertext


BODIES: dict[str, Callable[[], bytes]] = {
    **{name: lambda make=make: vector(make()) for name, make in MALFORMED.items()},
    "no vector": lambda: b"",
    "a vector that is cut short": lambda: vector(encrypted(block(PREMASTER)))[:-1],
    "a vector with bytes behind": lambda: vector(encrypted(block(PREMASTER))) + b"\0",
}


@pytest.mark.parametrize("name", BODIES)
def test_every_fault_is_the_same_alert_at_the_same_point(name: str) -> None:
    body = BODIES[name]()
    pair = Pair(client_config(**ONLY), server_config("rsa", **ONLY), client_alters=on_type(16, lambda _: body))
    failure = expect(pair, pair.server, BadRecordMac, pair.run, readable=False)
    # The server has taken ClientKeyExchange and ChangeCipherSpec as they came; Finished does not decrypt.
    assert type(pair.server._machine.state).__name__ == "WaitFinished"
    assert failure.alert_sent == 20
    assert failure.reason == "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    # Nothing was sent between ServerHelloDone and the alert.
    sent = [kind for mine, kind, _ in pair.observed["server"] if mine]
    assert sent == [22, 22, 22, 21]


def test_what_is_right_is_taken() -> None:
    pair = Pair(client_config(**ONLY), server_config("rsa", **ONLY)).connect()
    assert pair.client.negotiated is not None
    assert pair.client.negotiated.group is None
    assert receive(decrypter(key()), 256, encrypted(block(PREMASTER)), 0x0303, os.urandom) == PREMASTER


@pytest.mark.parametrize("name", [name for name in MALFORMED if "well formed" not in name])
def test_a_random_premaster_secret_takes_its_place(name: str) -> None:
    drawn: list[bytes] = []

    def random(size: int) -> bytes:
        drawn.append(os.urandom(size))
        return drawn[-1]

    assert receive(decrypter(key()), 256, MALFORMED[name](), 0x0303, random) == drawn[0]
    assert len(drawn[0]) == 48


def test_a_key_that_does_not_decrypt_is_as_silent() -> None:
    """Whatever a decryption by another device raises as ValueError."""

    def broken(ciphertext: bytes) -> bytes:
        raise ValueError

    assert len(receive(broken, 256, bytes(256), 0x0303, os.urandom)) == 48


class DriverError(Exception):
    """What the driver of a device may raise."""


@pytest.mark.parametrize("error", [DriverError, OSError, TypeError, RuntimeError])
def test_whatever_a_device_raises_is_as_silent(error: type[Exception]) -> None:
    """RFC 5246 §7.4.7.1: bad padding must not be told from good padding, whoever finds it."""

    def broken(ciphertext: bytes) -> bytes:
        raise error("CKR_ENCRYPTED_DATA_INVALID")

    assert len(receive(broken, 256, bytes(256), 0x0303, os.urandom)) == 48


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_device_may_return_any_buffer(kind: Callable[[bytes], Any]) -> None:
    assert receive(lambda _: kind(PREMASTER), 256, bytes(256), 0x0303, os.urandom) == PREMASTER


def test_what_is_no_buffer_is_as_silent() -> None:
    returns_nothing: Any = lambda _: None  # noqa: E731
    assert len(receive(returns_nothing, 256, bytes(256), 0x0303, os.urandom)) == 48
