"""Sessions as a server's program sets them up: tickets, their keys, and the frameworks that go on with them."""

from __future__ import annotations

import asyncio
import http.client
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from api.peers import (
    SECONDS,
    Peer,
    each_library,
    each_pair,
    server_context,
    serving,
    socket_pair,
)
from api.resuming import TLS13, contexts, each_version, first_session, link, reused, to

import fasttls


class TestServerSettings:
    """Tickets, their number, their lifetime, their keys."""

    @each_library
    def test_num_tickets(self, library: ModuleType, folder: Path) -> None:
        client, server = contexts(folder, library, library)
        assert server.num_tickets == client.num_tickets == 2
        server.num_tickets = 0
        assert server.num_tickets == 0
        with pytest.raises(ValueError, match=r"num tickets|non-negative"):
            server.num_tickets = -1
        with pytest.raises(TypeError):
            server.num_tickets = None
        with pytest.raises(TypeError):
            server.num_tickets = "2"
        with pytest.raises(ValueError, match="not a server context"):
            client.num_tickets = 2
        assert server.num_tickets == 0

    @pytest.mark.parametrize("number", [0, 1, 3])
    @each_pair
    def test_as_many_tickets(
        self, client_library: ModuleType, server_library: ModuleType, number: int, folder: Path
    ) -> None:
        client, server = contexts(folder, client_library, server_library, TLS13)
        server.num_tickets = number
        session = first_session(client, server)
        assert session is not None
        assert session.has_ticket is bool(number)
        with link(client, server, session) as (ours, _):
            assert ours.session_reused is bool(number)

    @each_version
    def test_the_lifetime(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        assert server.ticket_lifetime == 7200
        server.ticket_lifetime = 300
        session = first_session(client, server)
        assert session.ticket_lifetime_hint == session.timeout == 300
        for wrong in (0, -1, 7 * 86400 + 1):
            with pytest.raises(ValueError, match="seconds"):
                server.ticket_lifetime = wrong
        server.ticket_lifetime = 7 * 86400

    def test_keys_are_an_object_with_two_methods(self, folder: Path) -> None:
        _, server = contexts(folder)
        for wrong in (None, b"key", object()):
            with pytest.raises(TypeError, match="active"):
                server.ticket_keys = wrong
        assert isinstance(server.ticket_keys, fasttls.MemoryTicketKeys)
        assert server.ticket_keys is server.ticket_keys


KINDS = ["memory", "file", "file80", "epoch"]


def make_keys(kind: str, folder: Path) -> Callable[[], Any]:
    """Return what makes a store of a kind; those of two processes have the same keys, but for memory."""
    if kind == "memory":
        kept = fasttls.MemoryTicketKeys()
        return lambda: kept
    if kind == "epoch":
        seed = os.urandom(32)
        return lambda: fasttls.EpochTicketKeys(seed)
    path = folder / f"{kind}-ticket.key"
    path.write_bytes(os.urandom(80 if kind == "file80" else 48))
    return lambda: fasttls.FileTicketKeys(path)


class TestTicketKeys:
    """Servers that share keys go on with each other's sessions."""

    @each_version
    @pytest.mark.parametrize("kind", KINDS)
    def test_two_contexts(self, kind: str, version: ssl.TLSVersion, folder: Path, tmp_path: Path) -> None:
        client, one = contexts(folder, version=version)
        _, other = contexts(folder, version=version)
        make = make_keys(kind, tmp_path)
        one.ticket_keys, other.ticket_keys = make(), make()
        session = first_session(client, one)
        with link(client, other, session) as (ours, _):
            assert ours.session_reused

    @pytest.mark.parametrize("kind", KINDS)
    def test_processes_after_a_fork(self, kind: str, folder: Path, tmp_path: Path) -> None:
        client, server = contexts(folder)
        server.ticket_keys = make_keys(kind, tmp_path)()
        self.check_forked(client, server)

    @staticmethod
    def check_forked(client: Any, server: Any) -> None:
        client.resumption = False
        client.resumption = True
        with socket.create_server(("127.0.0.1", 0)) as listener:
            children = []
            for _ in range(2):
                # Each takes one connection.
                child = os.fork()
                if not child:
                    status = 1
                    with suppress(BaseException):
                        plain, _ = listener.accept()
                        plain.settimeout(SECONDS)
                        with server.wrap_socket(plain, server_side=True) as wrapped:
                            wrapped.sendall(wrapped.recv(1))
                            wrapped.recv(1)
                        status = 0
                    os._exit(status)
                children.append(child)
            found = [reused(client, listener.getsockname()) for _ in range(2)]
            assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
        assert found == [False, True]

    @pytest.mark.parametrize("kind", ["file", "epoch"])
    def test_two_programs(self, kind: str, folder: Path, tmp_path: Path) -> None:
        """Two processes that have nothing in common but the key."""
        path = tmp_path / "ticket.key"
        path.write_bytes(os.urandom(48))
        made = "FileTicketKeys(path)" if kind == "file" else "EpochTicketKeys(open(path, 'rb').read())"
        program = (
            "import socket, sys, fasttls\n"
            "folder, path = sys.argv[1:]\n"
            "context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)\n"
            "context.load_cert_chain(folder + '/server-chain.pem', folder + '/server-key.pem')\n"
            f"context.ticket_keys = fasttls.{made}\n"
            "with socket.create_server(('127.0.0.1', 0)) as listener:\n"
            "    print(listener.getsockname()[1], flush=True)\n"
            "    plain, _ = listener.accept()\n"
            "    with context.wrap_socket(plain, server_side=True) as wrapped:\n"
            "        wrapped.sendall(wrapped.recv(1))\n"
            "        wrapped.recv(1)\n"
        )
        client, _ = contexts(folder)
        processes = [
            subprocess.Popen([sys.executable, "-c", program, str(folder), str(path)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        try:
            session: Any = None
            for process in processes:
                assert process.stdout is not None
                address = ("127.0.0.1", int(process.stdout.readline()))
                with to(client, address, **({} if session is None else {"session": session})) as wrapped:
                    assert wrapped.session_reused is (session is not None)
                    session = wrapped.session
        finally:
            for process in processes:
                process.kill()
                process.wait(SECONDS)
                assert process.stdout is not None
                process.stdout.close()

    def test_a_file_that_changes(self, folder: Path, tmp_path: Path) -> None:
        """The key that was retired this moment still opens."""
        now = [0.0]
        path = tmp_path / "ticket.key"
        path.write_bytes(os.urandom(48))
        client, server = contexts(folder)
        server.ticket_keys = fasttls.FileTicketKeys(path, clock=lambda: now[0])
        session = first_session(client, server)
        path.write_bytes(os.urandom(80))
        now[0] += 2
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
            following = ours.session
        path.write_bytes(b"half written")
        now[0] += 2
        with link(client, server, following) as (ours, _):
            assert ours.session_reused
        path.unlink()
        now[0] += 2
        with link(client, server, following) as (ours, _):
            assert ours.session_reused

    @pytest.mark.parametrize("size", [0, 47, 49, 79, 81, 1000])
    def test_a_file_that_is_no_key(self, size: int, tmp_path: Path) -> None:
        path = tmp_path / "ticket.key"
        path.write_bytes(bytes(size))
        with pytest.raises(ValueError, match="48 or 80"):
            fasttls.FileTicketKeys(path)
        with pytest.raises(FileNotFoundError):
            fasttls.FileTicketKeys(tmp_path / "nowhere")
        with pytest.raises(ValueError, match="no file"):
            fasttls.FileTicketKeys()

    def test_several_files(self, folder: Path, tmp_path: Path) -> None:
        """nginx: the first seals, all open."""
        paths = [tmp_path / name for name in ("new", "old")]
        for path in paths:
            path.write_bytes(os.urandom(48))
        client, server = contexts(folder)
        _, before = contexts(folder)
        before.ticket_keys = fasttls.FileTicketKeys(paths[1])
        server.ticket_keys = fasttls.FileTicketKeys(*paths)
        session = first_session(client, before)
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
            following = ours.session
        with link(client, before, following) as (ours, _):
            assert not ours.session_reused

    def test_epochs(self, folder: Path) -> None:
        """A key opens in its epoch, in those after it that are kept, and a little before it."""
        seed, now = os.urandom(32), [1_000_000.0]
        client, server = contexts(folder)
        server.ticket_keys = fasttls.EpochTicketKeys(seed, epoch_seconds=1000, kept=1, now=lambda: now[0])
        session = first_session(client, server)
        for later, goes_on in ((-1000, True), (0, True), (1000, True), (2000, False)):
            now[0] = 1_000_000.0 + later
            with link(client, server, session) as (ours, _):
                assert ours.session_reused is goes_on, later
        with pytest.raises(ValueError, match="32 bytes"):
            fasttls.EpochTicketKeys(bytes(31))

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_secret_is_shown(self, kind: str, tmp_path: Path) -> None:
        keys = make_keys(kind, tmp_path)()
        active = keys.active()
        assert bytes(active.secret).hex() not in repr(keys) + repr(active)

    def test_rotation_by_hand(self, folder: Path) -> None:
        keys = fasttls.MemoryTicketKeys(kept=2)
        client, server = contexts(folder)
        server.ticket_keys = keys
        session = first_session(client, server)
        keys.rotate()
        with link(client, server, session) as (ours, _):
            assert ours.session_reused
        keys.rotate()
        with link(client, server, session) as (ours, _):
            assert not ours.session_reused


@pytest.mark.parametrize("seconds", [None, 6.0], ids=["waiting", "with a timeout"])
def test_both_sides_of_a_handshake_that_fails_know_at_once(seconds: float | None, folder: Path) -> None:
    """What is left unread is dropped without waiting for more of it, whatever the socket's timeout."""
    client, _ = contexts(folder)
    server = server_context(fasttls, folder)
    began = time.monotonic()
    with socket_pair() as (near, far):
        near.settimeout(seconds)
        far.settimeout(seconds)
        accepting = Peer(lambda: server.wrap_socket(far, server_side=True))
        with pytest.raises(ssl.SSLCertVerificationError):
            client.wrap_socket(near, server_hostname="other.example")
        assert isinstance(accepting.wait_for_error(), ssl.SSLError)
    assert time.monotonic() - began < 3


class TestFrameworks:
    """Programs of the standard library go on with sessions, without a line of theirs."""

    def test_http_client(self, folder: Path) -> None:
        client, server = contexts(folder)

        def handle(sock: Any) -> None:
            sock.recv(4096)
            body = b"again" if sock.session_reused else b"first"
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        found = []
        with serving(server, handle) as address:
            for _ in range(3):
                connection = http.client.HTTPSConnection("localhost", address[1], timeout=SECONDS, context=client)
                connection.request("GET", "/")
                found.append(connection.getresponse().read())
                connection.close()
        assert found == [b"first", b"again", b"again"]

    def test_urllib(self, folder: Path) -> None:
        import urllib.request

        client, server = contexts(folder)

        def handle(sock: Any) -> None:
            sock.recv(4096)
            body = b"again" if sock.session_reused else b"first"
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n" + body)

        with serving(server, handle) as address:
            found = []
            for _ in range(2):
                with urllib.request.urlopen(
                    f"https://localhost:{address[1]}/", context=client, timeout=SECONDS
                ) as answer:
                    found.append(answer.read())
        assert found == [b"first", b"again"]

    @each_version
    def test_asyncio(self, version: ssl.TLSVersion, folder: Path) -> None:
        client, server = contexts(folder, version=version)
        client.resumption = True

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.read(100))
            await writer.drain()
            writer.close()

        async def one(port: int) -> bool:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname="localhost")
            writer.write(b"hello")
            assert await reader.read(100) == b"hello"
            found = writer.get_extra_info("ssl_object").session_reused
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return bool(found)

        async def run() -> list[bool]:
            listening = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=server)
            async with listening:
                port = listening.sockets[0].getsockname()[1]
                return [await one(port) for _ in range(3)]

        assert asyncio.run(run()) == [False, True, True]
