"""A client's sessions, by where they lead, and a server's, by their ids."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from fasttls.sessions.session import Session
from fasttls.trust.lazy import renew_lock_in_child
from fasttls.wire.iana import ProtocolVersion

_PER_PLACE = 4


class ClientSessions:
    """Sessions to go on with, by a key that says where and under which settings; bounded, and safe between threads.

    A session of TLS 1.3 is given out once (RFC 8446 Appendix C.4), one of TLS 1.2 until it expires.
    """

    def __init__(self, places: int = 256) -> None:
        """Make room for so many places; the one that was used longest ago goes first."""
        self._places = places
        self._kept: OrderedDict[Hashable, list[Session]] = OrderedDict()
        self._lock = threading.Lock()
        renew_lock_in_child(self)

    def keep(self, place: Hashable, session: Session) -> None:
        """Keep a session; a place has a few of them at the most."""
        with self._lock:
            known = self._kept.setdefault(place, [])
            if session.version == ProtocolVersion.TLS1_2:
                known.clear()
            known.append(session)
            del known[:-_PER_PLACE]
            self._kept.move_to_end(place)
            while len(self._kept) > self._places:
                self._kept.popitem(last=False)

    def take(self, place: Hashable, now: float) -> Session | None:
        """Return the newest session that is not expired, or None."""
        with self._lock:
            known = self._kept.get(place)
            while known:
                session = known[-1]
                expired = session.expired(now)
                if expired or session.version == ProtocolVersion.TLS1_3:
                    known.pop()
                if not expired:
                    self._kept.move_to_end(place)
                    return session
            self._kept.pop(place, None)
            return None

    def forget(self, place: Hashable) -> None:
        """Forget the sessions of a place."""
        with self._lock:
            self._kept.pop(place, None)

    def clear(self) -> None:
        """Forget every session."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        with self._lock:
            return sum(len(sessions) for sessions in self._kept.values())


class ServerSessions:
    """Sessions by their ids, for whom there are no tickets (RFC 5246 §7.4.1.2); of this process alone."""

    def __init__(self, size: int = 1024) -> None:
        """Make room for so many; the one that was used longest ago goes first."""
        self._size = size
        self._kept: OrderedDict[bytes, Session] = OrderedDict()
        self._lock = threading.Lock()
        renew_lock_in_child(self)

    def keep(self, session: Session) -> None:
        """Keep a session by its id."""
        with self._lock:
            self._kept[session.session_id] = session
            self._kept.move_to_end(session.session_id)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def find(self, session_id: bytes) -> Session | None:
        """Return the session of an id, or None."""
        with self._lock:
            found = self._kept.get(session_id)
            if found is not None:
                self._kept.move_to_end(session_id)
            return found

    def take(self, session_id: bytes) -> Session | None:
        """Return the session of an id and forget it: a ticket of TLS 1.3 is used once."""
        with self._lock:
            return self._kept.pop(session_id, None)

    def remove(self, session_id: bytes) -> None:
        """Forget a session: a connection that failed must not be gone on with (RFC 5246 §7.2.2)."""
        with self._lock:
            self._kept.pop(session_id, None)

    def __len__(self) -> int:
        return len(self._kept)
