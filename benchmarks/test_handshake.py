"""A full handshake of either version, both sides in one process over memory, against the standard library's ssl."""

from __future__ import annotations

from types import ModuleType

from pytest_benchmark.fixture import BenchmarkFixture

import fasttls
from benchmarks.contexts import LIBRARIES, VERSIONS, contexts
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.measure import cpu_seconds, handshake


@VERSIONS
@LIBRARIES
def test_full_handshake_p256(benchmark: BenchmarkFixture, library: ModuleType, files: DemoFiles, version: str) -> None:
    benchmark.group = f"full handshake, {version}, P-256 certificates and key exchange"
    client, server = benchmark(handshake, *contexts(library, files, version=version), "localhost")
    assert client.version() == server.version() == version
    assert client.getpeercert()["subjectAltName"][0] == ("DNS", "localhost")


@LIBRARIES
def test_full_handshake_default_groups(benchmark: BenchmarkFixture, library: ModuleType, files: DemoFiles) -> None:
    benchmark.group = "full handshake, TLSv1.3, P-256 certificates, each library's own choice of key exchange"
    client, server = benchmark(handshake, *contexts(library, files, None), "localhost")
    assert client.version() == server.version() == "TLSv1.3"


@LIBRARIES
def test_default_context(benchmark: BenchmarkFixture, library: ModuleType) -> None:
    benchmark.group = "create_default_context()"
    context = benchmark(library.create_default_context)
    assert context.verify_mode is library.CERT_REQUIRED
    assert context.check_hostname


@VERSIONS
def test_full_handshake_is_no_slower_than_ssl(files: DemoFiles, version: str) -> None:
    """Compare in turns, so that a busy moment of the machine is nobody's disadvantage; the best of each counts."""
    import ssl

    ours, theirs = (contexts(library, files, version=version) for library in (fasttls, ssl))
    best_ours = best_theirs = float("inf")
    for _ in range(60):
        best_ours = min(best_ours, cpu_seconds(*ours, "localhost", 5))
        best_theirs = min(best_theirs, cpu_seconds(*theirs, "localhost", 5))
    ratio = best_ours / best_theirs
    print(
        f"\nfull handshake, P-256: fasttls {1e6 * best_ours:.0f} µs, ssl {1e6 * best_theirs:.0f} µs, ratio {ratio:.2f}"
    )
    assert ratio <= 1
