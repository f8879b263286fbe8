"""What is measured in a process of its own: import time, default contexts, memory.

Each library takes its turn in several fresh processes. Times are CPU times, the least of them; memory is what the
process occupies (resident pages), the median.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from fasttls.diagnose.authority import DemoFiles

_IMPORT = """
import time, ssl
started = time.thread_time()
import {library}
print(1000 * (time.thread_time() - started))
"""

_CONTEXTS = """
import time
began = time.thread_time()
import {library} as library
loaded = time.thread_time() - began
def make():
    started = time.thread_time()
    context = library.create_default_context()
    seconds = time.thread_time() - started
    assert context.verify_mode == library.CERT_REQUIRED and context.check_hostname
    return 1000 * seconds
first = make()
print(first, min(make() for _ in range({times})), 1000 * loaded + first)
"""

_HANDSHAKE = """
import sys, time
began = time.thread_time()
import {library} as ssl
root, chain, key = sys.argv[1:]
context = ssl.create_default_context()
context.load_verify_locations(root)
serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
serving.load_cert_chain(chain, key)
one, other = ssl.MemoryBIO(), ssl.MemoryBIO()
waiting = [
    context.wrap_bio(one, other, server_hostname="localhost"),
    serving.wrap_bio(other, one, server_side=True),
]
client = waiting[0]
while waiting:
    end = waiting.pop(0)
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        waiting.append(end)
assert client.getpeercert()
print(1000 * (time.thread_time() - began))
"""

_RESIDENT = """
import gc, resource
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1024
"""

_CONTEXT_MEMORY = (
    _RESIDENT
    + """
import {library} as library
kept = [library.create_default_context() for _ in range(10)]
before = resident()
times = 400 if library.__name__ == "fasttls" else 20  # Python's allocator takes 256 KiB or more at a time
kept += [library.create_default_context() for _ in range(times)]
print((resident() - before) / times)
"""
)

# Both ends of a connection are in this process: half of what a pair takes is what a connection takes.
_IDLE = (
    _RESIDENT
    + """
import sys
from pathlib import Path
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.ends import connect, pair_of, take_tickets
from fasttls.diagnose.bench.libraries import FASTTLS, SSL, Setting
library = {{"fasttls": FASTTLS, "ssl": SSL}}["{library}"]
pair = pair_of(library, library, DemoFiles(*map(Path, sys.argv[1:])), Setting("{version}"))
def idle():
    client, server = connect(pair)
    take_tickets(client)
    assert client.version() == "{version}"
    return client, server
kept = [idle() for _ in range(200)]
before = resident()
kept += [idle() for _ in range({pairs})]
after = resident()
kept[0][0].write(b"still there")
assert kept[0][1].read(11) == b"still there"
print((after - before) / {pairs} / 2)
"""
)


class Measured(NamedTuple):
    """A figure of both libraries, in its unit."""

    name: str
    unit: str
    ours: float
    theirs: float | None
    """None where `ssl` is the zero that is measured from."""

    goal: float | None = None
    goal_is_ratio: bool = False

    @property
    def ratio(self) -> float | None:
        """Ours to `ssl`'s."""
        return None if self.theirs is None else self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, None without a goal."""
        if self.goal is None:
            return None
        value = self.ratio if self.goal_is_ratio else self.ours
        return value is not None and value <= self.goal


@contextmanager
def _bytecode() -> Iterator[dict[str, str]]:
    """Yield an environment whose first process writes bytecode into a folder of its own, for those that follow.

    Whether there is bytecode, and may be, is the caller's affair; what is measured must not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def _print(script: str, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> list[float]:
    """Return the numbers that a script prints, run by a process of its own."""
    command = [sys.executable, "-W", "ignore", "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603
    return [float(word) for word in done.stdout.split()]


def _turns(script: str, turns: int, arguments: Sequence[str] = (), **values: object) -> dict[str, list[list[float]]]:
    """Return what a script prints for each library, as often as told, in turns."""
    found: dict[str, list[list[float]]] = {"fasttls": [], "ssl": []}
    with _bytecode() as environment:
        for library in found:
            _print(_IMPORT.format(library=library), environment)
        for _ in range(turns):
            for library, figures in found.items():
                figures.append(_print(script.format(library=library, **values), environment, arguments))
    return found


def import_time(times: int = 7) -> Measured:
    """Return what `import fasttls` takes when `ssl` is there already."""
    script = _IMPORT.format(library="fasttls")
    with _bytecode() as environment:
        _print(script, environment)
        best = min(_print(script, environment)[0] for _ in range(times))
    return Measured("import fasttls, beyond import ssl", "ms", best, None, 15.0)


def contexts(times: int = 5) -> list[Measured]:
    """Return what default contexts take: the first of a process, that with the import, the next, and its memory.

    The first one imports what it is made of; a library's own `import` has been done before.
    """
    found = _turns(_CONTEXTS, turns=times, times=5)
    memory = _turns(_CONTEXT_MEMORY, 2)
    first, following, whole = (
        {library: min(figures[column] for figures in measured) for library, measured in found.items()}
        for column in (0, 1, 2)
    )
    size = {library: median(figures[0] for figures in measured) for library, measured in memory.items()}
    return [
        Measured("default context, first in the process", "ms", first["fasttls"], first["ssl"], 0.05, True),
        Measured("import and the first default context", "ms", whole["fasttls"], whole["ssl"]),
        Measured("default context, next", "ms", following["fasttls"], following["ssl"], 0.002, True),
        Measured("memory of a further default context", "KiB", size["fasttls"], size["ssl"]),
    ]


def first_handshake(files: DemoFiles, times: int = 5) -> Measured:
    """Return what a process takes from its first import to the end of its first handshake, both sides."""
    found = _turns(_HANDSHAKE, times, [str(path) for path in files])
    best = {library: min(figures[0] for figures in measured) for library, measured in found.items()}
    return Measured("from import to the first handshake", "ms", best["fasttls"], best["ssl"])


def idle_memory(files: DemoFiles, version: str = "TLSv1.3", pairs: int = 500, times: int = 2) -> Measured:
    """Return the memory of an idle connection over memory BIOs, the tickets read."""
    paths = [str(path) for path in files]
    found = _turns(_IDLE, times, paths, version=version, pairs=pairs)
    size = {library: median(figures[0] for figures in measured) for library, measured in found.items()}
    goal = 10.0 if version == "TLSv1.3" else None
    return Measured(f"memory of an idle connection, {version[4:]}", "KiB", size["fasttls"], size["ssl"], goal)


def on_linux() -> bool:
    """Whether the memory of a process can be read the way this module does."""
    return Path("/proc/self/statm").exists()
