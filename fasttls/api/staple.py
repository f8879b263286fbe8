"""The OCSP response that a server staples to its certificate (RFC 6066 §8)."""

from __future__ import annotations

import os
from collections.abc import Callable

from fasttls.trust import files

OcspSource = bytes | str | os.PathLike[str] | Callable[[], bytes | None] | None


class StapleFile:
    """A file with an OCSP response, DER, that another program renews: read again when it changes.

    While it is gone or empty, the response that was read last is sent; whoever receives it looks at
    its dates.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Read the file. Raises OSError."""
        self.path = path
        self._kept = self._stat(), self._read()

    def _stat(self) -> tuple[int, ...]:
        status = files.stat(self.path)
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def _read(self) -> bytes | None:
        return files.read(self.path) or None

    def __call__(self) -> bytes | None:
        """Return the response as the file has it now."""
        try:
            state = self._stat()
            if state != self._kept[0]:
                self._kept = state, self._read() or self._kept[1]
        except OSError:
            pass
        return self._kept[1]


def staple_of(source: OcspSource) -> Callable[[], bytes | None] | None:
    """Return a function that returns the response of a source. Raises OSError and TypeError."""
    if source is None:
        return None
    if isinstance(source, bytes):
        response = source or None
        return lambda: response
    if isinstance(source, str | os.PathLike):
        return StapleFile(source)
    if callable(source):
        return lambda: source() or None
    raise TypeError(f"an OCSP response is bytes, a path or a function, not {type(source).__name__}")
