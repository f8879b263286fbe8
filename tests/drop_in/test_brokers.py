"""Clients of brokers, and WebSocket on either side."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from drop_in.checks import Peers, check_client, check_refusal, check_server, each_wrong
from drop_in.peers import Talk
from drop_in.peers_brokers import talk_amqp, talk_mqtt, talk_redis, talk_websocket
from drop_in.way import BODY, HOST, SECONDS
from drop_in.ways import Way, library

CLIENTS = [
    ("paho_mqtt", talk_mqtt),
    ("pika", talk_amqp),
    ("aio_pika", talk_amqp),
    ("websockets_sync", talk_websocket),
    ("websockets_asyncio", talk_websocket),
]
FILES = [("redis", talk_redis), ("redis_asyncio", talk_redis)]
"""Who takes files alone."""


@pytest.mark.parametrize(("program", "talk"), CLIENTS, ids=[name for name, _ in CLIENTS])
def test_bodies(each_way: Way, program: str, talk: Talk, peer: Peers) -> None:
    check_client(each_way, f"brokers:{program}", peer, talk)


@each_wrong
@pytest.mark.parametrize(("program", "talk"), CLIENTS, ids=[name for name, _ in CLIENTS])
def test_wrong_certificate(each_way: Way, program: str, talk: Talk, peer: Peers, certificate: str) -> None:
    check_refusal(each_way, f"brokers:{program}", peer, talk, certificate)


@pytest.mark.parametrize(("program", "talk"), FILES, ids=[name for name, _ in FILES])
def test_bodies_with_files(injected: Way, program: str, talk: Talk, peer: Peers) -> None:
    check_client(injected, f"brokers:{program}", peer, talk)


@each_wrong
@pytest.mark.parametrize(("program", "talk"), FILES, ids=[name for name, _ in FILES])
def test_wrong_certificate_with_files(injected: Way, program: str, talk: Talk, peer: Peers, certificate: str) -> None:
    check_refusal(injected, f"brokers:{program}", peer, talk, certificate)


@pytest.mark.parametrize("program", ["websockets_server_sync", "websockets_server_asyncio"])
def test_websocket_servers(each_way: Way, program: str, keys: Path) -> None:
    # In one thread: its client with threads reads and writes at once, which is a race inside `ssl` before Python 3.13.
    client = library("websockets.asyncio.client")

    async def talk(port: int, context: ssl.SSLContext) -> None:
        async with client.connect(
            f"wss://{HOST}:{port}/", ssl=context, open_timeout=SECONDS, max_size=None, proxy=None
        ) as connection:
            await connection.send(BODY)
            assert await asyncio.wait_for(connection.recv(), SECONDS) == BODY

    def exchange(port: int, context: ssl.SSLContext) -> int:
        asyncio.run(talk(port, context))
        return 1

    alerts = program == "websockets_server_sync"
    check_server(each_way, f"brokers:{program}", keys, exchange, alerts=alerts)
