"""How the time of a series passes: rows to a length of time, and sums over the last of them."""

import math
from dataclasses import dataclass
from typing import Final

MINUTES_PER_DAY: Final = 1440.0
MINUTES_PER_WEEK: Final = 7 * MINUTES_PER_DAY
USUAL_INTERVAL: Final = 5.0
"""Minutes between rows for which the constants of the questions were fitted, and what a series without times is
taken for."""
SHORTEST_INTERVAL: Final = 1 / 60
"""Minutes; a faster series is read as one of a row a second, which bounds the memory."""
SHORTEST_MEMORY: Final = 7
"""Rows; without it, the level of a daily series would be yesterday's noise."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows a length of time holds; `interval` is in minutes."""

    interval: float = USUAL_INTERVAL

    def rows(self, minutes: float, at_least: int = 1) -> int:
        """Rows in so many minutes."""
        return max(at_least, round(minutes / max(self.interval, SHORTEST_INTERVAL)))

    def fading(self, days: float) -> float:
        """The factor by which a memory with this half-life shrinks in one row."""
        return math.exp2(-1.0 / self.rows(days * MINUTES_PER_DAY, SHORTEST_MEMORY))


class RollingSum:
    """The sum of the last `size` numbers, at the price of one; it starts as if zeros had gone before."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.total = 0.0
        self._numbers = [0.0] * size
        self._next = 0

    def add(self, number: float) -> float:
        """Take the newest number in and the oldest out; returns the new sum."""
        self.total += number - self._numbers[self._next]
        self._numbers[self._next] = number
        self._next = (self._next + 1) % self.size
        if self._next == 0:
            self.total = math.fsum(self._numbers)  # rounding errors live for one round at most
        return self.total
