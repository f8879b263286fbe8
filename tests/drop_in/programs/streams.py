"""Clients and servers of the event loops' own streams: each sends one MiB through an echo, or is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

from drop_in.programs.http_servers import in_loop, in_thread
from drop_in.way import BODY, SECONDS, Peer, Tls, until

PLEASE, GO = b"please\n", b"go ahead\n"


async def _through(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    async def send() -> None:
        writer.write(BODY)
        await writer.drain()

    _, received = await asyncio.gather(send(), reader.readexactly(len(BODY)))
    assert received == BODY
    writer.close()
    await writer.wait_closed()


async def _open_connection(tls: Tls, peer: Peer) -> None:
    async with asyncio.timeout(SECONDS):
        await _through(*await asyncio.open_connection(peer.host, peer.port, ssl=tls.client()))


async def _start_tls(tls: Tls, peer: Peer) -> None:
    async with asyncio.timeout(SECONDS):
        reader, writer = await asyncio.open_connection(peer.host, peer.port)
        writer.write(PLEASE)
        assert await reader.readline() == GO
        await writer.start_tls(tls.client(), server_hostname=peer.host)
        await _through(reader, writer)


class _Receiver(asyncio.Protocol):
    """Sends, and receives as much."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.made = False
        self.lost = asyncio.Event()

    def connection_made(self, transport: Any) -> None:
        self.made = True
        transport.write(BODY)

    def data_received(self, data: bytes) -> None:
        self.received += data
        if len(self.received) >= len(BODY) and not self.done.done():
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if self.made and not self.done.done():
            self.done.set_exception(error or ConnectionError("closed"))
        self.lost.set()


async def _create_connection(tls: Tls, peer: Peer) -> None:
    async with asyncio.timeout(SECONDS):
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.create_connection(_Receiver, peer.host, peer.port, ssl=tls.client())
        await protocol.done
        assert protocol.received == BODY
        transport.close()
        await protocol.lost.wait()


class _Starter(asyncio.Protocol):
    """A plain protocol that asks for TLS."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:
        transport.write(PLEASE)

    def data_received(self, data: bytes) -> None:
        assert data == GO
        self.ready.set_result(None)


async def _loop_start_tls(tls: Tls, peer: Peer) -> None:
    async with asyncio.timeout(SECONDS):
        loop = asyncio.get_running_loop()
        transport, starter = await loop.create_connection(_Starter, peer.host, peer.port)
        await starter.ready
        receiver = _Receiver()
        upgraded = await loop.start_tls(transport, receiver, tls.client(), server_hostname=peer.host)
        assert upgraded is not None
        receiver.connection_made(upgraded)
        await receiver.done
        assert receiver.received == BODY
        upgraded.close()
        await receiver.lost.wait()


def asyncio_open_connection(tls: Tls, peer: Peer) -> None:
    asyncio.run(_open_connection(tls, peer))


def asyncio_create_connection(tls: Tls, peer: Peer) -> None:
    asyncio.run(_create_connection(tls, peer))


def asyncio_start_tls(tls: Tls, peer: Peer) -> None:
    asyncio.run(_start_tls(tls, peer))


def asyncio_loop_start_tls(tls: Tls, peer: Peer) -> None:
    asyncio.run(_loop_start_tls(tls, peer))


def uvloop_open_connection(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_open_connection(tls, peer))


def uvloop_create_connection(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_create_connection(tls, peer))


def uvloop_start_tls(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_start_tls(tls, peer))


def uvloop_loop_start_tls(tls: Tls, peer: Peer) -> None:
    import uvloop

    uvloop.run(_loop_start_tls(tls, peer))


def trio_stream(tls: Tls, peer: Peer) -> None:
    import trio

    async def main() -> None:
        with trio.fail_after(SECONDS):
            stream = await trio.open_ssl_over_tcp_stream(peer.host, peer.port, ssl_context=tls.client())
            await _trio_through(trio, stream)

    trio.run(main)


def trio_start_tls(tls: Tls, peer: Peer) -> None:
    import trio

    async def main() -> None:
        with trio.fail_after(SECONDS):
            plain = await trio.open_tcp_stream(peer.host, peer.port)
            await plain.send_all(PLEASE)
            assert await plain.receive_some(100) == GO
            await _trio_through(trio, trio.SSLStream(plain, tls.client(), server_hostname=peer.host))

    trio.run(main)


async def _trio_through(trio: Any, stream: Any) -> None:
    received = bytearray()
    async with stream, trio.open_nursery() as nursery:
        await stream.do_handshake()
        nursery.start_soon(stream.send_all, BODY)
        while len(received) < len(BODY):
            data = await stream.receive_some(1 << 16)
            assert data
            received += data
    assert received == BODY


async def _anyio_through(stream: Any) -> None:
    import anyio

    received = bytearray()
    async with stream, anyio.create_task_group() as group:
        group.start_soon(stream.send, BODY)
        while len(received) < len(BODY):
            received += await stream.receive()
    assert received == BODY


async def _anyio_connect(tls: Tls, peer: Peer) -> None:
    import anyio

    with anyio.fail_after(SECONDS):
        await _anyio_through(
            await anyio.connect_tcp(
                peer.host, peer.port, ssl_context=tls.client(), tls_hostname=peer.host, tls_standard_compatible=False
            )
        )


async def _anyio_start_tls(tls: Tls, peer: Peer) -> None:
    import anyio
    from anyio.streams.tls import TLSStream

    with anyio.fail_after(SECONDS):
        async with await anyio.connect_tcp(peer.host, peer.port) as plain:
            await plain.send(PLEASE)
            assert await plain.receive(100) == GO
            await _anyio_through(
                await TLSStream.wrap(plain, hostname=peer.host, ssl_context=tls.client(), server_side=False)
            )


def anyio_asyncio(tls: Tls, peer: Peer) -> None:
    import anyio

    anyio.run(_anyio_connect, tls, peer, backend="asyncio")


def anyio_trio(tls: Tls, peer: Peer) -> None:
    import anyio

    anyio.run(_anyio_connect, tls, peer, backend="trio")


def anyio_asyncio_start_tls(tls: Tls, peer: Peer) -> None:
    import anyio

    anyio.run(_anyio_start_tls, tls, peer, backend="asyncio")


def anyio_trio_start_tls(tls: Tls, peer: Peer) -> None:
    import anyio

    anyio.run(_anyio_start_tls, tls, peer, backend="trio")


# Servers.


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):  # ssl.SSLError is one: the client has gone
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()


def _start_server(tls: Tls, run: Callable[..., Any]) -> Any:
    @asynccontextmanager
    async def serving() -> Any:
        async with await asyncio.start_server(_echo, "127.0.0.1", 0, ssl=tls.server()) as server:
            yield server.sockets[0].getsockname()[1]

    return in_loop(serving, run)


def _start_server_upgrading(tls: Tls, run: Callable[..., Any]) -> Any:
    context = tls.server()

    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == PLEASE
        writer.write(GO)
        await writer.drain()
        try:
            await writer.start_tls(context)
        except OSError:
            writer.close()
            return
        await _echo(reader, writer)

    @asynccontextmanager
    async def serving() -> Any:
        async with await asyncio.start_server(upgrade, "127.0.0.1", 0) as server:
            yield server.sockets[0].getsockname()[1]

    return in_loop(serving, run)


def asyncio_server(tls: Tls) -> Any:
    return _start_server(tls, asyncio.run)


def asyncio_server_start_tls(tls: Tls) -> Any:
    return _start_server_upgrading(tls, asyncio.run)


def uvloop_server(tls: Tls) -> Any:
    import uvloop

    return _start_server(tls, uvloop.run)


def uvloop_server_start_tls(tls: Tls) -> Any:
    import uvloop

    return _start_server_upgrading(tls, uvloop.run)


@contextmanager
def trio_server(tls: Tls) -> Any:
    import trio

    ports: list[int] = []
    scopes: list[Any] = []
    tokens: list[Any] = []

    async def echo(stream: Any) -> None:
        with suppress(trio.BrokenResourceError):
            async for data in stream:
                await stream.send_all(data)

    async def main() -> None:
        tokens.append(trio.lowlevel.current_trio_token())
        listeners = await trio.open_ssl_over_tcp_listeners(0, tls.server(), host="127.0.0.1")
        with trio.CancelScope() as scope:
            scopes.append(scope)
            ports.append(listeners[0].transport_listener.socket.getsockname()[1])
            await trio.serve_listeners(echo, listeners)

    with in_thread(lambda: trio.run(main), lambda: tokens[0].run_sync_soon(scopes[0].cancel)):
        until(lambda: ports, "trio does not serve")
        yield ports[0]


@contextmanager
def _anyio_server(tls: Tls, backend: str) -> Any:
    import anyio
    import anyio.abc
    import anyio.from_thread
    from anyio.streams.tls import TLSListener

    async def echo(stream: Any) -> None:
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    await stream.send(await stream.receive())

    async def serve(*, task_status: Any) -> None:
        listener = await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=0)
        task_status.started(listener.extra(anyio.abc.SocketAttribute.local_port))
        async with TLSListener(listener, tls.server(), standard_compatible=False) as listening:
            await listening.serve(echo)

    with anyio.from_thread.start_blocking_portal(backend) as portal:
        task, port = portal.start_task(serve)
        yield port
        task.cancel()


def anyio_server_asyncio(tls: Tls) -> Any:
    return _anyio_server(tls, "asyncio")


def anyio_server_trio(tls: Tls) -> Any:
    return _anyio_server(tls, "trio")
