"""Connections over memory, of two ends of one library or of two, timed and looked at.

CPU time is this thread's (CLOCK_THREAD_CPUTIME_ID): what another thread or program does meanwhile is not in it.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from time import thread_time_ns
from typing import Any, NamedTuple

from fasttls.diagnose.authority import DemoFiles
from fasttls.diagnose.bench.libraries import Library, Setting
from fasttls.diagnose.bench.wirefacts import Agreed, agreed

HOST = "localhost"
_ROUNDS = 8  # of messages; a handshake has fewer


class Pair(NamedTuple):
    """A client's and a server's context, and what carries bytes between them."""

    client: Any
    server: Any
    bio: Callable[[], Any]


def pair_of(client: Library, server: Library, files: DemoFiles, setting: Setting) -> Pair:
    """Return contexts of two libraries, or of one. Raises UnsupportedSetting."""
    return Pair(
        client.context(files, setting, False),
        server.context(files, setting, True),
        client.bio() if client is server else ssl.MemoryBIO,
    )


def connect(pair: Pair, session: Any = None) -> tuple[Any, Any]:
    """Shake hands over memory, and return the client's and the server's end. Raises ssl.SSLError when it fails."""
    to_server, to_client = pair.bio(), pair.bio()
    if session is None:
        client = pair.client.wrap_bio(to_client, to_server, server_hostname=HOST)
    else:
        client = pair.client.wrap_bio(to_client, to_server, server_hostname=HOST, session=session)
    server = pair.server.wrap_bio(to_server, to_client, server_side=True)
    waiting = [client, server]
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    return client, server


class Timed(NamedTuple):
    """A connection, and CPU nanoseconds spent inside the calls of each end."""

    client: Any
    server: Any
    client_ns: int
    server_ns: int


def connect_timed(pair: Pair) -> Timed:
    """Do as connect(), with a clock that runs for one end at a time."""
    to_server, to_client = pair.bio(), pair.bio()
    start = thread_time_ns()
    client = pair.client.wrap_bio(to_client, to_server, server_hostname=HOST)
    middle = thread_time_ns()
    server = pair.server.wrap_bio(to_server, to_client, server_side=True)
    spent = [middle - start, thread_time_ns() - middle]
    waiting = [(client, 0), (server, 1)]
    while waiting:
        end, side = waiting.pop(0)
        start = thread_time_ns()
        try:
            end.do_handshake()
            done = True
        except ssl.SSLWantReadError:
            done = False
        spent[side] += thread_time_ns() - start
        if not done:
            waiting.append((end, side))
    return Timed(client, server, *spent)


class Observed(NamedTuple):
    """A connection, and what its server's bytes say."""

    client: Any
    server: Any
    agreed: Agreed


def observe(pair: Pair, session: Any = None) -> Observed:
    """Do as connect(), carrying the bytes by hand, and read what was agreed on."""
    client_in, client_out, server_in, server_out = (ssl.MemoryBIO() for _ in range(4))
    offered = {} if session is None else {"session": session}
    client = pair.client.wrap_bio(client_in, client_out, server_hostname=HOST, **offered)
    server = pair.server.wrap_bio(server_in, server_out, server_side=True)
    stream = bytearray()
    waiting = {client, server}
    for _ in range(_ROUNDS):
        for end, outgoing, incoming in ((client, client_out, server_in), (server, server_out, client_in)):
            if end in waiting:
                with suppress(ssl.SSLWantReadError):
                    end.do_handshake()
                    waiting.discard(end)
            data = outgoing.read()
            incoming.write(data)
            if end is server:
                stream += data
    assert not waiting, "the handshake did not end"
    return Observed(client, server, agreed(bytes(stream)))


def take_tickets(client: Any) -> None:
    """Let a client read what a server sent behind the handshake."""
    with suppress(ssl.SSLWantReadError):
        client.read(1)


def certificate_of(end: Any) -> bytes | None:
    """Return the certificate that the peer of an end showed, DER; None when a library does not say."""
    found: bytes | None = end.certificate() if hasattr(end, "certificate") else end.getpeercert(True)
    return found
