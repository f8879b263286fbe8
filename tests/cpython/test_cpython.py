"""CPython's own tests, from the interpreter that runs: what passes with the standard library passes with fasttls."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from cpython.differences import DIFFERENCES

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parents[2]

MODULES = {
    "test_ssl": 120,
    "test_asyncio.test_ssl": 20,
    "test_imaplib": 30,
    "test_ftplib": 30,
    "test_poplib": 30,
    "test_asyncio.test_sslproto": 15,
    "test_asyncio.test_events": 20,
    "test_httplib": 8,
    "test_asyncio.test_streams": 3,
    "test_urllib2_localnet": 3,
    "test_logging": 1,
}
"""The modules, those that take longest first, and how many tests of each must pass with `ssl` at the least."""

AT_A_TIME = 4  # processes; they wait more than they work
SECONDS = 400.0  # for one module

Outcomes = dict[str, tuple[str, str]]


class Ran(NamedTuple):
    """What became of the tests of one module, with either library."""

    plain: Outcomes
    ours: Outcomes


def _run(module: str, library: str, folder: Path, names: tuple[str, ...] = ()) -> Outcomes:
    """Run a module's tests in a process of its own; return what became of each, and why."""
    work = folder / f"{module}-{library}-{'again' if names else 'once'}"
    work.mkdir()
    results = work / "results.jsonl"
    paths = (str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")]))
    dropped = ("SSLKEYLOGFILE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PYTHONWARNINGS")
    environment = {name: value for name, value in os.environ.items() if name not in dropped}
    command = [sys.executable, str(CHILD), module, library, str(results), *names]
    try:
        done = subprocess.run(
            command,
            cwd=work,
            env={**environment, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
        ending = f"exit code {done.returncode}\n{done.stderr[-3000:].decode(errors='replace')}"
        failed = done.returncode != 0
    except subprocess.TimeoutExpired:
        ending, failed = f"not done in {SECONDS} s", True
    found: Outcomes = {}
    if results.exists():
        for line in results.read_text(encoding="utf-8").splitlines():
            name, outcome, why = json.loads(line)
            found[name] = outcome, why
    if failed:
        found["the process"] = "failed", ending
    return found


def _run_twice(module: str, library: str, folder: Path) -> Outcomes:
    """Run a module's tests, and those that fail again and alone: they have times that a busy machine does not keep."""
    found = _run(module, library, folder)
    failed = tuple(name for name, (outcome, _) in found.items() if outcome in ("failed", "hangs"))
    known = tuple(name for name in failed if name not in DIFFERENCES and name.startswith("test."))
    if known and "the process" not in failed:
        found |= _run(module, library, folder, known)
    return found


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Future[Outcomes], Future[Outcomes]]]]:
    if importlib.util.find_spec("test") is None or importlib.util.find_spec("test.test_ssl") is None:
        reason = f"{sys.executable} was installed without CPython's own tests"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("cpython")
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            module: (pool.submit(_run_twice, module, "fasttls", folder), pool.submit(_run_twice, module, "ssl", folder))
            for module in MODULES
        }


@pytest.mark.parametrize("module", MODULES)
def test_what_passes_with_ssl_passes_with_fasttls(
    module: str, running: dict[str, tuple[Future[Outcomes], Future[Outcomes]]]
) -> None:
    ours, plain = (future.result() for future in running[module])
    passing = [name for name, (outcome, _) in plain.items() if outcome == "passed"]
    assert len(passing) >= MODULES[module], f"{len(passing)} tests of {module} pass with ssl: {plain}"
    failures = {
        name: ours.get(name, ("not run", ours.get("the process", ("", ""))[1]))
        for name in passing
        if ours.get(name, ("not run",))[0] != "passed"
    }
    unknown = [f"{name} {outcome}: {why}" for name, (outcome, why) in failures.items() if name not in DIFFERENCES]
    assert not unknown, "\n\n".join(unknown)
    stale = [name for name in DIFFERENCES if name in passing and name not in failures]
    assert not stale, f"these pass now: {stale}"


def test_every_difference_has_a_reason_and_a_test_of_these_modules() -> None:
    modules = tuple(f"test.{module}." for module in MODULES)
    for name, reason in DIFFERENCES.items():
        assert name.startswith(modules)
        assert len(reason.split()) > 5
