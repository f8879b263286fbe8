"""Contenders that take turns, and what they took."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

BASE = "ssl"


class Contender(NamedTuple):
    """One way to do a case's work."""

    name: str

    step: Callable[[], int]
    """Do the work once, assert its outcome, and return the CPU nanoseconds it took."""

    goal: float | None = None
    """The ratio to `ssl` that is wanted, if one is."""

    every: int = 1
    """It takes a turn in each so manieth round, for one step: a slow one would take all the time."""


class Case(NamedTuple):
    """Work that several contenders do; the one named "ssl" is the base of the ratios, or else the first."""

    name: str
    contenders: Sequence[Contender]
    steps: int = 3
    """Steps a turn."""


class Result(NamedTuple):
    """What a contender took, in µs a step, beside `ssl` in the same rounds."""

    case: str
    contender: str
    best: float
    median: float
    ratio: float
    """The median of the rounds' own ratios."""
    best_ratio: float
    """Of the fastest turns."""
    goal: float | None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, None without a goal."""
        return None if self.goal is None else self.ratio <= self.goal


def run(case: Case, rounds: int) -> list[Result]:
    """Let the contenders take turns for so many rounds, each first in its turn.

    The ratio is taken within a round, where a turn is a few steps and lasts milliseconds: a processor that changes its
    speed, or a neighbour that takes a part of it, is then everybody's. The median of the rounds leaves out those in
    which something came between. The cycle collector runs as in a program, but does not walk what was there before.
    """
    for contender in case.contenders:
        _turn(contender, case.steps)
    gc.collect()
    gc.freeze()
    took: list[dict[str, float]] = []
    try:
        for number in range(rounds):
            first = number % len(case.contenders)
            took.append(
                {
                    contender.name: _turn(contender, case.steps)
                    for contender in (*case.contenders[first:], *case.contenders[:first])
                    if number % contender.every == 0
                }
            )
    finally:
        gc.unfreeze()
    names = [contender.name for contender in case.contenders]
    base = BASE if BASE in names else names[0]
    best_base = min(turns[base] for turns in took)
    found = []
    for contender in case.contenders:
        name = contender.name
        own = [turns[name] for turns in took if name in turns]
        ratio = median(turns[name] / turns[base] for turns in took if name in turns)
        found.append(Result(case.name, name, min(own), median(own), ratio, min(own) / best_base, contender.goal))
    return found


def _turn(contender: Contender, steps: int) -> float:
    """Return the µs of a step, the mean of a turn."""
    steps = steps if contender.every == 1 else 1
    return sum(contender.step() for _ in range(steps)) / steps / 1000
