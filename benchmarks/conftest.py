"""One set of certificates and one report for every benchmark; the report is written when they are done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fasttls.diagnose.bench.cases import Files, Suite
from fasttls.diagnose.bench.libraries import Library
from fasttls.diagnose.bench.report import Report


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=60, help="rounds of each case (60)")
    parser.addoption("--report", type=Path, default=Path("build/bench"), help="folder of the report (build/bench)")


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> int:
    """Return how many rounds a case has."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return certificates of every kind, made when they are first asked for."""
    return Files(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def suite(files: Files) -> Suite:
    """Return what makes the cases, with every peer that is installed."""
    return Suite(files)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest, suite: Suite) -> Iterator[Report]:
    """Return the report, which is written at the end."""
    made = Report()
    yield made
    made.notes = suite.notes
    for path in made.write(request.config.getoption("--report")):
        print(f"\n{path}", end="")


def missing(what: str) -> None:
    """Skip for want of a program or package, or fail in CI, where everything must be there."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def need(peer: Library) -> None:
    """Skip without a peer; fail in CI."""
    if peer.missing():
        missing(f'{peer.name} is not installed; pip install "fasttls[bench]" installs the peers')
