"""What makes objects that threads and forked processes share safe: values computed once, locks made anew."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload
from weakref import WeakSet

from fasttls.native._mutex import Mutex

Value = TypeVar("Value")


class remembered(Generic[Value]):  # noqa: N801 - it is used like functools.cached_property
    """A property that is computed when it is first asked for, and kept.

    For pure functions: two threads may compute it at once, and find the same. Unlike
    functools.cached_property of Python 3.11 it has no lock, which a fork could leave held for ever.
    """

    def __init__(self, function: Callable[[Any], Value]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> remembered[Value]: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object, owner: type) -> remembered[Value] | Value:
        """Compute the value; the next time it is found before this is asked."""
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._function(instance)
        return value


class _Locked(Protocol):
    _lock: Any


_LOCKED: WeakSet[Any] = WeakSet()


def renew_lock_in_child(locked: _Locked) -> None:
    """Make an object's `_lock` anew in every forked process: another thread of the parent may have had it.

    It is a `threading.Lock` or a `Mutex`.
    """
    _LOCKED.add(locked)


def _after_fork() -> None:
    for locked in list(_LOCKED):
        locked._lock = Mutex() if isinstance(locked._lock, Mutex) else threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
