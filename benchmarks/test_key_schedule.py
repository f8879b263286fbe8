"""The TLS 1.3 key schedule of one side, in C, against the same from Python's hmac (RFC 8446 §7.1)."""

from __future__ import annotations

import hmac
from hashlib import new as hash_of

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fasttls.crypto.key_schedule import EarlySecret
from fasttls.native._secret import Secret

SHARED = bytes(range(32))


def expand_label(hash_name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label for one block of output."""
    info = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", hash_name)[:size]


def secrets_ours(hash_name: str, hellos: bytes, finished: bytes) -> tuple[bytes, ...]:
    """Return the four traffic secrets from fasttls."""
    handshake = EarlySecret(hash_name).into_handshake(Secret(SHARED))
    during, master = handshake.traffic(hellos), handshake.into_master()
    after = master.traffic(finished)
    return bytes(during.client), bytes(during.server), bytes(after.client), bytes(after.server)


def secrets_python(hash_name: str, hellos: bytes, finished: bytes) -> tuple[bytes, ...]:
    """Return the four traffic secrets from hmac."""
    size = hash_of(hash_name).digest_size
    empty = hash_of(hash_name, b"").digest()
    early = hmac.digest(bytes(size), bytes(size), hash_name)
    handshake = hmac.digest(expand_label(hash_name, early, b"derived", empty, size), SHARED, hash_name)
    master = hmac.digest(expand_label(hash_name, handshake, b"derived", empty, size), bytes(size), hash_name)
    return (
        expand_label(hash_name, handshake, b"c hs traffic", hellos, size),
        expand_label(hash_name, handshake, b"s hs traffic", hellos, size),
        expand_label(hash_name, master, b"c ap traffic", finished, size),
        expand_label(hash_name, master, b"s ap traffic", finished, size),
    )


@pytest.mark.parametrize("implementation", [secrets_ours, secrets_python], ids=["fasttls", "hmac"])
@pytest.mark.parametrize("hash_name", ["sha256", "sha384"])
def test_traffic_secrets(benchmark: BenchmarkFixture, implementation, hash_name: str) -> None:
    benchmark.group = f"key schedule to the four traffic secrets, {hash_name}"
    size = hash_of(hash_name).digest_size
    hellos, finished = bytes([1]) * size, bytes([2]) * size
    assert benchmark(implementation, hash_name, hellos, finished) == secrets_python(hash_name, hellos, finished)
