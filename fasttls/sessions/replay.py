"""Whether early data was seen before (RFC 8446 §8)."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

from fasttls.trust.lazy import renew_lock_in_child

WINDOW_SECONDS = 10.0
"""How far the age that a client tells may be from what the server sees (RFC 8446 §8.3)."""


class ReplayGuard(Protocol):
    """Remembers what was used; shared by every server that opens the same tickets."""

    def first_use(self, token: bytes, seconds: float) -> bool:
        """Whether token was not given before, in so many seconds at least. When in doubt: False.

        It answers soon: a handshake goes on without early data rather than wait.
        """


class MemoryReplayGuard:
    """Remembers in this process alone: for tickets that no other process opens.

    It is bounded; while it is full, early data is refused. With ticket keys that outlive the process
    (a file, a seed), say so with lasting_keys: then it refuses early data at first, since what a
    process before this one saw is not known (RFC 8446 §8.2).
    """

    def __init__(
        self,
        size: int = 65536,
        *,
        lasting_keys: bool = False,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] | None = None,
    ) -> None:
        """Make room for so many.

        wall is the clock by which a server judges a ticket's age: the system's, where clock is the system's too. When
        it is set back, early data is refused until what was used before is too old again. Raises ValueError for no
        room.
        """
        if size < 1:
            raise ValueError("a guard remembers one or more")
        self._size = size
        self._clock = clock
        if wall is None:
            wall = time.time if clock is time.monotonic else clock
        self._wall = wall
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()
        renew_lock_in_child(self)
        now = clock()
        self._ahead = wall() - now
        self._from = now + (2 * WINDOW_SECONDS if lasting_keys else 0)

    def first_use(self, token: bytes, seconds: float) -> bool:
        """Whether token is new."""
        now = self._clock()
        ahead = self._wall() - now
        with self._lock:
            if ahead < self._ahead - 1:
                # The wall clock was set back: what was used and forgotten since is of the right age again.
                self._from = max(self._from, now + self._ahead - ahead + 2 * WINDOW_SECONDS)
            self._ahead = ahead
            if now < self._from:
                return False
            while self._seen and next(iter(self._seen.values())) <= now:
                self._seen.popitem(last=False)
            if token in self._seen or len(self._seen) >= self._size:
                return False
            self._seen[token] = now + seconds
            return True
