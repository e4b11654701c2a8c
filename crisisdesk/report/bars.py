"""The hours of a watch, put together to as many bars as a picture has room for."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.records import EPOCH
from crisisdesk.report.axes import DAY, HOUR, MONDAY, on_the_wall

STEPS: Final = {
    HOUR: ("an hour", 10 * DAY),
    3 * HOUR: ("in 3 hours", 30 * DAY),
    DAY: ("a day", 400 * DAY),
    7 * DAY: ("a week", 2_800 * DAY),
    28 * DAY: ("in 4 weeks", timedelta.max),
}
"""Widths of a bar: how its count is said, and how long a picture may be for it. There is nothing between 3 hours and a
day: where a day has few bars, its rhythm is only a zigzag."""
CLUSTER: Final = timedelta(hours=6)
"""For so long a busy hour is followed by busy hours; what is farther apart wanders by itself."""
FEWEST_POSTS: Final = 10
"""Posts without which a share is left to the next bars."""
ALIKE: Final = 0.02
"""How alike the posts of a bar are: a brand's share wanders by some points, however many speak."""
UNUSUAL: Final = 2.0
"""Standard deviations to the upper end of a usual band."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What a watch heard from `start` to `end`.

    `negative` of `total` posts; `expected` negative ones were usual, `high` is the upper end of the usual band, and
    `usual_share` the usual share of negative posts: None while the watch knew too little.
    """

    start: datetime
    end: datetime
    negative: int
    total: int
    expected: float | None = None
    high: float | None = None
    usual_share: float | None = None

    @property
    def is_above(self) -> bool:
        """Whether there were more negative posts than the usual band has."""
        return self.high is not None and self.negative > self.high

    @property
    def share(self) -> float:
        """Share of negative posts; 0 without posts."""
        return self.negative / self.total if self.total else 0.0

    @property
    def share_is_above(self) -> bool:
        """Whether the share is larger than usual by more than chance."""
        if self.usual_share is None or not self.total:
            return False
        chance = math.sqrt(self.usual_share * (1 - self.usual_share) * (1 / self.total + ALIKE))
        return self.share > self.usual_share + UNUSUAL * chance


def step_for(length: timedelta) -> timedelta:
    """How wide a bar is in a picture of this length."""
    return next(step for step, (_, longest) in STEPS.items() if length <= longest)


def put_together(hours: Sequence[Bar], step: timedelta, zone: tzinfo = UTC) -> list[Bar]:
    """Bars of this width; days begin at midnight there, and weeks on Mondays."""
    if step == HOUR:  # in autumn an hour is twice on the wall
        return list(hours)
    groups = itertools.groupby(hours, key=lambda hour: (on_the_wall(hour.start, zone) - MONDAY) // step)
    return [_sum(list(group)) for _, group in groups]


def shares(bars: Sequence[Bar]) -> Iterator[Bar]:
    """The same with neighbours put together until a share can be taken of them.

    A bar that has posts enough stands alone: the calm before a storm is no part of it. The few posts of an hour between
    two such bars belong to the one before, since a hole would look like a share of nothing.
    """
    ready: Bar | None = None
    waiting: list[Bar] = []
    for bar in bars:
        waiting.append(bar)
        if bar.total >= FEWEST_POSTS:
            if ready:
                yield _sum([ready, *waiting[:-1]])
            ready, waiting = bar, []
        elif sum(one.total for one in waiting) >= FEWEST_POSTS:
            if ready:
                yield ready
            ready, waiting = _sum(waiting), []
    if ready:
        yield ready


def _sum(bars: Sequence[Bar]) -> Bar:
    expected, usual = [bar.expected for bar in bars], [bar.usual_share for bar in bars]
    known = [one for one in expected if one is not None]
    shares_known = [one for one in usual if one is not None]
    return Bar(
        bars[0].start,
        bars[-1].end,
        sum(bar.negative for bar in bars),
        sum(bar.total for bar in bars),
        sum(known) if len(known) == len(bars) else None,
        _high(bars),
        sum(shares_known) / len(shares_known) if shares_known else None,
    )


def _high(bars: Sequence[Bar]) -> float | None:
    """The upper end of the usual band of a sum.

    Posts come by themselves, and what they vary beyond that comes in clusters, which are strangers to each other.
    """
    expected = variance = 0.0
    for _, cluster in itertools.groupby(bars, key=lambda bar: (bar.start - EPOCH) // CLUSTER):
        together = 0.0
        for bar in cluster:
            if bar.expected is None or bar.high is None:
                return None
            expected += bar.expected
            together += math.sqrt(max(((bar.high - bar.expected) / UNUSUAL) ** 2 - bar.expected, 0.0))
        variance += together**2
    return expected + UNUSUAL * math.sqrt(expected + variance)
