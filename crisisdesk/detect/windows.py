"""Counts of posts over sliding windows of event time."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Final

WINDOWS: Final = (5, 15, 60, 180, 720)
"""Minutes. A sudden storm shows in the shortest, a slow one in the longest."""

HORIZON: Final = 28 * 60
"""Minutes that are remembered: the widest window before an hour that waits to be learnt, and room for late posts."""


class Counts:
    """Posts and negative posts of one watch, minute by minute, for the last `HORIZON` minutes.

    Only minutes with posts take memory. Sums are differences of running totals, so that a window costs two look-ups
    however wide it is. Minutes are whole minutes since 1970.
    """

    def __init__(self) -> None:
        self._minutes: list[int] = []
        self._totals: list[int] = []
        self._negatives: list[int] = []
        # What lies before the first remembered minute, so that running totals never need to be rewritten.
        self._total_before = 0
        self._negative_before = 0

    @property
    def latest(self) -> int | None:
        """The newest minute with a post."""
        return self._minutes[-1] if self._minutes else None

    def add(self, minute: int, total: int, negative: int) -> bool:
        """Count posts in a minute; False when it lies too far back to matter."""
        newest = self.latest
        if newest is not None and minute <= newest - HORIZON:
            return False
        if newest is None or minute > newest:
            self._minutes.append(minute)
            self._totals.append(self._totals[-1] if self._totals else self._total_before)
            self._negatives.append(self._negatives[-1] if self._negatives else self._negative_before)
            self._forget(minute - HORIZON)
        place = bisect_left(self._minutes, minute)
        if self._minutes[place] != minute:
            self._minutes.insert(place, minute)
            self._totals.insert(place, self._totals[place - 1] if place else self._total_before)
            self._negatives.insert(place, self._negatives[place - 1] if place else self._negative_before)
        for i in range(place, len(self._minutes)):
            self._totals[i] += total
            self._negatives[i] += negative
        return True

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Posts and negative posts in the minutes from `first` to `last`, both included."""
        low, high = bisect_left(self._minutes, first) - 1, bisect_right(self._minutes, last) - 1
        if high < 0:
            return 0, 0
        total, negative = self._totals[high], self._negatives[high]
        if low < 0:
            return total - self._total_before, negative - self._negative_before
        return total - self._totals[low], negative - self._negatives[low]

    def state(self) -> list[tuple[int, int, int]]:
        """Minute, posts and negative posts of every remembered minute, as plain values."""
        return [(m, *self.between(m, m)) for m in self._minutes]

    @classmethod
    def restored(cls, state: Iterable[tuple[int, int, int]]) -> "Counts":
        """Counts as `state` gave them."""
        counts = cls()
        for minute, total, negative in state:
            counts.add(minute, total, negative)
        return counts

    def _forget(self, oldest: int) -> None:
        """Drop the minutes before `oldest`, many at a time: cutting the front of a list moves all the rest."""
        stale = bisect_left(self._minutes, oldest)
        if stale > HORIZON // 4:
            self._total_before, self._negative_before = self._totals[stale - 1], self._negatives[stale - 1]
            del self._minutes[:stale], self._totals[:stale], self._negatives[:stale]
