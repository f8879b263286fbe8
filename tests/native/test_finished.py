"""Finished: its MAC in either version, and the check that a wrong length never passes."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttls.native._finished import finished12, finished12_matches, finished13, finished13_matches
from fasttls.native._kdf import hkdf_expand_label, prf12
from fasttls.native._secret import Secret

LABELS = (b"client finished", b"server finished")


@settings(derandomize=True, max_examples=80, deadline=None)
@given(name=st.sampled_from(["sha256", "sha384"]), data=st.binary(max_size=50))
def test_tls13(name: str, data: bytes) -> None:
    """RFC 8446 §4.4.4."""
    size = hashlib.new(name).digest_size
    secret, digest = Secret(hashlib.new(name, b"base" + data).digest()), hashlib.new(name, data).digest()
    key = bytes(hkdf_expand_label(name, secret, b"finished", b"", size))
    expected = hmac.digest(key, digest, name)
    assert finished13(name, secret, digest) == expected
    assert finished13_matches(name, secret, digest, expected)


@settings(derandomize=True, max_examples=80, deadline=None)
@given(name=st.sampled_from(["sha256", "sha384"]), label=st.sampled_from(LABELS), data=st.binary(max_size=50))
def test_tls12(name: str, label: bytes, data: bytes) -> None:
    """RFC 5246 §7.4.9."""
    master, digest = Secret(b"m" * 48), hashlib.new(name, data).digest()
    expected = bytes(prf12(name, master, label, digest, 12))
    assert finished12(name, master, label, digest) == expected
    assert finished12_matches(name, master, label, digest, expected)


@pytest.mark.parametrize("name", ["sha256", "sha384"])
def test_no_other_verify_data_matches(name: str) -> None:
    digest = hashlib.new(name, b"transcript").digest()
    secret = Secret(digest)
    right13, right12 = finished13(name, secret, digest), finished12(name, secret, LABELS[0], digest)
    for right, matches in (
        (right13, lambda data: finished13_matches(name, secret, digest, data)),
        (right12, lambda data: finished12_matches(name, secret, LABELS[0], digest, data)),
    ):
        assert matches(right)
        wrong = [b"", right[:-1], right + b"\0", right * 2, right[1:]]
        wrong += [bytes(b ^ (i == at) for i, b in enumerate(right)) for at in range(len(right))]
        assert not any(matches(data) for data in wrong)
    assert not finished12_matches(name, secret, LABELS[1], digest, right12)


def test_a_wiped_secret_makes_no_finished() -> None:
    gone = Secret(bytes(32))
    gone.wipe()
    with pytest.raises(ValueError, match="wiped"):
        finished13("sha256", gone, bytes(32))
    with pytest.raises(ValueError, match="wiped"):
        finished12_matches("sha256", gone, LABELS[0], bytes(32), bytes(12))
