"""The two questions that `series.VolumeSpike` asks of every row.

*Fast burst*: is the excess of the last 15, 30 and 60 minutes over the usual larger than any such excess in the last
days? (`FastBurst`)

*Slow swell*: do the last six hours lie above what level, time of day and weekday explain, further than they have in
the last weeks? (`SlowSwell`)

Both compare with the record of this very series, which fades with time: what a brand sees every day is no news. Both
answer with a surprise: the logarithm of the weeks that usually pass between two such readings. The constants that make
it so were fitted to how often readings of real brands occur, not to labels.

Windows are lengths of time, turned into rows by the interval of the series; memories are half-lives in days. The
work per row and the memory are constant.
"""

import math
from collections.abc import Sequence
from typing import Final

from crisisdesk.detect.series_pace import Pace, RollingSum
from crisisdesk.detect.series_rhythm import Rhythm

BURST_WINDOW: Final = 15.0
"""Minutes of the shortest window, a row at least; one is twice and one four times as long,"""
LONGEST_BURST: Final = 240.0
"""unless it would be longer than this."""
SWELL_WINDOW: Final = 360.0

LEVEL_DAYS: Final = 2.0
BURST_MEMORY_DAYS: Final = (2.5, 5.0, 10.0)
SWELL_MEMORY_DAYS: Final = (30.0,)
LEAST_RATIO: Final = 1e-3
"""A smaller excess is no more and no less surprising."""


class Record:
    """The largest excess so far, fading with time at several paces; at least the `floor` that it is compared with."""

    def __init__(self, pace: Pace, memory_days: Sequence[float]) -> None:
        self._fading = [pace.fading(days) for days in memory_days]
        self._best: list[float] | None = None

    def compare(self, excess: float, floor: float) -> float:
        """Mean log of how many times the records this excess is, then remember it."""
        bests = self._best or [floor] * len(self._fading)
        if excess == 0:  # the commonest case, which needs no sums
            self._best = [best * fading for best, fading in zip(bests, self._fading, strict=True)]
            return math.log(LEAST_RATIO)
        ratios = [max(excess / max(best, floor), LEAST_RATIO) for best in bests]
        self._best = [max(best * fading, excess) for best, fading in zip(bests, self._fading, strict=True)]
        return math.log(math.prod(ratios)) / len(ratios)


class _Window:
    """One length of time: what came in it, what was usual, and the record of the difference."""

    EXTRA_VARIANCE: Final = 0.4
    """Per minute, up to an hour: even a silent brand has chatter now and then."""
    DEVIATIONS: Final = 3.0
    """An excess below so many standard deviations of chance is no record."""

    def __init__(self, minutes: float, pace: Pace) -> None:
        self.size = pace.rows(minutes)
        self._values, self._usual = RollingSum(self.size), RollingSum(self.size)
        self._extra = self.EXTRA_VARIANCE * min(self.size * pace.interval, 4 * BURST_WINDOW)
        self._record = Record(pace, BURST_MEMORY_DAYS)

    def read(self, value: float, usual: float) -> tuple[float, float, float]:
        """The log ratio to the record; excess and least excess that chance does not explain, both per row."""
        expected = self._usual.add(usual)
        excess = max(0.0, self._values.add(value) - expected)
        floor = self.DEVIATIONS * math.sqrt(max(expected, 0.0) + self._extra)
        return self._record.compare(excess, floor), excess / self.size, floor / self.size

    def skip(self, usual: float) -> None:
        self._usual.add(usual)
        self._values.add(usual)


class FastBurst:
    """Excess over the usual within the hour, against the excesses of the last days."""

    STEEPNESS: Final = 2.42
    OFFSET: Final = 0.127
    """With the steepness, they turn the log ratio to the record into the log of weeks between such ratios."""
    LARGEST_STEP: Final = 1.5
    """The level follows a burst no faster than this, in the log of the count."""

    def __init__(self, pace: Pace) -> None:
        shortest = max(BURST_WINDOW, pace.interval)
        longer = [times * shortest for times in (2, 4) if times * shortest <= LONGEST_BURST]
        self._windows = [_Window(minutes, pace) for minutes in (shortest, *longer)]
        self._learning = 1.0 - pace.fading(LEVEL_DAYS)
        self._log_level: float | None = None
        self.longest = self._windows[-1].size

    def read(self, value: float, expected: float, seen: int) -> tuple[float, float, float]:
        """Judge a value, then learn from it; `seen` values came before it.

        Usual is the level, or what is `expected` at this time if that is more: no Monday morning is a burst because a
        weekend went before it.

        Returns:
            surprise; the largest excess per row of any window; the least such excess that chance does not explain.
        """
        log_value = math.log1p(value)
        if self._log_level is None:
            self._log_level = log_value
        usual = max(math.expm1(self._log_level), expected)
        readings = [window.read(value, usual) for window in self._windows]
        weight = max(self._learning, 1.0 / (seen + 1))
        self._log_level += weight * min(log_value - self._log_level, self.LARGEST_STEP)
        surprise = self.STEEPNESS * math.fsum(ratio for ratio, _, _ in readings) / len(readings) + self.OFFSET
        return surprise, max(excess for _, excess, _ in readings), readings[-1][2]

    def skip(self) -> None:
        """A row without a value: the windows go on as if it had been a usual one."""
        usual = math.expm1(self._log_level) if self._log_level is not None else 0.0
        for window in self._windows:
            window.skip(usual)


class SlowSwell:
    """Mean residual of the last six hours against level and rhythm, against those of the last weeks.

    Values are read on the scale 2 asinh(sqrt(v / 4)), on which counts of busy and of quiet brands scatter alike.
    """

    STEEPNESS: Final = 4.52
    OFFSET: Final = 1.107
    DISPERSION: Final = 4.0
    FLOOR: Final = 1.0
    """In units of the scale; a swell below it is no record."""
    LARGEST_STEP: Final = 1.0

    def __init__(self, pace: Pace) -> None:
        self._residuals = RollingSum(pace.rows(SWELL_WINDOW))
        self._record = Record(pace, SWELL_MEMORY_DAYS)
        self._rhythm = Rhythm(pace)
        self._learning = 1.0 - pace.fading(LEVEL_DAYS)
        self._level: float | None = None
        self.longest = self._residuals.size

    def read(self, value: float, minute: float, seen: int) -> tuple[float, float]:
        """Judge a value, then learn from it; `seen` values came before it, `minute` is that of the week.

        Returns:
            surprise; the value that is usual at this time.
        """
        scaled = 2.0 * math.asinh(math.sqrt(value / self.DISPERSION))
        if self._level is None:
            self._level = scaled
        offset = self._rhythm.offset(minute)
        usual = max(0.0, self._level + offset)  # in a silence, what lies below nothing must not rise to nothing
        residual = scaled - usual
        swell = max(0.0, self._residuals.add(residual) / math.sqrt(self.longest))
        surprise = self.STEEPNESS * self._record.compare(swell, self.FLOOR) + self.OFFSET
        step = max(-self.LARGEST_STEP, min(self.LARGEST_STEP, residual))
        self._level += max(self._learning, 1.0 / (seen + 1)) * step
        self._rhythm.learn(scaled - max(0.0, self._level + offset), minute, seen)
        return surprise, self.DISPERSION * math.sinh(usual / 2.0) ** 2

    def skip(self) -> None:
        """A row without a value: the window goes on as if it had been a usual one."""
        self._residuals.add(0.0)
