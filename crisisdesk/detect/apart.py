"""Posts in languages that do not count for a watch: how many there were of late, minute by minute."""

from collections import Counter
from collections.abc import Iterable
from math import ceil, floor
from typing import Final

from crisisdesk.detect.restored import whole_number
from crisisdesk.detect.windows import WINDOWS

Languages = tuple[tuple[str, int], ...]
"""Languages and their posts, most posts first."""

REMEMBERED: Final = WINDOWS[-1]
"""Minutes: as far back as evidence reaches."""
MOST: Final = (1 << 63) - 1


class Apart:
    """Counts as they come, copies and all; for people to see, never to judge by. Minutes are whole ones since 1970."""

    def __init__(self) -> None:
        self._minutes: dict[int, Counter[str]] = {}

    def add(self, minute: int, language: str, posts: int = 1) -> None:
        """Count posts of a minute."""
        self._minutes.setdefault(minute, Counter())[language] += posts
        if len(self._minutes) > 2 * REMEMBERED:
            oldest = max(self._minutes) - REMEMBERED
            self._minutes = {one: counts for one, counts in self._minutes.items() if one > oldest}

    def between(self, first: float, last: float) -> Languages:
        """Posts by language in the minutes from `first` to `last`, both included."""
        total: Counter[str] = Counter()
        for minute in range(ceil(first), floor(last) + 1):
            for language, posts in self._minutes.get(minute, {}).items():
                total[language] += posts
        return tuple(sorted(total.items(), key=lambda row: (-row[1], row[0])))

    def state(self) -> list[tuple[int, str, int]]:
        """Minute, language and posts, as plain values."""
        return [(minute, language, n) for minute, counts in self._minutes.items() for language, n in counts.items()]

    def restore(self, state: Iterable[tuple[int, str, int]]) -> None:
        """Go on from what `state` gave.

        Raises:
            TypeError, ValueError: it is of another shape.
        """
        rows = [
            (whole_number("minutes", minute, 0, MOST), str(language), whole_number("posts", posts, 0, MOST))
            for minute, language, posts in state
        ]
        for row in rows:
            self.add(*row)
