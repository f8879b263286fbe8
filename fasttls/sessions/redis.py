"""Ticket keys and the memory of early data in Redis or Valkey, for a fleet of servers (the extra `fasttls[redis]`)."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fasttls.native._secret import Secret
from fasttls.native._wire import Reader, Writer
from fasttls.sessions.keys import NAME_SIZE, TicketKey
from fasttls.trust.lazy import renew_lock_in_child
from fasttls.wire.alerts import DecodeError

_LOG = logging.getLogger("fasttls.sessions.redis")
_FORMAT = 1
_NONCE_SIZE = 12  # bytes
_LOCK_MILLISECONDS = 5000
_SOON_SECONDS = 0.2


class _Dated(NamedTuple):
    """A key and the moment from which it seals, in seconds since the epoch."""

    key: TicketKey
    seals_from: float


def _client_of(server: Any, timeout_seconds: float) -> Any:
    """Return a client for a URL, or the client that was given. Raises ImportError without the extra."""
    if not isinstance(server, str):
        if any(one.__module__.startswith("redis.asyncio") for one in type(server).__mro__):
            raise TypeError("a client of redis.asyncio cannot be used: keys and guards are asked without an event loop")
        settings = getattr(getattr(server, "connection_pool", None), "connection_kwargs", {})
        if isinstance(settings, dict) and settings.get("decode_responses"):
            raise ValueError("a client with decode_responses cannot be used: keys are bytes")
        return server
    try:
        import redis
    except ImportError as exc:
        raise ImportError("ticket keys in Redis need the extra: pip install fasttls[redis]") from exc
    return redis.Redis.from_url(server, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds)


class RedisTicketKeys:
    """Ticket keys that servers share over Redis or Valkey.

    One server at a time writes, whichever gets the lock: it announces the next key while the active
    one still seals, so that every server has it before the first ticket of it comes. Keys leave a
    server only encrypted, under a key-encryption key that all servers have from elsewhere and Redis
    never sees. A thread of its own keeps a local copy fresh, which handshakes read: while Redis is
    away, or hangs, the copy goes on, for as long as its keys would have been kept.
    """

    def __init__(
        self,
        server: Any,
        encryption_key: bytes | Secret,
        *,
        prefix: str = "fasttls",
        rotate_seconds: float = 43200.0,
        kept: int = 3,
        refresh_seconds: float = 30.0,
        timeout_seconds: float = 2.0,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Share keys over a server, a URL or a client of the redis package. Nothing is waited for.

        encryption_key has 32 bytes. Keys change every rotate_seconds, and kept of them open tickets, the
        active one among them; what other servers wrote is read every refresh_seconds. Raises
        ImportError without the extra, ValueError for a key of another size and times that are none.
        """
        secret = encryption_key if isinstance(encryption_key, Secret) else Secret(encryption_key)
        if len(secret) != 32:
            raise ValueError("the key-encryption key has 32 bytes")
        if rotate_seconds <= 0 or refresh_seconds <= 0 or kept < 1:
            raise ValueError("keys are kept for some time, and one or more of them")
        self._redis = _client_of(server, timeout_seconds)
        self._wrapping = AESGCM(memoryview(secret))
        self._record, self._lock_name = f"{prefix}:ticket-keys", f"{prefix}:ticket-keys:writer"
        self._rotate_seconds = rotate_seconds
        self._kept = kept
        self._refresh_seconds = min(refresh_seconds, rotate_seconds / 4)
        self._now = now
        self._keys: tuple[_Dated, ...] = ()  # the newest first, the next one among them
        self._lock = threading.Lock()  # for starting the thread
        renew_lock_in_child(self)
        self._wake = threading.Event()
        self._ready = threading.Event()
        self._closed = False
        self._pid = 0
        self._start()

    def __repr__(self) -> str:
        return f"<RedisTicketKeys {self._record}>"

    # What handshakes ask.

    def active(self) -> TicketKey | None:
        """Return the key that seals now, or None when none is known, or the newest is too old to be used."""
        if self._pid != os.getpid():
            self._start()
        now = self._now()
        for dated in self._keys:
            if dated.seals_from <= now:
                return None if self._is_spent(dated) else dated.key
        return None

    def find(self, name: bytes) -> TicketKey | None:
        """Return a key of the local copy."""
        if self._pid != os.getpid():
            self._start()
        found = next((dated for dated in self._keys if dated.key.name == name), None)
        return None if found is None or self._is_spent(found) else found.key

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Wait until keys were read or written once, for a server's start; return whether they were."""
        return self._ready.wait(timeout_seconds)

    def close(self) -> None:
        """Stop keeping the copy fresh."""
        self._closed = True
        self._wake.set()

    # The thread that keeps the copy fresh.

    def _start(self) -> None:
        """Start the thread, once in every process."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._wake, self._ready = threading.Event(), threading.Event()
            threading.Thread(target=self._run, name="fasttls-ticket-keys", daemon=True).start()
            self._pid = os.getpid()

    def _run(self) -> None:
        while not self._closed:
            try:
                self.refresh()
                if self._keys:
                    self._ready.set()
            except Exception as exc:  # whatever the client raises while the server is away: the copy goes on
                _LOG.warning("ticket keys were not refreshed: %s", type(exc).__name__)
            # Whoever has no keys and was not elected asks again soon: another server is writing them.
            self._wake.wait(self._refresh_seconds if self._keys else min(self._refresh_seconds, _SOON_SECONDS))

    def refresh(self) -> None:
        """Read the keys of the fleet, and write new ones when they are due. Raises what the client raises."""
        keys = self._read()
        token = self._elected() if self._is_due(keys) else None
        if token is not None:
            try:
                # Whoever had the lock before may have written; an empty server gets what is known here.
                keys = self._read() or tuple(dated for dated in self._keys if not self._is_spent(dated))
                if self._is_due(keys):
                    keys = self._renewed(keys)
                self._write(keys)
            finally:
                self._give_up(token)
        if keys:
            self._keys = keys

    def _is_due(self, keys: tuple[_Dated, ...]) -> bool:
        """Whether there is no next key."""
        return not keys or keys[0].seals_from <= self._now()

    def _is_spent(self, dated: _Dated) -> bool:
        """Whether a key is too old to seal or open with."""
        return self._now() >= dated.seals_from + self._rotate_seconds * (self._kept + 1)

    def _elected(self) -> str | None:
        """Return the token of the lock, None when another server has it."""
        token = secrets.token_hex(8)
        got = self._redis.set(self._lock_name, token, nx=True, px=_LOCK_MILLISECONDS)
        return token if got else None

    def _give_up(self, token: str) -> None:
        """Give the lock back, if it is still this server's."""
        held = self._redis.get(self._lock_name)
        if held is not None and bytes(held).decode("ascii", "replace") == token:
            self._redis.delete(self._lock_name)

    def _renewed(self, keys: tuple[_Dated, ...]) -> tuple[_Dated, ...]:
        """Return the keys with the next one announced, and an active one when there was none."""
        now = self._now()
        made = [_Dated(_new_key(), now + self._rotate_seconds)]
        if not keys:
            made.append(_Dated(_new_key(), now))
        return (*made, *keys)[: self._kept + 1]

    def _read(self) -> tuple[_Dated, ...]:
        data = self._redis.get(self._record)
        if data is None:
            return ()
        try:
            return self._decoded(Reader(bytes(data)))
        except (DecodeError, InvalidTag, ValueError) as exc:
            raise ValueError("the record of ticket keys is not one of this fleet's") from exc

    def _write(self, keys: tuple[_Dated, ...]) -> None:
        writer = Writer()
        writer.u8(_FORMAT)
        for dated in keys:
            nonce = os.urandom(_NONCE_SIZE)
            moment = int(dated.seals_from * 1000).to_bytes(8, "big")
            associated = dated.key.name + moment
            writer.raw(associated)
            writer.vector(1, nonce + self._wrapping.encrypt(nonce, bytes(dated.key.secret), associated))
        lifetime = int(self._rotate_seconds * (self._kept + 2) * 1000)
        self._redis.set(self._record, writer.finish(), px=lifetime)

    def _decoded(self, reader: Reader) -> tuple[_Dated, ...]:
        if reader.u8() != _FORMAT:
            raise ValueError("a record of another version")
        found = []
        while reader.more():
            name, moment = reader.raw(NAME_SIZE), reader.raw(8)
            wrapped = reader.vector(1, _NONCE_SIZE)
            nonce, sealed = wrapped[:_NONCE_SIZE], wrapped[_NONCE_SIZE:]
            secret = Secret(self._wrapping.decrypt(nonce, sealed, name + moment))
            found.append(_Dated(TicketKey(name, secret), int.from_bytes(moment, "big") / 1000))
        return tuple(sorted(found, key=lambda dated: -dated.seals_from))


def _new_key() -> TicketKey:
    return TicketKey(os.urandom(NAME_SIZE), Secret(os.urandom(32)))


class RedisReplayGuard:
    """Remembers in Redis or Valkey which early data was used, for all servers that share ticket keys.

    When the server is away, or slow, early data is refused and the handshake goes on; it is not
    asked again for a moment then.
    """

    def __init__(
        self,
        server: Any,
        *,
        prefix: str = "fasttls",
        timeout_seconds: float = 0.05,
        pause_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember in a server, a URL or a client with a timeout of its own. Raises ImportError without the extra."""
        self._redis = _client_of(server, timeout_seconds)
        self._prefix = f"{prefix}:early-data:"
        self._pause_seconds = pause_seconds
        self._clock = clock
        self._again = 0.0

    def first_use(self, token: bytes, seconds: float) -> bool:
        """Whether token is new; False when nobody can say."""
        if self._clock() < self._again:
            return False
        try:
            answer = self._redis.set(self._prefix + token.hex(), b"1", nx=True, px=int(seconds * 1000))
            return answer is True or answer in (b"OK", "OK")  # and nothing else a client may say
        except Exception as exc:  # whatever the client raises: in doubt, early data is refused
            self._again = self._clock() + self._pause_seconds
            _LOG.warning("early data is refused, its memory is away: %s", type(exc).__name__)
            return False
