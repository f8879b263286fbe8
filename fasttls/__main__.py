"""`python -m fasttls`: the command line."""

from __future__ import annotations

import argparse
import sys

from fasttls.diagnose import demo


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    parser = argparse.ArgumentParser(prog="fasttls", description="A TLS handshake engine for Python.")
    commands = parser.add_subparsers(dest="command", required=True)
    shown = commands.add_parser("demo", help="real handshakes on loopback, told step by step")
    shown.add_argument("--times", type=int, default=40, help="rounds of the measurement (default: 40)")
    options = parser.parse_args(arguments)
    if options.times < 1:
        parser.error("--times must be at least 1")
    demo.run(options.times)
    return 0


if __name__ == "__main__":
    sys.exit(main())
