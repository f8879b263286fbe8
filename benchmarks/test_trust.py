"""Contexts and certificates: making a default context, what another one costs in memory, validating a chain of two."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from types import ModuleType

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.contexts import LIBRARIES
from fasttls import trust
from fasttls.diagnose.authority import DemoFiles
from fasttls.trust.path import Policy, verify_chain
from fasttls.trust.store import read_file

# Printed by a process of its own: CPU seconds of the first default context, and bytes that each of 40 more adds.
_FIRST = """
import {library} as library, gc, resource, sys, time
started = time.thread_time()
first = library.create_default_context()
seconds = time.thread_time() - started
assert first.verify_mode == library.CERT_REQUIRED and first.check_hostname
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
kept = [library.create_default_context() for _ in range(10)]
gc.collect()
before = resident()
kept += [library.create_default_context() for _ in range(40)]
print(seconds, (resident() - before) / 40)
"""


@LIBRARIES
def test_default_context(benchmark: BenchmarkFixture, library: ModuleType) -> None:
    benchmark.group = "create_default_context(), not the first of the process"
    context = benchmark(library.create_default_context)
    assert context.verify_mode == library.CERT_REQUIRED
    assert context.check_hostname


def test_first_default_context_and_memory() -> None:
    found: dict[str, list[tuple[float, float]]] = {"fasttls": [], "ssl": []}
    for _ in range(5):
        for library, measured in found.items():
            command = [sys.executable, "-W", "ignore", "-c", _FIRST.format(library=library)]
            seconds, size = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
            measured.append((float(seconds), float(size)))
    first = {library: min(seconds for seconds, _ in measured) for library, measured in found.items()}
    size = {library: sorted(size for _, size in measured)[2] for library, measured in found.items()}
    print(f"\n{'':<34}{'fasttls':>12}{'ssl':>12}{'ratio':>8}")
    for name, values, unit in (
        ("first default context", first, 1e-3),
        ("memory of each further context", size, 1024),
    ):
        ours, theirs = values["fasttls"] / unit, values["ssl"] / unit
        label = "ms" if unit < 1 else "KiB"
        print(f"{name + ', ' + label:<34}{ours:>12.2f}{theirs:>12.2f}{ours / theirs:>8.3f}")
    assert first["fasttls"] < first["ssl"]
    assert size["fasttls"] < size["ssl"]


def _best(call: Callable[[], object], times: int) -> float:
    """Return the least CPU time of a call in µs, of several rounds."""
    rounds = []
    for _ in range(7):
        started = time.thread_time_ns()
        for _ in range(times):
            call()
        rounds.append((time.thread_time_ns() - started) / times / 1000)
    return min(rounds)


@pytest.mark.filterwarnings("ignore")
def test_validation_of_two_certificates(files: DemoFiles) -> None:
    chain = read_file(files.chain)
    store = trust.TrustStore()
    for der in read_file(files.root):
        store.add(der)

    def validate() -> tuple[trust.Certificate, ...]:
        # As a default context of Python 3.13 does.
        policy = Policy(trust.Purpose.SERVER_AUTH, time.time(), "localhost", partial_chain=True, strict=True)
        return verify_chain(chain, store, policy)

    def validate_anew() -> tuple[trust.Certificate, ...]:
        trust.CERTIFICATES.clear()
        trust.SIGNATURES.clear()
        return validate()

    path = validate()
    assert [one.der for one in path[:2]] == chain
    keys = [one.public_key.key for one in path]

    def signatures() -> None:
        # With keys that are loaded; loading that of the intermediate is a part of validating, and not in here.
        for one, key in zip(path, keys[1:], strict=False):
            assert one.signed_with.verify(key, one.signature, one.tbs)

    cold, warm, alone = _best(validate_anew, 100), _best(validate, 1000), _best(signatures, 100)
    key = _best(lambda: path[0].x509.public_key(), 1000)
    print(
        f"\nvalidating 2 certificates, µs: cold {cold:.1f}, of which signatures {alone:.1f}, keys {2 * key:.1f}; ",
        end="",
    )
    print(f"beyond the signatures {cold - alone:.1f}; warm {warm:.1f}")
    assert warm < cold
