"""The two questions that `series.VolumeSpike` asks of every row, and what they are made of.

*Fast burst*: is the excess of the last 15, 30 and 60 minutes over the usual level larger than any such excess in the
last days? (`FastBurst`)

*Slow swell*: do the last six hours lie above what the level and the time of day explain, further than they have in
the last weeks? (`SlowSwell`)

Both compare with the record of this very series, which fades with time: what a brand sees every day is no news. Both
answer with a surprise: the logarithm of the weeks that usually pass between two such readings. The constants that make
it so were fitted to how often readings of real brands occur, not to labels.

Windows are lengths of time, turned into rows by the interval of the series; memories are half-lives in days. The
work per row and the memory are constant.
"""

import math
from dataclasses import dataclass
from typing import Final

MINUTES_PER_DAY: Final = 1440.0
USUAL_INTERVAL: Final = 5.0
"""Minutes between rows for which the constants below were fitted, and what a series without times is taken for."""
SHORTEST_INTERVAL: Final = 1 / 60
"""Minutes; a faster series is read as one of a row a second, which bounds the memory."""

BURST_WINDOWS: Final = (15.0, 30.0, 60.0)
SWELL_WINDOW: Final = 360.0
PROFILE_BIN: Final = 30.0
"""Minutes that share one entry in the profile of the day."""
PROFILE_ROWS_PER_DAY: Final = 4
"""A series with fewer rows a day has no profile of the day."""

LEVEL_DAYS: Final = 2.0
BURST_MEMORY_DAYS: Final = 5.0
SWELL_MEMORY_DAYS: Final = 30.0
SHORTEST_MEMORY: Final = 7
"""Rows; without it, the level of a daily series would be yesterday's noise."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many rows a length of time holds; `interval` is in minutes."""

    interval: float = USUAL_INTERVAL

    def rows(self, minutes: float, at_least: int = 1) -> int:
        """Rows in so many minutes."""
        return max(at_least, round(minutes / max(self.interval, SHORTEST_INTERVAL)))

    def fading(self, days: float) -> float:
        """The factor by which a memory with this half-life shrinks in one row."""
        return math.exp2(-1.0 / self.rows(days * MINUTES_PER_DAY, SHORTEST_MEMORY))


class RollingSum:
    """The sum of the last `size` numbers, at the price of one; it starts as if zeros had gone before."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.total = 0.0
        self._numbers = [0.0] * size
        self._next = 0

    def add(self, number: float) -> float:
        """Take the newest number in and the oldest out; returns the new sum."""
        self.total += number - self._numbers[self._next]
        self._numbers[self._next] = number
        self._next = (self._next + 1) % self.size
        if self._next == 0:
            self.total = math.fsum(self._numbers)  # rounding errors live for one round at most
        return self.total


class Record:
    """The largest excess so far, fading with time; what is measured against it is at least `floor`."""

    def __init__(self, fading: float) -> None:
        self._fading = fading
        self._best: float | None = None

    def compare(self, excess: float, floor: float) -> float:
        """Log of how many times the record this excess is, then remember it."""
        best = floor if self._best is None else self._best
        self._best = max(best * self._fading, excess)
        return math.log(max(excess / max(best, floor), 1e-3))


class FastBurst:
    """Excess over the usual level within the hour, against the excesses of the last days."""

    STEEPNESS: Final = 2.42
    OFFSET: Final = 0.127
    """With the steepness, they turn the log ratio to the record into the log of weeks between such ratios."""
    DEVIATIONS: Final = 3.0
    """An excess below so many standard deviations of chance is no record."""
    EXTRA_VARIANCE: Final = 0.4
    """Per minute of the window, up to the longest: even a silent brand has chatter now and then."""
    LARGEST_STEP: Final = 1.5
    """The level follows a burst no faster than this, in the log of the count."""

    def __init__(self, pace: Pace) -> None:
        sizes = sorted({pace.rows(minutes) for minutes in BURST_WINDOWS})
        fading = pace.fading(BURST_MEMORY_DAYS)
        self._windows = [(RollingSum(size), Record(fading)) for size in sizes]
        self._extra = [self.EXTRA_VARIANCE * min(size * pace.interval, max(BURST_WINDOWS)) for size in sizes]
        self._learning = 1.0 - pace.fading(LEVEL_DAYS)
        self._log_level: float | None = None
        self.longest = sizes[-1]

    def read(self, value: float, seen: int) -> tuple[float, float, float]:
        """Judge a value, then learn from it; `seen` values came before it.

        Returns:
            surprise; the largest excess per row of any window; the least such excess that chance does not explain.
        """
        log_value = math.log1p(value)
        if self._log_level is None:
            self._log_level = log_value
        level = math.expm1(self._log_level)
        ratios = largest = floor = 0.0
        for (window, record), extra in zip(self._windows, self._extra, strict=True):
            usual = level * window.size
            excess = max(0.0, window.add(value) - usual)
            floor = self.DEVIATIONS * math.sqrt(usual + extra)
            ratios += record.compare(excess, floor)
            largest = max(largest, excess / window.size)
        weight = max(self._learning, 1.0 / (seen + 1))
        self._log_level += weight * min(log_value - self._log_level, self.LARGEST_STEP)
        surprise = self.STEEPNESS * ratios / len(self._windows) + self.OFFSET
        return surprise, largest, floor / self.longest

    def skip(self) -> None:
        """A row without a value: the windows go on as if it had been a usual one."""
        usual = math.expm1(self._log_level) if self._log_level is not None else 0.0
        for window, _ in self._windows:
            window.add(usual)


class SlowSwell:
    """Mean residual of the last six hours against level and time of day, against those of the last weeks.

    Values are read on the scale 2 asinh(sqrt(v / 4)), on which counts of busy and of quiet brands scatter alike.
    """

    STEEPNESS: Final = 4.52
    OFFSET: Final = 1.107
    DISPERSION: Final = 4.0
    FLOOR: Final = 1.0
    """In units of the scale; a swell below it is no record."""
    PROFILE_LEARNING: Final = 0.3
    """Share of a day's residual that the profile takes over."""
    LARGEST_STEP: Final = 1.0

    def __init__(self, pace: Pace) -> None:
        self._residuals = RollingSum(pace.rows(SWELL_WINDOW))
        self._record = Record(pace.fading(SWELL_MEMORY_DAYS))
        self._learning = 1.0 - pace.fading(LEVEL_DAYS)
        self._level: float | None = None
        self._bin_minutes = max(PROFILE_BIN, pace.interval)
        self._rows_per_bin = self._bin_minutes / max(pace.interval, SHORTEST_INTERVAL)
        has_profile = MINUTES_PER_DAY / pace.interval >= PROFILE_ROWS_PER_DAY
        bins = math.ceil(MINUTES_PER_DAY / self._bin_minutes) if has_profile else 0
        self._profile = [0.0] * bins
        self._visits = [0.0] * bins
        self.longest = self._residuals.size

    def read(self, value: float, minute_of_day: float, seen: int) -> tuple[float, float]:
        """Judge a value, then learn from it; `seen` values came before it.

        Returns:
            surprise; the value that is usual at this time of day.
        """
        scaled = 2.0 * math.asinh(math.sqrt(value / self.DISPERSION))
        if self._level is None:
            self._level = scaled
        usual = self._level + self._offset(minute_of_day)
        residual = scaled - usual
        swell = max(0.0, self._residuals.add(residual) / math.sqrt(self.longest))
        surprise = self.STEEPNESS * self._record.compare(swell, self.FLOOR) + self.OFFSET
        self._level += max(self._learning, 1.0 / (seen + 1)) * self._step(residual)
        self._learn_profile(scaled - self._level, minute_of_day)
        return surprise, self.DISPERSION * math.sinh(max(usual, 0.0) / 2.0) ** 2

    def skip(self) -> None:
        """A row without a value: the window goes on as if it had been a usual one."""
        self._residuals.add(0.0)

    def _bin(self, minute_of_day: float) -> int:
        return min(int(minute_of_day // self._bin_minutes), len(self._profile) - 1)

    def _offset(self, minute_of_day: float) -> float:
        return self._profile[self._bin(minute_of_day)] if self._profile else 0.0

    def _learn_profile(self, over_level: float, minute_of_day: float) -> None:
        if not self._profile:
            return
        bin_ = self._bin(minute_of_day)
        share = max(self.PROFILE_LEARNING, 1.0 / (1.0 + self._visits[bin_])) / self._rows_per_bin
        self._profile[bin_] += share * self._step(over_level - self._profile[bin_])
        self._visits[bin_] += 1.0 / self._rows_per_bin

    def _step(self, residual: float) -> float:
        return max(-self.LARGEST_STEP, min(self.LARGEST_STEP, residual))
