"""What simpler rules would have done: the common ways to watch a count, to measure ours against.

Each rule takes the posts of five minutes, of many brands at once, and gives a score for each brand; it calls where the
score reaches its threshold. All but the last two see negative posts only. They are rebuilt from their sources or from
the usual textbooks, at their factory settings and with every doubt decided in their favour: none calls before it has
seen enough, standard deviations have a floor, and a call is not repeated while its episode lasts.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
"""One number for each brand, shape (brands,)."""

BUCKET: Final = 5
"""Minutes of posts that a rule takes at once; the first bucket begins with an hour."""
HOUR: Final = 60 // BUCKET
"""Buckets."""
DAY: Final = 24 * HOUR
SAME_EPISODE: Final = 2 * HOUR
"""A score above the threshold within this time of the last one continues the same episode."""
LEAST_SD: Final = 0.3
"""Posts: an idle night would otherwise make the first post infinitely surprising."""
LEAST_POSTS: Final = 10
"""Posts in an hour without which its share of negative ones says nothing."""


class Rule(ABC):
    """A rule for `brands` brands; `threshold` None is the factory setting."""

    title: ClassVar[str]
    """What it does, in words that finish "it calls when …"."""
    factory: ClassVar[float]
    """The threshold it comes with."""
    spacing: ClassVar[int] = 12 * HOUR
    """Buckets after an episode before it calls again."""

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        self.threshold = self.factory if threshold is None else threshold
        self._bucket = -1
        self._last = np.full(brands, -np.inf)
        self._hour = _Past(HOUR, brands)

    def update(self, negative: Numbers, total: Numbers) -> Numbers:
        """Take in the negative and all posts of the next bucket; the score at its end, 0 where there is none."""
        self._bucket += 1
        return self._score(np.asarray(negative, float), np.asarray(total, float))

    def calls(self, scores: Numbers) -> npt.NDArray[np.bool_]:
        """Which brands it calls for, given what `update` has just returned."""
        above, since = scores >= self.threshold, self._bucket - self._last
        called = above & (since > self.spacing)
        self._last = np.where(called | (above & (since <= SAME_EPISODE)), self._bucket, self._last)
        return called

    @abstractmethod
    def _score(self, negative: Numbers, total: Numbers) -> Numbers:
        """The score of the present bucket."""

    @property
    def _ends_hour(self) -> bool:
        return self._bucket % HOUR == HOUR - 1


class _Past:
    """The last `length` values of every brand."""

    def __init__(self, length: int, brands: int) -> None:
        self.values = np.zeros((length, brands))
        self.number = 0
        self.sum = np.zeros(brands)
        self._squares = np.zeros(brands)

    def add(self, value: Numbers) -> None:
        place = self.number % len(self.values)
        self.sum += value - self.values[place]
        self._squares += value**2 - self.values[place] ** 2
        self.values[place] = value
        self.number += 1

    @property
    def known(self) -> int:
        return min(self.number, len(self.values))

    @property
    def is_full(self) -> bool:
        return self.number >= len(self.values)

    @property
    def mean(self) -> Numbers:
        return self.sum / max(self.known, 1)

    @property
    def sd(self) -> Numbers:
        """Population standard deviation."""
        return np.sqrt(np.maximum(self._squares / max(self.known, 1) - self.mean**2, 0.0))


class FixedCount(Rule):
    """So many negative posts in the last hour, for every brand alike. No tool names a number; this one is ours."""

    title = "20 or more negative posts in an hour"
    factory = 20.0

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        self._hour.add(negative)
        return self._hour.sum.copy()


class Ratio(Rule):
    """The last hour against the average hour of the last day: ElastAlert's and many dashboards' "three times"."""

    title = "an hour has 3 times the negative posts of the last day's average hour"
    factory = 3.0

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._day = _Past(DAY, brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        self._hour.add(negative)
        usual = np.maximum(self._day.mean * HOUR, 0.5)
        score = np.where(self._day.is_full, self._hour.sum / usual, 0.0)
        self._day.add(negative)
        return score


class RollingZ(Rule):
    """Standard deviations of a bucket above the last day's."""

    title = "5 minutes exceed the last day by 3 standard deviations"
    factory = 3.0

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._day = _Past(DAY, brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        score = (negative - self._day.mean) / np.maximum(self._day.sd, LEAST_SD)
        score = np.where(self._day.is_full, score, 0.0)
        self._day.add(negative)
        return score


class Ewma(Rule):
    """The exponentially weighted chart (Roberts 1959): weight 0.2, centre and spread of the last 7 days."""

    title = "the weighted average leaves its control limits, 3 standard deviations of 7 days"
    factory = 3.0
    WEIGHT: ClassVar = 0.2

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._week = _Past(7 * DAY, brands)
        self._average = np.zeros(brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        self._average = self.WEIGHT * negative + (1 - self.WEIGHT) * self._average
        spread = self._week.sd * (self.WEIGHT / (2 - self.WEIGHT)) ** 0.5
        score = (self._average - self._week.mean) / np.maximum(spread, 0.1)
        score = np.where(self._week.number >= DAY, score, 0.0)
        self._week.add(negative)
        return score


class Huginn(Rule):
    """Huginn's PeakDetectorAgent on hourly counts, as its source has it.

    It fires when the newest value is below the one before, and that one exceeds mean plus 3 population standard
    deviations of the 14 days before both; it needs more than 4 values, and calls once in two days.
    """

    title = "an hourly peak exceeds the last 14 days by 3 standard deviations, and has passed"
    factory = 3.0
    spacing = 48 * HOUR
    LEAST_VALUES: ClassVar = 4

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._hours = _Past(14 * 24 - 2, brands)
        self._before = np.zeros(brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        self._hour.add(negative)
        if not self._ends_hour:
            return np.zeros_like(negative)
        newest, peak = self._hour.sum.copy(), self._before
        score = (peak - self._hours.mean) / np.maximum(self._hours.sd, LEAST_SD)
        if self._bucket >= HOUR:
            if self._hours.number + 2 <= self.LEAST_VALUES:
                score = np.zeros_like(score)
            self._hours.add(peak)
        self._before = newest
        return np.where(newest < peak, score, 0.0)


class SeasonalEsd(Rule):
    """A streaming stand-in for S-H-ESD (Hochenbaum et al. 2017): an hour against the median of the same hour.

    Fourteen days; the spread is the median absolute deviation of all hours from theirs, taken anew every day.
    """

    title = "an hour exceeds the same hour of 14 days by 3.8 robust deviations"
    factory = 3.8
    DAYS: ClassVar = 14

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._hours = _Past(self.DAYS * 24, brands)
        self._spread = np.zeros(brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:  # noqa: ARG002
        self._hour.add(negative)
        score: Numbers = np.zeros_like(negative)
        if not self._ends_hour:
            return score
        number = self._hours.number
        if number >= 2 * 24:
            if number % 24 == 0:
                self._spread = self._deviation()
            days = np.arange(1, min(self.DAYS, number // 24) + 1)
            usual = np.median(self._hours.values[(number - 24 * days) % len(self._hours.values)], axis=0)
            score = (self._hour.sum - usual) / np.maximum(self._spread, 0.5)
        self._hours.add(self._hour.sum)
        return score

    def _deviation(self) -> Numbers:
        by_day = self._hours.values[: self._hours.known].reshape(-1, 24, self._hours.values.shape[1])
        rest = (by_day - np.median(by_day, axis=0)).reshape(-1, by_day.shape[2])
        deviation: Numbers = 1.4826 * np.median(np.abs(rest - np.median(rest, axis=0)), axis=0)
        return deviation


class Share(Rule):
    """The percentage of negative posts in the last hour, of 10 posts at least. No tool names a number; this is ours."""

    title = "half of an hour's posts are negative"
    factory = 50.0

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._all = _Past(HOUR, brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:
        self._hour.add(negative)
        self._all.add(total)
        return np.where(self._all.sum >= LEAST_POSTS, 100 * self._hour.sum / np.maximum(self._all.sum, 1.0), 0.0)


class ShareZ(Share):
    """Standard deviations of that percentage above the last day's; hours with fewer than 10 posts are left out."""

    title = "the negative share of an hour exceeds the last day by 3 standard deviations"
    factory = 3.0

    def __init__(self, brands: int = 1, threshold: float | None = None) -> None:
        super().__init__(brands, threshold)
        self._shares, self._heard = _Past(DAY, brands), _Past(DAY, brands)
        self._squares = _Past(DAY, brands)

    def _score(self, negative: Numbers, total: Numbers) -> Numbers:
        share = super()._score(negative, total)
        heard = (self._all.sum >= LEAST_POSTS).astype(float)
        number = np.maximum(self._heard.sum, 1.0)
        mean = self._shares.sum / number
        sd = np.sqrt(np.maximum(self._squares.sum / number - mean**2, 0.0))
        score = (share - mean) / np.maximum(sd, 2.0)
        score = np.where((heard > 0) & (self._heard.sum >= 2 * HOUR), score, 0.0)
        for past, value in ((self._shares, share), (self._heard, heard), (self._squares, share**2)):
            past.add(value)
        return score


RULES: Final[Mapping[str, type[Rule]]] = {
    "huginn": Huginn,
    "ewma": Ewma,
    "ratio": Ratio,
    "count": FixedCount,
    "zscore": RollingZ,
    "esd": SeasonalEsd,
    "share": Share,
    "sharez": ShareZ,
}
"""All rules, by the names that the command line knows."""
