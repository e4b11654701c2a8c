"""A slow rise: the negative share of a watch, week by week. It calls nobody and is told in the weekly report.

What rises over weeks becomes the usual day by day and is no spike. Weeks are those of the calendar (ISO 8601), in UTC.
Hours that stand out (`crisisdesk.detect.spike.SpikeDetector.flagged`) are left out and counted: a crisis of one day is
told as an incident, and must not be told twice.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from crisisdesk.detect.restored import whole_number, whole_numbers
from crisisdesk.detect.why import Why
from crisisdesk.records import EPOCH

KEPT: Final = 12
"""Weeks that are kept, the present one among them."""
WEEK: Final = 168
"""Hours."""
MONDAY: Final = 96
"""The first hour of a week since 1970."""
OPEN: Final = 24
"""Hours that can still come to stand out, or be added to by late posts: no window of a spike reaches back further."""
MOST: Final = (1 << 32) - 1

BEFORE: Final = 4
"""Weeks before the last full one with which it is compared,"""
FEWEST_WEEKS: Final = 3
"""of which, the last included, so many must have been heard,"""
FEWEST_POSTS: Final = 100
"""with so many posts in the last and in the first of them."""
POINTS: Final = 0.05
"""A rise is told from so much on,"""
TIMES: Final = 4 / 3
"""or, where the share is small, from so many times the share,"""
CLEARLY: Final = 2.3
"""if the trend of all these weeks is so many of its standard errors."""
ALIKE_DAYS: Final = 7
"""A week is taken for so many days with a mood of their own, each as much a matter of luck as the watch has learnt."""

_NUMBERS: Final = {2: ("two", "zwei"), 3: ("three", "drei"), 4: ("four", "vier")}


@dataclass(frozen=True, slots=True)
class Week:
    """Posts and negative posts of one week, counted in people as everywhere: without copies."""

    start: datetime
    """Monday, 00:00 UTC."""
    total: int
    negative: int
    left_out: int = 0
    """Hours that stood out, the posts of which are not among these."""

    @property
    def name(self) -> str:
        """Like `2026-W40`."""
        year, week, _ = self.start.isocalendar()
        return f"{year}-W{week:02}"

    @property
    def share(self) -> float | None:
        """Of negative posts; None without posts."""
        return self.negative / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Rise:
    """A negative share that has risen slowly."""

    before: float
    share: float
    """Of the last full week."""
    weeks: int
    posts: int
    """Of the last full week."""

    def told(self, watch: str) -> Why:
        """In a sentence."""
        old, new = (f"{share * 100:.0f}" for share in (self.before, self.share))
        en, de = _NUMBERS[self.weeks]
        posts = f"{self.posts:,}"
        return Why(
            f"Negative share of {watch} up from {old}% to {new}% in {en} weeks ({posts} posts last week).",
            f"Negativer Anteil bei {watch} in {de} Wochen von {old}\u00a0% auf {new}\u00a0% gestiegen "
            f"({posts.replace(',', '.')} Beiträge in der letzten Woche).",
        )


class Weeks:
    """The weeks of one watch. Hours are counted since 1970, and taken in once, in their order."""

    __slots__ = ("_weeks", "newest", "since")

    def __init__(self) -> None:
        self.since = -1
        """The first hour that it was there; -1 before it."""
        self.newest = -1
        """The newest hour that was taken in; -1 before it."""
        self._weeks = array("I", bytes(4 * 3 * KEPT))  # total, negative, left out, at their number's place in a ring

    def begin(self, hour: int) -> None:
        """This is the present hour; a watch that is new begins with it."""
        if self.since < 0:
            self.since, self.newest = hour, hour - 1

    def add(self, hour: int, total: int, negative: int, *, stood_out: bool = False) -> None:
        """Take in an hour; hours without posts may be left away."""
        self.begin(hour)
        number, last = _week_of(hour), _week_of(self.newest)
        for one in range(max(last + 1, number - KEPT + 1), number + 1):
            self._weeks[one % KEPT * 3 : one % KEPT * 3 + 3] = array("I", (0, 0, 0))
        for place, count in enumerate((0, 0, 1) if stood_out else (total, negative, 0), number % KEPT * 3):
            self._weeks[place] += count
        self.newest = hour

    def copy(self) -> "Weeks":
        """One that can take in more without this one."""
        other = Weeks()
        other.since, other.newest, other._weeks = self.since, self.newest, self._weeks[:]
        return other

    def turn_back(self, hour: int) -> None:
        """This is the present hour: the weeks after its own have not been."""
        present = _week_of(hour)
        for later in range(present + 1, min(_week_of(self.newest), present + KEPT) + 1):
            self._weeks[later % KEPT * 3 : later % KEPT * 3 + 3] = array("I", (0, 0, 0))
        self.since, self.newest = min(self.since, hour), min(self.newest, hour - 1)

    def all(self, now: datetime) -> tuple[Week, ...]:
        """The weeks since the first one, oldest first; the last is the present one, as far as it has come."""
        present = _week_of(int((now - EPOCH) / timedelta(hours=1)))
        if self.since < 0:
            return ()
        first = max(_week_of(self.since), present - KEPT + 1)
        return tuple(self._week(number) for number in range(first, present + 1))

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {"since": self.since, "newest": self.newest, "weeks": list(self._weeks)}

    @classmethod
    def restored(cls, state: dict[str, Any] | Sequence[Any]) -> "Weeks":
        """Those that `state` told of; an older version's row, in which hours left out were not counted.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        weeks = cls()
        if isinstance(state, dict):
            since, newest, counts = state["since"], state["newest"], state["weeks"]
        else:
            since, _, newest, _, _, old = state
            whole_numbers("weeks", old, 2 * KEPT, MOST)
            counts = [count for week in range(KEPT) for count in (*old[2 * week : 2 * week + 2], 0)]
        weeks.since, weeks.newest = (whole_number("hours of weeks", one, -1, MOST) for one in (since, newest))
        weeks._weeks = array("I", whole_numbers("weeks", counts, 3 * KEPT, MOST))
        return weeks

    def _week(self, number: int) -> Week:
        start = EPOCH + timedelta(hours=MONDAY + (number - 1) * WEEK)
        newest = _week_of(self.newest)
        if not newest - KEPT < number <= newest:
            return Week(start, 0, 0)
        return Week(start, *self._weeks[number % KEPT * 3 : number % KEPT * 3 + 3])


def _week_of(hour: int) -> int:
    """Number of its week; the first whole one of 1970 is 1."""
    return (hour - MONDAY) // WEEK + 1


def slow_rise(weeks: Sequence[Week], correlation: float) -> Rise | None:
    """Whether the negative share has risen clearly over the last weeks.

    Args:
        weeks: oldest first, without gaps; the last is the present one and does not count.
        correlation: how alike the posts of one day are, of this watch.

    A trend test for proportions (Cochran 1954, Armitage 1955), its variance that of posts which are alike day by day,
    and larger where the weeks do not lie on a line: a single bad week is no slow rise.
    """
    full = [week for week in weeks[-BEFORE - 2 : -1] if week.total]
    if len(full) < FEWEST_WEEKS or min(full[0].total, full[-1].total) < FEWEST_POSTS:
        return None
    before, share = (week.negative / week.total for week in (full[0], full[-1]))
    if full[-1] is not weeks[-2] or (share < before + POINTS and share < before * TIMES):
        return None
    if _trend(full, correlation / ALIKE_DAYS) < CLEARLY:
        return None
    return Rise(before, share, (full[-1].start - full[0].start).days // 7, full[-1].total)


def _trend(weeks: Sequence[Week], correlation: float) -> float:
    """How many standard errors the share rises, weighing each week by what it knows."""
    weights = [week.total / (1 + (week.total - 1) * correlation) for week in weeks]
    times = [(week.start - weeks[0].start).days / 7 for week in weeks]
    shares = [week.negative / week.total for week in weeks]
    everything = sum(weights)
    time = sum(w * t for w, t in zip(weights, times, strict=True)) / everything
    share = sum(w * s for w, s in zip(weights, shares, strict=True)) / everything
    spread = sum(w * (t - time) ** 2 for w, t in zip(weights, times, strict=True))
    slope = sum(w * (t - time) * s for w, t, s in zip(weights, times, shares, strict=True)) / spread
    off = sum(w * (s - share - slope * (t - time)) ** 2 for w, t, s in zip(weights, times, shares, strict=True))
    by_chance = share * (1 - share)
    if by_chance <= 0:
        return 0.0
    return slope * math.sqrt(spread / max(by_chance, off / (len(weeks) - 2)))
