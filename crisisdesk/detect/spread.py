"""How much a watch wanders on ordinary days: in numbers (dispersion) and in mood (correlation), window by window.

Posts come in clusters, and the posts of one hour are alike; both make windows vary more than independent posts would.
Moment estimates, winsorised so that one wild hour moves them little, learnt by the hour from what was not flagged.
"""

from array import array
from collections.abc import Callable, Sequence
from typing import Any, Final

from crisisdesk.detect.windows import HOUR, WINDOWS

DISPERSION: Final = (0.30, 0.21, 0.16, 0.13, 0.11, 0.085, 0.06)
"""Of a new watch, by window: variance beyond chance, as a share of the squared expectation. From simulation."""
CORRELATION: Final = (0.024, 0.013, 0.009, 0.007, 0.006, 0.005, 0.003)
"""Of a new watch, by window: how alike the posts of one window are, 0 for independent ones."""
MEMORY: Final = 14.0
"""Days after which an hour weighs e times less,"""
FIRST_WORTH: Final = 3.0
"""and days that what a new watch is taken for is worth: one that is steadier than most soon shows it."""
LIMITS: Final = ((0.01, 3.0), (0.001, 0.3))
"""Between which dispersion and correlation stay."""
WILD: Final = 9.0
"""Squared standard deviations at which an error is cut."""
LESSON: Final = 2 * len(WINDOWS)
"""Numbers of a lesson."""
TOO_FEW: Final = 0.05
"""Expected negative posts below which a window says nothing about spread."""

WindowAt = Callable[[int, int], tuple[int, int]]
"""Posts and negative posts of a window of so many minutes that ends with a minute since 1970."""


class Spread:
    """What was learnt, an entry for each of `WINDOWS`.

    A lesson is drawn from an hour as soon as it has ended, while its minutes are still known, and learnt much later,
    when it is clear that the hour was an ordinary one.
    """

    __slots__ = ("correlation", "days", "dispersion")

    def __init__(self) -> None:
        self.days = 0.0
        """Learnt so far."""
        self.dispersion = array("d", DISPERSION)
        self.correlation = array("d", CORRELATION)

    def lesson(
        self, hour: int, window: WindowAt, expected: Callable[[int, int], float], share: float
    ) -> "array[float]":
        """What an hour that has just ended says: by how much to correct each dispersion, then each correlation.

        Args:
            hour: which, since 1970.
            window: looks up counts.
            expected: looks up the usual posts of a window in the same way.
            share: usual share of negative posts.
        """
        memory = min(MEMORY, FIRST_WORTH + self.days)
        corrections = array("f", bytes(4 * LESSON))
        for i, width in enumerate(WINDOWS):
            step = min(width, HOUR)
            if expected(width, (hour + 1) * HOUR - 1) * share < TOO_FEW:
                continue
            weight = step / (memory * 24 * HOUR)
            for last in range(hour * HOUR + step - 1, (hour + 1) * HOUR, step):
                total, negative = window(width, last)
                corrections[i] += weight * self._dispersed(i, negative, expected(width, last) * share)
                corrections[len(WINDOWS) + i] += weight * self._correlated(i, total, negative, share)
        return corrections

    def learn(self, corrections: Sequence[float]) -> None:
        """Take in a lesson."""
        self.days += 1 / 24
        for i in range(len(WINDOWS)):
            self.dispersion[i] = _within(LIMITS[0], self.dispersion[i] + corrections[i])
            self.correlation[i] = _within(LIMITS[1], self.correlation[i] + corrections[len(WINDOWS) + i])

    def _dispersed(self, i: int, negative: int, usual: float) -> float:
        """How far off the dispersion is, by E[(k-q)^2] = q + dispersion q^2; k negative posts, q usual ones."""
        old, square = self.dispersion[i], usual * usual
        error = min((negative - usual) ** 2, WILD * (usual + old * square) + 2)
        return max(error - usual - old * square, -5 * square - 1) / max(square, 0.5)

    def _correlated(self, i: int, total: int, negative: int, share: float) -> float:
        """The same by Var[k] = n p (1-p) (1 + (n-1) correlation); k negative posts of n, p the usual share."""
        single = total * share * (1 - share)
        pairs = single * max(total - 1, 0)
        if pairs <= 0.5:
            return 0.0
        old = self.correlation[i]
        error = min((negative - total * share) ** 2, WILD * (single + old * pairs) + 2)
        return (error - single - old * pairs) / max(pairs, 2.0)

    def state(self) -> list[Any]:
        """Dispersion, correlation and days learnt, as plain values."""
        return [list(self.dispersion), list(self.correlation), self.days]

    def restore(self, state: Any) -> None:  # noqa: ANN401  what a database held
        """Go on from what `state` gave.

        Raises:
            ValueError: it is of another shape.
        """
        dispersion, correlation, self.days = state
        if not len(dispersion) == len(correlation) == len(WINDOWS):
            raise ValueError(f"spread of {len(dispersion)} windows instead of {len(WINDOWS)}")
        self.dispersion, self.correlation = array("d", dispersion), array("d", correlation)


def _within(limits: tuple[float, float], value: float) -> float:
    return min(max(value, limits[0]), limits[1])
