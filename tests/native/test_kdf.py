"""HMAC, HKDF, TLS 1.3's labels, TLS 1.2's PRF and key block, the choice of a premaster secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from itertools import pairwise

import cryptography_vectors
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vectors import wycheproof

from fasttls.native._hash import Hmac
from fasttls.native._kdf import (
    choose_premaster,
    derive_secret,
    hkdf_expand,
    hkdf_expand_label,
    hkdf_extract,
    key_block12,
    prf12,
    traffic_keys,
)
from fasttls.native._secret import Secret

HASHES = ("sha256", "sha384", "sha512")


def fields(name: str) -> Iterator[dict[str, str]]:
    """Yield the blocks of `key = value` lines of a vector file; a block ends where a key comes again."""
    block: dict[str, str] = {}
    with cryptography_vectors.open_vector_file(name, "r") as file:
        for line in file:
            key, equals, value = (part.strip() for part in line.partition("="))
            if not equals or key.startswith("#"):
                continue
            if key in block:
                yield block
                block = {}
            block[key] = value
    yield block


@pytest.mark.parametrize("name", HASHES)
def test_rfc_4231(name: str) -> None:
    found = [block for block in fields(f"HMAC/rfc-4231-{name}.txt") if "Msg" in block and "MD" in block]
    assert len(found) >= 5
    for block in found:
        key, message = bytes.fromhex(block["Key"]), bytes.fromhex(block["Msg"])
        digest = bytes.fromhex(block["MD"])
        assert Hmac(name, key).mac(message)[: len(digest)] == digest


@pytest.mark.parametrize("name", HASHES)
def test_wycheproof_hmac(name: str) -> None:
    seen = 0
    for case in wycheproof(f"hmac_{name}_test.json"):
        size = case.group["tagSize"] // 8
        right = Hmac(name, case.data("key")).mac(case.data("msg"))[:size] == case.data("tag")
        assert right is case.valid, case.test["tcId"]
        seen += 1
    assert seen > 100


@settings(derandomize=True, max_examples=150, deadline=None)
@given(name=st.sampled_from(HASHES), key=st.binary(max_size=300), parts=st.lists(st.binary(max_size=300), max_size=4))
def test_hmac_in_parts_is_pythons(name: str, key: bytes, parts: list[bytes]) -> None:
    ours = Hmac(name, key)
    for _ in range(2):  # the kept states are not used up
        assert ours.mac(*parts) == hmac.digest(key, b"".join(parts), name)


def test_rfc_5869() -> None:
    found = list(fields("KDF/rfc-5869-HKDF-SHA256.txt"))
    assert len(found) >= 3
    for block in found:
        salt = bytes.fromhex(block.get("salt", ""))
        extracted = hkdf_extract("sha256", Secret(salt) if salt else None, Secret(bytes.fromhex(block["IKM"])))
        assert extracted == bytes.fromhex(block["PRK"])
        expanded = hkdf_expand("sha256", extracted, bytes.fromhex(block.get("info", "")), int(block["L"]))
        assert expanded == bytes.fromhex(block["OKM"])


@pytest.mark.parametrize("name", HASHES)
def test_wycheproof_hkdf(name: str) -> None:
    for case in wycheproof(f"hkdf_{name}_test.json"):
        salt = Secret(case.data("salt")) if case.test["salt"] else None
        secret = hkdf_extract(name, salt, Secret(case.data("ikm")))
        if case.invalid:
            with pytest.raises(ValueError, match="size"):
                hkdf_expand(name, secret, case.data("info"), case.test["size"])
        else:
            assert hkdf_expand(name, secret, case.data("info"), case.test["size"]) == case.data("okm")


def label_info(label: bytes, context: bytes, size: int) -> bytes:
    """Return the HkdfLabel structure (RFC 8446 §7.1)."""
    full = b"tls13 " + label
    return size.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    name=st.sampled_from(HASHES),
    secret=st.binary(min_size=1, max_size=64),
    label=st.binary(max_size=249),
    context=st.binary(max_size=255),
    size=st.integers(0, 300),
)
def test_expand_label_is_hkdf_expand_of_the_structure(
    name: str, secret: bytes, label: bytes, context: bytes, size: int
) -> None:
    info = label_info(label, context, size)
    assert hkdf_expand_label(name, Secret(secret), label, context, size) == hkdf_expand(
        name, Secret(secret), info, size
    )


@pytest.mark.parametrize(
    ("label", "context", "size"),
    [(bytes(250), b"", 32), (b"x", bytes(256), 32), (b"x", b"", 255 * 32 + 1), (b"x", b"", -1), (b"x", b"", 65536)],
)
def test_what_does_not_fit_a_label_is_a_value_error(label: bytes, context: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="fit"):
        hkdf_expand_label("sha256", Secret(bytes(32)), label, context, size)


def test_derive_secret_and_traffic_keys_are_labels() -> None:
    secret, digest = Secret(b"s" * 48), hashlib.sha384(b"m").digest()
    assert derive_secret("sha384", secret, b"c hs traffic", digest) == hkdf_expand_label(
        "sha384", secret, b"c hs traffic", digest, 48
    )
    key, iv = traffic_keys("sha384", secret, 32)
    assert key == hkdf_expand_label("sha384", secret, b"key", b"", 32)
    assert iv == hkdf_expand_label("sha384", secret, b"iv", b"", 12)


@pytest.mark.parametrize("call", [hkdf_extract, hkdf_expand_label, derive_secret, prf12])
def test_a_wiped_secret_derives_nothing(call) -> None:
    gone = Secret(bytes(32))
    gone.wipe()
    arguments = {
        hkdf_extract: ("sha256", None, gone),
        hkdf_expand_label: ("sha256", gone, b"x", b"", 32),
        derive_secret: ("sha256", gone, b"x", bytes(32)),
        prf12: ("sha256", gone, b"x", b"", 32),
    }[call]
    with pytest.raises(ValueError, match="wiped"):
        call(*arguments)


def p_hash(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash from its definition (RFC 5246 §5)."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(
    name=st.sampled_from(HASHES),
    secret=st.binary(max_size=200),
    label=st.binary(max_size=40),
    seed=st.binary(max_size=100),
    size=st.integers(0, 400),
)
def test_the_prf_is_its_definition(name: str, secret: bytes, label: bytes, seed: bytes, size: int) -> None:
    assert prf12(name, Secret(secret), label, seed, size) == p_hash(name, secret, label + seed, size)


@pytest.mark.parametrize(("key_size", "fixed"), [(16, 4), (32, 4), (32, 12)])
@pytest.mark.parametrize("name", ["sha256", "sha384"])
def test_the_key_block_is_cut_in_the_rfcs_order(name: str, key_size: int, fixed: int) -> None:
    master, client, server = bytes(range(48)), b"c" * 32, b"s" * 32
    block = p_hash(name, master, b"key expansion" + server + client, 2 * (key_size + fixed))
    found = key_block12(name, Secret(master), client, server, key_size, fixed)
    ends = (0, key_size, 2 * key_size, 2 * key_size + fixed, 2 * (key_size + fixed))
    expected = [block[start:end] for start, end in pairwise(ends)]
    padded = [*expected[:2], *(iv.ljust(12, b"\0") for iv in expected[2:])]
    assert [bytes(part) for part in found] == padded


@pytest.mark.parametrize(("key_size", "fixed"), [(0, 4), (-1, 4), (65, 4), (16, 0), (16, 13)])
def test_sizes_of_no_suite_are_value_errors(key_size: int, fixed: int) -> None:
    with pytest.raises(ValueError, match="sizes"):
        key_block12("sha256", Secret(bytes(48)), bytes(32), bytes(32), key_size, fixed)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(decrypted=st.one_of(st.binary(max_size=120), st.binary(min_size=46, max_size=46).map(lambda b: b"\3\3" + b)))
def test_only_a_premaster_secret_of_the_version_is_chosen(decrypted: bytes) -> None:
    fallback = bytes(range(48))
    right = len(decrypted) == 48 and decrypted[:2] == b"\3\3"
    assert choose_premaster(decrypted, Secret(fallback), 0x0303) == (decrypted if right else fallback)


def test_a_fallback_of_another_size_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="48"):
        choose_premaster(bytes(48), Secret(bytes(47)), 0x0303)


@pytest.mark.parametrize("name", ["sha256", "sha384", "sha512"])
def test_a_secret_that_was_a_key_is_one_again(name: str) -> None:
    secret = Secret(bytes(range(48)))
    first = bytes(hkdf_expand_label(name, secret, b"label", b"context", 48))
    assert bytes(hkdf_expand_label(name, secret, b"label", b"context", 48)) == first
    assert bytes(hkdf_expand_label(name, Secret(bytes(range(48))), b"label", b"context", 48)) == first


def test_a_secret_is_a_key_of_every_hash_by_itself() -> None:
    secret = Secret(bytes(range(48)))
    found = {bytes(hkdf_expand_label(name, secret, b"label", b"", 32)) for name in ("sha256", "sha384", "sha512")}
    assert len(found) == 3


def test_a_secret_that_was_a_key_is_none_when_it_is_wiped() -> None:
    secret = Secret(bytes(range(48)))
    hkdf_expand_label("sha384", secret, b"label", b"", 48)
    secret.wipe()
    with pytest.raises(ValueError, match="wiped"):
        hkdf_expand_label("sha384", secret, b"label", b"", 48)
