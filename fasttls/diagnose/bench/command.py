"""`python -m fasttls bench`: measure, and print a table."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fasttls.diagnose.bench.cases import Files, Suite
from fasttls.diagnose.bench.libraries import Library
from fasttls.diagnose.bench.rounds import Result, run


def line_of(result: Result) -> str:
    """Return a result as a line of a terminal."""
    goal = "" if result.goal is None else f"{result.goal:.2f}"
    met = {None: "", True: "met", False: "not"}[result.met]
    cells = (f"{result.best:.1f}", f"{result.median:.1f}", f"{result.ratio:.3f}", f"{result.best_ratio:.3f}", goal, met)
    return f"{result.case:<42}{result.contender:<24}" + "".join(f"{cell:>10}" for cell in cells)


def run_quick(only: str = "", rounds: int = 60, peers: Iterable[Library] = ()) -> None:
    """Print the rows that have goals; only those whose case contains a text."""
    heads = ("best µs", "median µs", "ratio", "of best", "goal", "")
    print(f"{ssl.OPENSSL_VERSION}\n{'':<66}" + "".join(f"{head:>10}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        for case in Suite(Files(Path(folder)), peers).quick(only):
            for result in run(case, rounds):
                print(line_of(result), flush=True)
