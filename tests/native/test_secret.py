"""Secret: it owns, lends and wipes; it shows nothing and is not copied."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fasttls.native._kdf import hkdf_expand_label
from fasttls.native._secret import Secret

SHOWN = b"attack at dawn, with 32 bytes..."


def test_it_lends_its_bytes_read_only() -> None:
    secret = Secret(SHOWN)
    assert bytes(secret) == SHOWN
    assert len(secret) == len(SHOWN)
    view = memoryview(secret)
    assert view.readonly
    with pytest.raises(TypeError):
        view[0] = 0


def test_it_copies_what_it_is_given() -> None:
    source = bytearray(SHOWN)
    secret = Secret(source)
    source[:] = bytes(len(source))
    assert secret == SHOWN


@pytest.mark.parametrize("size", [0, 1, 48, 64, 65, 5000])
def test_wiping_zeroes_even_what_is_lent(size: int) -> None:
    secret = Secret(b"\x55" * size)
    view = memoryview(secret)
    assert not secret.wiped
    secret.wipe()
    secret.wipe()
    assert secret.wiped
    assert bytes(view) == bytes(size)
    with pytest.raises(ValueError, match="wiped"):
        bytes(secret)
    with pytest.raises(ValueError, match="wiped"):
        len(secret)
    with pytest.raises(ValueError, match="wiped"):
        _ = secret == b""
    with pytest.raises(ValueError, match="wiped"):
        hkdf_expand_label("sha256", secret, b"key", b"", 16)


def test_it_shows_nothing() -> None:
    secret = Secret(SHOWN)
    shown = f"{secret!r} {secret} {secret:}"
    assert "attack" not in shown
    assert SHOWN.hex() not in shown
    assert repr(secret) == "<Secret of 32 bytes>"
    secret.wipe()
    assert repr(secret) == "<Secret, wiped>"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps, lambda s: pickle.dumps(s, 2)])
def test_it_is_not_copied(duplicate) -> None:
    with pytest.raises(TypeError, match="pickled or copied"):
        duplicate(Secret(SHOWN))


def test_it_is_no_key_of_a_dict() -> None:
    with pytest.raises(TypeError):
        hash(Secret(SHOWN))


def test_it_is_filled_once() -> None:
    secret = Secret(SHOWN)
    with pytest.raises(ValueError, match="once"):
        secret.__init__(b"again")  # type: ignore[misc]
    assert secret == SHOWN


@settings(derandomize=True, max_examples=100, deadline=None)
@given(left=st.binary(max_size=80), right=st.binary(max_size=80))
def test_it_equals_what_has_the_same_bytes(left: bytes, right: bytes) -> None:
    assert (Secret(left) == Secret(right)) is (left == right)
    assert (Secret(left) == right) is (left == right)
    assert (Secret(left) != bytearray(right)) is (left != right)


def test_it_does_not_equal_what_has_no_bytes() -> None:
    assert Secret(b"") != None  # noqa: E711 - the comparison itself is tested
    assert Secret(b"1") != 1


def test_what_it_was_as_a_key_is_given_up_and_made_anew() -> None:
    secret = Secret(bytes(range(48)))
    first = bytes(hkdf_expand_label("sha384", secret, b"key", b"", 32))
    for _ in range(2):
        secret.settle()
        secret.settle()
        assert bytes(hkdf_expand_label("sha384", secret, b"key", b"", 32)) == first
    assert bytes(hkdf_expand_label("sha256", secret, b"key", b"", 32)) != first
    secret.wipe()
    secret.settle()
    with pytest.raises(ValueError, match="wiped"):
        hkdf_expand_label("sha384", secret, b"key", b"", 32)
