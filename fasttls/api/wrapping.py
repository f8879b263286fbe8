"""From a context to the engine of one connection."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from fasttls.api.channel import BioChannel, SocketChannel
from fasttls.api.engine import Engine
from fasttls.api.errors import plain_error
from fasttls.api.session import session_of
from fasttls.api.snapshot import config_of
from fasttls.connection import Connection

if TYPE_CHECKING:
    import socket
    import ssl

    from fasttls.api.context import SSLContext


def over_socket(
    context: SSLContext,
    sock: socket.socket,
    server_side: bool,
    server_hostname: str | bytes | None,
    owner: object,
    session: object,
) -> Engine:
    """Return the engine that stands behind a socket of a context. Raises as make_engine does."""
    return make_engine(context, SocketChannel(sock), server_side, server_hostname, owner, session)


def over_bios(
    context: SSLContext,
    incoming: ssl.MemoryBIO,
    outgoing: ssl.MemoryBIO,
    server_side: bool,
    server_hostname: str | bytes | None,
    owner: object,
    session: object,
) -> Engine:
    """Return the engine that stands behind an object of a context, over a pair of BIOs. Raises as make_engine does."""
    return make_engine(context, BioChannel(incoming, outgoing), server_side, server_hostname, owner, session)


def make_engine(
    context: SSLContext,
    channel: BioChannel | SocketChannel,
    server_side: bool,
    server_hostname: str | bytes | None,
    owner: object,
    session: object,
) -> Engine:
    """Return the engine that stands behind a socket or an object of a context.

    Raises what the standard library does for what does not fit together.
    """
    if server_side and context._only_client:
        raise plain_error("Cannot create a server socket with a PROTOCOL_TLS_CLIENT context")
    if not server_side and context._only_server:
        raise plain_error("Cannot create a client socket with a PROTOCOL_TLS_SERVER context")
    config = config_of(context)
    name = choice = tap = None
    given = None if session is None else session_of(session, context)
    if server_side:
        if given is not None:
            raise ValueError("Cannot set session for server-side SSLSocket.")
        if context.sni_callback is not None:
            from dataclasses import replace

            from fasttls.api.sni import SniChoice

            choice = SniChoice(context, config, context.sni_callback)
            config = replace(config, select_config=choice.select)
    else:
        name = _checked_name(server_hostname)
    kind: type[Engine] = Engine
    if context._message_callback is not None:
        from fasttls.api.messages import Tap, TappedEngine

        tap, kind = Tap(config, server_side=server_side), TappedEngine
        config = tap.on_message(config)
    connection = Connection(config, server_side=server_side, server_name=name, session=given)
    engine = kind(context, connection, channel, owner, choice)
    if choice is not None:
        choice.engine = weakref.ref(engine)
    if tap is not None:
        assert isinstance(engine, TappedEngine)
        engine.tap, tap.engine = tap, weakref.ref(engine)
    return engine


def _checked_name(server_hostname: str | bytes | None) -> str | None:
    name = server_hostname.decode("ascii") if isinstance(server_hostname, bytes) else server_hostname
    if name is None:
        return None
    if "\0" in name:
        raise TypeError("argument must be encoded string without null bytes, not str")
    if not name or name.startswith("."):
        raise ValueError("server_hostname cannot be an empty string or start with a leading dot.")
    return name
