"""What this side itself refuses with: the standard library's exceptions, in its form."""

from __future__ import annotations

import ssl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    _Plain = TypeVar("_Plain", bound=ssl.SSLError)

_SSL = int(ssl.SSL_ERROR_SSL)  # a number like any errno, as the standard library has it there


def ssl_error(reason: str | None, message: str, *, library: str = "SSL") -> ssl.SSLError:
    """Return an SSLError of this side's own, in the standard library's form.

    reason is None where OpenSSL says only that a library failed, as "PEM lib".
    """
    made = ssl.SSLError(_SSL, f"[{library}: {reason}] {message}" if reason else f"[{library}] {message}")
    made.library = library
    made.reason = reason  # type: ignore[assignment]  # None is what the standard library has too
    return made


def plain_error(message: str) -> ssl.SSLError:
    """Return what the standard library itself refuses with: no library and no reason."""
    made = ssl.SSLError(0, message)
    made.library = made.reason = None  # type: ignore[assignment]  # as in the standard library
    return made


def _without_reason(error: _Plain) -> _Plain:
    """Give an error the attributes that every one has; there is nothing to say in them."""
    error.library = error.reason = None  # type: ignore[assignment]  # as in the standard library
    return error


def want_read() -> ssl.SSLWantReadError:
    """Return what a read that would block raises."""
    return _without_reason(ssl.SSLWantReadError(int(ssl.SSL_ERROR_WANT_READ), "The operation did not complete (read)"))


def want_write() -> ssl.SSLWantWriteError:
    """Return what a write that would block raises."""
    return _without_reason(
        ssl.SSLWantWriteError(int(ssl.SSL_ERROR_WANT_WRITE), "The operation did not complete (write)")
    )


def closed() -> ssl.SSLZeroReturnError:
    """Return what an operation raises that comes after the peer's close_notify."""
    return _without_reason(
        ssl.SSLZeroReturnError(int(ssl.SSL_ERROR_ZERO_RETURN), "TLS/SSL connection has been closed (EOF)")
    )
