"""Mutex: one holder at a time, waits that end when they are to, and whatever lock stands in for threading.Lock."""

from __future__ import annotations

import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from fasttls.native._mutex import Mutex


@contextmanager
def held_elsewhere(mutex: Mutex) -> Iterator[Callable[[], None]]:
    """Have another thread hold it until what this gives is called, or the block ends."""
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with mutex:
            taken.set()
            done.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(30)
    try:
        yield done.set
    finally:
        done.set()
        thread.join(30)


class Stop(Exception):
    """What the handler below raises."""


def test_one_thread_at_a_time_has_it() -> None:
    mutex = Mutex()
    inside, most, rounds = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, rounds
        for _ in range(200):
            mutex.acquire()
            inside += 1
            most = max(most, inside)
            time.sleep(0)
            rounds += 1
            inside -= 1
            mutex.release()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, rounds) == (1, 1200)


def test_many_that_wait_all_have_their_turn() -> None:
    mutex = Mutex()
    had: list[int] = []
    missed: list[int] = []

    def work(number: int) -> None:
        for turn in range(300):
            # Waits that end at their time, and waits that do not, at the same gate.
            if number % 3 == 0 and not mutex.acquire_within(0.0002 * (turn % 3)):
                missed.append(number)
                continue
            if number % 3:
                assert mutex.acquire()
            if turn % 7 == 0:
                time.sleep(0.0001)
            had.append(number)
            mutex.release()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert len(had) + len(missed) == 9 * 300
    assert {number: had.count(number) for number in range(9) if number % 3} == dict.fromkeys((1, 2, 4, 5, 7, 8), 300)
    assert mutex.acquire_now()


def test_a_wait_that_a_signal_ends_takes_nobody_elses_turn() -> None:
    def handler(*_: object) -> None:
        raise Stop

    mutex = Mutex()
    taken = threading.Event()
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with held_elsewhere(mutex) as give_back:
            other = threading.Thread(target=lambda: mutex.acquire() and taken.set())
            other.start()
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Stop):
                mutex.acquire()
            assert not taken.is_set()
            give_back()
            assert taken.wait(30)
            other.join(30)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_is_taken_is_not_taken_again() -> None:
    mutex = Mutex()
    assert mutex.acquire() is True
    assert mutex.acquire_now() is False
    mutex.release()
    assert mutex.acquire_now() is True
    assert mutex.acquire_within(0) is False


def test_only_what_is_taken_is_released() -> None:
    mutex = Mutex()
    with pytest.raises(RuntimeError, match="unlocked"):
        mutex.release()
    with mutex:
        pass
    with pytest.raises(RuntimeError, match="unlocked"):
        mutex.release()


def test_it_knows_whose_it_is() -> None:
    mutex = Mutex()
    assert not mutex.is_mine()
    with mutex:
        assert mutex.is_mine()
    assert not mutex.is_mine()
    with held_elsewhere(mutex):
        assert not mutex.is_mine()
    assert not mutex.is_mine()


def test_an_exception_gives_it_back() -> None:
    mutex = Mutex()
    with pytest.raises(ZeroDivisionError), mutex:
        raise ZeroDivisionError
    assert mutex.acquire_now()


def test_acquire_waits_for_whoever_has_it() -> None:
    mutex = Mutex()
    with held_elsewhere(mutex) as give_back:
        timer = threading.Timer(0.1, give_back)
        begun = time.monotonic()
        timer.start()
        assert mutex.acquire()
        assert time.monotonic() - begun >= 0.05
        mutex.release()


def test_a_wait_ends_when_it_is_given_back() -> None:
    mutex = Mutex()
    with held_elsewhere(mutex) as give_back:
        threading.Timer(0.1, give_back).start()
        assert mutex.acquire_within(30) is True
        mutex.release()


@pytest.mark.parametrize("seconds", [0.0, -1.0, -1e300, float("nan"), 0.05])
def test_a_wait_ends_at_its_time(seconds: float) -> None:
    mutex = Mutex()
    with held_elsewhere(mutex):
        begun = time.monotonic()
        assert mutex.acquire_within(seconds) is False
        took = time.monotonic() - begun
    assert took < 10
    assert took >= 0.045 or not seconds > 0


@pytest.mark.parametrize("seconds", [1e10, 1e300, float("inf")])
def test_a_time_may_be_longer_than_the_system_counts(seconds: float) -> None:
    mutex = Mutex()
    with held_elsewhere(mutex) as give_back:
        threading.Timer(0.05, give_back).start()
        assert mutex.acquire_within(seconds) is True


@pytest.mark.parametrize("seconds", [None, 30.0])
def test_a_signal_ends_a_wait_when_its_handler_raises(seconds: float | None) -> None:
    def handler(*_: object) -> None:
        raise Stop

    mutex = Mutex()
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with held_elsewhere(mutex):
            signal.setitimer(signal.ITIMER_REAL, 0.1)
            with pytest.raises(Stop):
                mutex.acquire() if seconds is None else mutex.acquire_within(seconds)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert mutex.acquire_now(), "the wait that was given up left it taken"


def test_a_signal_whose_handler_returns_ends_no_wait() -> None:
    seen: list[int] = []
    mutex = Mutex()
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        with held_elsewhere(mutex):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            begun = time.monotonic()
            assert mutex.acquire_within(0.3) is False
            assert time.monotonic() - begun >= 0.25
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert seen == [signal.SIGALRM]


def test_what_stands_in_for_the_interpreters_lock_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []

    class Cooperative:
        """Notes what is asked of it."""

        def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
            calls.append((blocking, timeout))
            return blocking and timeout == -1

        def release(self) -> None:
            calls.append("release")

    own = Mutex()
    with monkeypatch.context() as patch:
        patch.setattr(threading, "Lock", Cooperative)
        mutex = Mutex()
    assert mutex.acquire() is True
    mutex.release()
    assert mutex.acquire_now() is False
    assert mutex.acquire_within(2.5) is False
    assert mutex.acquire_within(1e300) is False
    assert calls == [(True, -1), "release", (False, -1), (False, -1), (True, 2.5), (False, -1), (True, 1e9)]
    assert own.acquire_now(), "one that was made before waits as it did"
    assert Mutex().acquire_now(), "and so does one that is made afterwards"
    assert len(calls) == 7


def test_it_goes_while_it_is_held() -> None:
    for _ in range(1000):
        Mutex().acquire()


def test_it_is_not_copied() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Mutex())
