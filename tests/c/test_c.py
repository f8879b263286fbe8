"""src_c, compiled alone and checked against hashlib and hmac: on this machine under the sanitizers, and as aarch64."""

from __future__ import annotations

import hashlib
import hmac
import platform
import random
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from c.tools import ROOT, SOURCES, TIMEOUT_SECONDS, environment, program

FLAGS = ["-std=c11", "-O2", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(ROOT / "src_c")]
HASHES = ("sha256", "sha384", "sha512")


def expand(name: str, secret: bytes, info: bytes, size: int) -> bytes:
    """HKDF-Expand from its definition (RFC 5869 §2.3)."""
    out = block = b""
    counter = 1
    while len(out) < size:
        block = hmac.digest(secret, block + info + bytes([counter]), name)
        out += block
        counter += 1
    return out[:size]


def prf(name: str, secret: bytes, seed: bytes, size: int) -> bytes:
    """P_hash from its definition (RFC 5246 §5)."""
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, name)
        out += hmac.digest(secret, a + seed, name)
    return out[:size]


def cases() -> Iterator[tuple[str, list[bytes]]]:
    """Yield every case with its expected result last, from a fixed seed."""
    draw = random.Random(8446).randbytes
    for code, name in enumerate(HASHES):
        id_ = bytes([code])
        # FIPS 180-4's examples, then every length around the blocks, then long ones.
        for data in (b"abc", b"", b"a" * 1_000_000, *map(draw, (*range(300), 1000, 4096, 65537))):
            yield "hash", [id_, data, hashlib.new(name, data).digest()]
        for key_size in (0, 1, 31, 32, 63, 64, 65, 127, 128, 129, 500):
            key, data = draw(key_size), draw(3 * key_size)
            yield "hmac", [id_, key, data, hmac.digest(key, data, name)]
            yield "extract", [id_, key, data, hmac.digest(key or bytes(hashlib.new(name).digest_size), data, name)]
        for size in (1, 12, 32, 48, 64, 65, 300, 255 * hashlib.new(name).digest_size):
            secret, label, context = draw(48), draw(12), draw(size % 200)
            yield "expand", [id_, secret, label, expand(name, secret, label, size)]
            info = size.to_bytes(2, "big") + bytes([18]) + b"tls13 " + label + bytes([len(context)]) + context
            yield "label", [id_, secret, label, context, expand(name, secret, info, size)]
            yield "prf", [id_, secret, label, context, prf(name, secret, label + context, size)]
    fallback, good = draw(48), b"\3\3" + draw(46)
    yield "premaster", [good, fallback, b"\3\3", good]
    for wrong in (b"", b"\3", good[:-1], good + b"\0", b"\3\1" + good[2:], b"\0\3" + good[2:], draw(200)):
        yield "premaster", [wrong, fallback, b"\3\3", fallback]


@cache
def lines() -> str:
    """Return the cases as check.c reads them."""
    return "".join(f"{word} {' '.join(field.hex() or '-' for field in fields)}\n" for word, fields in cases())


def run(command: list[str]) -> dict[str, list[str]]:
    """Run the compiled check; return the implementations that were checked, by hash."""
    done = subprocess.run(
        command,
        input=lines(),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    printed = [line.split() for line in done.stdout.splitlines()]
    assert printed[-1] == ["cases", str(lines().count("\n"))]
    return {name: [words[1] for words in printed if words[0] == name] for name in ("sha256", "sha512")}


def compile_check(compiler: str, target: Path, *flags: str) -> Path:
    """Compile check.c with src_c."""
    sources = [str(source) for source in (Path(__file__).with_name("check.c"), *SOURCES)]
    command = [compiler, *FLAGS, *flags, *sources, "-o", str(target)]
    done = subprocess.run(
        command, env=environment(), capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def test_this_machine_under_the_sanitizers(tmp_path: Path) -> None:
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    found = run([str(compile_check(program("cc"), tmp_path / "check", *flags))])
    assert found["sha256"][0] == found["sha512"][0] == "portable"
    if platform.machine() == "x86_64" and "sha_ni" in Path("/proc/cpuinfo").read_text().split():
        assert found["sha256"] == ["portable", "sha-ni"]


@pytest.mark.skipif(platform.machine() != "x86_64", reason="a program for x86-64 is compiled on one")
def test_x86_64_without_the_sha_extensions(tmp_path: Path) -> None:
    """The processor is asked before what it may not have is used."""
    target = compile_check(program("cc"), tmp_path / "check")
    found = run([program("qemu-x86_64"), "-cpu", "Nehalem", str(target)])
    assert found == {"sha256": ["portable"], "sha512": ["portable"]}


@pytest.fixture(scope="module")
def aarch64(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the check as a static program for aarch64."""
    target = tmp_path_factory.mktemp("aarch64") / "check"
    return compile_check(program("aarch64-linux-gnu-gcc"), target, "-static")


@pytest.mark.parametrize(
    ("processor", "sha256", "sha512"),
    [
        ("max", ["portable", "armv8-sha2"], ["portable", "armv8-sha512"]),
        ("cortex-a57", ["portable", "armv8-sha2"], ["portable"]),
    ],
)
def test_aarch64(aarch64: Path, processor: str, sha256: list[str], sha512: list[str]) -> None:
    found = run([program("qemu-aarch64"), "-cpu", processor, str(aarch64)])
    assert found == {"sha256": sha256, "sha512": sha512}


def test_aarch64_on_a_system_that_tells_nothing_of_its_processor(tmp_path: Path) -> None:
    """As compiled for another system than Linux: nobody can be asked, so that only the portable code is used.

    Every processor that qemu knows has the extensions for SHA-256, so that this is how the fallback is seen.
    """
    target = compile_check(program("aarch64-linux-gnu-gcc"), tmp_path / "check", "-static", "-U__linux__")
    found = run([program("qemu-aarch64"), "-cpu", "max", str(target)])
    assert found == {"sha256": ["portable"], "sha512": ["portable"]}
