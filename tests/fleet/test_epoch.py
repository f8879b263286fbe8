"""Ticket keys from a seed: the same everywhere, for as long as their epochs last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fleet.test_keys import Clock, a_session, in_child, in_threads, sealed

from fasttls.native._secret import Secret
from fasttls.sessions.epoch import EpochTicketKeys
from fasttls.sessions.keys import open_ticket

SEED = bytes(range(100, 132))

SEALING = """
import sys
from pathlib import Path
from fasttls.sessions.epoch import EpochTicketKeys
from fasttls.sessions.keys import seal_ticket
from fasttls.sessions.session import Session
keys = EpochTicketKeys(bytes.fromhex(sys.argv[1]), now=lambda: float(sys.argv[2]))
print(seal_ticket(keys, Session.from_bytes(bytes.fromhex(sys.argv[3]))).hex())
"""


def test_two_processes_have_the_same_keys(tmp_path: Path) -> None:
    clock = Clock()
    arguments = [SEED.hex(), str(clock.now), a_session().to_bytes().hex()]
    done = subprocess.run(
        [sys.executable, "-c", SEALING, *arguments],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    keys = EpochTicketKeys(SEED, now=clock)
    opened = open_ticket(keys, bytes.fromhex(done.stdout))
    assert opened is not None
    assert opened.to_bytes() == a_session().to_bytes()


def test_a_forked_process_has_the_same_keys() -> None:
    keys = EpochTicketKeys(SEED)
    assert open_ticket(keys, in_child(lambda: sealed(keys))) is not None


def test_a_seed_may_be_a_secret() -> None:
    clock = Clock()
    secret = Secret(SEED)
    one, other = EpochTicketKeys(SEED, now=clock), EpochTicketKeys(secret, now=clock)
    assert open_ticket(one, sealed(other)) is not None
    secret.wipe()
    clock.now += 43200
    assert one.active().name == other.active().name


def test_another_seed_has_other_keys() -> None:
    clock = Clock()
    one, other = EpochTicketKeys(SEED, now=clock), EpochTicketKeys(SEED[:-1] + b"x", now=clock)
    assert one.active().name != other.active().name
    assert open_ticket(one, sealed(other)) is None


def test_other_epochs_have_other_keys() -> None:
    clock = Clock()
    keys = EpochTicketKeys(SEED, epoch_seconds=10, now=clock)
    found = []
    for _ in range(20):
        found.append(keys.active())
        clock.now += 10
    assert len({key.name for key in found}) == len({bytes(key.secret) for key in found}) == 20


@pytest.mark.parametrize("kept", [0, 1, 2, 5])
def test_a_key_opens_in_the_epochs_after_its_own_as_many_as_were_asked_for(kept: int) -> None:
    clock = Clock(1_000_000.0)
    keys = EpochTicketKeys(SEED, epoch_seconds=100, kept=kept, now=clock)
    ticket = sealed(keys)
    for later in range(8):
        assert (open_ticket(keys, ticket) is not None) == (later <= kept)
        clock.now += 100


def test_the_key_changes_at_the_same_moment_everywhere() -> None:
    early, late = Clock(1_000_000.0), Clock(1_000_099.9)
    one, other = (EpochTicketKeys(SEED, epoch_seconds=100, now=clock) for clock in (early, late))
    assert one.active().name == other.active().name
    late.now += 0.1
    assert one.active().name != other.active().name


@pytest.mark.parametrize(("apart", "opens"), [(-300, False), (-200, True), (-100, True), (100, True), (200, False)])
def test_clocks_that_are_apart(apart: float, opens: bool) -> None:
    """A server opens tickets of one whose clock is an epoch ahead, and of those that are behind while they are kept."""
    here, there = Clock(1_000_050.0), Clock(1_000_050.0 + apart)
    ours, theirs = (EpochTicketKeys(SEED, epoch_seconds=100, kept=2, now=clock) for clock in (here, there))
    assert (open_ticket(ours, sealed(theirs)) is not None) == opens


def test_the_next_epochs_key_does_not_seal() -> None:
    clock = Clock(1_000_000.0)
    keys = EpochTicketKeys(SEED, epoch_seconds=100, now=clock)
    ahead = EpochTicketKeys(SEED, epoch_seconds=100, now=lambda: clock.now + 100)
    following = ahead.active().name
    assert keys.find(following) is not None
    assert keys.active().name != following


def test_a_clock_at_the_beginning_of_time() -> None:
    keys = EpochTicketKeys(SEED, now=lambda: 0.0)
    assert open_ticket(keys, sealed(keys)) is not None


def test_a_clock_that_is_set_back() -> None:
    clock = Clock(1_000_000.0)
    keys = EpochTicketKeys(SEED, epoch_seconds=100, now=clock)
    before = keys.active().name
    clock.now += 100
    assert keys.active().name != before
    clock.now -= 100
    assert keys.active().name == before


@pytest.mark.parametrize("size", [0, 1, 16, 31])
def test_a_short_seed_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes or more"):
        EpochTicketKeys(bytes(size))
    with pytest.raises(ValueError, match="32 bytes or more"):
        EpochTicketKeys(Secret(bytes(size)))


@pytest.mark.parametrize("settings", [{"epoch_seconds": 0}, {"epoch_seconds": -5}, {"kept": -1}])
def test_epochs_that_are_none_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="epoch"):
        EpochTicketKeys(SEED, **settings)  # type: ignore[arg-type]


def test_repr_does_not_show_the_seed() -> None:
    keys = EpochTicketKeys(SEED)
    shown = repr(keys) + str(keys) + repr(keys.active())
    assert SEED.hex() not in shown
    assert str(SEED) not in shown
    assert bytes(keys.active().secret).hex() not in shown


def test_the_seed_is_not_kept_in_the_open() -> None:
    """The seed itself is nowhere in the object, and what is made of it is Secret."""
    keys = EpochTicketKeys(SEED)
    keys.active()
    assert SEED not in [value for value in vars(keys).values() if isinstance(value, bytes)]


def test_threads_at_the_turn_of_an_epoch_have_one_key() -> None:
    clock = Clock(1_000_000.0)
    keys = EpochTicketKeys(SEED, epoch_seconds=1, now=clock)
    for _ in range(20):
        clock.now += 1
        found: list[bytes] = []
        in_threads(8, lambda _, found=found: found.append(keys.active().name))
        assert len(set(found)) == 1
