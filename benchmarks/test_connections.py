"""Handshakes and data over memory, each case in turns with `ssl` and every other library that can do it."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import need
from benchmarks.guards import GUARDS
from fasttls.diagnose.bench.cases import OURS, WARM, Files, Suite
from fasttls.diagnose.bench.ends import connect, pair_of, take_tickets
from fasttls.diagnose.bench.libraries import FASTTLS, PEERS, SSL, Library, Setting
from fasttls.diagnose.bench.report import Report
from fasttls.diagnose.bench.rounds import Case, Turns, run


@pytest.mark.parametrize("name", list(Suite(Files(None), ()).plans()))
def test_beside_other_libraries(
    benchmark: BenchmarkFixture, name: str, suite: Suite, report: Report, rounds: int
) -> None:
    """pytest-benchmark times our turns, what they assert included; between two of them the others have theirs."""
    case = Case(name, suite.plans()[name]())
    ours = WARM if WARM in [contender.name for contender in case.contenders] else OURS
    benchmark.group = name
    turns = Turns(case)
    with turns:
        benchmark.pedantic(turns.own, (ours,), setup=lambda: turns.round(but=ours), rounds=rounds)
    results = turns.results()
    report.results += results
    benchmark.extra_info.update({result.contender: round(result.ratio, 3) for result in results})
    print(f"\n{name}: " + ", ".join(f"{result.contender} {result.ratio:.2f}" for result in results), end="")
    for result in results:
        limit = GUARDS.get((name, result.contender))
        assert limit is None or result.ratio <= limit, f"{result.contender} takes {result.ratio:.2f} of ssl's time"


@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_every_peer_took_part(peer: Library, suite: Suite, report: Report) -> None:
    need(peer)
    assert any(result.contender.startswith(peer.name) for result in report.results), suite.notes.get(peer.name)


@pytest.mark.parametrize("version", ["TLSv1.3", "TLSv1.2"])
def test_resuming_is_worth_it(suite: Suite, version: str) -> None:
    """A resumed handshake, beside a full one of fasttls."""
    full = suite.full(version, "P-256")[1]._replace(name="full")
    resumed = suite.resumption(version, with_next=True)[0]
    ratio = run(Case("resuming", [full, resumed]), 40)[1].ratio
    print(f"\n{version}: a resumed handshake takes {ratio:.2f} of a full one", end="")
    assert ratio < 1


@pytest.mark.parametrize("library", [FASTTLS, SSL], ids=lambda library: library.name)
def test_a_session_of_tls13_is_a_new_one_each_time(library: Library, files: Files) -> None:
    pair = pair_of(library, library, files["P-256"], Setting())
    ids, session = [], None
    for _ in range(5):
        client, _ = connect(pair, session)
        take_tickets(client)
        session = client.session
        ids.append(session.id)
    assert len(set(ids)) == 5
