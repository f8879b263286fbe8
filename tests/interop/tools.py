"""The command line tools as peers: openssl's s_client and s_server, gnutls-cli and gnutls-serv, curl."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from interop.ends import TIMEOUT_SECONDS, free_port, program, wait_for_port


class Output:
    """What a process prints, gathered while it runs."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._data = bytearray()
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._gather, daemon=True)
        self._thread.start()

    def _gather(self) -> None:
        assert self._process.stdout is not None
        while data := self._process.stdout.read1(65536):  # type: ignore[union-attr]
            with self._more:
                self._data += data
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def wait_for(self, text: bytes, times: int = 1) -> bytes:
        """Wait until the process has printed text so many times; return everything so far."""
        with self._more:
            found = self._more.wait_for(
                lambda: (
                    self._data.count(text) >= times or not self._thread.is_alive() or self._process.poll() is not None
                ),
                TIMEOUT_SECONDS,
            )
            assert found, f"{text!r} was never printed: {bytes(self._data[-2000:])!r}"
        return self.all()

    def all(self) -> bytes:
        """Return everything that was printed so far."""
        with self._more:
            return bytes(self._data)


class Tool:
    """A running tool."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.output = Output(self.process)

    def type(self, text: bytes) -> None:
        """Write to the tool's input."""
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def end(self) -> bytes:
        """Close the tool's input and wait for it to end; return what it printed."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(TIMEOUT_SECONDS)
        return self.output.all()


@contextlib.contextmanager
def running(arguments: list[str]) -> Iterator[Tool]:
    """Run a tool until the block ends."""
    tool = Tool(arguments)
    try:
        yield tool
    finally:
        tool.process.kill()
        tool.process.wait(TIMEOUT_SECONDS)
        tool.output._thread.join(TIMEOUT_SECONDS)
        for pipe in (tool.process.stdin, tool.process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):
                pipe.close()


@contextlib.contextmanager
def openssl_server(keys: Path, kind: str, *more: str) -> Iterator[tuple[int, Tool]]:
    """Run s_server, which sends lines back turned around, unless more says otherwise."""
    port = free_port()
    base = [program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}"]
    base += ["-cert", str(keys / f"{kind}-chain.pem"), "-cert_chain", str(keys / f"{kind}-chain.pem")]
    base += ["-key", str(keys / f"{kind}-key.pem"), "-CAfile", str(keys / "ca.pem")]
    with running([*base, *more]) as tool:
        tool.output.wait_for(b"ACCEPT")
        yield port, tool


@contextlib.contextmanager
def openssl_client(keys: Path, port: int, *more: str) -> Iterator[Tool]:
    """Run s_client against a port."""
    base = [program("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost"]
    base += ["-CAfile", str(keys / "ca.pem"), "-verify_return_error", "-verify_hostname", "localhost"]
    with running([*base, *more]) as tool:
        yield tool


@contextlib.contextmanager
def gnutls_server(keys: Path, kind: str, *more: str) -> Iterator[tuple[int, Tool]]:
    """Run gnutls-serv as an echo server."""
    port = free_port()
    base = [program("gnutls-serv"), "--echo", "--port", str(port), "--x509cafile", str(keys / "ca.pem")]
    base += ["--x509certfile", str(keys / f"{kind}-chain.pem"), "--x509keyfile", str(keys / f"{kind}-key.pem")]
    with running([*base, *more]) as tool:
        wait_for_port(port, lambda: tool.process.poll() is None)
        yield port, tool


@contextlib.contextmanager
def gnutls_client(keys: Path, port: int, *more: str) -> Iterator[Tool]:
    """Run gnutls-cli against a port."""
    base = [program("gnutls-cli"), "--port", str(port), "--x509cafile", str(keys / "ca.pem"), "localhost"]
    with running([*base, *more]) as tool:
        yield tool
