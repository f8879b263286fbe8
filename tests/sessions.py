"""Sessions for tests: two configurations that resume, and what a first connection of them leaves."""

from __future__ import annotations

from typing import Any

from harness import Pair, client_config, server_config

from fasttls.events import Event, TicketReceived
from fasttls.handshake.config import Config
from fasttls.sessions.cache import ServerSessions
from fasttls.sessions.keys import MemoryTicketKeys
from fasttls.sessions.replay import MemoryReplayGuard
from fasttls.sessions.session import Session

EARLY_DATA = 1000  # bytes that a server takes


def client_and_server(*, early_data: bool = False, tickets: bool = True, **both: Any) -> tuple[Config, Config]:
    """Return the configurations of a client and a server that resume; both are given to either."""
    shared = {**both, "resumption": True}
    more: dict[str, Any] = {"ticket_keys": MemoryTicketKeys()} if tickets else {}
    if early_data:
        more |= {"max_early_data": EARLY_DATA, "replay_guard": MemoryReplayGuard()}
    return (
        client_config(**shared, early_data=early_data),
        server_config(**shared, **more, server_sessions=ServerSessions()),
    )


def carry(pair: Pair) -> list[Event]:
    """Run a pair until both are quiet, and return what the client is told."""
    told: list[Event] = []
    pair.client.start()
    while True:
        to_server, to_client = pair.client.take_output(), b""
        if to_server:
            pair.server.receive(to_server)
        to_client = pair.server.take_output()
        if to_client:
            told += pair.client.receive(to_client)
        if not to_server and not to_client:
            return told


def left_by(client: Config, server: Config, session: Session | None = None) -> Session:
    """Return the session that a connection leaves to its client."""
    found = [
        event.session for event in carry(Pair(client, server, session=session)) if isinstance(event, TicketReceived)
    ]
    assert found
    assert found[-1] is not None
    return found[-1]
