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
        self, size: int = 65536, *, lasting_keys: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make room for so many. Raises ValueError for none."""
        if size < 1:
            raise ValueError("a guard remembers one or more")
        self._size = size
        self._clock = clock
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()
        renew_lock_in_child(self)
        self._from = clock() + (2 * WINDOW_SECONDS if lasting_keys else 0)

    def first_use(self, token: bytes, seconds: float) -> bool:
        """Whether token is new."""
        now = self._clock()
        with self._lock:
            if now < self._from:
                return False
            while self._seen and next(iter(self._seen.values())) <= now:
                self._seen.popitem(last=False)
            if token in self._seen or len(self._seen) >= self._size:
                return False
            self._seen[token] = now + seconds
            return True
