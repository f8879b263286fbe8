"""Project Wycheproof's signatures and key exchanges, through the tables that a handshake uses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import load_der_public_key
from vectors import require

from fasttls.crypto.groups import GROUPS
from fasttls.crypto.signatures import SCHEMES, PublicKey
from fasttls.wire.alerts import DecryptError, IllegalParameter
from fasttls.wire.iana import NamedGroup, SignatureScheme

SIGNATURES = {
    "ecdsa_secp256r1_sha256_test.json": SignatureScheme.ECDSA_SECP256R1_SHA256,
    "ed25519_test.json": SignatureScheme.ED25519,
    "rsa_pss_2048_sha256_mgf1_32_test.json": SignatureScheme.RSA_PSS_RSAE_SHA256,
}

P256_PRIVATE_BYTES = 32


def _groups(file: str) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = json.loads(require(f"wycheproof/{file}").read_text())["testGroups"]
    return groups


def _public_key_der(group: dict[str, Any]) -> bytes:
    return bytes.fromhex(group.get("publicKeyDer") or group["publicKeyAsn"])


@pytest.mark.parametrize("file", SIGNATURES)
def test_signatures(file: str) -> None:
    scheme = SCHEMES[SIGNATURES[file]]
    seen = {"valid": 0, "invalid": 0}
    for group in _groups(file):
        public = PublicKey(_load(group))
        for test in group["tests"]:
            signature, message = bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"])
            seen["valid" if test["result"] == "valid" else "invalid"] += 1
            if test["result"] == "valid":
                scheme.verify(public, signature, message)
            elif test["result"] == "invalid":
                with pytest.raises(DecryptError):
                    scheme.verify(public, signature, message)
            else:
                raise AssertionError(f"test {test['tcId']} may go either way: say here which way it goes")
    assert seen["valid"] > 50
    assert seen["invalid"] > 20


def _load(group: dict[str, Any]) -> Any:
    return load_der_public_key(_public_key_der(group))


class _Fixed:
    """Randomness that is a private key."""

    def __init__(self, private: bytes) -> None:
        self.private = private

    def __call__(self, size: int) -> bytes:
        assert size == len(self.private)
        return self.private


def test_x25519() -> None:
    # RFC 8446 §7.4.2 refuses an all-zero result; RFC 7748 §5 accepts every other share.
    group = GROUPS[NamedGroup.X25519]
    zero_results = 0
    for part in _groups("x25519_test.json"):
        for test in part["tests"]:
            private, share = bytes.fromhex(test["private"]), bytes.fromhex(test["public"])
            expected = bytes.fromhex(test["shared"])
            offer = group.offer(_Fixed(private))
            if not any(expected):
                zero_results += 1
                with pytest.raises(IllegalParameter):
                    offer.finish(share)
                with pytest.raises(IllegalParameter):
                    group.answer(share, _Fixed(private))
                continue
            assert bytes(offer.finish(share)) == expected
            public, secret = group.answer(share, _Fixed(private))
            assert bytes(secret) == expected
            assert public == x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    assert zero_results > 10


def test_ecdh_on_p256() -> None:
    # RFC 8446 §4.2.8.2: an uncompressed point, and one that is on the curve.
    group = GROUPS[NamedGroup.SECP256R1]
    refused = 0
    for part in _groups("ecdh_secp256r1_ecpoint_test.json"):
        for test in part["tests"]:
            scalar = int(test["private"], 16)
            private, share = scalar.to_bytes(P256_PRIVATE_BYTES, "big"), bytes.fromhex(test["public"])
            offer = group.offer(_Fixed(private))
            compressed = share[:1] in (b"\2", b"\3")
            if test["result"] == "invalid" or compressed:
                refused += 1
                with pytest.raises(IllegalParameter):
                    offer.finish(share)
            else:
                assert bytes(offer.finish(share)) == bytes.fromhex(test["shared"])
                assert bytes(group.answer(share, _Fixed(private))[1]) == bytes.fromhex(test["shared"])
    assert refused > 5


@pytest.mark.parametrize("size", [0, 1, 31, 33, 64])
def test_x25519_share_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(IllegalParameter):
        GROUPS[NamedGroup.X25519].answer(b"\x09" * size, None)


@pytest.mark.parametrize("prefix", [b"\2", b"\3", b"\6", b"\0"])
def test_p256_point_in_another_form_is_refused(prefix: bytes) -> None:
    key = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    point = prefix + key.x.to_bytes(32, "big") + (key.y.to_bytes(32, "big") if prefix != b"\2" else b"")
    with pytest.raises(IllegalParameter):
        GROUPS[NamedGroup.SECP256R1].answer(point, None)
