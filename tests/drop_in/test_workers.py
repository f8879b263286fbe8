"""Workers of gunicorn and uvicorn, which are processes, resume each other's sessions."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from drop_in.injected import TESTS
from drop_in.way import HOST, SECONDS, until
from drop_in.ways import need

COMMANDS = {
    "gunicorn": [
        "gunicorn",
        "-c",
        str(Path(__file__).parent / "programs" / "workers.py"),
        "drop_in.programs.workers:wsgi",
    ],
    "uvicorn": ["drop_in.programs.workers"],
}


@pytest.mark.parametrize("server", COMMANDS)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_a_session_goes_on_at_another_worker(server: str, version: ssl.TLSVersion, keys: Path) -> None:
    need(server)
    (keys / "ticket.key").write_bytes(os.urandom(80))
    told = keys / f"{server}-workers-{version.name}"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
        "DROP_IN_FOLDER": str(keys),
        "DROP_IN_PORT": told.name,
    }
    log = keys / f"{told.name}.log"
    with log.open("w") as output:
        running = subprocess.Popen(
            [sys.executable, "-m", *COMMANDS[server]], env=environment, stdout=output, stderr=output
        )
    try:
        until(lambda: told.exists() and told.read_text(), f"{server} does not start")
        port = int(told.read_text())
        context = ssl.create_default_context(cafile=str(keys / "ca.pem"))
        context.minimum_version = context.maximum_version = version
        session, workers, visits = None, set(), []
        deadline = time.monotonic() + SECONDS
        while len(workers) < 2 or len(visits) < 6:
            assert time.monotonic() < deadline, (workers, visits, log.read_text())
            try:
                with (
                    socket.create_connection((HOST, port), timeout=SECONDS) as plain,
                    context.wrap_socket(plain, server_hostname=HOST, session=session) as sock,
                ):
                    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    answer = b""
                    while part := sock.recv(1000):
                        answer += part
                    visits.append(sock.session_reused)
                    session = sock.session
            except ConnectionRefusedError:
                time.sleep(0.05)  # uvicorn's workers are on their way
                continue
            workers.add(answer.rpartition(b"\r\n")[2])
        assert visits[0] is False
        assert all(visits[1:])
    finally:
        running.terminate()
        running.wait(SECONDS)
