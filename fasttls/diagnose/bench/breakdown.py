"""Where the CPU time of a full handshake goes: the asymmetric floor, and the layers of fasttls above it.

Every part is measured by itself, as it is compiled, and nothing is profiled. The whole is what a handshake takes
through contexts and BIOs. The floor is what its asymmetric operations take when `cryptography` is called with nothing
around it: key generation, exchange, signature, verification, as often as one handshake has them. Messages, key
schedule, records and trust are those of one handshake that was recorded, done again (`replay`). What contexts, engines
and BIOs take is the difference to the same handshake between two connections without them. The state machine is what
is left: states, flights, choices, tickets, the way to `cryptography` beyond the floor, and, since a part that is done
again and again finds its code in the processor's cache, what it costs to fetch all of it once a handshake.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import thread_time_ns
from typing import NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, padding, rsa, x25519
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench import replay
from fasttls.diagnose.bench.ends import Pair, connect
from fasttls.diagnose.bench.handshakes import forget
from fasttls.diagnose.bench.libraries import HYBRID, Setting

FLOOR, SCHEDULE, WIRE, RECORD, TRUST, STATE, API = LAYERS = (
    "asymmetric floor",
    "key schedule",
    "wire",
    "record",
    "trust",
    "state machine",
    "api",
)


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
    recorded = replay.record(pair)
    ours, theirs = replay.configs(pair)
    verify = replay.validation(recorded)

    def each(call: Callable[[], object]) -> Callable[[], object]:
        def work() -> None:
            forget()
            call()

        return work if cold else call

    # What is cold has forgotten the chain: its certificates, and its signatures, which are the floor's.
    calls: dict[str, Callable[[], object]] = {
        API: each(lambda: connect(pair)),
        STATE: each(lambda: replay.shake(ours, theirs)),
        TRUST: each(verify),
        SCHEDULE: replay.key_schedule(recorded),
        WIRE: replay.wire(recorded),
        RECORD: replay.records(recorded),
    }
    for call in calls.values():
        _spent(call, 5)
    # In turns, since a processor changes its speed; the least of each is at its best.
    least = dict.fromkeys((*calls, FLOOR), float("inf"))
    signatures = 0.0
    for _ in range(4):
        for layer, call in calls.items():
            least[layer] = min(least[layer], *(_spent(call, 4) for _ in range(times // 16)))
        least[FLOOR] = min(least[FLOOR], floor(files, setting, cold=cold))
    if cold:
        _, verification = _signatures(files, setting)
        signatures = 2 * _each(verification)
        forgetting = _spent(forget, 100)
        for layer in (API, STATE, TRUST):
            least[layer] -= forgetting
    least[TRUST] = max(0.0, least[TRUST] - signatures)
    alone = least[STATE]
    least[API] = max(0.0, least[API] - alone)
    least[STATE] = max(0.0, alone - sum(least[layer] for layer in (FLOOR, SCHEDULE, WIRE, RECORD, TRUST)))
    return Bar(name, {layer: least[layer] for layer in LAYERS})
