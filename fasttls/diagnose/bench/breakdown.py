"""Where the CPU time of a full handshake goes: the asymmetric floor, and the layers of fasttls above it.

Three measurements make a bar. The whole is what a handshake takes, unprofiled. The floor is what its asymmetric
operations take when `cryptography` is called with nothing around it: key generation, exchange, signature, verification,
as often as one handshake has them. What is left over is ours, and is shared out in the proportions that cProfile sees:
the exclusive time of each function, by the module it is in; of a function in C, by the module that calls it.

A tracing profiler sees every call, where a sampling one sees a Python handshake only between bytecodes and blames what
comes next. But each call costs it time, which would make layers of many small functions look larger than they are: that
cost is measured on an empty function and taken off. So the whole and the floor are exact, and the proportions above the
floor are right to some per cent of it. Compiled functions that hide from a profiler count for their callers.
"""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Callable, Iterator
from pathlib import Path
from time import thread_time_ns
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import fasttls
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.ends import Pair, connect
from fasttls.diagnose.bench.handshakes import forget
from fasttls.diagnose.bench.libraries import HYBRID, Setting

FLOOR, SCHEDULE, WIRE, RECORD, TRUST, STATE, API = LAYERS = (
    "asymmetric floor",
    "key schedule",
    "wire",
    "record and connection",
    "trust",
    "state machine",
    "api",
)
_AROUND = "around asymmetric"  # calls into it, beyond the floor itself; a layer too, where it has a share

# The first that fits a path below fasttls/ counts.
_MODULES = (
    ("crypto/key_schedule", SCHEDULE),
    ("crypto/finished", SCHEDULE),
    ("crypto/protection", RECORD),
    ("crypto/groups", _AROUND),
    ("crypto/signatures", _AROUND),
    ("trust/signing", _AROUND),
    ("crypto/", SCHEDULE),
    ("trust/", TRUST),
    ("wire/", WIRE),
    ("sessions/", STATE),
    ("handshake/", STATE),
    ("events", STATE),
    ("connection", RECORD),
    ("api/", API),
)
_NATIVE = (("_kdf", SCHEDULE), ("_finished", SCHEDULE), ("_hash", SCHEDULE), ("_record", RECORD), ("_wire", WIRE))
_ROOT = str(Path(fasttls.__file__).parent)

_Function = tuple[str, int, str]
_Times = tuple[int, int, float, float, dict[_Function, tuple[int, int, float, float]]]


class Bar(NamedTuple):
    """A handshake's µs, by layer."""

    name: str
    parts: dict[str, float]

    @property
    def whole(self) -> float:
        """All of it."""
        return sum(self.parts.values())


def _each(call: Callable[[], object], times: int = 20, rounds: int = 4) -> float:
    """Return the least µs of a call, of several rounds."""
    return min(_spent(call, times) for _ in range(rounds))


def _spent(call: Callable[[], object], times: int) -> float:
    start = thread_time_ns()
    for _ in range(times):
        call()
    return (thread_time_ns() - start) / times / 1000


def _exchange(group: str) -> Iterator[Callable[[], object]]:
    """Yield what both sides do for a shared secret."""
    if group == "secp256r1":
        own, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        public = other.public_key()
        for _ in range(2):
            yield lambda: ec.generate_private_key(ec.SECP256R1())
            yield lambda: own.exchange(ec.ECDH(), public)
        return
    mine, raw = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
    for _ in range(2):
        yield lambda: x25519.X25519PrivateKey.generate().public_key().public_bytes_raw()
        yield lambda: mine.exchange(x25519.X25519PublicKey.from_public_bytes(raw))
    if group == HYBRID:
        key = mlkem.MLKEM768PrivateKey.generate()
        public_key = key.public_key()
        _, ciphertext = public_key.encapsulate()
        yield lambda: mlkem.MLKEM768PrivateKey.generate().public_key().public_bytes_raw()
        yield public_key.encapsulate
        yield lambda: key.decapsulate(ciphertext)


def _signatures(files: DemoFiles, setting: Setting) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return a signature with the certificate's key, and its verification."""
    key, digest = load_pem_private_key(files.key.read_bytes(), None), hashes.SHA256()
    if isinstance(key, rsa.RSAPrivateKey):
        scheme = padding.PSS(padding.MGF1(digest), digest.digest_size)
        signature = key.sign(b"data", scheme, digest)
        public = key.public_key()
        return lambda: key.sign(b"data", scheme, digest), lambda: public.verify(signature, b"data", scheme, digest)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    algorithm = ec.ECDSA(digest)
    made, known = key.sign(b"data", algorithm), key.public_key()
    return lambda: key.sign(b"data", algorithm), lambda: known.verify(made, b"data", algorithm)


def floor(files: DemoFiles, setting: Setting, *, cold: bool) -> float:
    """Return the µs of the asymmetric operations of a full handshake, both sides, keys loaded.

    Cold adds the two signatures of the chain.
    """
    sign, verify = _signatures(files, setting)
    once = sum(_each(call) for call in (*_exchange(setting.group), sign))
    return once + _each(verify) * (3 if cold else 1)


def bar(name: str, pair: Pair, files: DemoFiles, setting: Setting, *, cold: bool, times: int = 64) -> Bar:
    """Return where the time of a full handshake of fasttls goes."""

    def work() -> None:
        if cold:
            forget()
        connect(pair)

    for _ in range(5):
        work()
    forgetting = _spent(forget, 100) if cold else 0.0
    # In turns, since a processor changes its speed; the least of either is at its best.
    wholes, floors = [], []
    for _ in range(4):
        wholes.append(min(_spent(work, 4) for _ in range(times // 16)) - forgetting)
        floors.append(floor(files, setting, cold=cold))
    whole = min(wholes)
    lowest = min(*floors, whole)
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(times):
        work()
    profile.disable()
    seen = _layers(pstats.Stats(profile).stats, times)  # type: ignore[attr-defined]
    # The operations themselves are in what was seen around them.
    seen[_AROUND] = max(0.0, seen.get(_AROUND, 0.0) - lowest)
    scale = (whole - lowest) / sum(seen.values())
    parts = {layer: seen.get(layer, 0.0) * scale for layer in (*LAYERS[1:], _AROUND)}
    return Bar(name, {FLOOR: lowest, **parts})


def _layers(stats: dict[_Function, _Times], times: int) -> dict[str, float]:
    """Return µs a handshake by layer, as a profile has them, less what profiling costs."""
    cost = _cost_of_profiling()
    found: dict[str, float] = {}
    for function, (_, calls, own, _, callers) in stats.items():
        layer = _layer_of(function)
        if layer is not None:
            shares = [(layer, calls, own)]
        else:
            shares = [(_layer_of(caller) or STATE, count, spent) for caller, (_, count, spent, _) in callers.items()]
        for name, count, spent in shares:
            found[name] = found.get(name, 0.0) + max(0.0, 1e6 * spent - cost * count) / times
    return found


def _layer_of(function: _Function) -> str | None:
    """Return the layer of a function, None for one that is its caller's: in C, or in another package."""
    path, _, name = function
    if path.endswith("ssl.py"):
        return API
    if path.startswith(_ROOT):
        below = path[len(_ROOT) + 1 :]
        return next((layer for start, layer in _MODULES if below.startswith(start)), None)
    return next((layer for module, layer in _NATIVE if f"fasttls.native.{module}" in name), None)


def _cost_of_profiling() -> float:
    """Return the µs that cProfile adds to an empty function's own time."""

    def empty() -> None:
        pass

    def call() -> None:
        for _ in range(1000):
            empty()

    profile = cProfile.Profile()
    profile.enable()
    call()
    profile.disable()
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    profiled: float = next(own for (_, _, name), (_, _, own, _, _) in stats.items() if name == "empty")
    plain = _each(call, 1) / 1000
    return max(0.0, 1e6 * profiled / 1000 - plain)
