"""A process of its own, with fasttls injected into `ssl`, or gevent's patches made: it runs programs for the tests.

As a script it is that process: a line of JSON on standard input asks, one on standard output answers.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
SECONDS = 40.0  # for an answer, which a program's own limit comes before
SETTINGS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "PYTHONWARNINGS")

MODES = {
    "injected": "fasttls is injected before any library is imported",
    "late": "fasttls is injected after the libraries",
    "patched": "gevent patches, then fasttls is imported, contexts are passed",
    "imported-patched": "fasttls is imported, then gevent patches, contexts are passed",
    "patched-injected": "gevent patches, then fasttls is injected",
    "injected-patched": "fasttls is injected, then gevent patches",
}


class Process:
    """The process, as the tests see it."""

    def __init__(self, mode: str) -> None:
        assert mode in MODES
        environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        paths = [str(TESTS), str(TESTS.parent), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self._process = subprocess.Popen(
            [sys.executable, __file__, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self.alive = True

    def ask(self, **question: Any) -> dict[str, Any]:
        """Return the answer. Raises AssertionError when there is none, and ends the process."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(question).encode() + b"\n")
        stdin.flush()
        deadline = time.monotonic() + SECONDS
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(stdout.fileno(), 1 << 16) if ready else b""
            if not piece:
                self.close()
                raise AssertionError(f"no answer to {question}, exit code {self._process.returncode}")
            line += piece
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        self.alive = False
        self._process.kill()
        self._process.communicate()


LIBRARIES = (
    "http.client",
    "urllib.request",
    "urllib3",
    "requests",
    "httpx",
    "aiohttp",
    "tornado.simple_httpclient",
)
"""What is imported before fasttls is injected, when that is to be late."""


def _prepare(mode: str) -> Callable[[], str]:
    """Make the process what the mode says, and return how to read a line."""
    read: Callable[[], str] = sys.stdin.readline
    if mode == "late":
        for name in LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
    if mode in ("injected", "late", "injected-patched"):
        _inject()
    if mode == "imported-patched":
        importlib.import_module("fasttls")
    if "patched" in mode:
        import gevent
        import gevent.monkey

        gevent.monkey.patch_all()
        read = partial(gevent.get_hub().threadpool.apply, read)
    if mode == "patched-injected":
        _inject()
    return read


def _inject() -> None:
    import fasttls

    fasttls.inject_into_ssl()


def answer_questions(mode: str) -> None:
    """Be the process of a mode: MODES says what that is."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what programs print does not get between the answers
    read = _prepare(mode)

    from drop_in import way

    running: dict[str, way.Running] = {}
    while line := read():
        question = json.loads(line)
        tls = way.Tls(Path(question["folder"]), injected="injected" in mode or mode == "late")
        name = question["name"]
        answer: dict[str, Any] = {}
        if question["do"] == "run":
            peers = [way.Peer(port) for port in question["ports"]]
            answer = dataclasses.asdict(way.run(name, tls, *peers))
        elif question["do"] == "start":
            running[name] = way.Running(name, tls)
            answer = {"port": running[name].port, "outcome": dataclasses.asdict(running[name].outcome)}
        elif question["do"] == "stop":
            answer = dataclasses.asdict(running.pop(name).stop())
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    answer_questions(sys.argv[1])
