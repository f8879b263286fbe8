"""SHA-256, SHA-384 and SHA-512: NIST's vectors, hashlib, every implementation, copies, threads."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import cryptography_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttls.native._hash import Hash, Transcript, digest_with, implementations

HASHES = ("sha256", "sha384", "sha512")


def nist(name: str, length: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield (message, digest) from NIST's byte-oriented vectors."""
    size, message = 0, b""
    with cryptography_vectors.open_vector_file(f"hashes/SHA2/{name.upper()}{length}.rsp", "r") as file:
        for line in file:
            key, _, value = (part.strip() for part in line.partition("="))
            if key == "Len":
                size = int(value) // 8
            elif key == "Msg":
                message = bytes.fromhex(value)[:size]
            elif key == "MD":
                yield message, bytes.fromhex(value)


@pytest.mark.parametrize("length", ["ShortMsg", "LongMsg"])
@pytest.mark.parametrize("name", HASHES)
def test_nist_vectors_with_every_implementation(name: str, length: str) -> None:
    found = list(nist(name, length))
    assert len(found) > 60
    for message, digest in found:
        assert Hash(name, message).digest() == digest
        for index in range(len(implementations(name))):
            assert digest_with(name, index, message) == digest, implementations(name)[index]


def monte_carlo(seed: bytes, digest: Callable[[bytes], bytes]) -> Iterator[bytes]:
    """Yield digest after digest, each a thousand hashes on from the one before (SHAVS §6.4)."""
    while True:
        oldest, older, newest = seed, seed, seed
        for _ in range(1000):
            oldest, older, newest = older, newest, digest(oldest + older + newest)
        yield newest
        seed = newest


@pytest.mark.parametrize("name", HASHES)
def test_nist_monte_carlo_with_every_implementation(name: str) -> None:
    with cryptography_vectors.open_vector_file(f"hashes/SHA2/{name.upper()}Monte.rsp", "r") as file:
        lines = [line.split(" = ") for line in file if " = " in line]
    (seed,) = (bytes.fromhex(value) for key, value in lines if key == "Seed")
    expected = [bytes.fromhex(value) for key, value in lines if key == "MD"]
    assert len(expected) == 100
    assert list(islice(monte_carlo(seed, lambda data: Hash(name, data).digest()), 100)) == expected
    for index in range(len(implementations(name))):
        # Fewer of them: to be chosen by index, an implementation asks the processor every time.
        assert list(islice(monte_carlo(seed, partial(digest_with, name, index)), 5)) == expected[:5]


@pytest.mark.parametrize("name", HASHES)
def test_the_portable_implementation_is_always_there(name: str) -> None:
    assert implementations(name)[0] == "portable"
    for index in (-1, len(implementations(name))):
        with pytest.raises(IndexError):
            digest_with(name, index, b"")


@settings(derandomize=True, max_examples=200, deadline=None)
@given(name=st.sampled_from(HASHES), data=st.binary(max_size=700), splits=st.lists(st.integers(0, 700), max_size=5))
def test_any_split_gives_hashlibs_digest(name: str, data: bytes, splits: list[int]) -> None:
    running, at = Hash(name), 0
    for split in sorted(min(split, len(data)) for split in splits):
        running.update(data[at:split])
        at = split
        assert running.copy().digest() == running.digest() == hashlib.new(name, data[:split]).digest()
    running.update(memoryview(data)[at:])
    assert running.digest() == hashlib.new(name, data).digest()
    for index in range(len(implementations(name))):
        assert digest_with(name, index, data) == hashlib.new(name, data).digest()


@pytest.mark.parametrize("name", HASHES)
def test_a_copy_goes_its_own_way(name: str) -> None:
    first = Hash(name, b"together ")
    second = first.copy()
    first.update(b"one")
    second.update(b"two")
    assert first.digest() == hashlib.new(name, b"together one").digest()
    assert second.digest() == hashlib.new(name, b"together two").digest()
    assert first.digest_size == hashlib.new(name).digest_size


@pytest.mark.parametrize("name", ["md5", "sha1", "SHA256", "", "sha224"])
def test_an_unknown_hash_is_a_value_error(name: str) -> None:
    with pytest.raises(ValueError, match="hash"):
        Hash(name)
    with pytest.raises(ValueError, match="hash"):
        Transcript().choose(name)


def test_large_updates_from_many_threads_are_right() -> None:
    data = random.Random(1).randbytes(3_000_000)
    expected = {name: hashlib.new(name, data).digest() for name in HASHES}
    wrong: list[str] = []

    def work(name: str) -> None:
        for _ in range(4):
            if Hash(name, data).digest() != expected[name]:
                wrong.append(name)

    threads = [threading.Thread(target=work, args=(name,)) for name in HASHES * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


class TestTranscript:
    """The transcript hash (RFC 8446 §4.4.1)."""

    MESSAGES = (b"\x01\0\0\x03abc", b"\x02\0\0\x02de", b"\x08\0\0\0")

    def test_messages_before_the_choice_are_kept_and_hashed(self) -> None:
        transcript = Transcript()
        assert transcript.hash_name is None
        with pytest.raises(ValueError, match="not chosen"):
            transcript.digest()
        with pytest.raises(ValueError, match="not chosen"):
            _ = transcript.digest_before()
        transcript.add(self.MESSAGES[0])
        transcript.choose("sha384")
        transcript.add(self.MESSAGES[1])
        assert transcript.hash_name == "sha384"
        assert transcript.digest() == hashlib.sha384(b"".join(self.MESSAGES[:2])).digest()
        assert transcript.digest_before() == hashlib.sha384(self.MESSAGES[0]).digest()

    def test_choosing_again_is_for_the_same_hash_only(self) -> None:
        transcript = Transcript()
        transcript.choose("sha256")
        transcript.choose("sha256")
        with pytest.raises(ValueError, match="already"):
            transcript.choose("sha384")

    def test_a_retried_hello_stands_as_its_hash(self) -> None:
        transcript = Transcript()
        transcript.add(self.MESSAGES[0])
        transcript.choose("sha256", retried=True)
        transcript.add(self.MESSAGES[1])
        synthetic = b"\xfe\0\0\x20" + hashlib.sha256(self.MESSAGES[0]).digest()
        assert transcript.digest() == hashlib.sha256(synthetic + self.MESSAGES[1]).digest()

    def test_a_copy_goes_its_own_way(self) -> None:
        transcript = Transcript()
        transcript.add(self.MESSAGES[0])
        early = transcript.copy()
        transcript.choose("sha256", keep=True)
        late = transcript.copy()
        late.add(self.MESSAGES[1])
        early.choose("sha512")
        assert early.digest() == hashlib.sha512(self.MESSAGES[0]).digest()
        assert transcript.digest() == hashlib.sha256(self.MESSAGES[0]).digest()
        assert late.messages() == b"".join(self.MESSAGES[:2])
        assert transcript.messages() == self.MESSAGES[0]

    def test_kept_messages(self) -> None:
        transcript = Transcript()
        with pytest.raises(ValueError, match="not kept"):
            transcript.messages()
        transcript.add(self.MESSAGES[0])
        transcript.choose("sha256", keep=True)
        for message in self.MESSAGES[1:]:
            transcript.add(message)
        assert transcript.messages() == b"".join(self.MESSAGES)
        assert transcript.messages(before=True) == b"".join(self.MESSAGES[:2])
        transcript.forget()
        with pytest.raises(ValueError, match="not kept"):
            transcript.messages()
        assert transcript.digest() == hashlib.sha256(b"".join(self.MESSAGES)).digest()
