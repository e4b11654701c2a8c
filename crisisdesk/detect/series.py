"""Is this number unusual for this brand? A detector for a bare series of counts, one row at a time.

Each row gets one number, its surprise: the logarithm of the weeks that usually pass between two such readings (0 is
about once a week, 1.5 about once a month). It is the mean of what two questions say, see `series_axes`. A row alerts
when its surprise reaches the threshold of the budget and it does not belong to a burst that has alerted already.

A bare series has no moods: most of its alerts are true bursts, few of them crises. Nothing here reads, writes or knows
a clock.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Final

from crisisdesk.detect.series_axes import (
    BURST_WINDOWS,
    MINUTES_PER_DAY,
    USUAL_INTERVAL,
    FastBurst,
    Pace,
    SlowSwell,
)
from crisisdesk.errors import UsageError

REFRACTORY: Final = 720.0
"""Minutes after an alert in which only something much larger alerts again."""
SHORTEST_REFRACTORY: Final = 3
"""Rows."""
GROWTH: Final = 3.0
"""An excess so many times that of the first alert is something much larger,"""
RISE: Final = 1.5
"""and so is a surprise greater by this."""

PROBATION_DAYS: Final = 2.0
SHORTEST_PROBATION: Final = 12
LONGEST_PROBATION: Final = 750
"""Rows."""
PROBATION_SHARE: Final = 0.15
"""Of a short series, no more than this passes in silence."""
READ_AHEAD: Final = 5_000
"""Rows from which the interval and the length of a series are judged, before the first is answered."""

MARGIN: Final = 0.1
"""Below the nominal threshold: the middle of the range in which a step either way changes little; exactly at it, a
step up loses true bursts."""
IMPOSSIBLE: Final = -20.0
"""The lowest surprise."""

WEEKS_PER: Final = {"day": 1 / 7, "week": 1.0, "month": 30.44 / 7, "year": 365.25 / 7}
_RATE: Final = re.compile(
    r"\s*([0-9]{1,6}(?:\.[0-9]{1,6})?)\s*(?:per|a|an|/)\s*(day|week|month|year)\s*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a series as it was read.

    `timestamp` and `value` are verbatim; `time` is in seconds since 1970, None where it cannot be read; `count` is
    finite and not negative, None where it cannot be read.
    """

    timestamp: str
    value: str
    time: float | None
    count: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample and what the detector says about it; all three None where its value cannot be read.

    `expected` is the usual value at that time of day, `score` grows with surprise from 0 to 1, `spike` is true on the
    one row of an episode that alerts.
    """

    timestamp: str
    value: str
    expected: float | None = None
    score: float | None = None
    spike: bool | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the detector says about one row.

    `expected` is the usual value at that time of day, `surprise` the log of the weeks between such readings.
    """

    expected: float
    surprise: float
    spike: bool


class Episode:
    """One burst, one alert: quiet after an alert, unless something much larger follows."""

    def __init__(self, threshold: float, pace: Pace) -> None:
        self._threshold = threshold
        self._refractory = pace.rows(REFRACTORY, SHORTEST_REFRACTORY)
        self._settling = pace.rows(BURST_WINDOWS[0])
        self._since: int | None = None
        self._surprise = 0.0
        self._excess = 0.0

    def alerts(self, surprise: float, excess: float, floor: float) -> bool:
        """Whether this row is the one to alert at; excesses are per row, `floor` the least that is not chance."""
        self.skip()
        if surprise < self._threshold:
            return False
        alert = self._since is None or self._since > self._refractory or self._is_much_larger(surprise, excess)
        if alert:
            # A slow swell may begin without any excess of its own; three times nothing would then be reached at once.
            self._since, self._surprise, self._excess = 0, surprise, max(excess, floor)
        elif self._since is not None and self._since <= self._settling:
            self._excess = max(self._excess, excess)
        return alert

    def skip(self, rows: int = 1) -> None:
        """Let time pass."""
        if self._since is not None:
            self._since += rows

    def _is_much_larger(self, surprise: float, excess: float) -> bool:
        return surprise > self._surprise + RISE or excess >= GROWTH * self._excess


class VolumeSpike:
    """The detector of one series: a fast and a slow question, one surprise, one threshold.

    Args:
        threshold: least surprise that alerts, see `threshold_for`.
        interval: minutes between rows.
        probation: values at the start that are scored but never alert, since nothing is usual yet.
    """

    def __init__(self, threshold: float, interval: float = USUAL_INTERVAL, probation: int = 0) -> None:
        pace = Pace(interval)
        self._burst, self._swell, self._episode = FastBurst(pace), SlowSwell(pace), Episode(threshold, pace)
        self._longest = max(self._burst.longest, self._swell.longest)
        self._probation = probation
        self._seen = 0

    def update(self, value: float, minute_of_day: float) -> Reading:
        """Score a row first, learn from it second.

        Args:
            value: finite and not negative.
            minute_of_day: 0 up to 1440, excluded, in any fixed time zone.
        """
        fast, excess, floor = self._burst.read(value, self._seen)
        slow, expected = self._swell.read(value, minute_of_day, self._seen)
        self._seen += 1
        surprise = math.log((math.exp(max(fast, IMPOSSIBLE)) + math.exp(max(slow, IMPOSSIBLE))) / 2.0)
        spike = self._seen > self._probation and self._episode.alerts(surprise, excess, floor)
        return Reading(expected, surprise, spike)

    def skip(self, rows: int = 1) -> None:
        """An outage of so many rows: nothing is learned, nothing alerts. Takes no longer for a year than for a day."""
        for _ in range(min(rows, self._longest)):
            self._burst.skip()
            self._swell.skip()
        self._episode.skip(rows)


def detect_series(samples: Iterable[Sample], alerts_per_week: float = 1.0) -> Iterator[Judged]:
    """Judge a series, one row out per row in, in order.

    The interval is the median step of the first `READ_AHEAD` rows; without readable times it is five minutes. Missing
    rows and unreadable values are outages: nothing is learned from them and they never alert. The first two days (at
    least `SHORTEST_PROBATION`, at most `LONGEST_PROBATION` rows, and at most 15 % of the series) are scored but do not
    alert: nothing is usual yet.

    Args:
        samples: the rows, oldest first.
        alerts_per_week: the budget, see `parse_rate`.
    """
    rows = iter(samples)
    ahead = list(islice(rows, READ_AHEAD))
    interval = usual_interval([sample.time for sample in ahead]) or USUAL_INTERVAL
    detector = VolumeSpike(threshold_for(alerts_per_week), interval, _probation(interval, len(ahead)))
    expected_at: float | None = None  # seconds; when the next row is due
    for sample in chain(ahead, rows):
        time = sample.time if sample.time is not None else expected_at or 0.0
        if expected_at is not None and time > expected_at:
            detector.skip(round((time - expected_at) / (interval * 60.0)))
        expected_at = time + interval * 60.0
        yield _judge(detector, sample, time / 60.0 % MINUTES_PER_DAY)


def _probation(interval: float, rows: int) -> int:
    learning = Pace(interval).rows(PROBATION_DAYS * MINUTES_PER_DAY, SHORTEST_PROBATION)
    return min(learning, LONGEST_PROBATION, math.floor(PROBATION_SHARE * rows))


def _judge(detector: VolumeSpike, sample: Sample, minute_of_day: float) -> Judged:
    if sample.count is None:
        detector.skip()
        return Judged(sample.timestamp, sample.value)
    reading = detector.update(sample.count, minute_of_day)
    return Judged(sample.timestamp, sample.value, reading.expected, score(reading.surprise), reading.spike)


def usual_interval(times: Sequence[float | None]) -> float | None:
    """Minutes between rows: the median of the steps forward, None without one; `times` in seconds, None unknown."""
    known = [time for time in times if time is not None]
    steps = sorted(later - earlier for earlier, later in pairwise(known) if later > earlier)
    return steps[len(steps) // 2] / 60.0 if steps else None


def threshold_for(alerts_per_week: float) -> float:
    """The least surprise that alerts for a budget of so many alerts a week.

    On five well-known brands over eight weeks, in rows of five minutes, "1 per week" gave 1.2 alerts a week, "1 per
    month" 0.6 a month and "1 per day" 5.3 a week; rows of an hour gave up to twice as many.
    """
    return -math.log(alerts_per_week) - MARGIN


def score(surprise: float) -> float:
    """Surprise on a scale from 0 to 1: w / (1 + w), where w is the weeks between such readings; 0.5 is once a week."""
    return 1.0 / (1.0 + math.exp(-surprise))


def parse_rate(text: str) -> float:
    """Read a budget such as "1 per week"; returns alerts a week.

    Raises:
        UsageError: it is no rate, or none above zero.
    """
    match = _RATE.fullmatch(text)
    rate = float(match[1]) / WEEKS_PER[match[2].lower()] if match else 0.0
    if rate <= 0:
        raise UsageError(
            f"{text!r} is not a budget of alerts; write for example '1 per week', '3 per day' or '2 per month'."
        )
    return rate
