"""Where the CPU time of a full handshake goes."""

from __future__ import annotations

from fasttls.diagnose.bench import command
from fasttls.diagnose.bench.breakdown import FLOOR, LAYERS, RECORD, SCHEDULE, WIRE
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.report import Report


def test_the_parts_are_the_whole(report: Report, files: Files) -> None:
    report.bars = command.bars(files)
    for bar in report.bars:
        parts = ", ".join(f"{part} {value:.0f}" for part, value in bar.parts.items())
        print(f"\n{bar.name}: {bar.whole:.0f} µs: {parts}", end="")
        assert tuple(bar.parts) == LAYERS
        assert all(bar.parts[layer] > 0 for layer in (SCHEDULE, WIRE, RECORD))
        # As much of it as is known to be: less would be a part that was not measured.
        assert 0.1 * bar.whole < bar.parts[FLOOR] < 0.9 * bar.whole
