"""The report of a run: Markdown, JSON, and plots."""

from __future__ import annotations

import datetime
import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fasttls.diagnose.bench import svg
from fasttls.diagnose.bench.breakdown import Bar
from fasttls.diagnose.bench.libraries import FASTTLS, PEERS, SSL
from fasttls.diagnose.bench.processes import Measured
from fasttls.diagnose.bench.rounds import Result
from fasttls.diagnose.bench.sockets import Scaling, Served

WORDS = {None: "", True: "met", False: "not met"}


@dataclass
class Report:
    """What a run measured."""

    results: list[Result] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    micro: list[Result] = field(default_factory=list)
    servers: dict[str, dict[str, Served]] = field(default_factory=dict)
    scaling: dict[str, Scaling] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)
    notes: dict[str, set[str]] = field(default_factory=dict)
    """What a library could not be compared in."""

    def write(self, folder: Path) -> list[Path]:
        """Write every form of the report into a folder, and return the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "report.md": self.markdown(),
            "report.json": json.dumps(self.as_json(), indent=2) + "\n",
            "ratios.svg": self.ratio_plot(),
            "breakdown.svg": self.breakdown_plot(),
        }
        for name, text in files.items():
            (folder / name).write_text(text)
        return [folder / name for name in files]

    def markdown(self) -> str:
        """Return the tables."""
        lines = ["# fasttls beside other libraries", "", *(f"- {line}" for line in machine()), ""]
        lines += ["CPU time of the thread; a ratio is the median of the rounds' own, `ssl` = 1.", ""]
        lines += ["## Goals", "", *_table(("what", "goal", "measured", ""), self._goals())]
        if self.results:
            lines += ["", "## Connections over memory", "", *_table(_HEADS, map(_cells, self.results))]
        if self.measured:
            rows = [
                (one.name, f"{one.ours:.2f} {one.unit}", _number(one.theirs, f" {one.unit}"), _number(one.ratio))
                for one in self.measured
            ]
            lines += ["", "## Processes", "", *_table(("", "fasttls", "ssl", "ratio"), rows)]
        if self.servers:
            lines += ["", "## Servers on loopback", ""]
            lines += _table(("", "library", "handshakes/s", "server's CPU, µs each"), self._server_rows())
        if self.scaling:
            rates = [
                (name, f"{one.one:.0f}", f"{one.two:.0f}", f"{one.two / one.one:.2f}")
                for name, one in self.scaling.items()
            ]
            lines += ["", "## Two threads, handshakes a second", ""]
            lines += _table(("", "one thread", "two threads", "scales by"), rates)
        if self.micro:
            lines += ["", "## Parts, beside plain Python", "", *_table(_HEADS, map(_cells, self.micro))]
        if self.bars:
            wholes = [
                (bar.name, f"{bar.whole:.0f}", ", ".join(f"{part} {value:.0f}" for part, value in bar.parts.items()))
                for bar in self.bars
            ]
            lines += ["", "## Where the time of a full handshake goes, µs", "", *_table(("", "whole", "parts"), wholes)]
        if self.notes:
            lines += ["", "## Not compared", ""]
            lines += [f"- {name}: {'; '.join(sorted(reasons))}" for name, reasons in sorted(self.notes.items())]
        return "\n".join(lines) + "\n"

    def _goals(self) -> Iterable[Sequence[str]]:
        for one in self.results:
            if one.goal is not None:
                yield f"{one.case}; {one.contender}", f"≤ {one.goal}", f"{one.ratio:.3f}", WORDS[one.met]
        for figure in self.measured:
            if figure.goal is not None:
                value = figure.ratio if figure.goal_is_ratio else figure.ours
                unit = "" if figure.goal_is_ratio else f" {figure.unit}"
                yield figure.name, f"≤ {figure.goal}{unit}", _number(value, unit), WORDS[figure.met]

    def _server_rows(self) -> Iterable[Sequence[str]]:
        for kind, served in self.servers.items():
            for library, one in served.items():
                yield kind, library, f"{one.per_second:.0f}", f"{one.cpu:.0f}"

    def as_json(self) -> dict[str, object]:
        """Return everything as what JSON can hold."""
        plain = asdict(self)
        return {
            "machine": machine(),
            "results": [{**one._asdict(), "met": one.met} for one in self.results],
            "measured": [{**one._asdict(), "ratio": one.ratio, "met": one.met} for one in self.measured],
            "micro": [one._asdict() for one in self.micro],
            "servers": {kind: {name: one._asdict() for name, one in of.items()} for kind, of in self.servers.items()},
            "scaling": {name: one._asdict() for name, one in self.scaling.items()},
            "breakdown": [one._asdict() for one in self.bars],
            "notes": {name: sorted(reasons) for name, reasons in plain["notes"].items()},
        }

    def ratio_plot(self) -> str:
        """Return the bars of each case, with every library that took part."""
        groups: dict[str, list[svg.Ratio]] = {}
        for one in self.results:
            groups.setdefault(one.case, []).append(svg.Ratio(one.contender, one.ratio, one.goal))
        return svg.ratios("CPU time beside ssl = 1", f"{SSL.version()}; shorter is faster; red: the goal", groups)

    def breakdown_plot(self) -> str:
        """Return the bars of where the time goes."""
        bars: Mapping[str, Mapping[str, float]] = {bar.name: bar.parts for bar in self.bars}
        return svg.stacked("Where the CPU time of a full handshake goes", "both sides, µs", bars, "µs")


_HEADS = ("case", "", "best µs", "median µs", "ratio", "goal", "")


def _cells(one: Result) -> Sequence[str]:
    numbers = (f"{one.best:.1f}", f"{one.median:.1f}", f"{one.ratio:.3f}")
    return (one.case, one.contender, *numbers, _number(one.goal), WORDS[one.met])


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.3g}{unit}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(heads), _row(["---"] * len(heads)), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def machine() -> list[str]:
    """Return the machine and the versions that a run is of, a line each."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        processor = names[0] if names else processor
    return [
        f"{datetime.datetime.now(datetime.UTC).date()}; {platform.system()} {platform.machine()}, {processor}, "
        f"{os.cpu_count()} processors",
        f"Python {platform.python_version()}; ssl: {SSL.version()}",
        f"fasttls {FASTTLS.version()}",
        *(f"{peer.name} {peer.version()}" for peer in PEERS if not peer.missing()),
        *(f"{peer.name} is not installed" for peer in PEERS if peer.missing()),
    ]
