"""The key schedule, Finished, record framing and a ClientHello, beside the same in plain Python."""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.micro import NAMES, cases
from fasttls.diagnose.bench.report import Report
from fasttls.diagnose.bench.rounds import Turns


@pytest.mark.parametrize("name", NAMES)
def test_beside_python(benchmark: BenchmarkFixture, name: str, files: Files, report: Report, rounds: int) -> None:
    case = next(case for case in cases(files) if case.name == name)
    benchmark.group = name
    turns = Turns(case)
    with turns:
        benchmark.pedantic(turns.own, ("fasttls",), setup=lambda: turns.round(but="fasttls"), rounds=rounds)
    report.micro += turns.results()
    ratio = turns.results()[1].ratio
    print(f"\n{name}: {ratio:.2f} of plain Python's", end="")
    # A ClientHello's extensions are read and checked here, where the other one finds their types.
    assert ratio < (2 if name.startswith("ClientHello") else 1)
