"""What src_c does with secrets, seen from outside: nothing of them stays in the stack, no branch depends on them.

secrets.c runs one function. Its stack is searched afterwards; and under qemu, one instruction at a time, the addresses
of all instructions that ran in src_c, and in copies for it, must be the same for every secret of the same size. What
is wrong on purpose has to be seen both times.
"""

from __future__ import annotations

import platform
import random
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from c.tools import ROOT, SOURCES, TIMEOUT_SECONDS, environment, program

MAIN = Path(__file__).with_name("secrets.c")
FLAGS = ["-std=gnu11", "-g", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", str(ROOT / "src_c")]
_STEP = re.compile(r"\[[0-9a-f]+/([0-9a-f]+)/[0-9a-f/]+\] (\S+)")
# What the compiler calls for a copy is part of the way, too.
_COPIES = re.compile(r"_*mem(cpy|move|set)")

OVER_A_HASH = [
    f"{kind}-{name}"
    for kind in ("portable", "fastest", "hmac", "extract", "label", "prf")
    for name in ("sha256", "sha512")
]


class Target(NamedTuple):
    """A machine that secrets.c is compiled for."""

    compiler: str
    emulator: str
    processor: str
    link: tuple[str, ...]
    """Fixed addresses; and no lazy binding, whose resolver saves registers in the stack."""


TARGETS = {
    "aarch64": Target("aarch64-linux-gnu-gcc", "qemu-aarch64", "max", ("-static",)),
}
if platform.machine() == "x86_64":
    TARGETS["x86-64, no SHA-NI"] = Target("cc", "qemu-x86_64", "Nehalem", ("-no-pie", "-Wl,-z,now"))


def run(command: list[str], folder: Path) -> str:
    """Run a command in a folder; return what it printed."""
    settings: dict[str, Any] = {"cwd": folder, "env": environment(), "timeout": TIMEOUT_SECONDS}
    done = subprocess.run(command, capture_output=True, text=True, check=False, **settings)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


class Built(NamedTuple):
    """secrets.c, compiled, and the names of the functions of src_c in it."""

    folder: Path
    target: Target
    names: frozenset[str]

    def trace(self, function: str, first: bytes, second: bytes) -> list[str]:
        """Return the addresses of the instructions of src_c that ran, in order."""
        log = self.folder / "log"
        emulator = program(self.target.emulator)
        single = "-one-insn-per-tb" if "one-insn-per-tb" in run([emulator, "-help"], self.folder) else "-singlestep"
        command = [emulator, "-cpu", self.target.processor, single, "-d", "nochain,exec", "-D", str(log)]
        run([*command, "./secrets", "trace", function, first.hex(), second.hex()], self.folder)
        steps = [step for step in map(_STEP.search, log.read_text().splitlines()) if step is not None]
        selected = max(index for index, step in enumerate(steps) if step[2] == "ft_sha2_select")
        return [step[1] for step in steps[selected + 1 :] if step[2] in self.names or _COPIES.match(step[2])]


@pytest.fixture(scope="module", params=TARGETS.values(), ids=TARGETS)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return secrets.c compiled for a target."""
    target: Target = request.param
    compiler = program(target.compiler)
    folder = tmp_path_factory.mktemp("secrets")
    run([compiler, *FLAGS, "-O2", "-c", *map(str, SOURCES)], folder)
    objects = [source.with_suffix(".o").name for source in SOURCES]
    run([compiler, *FLAGS, "-O2", str(MAIN), *objects, *target.link, "-o", "secrets"], folder)
    listed = run([program("nm"), "--defined-only", *objects], folder)
    names = {line.split()[2] for line in listed.splitlines() if len(line.split()) == 3 and line.split()[1] in "tT"}
    return Built(folder, target, frozenset({*names, "ft_test_early"}))


DRAW = random.Random(8446).randbytes
SECRETS = [b"\xff" * 48, bytes(range(48)), DRAW(48), bytes(48)]


def check_same(built: Built, function: str, inputs: list[tuple[bytes, bytes]]) -> None:
    """Assert that a function takes the same way through src_c for all inputs, and that it takes one."""
    first, *others = (built.trace(function, *pair) for pair in inputs)
    assert len(first) > 20
    for other in others:
        assert other == first


def test_an_early_exit_is_seen(built: Built) -> None:
    """What the other tests rely on: a comparison that stops at the first difference shows where it is."""
    right = bytes(range(48))
    lengths = {len(built.trace("early", right, right[:at] + b"\xff" + right[at + 1 :])) for at in (0, 20, 47)}
    assert len(lengths) == 3


def test_comparing_takes_the_same_way_wherever_the_difference_is(built: Built) -> None:
    right = DRAW(48)
    differing = [bytes(b ^ (i == at) for i, b in enumerate(right)) for at in (0, 1, 24, 46, 47)]
    check_same(built, "equal", [(right, other) for other in (right, *differing, bytes(48), DRAW(48))])


def test_choosing_a_premaster_secret_takes_the_same_way_whichever_is_chosen(built: Built) -> None:
    """RFC 5246 §7.4.7.1."""
    good, fallback = b"\3\3" + DRAW(46), DRAW(48)
    wrong = [b"\3\1" + good[2:], b"\0\3" + good[2:], bytes(48), DRAW(48)]
    sizes = [good[:1], good[:47], good + b"\0", DRAW(200)]
    check_same(built, "premaster", [(decrypted, fallback) for decrypted in (good, *wrong, *sizes)])


def test_a_nonce_takes_the_same_way_for_every_iv(built: Built) -> None:
    check_same(built, "nonce", [(secret[:12], b"\x07") for secret in SECRETS])


@pytest.mark.parametrize("function", OVER_A_HASH)
def test_hashing_takes_the_same_way_for_every_secret(built: Built, function: str) -> None:
    check_same(built, function, [(secret, b"public" * 8) for secret in SECRETS[-2:]])


def stack_of(compiler: str, emulator: list[str], folder: Path, *flags: str) -> Callable[[str], int]:
    """Compile secrets.c; return what runs a function and counts the pieces of the secret in its stack."""
    sources = [str(MAIN), *map(str, SOURCES)]
    run([program(compiler), *FLAGS, *flags, *sources, "-o", "secrets"], folder)
    return lambda function: int(run([*emulator, "./secrets", "stack", function], folder))


@pytest.mark.parametrize("flags", [("-O1",), ("-O2",), ("-O3", "-flto")], ids=" ".join)
def test_no_secret_stays_in_the_stack_of_this_machine(tmp_path: Path, flags: tuple[str, ...]) -> None:
    """With the optimiser looking into ft_wipe, too: it may not take the stores to dead memory away."""
    found = stack_of("cc", [], tmp_path, *flags, "-no-pie", "-Wl,-z,now")
    assert found("leaky") > 5
    assert found("wiped") == 0
    assert {name: found(name) for name in ("equal", "premaster", *OVER_A_HASH)} == dict.fromkeys(
        ("equal", "premaster", *OVER_A_HASH), 0
    )


def test_no_secret_stays_in_the_stack_of_aarch64(tmp_path: Path) -> None:
    found = stack_of("aarch64-linux-gnu-gcc", [program("qemu-aarch64"), "-cpu", "max"], tmp_path, "-O2", "-static")
    assert found("leaky") > 5
    assert found("wiped") == 0
    assert not any(found(name) for name in ("equal", "premaster", *OVER_A_HASH))
