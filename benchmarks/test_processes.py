"""Import time, default contexts and memory, in processes of their own; servers on loopback; two threads."""

from __future__ import annotations

import pytest

from benchmarks import guards
from fasttls.diagnose.bench import command, processes, sockets
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.report import Report


def _say(*figures: processes.Measured) -> None:
    for one in figures:
        theirs = "" if one.theirs is None else f", ssl {one.theirs:.2f} {one.unit}, ratio {one.ratio:.4f}"
        print(f"\n{one.name}: {one.ours:.2f} {one.unit}{theirs}", end="")


def test_import(report: Report) -> None:
    found = processes.import_time()
    report.measured.append(found)
    _say(found)
    assert found.ours > 0


def test_default_contexts(report: Report) -> None:
    if not processes.on_linux():
        pytest.skip("the memory of a process is read from /proc, which is not here")
    first, whole, following, memory = processes.contexts()
    report.measured += [first, whole, following, memory]
    _say(first, whole, following, memory)
    assert first.ratio is not None
    assert following.ratio is not None
    assert first.ratio <= guards.FIRST_CONTEXT
    assert following.ratio <= guards.NEXT_CONTEXT
    assert memory.theirs is not None
    assert memory.ours < memory.theirs


def test_first_handshake(report: Report, files: Files) -> None:
    found = processes.first_handshake(files["P-256"])
    report.measured.append(found)
    _say(found)
    assert found.ratio is not None
    assert found.ratio <= guards.FIRST_HANDSHAKE


def test_idle_connections(report: Report, files: Files) -> None:
    if not processes.on_linux():
        pytest.skip("the memory of a process is read from /proc, which is not here")
    found = processes.idle_memory(files["P-256"])
    report.measured.append(found)
    _say(found)
    assert found.theirs is not None
    assert found.ours < found.theirs
    assert found.ours <= guards.IDLE_KIB


def test_servers_on_loopback(report: Report, files: Files) -> None:
    report.servers = sockets.server_rates(files["P-256"])
    for kind, served in report.servers.items():
        for library, one in served.items():
            print(f"\n{kind}, {library}: {one.per_second:.0f} handshakes/s, {one.cpu:.0f} µs of its CPU each", end="")
            assert one.per_second > 10


def test_two_threads(report: Report, files: Files) -> None:
    report.scaling = command.scaling(files)
    for name, one in report.scaling.items():
        print(f"\n{name}: {one.one:.0f} handshakes/s by one thread, {one.two:.0f} by two", end="")
        # How they scale is the machine's and its neighbours' affair; that two do not stand in each other's way is ours.
        assert one.two > one.one / 3
