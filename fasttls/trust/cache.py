"""A bounded, locked memory of what a pure function returned."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, NamedTuple, TypeVar

from fasttls.trust.lazy import renew_lock_in_child

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


class PureCache(Generic[Key, Value]):
    """What a function of its arguments alone returned, by those arguments; the least used goes first.

    Safe between threads, and over a fork. Switched off, it remembers and finds nothing.
    """

    def __init__(self, size: int) -> None:
        """Make an empty cache for size entries. Raises ValueError for a negative size."""
        if size < 0:
            raise ValueError("a cache has room for no entries or more")
        self._size = size
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = self._misses = 0
        self.enabled = True
        """Whether it remembers. What it knows already is not used while this is False."""

        renew_lock_in_child(self)

    def find(self, key: Key) -> Value | None:
        """Return what was kept for key, or None."""
        if not self.enabled:
            return None
        self._lock.acquire()  # a compiled `with` costs twice as much
        try:
            found = self._kept.get(key)
            if found is None:
                self._misses += 1
            else:
                self._hits += 1
                self._kept.move_to_end(key)
            return found
        finally:
            self._lock.release()

    def keep(self, key: Key, value: Value) -> None:
        """Remember a value."""
        if not self.enabled:
            return
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget everything, the counters included."""
        with self._lock:
            self._kept.clear()
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
            while len(self._kept) > size:
                self._kept.popitem(last=False)

    def counters(self) -> CacheCounters:
        """Return how the cache was used."""
        with self._lock:
            return CacheCounters(self._hits, self._misses, len(self._kept), self._size)
