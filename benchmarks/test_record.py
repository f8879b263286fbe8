"""Record throughput over memory: a mebibyte from one end to the other, against the standard library's ssl."""

from __future__ import annotations

import ssl
from types import ModuleType

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.contexts import LIBRARIES, contexts
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.measure import handshake

MEBIBYTE = bytes(1 << 20)


def carry(sender: ssl.SSLObject, receiver: ssl.SSLObject, piece: int) -> int:
    """Send a mebibyte in pieces, read it on the other side, and return how many bytes arrived."""
    view, received = memoryview(MEBIBYTE), 0
    for start in range(0, len(view), piece):
        sender.write(view[start : start + piece])
        received += len(receiver.read(piece))
    return received


@LIBRARIES
@pytest.mark.parametrize("piece", [16384, 1024], ids=["16 KiB records", "1 KiB records"])
def test_throughput(benchmark: BenchmarkFixture, library: ModuleType, piece: int, files: DemoFiles) -> None:
    benchmark.group = f"1 MiB sealed and opened, {piece}-byte records"
    client, server = handshake(*contexts(library, files), "localhost")
    assert client.cipher() == server.cipher()
    assert client.cipher()[0] == "TLS_AES_256_GCM_SHA384"
    assert benchmark(carry, server, client, piece) == len(MEBIBYTE)
