"""Does the time of an RSA ClientKeyExchange tell what was wrong with it? (RFC 5246 §7.4.7.1)

Every class of malformed ciphertext is timed in turns with a good one, on one server's handling of the message; the
difference of the medians is held against the difference between two halves of the good one's own times.
"""

from __future__ import annotations

import os
import random
import statistics
import time

from cryptography.hazmat.primitives.asymmetric import rsa

from fasttls.crypto.rsa_transport import decrypter, receive

ROUNDS = 1500
SIZE = 256  # bytes of the modulus
VERSION = 0x0303


def encrypt(key: rsa.RSAPrivateKey, padded: bytes) -> bytes:
    """Return the raw RSA encryption of a padded block."""
    numbers = key.public_key().public_numbers()
    return pow(int.from_bytes(padded, "big"), numbers.e, numbers.n).to_bytes(SIZE, "big")


def block(content: bytes, start: bytes = b"\0\2") -> bytes:
    """Return a PKCS#1 v1.5 block."""
    filling = SIZE - len(start) - 1 - len(content)
    return start + bytes(1 + b % 255 for b in os.urandom(filling)) + b"\0" + content


def classes(key: rsa.RSAPrivateKey) -> dict[str, list[bytes]]:
    """Return ciphertexts of each class, several of each so that no single value is measured."""
    right = [b"\3\3" + os.urandom(46) for _ in range(16)]
    return {
        "good": [encrypt(key, block(content)) for content in right],
        "wrong padding": [encrypt(key, block(content, b"\0\1")) for content in right],
        "no padding": [b"\0" + os.urandom(SIZE - 1) for _ in right],
        "wrong version": [encrypt(key, block(b"\3\1" + content[2:])) for content in right],
        "short secret": [encrypt(key, block(content[:-1])) for content in right],
        "long secret": [encrypt(key, block(content + b"\0" * 40)) for content in right],
        "short ciphertext": [os.urandom(SIZE - 1) for _ in right],
        "long ciphertext": [os.urandom(SIZE + 1) for _ in right],
    }


def test_the_time_does_not_tell_what_was_wrong() -> None:
    key = rsa.generate_private_key(65537, 8 * SIZE)
    decrypt = decrypter(key)
    samples = classes(key)
    times: dict[str, list[int]] = {name: [] for name in samples}
    order = list(samples)
    draw = random.Random(1)
    for number in range(ROUNDS):
        draw.shuffle(order)
        for name in order:
            ciphertext = samples[name][number % 16]
            start = time.perf_counter_ns()
            receive(decrypt, SIZE, ciphertext, VERSION, os.urandom)
            times[name].append(time.perf_counter_ns() - start)

    good = times["good"]
    noise = max(
        abs(statistics.median(half) - statistics.median(other))
        for half, other in ((good[::2], good[1::2]), (good[: ROUNDS // 2], good[ROUNDS // 2 :]))
    )
    centre = statistics.median(good)
    print(f"\n{'class':<20}{'median µs':>12}{'difference %':>14}")
    for name, measured in times.items():
        median = statistics.median(measured)
        print(f"{name:<20}{median / 1000:>12.2f}{100 * (median - centre) / centre:>14.2f}")
    print(f"noise: two halves of the good one differ by {noise / 1000:.2f} µs")
    # What is decided by the length of the ciphertext alone is the attacker's own knowledge; it too costs a decryption.
    for name, measured in times.items():
        allowed = max(4 * noise, 0.02 * centre)
        assert abs(statistics.median(measured) - centre) <= allowed, name
