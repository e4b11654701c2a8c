"""How much time a recording covers."""

import itertools
from collections.abc import Iterator
from typing import Final

from crisisdesk.records import EPOCH, Post
from crisisdesk.settings.budget import DAYS_PER_MONTH

HOURS_PER_DAY: Final = 24
LONGEST_SILENCE: Final = 7 * HOURS_PER_DAY
"""Hours; of a longer silence only so much was recorded. A single post with a wrong year adds a week, not years."""
DAYS_NEEDED: Final = 14
"""Days of a recording below which calls a month are not worth saying: the first week is spent learning."""


class Recording:
    """Notes the times of all posts that are read, whether or not they concern a watch."""

    def __init__(self) -> None:
        self._hours: set[int] = set()

    def of(self, posts: Iterator[Post]) -> Iterator[Post]:
        """The same posts."""
        for post in posts:
            self._hours.add(int((post.time - EPOCH).total_seconds() // 3600))
            yield post

    @property
    def days(self) -> float:
        """Days that were recorded."""
        hours = sorted(self._hours)
        between = (min(later - earlier, LONGEST_SILENCE) for earlier, later in itertools.pairwise(hours))
        return (sum(between) + bool(hours)) / HOURS_PER_DAY

    @property
    def months(self) -> float:
        """Months that were recorded."""
        return self.days / DAYS_PER_MONTH

    def a_month(self, calls: int) -> float | None:
        """Calls a month; None where the recording is too short to say."""
        return calls / self.months if self.days >= DAYS_NEEDED else None
