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

from crisisdesk.detect.spike import SpikeDetector, Thresholds

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
    """`posts` and `negatives` have a row per five minutes and a column per brand."""

    size: Floats
    posts: Ints
    negatives: Ints
    crises: tuple[tuple[int, int, int], ...]
    """Column, row of the start, size."""


class _Wander:
    """Everything about the brands that changes with time, stepped five minutes at a time."""

    def __init__(self, rng: np.random.Generator, size: Floats) -> None:
        n = len(size)
        self.rng, self.size, self.n = rng, size, n
        self.share, self.phase = rng.uniform(0.10, 0.35, n), rng.uniform(0, 24, n)
        self.swing, self.weekend = rng.uniform(0.6, 1.2, n), rng.uniform(0.5, 1.0, n)
        self.growth = np.where(rng.random(n) < 0.33, rng.uniform(0.3, 1.0, n), 0.0)
        self.souring = np.where(rng.random(n) < 0.33, rng.uniform(0.3, 0.8, n), 0.0)
        self.volume, self.mood = np.zeros(n), np.zeros(n)
        self.burst, self.burst_share = np.zeros(n), np.ones(n)

    def step(self, row: int, rows: int) -> tuple[Floats, Floats]:
        """Rate of posts and share of negatives in this row, one value a brand."""
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
        share = np.clip((share + self.burst * share * self.burst_share) / (1 + self.burst), 0.01, 0.95)
        rate = rate * np.exp(self.volume - 0.045) * (1 + self.burst)
        self.burst = self.burst * math.exp(-STEP / 60)
        return rate, share


def simulate(seed: int, brands_per_size: int, days: int, *, crises_from_day: int | None = None) -> Brands:
    """Draw brands of all sizes; with `crises_from_day`, each has a crisis about every 13 days from then on."""
    rng = np.random.default_rng(seed)
    size = np.repeat(SIZES, brands_per_size).astype(float)
    n, rows = len(size), days * DAY
    wander = _Wander(rng, size)
    posts, negatives = np.zeros((rows, n), np.int64), np.zeros((rows, n), np.int64)
    start, strength = np.full(n, -(10**9)), np.ones(n)
    following = np.full(n, 10**9) if crises_from_day is None else crises_from_day * DAY + rng.integers(0, 10 * DAY, n)
    crises = []
    for row in range(rows):
        rate, share = wander.step(row, rows)
        posts[row] = rng.poisson(rate * rng.gamma(12.0, 1 / 12.0, n))
        negatives[row] = rng.binomial(
            posts[row], rng.beta(np.maximum(share * 60, 0.05), np.maximum((1 - share) * 60, 0.05))
        )
        for column in np.flatnonzero(following == row):
            start[column], strength[column] = row, rng.choice(CRISES)
            following[column] = row + 10 * DAY + rng.integers(0, 6 * DAY)
            crises.append((int(column), row, int(strength[column])))
        on = row - start < 6 * 60 // STEP
        ramp = np.where(on, np.minimum(1.0, (row - start + 1) / 4), 0.0)
        extra = rng.poisson((strength - 1) * ramp * rate * share * rng.gamma(12.0, 1 / 12.0, n))
        posts[row] += extra
        negatives[row] += extra
    return Brands(size, posts, negatives, tuple(crises))


def surprises(brands: Brands, column: int, thresholds: Thresholds, seed: int = 0) -> Floats:
    """The detector's surprise in each row of one brand, judged at every minute with a negative post."""
    rng = np.random.default_rng((seed, column))
    detector = SpikeDetector(thresholds)
    worst = np.zeros(len(brands.posts))
    for row, minute, total, negative in _minutes(brands, column, rng):
        detector.count(minute + 0.99, total, negative)
        if negative:
            worst[row] = max(worst[row], detector.read().surprise)
    return worst


def _minutes(brands: Brands, column: int, rng: np.random.Generator) -> Iterator[tuple[int, int, int, int]]:
    """Row, minute, posts and negatives of every minute that has posts; a row's posts fall on its minutes at random."""
    posts, negatives = brands.posts[:, column], brands.negatives[:, column]
    even = np.full(STEP, 1 / STEP)
    for row in np.flatnonzero(posts):
        bad = rng.multinomial(negatives[row], even)
        good = rng.multinomial(posts[row] - negatives[row], even)
        for offset in np.flatnonzero(bad + good):
            yield int(row), int(row * STEP + offset), int(bad[offset] + good[offset]), int(bad[offset])


def episodes(surprise: Floats, threshold: float, *, apart: int = 12 * 60 // STEP) -> list[int]:
    """Rows at which an alarm starts: reached the threshold, and had not for `apart` rows."""
    starts: list[int] = []
    last = -(10**9)
    for row in np.flatnonzero(surprise >= threshold):
        if row - last > apart:
            starts.append(int(row))
        last = row
    return starts
