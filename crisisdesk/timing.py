"""How long things take, as a histogram, so that whoever watches the desk can tell a slow part from much to do."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from math import inf
from time import perf_counter
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: the model takes milliseconds for a post and half a second for many; from a flood the desk may be minutes
behind."""


class Timing:
    """The seconds that something took, each time since the desk began.

    Args:
        seconds: a clock that is never set.
    """

    def __init__(self, seconds: Callable[[], float] = perf_counter) -> None:
        self.total = 0.0
        """Seconds of all times together."""
        self.now: Final = seconds
        self._counts = [0] * (len(BOUNDS) + 1)

    def note(self, began: float) -> None:
        """It has ended, and began at that moment of its clock."""
        took = self.now() - began
        self.total += took
        self._counts[bisect_left(BOUNDS, took)] += 1

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count what is done inside, also where it fails."""
        began = self.now()
        try:
            yield
        finally:
            self.note(began)

    def buckets(self) -> Sequence[tuple[float, int]]:
        """How often it took at most so many seconds, by ascending bound; the last, infinity, counts all."""
        return list(zip((*BOUNDS, inf), accumulate(self._counts), strict=True))
