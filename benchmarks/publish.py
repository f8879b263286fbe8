"""Put the figures of a run into the README, and its plots into docs/.

    python benchmarks/publish.py [build/bench]     after make bench

The figures stand between two marks in the README; what they say is the run's.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- figures of a run: benchmarks/publish.py -->", "<!-- end of the figures -->"
PLOTS = ("ratios.svg", "breakdown.svg")


def figures(run: dict[str, Any]) -> str:
    """Return the figures of a run as Markdown."""
    lines = [f"{'; '.join(run['machine'])}.", "", "| CPU time, `ssl` = 1 | cold | warm | goals | other libraries |"]
    lines += ["|---|---|---|---|---|", *_connections(run["results"])]
    lines += ["", "| | fasttls | `ssl` | goal |", "|---|---|---|---|"]
    for one in run["measured"]:
        theirs = "" if one["theirs"] is None else f"{one['theirs']:.3g} {one['unit']}"
        of = "of `ssl`'s" if one["goal_is_ratio"] else one["unit"]
        goal = "" if one["goal"] is None else f"≤ {one['goal']:g} {of}"
        lines.append(f"| {one['name']} | {one['ours']:.3g} {one['unit']} | {theirs} | {goal} |")
    for kind, served in run["servers"].items():
        ours, theirs = (f"{served[name]['cpu']:.0f} µs" for name in ("fasttls", "ssl"))
        lines.append(f"| {kind}, its CPU time a handshake | {ours} | {theirs} | |")
    return "\n".join(lines)


def _connections(results: list[dict[str, Any]]) -> Iterator[str]:
    for case in dict.fromkeys(one["case"] for one in results):
        rows = {one["contender"]: one for one in results if one["case"] == case}
        cold, warm = rows.get("fasttls, cold"), rows.get("fasttls, warm", rows.get("fasttls"))
        assert warm is not None
        goals = " / ".join(f"{one['goal']:g}" for one in (cold, warm) if one is not None and one["goal"] is not None)
        others = [name for name in rows if name != "ssl" and not name.startswith("fasttls")]
        beside = "; ".join(f"{name} {rows[name]['ratio']:.2f}" for name in others)
        shown = "" if cold is None else f"{cold['ratio']:.2f}"
        yield f"| {case} | {shown} | {warm['ratio']:.2f} | {goals} | {beside} |"


def main(folder: Path) -> None:
    """Write the figures."""
    readme = ROOT / "README.md"
    before, begin, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    assert begin, "the README has lost its mark"
    assert end, "the README has lost its mark"
    run = json.loads((folder / "report.json").read_text())
    readme.write_text(f"{before}{BEGIN}\n{figures(run)}\n{END}{after}")
    for name in PLOTS:
        shutil.copyfile(folder / name, ROOT / "docs" / name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench"))
