"""Clients of MQTT, AMQP, Redis and WebSocket: each sends one MiB and receives it; and servers of WebSocket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from drop_in.programs.http_servers import in_loop, in_thread
from drop_in.way import BODY, SECONDS, Peer, Tls, leaves_sockets


@leaves_sockets
def paho_mqtt(tls: Tls, peer: Peer) -> None:
    from paho.mqtt import client as mqtt

    received: list[bytes] = []
    subscribed, arrived = threading.Event(), threading.Event()

    def on_message(client: Any, data: Any, message: Any) -> None:
        received.append(message.payload)
        arrived.set()

    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *rest: client.subscribe("topic")
    client.on_subscribe = lambda *rest: subscribed.set()
    client.on_message = on_message
    if tls.injected:
        client.tls_set(tls.ca, *tls.client_files)
    else:
        client.tls_set_context(tls.client())
    client.connect(peer.host, peer.port)
    client.loop_start()
    try:
        assert subscribed.wait(SECONDS)
        client.publish("topic", BODY, qos=1).wait_for_publish(SECONDS)
        assert arrived.wait(SECONDS)
        assert received == [BODY]
        client.disconnect()
    finally:
        client.loop_stop()


def pika(tls: Tls, peer: Peer) -> None:
    import pika

    parameters = pika.ConnectionParameters(
        peer.host,
        peer.port,
        ssl_options=pika.SSLOptions(tls.client(), peer.host),
        socket_timeout=SECONDS,
        connection_attempts=1,
    )
    connection = pika.BlockingConnection(parameters)
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.queue_declare("q")
        channel.basic_publish("", "q", BODY)
        _, _, body = channel.basic_get("q", auto_ack=True)
        assert body == BODY
    finally:
        connection.close()


def aio_pika(tls: Tls, peer: Peer) -> None:
    import aio_pika

    settings: dict[str, Any] = {"ssl_context": tls.client()}
    if tls.injected:
        certificate, key = tls.client_files
        settings = {"ssl_options": {"cafile": tls.ca, "certfile": certificate, "keyfile": key}}

    async def main() -> None:
        connection = await aio_pika.connect(host=peer.host, port=peer.port, ssl=True, timeout=SECONDS, **settings)
        async with connection:
            channel = await connection.channel()
            queue = await channel.declare_queue("q")
            await channel.default_exchange.publish(aio_pika.Message(BODY), "q")
            message = await queue.get(no_ack=True)
            assert message is not None
            assert message.body == BODY

    asyncio.run(main())


def _redis_settings(tls: Tls, peer: Peer) -> dict[str, Any]:
    certificate, key = tls.client_files
    return {
        "host": peer.host,
        "port": peer.port,
        "protocol": 2,
        "socket_timeout": SECONDS,
        "ssl": True,
        "ssl_ca_certs": tls.ca,
        "ssl_certfile": certificate,
        "ssl_keyfile": key,
    }


def redis(tls: Tls, peer: Peer) -> None:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with redis.Redis(**_redis_settings(tls, peer), retry=Retry(NoBackoff(), 0)) as client:
        assert client.set("key", BODY)
        assert client.get("key") == BODY


def redis_asyncio(tls: Tls, peer: Peer) -> None:
    import redis.asyncio
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    async def main() -> None:
        settings = _redis_settings(tls, peer)
        async with redis.asyncio.Redis(**settings, retry=Retry(NoBackoff(), 0)) as client:
            assert await client.set("key", BODY)
            assert await client.get("key") == BODY

    asyncio.run(main())


def websockets_sync(tls: Tls, peer: Peer) -> None:
    from websockets.sync.client import connect

    with connect(
        f"wss://{peer.host}:{peer.port}/", ssl=tls.client(), open_timeout=SECONDS, max_size=None, proxy=None
    ) as client:
        client.send(BODY)
        assert client.recv(SECONDS) == BODY


def websockets_asyncio(tls: Tls, peer: Peer) -> None:
    from websockets.asyncio.client import connect

    async def main() -> None:
        async with connect(
            f"wss://{peer.host}:{peer.port}/", ssl=tls.client(), open_timeout=SECONDS, max_size=None, proxy=None
        ) as client:
            await client.send(BODY)
            assert await client.recv() == BODY

    asyncio.run(main())


@contextmanager
def websockets_server_sync(tls: Tls) -> Iterator[int]:
    from websockets.sync.server import serve

    def echo(connection: Any) -> None:
        for message in connection:
            connection.send(message)

    with (
        serve(echo, "127.0.0.1", 0, ssl=tls.server(), max_size=None) as server,
        in_thread(server.serve_forever, server.shutdown),
    ):
        yield server.socket.getsockname()[1]


def websockets_server_asyncio(tls: Tls) -> Any:
    from websockets.asyncio.server import serve

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    @asynccontextmanager
    async def serving() -> Any:
        async with serve(echo, "127.0.0.1", 0, ssl=tls.server(), max_size=None) as server:
            yield next(iter(server.sockets)).getsockname()[1]

    return in_loop(serving)
