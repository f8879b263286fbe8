"""States: what they are, and the tables that say which message each may receive.

A state names the handler of every message that may come next. Three consumers read those tables:
the machine, which refuses everything else; the test that crosses every state with every message;
and the diagram in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fasttls.handshake.flight import Flight
from fasttls.native._wire import Reader
from fasttls.wire.messages import Message
from fasttls.wire.messages12 import ChangeCipherSpec

Handler = Callable[[Any, Any, Flight], "State"]
"""Takes the state, the message and the flight; returns the next state, or raises an Alert."""

Handlers = Mapping[type[Message] | type[ChangeCipherSpec], Handler]
"""The messages that may come next. ChangeCipherSpec, a record of its own, is one where TLS 1.2 wants it."""


def readers_of(handlers: Mapping[Any, Any]) -> dict[int, Callable[[Reader], Message]]:
    """Return what reads each handshake type of a table of handlers."""
    return {int(message.handshake_type): message.read for message in handlers if issubclass(message, Message)}


class State:
    """What a connection waits for. States are immutable and hold only what later states need."""

    handlers = {}  # type: Handlers

    # What reads each handshake type: readers_of(handlers), in every state.
    readers = {}  # type: Mapping[int, Callable[[Reader], Message]]

    # Whether what is received here belongs to the transcript.
    in_transcript = True

    # Whether a ChangeCipherSpec for middleboxes may come and is dropped (RFC 8446 §5).
    ignores_change_cipher_spec = True

    # Whether the handshake is over and application data may come.
    connected = False

    @property
    def tolerates_warnings(self) -> bool:
        """Whether warning alerts may come and be ignored: in TLS 1.2, and while it may still be spoken."""
        return False

    def explain_alert(self, description: int) -> str:
        """Return what an alert of the peer's means in this state, nothing when there is no more to say."""
        return ""


class ConnectedState(State):
    """The handshake is over: what a connection may ask of its last state, in every version."""

    in_transcript = False
    ignores_change_cipher_spec = False
    connected = True

    @property
    def tls_unique(self) -> bytes | None:
        """What stands for the tls-unique channel binding in a version that has none, as OpenSSL has it."""
        return None

    def settle(self) -> None:
        """Give up what the handshake needed and a connection that rests does not."""

    def update_keys(self, flight: Flight, *, request_peer: bool) -> ConnectedState:
        """Write with new keys, and tell the peer. Raises ValueError in a version that cannot."""
        raise ValueError("this version of TLS has no KeyUpdate")

    def export(self, label: bytes, size: int, context: bytes | None) -> bytes:
        """Return keying material for an application. Raises ValueError when there is none."""
        raise ValueError("this connection has no keying material to export")
