"""Whether the negative posts of one watch are a spike: counts in, a reading out, time given from outside."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.expected import Expected
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.judgement import DAY, HALF_A_DAY, Reading, Window, judge
from crisisdesk.detect.learning import Learning
from crisisdesk.detect.loudest import share_holds
from crisisdesk.detect.planned import Calendar, Planned, nothing
from crisisdesk.detect.spread import Spread
from crisisdesk.detect.surprise import count_surprise
from crisisdesk.detect.windows import HOUR, WINDOWS, Counts, first_minute
from crisisdesk.records import Severity

GRACE: Final = 3
"""Hours that a new watch must have learnt before it calls, which takes six; then by stricter thresholds for a week."""
KEEP: Final = 0.7
"""A severity lasts while the number of negative posts surprises by this part of the threshold that it took,"""
HOLD: Final = 0.3
"""or number and share together by no more than this less than the threshold."""
LATELY: Final = WINDOWS.index(180)
"""Windows wider than this one call only while it shows that something goes on, and keep nobody awake."""
GOES_ON: Final = 0.5
"""Surprise of its number from which on it does."""
CALM: Final = 1.0
"""Surprise of the number below which, in none of the windows up to that one, an hour ends a wave."""
LONG_SILENCE: Final = 90 * 24
"""Hours that are gone through one by one where nothing was said; of those before them nothing is left to learn."""
HEARD_ENOUGH: Final = 0.5
"""Part of that hour that must have been heard: silence that means nothing ends nothing."""


class SpikeDetector:
    """One watch's counts, its usual, and the judgement. Moments are minutes since 1970, as floats.

    Counts must already be of people (`crisisdesk.detect.people`). Late posts are welcome up to
    `crisisdesk.detect.windows.HORIZON`. State is bounded and independent of how many posts there are.
    """

    __slots__ = (
        "_counts",
        "_expected",
        "_fresh",
        "_held",
        "_hour",
        "_now",
        "_over",
        "_wave",
        "known",
        "planned",
        "thresholds",
    )

    def __init__(
        self,
        thresholds: Thresholds,
        baseline: Baseline | None = None,
        hearing: Hearing | None = None,
        planned: Calendar = nothing,
    ) -> None:
        self.thresholds = thresholds
        self.planned = planned
        """What was announced for this watch."""
        self.known = Learning(baseline or Baseline(), hearing or Hearing())
        """What is usual, and how it is learnt."""
        self._expected = Expected(self.baseline)
        self._counts, self._fresh = Counts(), Counts()
        self._now = -1.0
        self._hour = -1
        self._held: Severity | None = None
        # A wave that was called and has ended is not told again: windows begin after it.
        self._wave, self._over = False, 0

    @property
    def baseline(self) -> Baseline:
        """What is usual."""
        return self.known.baseline

    @property
    def spread(self) -> Spread:
        """How much it wanders."""
        return self.known.spread

    @property
    def hearing(self) -> Hearing:
        """What the desk could hear."""
        return self.known.hearing

    @property
    def awake(self) -> bool:
        """Whether enough is known to call anyone at all."""
        return self.baseline.hours >= GRACE or self.baseline.told

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
        if self._hour < 0:
            self._hour = int(moment // HOUR)
            self.known.begin(moment)
        if moment // HOUR - self._hour > LONG_SILENCE:
            self._hour = int(moment // HOUR) - LONG_SILENCE
            self.known.skip_to(self._hour)
        while self._hour < int(moment // HOUR):
            self._end_hour()
        self._now = moment
        self._pass(int(moment))

    def read(self) -> Reading:
        """Judge the windows that end now."""
        self._expected.look_up(self._hour)
        if not self.awake:
            (total, negative), since = self.window(WINDOWS[0]), first_minute(WINDOWS[0], int(self._now))
            return Reading(None, 0.0, WINDOWS[0], WINDOWS[0], since, negative, total, 0.01, self.baseline.share)
        judged = [judge(window, self.known, self.thresholds.amber) for window in self._windows()]
        crowds = (
            (r.width, r.number) for r in judged if not r.planned and share_holds(r.negative, r.total, r.usual_share)
        )
        self.known.loudest.hear(self._hour, crowds)
        best = max(judged, key=lambda r: r.surprise)
        most = max((one for one in judged if one.width <= WINDOWS[LATELY]), key=lambda r: r.number)
        severity, bar = self._severity(best.surprise, most.number)
        self._held = severity
        if severity is None:
            return best
        # Of the windows that earn it, the one whose number is furthest from the ordinary says why. Without one, it is
        # the number alone that keeps the severity.
        earned = [reading for reading in judged if reading.surprise >= bar] or [most]
        if severity >= Severity.AMBER:  # notices are a part of every month; without them the usual would be too low
            self._wave = True
            self.known.flag(min(reading.since for reading in earned) // HOUR, self._hour)
        return replace(max(earned, key=lambda r: r.number), surprise=best.surprise, severity=severity)

    def window(self, width: int) -> tuple[int, int]:
        """All and negative posts of a window of so many minutes (one of `WINDOWS`) that ends now."""
        return self._counts.window(width, int(self._now))

    def event(self, width: int) -> Planned | None:
        """What was announced and lies in the last so many minutes; the newest where there are several."""
        return self._event(int(self._now) - width + 1, self.planned())

    def hour(self, hour: int) -> tuple[int, int]:
        """All and negative posts of an hour since 1970, as far as remembered."""
        return self._counts.hours(hour, hour)

    def flagged(self, hour: int) -> bool:
        """Whether nothing is learnt from this hour since 1970, one of the last two days: it stood out, or was to."""
        return self.known.is_flagged(hour)

    def learn_from(self, other: "SpikeDetector") -> None:
        """Take over what another detector knows of the usual, and nothing that it has counted."""
        self.known.take_over(other.known)
        self._expected = Expected(self.baseline)

    def expected(self, first: float, last: float) -> float:
        """Usual posts between two moments of the last 24 hours."""
        self._expected.look_up(self._hour)
        return self._expected.between(first, last)

    def usual(self, hour: int) -> tuple[float, float]:
        """Negative posts that are usual in that hour (since 1970), and the upper end of the usual band."""
        expected = self.baseline.rate(hour) * self.baseline.share
        spread = math.sqrt(expected + self.spread.dispersion[WINDOWS.index(HOUR)] * expected**2)
        return expected, expected + 2 * spread

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "known": self.known.state(),
            "counts": self._counts.state(),
            "fresh": self._fresh.state(),
            "now": self._now,
            "hour": self._hour,
            "held": self._held,
            "wave": self._wave,
            "over": self._over,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        counts, fresh = Counts.restored(state["counts"]), Counts.restored(state["fresh"])
        held = Severity(state["held"]) if state["held"] is not None else None
        now, hour, wave, over = float(state["now"]), int(state["hour"]), bool(state["wave"]), int(state["over"])
        self.known.restore(state["known"])
        self._counts, self._fresh, self._held = counts, fresh, held
        self._now, self._hour, self._wave, self._over = now, hour, wave, over
        self._expected.forget()

    def _windows(self) -> Iterator[Window]:
        """The windows as they stand, without those of which a wave that has ended leaves less than half."""
        now, days = int(self._now), dict[int, tuple[int, int]]()
        planned = [one for one in self.planned() if one.touches(first_minute(WINDOWS[-1], now), now)]
        goes_on = self._number(LATELY, now) >= GOES_ON
        for index, width in enumerate(WINDOWS):
            since = first_minute(width, now, self._over)
            cut = since > first_minute(width, now)
            if (cut and 2 * (now + 1 - since) < width and index) or (index > LATELY and not goes_on):
                continue
            total, negative = self._counts.window(width, now, self._over)
            fresh_total, fresh_negative = self._fresh.window(width, now, self._over)
            usual = max(self._expected.between(since, self._now), 0.0)
            hour = min(since // HOUR, self._hour - HALF_A_DAY)
            if hour not in days:  # most windows share it
                days[hour] = self.known.ordinary(hour - DAY, hour - 1, self._counts)
            yield Window(
                index,
                since,
                _whole(now + 1 - since) if cut else width,
                total,
                negative,
                fresh_total,
                fresh_negative,
                usual,
                days[hour],
                self._event(since, planned),
            )

    def _event(self, since: int, planned: Sequence[Planned]) -> Planned | None:
        """Which of those lies between a minute and now."""
        found = (one for one in planned if one.touches(since, int(self._now)))
        return max(found, key=lambda one: one.start, default=None)

    def _number(self, index: int, last: int) -> float:
        """Surprise of the number of negative posts alone in a window that ends with a minute, however few they are.

        What is usual until then has been looked up.
        """
        since = first_minute(WINDOWS[index], last, self._over)
        negative = self._counts.window(WINDOWS[index], last, self._over)[1]
        expected = max(self._expected.between(since, last + 1) * self.baseline.share, 0.01)
        return count_surprise(negative, expected, self.spread.dispersion[index])

    def _severity(self, surprise: float, much: float) -> tuple[Severity | None, float]:
        """The severity that the surprise earns, or that the present one keeps, and the bar that it took.

        Number and share together say that it is a crisis; how long it lasts is said by the number alone. When the
        crowd comes to watch and joke, the share falls, and the anger is still there.
        """
        for severity in sorted(Severity, reverse=True):
            bar = self.thresholds.of(severity)
            held = self._held is not None and severity <= self._held
            if surprise >= bar - HOLD * held or (held and much >= bar * KEEP):
                return severity, bar - HOLD * held
        return None, 0.0

    def _end_hour(self) -> None:
        """The hour is over, whether somebody looks or not."""
        hour, self._hour = self._hour, self._hour + 1
        last = self._hour * HOUR - 1
        self._pass(last)
        for event in self.planned():
            self.known.plan(event.first // HOUR, event.last // HOUR, hour)
        if self._wave and self.hearing.heard(hour) >= HEARD_ENOUGH:
            self._expected.look_up(hour)
            if all(self._number(index, last) < CALM for index in range(LATELY + 1)):
                self._wave, self._over = False, last + 1
        self.known.end_hour(hour, self._counts, self._fresh, self._expected)
        self._expected.forget()

    def _pass(self, minute: int) -> None:
        self._counts.advance(minute)
        self._fresh.advance(minute)


def _whole(minutes: int) -> int:
    """A length to speak of: minutes up to an hour, then hours."""
    return minutes if minutes <= HOUR else -(-minutes // HOUR) * HOUR
