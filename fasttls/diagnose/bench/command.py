"""`python -m fasttls bench`: measure, and print a table."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from fasttls.diagnose.bench.cases import Files, quick
from fasttls.diagnose.bench.rounds import Result, run


def _row(result: Result) -> str:
    goal = "" if result.goal is None else f"{result.goal:.2f}"
    met = {None: "", True: "met", False: "not"}[result.met]
    cells = (
        f"{result.best:.1f}",
        f"{result.median:.1f}",
        f"{result.ratio:.3f}",
        f"{result.median_ratio:.3f}",
        goal,
        met,
    )
    return f"{result.case:<44}{result.contender:<16}" + "".join(f"{cell:>10}" for cell in cells)


def run_quick(only: str = "", rounds: int = 60) -> None:
    """Print the rows that have goals; only those whose case contains a text."""
    heads = ("best µs", "median µs", "ratio", "of medians", "goal", "")
    print(f"{ssl.OPENSSL_VERSION}\n{'':<60}" + "".join(f"{head:>10}" for head in heads))
    with tempfile.TemporaryDirectory() as folder:
        for case in quick(Files(Path(folder))):
            if only in case.name:
                for result in run(case, rounds):
                    print(_row(result), flush=True)
