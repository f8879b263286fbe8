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


class Turns:
    """The contenders of a case, taking turns; one of them may be run apart from the others.

    The ratio is taken within a round, where a turn is a few steps and lasts milliseconds: a processor that changes its
    speed, or a neighbour that takes a part of it, is then everybody's. The median of the rounds leaves out those in
    which something came between. The cycle collector runs as in a program, but does not walk what was there before.
    """

    def __init__(self, case: Case) -> None:
        self._case = case
        self._took: list[dict[str, float]] = []
        names = [contender.name for contender in case.contenders]
        self._base = BASE if BASE in names else names[0]
        for contender in case.contenders:
            self._turn(contender)

    def __enter__(self) -> Turns:
        gc.collect()
        gc.freeze()
        return self

    def __exit__(self, *_: object) -> None:
        gc.unfreeze()

    def round(self, but: str = "") -> None:
        """Give each contender a turn, all but the one named; each is the first in its turn."""
        contenders, number = self._case.contenders, len(self._took)
        first = number % len(contenders)
        self._took.append({})
        for contender in (*contenders[first:], *contenders[:first]):
            if contender.name != but and number % contender.every == 0:
                self._took[-1][contender.name] = self._turn(contender)

    def own(self, name: str) -> None:
        """Give one contender its turn in the round that was begun without it."""
        contender = next(contender for contender in self._case.contenders if contender.name == name)
        self._took[-1][name] = self._turn(contender)

    def results(self) -> list[Result]:
        """Return what each took."""
        best_base = min(turns[self._base] for turns in self._took)
        found = []
        for contender in self._case.contenders:
            name = contender.name
            own = [turns[name] for turns in self._took if name in turns]
            ratio = median(turns[name] / turns[self._base] for turns in self._took if name in turns)
            best_ratio = min(own) / best_base
            found.append(Result(self._case.name, name, min(own), median(own), ratio, best_ratio, contender.goal))
        return found

    def _turn(self, contender: Contender) -> float:
        """Return the µs of a step, the mean of a turn."""
        steps = self._case.steps if contender.every == 1 else 1
        return sum(contender.step() for _ in range(steps)) / steps / 1000


def run(case: Case, rounds: int) -> list[Result]:
    """Let the contenders take turns for so many rounds, and return what each took."""
    turns = Turns(case)
    with turns:
        for _ in range(rounds):
            turns.round()
    return turns.results()
