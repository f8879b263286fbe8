"""SSLSession: a session as programs hold it, with the attributes of `ssl.SSLSession`."""

from __future__ import annotations

import ssl
from typing import Any

from fasttls.sessions.session import Session


class SSLSession:
    """What a later connection may go on with. Immutable; equal sessions have the same id.

    It is sensitive: `to_bytes()` gives everything, the secret among it, for `from_bytes()` in another
    process. Whoever has those bytes can open connections in this one's name, and read those of
    TLS 1.2 that go on with it. It is never pickled by accident.
    """

    __slots__ = ("_context", "_session")

    _session: Session
    _context: object

    def __init__(self, session: Session, context: object = None) -> None:
        """Take a session, and the context it belongs to, None for any."""
        object.__setattr__(self, "_session", session)
        object.__setattr__(self, "_context", context)

    @property  # type: ignore[misc]  # that is how isinstance() can be told
    def __class__(self) -> type:
        """The standard library's class, for isinstance(); it cannot be subclassed. type() tells the truth."""
        return ssl.SSLSession

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"attribute '{name}' of 'SSLSession' objects is not writable")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"attribute '{name}' of 'SSLSession' objects is not writable")

    @property
    def id(self) -> bytes:
        """The id that the server gave, or one made of its ticket."""
        session = self._session
        if session.ticket:
            from hashlib import sha256

            return sha256(session.ticket).digest()
        return session.session_id

    @property
    def time(self) -> int:
        """When it was made, in seconds since the epoch."""
        return int(self._session.created)

    @property
    def timeout(self) -> int:
        """For how many seconds it may be gone on with."""
        return self._session.lifetime

    @property
    def ticket_lifetime_hint(self) -> int:
        """What the server said of the ticket's lifetime, in seconds; 0 without a ticket."""
        return self._session.lifetime if self._session.ticket else 0

    @property
    def has_ticket(self) -> bool:
        """Whether it has a ticket."""
        return bool(self._session.ticket)

    def to_bytes(self) -> bytes:
        """Return everything, THE SECRET AMONG IT. Keep the bytes like a private key, and not for long."""
        return self._session.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> SSLSession:
        """Return what to_bytes() made bytes of; any client context takes it. Raises ValueError for anything else."""
        return cls(Session.from_bytes(data))

    def __eq__(self, other: object) -> Any:
        if not isinstance(other, SSLSession):
            return NotImplemented
        return self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<SSLSession {self.id.hex()[:16]}>"

    def __reduce__(self) -> str:
        raise TypeError("a session is not pickled; to_bytes() gives its bytes, its secret among them")


def session_of(value: object, context: object) -> Session:
    """Return the session that a caller gives to a connection of a context.

    Raises TypeError for what is none, ValueError for one of another context.
    """
    if not isinstance(value, SSLSession):
        raise TypeError("Value is not a SSLSession.")
    if value._context is not None and value._context is not context:
        raise ValueError("Session refers to a different SSLContext.")
    return value._session
