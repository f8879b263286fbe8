"""Clients of HTTP against a server of the standard library."""

from __future__ import annotations

from pathlib import Path

import pytest
from drop_in.checks import Peers, check_client, check_refusal, each_wrong
from drop_in.peers import talk_http
from drop_in.way import Peer, Running, Tls
from drop_in.ways import Way, told

PROGRAMS = [
    "http_client",
    "urllib_request",
    "urllib3",
    "requests",
    "httpx",
    "httpx_asyncio",
    "httpx_trio",
    "aiohttp",
    "aiohttp_uvloop",
    "tornado",
]
DEFAULTS = ["http_client_default", "urllib_request_default", "httpx_default"]
each_program = pytest.mark.parametrize("program", PROGRAMS)


@each_program
def test_bodies(each_way: Way, program: str, peer: Peers) -> None:
    check_client(each_way, f"http_clients:{program}", peer, talk_http)


@each_wrong
@each_program
def test_wrong_certificate(each_way: Way, program: str, peer: Peers, certificate: str) -> None:
    check_refusal(each_way, f"http_clients:{program}", peer, talk_http, certificate)


def test_http2(each_way: Way, keys: Path) -> None:
    server = Running("http_servers:hypercorn_asyncio", Tls(keys, injected=True))  # here `ssl` is the standard library
    told(server.outcome).check()
    try:
        outcome = each_way.run("http_clients:httpx_http2", Peer(server.port))
    finally:
        assert server.stop().servers == 0
    outcome.check()
    assert outcome.clients == 1


@pytest.mark.parametrize("program", DEFAULTS)
def test_default_context(injected: Way, program: str, peer: Peers) -> None:
    check_client(injected, f"http_clients:{program}", peer, talk_http, anonymous=True)


@each_wrong
@pytest.mark.parametrize("program", DEFAULTS)
def test_default_context_and_a_wrong_certificate(injected: Way, program: str, peer: Peers, certificate: str) -> None:
    check_refusal(injected, f"http_clients:{program}", peer, talk_http, certificate)


@pytest.mark.parametrize("program", [*PROGRAMS, *DEFAULTS])
def test_libraries_that_were_imported_before(injected_late: Way, program: str, peer: Peers) -> None:
    check_client(injected_late, f"http_clients:{program}", peer, talk_http, anonymous=program in DEFAULTS)
    check_refusal(injected_late, f"http_clients:{program}", peer, talk_http, "stranger")
