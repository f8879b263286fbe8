"""The peers in other languages: compiled once a session, run as processes, and heard as one line of JSON."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from interop.ends import TIMEOUT_SECONDS, program

PROGRAMS = Path(__file__).with_name("programs")
COMPILE_SECONDS = 240


@cache
def command(name: str) -> tuple[str, ...]:
    """Return how a peer is started. Skips when its language is not installed, and fails in CI."""
    if name == "node":
        return program("node"), str(PROGRAMS / "echo.js")
    built = Path(mkdtemp(prefix="fasttls-peers-"))
    if name == "go":
        target = built / "echo"
        _compile([program("go"), "build", "-o", str(target), "."], {"CGO_ENABLED": "0"})
        return (str(target),)
    _compile([program("javac"), "-d", str(built), "Echo.java"], {})
    return program("java"), "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", str(built), "Echo"


def _compile(arguments: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        arguments,
        cwd=PROGRAMS,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=COMPILE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@dataclass
class Peer:
    """A running server in another language: its port, and what it reported when it is over."""

    port: int
    report: dict[str, Any] = field(default_factory=dict)


def arguments(options: dict[str, object]) -> list[str]:
    """Return options as the programs take them; those that are None are left out."""
    return [f"-{key}={value}" for key, value in options.items() if value is not None]


def run_client(name: str, port: int, **options: object) -> dict[str, Any]:
    """Let a peer connect and echo; return its report."""
    done = subprocess.run(
        [*command(name), *arguments({"role": "client", "port": port, **options})],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS + 10,
        check=False,
        env={**os.environ, "GODEBUG": "tlsrsakex=1"},
    )
    assert done.stdout, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


@contextlib.contextmanager
def run_server(name: str, **options: object) -> Iterator[Peer]:
    """Run a peer's echo server for one connection."""
    process = subprocess.Popen(
        [*command(name), *arguments({"role": "server", **options})],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "GODEBUG": "tlsrsakex=1"},
    )
    watchdog = threading.Timer(TIMEOUT_SECONDS + 10, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        first = process.stdout.readline().split()
        assert first[:1] == ["port"], f"{name} does not listen: {first}"
        peer = Peer(int(first[1]))
        yield peer
        peer.report.update(json.loads(process.stdout.readline()))
    finally:
        watchdog.cancel()
        process.kill()
        process.wait(TIMEOUT_SECONDS)
        process.stdout.close()  # type: ignore[union-attr]
