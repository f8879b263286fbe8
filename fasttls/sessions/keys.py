"""Ticket keys, and tickets sealed with them (RFC 5077 §4, RFC 8446 §4.6.1)."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fasttls.native._kdf import hkdf_expand_label
from fasttls.native._secret import Secret
from fasttls.sessions.session import Session
from fasttls.trust.lazy import renew_lock_in_child

NAME_SIZE = 16  # bytes
_NONCE_SIZE = 12  # bytes
_KEY_SIZE = 32  # bytes

LARGEST_TICKET = 16 * 1024
"""Bytes of a ticket that is still worth sending."""


class TicketKey:
    """A key with the name by which tickets say that it sealed them; neither is ever another one."""

    def __init__(self, name: bytes, secret: Secret) -> None:
        """Take both. Raises ValueError for what is no key."""
        if len(name) != NAME_SIZE or len(secret) != _KEY_SIZE:
            raise ValueError(f"a ticket key is a name of {NAME_SIZE} bytes and a secret of {_KEY_SIZE}")
        self.name = name
        self.secret = secret
        self._aead: AESGCM | None = None

    @property
    def aead(self) -> AESGCM:
        """What seals and opens with it, made when it is first asked for: that costs as much as sealing."""
        if self._aead is None:
            self._aead = AESGCM(memoryview(self.secret))
        return self._aead

    def __repr__(self) -> str:
        return f"<TicketKey {self.name.hex()}>"

    @classmethod
    def derived(cls, name: bytes, material: Secret) -> TicketKey:
        """Return the key that secret material of any form stands for."""
        return cls(name, hkdf_expand_label("sha256", _extracted(material), b"fasttls ticket", name, _KEY_SIZE))


def _extracted(material: Secret) -> Secret:
    from fasttls.native._kdf import hkdf_extract

    return hkdf_extract("sha256", None, material)


class TicketKeyStore(Protocol):
    """Where a server's ticket keys come from. Both methods answer at once, from what is at hand.

    A key is announced before it seals (`next`), then seals (`active`), then only opens. Stores that
    share keys between servers keep them fresh on a thread of their own: a handshake waits for none.
    """

    def active(self) -> TicketKey | None:
        """Return the key to seal with, or None when there is none: then no ticket is sent."""

    def find(self, name: bytes) -> TicketKey | None:
        """Return the key of a name, be it next, active or retired, or None for an unknown one."""


class MemoryTicketKeys:
    """Keys of this process alone, each sealing for a while and opening for as long again; the default.

    Processes that were forked from the one that made this share the keys that were there, and from
    the next rotation on, each has its own. Keys that are to be shared for longer come from a seed
    (`EpochTicketKeys`), a file (`FileTicketKeys`) or Redis.
    """

    def __init__(
        self, rotate_seconds: float = 43200.0, *, kept: int = 3, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Rotate so often, and keep so many keys, the active one among them. Raises ValueError for less than one."""
        if rotate_seconds <= 0 or kept < 1:
            raise ValueError("keys are kept for some time, and one or more of them")
        self._rotate_seconds = rotate_seconds
        self._kept = kept
        self._now = now
        self._lock = threading.Lock()
        self._keys: tuple[TicketKey, ...] = ()
        self._due = 0.0
        renew_lock_in_child(self)
        self._rotated()  # now, so that processes that are forked later have it

    def _rotated(self) -> tuple[TicketKey, ...]:
        now = self._now()
        if now < self._due and self._keys:
            return self._keys
        with self._lock:
            if now >= self._due or not self._keys:
                # Whoever was silent for long has keys that nobody should open tickets with any more.
                overdue = self._keys and now >= self._due + self._rotate_seconds * (self._kept - 1)
                kept = () if overdue else self._keys[: self._kept - 1]
                self._keys = (TicketKey(os.urandom(NAME_SIZE), Secret(os.urandom(_KEY_SIZE))), *kept)
                self._due = now + self._rotate_seconds
            return self._keys

    def active(self) -> TicketKey:
        """Return the newest key."""
        return self._rotated()[0]

    def find(self, name: bytes) -> TicketKey | None:
        """Return one of the keys that are kept."""
        for key in self._rotated():
            if key.name == name:
                return key
        return None

    def rotate(self) -> None:
        """Make a new key active now."""
        with self._lock:
            self._due = min(self._due, self._now())
        self._rotated()


def seal_ticket(keys: TicketKeyStore, session: Session) -> bytes | None:
    """Return a session as a ticket, or None when there is no key, or the ticket would be too large."""
    key = keys.active()
    if key is None:
        return None
    nonce = os.urandom(_NONCE_SIZE)
    plain = session.to_bytes()
    if len(plain) > LARGEST_TICKET:
        return None
    return key.name + nonce + key.aead.encrypt(nonce, plain, key.name)


def open_ticket(keys: TicketKeyStore, ticket: bytes) -> Session | None:
    """Return the session of a ticket, or None for what none of the keys sealed."""
    name, nonce, sealed = (
        ticket[:NAME_SIZE],
        ticket[NAME_SIZE : NAME_SIZE + _NONCE_SIZE],
        ticket[NAME_SIZE + _NONCE_SIZE :],
    )
    if len(sealed) < 16 or len(ticket) > 2 * LARGEST_TICKET:
        return None
    key = keys.find(name)
    if key is None:
        return None
    try:
        return Session.from_bytes(key.aead.decrypt(nonce, sealed, name))
    except (InvalidTag, ValueError):
        return None
