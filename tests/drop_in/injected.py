"""A process with fasttls injected into `ssl`, which runs programs that know nothing of it.

As a script it is that process: a line of JSON on standard input asks, one on standard output answers.
"""

from __future__ import annotations

import dataclasses
import json
import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
SECONDS = 60.0  # for an answer, which a program's own limit comes before
SETTINGS = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "PYTHONWARNINGS")


class Process:
    """The process, as the tests see it."""

    def __init__(self, *, late: bool = False) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
        paths = [str(TESTS), str(TESTS.parent), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        order = ["late"] if late else []
        self._process = subprocess.Popen(
            [sys.executable, __file__, *order], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
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
    "websockets.sync.client",
)
"""What is imported before fasttls is injected, when that is to be late."""


def answer_questions(late: bool) -> None:
    """Be the process."""
    import contextlib
    import importlib

    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what programs print does not get between the answers
    if late:
        for name in LIBRARIES:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)

    import fasttls

    fasttls.inject_into_ssl()

    from drop_in import way

    running: dict[str, way.Running] = {}
    for line in sys.stdin:
        question = json.loads(line)
        tls = way.Tls(Path(question["folder"]), injected=True)
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
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            print(f"{thread} is left", file=sys.stderr)


if __name__ == "__main__":
    answer_questions(sys.argv[1:] == ["late"])
