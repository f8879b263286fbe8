"""gunicorn, as the program that it is: its workers are processes, and tell what carried a request."""

from __future__ import annotations

import http.client
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from drop_in.checks import alert_for, client_of
from drop_in.injected import TESTS
from drop_in.way import BODY, HOST, SECONDS, until
from drop_in.ways import need

import fasttls

WAYS = ["passed", "injected"]
WORKERS = ["sync", "gthread"]


class _Gunicorn:
    """One of its arbiters with one worker."""

    def __init__(self, keys: Path, worker: str, way: str) -> None:
        port = f"gunicorn-{worker}-{way}"
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join([str(TESTS), str(TESTS.parent)]),
            "DROP_IN_FOLDER": str(keys),
            "DROP_IN_WAY": way,
            "DROP_IN_PORT": port,
        }
        configuration = Path(__file__).parent / "programs" / "gunicorn_conf.py"
        threads = ["--threads", "2"] if worker == "gthread" else []
        application = "drop_in.programs.gunicorn_app:application"
        self._file = keys / port
        self._log = keys / f"{port}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-k", worker, *threads, "-c", str(configuration), application],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def port(self) -> int:
        """Wait until it listens."""
        until(lambda: self._said() or self._process.poll() is not None, "gunicorn does not start")
        assert self._said(), self._log.read_text()
        return int(self._said())

    def _said(self) -> str:
        return self._file.read_text() if self._file.exists() else ""

    def terminate(self) -> None:
        """Tell it to end, its worker with it."""
        self._process.terminate()

    def wait(self) -> None:
        """Wait for its end."""
        self._process.wait(SECONDS)


@pytest.fixture(scope="module")
def servers(keys: Path) -> Iterator[dict[tuple[str, str], _Gunicorn]]:
    """Start all at once: each takes its time."""
    need("gunicorn")
    ways = WAYS if hasattr(fasttls, "inject_into_ssl") else WAYS[:1]
    started = {(worker, way): _Gunicorn(keys, worker, way) for worker in WORKERS for way in ways}
    yield started
    for one in started.values():
        one.terminate()
    for one in started.values():
        one.wait()


@contextmanager
def _connected(port: int, context: ssl.SSLContext) -> Iterator[http.client.HTTPSConnection]:
    connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=SECONDS)
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("worker", WORKERS)
def test_bodies_and_wrong_certificates(
    servers: dict[tuple[str, str], _Gunicorn], worker: str, way: str, keys: Path
) -> None:
    if (worker, way) not in servers:
        pytest.skip("fasttls.inject_into_ssl() is not there yet")
    port = servers[worker, way].port()
    with _connected(port, client_of(keys, ca="another-ca")) as connection:
        with pytest.raises(ssl.SSLCertVerificationError):
            connection.connect()
    assert alert_for(port, client_of(keys, "strange-client")) == "TLSV1_ALERT_UNKNOWN_CA"
    assert alert_for(port, client_of(keys, None)) == "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    with _connected(port, client_of(keys)) as connection:
        for _ in range(2):
            connection.request("POST", "/echo", body=BODY)
            response = connection.getresponse()
            assert (response.status, response.read()) == (200, BODY)
            assert response.headers["X-Engine"] == "fasttls.api.engine.Engine"
