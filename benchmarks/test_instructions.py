"""Every main case takes the instructions that were recorded, within 5%: see instructions.py."""

from __future__ import annotations

import pytest

from benchmarks import instructions
from benchmarks.conftest import missing


def test_the_main_cases_take_the_instructions_that_were_recorded() -> None:
    try:
        counted = instructions.count()
    except instructions.CannotCount as exc:
        missing(str(exc))
        raise
    here, records = instructions.environment(), instructions.recorded()
    lines, off = instructions.report(counted, records.get(here, {}))
    print(f"\ninstructions a step; {here}", *lines, sep="\n")
    if here not in records:
        pytest.skip(f"nothing is recorded for {here}; make record-instructions records it")
    assert not off, off
    assert set(counted) == set(records[here])
