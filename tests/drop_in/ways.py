"""The two ways in which a program gets fasttls, as the tests use them."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from drop_in import way
from drop_in.injected import Process
from drop_in.way import Outcome, Peer, Tls


class Way(Protocol):
    """How a program gets fasttls."""

    def run(self, name: str, *peers: Peer) -> Outcome:
        """Run a program, which connects to peers."""

    def serve(self, name: str) -> Any:
        """Run a server program in a `with` block, which gets its port, and the outcome after it."""


def told(outcome: Outcome) -> Outcome:
    """Skip a program whose library is not installed; in CI that fails. Return the outcome of another one."""
    if outcome.missing:
        if os.environ.get("CI"):
            pytest.fail(f"{outcome.missing} is not installed")
        pytest.skip(f"{outcome.missing} is not installed")
    return outcome


def need(name: str) -> None:
    """Skip when a library is not installed, which fails in CI."""
    if importlib.util.find_spec(name) is None:
        told(Outcome(missing=name))


def library(name: str) -> Any:
    """Return a module of a library that a peer needs."""
    need(name.partition(".")[0])
    return importlib.import_module(name)


@contextmanager
def _server(start: Callable[[], tuple[int, Outcome]], stop: Callable[[], Outcome]) -> Iterator[tuple[int, Outcome]]:
    port, outcome = start()
    told(outcome).check()
    try:
        yield port, outcome
    finally:
        vars(outcome).update(vars(stop()))


class Passed:
    """The program runs here, and passes contexts of fasttls to the library."""

    def __init__(self, folder: Path) -> None:
        self._tls = Tls(folder, injected=False)

    def run(self, name: str, *peers: Peer) -> Outcome:
        """Run a program, which connects to peers."""
        return told(way.run(name, self._tls, *peers))

    def serve(self, name: str) -> Any:
        """Run a server program in a `with` block."""
        running = way.Running(name, self._tls)
        return _server(lambda: (running.port, running.outcome), running.stop)


class Apart:
    """The program runs in a process of its own, where fasttls was injected into `ssl` if the mode says so."""

    def __init__(self, folder: Path, mode: str) -> None:
        self._folder = folder
        self._mode = mode
        self._process: Process | None = None

    def _ask(self, do: str, name: str, **more: Any) -> dict[str, Any]:
        if self._process is None or not self._process.alive:
            self._process = Process(self._mode)
        return self._process.ask(do=do, name=name, folder=str(self._folder), **more)

    def run(self, name: str, *peers: Peer) -> Outcome:
        """Run a program, which connects to peers."""
        return told(Outcome(**self._ask("run", name, ports=[peer.port for peer in peers])))

    def serve(self, name: str) -> Any:
        """Run a server program in a `with` block."""

        def start() -> tuple[int, Outcome]:
            answer = self._ask("start", name)
            return answer["port"], Outcome(**answer["outcome"])

        return _server(start, lambda: Outcome(**self._ask("stop", name)))

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.close()
