"""Files as OpenSSL reads them: at once, whatever thread asks.

Programs that watch an event loop for calls that block it put functions of their own in the place of `os.stat` and of
what `open()` returns. OpenSSL's reading of certificates is in C and not seen by them, and what a program may do with
`ssl` it may do here: these are the system's calls as they were when this was imported.
"""

from __future__ import annotations

from io import FileIO
from os import PathLike, fsencode, listdir, stat
from stat import S_ISDIR

__all__ = ["encoded", "is_directory", "listdir", "read", "stat"]


def encoded(path: object, name: str) -> bytes:
    """Return a path as the system has it; name is the argument's. Raises TypeError and ValueError as `ssl` does."""
    try:
        found = fsencode(path)  # type: ignore[arg-type]  # which refuses what is none, a descriptor among that
    except TypeError:
        raise TypeError(f"{name} should be a valid filesystem path") from None
    if b"\0" in found:
        raise ValueError("embedded null byte")
    return found


def is_directory(path: str) -> bool:
    """Whether there is a directory of that name."""
    try:
        return S_ISDIR(stat(path).st_mode)
    except (OSError, ValueError):
        return False


def read(path: str | bytes | PathLike[str] | PathLike[bytes]) -> bytes:
    """Return what is in a file. Raises OSError."""
    with FileIO(path) as file:
        return file.readall()
