"""How many posts are usual between two moments: the usual of each hour, added up once an hour."""

from array import array
from typing import Final

from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.windows import HOUR, first_minute

HOURS: Final = 26
"""Hours that are added up at once: the widest window and the hours at its ends."""


class Expected:
    """Usual posts of a watch, so that a window costs two look-ups. Moments are minutes since 1970."""

    __slots__ = ("_baseline", "_sums", "_until")

    def __init__(self, baseline: Baseline) -> None:
        self._baseline = baseline
        self._sums = array("d", bytes(8 * (HOURS + 1)))
        self._until = -1

    def look_up(self, hour: int) -> None:
        """Add up what is usual until the end of an hour since 1970."""
        if self._until == hour:
            return
        self._until, posts = hour, 0.0
        for place, one in enumerate(range(hour - HOURS + 1, hour + 1), 1):
            posts += self._baseline.rate(one)
            self._sums[place] = posts

    def forget(self) -> None:
        """The usual has changed."""
        self._until = -1

    def between(self, first: float, last: float) -> float:
        """Usual posts between two moments of the last 24 hours before the one that was looked up."""
        return self._at(last) - self._at(first)

    def window(self, width: int, last: int) -> float:
        """The same for a window of so many minutes that ends with a whole minute."""
        return self._at(last + 1) - self._at(first_minute(width, last))

    def _at(self, moment: float) -> float:
        """Usual posts until a moment, counted from the first of the hours looked up."""
        since = moment - (self._until - HOURS + 1) * HOUR
        place = min(max(int(since // HOUR), 0), HOURS - 1)
        before, after = self._sums[place], self._sums[place + 1]
        return before + (after - before) * (since / HOUR - place)
