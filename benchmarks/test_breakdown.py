"""Where the CPU time of a full handshake goes."""

from __future__ import annotations

import pytest

from fasttls.diagnose.bench import command
from fasttls.diagnose.bench.breakdown import FLOOR, STATE, WIRE
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.report import Report


def test_the_parts_are_the_whole(report: Report, files: Files) -> None:
    report.bars = command.bars(files)
    for bar in report.bars:
        parts = ", ".join(f"{part} {value:.0f}" for part, value in bar.parts.items())
        print(f"\n{bar.name}: {bar.whole:.0f} µs: {parts}", end="")
        assert bar.whole == pytest.approx(sum(bar.parts.values()))
        assert 0 < bar.parts[FLOOR] < bar.whole
        assert bar.parts[STATE] + bar.parts[WIRE] > 0
