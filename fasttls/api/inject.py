"""fasttls for programs that say `import ssl`: every new `ssl.SSLContext` is one of fasttls.

One attribute of one class changes: what `ssl.SSLContext` makes when it is called. No name is replaced, so that whoever
holds a reference to the class (urllib3, requests, a default argument, a compiled module, a tuple for isinstance())
has fasttls too, contexts that were made before stay what they are, and the standard library's own methods, which
look for `SSLContext` in their module, find what they always found.
"""

from __future__ import annotations

import ssl
import threading
from typing import Any

from fasttls.api.context import SSLContext
from fasttls.trust.lazy import renew_lock_in_child

# The standard library's own class, which others have below theirs when they put one of their own in its place.
_MAKER: type[ssl.SSLContext] = next(one for one in ssl.SSLContext.__mro__ if "__new__" in vars(one))


class _Injection:
    """Whether the class of the standard library makes contexts of fasttls, and what it did before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        renew_lock_in_child(self)
        self._before: Any = None

    def begin(self) -> None:
        """Begin, if it is not begun."""
        with self._lock:
            if self._before is None:
                self._before = vars(_MAKER)["__new__"]
                _MAKER.__new__ = vars(SSLContext)["__new__"]  # type: ignore[method-assign]

    def end(self) -> None:
        """Put back what was there, if it is begun."""
        with self._lock:
            if self._before is not None:
                _MAKER.__new__ = self._before  # type: ignore[method-assign]
                self._before = None


_injection = _Injection()


def inject_into_ssl() -> None:
    """Let `ssl.SSLContext` make contexts of fasttls, subclasses of it included, until extract_from_ssl().

    Contexts that are there already stay what they are. Again is the same as once; any thread may call it.
    """
    _injection.begin()


def extract_from_ssl() -> None:
    """Take inject_into_ssl() back. Contexts that were made between stay fasttls's."""
    _injection.end()
