"""`python -m fasttls bench`: measure, print a table as it comes, and write the report."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path

from fasttls.diagnose.bench import breakdown, micro, processes, sockets
from fasttls.diagnose.bench.cases import Files, Suite
from fasttls.diagnose.bench.ends import pair_of
from fasttls.diagnose.bench.libraries import FASTTLS, HYBRID, SSL, Setting
from fasttls.diagnose.bench.report import Report
from fasttls.diagnose.bench.rounds import Result, run

# What the bars of where the time goes are of.
BARS = (("P-256", Setting()), ("P-256", Setting("TLSv1.2")), ("RSA-2048", Setting()), ("P-256", Setting(group=HYBRID)))


def line_of(result: Result) -> str:
    """Return a result as a line of a terminal."""
    goal = "" if result.goal is None else f"{result.goal:.2f}"
    met = {None: "", True: "met", False: "not"}[result.met]
    cells = (f"{result.best:.1f}", f"{result.median:.1f}", f"{result.ratio:.3f}", f"{result.best_ratio:.3f}", goal, met)
    return f"{result.case:<42}{result.contender:<24}" + "".join(f"{cell:>10}" for cell in cells)


def print_head() -> None:
    """Print the line above those of line_of()."""
    heads = ("best µs", "median µs", "ratio", "of best", "goal", "")
    print(f"{ssl.OPENSSL_VERSION}\n{'':<66}" + "".join(f"{head:>10}" for head in heads))


def run_quick(only: str, rounds: int) -> None:
    """Print the rows that have goals, beside `ssl` alone; only those whose case contains a text."""
    print_head()
    with tempfile.TemporaryDirectory() as folder:
        for case in Suite(Files(Path(folder)), ()).quick(only):
            for result in run(case, rounds):
                print(line_of(result), flush=True)


def run_all(only: str, rounds: int, out: Path) -> None:
    """Measure everything whose name contains a text, beside every library that is installed, and write the report."""
    report = Report()
    print_head()
    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder))
        suite = Suite(files)
        for case in suite.everything(only):
            report.results += (found := run(case, rounds))
            for result in found:
                print(line_of(result), flush=True)
        report.notes = suite.notes
        if not only:
            add_the_rest(report, files, rounds)
    for path in report.write(out):
        print(path)


def add_the_rest(report: Report, files: Files, rounds: int) -> None:
    """Add to a report what is not measured in turns over memory."""
    chain = files["P-256"]
    for case in micro.cases(files):
        report.micro += run(case, rounds)
    report.bars = bars(files)
    report.measured = [processes.import_time(), *processes.contexts(), processes.first_handshake(chain)]
    if processes.on_linux():
        report.measured.append(processes.idle_memory(chain))
    report.servers = sockets.server_rates(chain)
    report.scaling = scaling(files)


def bars(files: Files) -> list[breakdown.Bar]:
    """Return where the time of full handshakes goes, cold and warm."""
    found = []
    for kind, setting in BARS:
        pair = pair_of(FASTTLS, FASTTLS, files[kind], setting)
        for cold in (True, False):
            name = f"{setting.version[4:]}, {kind}, {setting.group}, {'cold' if cold else 'warm'}"
            found.append(breakdown.bar(name, pair, files[kind], setting, cold=cold))
    return found


def scaling(files: Files) -> dict[str, sockets.Scaling]:
    """Return how two threads do, by library and group."""
    return {
        f"{library.name}, {group}": sockets.two_threads(library, group, files["P-256"])
        for library in (FASTTLS, SSL)
        for group in ("X25519", "secp256r1")
    }
