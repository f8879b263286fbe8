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


class Case(NamedTuple):
    """Work that several contenders do; the first named "ssl" is the base of the ratios."""

    name: str
    contenders: Sequence[Contender]
    steps: int = 3
    """Steps a round."""


class Result(NamedTuple):
    """What a contender took, in µs a step, beside `ssl` in the same rounds."""

    case: str
    contender: str
    best: float
    median: float
    ratio: float
    """Of the fastest rounds."""
    median_ratio: float
    goal: float | None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met, None without a goal."""
        return None if self.goal is None else round(self.ratio, 3) <= self.goal


def run(case: Case, rounds: int) -> list[Result]:
    """Let the contenders take turns for so many rounds.

    A round is a few steps of one contender, then of the next: a busy moment of the machine is nobody's disadvantage.
    The fastest round is the figure, since what disturbs only ever adds; the median stands beside it. The cycle
    collector runs as in a program, but does not walk what was there before.
    """
    for contender in case.contenders:
        for _ in range(2 * case.steps):
            contender.step()
    gc.collect()
    gc.freeze()
    took: dict[str, list[float]] = {contender.name: [] for contender in case.contenders}
    try:
        for _ in range(rounds):
            for contender in case.contenders:
                took[contender.name].append(sum(contender.step() for _ in range(case.steps)) / case.steps / 1000)
    finally:
        gc.unfreeze()
    base = took.get(BASE, took[case.contenders[0].name])
    return [
        Result(
            case.name,
            contender.name,
            min(took[contender.name]),
            median(took[contender.name]),
            min(took[contender.name]) / min(base),
            median(took[contender.name]) / median(base),
            contender.goal,
        )
        for contender in case.contenders
    ]
