"""Handshakes, full and resumed, and data, over memory: what one step of each does, with its outcome asserted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from time import thread_time_ns
from types import ModuleType
from typing import Any

from fasttls import trust
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.ends import (
    HOST,
    Pair,
    Setting,
    client_context,
    connect,
    connect_timed,
    server_context,
    take_tickets,
)

Step = Callable[[], int]
BLOCK = bytes(range(256)) * 64
PING = BLOCK[:64]


def forget() -> None:
    """Empty what fasttls remembers of certificates: the next handshake is a process's first with them."""
    trust.CERTIFICATES.clear()
    trust.SIGNATURES.clear()


def pair_of(library: ModuleType, files: DemoFiles, setting: Setting) -> Pair:
    """Return a client's and a server's context of one library."""
    return Pair(client_context(library, files, setting), server_context(library, files, setting))


def check(client: ssl.SSLObject, server: ssl.SSLObject, setting: Setting, *, resumed: bool = False) -> None:
    """Assert what a connection came to."""
    assert client.version() == server.version() == setting.version
    assert client.cipher() == server.cipher()
    assert client.session_reused is server.session_reused is resumed
    certificate: Any = client.getpeercert()
    assert ("DNS", HOST) in certificate["subjectAltName"]
    assert bool(server.getpeercert()) is setting.mutual


def full(pair: Pair, setting: Setting, *, cold: bool = False) -> Step:
    """Return the step of a full handshake, both sides, from making the objects to freeing them."""
    check(*connect(pair), setting)

    def step() -> int:
        if cold:
            forget()
        start = thread_time_ns()
        client, server = connect(pair)
        shaken = thread_time_ns()
        assert client.version() == setting.version
        assert not client.session_reused
        asserted = thread_time_ns()
        del client, server
        return thread_time_ns() - asserted + shaken - start

    return step


def one_side(pair: Pair, setting: Setting, side: str, *, cold: bool = False) -> Step:
    """Return the step of a full handshake in which the clock runs inside one side's calls alone."""
    check(*connect(pair), setting)

    def step() -> int:
        if cold:
            forget()
        timed = connect_timed(pair)
        assert timed.client.version() == setting.version
        assert not timed.client.session_reused
        return timed.client_ns if side == "client" else timed.server_ns

    return step


class Resumed:
    """Steps of resumptions: each connection offers the session of the one before, as a ticket is used once."""

    def __init__(self, pair: Pair, setting: Setting, *, with_next: bool) -> None:
        self._pair, self._setting, self._with_next = pair, setting, with_next
        self._session = self._next(connect(pair)[0])
        client, server = connect(pair, self._session)
        check(client, server, setting, resumed=True)
        self._session = self._next(client)

    @staticmethod
    def _next(client: ssl.SSLObject) -> ssl.SSLSession:
        take_tickets(client)
        session = client.session
        assert session is not None
        assert session.has_ticket
        return session

    def __call__(self) -> int:
        """Resume once."""
        start = thread_time_ns()
        client, server = connect(self._pair, self._session)
        following = None
        if self._with_next:
            take_tickets(client)
            following = client.session
        took = thread_time_ns() - start
        assert client.session_reused
        assert server.session_reused
        self._session = following or self._next(client)
        start = thread_time_ns()
        del client, server
        return took + thread_time_ns() - start


def ping_pong(pair: Pair, exchanges: int = 50) -> Step:
    """Return the step of 64 bytes there and back, so many times; the time is that of one exchange."""
    client, server = connect(pair)
    take_tickets(client)

    def step() -> int:
        start = thread_time_ns()
        for _ in range(exchanges):
            client.write(PING)
            received = server.read(64)
            server.write(received)
            returned = client.read(64)
        took = thread_time_ns() - start
        assert returned == PING
        return took // exchanges

    return step


def bulk(pair: Pair, what: str, blocks: int = 8) -> Step:
    """Return the step of 16 KiB in one record each way, so many times; the time is that of one block.

    what is "send", "receive" or "both ways"; the clock runs for that alone.
    """
    client, server = connect(pair)
    take_tickets(client)

    def step() -> int:
        sending = receiving = 0
        for sender, receiver in ((client, server), (server, client)):
            for _ in range(blocks // 2):
                start = thread_time_ns()
                sender.write(BLOCK)
                sent = thread_time_ns()
                received = receiver.read(len(BLOCK))
                receiving += thread_time_ns() - sent
                sending += sent - start
                assert received == BLOCK
        return {"send": sending, "receive": receiving, "both ways": sending + receiving}[what] // blocks

    return step
