"""How long the model takes, counted so that whoever watches the desk can tell a slow model from much to do."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from time import perf_counter
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: one post takes a few milliseconds, a full batch about half a second on one processor."""


class Timing:
    """A histogram of the seconds that batches took, since the desk began."""

    def __init__(self, seconds: Callable[[], float] = perf_counter) -> None:
        self.total = 0.0
        """Seconds of all batches together."""
        self._counts = [0] * (len(BOUNDS) + 1)
        self._seconds = seconds

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Measure one, also where it fails."""
        began = self._seconds()
        try:
            yield
        finally:
            took = self._seconds() - began
            self.total += took
            self._counts[sum(bound < took for bound in BOUNDS)] += 1

    def buckets(self) -> list[tuple[float, int]]:
        """How many batches took at most so many seconds, by ascending bound; the last, infinity, counts all."""
        return list(zip((*BOUNDS, float("inf")), accumulate(self._counts), strict=True))
