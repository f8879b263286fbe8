"""What benchmarks/instructions.py runs under callgrind: each case for N steps and for 2N, with a count of each.

    valgrind --tool=callgrind … python benchmarks/counted.py FOLDER

Certificates are made in FOLDER. Callgrind begins to count when the cases are set up, since what comes before, imports
above all, takes longer than they do. It writes its counters down behind each run; valgrind's own `vgdb` tells it to.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from fasttls.diagnose.bench import handshakes as hs
from fasttls.diagnose.bench.cases import Files
from fasttls.diagnose.bench.ends import pair_of
from fasttls.diagnose.bench.libraries import FASTTLS, Setting


class Counted(NamedTuple):
    """A case, and how often its step is done."""

    name: str
    times: int


CASES = (
    Counted("full 1.3, P-256, warm", 12),
    Counted("full 1.2, P-256, warm", 12),
    Counted("resumption 1.3", 16),
    Counted("resumption 1.2", 16),
    Counted("bulk 16 KiB, both ways", 100),
    Counted("64-byte ping-pong", 100),
)


def steps(files: Files) -> list[Callable[[], int]]:
    """Return the step of each case, over P-256 certificates and X25519, with what was seen before remembered."""
    told = {version: Setting(version) for version in ("TLSv1.3", "TLSv1.2")}
    chain = files["P-256"]
    pairs = {version: pair_of(FASTTLS, FASTTLS, chain, setting) for version, setting in told.items()}
    new, old = "TLSv1.3", "TLSv1.2"
    return [
        hs.full(pairs[new], told[new]),
        hs.full(pairs[old], told[old]),
        hs.Resumed(pairs[new], told[new], chain, with_next=True),
        hs.Resumed(pairs[old], told[old], chain, with_next=True),
        hs.bulk(pairs[new], "both ways", blocks=2),
        hs.ping_pong(pairs[new], exchanges=1),
    ]


def tell(*command: str) -> None:
    """Tell callgrind something."""
    if os.spawnvp(os.P_WAIT, "vgdb", ["vgdb", f"--pid={os.getpid()}", *command]) != 0:
        raise RuntimeError(f"callgrind does not take {' '.join(command)}")


def main(folder: str) -> None:
    """Run every case, twice as often the second time."""
    made = steps(Files(Path(folder)))
    for step in made:
        for _ in range(5):
            step()
    gc.collect()
    gc.disable()  # when it runs depends on what ran before
    tell("instrumentation", "on")
    for case, step in zip(CASES, made, strict=True):
        for times in (case.times, 2 * case.times):
            tell("zero")
            for _ in range(times):
                step()
            tell("dump")


if __name__ == "__main__":
    main(sys.argv[1])
