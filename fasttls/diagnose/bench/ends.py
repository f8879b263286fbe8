"""Contexts of libraries with the interface of `ssl`, and connections of them over memory, timed.

CPU time is this thread's (CLOCK_THREAD_CPUTIME_ID): what another thread or program does meanwhile is not in it.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from time import thread_time_ns
from types import ModuleType
from typing import Any, NamedTuple

from fasttls.api.context import SSLContext
from fasttls.diagnose.authority import DemoFiles

HOST = "localhost"


class Setting(NamedTuple):
    """What both sides of a connection are told."""

    version: str = "TLSv1.3"
    group: str = "X25519"
    mutual: bool = False


class Pair(NamedTuple):
    """A client's and a server's context."""

    client: ssl.SSLContext
    server: ssl.SSLContext


def client_context(library: ModuleType, files: DemoFiles, setting: Setting) -> ssl.SSLContext:
    """Return a client's context that trusts the root of files and checks the name."""
    context: ssl.SSLContext = library.create_default_context(cafile=str(files.root))
    if setting.mutual:
        context.load_cert_chain(str(files.chain), str(files.key))
    return _set(context, setting)


def server_context(library: ModuleType, files: DemoFiles, setting: Setting) -> ssl.SSLContext:
    """Return a server's context, with the chain of files."""
    context: ssl.SSLContext = library.SSLContext(library.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(files.chain), str(files.key))
    if setting.mutual:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(str(files.root))
    return _set(context, setting)


def _set(context: ssl.SSLContext, setting: Setting) -> ssl.SSLContext:
    only = ssl.TLSVersion[setting.version.replace(".", "_")]
    context.minimum_version = context.maximum_version = only
    if isinstance(context, SSLContext):
        # A P-256 certificate needs its curve in the list in TLS 1.2 (RFC 8422 section 5.1).
        context.set_groups(f"*{setting.group}" if setting.group == "secp256r1" else f"*{setting.group}:secp256r1")
    elif setting.group == "secp256r1":
        context.set_ecdh_curve("prime256v1")
    else:
        assert setting.group == "X25519", "ssl's first choice; it has no name for another one"
    return context


def connect(pair: Pair, session: ssl.SSLSession | None = None) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Shake hands over memory, and return the client's and the server's end. Raises ssl.SSLError when it fails."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
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


def connect_timed(pair: Pair, session: ssl.SSLSession | None = None) -> Timed:
    """Do as connect(), with a clock that runs for one end at a time."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    start = thread_time_ns()
    client = pair.client.wrap_bio(to_client, to_server, server_hostname=HOST, session=session)
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


def take_tickets(client: ssl.SSLObject) -> None:
    """Let a client read what a server sent behind the handshake."""
    with suppress(ssl.SSLWantReadError):
        client.read(1)
