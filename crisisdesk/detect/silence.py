"""For how long a source may plausibly be silent, learnt from its own rhythm. Pure.

Silence is counted in posts that were due: its seconds, each by what usually comes at that hour of a weekday or of the
weekend, so that a quiet night is no long silence. It is too long where it is

- longer than chance explains: were posts to come by chance (Poisson) at the usual rate, so long a silence would come
  once in `e ** MARGIN` months, the doubt about a rate that is known from a few posts only included; and
- longer than habit explains: `FACTOR` times the longest silences so far, for sources whose posts come in bursts.

A silence is learnt from when it has ended, and one that was too long as no longer than was plausible. So an outage does
not become the habit, and a source that has really slowed down is believed after a few times.
"""

import math
from typing import Any, Final

from crisisdesk.text import clean

STEP: Final = 10.0
"""Seconds within which posts count once: how many come at once says little about how soon the next one comes."""
HOURS: Final = 48
"""Those of a weekday, then those of a Saturday or Sunday; in UTC."""
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR
MONTH: Final = 30 * DAY

MARGIN: Final = 2.0
"""By chance alone, one silence in e to this many months is too long."""
FACTOR: Final = 2.0
"""So many times the habit is too long."""
DAYS_KNOWN: Final = 8
"""Days with posts after which a rhythm has been heard with its weekend."""
DAYS_KEPT: Final = 28
"""Days with posts of which the longest silence is known; the habit is the second longest, as one day may have an
outage."""
MEMORY: Final = 21
"""Days after which a number of posts weighs a third."""
LEARNS: Final = 4 * HOUR
"""Of listening at one hour of the day, after which that hour is guessed to be like the others,"""
QUIET: Final = 0.1
"""and before which it is guessed to be quiet, as at night: with this part of the usual posts."""
_YEAR_9000: Final = 221_845_392_000.0


class Rhythm:
    """When posts usually come over one source. Moments are seconds since 1970.

    Args:
        floor: seconds below which no silence is too long, however fast posts come.
        cap: seconds from which on every silence is, however few come.
    """

    __slots__ = ("_cap", "_day", "_floor", "_heard", "_longest", "_silent", "_steps", "due", "last", "waited")

    def __init__(self, floor: float, cap: float) -> None:
        self.last: float | None = None
        """When the last post came; None before the first."""
        self.waited = 0.0
        """Seconds of listening since then."""
        self.due = 0.0
        """Posts that usually come in this time."""
        self._floor, self._cap = floor, cap
        self._heard = [0.0] * HOURS  # steps with posts, and steps that were listened to
        self._steps = [0.0] * HOURS
        self._silent: dict[int, float] = {}
        """Seconds of this silence, by the hour."""
        self._longest: dict[int, float] = {}
        self._day = -1

    def listen(self, start: float, end: float) -> None:
        """Let time pass in which nothing came; a post at its end is told by `hear` after it."""
        while start < end:
            until = min(end, (start // HOUR + 1) * HOUR)
            hour, seconds = _hour(start), until - start
            self._silent[hour] = self._silent.get(hour, 0.0) + seconds
            self.due += seconds * self._rate(hour)
            self.waited += seconds
            start = until

    def hear(self, moment: float, *, plausible: bool = True) -> None:
        """A post came. Nothing is learnt of a silence that is not `plausible`: it had other reasons than the rhythm."""
        if self.last is None or moment // STEP != self.last // STEP:
            self._begin(int(moment // DAY))
            if plausible:
                self._learn(int(moment // DAY))
            self._heard[_hour(moment)] += 1.0
            self._silent.clear()
            self.waited = self.due = 0.0
        self.last = moment

    @property
    def limit(self) -> float:
        """Posts that are due from which on a silence is too long; infinite before the first post."""
        posts = sum(self._heard)
        if not posts:
            return math.inf
        chance = max(math.log(_intensity(self._share) * MONTH), 0.0) + MARGIN
        # The rate is known from so many posts only: the predictive distribution is Lomax, exponential in the end.
        doubtful = posts * math.expm1(min(chance / posts, 50.0))
        return max(doubtful, FACTOR * self._habit)

    def is_overdue(self, times: float = 1.0) -> bool:
        """Whether the silence is so many times as long as is plausible."""
        if self.waited < self._floor or self.last is None:
            return False
        return self.due >= times * self.limit or self.waited >= times * self._cap

    @property
    def is_known(self) -> bool:
        """Whether it has been heard for so long that a surprise is none of the first week."""
        return len(self._longest) >= DAYS_KNOWN

    @property
    def every(self) -> float:
        """Seconds from post to post that are usual in the hours of this silence."""
        return self.waited / self.due if self.due else math.inf

    @property
    def posts_a_day(self) -> float:
        """Usual posts a day, those within a `STEP` counted once."""
        return _intensity(self._share) * DAY

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        longest = [[day, due] for day, due in self._longest.items()]
        return {
            "last": self.last, "waited": self.waited, "due": self.due, "day": self._day, "heard": self._heard,
            "steps": self._steps, "longest": longest, "silent": [list(one) for one in self._silent.items()],
        }  # fmt: skip

    def restore(self, state: object) -> None:
        """Go on from what `state` gave: a silence goes on, too, without the time in which nobody listened.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        if not isinstance(state, dict):
            raise TypeError(f"{type(state).__name__} is not how a rhythm is kept")
        last = None if state["last"] is None else number(state["last"])
        waited, due = number(state["waited"]), number(state["due"])
        heard, steps = ([number(one) for one in state[key]] for key in ("heard", "steps"))
        if not len(heard) == len(steps) == HOURS:
            raise ValueError(f"{len(heard)} and {len(steps)} hours instead of {HOURS}")
        longest = {int(number(day)): number(due) for day, due in state["longest"]}
        silent = {int(number(hour)): number(seconds) for hour, seconds in state["silent"]}
        if len(longest) > DAYS_KEPT or not silent.keys() <= set(range(HOURS)):
            raise ValueError(f"{len(longest)} days and the hours {list(silent)}")
        self._day = int(number(state["day"], least=-1))
        self.waited, self.due, self._silent = waited, due, silent
        self.last, self._heard, self._steps, self._longest = last, heard, steps, longest

    @property
    def _share(self) -> float:
        """Of the steps that were listened to, those in which posts came."""
        return sum(self._heard) / (sum(self._steps) + 1.0)

    @property
    def _habit(self) -> float:
        """The longest silence, of all days but one; on the first day the longest."""
        return next(iter(sorted(self._longest.values())[-2:]), 0.0)

    def _rate(self, hour: int) -> float:
        """Usual posts a second at one of the hours: what was heard at it, and a guess that weighs one post."""
        share, steps = self._share, self._steps[hour]
        if not share:
            return 0.0
        alike = QUIET + (1.0 - QUIET) * min(1.0, steps * STEP / LEARNS)
        guess = -math.expm1(-alike * _intensity(share) * STEP)
        return _intensity((self._heard[hour] + guess / share) / (steps + 1.0 / share))

    def _learn(self, day: int) -> None:
        """Take in the silence that a post has ended."""
        too_long = max(1.0, self.due / self.limit)
        if self.last is not None:
            self._longest[day] = max(self._longest.get(day, 0.0), self.due / too_long)
            while len(self._longest) > DAYS_KEPT:
                del self._longest[min(self._longest)]
        for hour, seconds in self._silent.items():
            whole = seconds >= HOUR  # quiet from end to end: this may be how it is at that hour, as at night
            self._steps[hour] += seconds / STEP / (1.0 if whole else too_long)

    def _begin(self, day: int) -> None:
        """What is long ago counts less."""
        if day != self._day:
            keep = 1.0 - 1.0 / MEMORY if self._day >= 0 else 1.0
            self._heard = [one * keep for one in self._heard]
            self._steps = [one * keep for one in self._steps]
            self._day = day


def _hour(moment: float) -> int:
    """1 January 1970 was a Thursday."""
    return int(moment % DAY // HOUR) + (24 if moment // DAY % 7 in {2, 3} else 0)


def _intensity(share: float) -> float:
    """Posts a second that come by chance, where this share of the steps has one or more."""
    return -math.log1p(-min(share, 1.0 - 1e-6)) / STEP


def number(value: object, least: float = 0.0) -> float:
    """A moment, or a number of something.

    Raises:
        ValueError: it is none, or one beyond all moments.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value < _YEAR_9000:
        raise ValueError(f"{clean(repr(value), 40)} is no moment and no such number")
    return float(value)
