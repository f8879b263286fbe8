"""Ticket keys of one process, and the tickets that they seal and open (RFC 5077 §4)."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

import fasttls
from fasttls.native._secret import Secret
from fasttls.sessions.keys import LARGEST_TICKET, MemoryTicketKeys, TicketKey, TicketKeyStore, open_ticket, seal_ticket
from fasttls.sessions.session import Session

SECONDS = 10.0  # after which whatever hangs is a failure


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Fixed:
    """A store of keys that never change, the first one active."""

    def __init__(self, *keys: TicketKey) -> None:
        self.keys = keys

    def active(self) -> TicketKey | None:
        return self.keys[0] if self.keys else None

    def find(self, name: bytes) -> TicketKey | None:
        return next((key for key in self.keys if key.name == name), None)


def a_session(**more: object) -> Session:
    """Return a session that a server may have sealed."""
    settings: dict[str, object] = {
        "version": 0x0304,
        "suite": 0x1301,
        "secret": Secret(bytes(range(32))),
        "created": 1_700_000_000.25,
        "lifetime": 7200,
        "server_name": "localhost",
        "alpn": b"h2",
        "peer_chain": (b"one", b"two"),
        "peer_signature_algorithm": 0x0403,
        "extended_master_secret": True,
        "age_add": 0xFFFFFFFF,
    }
    return Session(**{**settings, **more})  # type: ignore[arg-type]


def a_key(number: int = 1) -> TicketKey:
    """Return the same key for the same number."""
    return TicketKey(bytes([number]) * 16, Secret(bytes([number]) * 32))


def sealed(keys: TicketKeyStore) -> bytes:
    """Return a ticket of a session."""
    ticket = seal_ticket(keys, a_session())
    assert ticket is not None
    return ticket


def name_of(keys: TicketKeyStore) -> bytes | None:
    """Return the name of the active key, None without one."""
    key = keys.active()
    return None if key is None else key.name


def in_child(work: Callable[[], bytes]) -> bytes:
    """Fork, and return what the child returns; a child that raises or hangs is a failure."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            os.write(writing, b"=" + work())
            status = 0
        finally:
            os._exit(status)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], SECONDS)
        found = os.read(reading, 65536) if ready else b""
    finally:
        os.close(reading)
        if not ready:
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ready, "the child hangs"
    assert found, "the child raised"
    return found[1:]


def in_threads(number: int, work: Callable[[int], object]) -> None:
    """Run work in so many threads at once; raises what one of them raised."""
    failed: list[BaseException] = []
    together = threading.Barrier(number)

    def run(index: int) -> None:
        try:
            together.wait(SECONDS)
            work(index)
        except BaseException as exc:
            failed.append(exc)

    threads = [threading.Thread(target=run, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
        assert not thread.is_alive(), "a thread hangs"
    if failed:
        raise failed[0]


class TestTicketKey:
    @pytest.mark.parametrize(("name", "secret"), [(15, 32), (17, 32), (16, 31), (16, 33), (0, 0)])
    def test_one_of_another_size_is_refused(self, name: int, secret: int) -> None:
        with pytest.raises(ValueError, match="a ticket key is"):
            TicketKey(bytes(name), Secret(bytes(secret)))

    def test_repr_shows_the_name_alone(self) -> None:
        key = TicketKey(b"n" * 16, Secret(b"\xab" * 32))
        assert repr(key) == f"<TicketKey {(b'n' * 16).hex()}>"

    @pytest.mark.parametrize("size", [1, 32, 64])
    def test_what_is_derived_depends_on_all_of_the_name_and_the_material(self, size: int) -> None:
        base = TicketKey.derived(b"n" * 16, Secret(b"m" * size))
        same = TicketKey.derived(b"n" * 16, Secret(b"m" * size))
        assert base.secret == same.secret
        assert base.secret != TicketKey.derived(b"n" * 15 + b"N", Secret(b"m" * size)).secret
        assert base.secret != TicketKey.derived(b"n" * 16, Secret(b"m" * (size - 1) + b"M")).secret


class TestTickets:
    KEYS = Fixed(a_key())

    def test_what_is_sealed_opens_to_the_same(self) -> None:
        opened = open_ticket(self.KEYS, sealed(self.KEYS))
        assert opened is not None
        assert opened.to_bytes() == a_session().to_bytes()

    def test_the_same_session_twice_is_two_tickets(self) -> None:
        assert sealed(self.KEYS) != sealed(self.KEYS)

    def test_nothing_of_the_secret_is_to_be_seen(self) -> None:
        ticket = sealed(self.KEYS)
        assert bytes(range(32)) not in ticket
        assert b"localhost" not in ticket

    def test_without_a_key_there_is_no_ticket(self) -> None:
        assert seal_ticket(Fixed(), a_session()) is None
        assert open_ticket(Fixed(), sealed(self.KEYS)) is None

    def test_a_session_that_is_too_large_is_no_ticket(self) -> None:
        assert seal_ticket(self.KEYS, a_session(peer_chain=(bytes(LARGEST_TICKET - 100),))) is not None
        assert seal_ticket(self.KEYS, a_session(peer_chain=(bytes(LARGEST_TICKET),))) is None

    def test_another_name_does_not_open(self) -> None:
        ticket = sealed(self.KEYS)
        assert open_ticket(self.KEYS, bytes(16) + ticket[16:]) is None

    def test_another_key_of_the_same_name_does_not_open(self) -> None:
        other = TicketKey(a_key().name, Secret(bytes(32)))
        assert open_ticket(Fixed(other), sealed(self.KEYS)) is None

    def test_the_name_is_bound_to_what_it_seals(self) -> None:
        other = TicketKey(bytes(16), a_key().secret)
        assert open_ticket(Fixed(other), bytes(16) + sealed(self.KEYS)[16:]) is None

    def test_every_truncation_is_none(self) -> None:
        ticket = sealed(self.KEYS)
        for size in range(len(ticket)):
            assert open_ticket(self.KEYS, ticket[:size]) is None
            assert open_ticket(self.KEYS, ticket[size + 1 :]) is None

    def test_every_bit_counts(self) -> None:
        ticket = sealed(self.KEYS)
        for bit in range(len(ticket) * 8):
            flipped = bytearray(ticket)
            flipped[bit // 8] ^= 1 << bit % 8
            assert open_ticket(self.KEYS, bytes(flipped)) is None

    @pytest.mark.parametrize("size", [1, 16, LARGEST_TICKET, 65536])
    def test_bytes_behind_are_none(self, size: int) -> None:
        assert open_ticket(self.KEYS, sealed(self.KEYS) + bytes(size)) is None

    def test_a_huge_one_is_not_decrypted(self) -> None:
        huge = a_key().name + bytes(10_000_000)
        started = time.thread_time()
        assert open_ticket(self.KEYS, huge) is None
        assert time.thread_time() - started < 0.01

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=300))
    def test_anything_is_none(self, ticket: bytes) -> None:
        assert open_ticket(self.KEYS, ticket) is None
        assert open_ticket(self.KEYS, a_key().name + ticket) is None

    @settings(max_examples=200, deadline=None)
    @given(st.binary(max_size=300))
    def test_anything_that_the_key_itself_sealed_is_none(self, plain: bytes) -> None:
        key = a_key()
        ticket = key.name + bytes(12) + AESGCM(bytes(key.secret)).encrypt(bytes(12), plain, key.name)
        assert open_ticket(self.KEYS, ticket) is None


class TestMemoryTicketKeys:
    def test_a_key_is_active_until_it_is_due(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, now=clock)
        first = keys.active()
        clock.now += 99.9
        assert keys.active() is first
        clock.now += 0.1
        assert keys.active() is not first
        assert keys.find(first.name) is first

    @pytest.mark.parametrize("kept", [1, 2, 3, 7])
    def test_as_many_are_kept_as_were_asked_for(self, kept: int) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, kept=kept, now=clock)
        names = []
        for _ in range(10):
            names.append(keys.active().name)
            known = [keys.find(name) is not None for name in names]
            assert known == [index >= len(names) - kept for index in range(len(names))]
            clock.now += 100
        assert len(set(names)) == 10

    def test_a_ticket_opens_while_its_key_is_kept(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, kept=3, now=clock)
        ticket = sealed(keys)
        for _ in range(2):
            clock.now += 100
            assert open_ticket(keys, ticket) is not None
        clock.now += 100
        assert open_ticket(keys, ticket) is None

    def test_looking_for_a_key_rotates_too(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, kept=1, now=clock)
        name = keys.active().name
        clock.now += 100
        assert keys.find(name) is None

    @pytest.mark.parametrize(("silence", "opens"), [(299, True), (301, False), (10_000, False)])
    def test_who_was_silent_for_long_opens_no_old_tickets(self, silence: float, opens: bool) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, kept=3, now=clock)
        ticket = sealed(keys)
        clock.now += silence
        assert (open_ticket(keys, ticket) is not None) == opens

    def test_rotating_by_hand_keeps_the_keys_there_are(self) -> None:
        keys = MemoryTicketKeys(kept=3)
        tickets = [sealed(keys)]
        for opening in (1, 2, 3, 3):
            assert sum(open_ticket(keys, ticket) is not None for ticket in tickets) == opening
            keys.rotate()
            tickets.append(sealed(keys))
        assert len({ticket[:16] for ticket in tickets}) == 5

    def test_after_rotating_by_hand_the_next_is_due_a_whole_time_later(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, now=clock)
        keys.active()
        clock.now += 50
        keys.rotate()
        name = keys.active().name
        clock.now += 99
        assert keys.active().name == name
        clock.now += 1
        assert keys.active().name != name

    def test_a_clock_that_is_set_back_loses_no_key(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, now=clock)
        ticket = sealed(keys)
        clock.now -= 5000
        assert open_ticket(keys, ticket) is not None
        assert name_of(keys) == ticket[:16]

    @pytest.mark.parametrize(("seconds", "kept"), [(0, 3), (-1, 3), (100, 0)])
    def test_times_and_numbers_that_are_none_are_refused(self, seconds: float, kept: int) -> None:
        with pytest.raises(ValueError, match="kept for some time"):
            MemoryTicketKeys(seconds, kept=kept)

    def test_two_stores_open_nothing_of_each_other(self) -> None:
        assert open_ticket(MemoryTicketKeys(), sealed(MemoryTicketKeys())) is None

    def test_threads_that_come_together_make_one_key(self) -> None:
        for _ in range(20):
            keys = MemoryTicketKeys()
            names: list[bytes] = []
            in_threads(8, lambda _, keys=keys, names=names: names.append(keys.active().name))
            assert len(names) == 8
            assert len(set(names)) == 1

    def test_threads_open_what_others_sealed_while_keys_rotate(self) -> None:
        keys = MemoryTicketKeys(0.1, kept=50)
        latest = [sealed(keys)]
        until = time.monotonic() + 0.25

        def work(_: int) -> None:
            while time.monotonic() < until:
                assert open_ticket(keys, latest[0]) is not None
                latest[0] = sealed(keys)

        in_threads(4, work)

    def test_forked_processes_share_the_keys_that_were_there(self) -> None:
        keys = MemoryTicketKeys()
        ticket = sealed(keys)
        from_child = in_child(lambda: sealed(keys) if open_ticket(keys, ticket) is not None else b"")
        assert open_ticket(keys, from_child) is not None

    def test_forked_processes_share_keys_that_nobody_had_used_yet(self) -> None:
        """As a server does that sets up its context, forks its workers, and only then takes connections."""
        context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
        context.ticket_keys = keys = MemoryTicketKeys()
        assert open_ticket(keys, in_child(lambda: sealed(context.ticket_keys))) is not None

    def test_forked_processes_rotate_apart(self) -> None:
        clock = Clock()
        keys = MemoryTicketKeys(100, now=clock)
        keys.active()

        def later() -> bytes:
            clock.now += 100
            return keys.active().name

        names = {in_child(later), in_child(later), keys.active().name}
        assert len(names) == 3

    def test_a_fork_while_other_threads_rotate_hangs_nobody(self) -> None:
        keys = MemoryTicketKeys(1e-9)
        stop = threading.Event()

        def work() -> None:
            while not stop.is_set():
                keys.active()

        threads = [threading.Thread(target=work, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(20):
                assert in_child(lambda: keys.active().name)
        finally:
            stop.set()
            for thread in threads:
                thread.join(SECONDS)


class TestTheContextsKeys:
    def test_each_context_has_its_own_at_first(self) -> None:
        one, other = (fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER) for _ in range(2))
        assert one.ticket_keys is one.ticket_keys
        assert open_ticket(one.ticket_keys, sealed(other.ticket_keys)) is None

    @pytest.mark.parametrize("value", [None, b"key" * 16, object(), a_key()])
    def test_what_is_no_store_is_refused(self, value: object) -> None:
        context = fasttls.SSLContext(fasttls.PROTOCOL_TLS_SERVER)
        with pytest.raises(TypeError, match="active"):
            context.ticket_keys = value
