"""Ticket keys from files, in the form that nginx and others have them: shared by the processes of a machine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from fasttls.native._secret import Secret
from fasttls.sessions.keys import NAME_SIZE, TicketKey

_SIZES = (48, 80)  # bytes: the name, and two keys of 16 or of 32
_CHECK_SECONDS = 1.0


class FileTicketKeys:
    """The keys of one or more files of 48 or 80 bytes each: a name of 16, then secret bytes.

    The first file's key seals, all of them open. The files are looked at again once a second, when a
    handshake asks; while they cannot be read, or have another size, the keys that were read last stay.
    """

    def __init__(self, *paths: str | os.PathLike[str], clock: Callable[[], float] = time.monotonic) -> None:
        """Read the files. Raises OSError, and ValueError for a file that is no key or when there is none."""
        if not paths:
            raise ValueError("there is no file of ticket keys")
        self._paths = paths
        self._clock = clock
        self._kept = self._stat(), self._read()
        self._checked = clock()

    def _stat(self) -> tuple[tuple[int, ...], ...]:
        found = []
        for path in self._paths:
            status = os.stat(path)
            found.append((status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size))
        return tuple(found)

    def _read(self) -> tuple[TicketKey, ...]:
        keys = []
        for path in self._paths:
            with open(path, "rb") as file:
                data = file.read(max(_SIZES) + 1)
            if len(data) not in _SIZES:
                raise ValueError(f"{os.fspath(path)} has {len(data)} bytes; a ticket key has 48 or 80")
            keys.append(TicketKey.derived(data[:NAME_SIZE], Secret(data[NAME_SIZE:])))
        return tuple(keys)

    def _current(self) -> tuple[TicketKey, ...]:
        now = self._clock()
        if now - self._checked < _CHECK_SECONDS:
            return self._kept[1]
        self._checked = now
        known, current = self._kept
        try:
            state = self._stat()
            if state != known:
                keys = self._read()
                # A key that was retired this moment still opens: clients have tickets of it.
                retired = [key for key in current if all(key.name != one.name for one in keys)]
                self._kept = state, (*keys, *retired[:1])
        except (OSError, ValueError):
            pass
        return self._kept[1]

    def active(self) -> TicketKey:
        """Return the key of the first file."""
        return self._current()[0]

    def find(self, name: bytes) -> TicketKey | None:
        """Return the key of a name."""
        return next((key for key in self._current() if key.name == name), None)
