"""Attributes that are made when they are first asked for."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` takes as long to import as all that a context needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Made = TypeVar("Made")

    def later(make: Callable[[], Made]) -> Made:
        """Return what stands for an attribute until it is made."""

else:

    class later:  # noqa: N801 - it is used like a function
        """An attribute that a function makes when it is first asked for: one for each object, and all its threads.

        `trust.lazy.remembered` is for values that follow from the object, of which two threads may have equal ones.
        """

        def __init__(self, make):
            self._make = make

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, instance, owner):
            if instance is None:
                return self
            # It is found before this is asked, the next time. A thread that comes second has made one for nothing.
            return instance.__dict__.setdefault(self._name, self._make())
