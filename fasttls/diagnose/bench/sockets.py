"""Servers on loopback, and two threads: handshakes per second, and what the server's process spends on each.

The client is another process, `ssl` for every server. Servers take turns. Handshakes per second depend on what else the
machine does, and on the client; the CPU time of the server's process does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.ends import Pair, connect
from fasttls.diagnose.bench.libraries import FASTTLS, SSL, Library, Setting

_TIMEOUT_SECONDS = 30

# Prints the seconds that so many handshakes took. Each byte read shows that the server was done too.
_CLIENT = """
import socket, ssl, sys, threading, time
port, count, root = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=root)
def work():
    for _ in range(count // 2):
        with socket.create_connection(("127.0.0.1", port), 30) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with context.wrap_socket(plain, server_hostname="localhost") as wrapped:
                assert wrapped.version() == "TLSv1.3"
                assert wrapped.recv(1) == b"!"
threads = [threading.Thread(target=work) for _ in range(2)]
started = time.perf_counter()
for thread in threads: thread.start()
for thread in threads: thread.join()
print(time.perf_counter() - started)
"""


class Served(NamedTuple):
    """What a server did."""

    per_second: float
    cpu: float
    """µs of the server's process a handshake."""


def _client(port: int, count: int, files: DemoFiles) -> list[str]:
    return [sys.executable, "-c", _CLIENT, str(port), str(count), str(files.root)]


def threaded(context: ssl.SSLContext, files: DemoFiles, count: int) -> Served:
    """Serve each connection in a thread of its own."""

    def handle(plain: socket.socket) -> None:
        plain.settimeout(_TIMEOUT_SECONDS)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with context.wrap_socket(plain, server_side=True) as wrapped:
            wrapped.sendall(b"!")
            with contextlib.suppress(OSError):  # the client may end the connection without a word
                wrapped.recv(1)

    def accept(listener: socket.socket) -> None:
        for _ in range(count):
            threading.Thread(target=handle, args=listener.accept()[:1]).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(_TIMEOUT_SECONDS)
        accepting = threading.Thread(target=accept, args=(listener,))
        accepting.start()
        return _measured(lambda: _run(_client(listener.getsockname()[1], count, files)), count, accepting.join)


def _run(command: list[str]) -> float:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)  # noqa: S603
    return float(done.stdout)


def _measured(work: Callable[[], float], count: int, end: Callable[[], object]) -> Served:
    start = time.process_time()
    seconds = work()
    end()
    return Served(count / seconds, 1e6 * (time.process_time() - start) / count)


def on_asyncio(context: ssl.SSLContext, files: DemoFiles, count: int) -> Served:
    """Serve with asyncio's streams, in one thread."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):  # the client may end the connection without a word
            writer.write(b"!")
            await writer.drain()
            await reader.read(1)
            writer.close()
            await writer.wait_closed()

    async def work() -> float:
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            process = await asyncio.create_subprocess_exec(*_client(port, count, files), stdout=asyncio.subprocess.PIPE)
            output, _ = await process.communicate()
            assert process.returncode == 0
            return float(output)

    return _measured(lambda: asyncio.run(work()), count, lambda: None)


SERVERS = {"threaded server": threaded, "asyncio server": on_asyncio}


def server_rates(files: DemoFiles, count: int = 300, turns: int = 3) -> dict[str, dict[str, Served]]:
    """Return, for each kind of server and library, the best of the turns."""
    contexts: dict[str, Any] = {library.name: library.context(files, Setting(), True) for library in (FASTTLS, SSL)}
    found: dict[str, dict[str, Served]] = {}
    for kind, serve in SERVERS.items():
        turns_of: dict[str, list[Served]] = {name: [] for name in contexts}
        for _ in range(turns):
            for name, context in contexts.items():
                turns_of[name].append(serve(context, files, count))
        found[kind] = {
            name: Served(max(one.per_second for one in served), min(one.cpu for one in served))
            for name, served in turns_of.items()
        }
    return found


class Scaling(NamedTuple):
    """Full handshakes a second, both sides over memory, by one thread and by two at once."""

    one: float
    two: float


def two_threads(library: Library, group: str, files: DemoFiles, *, seconds: float = 0.25, turns: int = 6) -> Scaling:
    """Return the best rates of the turns. Needs two processors that nobody else uses to say much."""
    setting = Setting(group=group)
    pair = Pair(library.context(files, setting, False), library.context(files, setting, True), ssl.MemoryBIO)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(turns):
        for threads, measured in rates.items():
            measured.append(_rate(pair, threads, seconds))
    return Scaling(max(rates[1]), max(rates[2]))


def _rate(pair: Pair, threads: int, seconds: float) -> float:
    done = [0] * threads
    stop = threading.Event()

    def work(number: int) -> None:
        while not stop.is_set():
            client, _ = connect(pair)
            assert client.version() == "TLSv1.3"
            done[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    start = time.perf_counter()
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return sum(done) / (time.perf_counter() - start)
