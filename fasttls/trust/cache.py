"""A bounded, locked memory of what a pure function returned."""

from __future__ import annotations

import threading
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from fasttls.trust.lazy import renew_lock_in_child

_LARGEST = 64  # keys as large as a key may be have room

Key = TypeVar("Key")
Value = TypeVar("Value")


class CacheCounters(NamedTuple):
    """How a cache was used since the process began, or since clear()."""

    hits: int
    misses: int
    kept: int
    """Entries that are in it now."""

    size: int
    """Entries that fit."""


class _Kept:
    """What a PureCache is: it says of which types its keys and values are."""

    def __init__(self, size: int, room: int = 0) -> None:
        """Make an empty cache for size entries, whose keys, bytes, have room in so many bytes; 0 is no such bound.

        Raises ValueError for a negative size.
        """
        if size < 0:
            raise ValueError("a cache has room for no entries or more")
        self._size = size
        self._room = room
        self._used = 0  # bytes, where there is such a bound
        self._kept: dict[Any, Any] = {}  # the least used first
        self._lock = threading.Lock()
        self._hits = self._misses = 0
        self.enabled = True
        """Whether it remembers. What it knows already is not used while this is False."""

        renew_lock_in_child(self)

    def find(self, key: Any) -> Any:
        """Return what was kept for key, or None."""
        if not self.enabled:
            return None
        found = self._kept.get(key)  # which needs no lock: it is one step
        if found is None:
            self._misses += 1
            return None
        self._hits += 1
        if 2 * len(self._kept) > self._size:  # before that, nothing is about to go
            self._touch(key)
        return found

    def _touch(self, key: Any) -> None:
        """Let another entry be the next to go."""
        with self._lock:
            value = self._kept.pop(key, None)
            if value is not None:
                self._kept[key] = value

    def keep(self, key: Any, value: Any) -> None:
        """Remember a value."""
        if not self.enabled or (self._room and _LARGEST * len(key) > self._room):
            return
        with self._lock:
            if self._kept.pop(key, None) is None and self._room:
                self._used += len(key)
            self._kept[key] = value
            over = len(self._kept) - self._size
            if over > 0:
                # A few more, for what comes next: a dict finds its first entry past all that were there before.
                self._drop(over + self._size // 64)
            while self._used > self._room > 0:
                self._drop(1 + self._size // 64)

    def _drop(self, count: int) -> None:
        """Drop the least used."""
        for key in list(islice(self._kept, count)):
            del self._kept[key]
            if self._room:
                self._used -= len(key)

    def clear(self) -> None:
        """Forget everything, the counters included."""
        with self._lock:
            self._kept.clear()
            self._used = 0
            self._hits = self._misses = 0

    @property
    def size(self) -> int:
        """How many entries fit; setting it drops the least used that no longer do."""
        return self._size

    @size.setter
    def size(self, size: int) -> None:
        if size < 0:
            raise ValueError("a cache has room for no entries or more")
        with self._lock:
            self._size = size
            self._drop(max(0, len(self._kept) - size))

    def counters(self) -> CacheCounters:
        """Return how the cache was used."""
        with self._lock:
            return CacheCounters(self._hits, self._misses, len(self._kept), self._size)


class PureCache(_Kept, Generic[Key, Value]):
    """What a function of its arguments alone returned, by those arguments; the least used goes first.

    Safe between threads, and over a fork. Switched off, it remembers and finds nothing.
    """
