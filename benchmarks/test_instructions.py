"""No main case takes 5% more instructions than was recorded: see instructions.py."""

from __future__ import annotations

import pytest

from benchmarks import instructions
from benchmarks.conftest import missing


def test_no_main_case_takes_more_instructions_than_recorded() -> None:
    try:
        counted = instructions.count()
    except instructions.CannotCount as exc:
        missing(str(exc))
        raise
    here, records = instructions.environment(), instructions.recorded()
    lines, over = instructions.report(counted, records.get(here, {}))
    print(f"\ninstructions a step; {here}", *lines, sep="\n")
    if here not in records:
        pytest.skip(f"nothing is recorded for {here}; make record-instructions records it")
    assert not over, over
    assert set(counted) == set(records[here])
