"""Whether the negative posts of one watch are a spike: counts in, a reading out, nothing but arithmetic between."""

import math
from array import array
from dataclasses import dataclass, replace
from typing import Any, Final

from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.spread import LESSON, Spread
from crisisdesk.detect.surprise import count_surprise, joint_surprise, share_surprise, tail
from crisisdesk.detect.windows import HOUR, WINDOWS, Counts, first_minute
from crisisdesk.records import Severity

GRACE: Final = 6
"""Hours that a new watch only listens; after them it calls, by stricter thresholds until it has settled."""
LEARN_AFTER: Final = 24
"""Hours that an hour waits before it is learnt: no window is compared with a usual that it is part of, and a slow
beginning can still be flagged before it passes for normal."""
LEARN_AFTER_AT_FIRST: Final = 3
"""The same at first; then half of the hours known, so that a new watch gets to know anything at all."""
WAITING: Final = LEARN_AFTER + 2
"""Hours of which something is kept until they are learnt."""
TWO_DAYS: Final = 48
"""Hours."""
GIVE_IN: Final = 168
"""Hours of one unbroken spike after which it has become the usual, and is learnt after all."""
LEAST: Final = 4
"""Negative posts below which nothing is a spike, however unusual."""
SETTLED: Final = 168.0
"""Hours in which the stricter thresholds of a new watch fall to the ordinary ones,"""
LEARNING_EXTRA: Final = 0.5
"""and what is added to them at first."""
KEEP: Final = 0.7
"""A severity lasts while the number of negative posts surprises by this part of the threshold that it took."""
FEW: Final = 8.0
"""Negative posts an hour below which a watch has fewer windows with posts enough, so fewer chances to be wrong;"""
FEWER_CHANCES: Final = 0.25
"""what that is worth, per factor 10."""
SOUR: Final = (0.25, 0.50)
"""Usual share between which complaints leave ever less room for a share to surprise by chance;"""
LESS_ROOM: Final = 1.0
"""what that is worth, per 100 points of share."""
KEPT_BY: Final = WINDOWS.index(720) + 1
"""Windows that can keep a severity: what was half a day ago keeps nobody awake."""
SCOLDED: Final = (0.55, 0.65)
"""Usual share between which a watch becomes one that is complained about all day: the share has no room to rise,"""
EXTRAORDINARY: Final = 1.5
"""so that a crowd is enough whose number surprises so many times as much as any in its memory, if its share holds."""
SHARE_HOLDS: Final = 0.02
"""By which it may lie below the usual and still hold."""
CROWD_HALF_LIFE: Final = 120 * 24.0
"""Hours after which the memory of the largest crowd has faded to half."""
FIRST_CROWD: Final = 6.0
"""Surprise of the largest crowd that a new watch is taken to have seen."""
FRESH_DISPERSION: Final = 1.0
"""Of the number of fresh posts: what is new comes all at once."""
FRESH_BESIDES: Final = 1.0
"""Surprise of the number of all negative posts below which nothing new is a spike."""
FRESH_CORRELATION: Final = 0.03
"""Added for fresh posts: they speak of one subject, and subjects differ in mood more than hours do."""
HOURS_AHEAD: Final = 26
"""Hours for which the usual is looked up at once: the widest window and the hours at its ends."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The most surprising window at one moment; `severity` None while nothing is unusual."""

    severity: Severity | None
    surprise: float
    """Of number and share together, in standard deviations, less what is allowed for how little is known."""
    window_minutes: int
    negative: int
    total: int
    expected: float
    usual_share: float
    number: float = 0.0
    """Surprise of the number of negative posts alone, in standard deviations."""
    fresh_negative: int = 0
    fresh_total: int = 0
    """Posts that speak of something new, if it was they who tipped the balance; else both 0."""

    @property
    def probability(self) -> float:
        """How likely such a number, or number and share together where they matter, is on an ordinary day."""
        return tail(max(self.surprise, self.number))


class SpikeDetector:
    """One watch's counts, its usual, and the judgement. Moments are minutes since 1970, as floats.

    Counts must already be of people (`crisisdesk.detect.people`). Late posts are welcome up to
    `crisisdesk.detect.windows.HORIZON`. State is bounded and independent of how many posts there are.
    """

    __slots__ = (
        "_counts",
        "_crowd",
        "_flagged",
        "_fresh",
        "_held",
        "_hour",
        "_lessons",
        "_loudest",
        "_now",
        "_skipped",
        "_to_learn",
        "_usual",
        "_usual_until",
        "baseline",
        "hearing",
        "spread",
        "thresholds",
    )

    def __init__(
        self, thresholds: Thresholds, baseline: Baseline | None = None, hearing: Hearing | None = None
    ) -> None:
        self.thresholds = thresholds
        self.baseline = baseline or Baseline()
        self.spread = Spread()
        self.hearing = hearing or Hearing()
        self._counts, self._fresh = Counts(), Counts()
        self._now = -1.0
        self._hour = -1
        self._to_learn = -1
        self._flagged: set[int] = set()
        self._skipped = 0
        self._held: Severity | None = None
        self._crowd = FIRST_CROWD
        self._loudest = array("f", bytes(4 * WAITING))
        self._lessons = array("f", bytes(4 * WAITING * LESSON))
        # Usual posts from some moment on, added up hour by hour, so that a window costs two look-ups.
        self._usual = array("d", bytes(8 * (HOURS_AHEAD + 1)))
        self._usual_until = -1

    def count(self, moment: float, total: int, negative: int) -> bool:
        """Count posts; False when they are too late to matter. Time moves on, so hours may be learnt first."""
        self.advance(moment)
        return self._counts.add(int(moment), total, negative)

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        """Of the posts counted, these speak of something new. What is new is judged also by itself.

        A watch that always hears complaints (a painkiller: people in pain) hides a new anger among the old ones.
        """
        self._fresh.add(int(moment), total, negative)

    def advance(self, moment: float) -> None:
        """Let time pass; hours that have waited long enough are learnt unless they were flagged."""
        if moment <= self._now:
            return
        self._now = moment
        hour = int(moment // HOUR)
        if self._hour < 0:
            self._hour = self._to_learn = hour
        while self._hour < hour:
            self._end_hour()
        self._counts.advance(int(moment))
        self._fresh.advance(int(moment))

    def read(self) -> Reading:
        """Judge the windows that end now."""
        if not self.awake:
            return self._asleep()
        judged = [self._window(i, width) for i, width in enumerate(WINDOWS)]
        best, most = max(judged, key=lambda r: r.surprise), max(judged[:KEPT_BY], key=lambda r: r.number)
        severity = self._held = self._severity(best.surprise, most.number)
        if severity is None:
            return best
        bar = self.thresholds.of(severity)
        # Of the windows that earn it, the one whose number is furthest from the ordinary says why. Without one, it is
        # the number alone that keeps the severity.
        earned = [reading for reading in judged if reading.surprise >= bar] or [most]
        shown = max(earned, key=lambda r: r.number)
        if severity >= Severity.AMBER:  # notices are a part of every month; without them the usual would be too low
            self._flag(max(reading.window_minutes for reading in earned))
        return replace(shown, surprise=best.surprise, severity=severity)

    def _asleep(self) -> Reading:
        """The shortest window, of which nothing is said."""
        total, negative = self.window(WINDOWS[0])
        return Reading(None, 0.0, WINDOWS[0], negative, total, 0.01, self.baseline.share)

    @property
    def awake(self) -> bool:
        """Whether enough is known to call anyone at all."""
        return self.baseline.hours >= GRACE or self.baseline.guessed

    def window(self, width: int) -> tuple[int, int]:
        """All and negative posts of a window of so many minutes (one of `WINDOWS`) that ends now."""
        return self._counts.window(width, int(self._now))

    def hour(self, hour: int) -> tuple[int, int]:
        """All and negative posts of an hour since 1970, as far as remembered."""
        return self._counts.hour(hour)

    def expected(self, first: float, last: float) -> float:
        """Usual posts between two moments of the last 24 hours."""
        self._look_up()
        return self._usual_at(last) - self._usual_at(first)

    def usual(self, hour: int) -> tuple[float, float]:
        """Negative posts that are usual in that hour (since 1970), and the upper end of the usual band."""
        expected = self.baseline.rate(hour) * self.baseline.share
        spread = math.sqrt(expected + self.spread.dispersion[WINDOWS.index(HOUR)] * expected**2)
        return expected, expected + 2 * spread

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "baseline": self.baseline.state(),
            "spread": self.spread.state(),
            "counts": self._counts.state(),
            "fresh": self._fresh.state(),
            "now": self._now,
            "hour": self._hour,
            "to_learn": self._to_learn,
            "flagged": sorted(self._flagged),
            "skipped": self._skipped,
            "held": self._held,
            "crowd": self._crowd,
            "loudest": list(self._loudest),
            "lessons": list(self._lessons),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        self.baseline.restore(state["baseline"])
        self.spread.restore(state["spread"])
        self._counts, self._fresh = Counts.restored(state["counts"]), Counts.restored(state["fresh"])
        self._now, self._hour, self._to_learn = state["now"], state["hour"], state["to_learn"]
        self._flagged = set(state["flagged"])
        self._skipped = state["skipped"]
        self._held = Severity(state["held"]) if state["held"] is not None else None
        self._crowd, self._loudest = state["crowd"], array("f", state["loudest"])
        self._lessons = array("f", state["lessons"])
        self._usual_until = -1

    def _window(self, index: int, width: int) -> Reading:
        """A window as it stands."""
        now, usual = int(self._now), self.baseline.share
        total, negative = self._counts.window(width, now)
        expected = max(self.expected(first_minute(width, now), self._now) * usual, 0.01)
        number = count_surprise(negative, expected, self.spread.dispersion[index]) if negative >= LEAST else 0.0
        if not number:
            return Reading(None, 0.0, width, negative, total, expected, usual)
        surprise = joint_surprise(number, self._of_share(index, negative, total), width)
        of_fresh, fresh_negative, fresh_total = self._of_fresh(index, width, expected, number)
        if of_fresh > surprise:
            surprise = of_fresh
        else:
            fresh_negative = fresh_total = 0
        surprise = max(surprise + self._due() if surprise else 0.0, self._of_crowd(number, negative, total))
        surprise = max(surprise - self._caution(), 0.0)
        return Reading(None, surprise, width, negative, total, expected, usual, number, fresh_negative, fresh_total)

    def _of_share(self, index: int, negative: int, total: int, extra: float = 0.0) -> float:
        correlation = self.spread.correlation[index] + 1 / (self.baseline.total + 1) + extra
        return share_surprise(negative, total, self.baseline.share, correlation)

    def _of_fresh(self, index: int, width: int, expected: float, number: float) -> tuple[float, int, int]:
        """Surprise of the fresh posts of a window, with the negative and all of them.

        Where all negative posts together are no more than usual, a new subject has only taken the place of others.
        """
        if number < FRESH_BESIDES:
            return 0.0, 0, 0
        total, negative = self._fresh.window(width, int(self._now))
        if negative < LEAST:
            return 0.0, 0, 0
        of_number = count_surprise(negative, max(expected * self.baseline.fresh_part, 0.01), FRESH_DISPERSION)
        of_share = self._of_share(index, negative, total, FRESH_CORRELATION)
        return joint_surprise(of_number, of_share, width, subject=True), negative, total

    def _of_crowd(self, number: float, negative: int, total: int) -> float:
        """Surprise of an extraordinary number whose share does not fall, for a watch that is always scolded."""
        usual = self.baseline.share
        place = (usual - SCOLDED[0]) / (SCOLDED[1] - SCOLDED[0])
        if place <= 0 or negative < (usual - SHARE_HOLDS) * total:
            return 0.0
        here = int(self._now // HOUR) % len(self._loudest)
        self._loudest[here] = max(self._loudest[here], number)
        return self.thresholds.amber * number / (EXTRAORDINARY * self._crowd) * min(place, 1.0)

    def _caution(self) -> float:
        """What is taken off a surprise for how little is known."""
        heard = self.baseline.hours + self._hour - self._to_learn
        return LEARNING_EXTRA * max(0.0, 1.0 - heard / SETTLED)

    def _due(self) -> float:
        """What is added for small and for often scolded watches, so that one threshold means the same for all."""
        share, level = self.baseline.share, self.baseline.level
        few = FEWER_CHANCES * max(0.0, math.log10(FEW / max(level * share, FEW / 10)))
        return few + LESS_ROOM * (min(max(share, SOUR[0]), SOUR[1]) - SOUR[0])

    def _severity(self, surprise: float, much: float) -> Severity | None:
        """The severity that the surprise earns, or that the present one keeps.

        Number and share together say that it is a crisis; how long it lasts is said by the number alone. When the
        crowd comes to watch and joke, the share falls, and the anger is still there.
        """
        for severity in sorted(Severity, reverse=True):
            bound = self.thresholds.of(severity)
            if surprise >= bound or (self._held is not None and severity <= self._held and much >= bound * KEEP):
                return severity
        return None

    def _flag(self, window_minutes: int) -> None:
        first = first_minute(window_minutes, int(self._now)) // HOUR
        self._flagged.update(range(max(first, self._to_learn), int(self._now // HOUR) + 1))

    def _end_hour(self) -> None:
        """An hour has passed: learn from it how much is ordinary, and from an older one what is usual."""
        hour, self._hour = self._hour, self._hour + 1
        place = hour % WAITING * LESSON
        self._lessons[place : place + LESSON] = self._lesson(hour)
        wait = min(max(self.baseline.hours // 2, LEARN_AFTER_AT_FIRST), LEARN_AFTER)
        while self._to_learn < self._hour - wait:
            self._learn(self._to_learn)
            self._to_learn += 1
        self._loudest[self._hour % len(self._loudest)] = 0.0
        self._usual_until = -1

    def _lesson(self, hour: int) -> "array[float]":
        """What to learn of spread from an hour that has just ended; nothing while too little is known."""
        if self.baseline.hours < TWO_DAYS or self._counts.quiet():
            return array("f", bytes(4 * LESSON))
        self._look_up(hour)
        return self.spread.lesson(hour, self._counts.window, self._expected_in, self.baseline.share)

    def _learn(self, hour: int) -> None:
        """Take in an hour that has waited, unless it was flagged or could not be heard."""
        flagged = hour in self._flagged
        self._flagged.discard(hour)
        if self.hearing.heard(hour) < 1:
            return
        if flagged and self._skipped < GIVE_IN:
            self._skipped += 1
            return
        self._skipped = self._skipped if flagged else 0
        total, negative = self._counts.hour(hour)
        usual = self.baseline.rate(hour)
        bound = usual + 4 * math.sqrt(usual + self.spread.dispersion[WINDOWS.index(HOUR)] * usual**2) + 1
        self.baseline.learn(hour, total, negative, bound, self._fresh.hour(hour)[1])
        if self.baseline.hours > TWO_DAYS:
            self.spread.learn(self._lessons[hour % WAITING * LESSON : (hour % WAITING + 1) * LESSON])
        self._crowd = max(self._crowd * 0.5 ** (1 / CROWD_HALF_LIFE), self._loudest[hour % len(self._loudest)])

    def _look_up(self, hour: int | None = None) -> None:
        """Add up what is usual until the end of an hour, the present one unless told."""
        hour = self._hour if hour is None else hour
        if self._usual_until == hour:
            return
        self._usual_until, posts = hour, 0.0
        for place, one in enumerate(range(hour - HOURS_AHEAD + 1, hour + 1), 1):
            posts += self.baseline.rate(one)
            self._usual[place] = posts

    def _usual_at(self, moment: float) -> float:
        """Usual posts until a moment, counted from the first of the hours looked up."""
        since = moment - (self._usual_until - HOURS_AHEAD + 1) * HOUR
        place = min(max(int(since // HOUR), 0), HOURS_AHEAD - 1)
        before, after = self._usual[place], self._usual[place + 1]
        return before + (after - before) * (since / HOUR - place)

    def _expected_in(self, width: int, last: int) -> float:
        return self._usual_at(last + 1) - self._usual_at(first_minute(width, last))
