"""What is usual for a watch: how many posts at which hour of which day, and how many of them are negative.

Learnt one hour at a time, each hour some hours after it has passed, so that the detector has had time to flag it:
what belongs to a spike is never learnt. All of it is some sixty numbers, saved and restored as plain values.
"""

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

LEVEL_HALF_LIFE: Final = 48.0
"""Hours after which a past hour weighs half in the level."""
SHARE_HALF_LIFE: Final = 168.0
"""Hours after which a past hour weighs half in the usual share."""
DAY_RHYTHM_KEPT: Final = 0.85
"""Weight that yesterday's hour keeps when today's same hour is learnt."""
WEEK_RHYTHM_KEPT: Final = 0.62
"""Weight that last week's day keeps when this week's same day has been learnt."""
DAY_RHYTHM_PRIOR: Final = 2.0
"""Posts that stand for "like the average hour": a small watch must not learn a rhythm from single posts."""
WEEK_RHYTHM_PRIOR: Final = 30.0
"""Posts that stand for "like the average day"."""
SETTLED: Final = 168
"""Hours after which a watch knows what is usual; before, it says that it is learning."""
WEEKDAYS_KNOWN: Final = 2 * SETTLED
"""Hours after which days of the week are told apart: one Saturday is no rhythm."""
USUAL_SHARE: Final = 0.25
"""Share of negative posts that a new watch is assumed to have."""
SHARE_WEIGHT: Final = 8.0
"""Posts that this assumption is worth."""
FRESH_PRIOR: Final = (2.0, 20.0)
"""Fresh and all negative posts that a new watch is taken to have had."""
GUESS_WEIGHT: Final = 12.0
"""Hours that the operator's guess of the level is worth."""

Clock = Callable[[int], tuple[int, int]]
"""From hours since 1970 to the weekday, Monday being 0, and the hour of the day where the watch lives."""


def utc(hour: int) -> tuple[int, int]:
    """Weekday and hour of the day at Greenwich; 1 January 1970 was a Thursday."""
    return (hour // 24 + 3) % 7, hour % 24


def local(zone: ZoneInfo) -> Clock:
    """Weekday and hour of the day in a time zone: people get up by the clock on the wall, summer and winter."""

    def at(hour: int) -> tuple[int, int]:
        moment = datetime.fromtimestamp(hour * 3600, zone)
        return moment.weekday(), moment.hour

    return at


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a new watch is taken for until it has been heard.

    Args:
        posts_an_hour: the operator's word; None where nothing is said.
        share: usual share of negative posts, such as that of the desk's other watches; None for `USUAL_SHARE`.
    """

    posts_an_hour: float | None = None
    share: float | None = None


class Baseline:
    """The usual, of one watch. Rates are posts an hour, shares lie between 0 and 1, hours are since 1970."""

    __slots__ = (
        "_day_seen",
        "_day_usual",
        "_lasted",
        "_prior",
        "_seen",
        "_week_seen",
        "_week_usual",
        "clock",
        "fresh",
        "hours",
        "negative",
        "sour",
        "told",
        "total",
    )

    def __init__(self, expectation: Expectation | None = None, clock: Clock = utc) -> None:
        known = expectation or Expectation()
        self.clock = clock
        self.told = known.posts_an_hour is not None
        """Whether somebody has said how much to expect."""
        self._prior = (USUAL_SHARE if known.share is None else known.share) * SHARE_WEIGHT
        # Posts of the past and the average hours in which they came, older ones weighing less.
        self._seen, self._lasted = 0.0, 0.0
        if known.posts_an_hour is not None:
            self._seen, self._lasted = known.posts_an_hour * GUESS_WEIGHT, GUESS_WEIGHT
        self._day_seen, self._day_usual = array("d", bytes(8 * 24)), array("d", bytes(8 * 24))
        self._week_seen, self._week_usual = array("d", bytes(8 * 7)), array("d", bytes(8 * 7))
        self.hours = 0
        """Hours learnt so far."""
        self.negative, self.total = self._prior, SHARE_WEIGHT
        """Negative and all posts of the past, older ones weighing less."""
        self.fresh, self.sour = FRESH_PRIOR

    @property
    def level(self) -> float:
        """Usual posts an hour, over the whole week; 0 while nothing is known."""
        return max(self._seen / self._lasted, 0.01) if self._lasted else 0.0

    @property
    def share(self) -> float:
        """The usual share of negative posts."""
        return self.negative / self.total

    @property
    def learning(self) -> bool:
        """Whether too little is known for the ordinary thresholds."""
        return self.hours < SETTLED

    def rate(self, hour: int) -> float:
        """Usual posts in an hour."""
        weekday, of_day = self.clock(hour)
        return self.level * self._day(of_day) * self._week(weekday)

    @property
    def fresh_part(self) -> float:
        """The usual part of the negative posts that speak of something new."""
        return self.fresh / self.sour

    def learn(
        self, hour: int, total: float, negative: float, bound: float, *, fresh: float = 0.0, part: float = 1.0
    ) -> None:
        """Take in one past hour.

        Args:
            hour: which.
            total: its posts.
            negative: the negative ones among them.
            bound: one wild hour that was not flagged counts for so many posts and no more.
            fresh: negative posts that speak of something new.
            part: of the hour that could be heard.
        """
        weekday, of_day = self.clock(hour)
        day, week = self._day(of_day), self._week(weekday)
        counted = min(total, bound) if self.hours else total
        kept = 0.5 ** (1 / LEVEL_HALF_LIFE)
        self._seen, self._lasted = self._seen * kept + counted, self._lasted * kept + part * day * week
        if self.hours >= 24:
            level = self.level
            self._day_seen[of_day] = self._day_seen[of_day] * DAY_RHYTHM_KEPT + counted
            self._day_usual[of_day] = self._day_usual[of_day] * DAY_RHYTHM_KEPT + part * level * week
            an_hour = WEEK_RHYTHM_KEPT ** (1 / 24)
            self._week_seen[weekday] = self._week_seen[weekday] * an_hour + counted
            self._week_usual[weekday] = self._week_usual[weekday] * an_hour + part * level * day
        remembered, part = 0.5 ** (1 / SHARE_HALF_LIFE), counted / total if total else 0.0
        self.negative = self._prior + (self.negative - self._prior) * remembered + part * negative
        self.total = SHARE_WEIGHT + (self.total - SHARE_WEIGHT) * remembered + part * total
        self.fresh = FRESH_PRIOR[0] + (self.fresh - FRESH_PRIOR[0]) * remembered + part * fresh
        self.sour = FRESH_PRIOR[1] + (self.sour - FRESH_PRIOR[1]) * remembered + part * negative
        self.hours += 1

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "seen": self._seen,
            "lasted": self._lasted,
            "day": [list(self._day_seen), list(self._day_usual)],
            "week": [list(self._week_seen), list(self._week_usual)],
            "hours": self.hours,
            "negative": self.negative,
            "total": self.total,
            "prior": self._prior,
            "fresh": [self.fresh, self.sour],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._seen, self._lasted = state["seen"], state["lasted"]
        self._day_seen, self._day_usual = (array("d", kept) for kept in state["day"])
        self._week_seen, self._week_usual = (array("d", kept) for kept in state["week"])
        self.hours, self._prior = state["hours"], state["prior"]
        self.negative, self.total = state["negative"], state["total"]
        self.fresh, self.sour = state["fresh"]

    def _day(self, of_day: int) -> float:
        """How busy an hour of the day is, 1 being the average."""
        return (self._day_seen[of_day] + DAY_RHYTHM_PRIOR) / (self._day_usual[of_day] + DAY_RHYTHM_PRIOR)

    def _week(self, weekday: int) -> float:
        """How busy a day of the week is, 1 being the average."""
        if self.hours < WEEKDAYS_KNOWN:
            return 1.0
        return (self._week_seen[weekday] + WEEK_RHYTHM_PRIOR) / (self._week_usual[weekday] + WEEK_RHYTHM_PRIOR)
