"""`python -m fasttls`: the command line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    parser = argparse.ArgumentParser(prog="fasttls", description="A TLS handshake engine for Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser("demo", help="real handshakes on loopback, told step by step")
    shown.add_argument("--times", type=int, default=40, help="rounds of the measurement (default: 40)")
    measured = commands.add_parser("bench", help="what fasttls costs beside ssl, measured in turns")
    measured.add_argument("--quick", action="store_true", help="the rows that have goals, beside ssl alone; no report")
    measured.add_argument("--only", default="", metavar="TEXT", help="only the cases with this in their name")
    measured.add_argument("--rounds", type=int, default=60, help="rounds of each case (default: 60)")
    measured.add_argument(
        "-o", "--output", type=Path, default=Path("build/bench"), metavar="FOLDER", help="for the report (build/bench)"
    )
    options = parser.parse_args(arguments)
    if options.command == "bench":
        if options.rounds < 1:
            parser.error("--rounds must be at least 1")
        from fasttls.diagnose.bench import command

        if options.quick:
            command.run_quick(options.only, options.rounds)
        else:
            command.run_all(options.only, options.rounds, options.output)
        return 0
    if options.times < 1:
        parser.error("--times must be at least 1")
    from fasttls.diagnose import demo

    demo.run(options.times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
