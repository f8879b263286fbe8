"""Small parts, in C, beside the same in plain Python: the key schedule, Finished, record framing, a ClientHello."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator
from hashlib import new as hash_of
from time import thread_time_ns

from fasttls.crypto.finished import FinishedKey
from fasttls.crypto.key_schedule import EarlySecret
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.ends import HOST
from fasttls.diagnose.bench.libraries import FASTTLS, SSL, Setting
from fasttls.diagnose.bench.rounds import Case, Contender
from fasttls.native._record import Deframer
from fasttls.native._secret import Secret
from fasttls.native._wire import Reader
from fasttls.wire.messages import ClientHello

SHARED = bytes(range(32))
_TIMES = 50
NAMES = (
    *(f"{part}, {name}" for name in ("sha256", "sha384") for part in ("key schedule", "Finished")),
    "record framing, 5 records",
    "ClientHello parse",
)


def expand_label(hash_name: str, secret: bytes, label: bytes, context: bytes, size: int) -> bytes:
    """HKDF-Expand-Label for one block of output (RFC 8446 section 7.1)."""
    info = size.to_bytes(2, "big") + bytes([6 + len(label)]) + b"tls13 " + label + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\x01", hash_name)[:size]


def secrets_ours(hash_name: str, hellos: bytes, finished: bytes) -> tuple[bytes, ...]:
    """Return the four traffic secrets from fasttls."""
    handshake = EarlySecret(hash_name).into_handshake(Secret(SHARED))
    during, master = handshake.traffic(hellos), handshake.into_master()
    after = master.traffic(finished)
    return bytes(during.client), bytes(during.server), bytes(after.client), bytes(after.server)


def secrets_python(hash_name: str, hellos: bytes, finished: bytes) -> tuple[bytes, ...]:
    """Return the four traffic secrets from hmac."""
    size = hash_of(hash_name).digest_size
    empty = hash_of(hash_name, b"").digest()
    early = hmac.digest(bytes(size), bytes(size), hash_name)
    handshake = hmac.digest(expand_label(hash_name, early, b"derived", empty, size), SHARED, hash_name)
    master = hmac.digest(expand_label(hash_name, handshake, b"derived", empty, size), bytes(size), hash_name)
    return (
        expand_label(hash_name, handshake, b"c hs traffic", hellos, size),
        expand_label(hash_name, handshake, b"s hs traffic", hellos, size),
        expand_label(hash_name, master, b"c ap traffic", finished, size),
        expand_label(hash_name, master, b"s ap traffic", finished, size),
    )


def _finished_python(hash_name: str, base: bytes, digest: bytes) -> bytes:
    """Return the verify_data of a Finished (RFC 8446 section 4.4.4)."""
    return hmac.digest(expand_label(hash_name, base, b"finished", b"", len(digest)), digest, hash_name)


def _frames_python(data: bytes) -> list[tuple[bytes, bytes]]:
    position, found = 0, []
    while position + 5 <= len(data):
        end = position + 5 + int.from_bytes(data[position + 3 : position + 5], "big")
        if end > len(data):
            break
        found.append((data[position : position + 5], data[position + 5 : end]))
        position = end
    return found


def _frames_ours(data: bytes) -> list[tuple[bytes, bytes]]:
    deframer, found = Deframer(), []
    deframer.feed(data)
    while (record := deframer.next()) is not None:
        found.append(record)
    return found


def _hello_python(data: bytes) -> tuple[int, bytes, bytes, list[int], list[int]]:
    """Return version, random, session id, suites and extension types of a ClientHello's body."""
    at = 35 + data[34]
    suites_end = at + 2 + int.from_bytes(data[at : at + 2], "big")
    suites = [int.from_bytes(data[i : i + 2], "big") for i in range(at + 2, suites_end, 2)]
    position = suites_end + 1 + data[suites_end] + 2
    types = []
    while position < len(data):
        types.append(int.from_bytes(data[position : position + 2], "big"))
        position += 4 + int.from_bytes(data[position + 2 : position + 4], "big")
    return int.from_bytes(data[:2], "big"), data[2:34], data[35:at], suites, types


def _hello_ours(data: bytes) -> tuple[int, bytes, bytes, list[int], list[int]]:
    hello = ClientHello.read(Reader(data))
    return (
        hello.legacy_version,
        hello.random,
        hello.legacy_session_id,
        list(hello.cipher_suites),
        list(hello.extensions),
    )


def _hello(files: Files) -> bytes:
    """Return the body of the ClientHello that `ssl` sends."""
    import ssl

    outgoing = ssl.MemoryBIO()
    client = SSL.context(files["P-256"], Setting(), False).wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()[9:]


def _step(call: Callable[[], object], expected: object) -> Callable[[], int]:
    """Return a step: the call, so many times; the time is that of one."""
    assert call() == expected

    def step() -> int:
        start = thread_time_ns()
        for _ in range(_TIMES):
            found = call()
        took = thread_time_ns() - start
        assert found == expected
        return took // _TIMES

    return step


def _case(name: str, python: Callable[[], object], ours: Callable[[], object]) -> Case:
    expected = python()
    return Case(name, [Contender("Python", _step(python, expected)), Contender(FASTTLS.name, _step(ours, expected))])


def cases(files: Files) -> Iterator[Case]:
    """Yield the cases; the base is plain Python."""
    for hash_name in ("sha256", "sha384"):
        size = hash_of(hash_name).digest_size
        told = (hash_name, bytes([1]) * size, bytes([2]) * size)
        base = bytes([3]) * size
        key = FinishedKey(hash_name, Secret(base))
        yield _case(f"key schedule, {hash_name}", lambda: secrets_python(*told), lambda: secrets_ours(*told))  # noqa: B023
        yield _case(
            f"Finished, {hash_name}",
            lambda: _finished_python(hash_name, base, told[1]),  # noqa: B023
            lambda: key.mac(told[1]),  # noqa: B023
        )
    records = b"".join(b"\x17\x03\x03" + size.to_bytes(2, "big") + bytes(size) for size in (64, 512, 4096, 16, 900))
    yield _case("record framing, 5 records", lambda: _frames_python(records), lambda: _frames_ours(records))
    hello = _hello(files)
    yield _case("ClientHello parse", lambda: _hello_python(hello), lambda: _hello_ours(hello))
