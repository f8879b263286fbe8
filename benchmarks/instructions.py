"""Instructions that the main cases take, against what was recorded: a guard that noise cannot blind.

    python benchmarks/instructions.py            count and compare; the status is 1 when a case is off its record
    python benchmarks/instructions.py --record   count, and record it for this environment
    python benchmarks/instructions.py --wanted   print the version of `cryptography` that this compares with

Callgrind counts the instructions of the whole process, Python and `cryptography` included. A record is for one version
of either, and for one kind of processor: what valgrind offers of it decides which code OpenSSL chooses. The steps that
are done 2N times take N steps more than those that are done N times; the difference leaves out what is not theirs. Keys
and signatures are drawn anew each time, which changes a count by a few thousandths. A case that takes less than its
record is off it too: what it gained could be lost again unseen. An environment without a record is not compared.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RECORDS = HERE / "instructions.json"
LIMIT = 0.05


class CannotCount(Exception):
    """There is no way to count here; the message says why."""


def environment(cryptography: str = "") -> str:
    """Return what a record is for: here, with the version of `cryptography` that is here or another one."""
    cryptography = cryptography or importlib.metadata.version("cryptography")
    python = ".".join(platform.python_version_tuple()[:2])
    machine = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    flags = set(cpuinfo.read_text().split()) if cpuinfo.exists() else set()
    kind = "+".join(flag for flag in ("avx2", "bmi2", "aes") if flag in flags)
    return f"Python {python}, cryptography {cryptography}, {machine} {kind}".rstrip()


def wanted() -> str:
    """Return the version of `cryptography` that there is a record of for this Python and processor, "" for none."""
    versions = (name.partition("cryptography ")[2].partition(",")[0] for name in recorded())
    return next((version for version in versions if environment(version) in recorded()), "")


def count() -> dict[str, int]:
    """Return the instructions of one step of each case. Raises CannotCount."""
    for program in ("valgrind", "vgdb"):
        if shutil.which(program) is None:
            raise CannotCount(f"{program} is not here; benchmarks/install_tools.sh installs it")
    sys.path.insert(0, str(HERE.parent))
    from benchmarks.counted import CASES

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        done = subprocess.run(
            [*command, sys.executable, str(HERE / "counted.py"), folder],
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(HERE.parent), "PYTHONDONTWRITEBYTECODE": "1"},
        )
        if done.returncode != 0:
            raise CannotCount(f"valgrind failed: {done.stderr[-2000:]}")
        totals = [_total(out.with_name(f"out.{number + 1}")) for number in range(2 * len(CASES))]
    once, twice = totals[::2], totals[1::2]
    return {case.name: (b - a) // case.times for case, a, b in zip(CASES, once, twice, strict=True)}


def _total(path: Path) -> int:
    found = re.search(r"^totals: (\d+)$", path.read_text(), re.MULTILINE)
    if found is None:
        raise CannotCount(f"{path.name} has no total")
    return int(found[1])


def recorded() -> dict[str, dict[str, int]]:
    """Return the records, by environment."""
    records: dict[str, dict[str, int]] = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    return records


def report(counted: dict[str, int], record: dict[str, int]) -> tuple[list[str], list[str]]:
    """Return a line for each case, and one for each that is further from its record than is allowed."""
    lines, off = [], []
    for name, instructions in counted.items():
        line = f"{name:<28}{instructions:>12,}"
        if name in record:
            change = instructions / record[name] - 1
            line += f"{record[name]:>14,}{100 * change:>+9.1f}%"
            if abs(change) > LIMIT:
                more = (
                    f"{100 * LIMIT:.0f}% more are allowed" if change > 0 else "make record-instructions keeps the gain"
                )
                off.append(f"{name}: {100 * change:+.1f}% instructions; {more}")
        lines.append(line)
    return lines, off


def main() -> int:
    """Count, and compare or record."""
    parser = argparse.ArgumentParser(description="Count the instructions of the main cases.")
    parser.add_argument("--record", action="store_true", help="record the counts for this environment")
    parser.add_argument(
        "--wanted", action="store_true", help="print the version of `cryptography` that is compared with"
    )
    options = parser.parse_args()
    if options.wanted:
        print(wanted())
        return 0
    try:
        counted = count()
    except CannotCount as exc:
        print(exc, file=sys.stderr)
        return 2
    here, records = environment(), recorded()
    print(f"instructions a step; {here}")
    lines, off = report(counted, records.get(here, {}))
    print("\n".join(lines))
    if options.record:
        records[here] = counted
        RECORDS.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n")
        return 0
    if here not in records:
        print("nothing is recorded for this environment: not compared (make record-instructions records it)")
    for line in off:
        print(line, file=sys.stderr)
    return 1 if off else 0


if __name__ == "__main__":
    sys.exit(main())
