"""What is learnt of each hour, a day after it, when it is clear that it was an ordinary one."""

import math
import struct
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, Final

from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.expected import Expected
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.loudest import Loudest
from crisisdesk.detect.spread import LESSON, Spread
from crisisdesk.detect.windows import COARSE, HOUR, KEPT, WINDOWS, Counts

LEARN_AFTER: Final = 24
"""Hours that an hour waits before it is learnt: no window is compared with a usual that it is part of, and a slow
beginning can still be flagged before it passes for normal."""
LEARN_AFTER_AT_FIRST: Final = 3
"""The same at first; then half of the hours known, so that a new watch gets to know anything at all."""
WAITING: Final = LEARN_AFTER + 2
"""Hours of which a lesson is kept until it is learnt."""
A_DAY, TWO_DAYS = 24, 48
"""Hours."""
GIVE_IN: Final = 168
"""Flagged hours, less the ordinary ones between them, after which a spike has become the usual and is learnt."""
HEARD_ENOUGH, HEARD_WELL = 0.5, 0.9
"""Parts of an hour that must have been heard if it is to say how many posts are usual, and how much they wander."""

BITS: Final = 64
"""No fewer than the hours that are kept."""
NO_LESSON: Final = (math.nan,) * LESSON
_PACKED: Final = struct.Struct(f"<{LESSON}e")
"""Two bytes a number: a lesson is a small correction, and a day of them waits in every watch."""


class Learning:
    """The usual of one watch, and the hours that wait to become part of it. Hours are since 1970, whole ones."""

    __slots__ = (
        "_begun",
        "_flagged",
        "_lessons",
        "_next",
        "_planned",
        "_skipped",
        "baseline",
        "hearing",
        "loudest",
        "spread",
    )

    def __init__(self, baseline: Baseline, hearing: Hearing) -> None:
        self.baseline = baseline
        self.hearing = hearing
        self.spread = Spread()
        self.loudest = Loudest()
        self._begun = -1.0
        self._next = -1
        self._flagged = self._planned = 0  # a bit an hour, its place the hour modulo `BITS`
        self._skipped = 0
        self._lessons = bytearray(_PACKED.pack(*NO_LESSON) * WAITING)

    def begin(self, moment: float) -> None:
        """The watch begins to listen, in minutes since 1970: what was said before is not known."""
        self._begun, self._next = moment, int(moment // HOUR)

    def skip_to(self, hour: int) -> None:
        """Nothing is to be learnt from the hours before this one."""
        self._next, self._flagged, self._planned = max(self._next, hour), 0, 0

    def end_hour(self, hour: int, counts: Counts, fresh: Counts, expected: Expected) -> None:
        """An hour has passed: learn from it how much is ordinary, and from an older one what is usual."""
        _PACKED.pack_into(self._lessons, hour % WAITING * _PACKED.size, *self._lesson(hour, counts, expected))
        wait = min(max(self.baseline.hours // 2, LEARN_AFTER_AT_FIRST), LEARN_AFTER)
        while self._next <= hour - wait:
            self._learn(self._next, counts, fresh)
            self._next += 1
        self._flagged &= ~_bit(hour - KEPT[COARSE])
        self._planned &= ~_bit(hour - KEPT[COARSE])
        self.loudest.begin(hour + 1)

    def flag(self, first: int, last: int) -> None:
        """The hours from one to another, both included, are no ordinary ones."""
        self._flagged |= _bits(first, last)

    def plan(self, first: int, last: int, now: int) -> None:
        """In the hours from one to another, both included, everybody talks because of something planned.

        Those after the present hour, and those that are no longer kept, are of no account.
        """
        self._planned |= _bits(max(first, now - KEPT[COARSE] + 1), min(last, now))

    def take_over(self, other: "Learning") -> None:
        """Know of the usual what another knows."""
        self.baseline, self.spread, self.loudest = other.baseline, other.spread, other.loudest

    def is_flagged(self, hour: int) -> bool:
        """Whether an hour, one of the last two days, is no ordinary one: it stood out, or something was planned."""
        return bool((self._flagged | self._planned) & _bit(hour))

    def ordinary(self, first: int, last: int, counts: Counts) -> tuple[int, int]:
        """Posts and negative posts from one hour to another, both included, without those that were flagged."""
        total, negative = counts.hours(first, last)
        for hour in range(first, last + 1) if self._flagged | self._planned else ():
            if self.is_flagged(hour):
                flagged = counts.hours(hour, hour)
                total, negative = total - flagged[0], negative - flagged[1]
        return total, negative

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "baseline": self.baseline.state(),
            "spread": self.spread.state(),
            "loudest": self.loudest.state(),
            "begun": self._begun,
            "next": self._next,
            "flagged": self._flagged,
            "planned": self._planned,
            "skipped": self._skipped,
            "lessons": self._lessons.hex(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        lessons = bytearray.fromhex(state["lessons"])
        if len(lessons) != len(self._lessons):
            raise ValueError(f"{len(lessons)} bytes of lessons instead of {len(self._lessons)}")
        self.baseline.restore(state["baseline"])
        self.spread.restore(state["spread"])
        self.loudest.restore(state["loudest"])
        self._begun, self._next = float(state["begun"]), int(state["next"])
        self._flagged, self._skipped, self._lessons = int(state["flagged"]), int(state["skipped"]), lessons
        self._planned = int(state.get("planned", 0))  # older versions knew of none

    def _lesson(self, hour: int, counts: Counts, expected: Expected) -> Sequence[float]:
        """What to learn of spread from an hour that has just ended; nothing while too little is known or was heard.

        Nor while wide windows reach into what was planned.
        """
        if self.baseline.hours < TWO_DAYS or self._heard(hour) < HEARD_WELL or counts.quiet() or self._planned:
            return NO_LESSON
        expected.look_up(hour)
        return self.spread.lesson(hour, counts.window, expected.window, self.baseline.share)

    def _learn(self, hour: int, counts: Counts, fresh: Counts) -> None:
        """Take in an hour that has waited, unless it was flagged, or planned, or could not be heard."""
        part = self._heard(hour)
        if part < HEARD_ENOUGH or (self._planned & _bit(hour) and self._knows_something):
            return
        flagged = bool(self._flagged & _bit(hour))
        if flagged and self._skipped < GIVE_IN:
            self._skipped += 1
            return
        self._skipped = self._skipped if flagged else max(self._skipped - 1, 0)
        total, negative = counts.hours(hour, hour)
        usual = part * self.baseline.rate(hour)
        bound = usual + 4 * math.sqrt(usual + self.spread.dispersion[WINDOWS.index(HOUR)] * usual**2) + 1
        self.baseline.learn(hour, total, negative, bound, fresh=fresh.hours(hour, hour)[1], part=part)
        lesson = _PACKED.unpack_from(self._lessons, hour % WAITING * _PACKED.size)
        if not math.isnan(lesson[0]):
            self.spread.learn(lesson)
        self.loudest.learn(hour)

    @property
    def _knows_something(self) -> bool:
        """A watch that knows nothing would call nobody; so a launch is what a new one begins to learn from."""
        return self.baseline.told or self.baseline.hours >= A_DAY

    def _heard(self, hour: int) -> float:
        """The part of an hour in which the watch could hear."""
        missed = min(max(self._begun - hour * HOUR, 0.0), HOUR) / HOUR
        return max(self.hearing.heard(hour) - missed, 0.0)


def _bit(hour: int) -> int:
    return 1 << hour % BITS


def _bits(first: int, last: int) -> int:
    """Those of the hours from one to another, both included, as far back as hours are kept."""
    return reduce(or_, map(_bit, range(max(first, last - KEPT[COARSE] + 1), last + 1)), 0)
