"""Servers of HTTP, and clients of the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest
from drop_in.checks import check_server, client_of, exchange_http
from drop_in.way import BODY, HOST, SECONDS
from drop_in.ways import Way, library

THREADED = ["http_server", "wsgiref", "cheroot"]
LOOPING = [
    "aiohttp",
    "uvicorn",
    "uvicorn_uvloop",
    "hypercorn_asyncio",
    "hypercorn_trio",
    "tornado",
]


@pytest.mark.parametrize("program", THREADED + LOOPING)
def test_bodies_and_wrong_certificates(each_way: Way, program: str, keys: Path) -> None:
    alerts = program in [*THREADED, "tornado"]
    check_server(each_way, f"http_servers:{program}", keys, exchange_http, alerts=alerts)


@pytest.mark.parametrize("program", ["hypercorn_asyncio", "hypercorn_trio"])
def test_http2(each_way: Way, program: str, keys: Path) -> None:
    httpx = library("httpx")
    with each_way.serve(f"http_servers:{program}") as (port, outcome):
        with httpx.Client(http2=True, verify=client_of(keys), trust_env=False, timeout=SECONDS) as client:
            response = client.post(f"https://{HOST}:{port}/echo", content=BODY)
            assert (response.http_version, response.content) == ("HTTP/2", BODY)
    outcome.check()
    assert outcome.servers == 1
