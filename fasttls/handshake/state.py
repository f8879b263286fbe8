"""States: what they are, and the tables that say which message each may receive.

A state names the handler of every message that may come next. Three consumers read those tables:
the machine, which refuses everything else; the test that crosses every state with every message;
and the diagram in the documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fasttls.handshake.flight import Flight
from fasttls.wire.messages import Message

Handler = Callable[[Any, Any, Flight], "State"]
"""Takes the state, the message and the flight; returns the next state, or raises an Alert."""


class State:
    """What a connection waits for. States are immutable and hold only what later states need."""

    __slots__ = ()

    handlers: ClassVar[Mapping[type[Message], Handler]] = {}
    """The messages that may come next."""

    readers: ClassVar[Mapping[int, type[Message]]] = {}
    """The message class that reads each handshake type; made from handlers."""

    in_transcript: ClassVar[bool] = True
    """Whether what is received here belongs to the transcript."""

    ignores_change_cipher_spec: ClassVar[bool] = True
    """Whether a ChangeCipherSpec for middleboxes may come and is dropped (RFC 8446 §5)."""

    connected: ClassVar[bool] = False
    """Whether the handshake is over and application data may come."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.readers = {int(message.handshake_type): message for message in cls.handlers}
