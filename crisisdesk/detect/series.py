"""Is this number unusual for this brand? A detector for a bare series of counts, one row at a time.

Each row gets one number, its surprise: the logarithm of the weeks that usually pass between two such readings (0 is
about once a week, 1.5 about once a month). It is the mean of what two questions say, see `series_axes`. A row alerts
when its surprise reaches the threshold of the budget and it does not belong to a burst that has alerted already, see
`series_alerts`.

A bare series has no moods: most of its alerts are true bursts, few of them crises. Nothing here reads, writes or knows
a clock.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from typing import Final

from crisisdesk.detect.series_alerts import Budget
from crisisdesk.detect.series_axes import FastBurst, SlowSwell
from crisisdesk.detect.series_pace import MINUTES_PER_DAY, MINUTES_PER_WEEK, USUAL_INTERVAL, Pace
from crisisdesk.text import counted

PROBATION_DAYS: Final = 2.0
SHORTEST_PROBATION: Final = 12
LONGEST_PROBATION: Final = 750
"""Rows."""
PROBATION_SHARE: Final = 0.15
"""Of a short series, no more than this passes in silence,"""
FEWEST: Final = 3
"""but so many rows do in any case."""
READ_AHEAD: Final = 5_000
"""Rows from which interval, order and length of a series are judged, before the first is answered."""
MANY_REPEATS: Final = 0.1
"""Share of rows at the very time of the row before, above which they are thought to be of several series."""
IMPOSSIBLE: Final = -20.0
"""The lowest surprise."""

OnNote = Callable[[str], None]
"""Told, in a sentence, what a person should know about how a series was judged."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a series as it was read.

    `timestamp` and `value` are verbatim; `time` is in seconds since 1970, None where it cannot be read; `count` is
    finite and not negative, None where it cannot be read; `offset` is how many seconds the clock by which the timestamp
    was written is ahead of UTC.
    """

    timestamp: str
    value: str
    time: float | None
    count: float | None
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A sample and what the detector says about it; all but its cells None where its value cannot be read.

    `count` is the value as a number, `expected` the usual one at that time, `score` grows with surprise from 0 to 1,
    `spike` is true on the one row of an episode that alerts.
    """

    timestamp: str
    value: str
    count: float | None = None
    expected: float | None = None
    score: float | None = None
    spike: bool | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the detector says about one row.

    `expected` is the usual value at that time, `surprise` the log of the weeks between such readings.
    """

    expected: float
    surprise: float
    spike: bool


class VolumeSpike:
    """The detector of one series: a fast and a slow question, one surprise, one threshold.

    Args:
        alerts_per_week: the budget.
        interval: minutes between rows.
        probation: values at the start that are scored but never alert, since nothing is usual yet.
    """

    def __init__(self, alerts_per_week: float, interval: float = USUAL_INTERVAL, probation: int = 0) -> None:
        pace = Pace(interval)
        self.budget = Budget(alerts_per_week, pace)
        self._burst, self._swell = FastBurst(pace), SlowSwell(pace)
        self._longest = max(self._burst.longest, self._swell.longest)
        self._probation = probation
        self._seen = 0

    def update(self, value: float, minute: float) -> Reading:
        """Score a row first, learn from it second.

        Args:
            value: finite and not negative.
            minute: of the week, 0 up to 10,080, excluded; by the clock of those who cause the counts, if possible.
        """
        slow, expected = self._swell.read(value, minute, self._seen)
        fast, excess, floor = self._burst.read(value, expected, self._seen)
        self._seen += 1
        surprise = math.log((math.exp(max(fast, IMPOSSIBLE)) + math.exp(max(slow, IMPOSSIBLE))) / 2.0)
        spike = self._seen > self._probation and self.budget.alert(surprise, excess, floor)
        return Reading(expected, surprise, spike)

    def skip(self, rows: int = 1) -> None:
        """An outage of so many rows: nothing is learned, nothing alerts. Takes no longer for a year than for a day."""
        for _ in range(min(rows, self._longest)):
            self._burst.skip()
            self._swell.skip()
        self.budget.skip(rows)


def detect_series(
    samples: Iterable[Sample], alerts_per_week: float = 1.0, on_note: OnNote = lambda _: None
) -> Iterator[Judged]:
    """Judge a series, one row out per row in, in order.

    The interval is the median step of the first `READ_AHEAD` rows; without readable times it is five minutes. Missing
    rows and unreadable values are outages: nothing is learned from them and they never alert. The first two days (at
    least `SHORTEST_PROBATION`, at most `LONGEST_PROBATION` rows, and at most 15 % of the series) are scored but do not
    alert: nothing is usual yet. A series that runs from new to old is judged from its end, and held in memory for that.

    Args:
        samples: the rows, oldest or newest first.
        alerts_per_week: the budget, see `series_alerts.parse_rate`.
        on_note: told of what may surprise a person.
    """
    rows = iter(samples)
    ahead = list(islice(rows, READ_AHEAD))
    times = [sample.time for sample in ahead if sample.time is not None]
    steps = [later - earlier for earlier, later in pairwise(times)]
    if (repeats := sum(step == 0 for step in steps)) > MANY_REPEATS * len(steps):
        on_note(
            f"{counted(repeats, 'row')} have the time of the row before, and each is judged as a row of its own; "
            "if they are of several series, give each a file of its own"
        )
    if sum(step < 0 for step in steps) > len(steps) / 2:
        on_note("the rows run from new to old; they are judged from the oldest on")
        backwards = [*ahead, *rows][::-1]
        yield from reversed(list(_judged(backwards, backwards[:READ_AHEAD], alerts_per_week, on_note)))
    else:
        yield from _judged(chain(ahead, rows), ahead, alerts_per_week, on_note)


def _judged(
    samples: Iterable[Sample], ahead: Sequence[Sample], alerts_per_week: float, on_note: OnNote
) -> Iterator[Judged]:
    interval = usual_interval([sample.time for sample in ahead]) or USUAL_INTERVAL
    detector = VolumeSpike(alerts_per_week, interval, _probation(interval, len(ahead)))
    expected_at: float | None = None  # seconds; when the next row is due
    for sample in samples:
        time = sample.time if sample.time is not None else expected_at or 0.0
        if expected_at is not None and time > expected_at:
            detector.skip(round((time - expected_at) / (interval * 60.0)))
        # Rows out of order, or an hour that a clock without a zone shows twice, leave no gap behind them.
        expected_at = max(time + interval * 60.0, expected_at if expected_at is not None else time)
        yield _judge(detector, sample, (time + sample.offset) / 60.0 % MINUTES_PER_WEEK)
    if held := detector.budget.bursts - detector.budget.alerts:
        on_note(f"more bursts came than the budget has alerts for; {counted(held, 'smaller one')} got none")


def _probation(interval: float, rows: int) -> int:
    learning = Pace(interval).rows(PROBATION_DAYS * MINUTES_PER_DAY, SHORTEST_PROBATION)
    return min(learning, LONGEST_PROBATION, max(FEWEST, math.floor(PROBATION_SHARE * rows)))


def _judge(detector: VolumeSpike, sample: Sample, minute: float) -> Judged:
    if sample.count is None:
        detector.skip()
        return Judged(sample.timestamp, sample.value)
    reading = detector.update(sample.count, minute)
    rarity = score(reading.surprise)
    return Judged(sample.timestamp, sample.value, sample.count, reading.expected, rarity, reading.spike)


def usual_interval(times: Sequence[float | None]) -> float | None:
    """Minutes between rows: the median of the steps forward, None without one; `times` in seconds, None unknown."""
    known = [time for time in times if time is not None]
    steps = sorted(later - earlier for earlier, later in pairwise(known) if later > earlier)
    return steps[len(steps) // 2] / 60.0 if steps else None


def score(surprise: float) -> float:
    """Surprise on a scale from 0 to 1: w / (1 + w), where w is the weeks between such readings; 0.5 is once a week."""
    return 1.0 / (1.0 + math.exp(-surprise))
