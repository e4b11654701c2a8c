"""Simulated brands, to count false alarms and missed crises where the truth is known.

Background: clustered (gamma-Poisson) volume with a daily rhythm, quieter weekends, wandering volume and share, two
organic bursts a week that are not crises, slow drift in a third of the brands. Crisis: for six hours, after a ramp of
20 minutes, `size` times as many negative posts as usual. Nothing here was drawn from the Motrin case.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import SpikeDetector

STEP = 5
"""Minutes a row."""
DAY = 24 * 60 // STEP
SIZES = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Mean posts in five minutes."""
CRISES = (2, 3, 5, 10)
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Brands:
    """`posts` and `negatives` have a row per five minutes and a column per brand.

    `fresh_posts` and `fresh_negatives` are those among them that speak of something new: all of a burst's and of a
    crisis', and now and then an ordinary one, a little oftener a negative one.
    """

    size: Floats
    posts: Ints
    negatives: Ints
    fresh_posts: Ints
    fresh_negatives: Ints
    crises: tuple[tuple[int, int, int], ...]
    """Column, row of the start, size."""


class _Wander:
    """Everything about the brands that changes with time, stepped five minutes at a time."""

    def __init__(self, rng: np.random.Generator, size: Floats, shares: tuple[float, float]) -> None:
        n = len(size)
        self.rng, self.size, self.n = rng, size, n
        self.share, self.phase = rng.uniform(*shares, n), rng.uniform(0, 24, n)
        self.swing, self.weekend = rng.uniform(0.6, 1.2, n), rng.uniform(0.5, 1.0, n)
        self.growth = np.where(rng.random(n) < 0.33, rng.uniform(0.3, 1.0, n), 0.0)
        self.souring = np.where(rng.random(n) < 0.33, rng.uniform(0.3, 0.8, n), 0.0)
        self.volume, self.mood = np.zeros(n), np.zeros(n)
        self.burst, self.burst_share = np.zeros(n), np.ones(n)

    def step(self, row: int, rows: int) -> tuple[Floats, Floats, Floats, Floats]:
        """Rate and negative share of ordinary posts, then of a burst's posts, in this row, one value a brand."""
        rng, n = self.rng, self.n
        hour, weekday = row % DAY * STEP / 60, row // DAY % 7
        rate = self.size * np.exp(self.swing * np.cos((hour - self.phase) * math.tau / 24)) / np.i0(self.swing)
        rate *= np.where(weekday >= 5, self.weekend, 1.0) * np.exp(self.growth * row / (21 * DAY) * 0.7)
        keep_volume, keep_mood = math.exp(-STEP / 180), math.exp(-STEP / 360)
        self.volume = keep_volume * self.volume + math.sqrt(1 - keep_volume**2) * 0.30 * rng.standard_normal(n)
        self.mood = keep_mood * self.mood + math.sqrt(1 - keep_mood**2) * 0.20 * rng.standard_normal(n)
        new = rng.random(n) < 2 / (7 * DAY)
        self.burst = np.where(new, rng.uniform(1, 7, n), self.burst)
        self.burst_share = np.where(new, rng.choice([1.0, 1.0, 1.0, 0.4, 0.4, 1.2], n), self.burst_share)
        logit = np.log(self.share / (1 - self.share)) + self.mood + self.souring * row / rows
        share = 1 / (1 + np.exp(-logit))
        rate = rate * np.exp(self.volume - 0.045)
        burst, self.burst = self.burst * rate, self.burst * math.exp(-STEP / 60)
        return rate, share, burst, np.clip(share * self.burst_share, 0.01, 0.95)


def simulate(
    seed: int,
    brands_per_size: int,
    days: int,
    *,
    shares: tuple[float, float] = (0.10, 0.35),
    crises_from_day: int | None = None,
) -> Brands:
    """Draw brands of all sizes whose usual negative share lies in a range.

    With `crises_from_day`, each has a crisis about every 13 days from then on.
    """
    rng = np.random.default_rng(seed)
    size = np.repeat(SIZES, brands_per_size).astype(float)
    n, rows = len(size), days * DAY
    wander = _Wander(rng, size, shares)
    posts, negatives, fresh_posts, fresh_negatives = np.zeros((4, rows, n), np.int64)
    start, strength = np.full(n, -(10**9)), np.ones(n)
    following = np.full(n, 10**9) if crises_from_day is None else crises_from_day * DAY + rng.integers(0, 10 * DAY, n)
    crises = []
    for row in range(rows):
        rate, share, burst, burst_share = wander.step(row, rows)
        crowd = rng.gamma(12.0, 1 / 12.0, n)
        ordinary, sour = _drawn(rng, rate * crowd, share)
        fresh_posts[row], fresh_negatives[row] = _drawn(rng, burst * crowd, burst_share)
        posts[row], negatives[row] = ordinary + fresh_posts[row], sour + fresh_negatives[row]
        chance = rng.binomial(sour, 0.05)  # words that people happen to share are said by the sour a little oftener
        fresh_negatives[row] += chance
        fresh_posts[row] += chance + rng.binomial(ordinary - sour, 0.03)
        for column in np.flatnonzero(following == row):
            start[column], strength[column] = row, rng.choice(CRISES)
            following[column] = row + 10 * DAY + rng.integers(0, 6 * DAY)
            crises.append((int(column), row, int(strength[column])))
        on = row - start < 6 * 60 // STEP
        ramp = np.where(on, np.minimum(1.0, (row - start + 1) / 4), 0.0)
        extra = rng.poisson((strength - 1) * ramp * rate * share * rng.gamma(12.0, 1 / 12.0, n))
        for counts in (posts, negatives):
            counts[row] += extra
        about = rng.binomial(extra, 0.7)  # not everybody who is angry uses the words of the day
        for counts in (fresh_posts, fresh_negatives):
            counts[row] += about
    return Brands(size, posts, negatives, fresh_posts, fresh_negatives, tuple(crises))


def _drawn(rng: np.random.Generator, rate: Floats, share: Floats) -> tuple[Ints, Ints]:
    """Posts, and the negative ones among them; the share of a row is beta-distributed around the given one."""
    posts = rng.poisson(rate)
    mood = rng.beta(np.maximum(share * 60, 0.05), np.maximum((1 - share) * 60, 0.05))
    return posts, rng.binomial(posts, mood)


def surprises(brands: Brands, column: int, thresholds: Thresholds, seed: int = 0) -> Floats:
    """The detector's surprise in each row of one brand, judged at every minute with a negative post."""
    rng = np.random.default_rng((seed, column))
    detector = SpikeDetector(thresholds)
    worst = np.zeros(len(brands.posts))
    for row, minute, (fresh_sour, fresh_other, sour, other) in _minutes(brands, column, rng):
        detector.count(minute + 0.99, fresh_sour + fresh_other + sour + other, fresh_sour + sour)
        if fresh_sour + fresh_other:
            detector.count_fresh(minute + 0.99, fresh_sour + fresh_other, fresh_sour)
        if fresh_sour + sour:
            worst[row] = max(worst[row], detector.read().surprise)
    return worst


def _minutes(brands: Brands, column: int, rng: np.random.Generator) -> Iterator[tuple[int, int, list[int]]]:
    """Row, minute, and its posts: fresh negative, fresh other, old negative, old other.

    A row's posts fall on its minutes at random; minutes without posts are left out.
    """
    total, negative = brands.posts[:, column], brands.negatives[:, column]
    fresh, fresh_sour = brands.fresh_posts[:, column], brands.fresh_negatives[:, column]
    kinds = np.stack([fresh_sour, fresh - fresh_sour, negative - fresh_sour, total - negative - fresh + fresh_sour], 1)
    even = np.full(STEP, 1 / STEP)
    for row in np.flatnonzero(total):
        spread = rng.multinomial(kinds[row], even)
        for offset in np.flatnonzero(spread.sum(0)):
            yield int(row), int(row * STEP + offset), spread[:, offset].tolist()


def episodes(surprise: Floats, threshold: float, *, apart: int = 12 * 60 // STEP) -> list[int]:
    """Rows at which an alarm starts: reached the threshold, and had not for `apart` rows."""
    starts: list[int] = []
    last = -(10**9)
    for row in np.flatnonzero(surprise >= threshold):
        if row - last > apart:
            starts.append(int(row))
        last = row
    return starts
