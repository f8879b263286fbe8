"""A context in which another thread's change comes at the worst moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import fasttls


class RacingContext(fasttls.SSLContext):
    """Lets another thread run `change` when the settings have been read and the snapshot is not kept yet."""

    change: Callable[[], Any] | None = None

    @property
    def check_hostname(self) -> bool:
        """Return the setting, which a snapshot reads after verify_mode; the change comes just then."""
        found = bool(super().check_hostname)
        change, self.__dict__["change"] = self.__dict__.get("change"), None
        if change is not None:
            thread = threading.Thread(target=change)
            thread.start()
            thread.join(10)
        return found

    @check_hostname.setter
    def check_hostname(self, value: bool) -> None:
        fasttls.SSLContext.check_hostname.__set__(self, value)  # type: ignore[attr-defined]
