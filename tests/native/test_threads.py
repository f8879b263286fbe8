"""Threads: every module hammered at once, the GIL given up for long work, states that are never torn."""

from __future__ import annotations

import hashlib
import hmac
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fasttls.native._finished import finished13, finished13_matches
from fasttls.native._hash import Hash, Hmac, Transcript, digest_with, implementations
from fasttls.native._kdf import hkdf_expand_label, hkdf_extract, prf12
from fasttls.native._protection import Opener13, Sealer13
from fasttls.native._record import MAX_PLAINTEXT, Deframer
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader, Writer

THREADS = 6
TIMEOUT_SECONDS = 60
# From this many bytes on, _hash gives the GIL up.
LONG = 4096

SHARED_KEY = Hmac("sha384", b"one key for all threads")
SHARED_SECRET = Secret(bytes(range(48)))
DATA = random.Random(8446).randbytes(3 * LONG)


def hash_with_every_implementation(draw: random.Random) -> None:
    for name in ("sha256", "sha384", "sha512"):
        data = DATA[: draw.choice((100, LONG - 1, LONG, len(DATA)))]
        expected = hashlib.new(name, data).digest()
        running = Hash(name, data[:77])
        running.update(data[77:])
        assert running.copy().digest() == running.digest() == expected
        for index in range(len(implementations(name))):
            assert digest_with(name, index, data) == expected


def share_a_mac_key(draw: random.Random) -> None:
    data = DATA[: draw.choice((1, LONG, len(DATA)))]
    assert SHARED_KEY.mac(data, b"end") == hmac.digest(b"one key for all threads", data + b"end", "sha384")


def share_a_secret(draw: random.Random) -> None:
    digest = hashlib.sha384(draw.randbytes(8)).digest()
    key = hmac.digest(bytes(range(48)), b"\0\x30\x0etls13 finished\0\x01", "sha384")
    expected = hmac.digest(key, digest, "sha384")
    assert finished13("sha384", SHARED_SECRET, digest) == expected
    assert finished13_matches("sha384", SHARED_SECRET, digest, expected)
    assert bytes(SHARED_SECRET) == bytes(range(48))


def derive_and_wipe(draw: random.Random) -> None:
    seed = draw.randbytes(40)
    secret = hkdf_extract("sha256", None, Secret(seed))
    assert secret == hmac.digest(bytes(32), seed, "sha256")
    label = hkdf_expand_label("sha256", secret, b"key", b"", 16)
    assert label == hmac.digest(bytes(secret), b"\0\x10\x09tls13 key\0\x01", "sha256")[:16]
    assert len(prf12("sha256", secret, b"label", seed, 200)) == 200
    secret.wipe()
    assert secret.wiped


def write_and_read(draw: random.Random) -> None:
    values = [draw.randrange(1 << 16) for _ in range(draw.randrange(1, 50))]
    writer = Writer()
    writer.open(3)
    writer.u16_vector(2, values)
    writer.vector(1, b"x" * 200)
    writer.close()
    reader = Reader(writer.finish()).sub(3)
    assert reader.u16_vector(2) == tuple(values)
    assert reader.vector(1) == b"x" * 200
    reader.end()


def seal_and_open(draw: random.Random) -> None:
    aead, iv = AESGCM(bytes(16)), Secret(draw.randbytes(12))
    sealer, opener, deframer = Sealer13(aead, iv), Opener13(aead, iv, InvalidTag), Deframer()
    deframer.max_body = MAX_PLAINTEXT + 256
    contents = [DATA[: draw.choice((0, 1, 500, len(DATA)))] for _ in range(4)]
    deframer.feed(b"".join(sealer.seal(23, content, draw.randrange(100)) for content in contents))
    for content in contents:
        record = deframer.next()
        assert record is not None
        assert opener.open(*record) == (23, content)


def keep_a_transcript(draw: random.Random) -> None:
    messages = [DATA[: draw.choice((4, LONG, len(DATA)))] for _ in range(3)]
    transcript = Transcript()
    transcript.add(messages[0])
    transcript.choose("sha256")
    for message in messages[1:]:
        transcript.add(message)
    assert transcript.digest_before() == hashlib.sha256(b"".join(messages[:-1])).digest()
    assert transcript.copy().digest() == transcript.digest() == hashlib.sha256(b"".join(messages)).digest()


JOBS: tuple[Callable[[random.Random], None], ...] = (
    hash_with_every_implementation,
    share_a_mac_key,
    share_a_secret,
    derive_and_wipe,
    write_and_read,
    seal_and_open,
    keep_a_transcript,
)


@contextmanager
def switch_interval(seconds: float) -> Iterator[None]:
    """Change how often the interpreter makes threads take turns."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def test_every_module_from_many_threads_at_once() -> None:
    faults: list[BaseException] = []
    finished: list[int] = []
    barrier = threading.Barrier(THREADS, timeout=TIMEOUT_SECONDS)

    def work(number: int) -> None:
        draw = random.Random(number)
        try:
            barrier.wait()
            for _ in range(25):
                for job in draw.sample(JOBS, len(JOBS)):
                    job(draw)
            finished.append(number)
        except BaseException as exc:
            faults.append(exc)

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(THREADS)]
    with switch_interval(1e-5):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(TIMEOUT_SECONDS)
    assert not faults
    assert sorted(finished) == list(range(THREADS))


def hash_once(data: bytes) -> None:
    Hash("sha512", data)


def mac_once(data: bytes) -> None:
    SHARED_KEY.mac(data)


def add_once(data: bytes) -> None:
    transcript = Transcript()
    transcript.choose("sha384")
    transcript.add(data)


@pytest.mark.parametrize("work", [hash_once, mac_once, add_once])
def test_other_threads_run_during_long_hashing(work: Callable[[bytes], None]) -> None:
    """Threads are told never to take turns, so that the counter moves only while the hashing has given the GIL up."""
    data, stop, counter = bytes(32_000_000), threading.Event(), [0]

    def count() -> None:
        while not stop.is_set():
            counter[0] += 1
            time.sleep(0)

    other = threading.Thread(target=count, daemon=True)
    with switch_interval(1000):
        other.start()
        try:
            moved = 0
            for _ in range(5):
                before = counter[0]
                work(data)
                moved = counter[0] - before
                if moved:
                    break
        finally:
            stop.set()
            other.join(TIMEOUT_SECONDS)
    assert not other.is_alive()
    assert moved > 0


# In a process of its own: what is tested is that memory stays whole, and a crash must not end the test run.
TOGETHER = """
import hashlib, sys, threading
from fasttls.native._hash import Hash, Transcript

threads, updates, data = 4, 150, b"a" * 10007
name, kind = sys.argv[1:]
for _ in range(4):
    if kind == "hash":
        shared = Hash(name)
        update = shared.update
    else:
        shared = Transcript()
        shared.choose(name)
        update = shared.add

    def work():
        for _ in range(updates):
            update(data)

    workers = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    expected = hashlib.new(name)
    for _ in range(threads * updates):
        expected.update(data)
        if expected.digest() == shared.digest():
            break
    else:
        sys.exit("the state is of no number of whole updates")
"""


@pytest.mark.parametrize("kind", ["hash", "transcript"])
@pytest.mark.parametrize("name", ["sha256", "sha512"])
def test_updates_of_several_threads_never_tear_a_state(name: str, kind: str) -> None:
    """One object is for one thread; but what two threads do to it must leave a state that hashing could have led to.

    A torn one counts more waiting bytes than a block has room for, and the next update writes past the end.
    """
    command = [sys.executable, "-c", TOGETHER, name, kind]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # the modules that this process tests
    done = subprocess.run(command, env=paths, capture_output=True, text=True, timeout=2 * TIMEOUT_SECONDS, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
