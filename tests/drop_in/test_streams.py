"""asyncio, uvloop, trio and anyio: streams, transports and upgrades of plain connections, on either side."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
from drop_in.checks import Peers, check_client, check_refusal, check_server, each_wrong, exchange_echo
from drop_in.peers import talk_echo, talk_upgrade
from drop_in.programs.streams import GO, PLEASE
from drop_in.ways import Way

CLIENTS = [
    "asyncio_open_connection",
    "asyncio_create_connection",
    "uvloop_open_connection",
    "uvloop_create_connection",
    "trio_stream",
    "anyio_asyncio",
    "anyio_trio",
]
UPGRADES = [
    "asyncio_start_tls",
    "asyncio_loop_start_tls",
    "uvloop_start_tls",
    "uvloop_loop_start_tls",
    "trio_start_tls",
    "anyio_asyncio_start_tls",
    "anyio_trio_start_tls",
]
SERVERS = ["asyncio_server", "uvloop_server", "trio_server", "anyio_server_asyncio", "anyio_server_trio"]
UPGRADING_SERVERS = ["asyncio_server_start_tls", "uvloop_server_start_tls"]


@pytest.mark.parametrize("program", CLIENTS)
def test_clients(each_way: Way, program: str, peer: Peers) -> None:
    check_client(each_way, f"streams:{program}", peer, talk_echo)


@each_wrong
@pytest.mark.parametrize("program", CLIENTS)
def test_wrong_certificate(each_way: Way, program: str, peer: Peers, certificate: str) -> None:
    check_refusal(each_way, f"streams:{program}", peer, talk_echo, certificate)


@pytest.mark.parametrize("program", UPGRADES)
def test_upgrades(each_way: Way, program: str, peer: Peers) -> None:
    check_client(each_way, f"streams:{program}", peer, talk_upgrade, tls_first=False)


@each_wrong
@pytest.mark.parametrize("program", UPGRADES)
def test_upgrade_and_a_wrong_certificate(each_way: Way, program: str, peer: Peers, certificate: str) -> None:
    check_refusal(each_way, f"streams:{program}", peer, talk_upgrade, certificate, tls_first=False)


@pytest.mark.parametrize("program", SERVERS)
def test_servers(each_way: Way, program: str, keys: Path) -> None:
    check_server(each_way, f"streams:{program}", keys, exchange_echo, alerts=False)


def _please(plain: socket.socket) -> None:
    plain.sendall(PLEASE)
    assert plain.recv(100) == GO


@pytest.mark.parametrize("program", UPGRADING_SERVERS)
def test_servers_that_upgrade(each_way: Way, program: str, keys: Path) -> None:
    def exchange(port: int, context: ssl.SSLContext) -> int:
        return exchange_echo(port, context, _please)

    check_server(each_way, f"streams:{program}", keys, exchange, alerts=False, prepare=_please)
