"""Every main case takes the instructions that were recorded, within 5%: see instructions.py."""

from __future__ import annotations

import pytest

from benchmarks import instructions
from benchmarks.conftest import missing
from benchmarks.counted import CASES


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
        if instructions.wanted():
            missing(f"the record is of cryptography {instructions.wanted()}, which is not installed")
        pytest.skip(f"nothing is recorded for {here}; make record-instructions records it")
    assert not off, off
    assert set(counted) == set(records[here])


def test_a_count_is_compared_with_its_record_both_ways() -> None:
    record = {"more": 1000, "less": 1000, "same": 1000}
    lines, off = instructions.report({"more": 1051, "less": 949, "same": 1049, "new": 5}, record)
    assert len(lines) == 4
    assert [line.partition(":")[0] for line in off] == ["more", "less"]


def test_every_record_has_every_case() -> None:
    for record in instructions.recorded().values():
        assert set(record) == {case.name for case in CASES}
