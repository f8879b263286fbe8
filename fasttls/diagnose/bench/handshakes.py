"""Handshakes, full and resumed, and data, over memory: what one step of each does, with its outcome asserted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from time import thread_time_ns
from typing import Any

from fasttls import trust
from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.ends import (
    Pair,
    certificate_of,
    connect,
    connect_timed,
    observe,
    take_tickets,
)
from fasttls.diagnose.bench.libraries import AES256, Setting, UnsupportedSetting

Step = Callable[[], int]
BLOCK = bytes(range(256)) * 64
PING = BLOCK[:64]


def forget() -> None:
    """Empty what fasttls remembers of certificates: the next handshake is a process's first with them."""
    trust.CERTIFICATES.clear()
    trust.SIGNATURES.clear()


def check(pair: Pair, setting: Setting, files: DemoFiles, session: Any = None) -> tuple[Any, Any]:
    """Assert what a connection comes to: version, suite and group on the wire, the certificate that was shown.

    Raises UnsupportedSetting when a server that should does not see the client's certificate.
    """
    client, server, found = observe(pair, session)
    resumed = session is not None
    assert (found.version, found.resumed) == (setting.version, resumed), found
    assert ("AES_256_GCM_SHA384" if setting.suite == AES256 else "AES_128_GCM_SHA256") in found.suite, found
    if setting.version == "TLSv1.3" or not resumed:
        assert found.group == setting.group.upper(), found
    leaf = ssl.PEM_cert_to_DER_cert(files.chain.read_text().partition("-----END CERTIFICATE-----")[0] + _END)
    assert certificate_of(client) in (leaf, None)
    if setting.mutual and certificate_of(server) != leaf:
        raise UnsupportedSetting("its server does not see the client's certificate")
    return client, server


_END = "-----END CERTIFICATE-----\n"


def check_refuses(pair: Pair) -> None:
    """Assert that a client does not take a certificate of an authority that it does not trust."""
    try:
        connect(pair)
    except Exception as exc:
        # Each library has its own class; all say which part failed.
        assert "certificate" in f"{exc}".lower(), exc  # noqa: PT017
    else:
        raise AssertionError("a certificate of an unknown authority was accepted")


def _assert_full(client: Any, version: str) -> None:
    assert client.version() == version
    assert not getattr(client, "session_reused", False)


def full(pair: Pair, setting: Setting, *, cold: bool = False) -> Step:
    """Return the step of a full handshake, both sides, from making the objects to freeing them."""

    def step() -> int:
        if cold:
            forget()
        start = thread_time_ns()
        client, server = connect(pair)
        shaken = thread_time_ns()
        _assert_full(client, setting.version)
        asserted = thread_time_ns()
        del client, server
        return thread_time_ns() - asserted + shaken - start

    return step


def one_side(pair: Pair, setting: Setting, side: str, *, cold: bool = False) -> Step:
    """Return the step of a full handshake in which the clock runs inside one side's calls alone."""

    def step() -> int:
        if cold:
            forget()
        timed = connect_timed(pair)
        _assert_full(timed.client, setting.version)
        return timed.client_ns if side == "client" else timed.server_ns

    return step


class Resumed:
    """Steps of resumptions: each connection offers the session of the one before, as a ticket is used once.

    with_next counts what a client does to go on later too: it reads the ticket, and takes .session.
    """

    def __init__(self, pair: Pair, setting: Setting, files: DemoFiles, *, with_next: bool) -> None:
        self._pair, self._with_next = pair, with_next
        self._session = self._next(connect(pair)[0])
        client, _ = connect(pair, self._session)
        if not client.session_reused:
            raise UnsupportedSetting(f"does not resume in {setting.version}")
        self._session = self._next(client)
        self._session = self._next(check(pair, setting, files, self._session)[0])

    @staticmethod
    def _next(client: Any) -> Any:
        take_tickets(client)
        session = client.session
        if session is None:
            raise UnsupportedSetting("gives no session to resume")
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
