"""Counts of posts over sliding windows of event time, in memory that does not grow with the number of posts."""

from array import array
from collections.abc import Sequence
from typing import Any, Final

HOUR: Final = 60
"""Minutes."""
WINDOWS: Final = (5, 15, 60, 180, 360, 720, 1440)
"""Minutes. A sudden storm shows in the shortest, a slow-burning day in the longest."""
FINE, MIDDLE, COARSE = 1, 15, HOUR
"""Minutes of a bucket: the last hour is kept by the minute, what is older more coarsely."""
KEPT: Final = {FINE: 64, MIDDLE: 26, COARSE: 50}
"""Buckets of each grain: the widest window that is read from it, and of hours also the day before that."""
GRAINS: Final = tuple(KEPT)
HORIZON: Final = (KEPT[COARSE] - 1) * HOUR
"""Minutes that are remembered; what comes later than that is not counted any more."""


def grain(width: int) -> int:
    """The bucket from which a window of so many minutes is added up."""
    return FINE if width <= HOUR else MIDDLE if width <= 360 else COARSE


class Ring:
    """Posts and negative posts in the last `size` buckets of so many minutes each."""

    __slots__ = ("minutes", "negatives", "newest", "size", "totals")

    def __init__(self, minutes: int, size: int) -> None:
        self.minutes, self.size = minutes, size
        self.newest = -1
        """Number of the newest bucket since 1970."""
        self.totals = array("I", bytes(4 * size))
        self.negatives = array("I", bytes(4 * size))

    def advance(self, bucket: int) -> None:
        """Let time pass until a bucket is the newest; those that take the place of old ones begin empty."""
        for new in range(max(self.newest + 1, bucket - self.size + 1), bucket + 1):
            self.totals[new % self.size] = self.negatives[new % self.size] = 0
        self.newest = max(self.newest, bucket)

    def add(self, bucket: int, total: int, negative: int) -> bool:
        """Count posts; False when the bucket is no longer kept."""
        if bucket <= self.newest - self.size:
            return False
        self.totals[bucket % self.size] += total
        self.negatives[bucket % self.size] += negative
        return True

    def between(self, first: int, last: int) -> tuple[int, int]:
        """Posts and negative posts in the buckets from `first` to `last`, both included, as far as they are kept."""
        first, last = max(first, self.newest - self.size + 1), min(last, self.newest)
        if last < first:
            return 0, 0
        low, high = first % self.size, last % self.size + 1
        if low < high:
            return sum(self.totals[low:high]), sum(self.negatives[low:high])
        totals, negatives = self.totals, self.negatives
        return sum(totals[low:]) + sum(totals[:high]), sum(negatives[low:]) + sum(negatives[:high])


class Counts:
    """Posts and negative posts of one watch, for the last `HORIZON` minutes. Moments are whole minutes since 1970.

    A window is added up from buckets of its grain: the present one, as far as it has come, and the full ones before it
    that fit. So it ends now, never at a bucket's end, and is at most one bucket shorter than its name.
    """

    __slots__ = ("_rings",)

    def __init__(self) -> None:
        self._rings = tuple(Ring(minutes, size) for minutes, size in KEPT.items())

    def advance(self, minute: int) -> None:
        """Let time pass."""
        for ring in self._rings:
            if minute // ring.minutes > ring.newest:
                ring.advance(minute // ring.minutes)

    def add(self, minute: int, total: int, negative: int) -> bool:
        """Count posts of a minute; False when it lies too far back to matter."""
        self.advance(minute)
        kept = False
        for ring in self._rings:
            kept = ring.add(minute // ring.minutes, total, negative)
        return kept

    def window(self, width: int, now: int, since: int = 0) -> tuple[int, int]:
        """Posts and negative posts of a window of so many minutes that ends now; without what came before `since`."""
        ring = self._rings[GRAINS.index(grain(width))]
        return ring.between(first_minute(width, now, since) // ring.minutes, now // ring.minutes)

    def hours(self, first: int, last: int) -> tuple[int, int]:
        """Posts and negative posts from one hour since 1970 to another, both included, as far as they are kept."""
        return self._rings[-1].between(first, last)

    def quiet(self) -> bool:
        """Whether there is no post in all that is kept."""
        return not any(self._rings[-1].totals)

    def state(self) -> list[Any]:
        """The newest minute and, by grain, the counts of the kept buckets from the oldest on, as plain values."""
        return [[ring.minutes, ring.newest, list(ring.totals), list(ring.negatives)] for ring in self._rings]

    @classmethod
    def restored(cls, state: Sequence[Any]) -> "Counts":
        """Counts as `state` gave them.

        Raises:
            ValueError: they are of another shape.
        """
        counts = cls()
        for ring, (minutes, newest, totals, negatives) in zip(counts._rings, state, strict=True):
            if minutes != ring.minutes or not len(totals) == len(negatives) == ring.size:
                raise ValueError(f"{len(totals)} buckets of {minutes} minutes instead of {ring.size} of {ring.minutes}")
            ring.newest, ring.totals, ring.negatives = int(newest), array("I", totals), array("I", negatives)
        return counts


def first_minute(width: int, now: int, since: int = 0) -> int:
    """The first minute of a window of so many minutes that ends with the minute `now`, not before `since`.

    It is the first of a bucket, so it may lie after `since`, and after `now` where nothing is left of the window.
    """
    step = grain(width)
    if step == FINE:
        return max(now - width + 1, since)
    return max(now // step - width // step + 1, -(-since // step)) * step
