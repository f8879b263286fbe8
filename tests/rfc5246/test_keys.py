"""TLS 1.2's secrets against published vectors and definitions, a replay from fixed randomness, the DHE groups."""

from __future__ import annotations

import base64
import hashlib
import hmac
import random
import subprocess

import certs
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from harness import Pair, client_config, credential, server_config, split, trust
from interop.ends import program

from fasttls.crypto.dhe import _RFC3526, _RFC7919, _prime, generate
from fasttls.crypto.key_schedule12 import master_secret
from fasttls.crypto.suites12 import SUITES12
from fasttls.native._kdf import prf12
from fasttls.native._secret import Secret
from fasttls.wire.iana import NamedGroup

ONLY12 = {"minimum_version": 0x0303, "maximum_version": 0x0303}

# The test vectors for the PRF of TLS 1.2 that were published on the TLS working group's list.
PRF = [
    (
        "sha256",
        "9bbe436ba940f017b17652849a71db35",
        "a0ba9f936cda311827a6f796ffd5198c",
        "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7"
        "077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66",
    ),
    (
        "sha384",
        "b80b733d6ceefcdc71566ea48e5567df",
        "cd665cf6a8447dd6ff8b27555edb7465",
        "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40"
        "0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d"
        "31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f",
    ),
    (
        "sha512",
        "b0323523c1853599584d88568bbb05eb",
        "d4640e12e4bcdbfb437f03e6ae418ee5",
        "1261f588c798c5c201ff036e7a9cb5edcd7fe3f94c669a122a4638d7d508b283042df6789875c7147e906d868bc75c45e20eb40c"
        "1cf4a1713b27371f68432592f7dc8ea8ef223e12ea8507841311bf68653d0cfc4056d811f025c45ddfa6e6fec702f054b409d6f2"
        "8dd0a3233e498da41a3e75c5630eedbe22fe254e33a1b0e9f6b9826675bec7d01a845658dc9c397545401d40b9f46c7a400ee1b8"
        "f81ca0a60d1a397a1028bff5d2ef5066126842fb8da4197632bdb54ff6633f86bbc836e640d4d898",
    ),
]


@pytest.mark.parametrize(("name", "secret", "seed", "output"), PRF, ids=[row[0] for row in PRF])
def test_published_prf_vectors(name: str, secret: str, seed: str, output: str) -> None:
    expected = bytes.fromhex(output)
    found = prf12(name, Secret(bytes.fromhex(secret)), b"test label", bytes.fromhex(seed), len(expected))
    assert found == expected


def p_hash(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash from its definition (RFC 5246 §5)."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


@pytest.mark.parametrize("code", SUITES12)
@pytest.mark.parametrize("extended", [False, True])
def test_every_suites_keys_are_those_of_the_definition(code: int, extended: bool) -> None:
    """RFC 5246 §6.3, §8.1, §7.4.9, RFC 7627 §4, RFC 5705 §4."""
    suite = SUITES12[code]
    name = suite.hash_name
    premaster, client, server, session_hash = b"p" * 48, b"c" * 32, b"s" * 32, b"h" * 32
    found = master_secret(suite, Secret(premaster), client, server, session_hash if extended else None)
    seed = b"extended master secret" + session_hash if extended else b"master secret" + client + server
    master = p_hash(name, premaster, seed, 48)
    assert found.secret == master
    size, fixed = suite.key_size, suite.fixed_iv_size
    keys = p_hash(name, master, b"key expansion" + server + client, 2 * (size + fixed))
    ours, theirs = found.keys()
    assert (ours.key, theirs.key) == (keys[:size], keys[size : 2 * size])
    assert bytes(ours.iv) == keys[2 * size : 2 * size + fixed].ljust(12, b"\0")
    assert bytes(theirs.iv) == keys[2 * size + fixed :].ljust(12, b"\0")
    digest = hashlib.new(name, b"transcript").digest()
    assert found.finished(digest, of_client=True) == p_hash(name, master, b"client finished" + digest, 12)
    assert found.finished(digest, of_client=False) == p_hash(name, master, b"server finished" + digest, 12)
    if extended:
        seed = b"label" + client + server + b"\0\2ab"
        assert found.export(b"label", 33, b"ab") == p_hash(name, master, seed, 33)


FIXED_ROOT = certs.Authority("Fixed root", key_type="ed25519")


@pytest.mark.parametrize("group", [NamedGroup.X25519, NamedGroup.SECP256R1, NamedGroup.SECP384R1, NamedGroup.X448])
def test_a_handshake_from_fixed_randomness_replays_byte_for_byte(group: int) -> None:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    made = credential(FIXED_ROOT.issue("localhost", key=key))
    streams = []
    for _ in range(2):
        drawn = {side: random.Random(side) for side in ("client", "server")}
        only = {**ONLY12, "groups": (group,), "key_shares": (group,), "deterministic_keys": True}
        pair = Pair(
            client_config(**only, trust=trust(FIXED_ROOT), random=drawn["client"].randbytes),
            server_config(**only, credentials=(made,), random=drawn["server"].randbytes),
        )
        stream = []
        pair.client.start()
        for sender, receiver in [(pair.client, pair.server), (pair.server, pair.client)] * 3:
            data = sender.take_output()
            stream += split(data)
            receiver.receive(data)
        assert pair.client.connected
        for end, other in ((pair.client, pair.server), (pair.server, pair.client)):
            end.send(b"replayed")
            stream += split(end.take_output())
            other.receive(stream[-1])
        streams.append(stream)
    assert streams[0] == streams[1]
    assert len(streams[0]) > 8


OPENSSL_NAMES = {True: "ffdhe{}", False: "modp_{}"}


@pytest.mark.parametrize("bits", _RFC7919)
@pytest.mark.parametrize("ffdhe", [True, False], ids=["RFC 7919", "RFC 3526"])
def test_the_primes_are_openssls(bits: int, ffdhe: bool) -> None:
    assert set(_RFC7919) == set(_RFC3526)
    name = OPENSSL_NAMES[ffdhe].format(bits)
    command = [program("openssl"), "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", f"group:{name}"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    der = base64.b64decode("".join(printed.splitlines()[1:-1]))
    # SEQUENCE { INTEGER prime, INTEGER 2, ... }, with lengths of two bytes.
    assert (der[:2], der[4:6]) == (b"\x30\x82", b"\x02\x82")
    size = int.from_bytes(der[6:8], "big")
    assert int.from_bytes(der[8 : 8 + size], "big") == _prime(bits, ffdhe=ffdhe)
    assert der[8 + size : 11 + size] == b"\x02\x01\x02"


def test_a_shared_secret_has_no_leading_zeros() -> None:
    """RFC 5246 §8.1.2: they are stripped, as both sides must."""
    short = 0
    for _ in range(600):
        ours, theirs = generate(NamedGroup.FFDHE2048), generate(NamedGroup.FFDHE2048)
        secret = bytes(ours.finish(theirs.public))
        assert secret[0] != 0
        short += len(secret) < 256
        if short:
            break
    prime = _prime(2048, ffdhe=True)
    assert int.from_bytes(secret, "big") < prime
