"""Ticket keys from files, as nginx has them: 48 or 80 bytes, watched."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from fleet.test_keys import Clock, in_child, in_threads, sealed

from fasttls.sessions.file import FileTicketKeys
from fasttls.sessions.keys import open_ticket

SIZES = pytest.mark.parametrize("size", [48, 80])


def write(path: Path, number: int, size: int = 80) -> Path:
    """Put a key that depends on a number in a file, as one does it: aside, then renamed."""
    aside = path.with_suffix(".new")
    aside.write_bytes(bytes([number]) * 16 + bytes([255 - number]) * (size - 16))
    aside.replace(path)
    return path


def name(number: int) -> bytes:
    """Return the name of a number's key."""
    return bytes([number]) * 16


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file of key 1."""
    return write(tmp_path / "ticket.key", 1)


class TestOneFile:
    @SIZES
    def test_two_that_read_it_open_each_others_tickets(self, path: Path, size: int) -> None:
        write(path, 1, size)
        one, other = FileTicketKeys(path), FileTicketKeys(str(path))
        assert one.active().name == name(1)
        assert open_ticket(other, sealed(one)) is not None

    def test_every_byte_of_it_counts(self, path: Path) -> None:
        for size in (48, 80):
            write(path, 1, size)
            ticket = sealed(FileTicketKeys(path))
            data = path.read_bytes()
            for place in range(size):
                path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
                assert open_ticket(FileTicketKeys(path), ticket) is None, place

    def test_the_short_form_is_not_the_beginning_of_the_long_one(self, path: Path) -> None:
        ticket = sealed(FileTicketKeys(path))
        path.write_bytes(path.read_bytes()[:48])
        assert open_ticket(FileTicketKeys(path), ticket) is None

    def test_a_forked_process_has_the_same_key(self, path: Path) -> None:
        keys = FileTicketKeys(path)
        assert open_ticket(keys, in_child(lambda: sealed(keys))) is not None

    @pytest.mark.parametrize("size", [0, 1, 16, 32, 47, 49, 64, 79, 81, 96, 100_000])
    def test_another_size_is_refused_at_the_start(self, path: Path, size: int) -> None:
        path.write_bytes(bytes(size))
        with pytest.raises(ValueError, match="48 or 80"):
            FileTicketKeys(path)

    def test_a_missing_one_is_refused_at_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            FileTicketKeys(tmp_path / "missing.key")

    def test_a_folder_is_refused_at_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="directory"):
            FileTicketKeys(tmp_path)

    def test_none_at_all_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no file"):
            FileTicketKeys()

    def test_repr_does_not_leak(self, path: Path) -> None:
        keys = FileTicketKeys(path)
        assert path.read_bytes()[16:].hex() not in repr(keys) + repr(keys.active())
        assert str(path.read_bytes()[16:]) not in repr(keys)


class TestWatching:
    def test_a_new_key_is_seen_after_a_second(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        write(path, 2)
        clock.now += 0.99
        assert keys.active().name == name(1)
        clock.now += 0.02
        assert keys.active().name == name(2)

    def test_looking_for_a_key_watches_too(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        write(path, 2)
        clock.now += 2
        assert keys.find(name(2)) is not None

    @SIZES
    def test_one_that_is_written_in_place_is_seen(self, path: Path, size: int) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        path.write_bytes(name(3) + bytes(size - 16))
        clock.now += 2
        assert keys.active().name == name(3)

    def test_the_key_that_was_active_still_opens(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        ticket = sealed(keys)
        write(path, 2)
        clock.now += 2
        assert sealed(keys)[:16] == name(2)
        assert open_ticket(keys, ticket) is not None

    def test_and_does_no_more_after_the_next_one(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        ticket = sealed(keys)
        for number in (2, 3):
            write(path, number)
            clock.now += 2
            keys.active()
        assert open_ticket(keys, ticket) is None
        assert keys.find(name(2)) is not None

    def test_a_file_that_is_touched_retires_nothing(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        ticket = sealed(keys)
        write(path, 2)
        clock.now += 2
        assert open_ticket(keys, ticket) is not None
        os.utime(path)
        clock.now += 2
        assert open_ticket(keys, ticket) is not None

    @pytest.mark.parametrize("size", [0, 47, 49, 81])
    def test_while_it_is_broken_the_old_key_stays(self, path: Path, size: int) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        ticket = sealed(keys)
        path.write_bytes(bytes(size))
        for _ in range(3):
            clock.now += 2
            assert keys.active().name == name(1)
            assert open_ticket(keys, ticket) is not None
        write(path, 2)
        clock.now += 2
        assert keys.active().name == name(2)
        assert open_ticket(keys, ticket) is not None

    def test_while_it_is_missing_the_old_key_stays(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        path.unlink()
        for _ in range(3):
            clock.now += 2
            assert keys.active().name == name(1)
        path.mkdir()
        clock.now += 2
        assert keys.active().name == name(1)
        path.rmdir()
        write(path, 2)
        clock.now += 2
        assert keys.active().name == name(2)

    def test_a_forked_process_goes_on_watching(self, path: Path) -> None:
        clock = Clock()
        keys = FileTicketKeys(path, clock=clock)
        keys.active()

        def later() -> bytes:
            write(path, 2)
            clock.now += 2
            return keys.active().name

        assert in_child(later) == name(2)

    def test_a_fork_in_the_middle_of_a_look_goes_on_watching(self, path: Path) -> None:
        """The child is made while another thread of the parent looks at the file."""
        looking, forked = threading.Event(), threading.Event()

        class Slow:
            """A path that takes its time, once it is told to."""

            waits = False

            def __fspath__(self) -> str:
                if self.waits and threading.current_thread() is not threading.main_thread():
                    looking.set()
                    forked.wait(10)
                return str(path)

        clock, slow = Clock(), Slow()
        keys = FileTicketKeys(slow, clock=clock)
        slow.waits = True
        clock.now += 2
        thread = threading.Thread(target=keys.active, daemon=True)
        thread.start()
        assert looking.wait(10)

        def later() -> bytes:
            write(path, 2)
            clock.now += 2
            return keys.active().name

        try:
            assert in_child(later) == name(2)
        finally:
            forked.set()
            thread.join(10)

    def test_threads_see_whole_keys_while_the_file_changes(self, path: Path) -> None:
        keys = FileTicketKeys(path, clock=Ticking())
        ticket = sealed(keys)

        def work(index: int) -> None:
            for turn in range(100):
                if index == 0:
                    write(path, 1 + turn % 2)
                assert keys.active().name in (name(1), name(2))
                assert open_ticket(keys, ticket) is not None

        in_threads(4, work)


class Ticking:
    """A clock that goes on by two seconds whenever it is asked."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 2
        return self._now


class TestSeveralFiles:
    def test_the_first_seals_and_all_open(self, tmp_path: Path) -> None:
        paths = [write(tmp_path / f"{number}.key", number, 48 if number == 2 else 80) for number in (1, 2, 3)]
        keys = FileTicketKeys(*paths)
        assert keys.active().name == name(1)
        for path in paths:
            assert open_ticket(keys, sealed(FileTicketKeys(path))) is not None

    def test_their_order_is_the_callers(self, tmp_path: Path) -> None:
        paths = [write(tmp_path / f"{number}.key", number) for number in (1, 2)]
        assert FileTicketKeys(*reversed(paths)).active().name == name(2)

    def test_a_key_that_is_announced_opens_before_it_seals(self, tmp_path: Path) -> None:
        """Two servers rotate in two steps; whichever is first, the other one opens its tickets."""
        current, following = write(tmp_path / "current", 1), write(tmp_path / "next", 2)
        clocks = Clock(), Clock()
        one, other = (FileTicketKeys(current, following, clock=clock) for clock in clocks)
        before = sealed(one)
        write(current, 2)
        write(following, 1)
        clocks[0].now += 2
        assert sealed(one)[:16] == name(2)
        assert sealed(other)[:16] == name(1)
        for store in (one, other):
            assert open_ticket(store, sealed(one)) is not None
            assert open_ticket(store, sealed(other)) is not None
            assert open_ticket(store, before) is not None

    def test_one_that_is_broken_later_leaves_all_as_they_were(self, tmp_path: Path) -> None:
        first, second = write(tmp_path / "1.key", 1), write(tmp_path / "2.key", 2)
        clock = Clock()
        keys = FileTicketKeys(first, second, clock=clock)
        write(first, 3)
        second.write_bytes(b"short")
        clock.now += 2
        assert keys.active().name == name(1)
        assert keys.find(name(2)) is not None

    @pytest.mark.parametrize("broken", [0, 1])
    def test_one_that_is_broken_at_the_start_is_refused(self, tmp_path: Path, broken: int) -> None:
        paths = [write(tmp_path / f"{number}.key", number) for number in (1, 2)]
        paths[broken].write_bytes(bytes(50))
        with pytest.raises(ValueError, match=paths[broken].name):
            FileTicketKeys(*paths)
