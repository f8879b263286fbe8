"""fasttls for programs that say `import ssl`: every new `ssl.SSLContext` is one of fasttls.

One attribute of one class changes: what `ssl.SSLContext` makes when it is called. No name is replaced, so that whoever
holds a reference to the class (urllib3, requests, a default argument, a compiled module, a tuple for isinstance())
has fasttls too, contexts that were made before stay what they are, and the standard library's own methods, which
look for `SSLContext` in their module, find what they always found. What a library made when it was imported is made
anew where that is known.
"""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable
from typing import Any

from fasttls.api.context import SSLContext
from fasttls.trust.lazy import renew_lock_in_child

# The standard library's own class, which others have below theirs when they put one of their own in its place.
_MAKER: type[ssl.SSLContext] = next(one for one in ssl.SSLContext.__mro__ if "__new__" in vars(one))


def _remade_for_aiohttp(verified: bool) -> Callable[[Any], Any]:
    return lambda module: module._make_ssl_context(verified)


def _remade_for_requests(module: Any) -> Any:
    context = module.create_urllib3_context()
    context.load_verify_locations(module.extract_zipped_paths(module.DEFAULT_CA_BUNDLE_PATH))
    return context


_MADE_AT_IMPORT: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("aiohttp.connector", "_SSL_CONTEXT_VERIFIED", _remade_for_aiohttp(True)),
    ("aiohttp.connector", "_SSL_CONTEXT_UNVERIFIED", _remade_for_aiohttp(False)),
    ("requests.adapters", "_preloaded_ssl_context", _remade_for_requests),
)
"""Contexts that libraries make when they are imported, and use for whoever gives none: where, and how they are made."""


class _Injection:
    """Whether the class of the standard library makes contexts of fasttls, and what it did before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        renew_lock_in_child(self)
        self._before: Any = None
        self._replaced: list[tuple[Any, str, Any]] = []

    def begin(self) -> None:
        """Begin, if it is not begun."""
        with self._lock:
            if self._before is None:
                self._before = vars(_MAKER)["__new__"]
                _MAKER.__new__ = vars(SSLContext)["__new__"]  # type: ignore[method-assign]
                try:
                    self._replace_contexts()
                except BaseException:
                    self._undo()
                    raise

    def _replace_contexts(self) -> None:
        for place, name, make in _MADE_AT_IMPORT:
            module = sys.modules.get(place)
            kept = getattr(module, name, None)
            if isinstance(kept, ssl.SSLContext) and not isinstance(kept, SSLContext):
                try:
                    made = make(module)
                except AttributeError:
                    continue  # another version of the library, which makes it some other way
                setattr(module, name, made)
                self._replaced.append((module, name, kept))

    def end(self) -> None:
        """Put back what was there, if it is begun."""
        with self._lock:
            self._undo()

    def _undo(self) -> None:
        if self._before is not None:
            _MAKER.__new__ = self._before  # type: ignore[method-assign]
            self._before = None
            while self._replaced:
                setattr(*self._replaced.pop())


_injection = _Injection()


def inject_into_ssl() -> None:
    """Let `ssl.SSLContext` make contexts of fasttls, subclasses of it included, until extract_from_ssl().

    Contexts that are there already stay what they are. Again is the same as once; any thread may call it.
    """
    _injection.begin()


def extract_from_ssl() -> None:
    """Take inject_into_ssl() back. Contexts that were made between stay fasttls's."""
    _injection.end()
