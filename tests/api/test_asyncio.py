"""asyncio's streams and transports, on either side, and their upgrade of a plain connection."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import ModuleType

import pytest
from api.peers import SECONDS, client_context, each_pair, server_context

import fasttls

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
DATA = bytes(range(256)) * 8192  # 2 MiB


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def _serving(handler: Handler, context: ssl.SSLContext | None) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


def _run(work: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(SECONDS):
            await work()

    asyncio.run(limited())


@each_pair
def test_streams(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    async def work() -> None:
        async with _serving(_echo, server_context(server_library, folder)) as port:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client_context(client_library, folder), server_hostname="localhost"
            )
            assert writer.get_extra_info("cipher")[1] == "TLSv1.3"
            assert writer.get_extra_info("peercert")["subject"]
            assert isinstance(writer.get_extra_info("ssl_object"), client_library.SSLObject)
            sending = asyncio.create_task(_send(writer))
            assert await reader.readexactly(len(DATA)) == DATA
            await sending
            writer.close()
            await writer.wait_closed()

    _run(work)


async def _send(writer: asyncio.StreamWriter) -> None:
    writer.write(DATA)
    await writer.drain()


@each_pair
def test_end_of_the_stream(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    async def say_and_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"one\ntwo\n")
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def work() -> None:
        async with _serving(say_and_leave, server_context(server_library, folder)) as port:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client_context(client_library, folder), server_hostname="localhost"
            )
            assert [line async for line in reader] == [b"one\n", b"two\n"]
            writer.close()
            await writer.wait_closed()

    _run(work)


@each_pair
def test_start_tls(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    server_tls = server_context(server_library, folder)

    async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"GO\n")
        await writer.drain()
        await writer.start_tls(server_tls)
        await _echo(reader, writer)

    async def work() -> None:
        async with _serving(upgrade, None) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"STARTTLS\n")
            assert await reader.readline() == b"GO\n"
            await writer.start_tls(client_context(client_library, folder), server_hostname="localhost")
            writer.write(b"secret\n")
            assert await reader.readline() == b"secret\n"
            assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
            writer.close()
            await writer.wait_closed()

    _run(work)


def test_certificate_that_is_refused(folder: Path) -> None:
    async def work() -> None:
        async with _serving(_echo, server_context(fasttls, folder)) as port:
            with pytest.raises(ssl.SSLCertVerificationError) as refused:
                await asyncio.open_connection(
                    "127.0.0.1", port, ssl=fasttls.create_default_context(), server_hostname="localhost"
                )
            assert refused.value.verify_code == 20
            with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
                await asyncio.open_connection(
                    "127.0.0.1", port, ssl=client_context(fasttls, folder), server_hostname="other.example"
                )

    _run(work)


def test_default_host_is_that_of_the_connection(folder: Path) -> None:
    async def work() -> None:
        async with _serving(_echo, server_context(fasttls, folder)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(fasttls, folder))
            writer.write(b"x")
            assert await reader.read(1) == b"x"
            writer.close()
            await writer.wait_closed()

    _run(work)


def test_many_connections_at_once(folder: Path) -> None:
    async def one(port: int, context: ssl.SSLContext, number: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname="localhost")
        writer.write(f"{number}\n".encode())
        answer = await reader.readline()
        writer.close()
        await writer.wait_closed()
        return answer

    async def work() -> None:
        context = client_context(fasttls, folder)
        async with _serving(_echo, server_context(fasttls, folder)) as port:
            answers = await asyncio.gather(*(one(port, context, number) for number in range(30)))
            assert answers == [f"{number}\n".encode() for number in range(30)]

    _run(work)


@each_pair
def test_handshake_times_out(folder: Path, client_library: ModuleType, server_library: ModuleType) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async def work() -> None:
        async with _serving(silent, None) as port:
            with pytest.raises(ConnectionAbortedError, match="handshake is taking longer"):
                await asyncio.open_connection(
                    "127.0.0.1",
                    port,
                    ssl=client_context(client_library, folder),
                    server_hostname="localhost",
                    ssl_handshake_timeout=0.2,
                )

    _run(work)


def test_end_without_close_notify_while_reading(folder: Path) -> None:
    async def abort(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"cut")
        await writer.drain()
        assert await reader.read(1) == b"x"
        writer.transport.abort()

    async def outcome(library: ModuleType) -> object:
        async with _serving(abort, server_context(fasttls, folder)) as port:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, ssl=client_context(library, folder), server_hostname="localhost"
            )
            assert await reader.readexactly(3) == b"cut"
            writer.write(b"x")
            try:
                return await reader.read()
            except OSError as exc:
                return type(exc)
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    async def work() -> None:
        assert await outcome(fasttls) == await outcome(ssl)

    _run(work)
