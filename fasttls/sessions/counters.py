"""How often a context's connections did what: the numbers of `SSLContext.session_stats()`."""

from __future__ import annotations

from fasttls.native._mutex import Mutex
from fasttls.trust.lazy import renew_lock_in_child


class Counters:
    """The numbers of session_stats(), safe between threads."""

    NAMES = (
        "number",
        "connect",
        "connect_good",
        "connect_renegotiate",
        "accept",
        "accept_good",
        "accept_renegotiate",
        "hits",
        "misses",
        "timeouts",
        "cache_full",
    )

    def __init__(self) -> None:
        self._lock = Mutex()
        renew_lock_in_child(self)
        self._counts = dict.fromkeys(self.NAMES, 0)

    def add(self, name: str, another: str = "") -> None:
        """Count one of a name, and one of another if there is one."""
        self._lock.acquire()
        try:
            self._counts[name] += 1
            if another:
                self._counts[another] += 1
        finally:
            self._lock.release()

    def read(self) -> dict[str, int]:
        """Return the numbers as they are."""
        self._lock.acquire()
        try:
            return dict(self._counts)
        finally:
            self._lock.release()
