"""What is usual at this time of the day and of the week, as an offset to the level of a series."""

import math
from typing import Final

from crisisdesk.detect.series_pace import MINUTES_PER_DAY, MINUTES_PER_WEEK, SHORTEST_INTERVAL, Pace

DAY_BIN: Final = 30.0
WEEK_BIN: Final = 60.0
"""Minutes that share one offset."""
ROWS_PER_DAY: Final = 4
"""A series with fewer rows a day has no times of day,"""
ROWS_PER_WEEK: Final = 7
"""and one with fewer rows a week has no weekdays."""
LARGEST_STEP: Final = 1.0
"""No row moves an offset as if it lay further off than this."""


class Rhythm:
    """The offsets of the half-hours of a day, and on top of them those of the hours of a week.

    The day is learnt within days. The week is learnt from the second week on, when the day is known: weekends, Monday
    mornings, a day off.
    """

    def __init__(self, pace: Pace) -> None:
        rows_per_day = MINUTES_PER_DAY / pace.interval
        self._day = _Profile(MINUTES_PER_DAY, DAY_BIN, pace) if rows_per_day >= ROWS_PER_DAY else None
        self._week = _Profile(MINUTES_PER_WEEK, WEEK_BIN, pace, 1.0) if 7 * rows_per_day >= ROWS_PER_WEEK else None
        self._first_week = pace.rows(MINUTES_PER_WEEK)

    def offset(self, minute: float) -> float:
        """How far the usual value lies from the level at this minute of the week."""
        day = self._day.at(minute) if self._day else 0.0
        return day + self._week.at(minute) if self._week else day

    def learn(self, residual: float, minute: float, seen: int) -> None:
        """Follow a value that lay so far from level and offset; `seen` values came before it."""
        step = max(-LARGEST_STEP, min(LARGEST_STEP, residual))
        if self._day:
            self._day.learn(step, minute)
        if self._week and seen >= self._first_week:
            self._week.learn(step, minute)


class _Profile:
    """One offset for each bin of a cycle, moving by the mean of the first visits, then by a fixed share of each."""

    LEARNING: Final = 0.3
    """The least share of a visit's residual that is taken over."""

    def __init__(self, cycle: float, bin_minutes: float, pace: Pace, doubt: float = 0.0) -> None:
        self._cycle, self._bin = cycle, max(bin_minutes, pace.interval)
        self._rows_per_bin = self._bin / max(pace.interval, SHORTEST_INTERVAL)
        self._doubt = doubt  # visits as which "no offset at all" counts
        bins = math.ceil(cycle / self._bin)
        self._offsets, self._visits = [0.0] * bins, [0.0] * bins

    def at(self, minute: float) -> float:
        return self._offsets[self._place(minute)]

    def learn(self, step: float, minute: float) -> None:
        place = self._place(minute)
        share = max(self.LEARNING, 1.0 / (1.0 + self._doubt + self._visits[place])) / self._rows_per_bin
        self._offsets[place] += share * step
        self._visits[place] += 1.0 / self._rows_per_bin

    def _place(self, minute: float) -> int:
        return min(int(minute % self._cycle // self._bin), len(self._offsets) - 1)
