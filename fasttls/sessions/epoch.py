"""Ticket keys from a seed: a fleet has the same ones with no network between its servers."""

from __future__ import annotations

import time
from collections.abc import Callable

from fasttls.native._kdf import hkdf_expand_label, hkdf_extract
from fasttls.native._secret import Secret
from fasttls.sessions.keys import NAME_SIZE, TicketKey


class EpochTicketKeys:
    """Keys that every process with the same seed derives for the same hours.

    Time is cut into epochs of so many seconds; each has a key, by HKDF from the seed. A key seals in
    its epoch and opens in the ones after it, so many, and in the one before, for servers whose clock
    is ahead.

    What it costs: the seed is as good as every key that was and will be derived from it. Whoever
    gets it can open recorded tickets, and, of connections without (EC)DHE and of TLS 1.2 resumptions,
    all of their data. Keep it like a private key, and change it from time to time.
    """

    def __init__(
        self,
        seed: bytes | Secret,
        *,
        epoch_seconds: int = 43200,
        kept: int = 2,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the seed, 32 bytes or more. Raises ValueError for a shorter one, and for epochs that are none."""
        material = seed if isinstance(seed, Secret) else Secret(seed)
        if len(material) < 32:
            raise ValueError("a seed has 32 bytes or more")
        if epoch_seconds < 1 or kept < 0:
            raise ValueError("an epoch has a second or more, and no epochs or more are kept")
        self._extracted = hkdf_extract("sha256", None, material)
        self._epoch_seconds = epoch_seconds
        self._kept = kept
        self._now = now
        self._keys: tuple[int, tuple[TicketKey, ...]] = (-1, ())

    def __repr__(self) -> str:
        return f"<EpochTicketKeys of {self._epoch_seconds} s>"

    def _derive(self, epoch: int) -> TicketKey:
        context = epoch.to_bytes(8, "big")
        name = hkdf_expand_label("sha256", self._extracted, b"fasttls name", context, NAME_SIZE)
        return TicketKey(bytes(name), hkdf_expand_label("sha256", self._extracted, b"fasttls epoch", context, 32))

    def _current(self) -> tuple[TicketKey, ...]:
        """Return this epoch's key, the next one's, and those that are kept."""
        epoch = max(0, int(self._now() // self._epoch_seconds))  # a clock may be anywhere before it is set
        known, keys = self._keys
        if known != epoch:
            wanted = (epoch, epoch + 1, *range(epoch - 1, epoch - 1 - self._kept, -1))
            keys = tuple(self._derive(one) for one in wanted if one >= 0)
            self._keys = (epoch, keys)
        return keys

    def active(self) -> TicketKey:
        """Return the key of this epoch."""
        return self._current()[0]

    def find(self, name: bytes) -> TicketKey | None:
        """Return the key of this epoch, the next, or one that is kept."""
        return next((key for key in self._current() if key.name == name), None)
