"""gevent, in processes of its own: what it patches stays patched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from drop_in.checks import (
    Exchange,
    Peers,
    check_client,
    check_refusal,
    check_server,
    each_wrong,
    exchange_echo,
    exchange_http,
)
from drop_in.peers import Talk, talk_echo, talk_http
from drop_in.ways import Apart, Way, need

CLIENTS = [("requests", talk_http), ("greenlets_wait_for_each_other", talk_echo)]
SERVERS = [("pywsgi", exchange_http), ("stream_server", exchange_echo), ("switching_server", exchange_echo)]


@pytest.fixture(params=["patched", "imported-patched", "patched-injected", "injected-patched"])
def gevent_way(request: pytest.FixtureRequest, process: Callable[[str], Apart]) -> Way:
    """Return a patched process, where contexts are passed or fasttls was injected."""
    need("gevent")
    return process(request.param)


@pytest.mark.parametrize(("program", "talk"), CLIENTS, ids=[name for name, _ in CLIENTS])
def test_bodies(gevent_way: Way, program: str, talk: Talk, peer: Peers) -> None:
    check_client(gevent_way, f"under_gevent:{program}", peer, talk)


@each_wrong
@pytest.mark.parametrize(("program", "talk"), CLIENTS, ids=[name for name, _ in CLIENTS])
def test_wrong_certificate(gevent_way: Way, program: str, talk: Talk, peer: Peers, certificate: str) -> None:
    check_refusal(gevent_way, f"under_gevent:{program}", peer, talk, certificate)


@pytest.mark.parametrize(("program", "exchange"), SERVERS, ids=[name for name, _ in SERVERS])
def test_servers(gevent_way: Way, program: str, exchange: Exchange, keys: Path) -> None:
    check_server(gevent_way, f"under_gevent:{program}", keys, exchange)
