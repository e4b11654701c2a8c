"""Brands that were never there: how many people speak of them, and in what mood, every five minutes for weeks.

Volume comes in clusters (gamma-Poisson), with a rhythm of the day, quieter weekends and an hour-long wander; the share
of negative posts is beta-binomial around a share that wanders, too. Twice a week something is talked about that is no
crisis, in the usual mood or a better or a slightly worse one. A third of the brands grow, a third slowly sour. Nothing
here was drawn from a recorded case.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from crisisdesk.simulate.crises import Crises, Crisis
from crisisdesk.simulate.posts import DAY, STEP, Bools, Floats, Posts, told

HOUR: Final = 60 // STEP
"""Rows."""
NEW: Final = (0.05, 0.03)
"""Part of the everyday posts, negative and other, that happen to speak of something new."""
MOODS: Final = (1.0, 1.0, 1.0, 0.4, 0.4, 1.2)
"""How many times its usual share of negative posts a brand has in what is talked about for a while."""


@dataclass(frozen=True, slots=True)
class Noise:
    """How restless the brands are."""

    volume: float = 0.30
    """Standard deviation of the logarithm of the volume, which wanders within three hours."""
    mood: float = 0.20
    """The same of the log-odds of the negative share, within six hours."""
    bursts: float = 2.0
    """Times a week that something is talked about, with up to eight times the posts."""
    drift: float = 1.0
    """How much brands grow and sour; 0 for not at all."""
    weekend: tuple[float, float] = (0.5, 1.0)
    """Between which lies the part of a working day's posts that come on a day of the weekend."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of brand, of which many can be drawn."""

    posts: float
    """Mean number in five minutes."""
    shares: tuple[float, float] = (0.10, 0.35)
    """Between which the usual share of negative posts lies."""
    days: int = 63
    peak: tuple[float, float] = (0, 24)
    """Between which lies the hour of the day at which most is said."""
    noise: Noise = field(default_factory=Noise)
    crises: Crises | None = None
    judged: Callable[[np.random.Generator, Posts], Posts] | None = None
    """What a classifier makes of the posts; None for one that is always right. See `Classifier`."""


@dataclass(frozen=True, slots=True)
class Classifier:
    """Judges posts, not always well."""

    recall: float
    """Part of the negative posts that it finds."""
    mistaken: float
    """Part of the others that it takes for negative."""

    def __call__(self, rng: np.random.Generator, posts: Posts) -> Posts:
        """The posts as it labels them."""
        judged = posts.copy()
        for sour, other in ((0, 1), (2, 3)):
            found = rng.binomial(posts[sour], self.recall) + rng.binomial(posts[other], self.mistaken)
            judged[other] += judged[sour] - found
            judged[sour] = found
        return judged


@dataclass(slots=True)
class Currents:
    """What drives the posts. Arrays have a row for each five minutes and a column for each brand."""

    rate: Floats
    """Everyday posts in five minutes."""
    share: Floats
    """The negative share of them."""
    news: Floats
    """Posts in five minutes about what is talked about for a while."""
    news_share: Floats
    night: Bools
    """Whether it is one of the eight quietest hours of the brand's day."""

    def part(self, rows: slice) -> "Currents":
        """A copy of some rows."""
        return Currents(*(getattr(self, name)[rows].copy() for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Brands:
    """Posts, of shape (4, rows, brands) as `crisisdesk.simulate.posts` has it, and the crises among them."""

    posts: Posts
    crises: tuple[Crisis, ...] = ()


def draw(kind: Kind, brands: int, seed: Sequence[int]) -> Brands:
    """Draw brands of a kind; the same seed gives the same brands."""
    rng = np.random.default_rng(seed)
    currents = background(rng, kind, brands)
    posts, crises = spoken(rng, currents), tuple[Crisis, ...]()
    if kind.crises is not None:
        posts, crises = kind.crises.strike(rng, posts, currents.rate + currents.news, currents.share)
    if kind.judged is not None:
        posts = kind.judged(rng, posts)
    return Brands(posts, crises)


def background(rng: np.random.Generator, kind: Kind, brands: int) -> Currents:
    """What drives ordinary weeks."""
    rows, noise = np.arange(kind.days * DAY)[:, None], kind.noise
    phase, swing = rng.uniform(*kind.peak, brands), rng.uniform(0.6, 1.2, brands)
    weekend, usual = rng.uniform(*noise.weekend, brands), rng.uniform(*kind.shares, brands)
    growth = _some(rng, brands) * rng.uniform(0.3, 1.0, brands) * noise.drift
    souring = _some(rng, brands) * rng.uniform(0.3, 0.8, brands) * noise.drift
    away = (rows % DAY / HOUR - phase) * (math.tau / 24)
    volume = _wander(rng, len(rows), brands, 180) * noise.volume
    rate = kind.posts * np.exp(swing * np.cos(away) + growth * rows / (30 * DAY) + volume - noise.volume**2 / 2)
    rate *= np.where(rows // DAY % 7 >= 5, weekend, 1.0) / np.i0(swing)
    mood = _wander(rng, len(rows), brands, 360) * noise.mood
    share = 1 / (1 + np.exp(-(np.log(usual / (1 - usual)) + mood + souring * rows / (63 * DAY))))
    height, sour = _bursts(rng, len(rows), brands, noise.bursts)
    return Currents(rate, share, rate * height, np.clip(share * sour, 0.01, 0.95), np.cos(away) < -0.5)


def spoken(rng: np.random.Generator, currents: Currents) -> Posts:
    """The posts that people write."""
    crowd = rng.gamma(12.0, 1 / 12.0, currents.rate.shape)
    usual, sour = told(rng, currents.rate * crowd, currents.share)
    fresh, angry = told(rng, currents.news * crowd, currents.news_share)
    chance_sour, chance_other = rng.binomial(sour, NEW[0]), rng.binomial(usual - sour, NEW[1])
    return np.stack(
        [angry + chance_sour, fresh - angry + chance_other, sour - chance_sour, usual - sour - chance_other]
    )


def _some(rng: np.random.Generator, brands: int) -> Bools:
    return rng.random(brands) < 0.33


def _wander(rng: np.random.Generator, rows: int, brands: int, minutes: float) -> Floats:
    """A random walk that is drawn back to 0 within so many minutes; standard deviation 1."""
    keep = math.exp(-STEP / minutes)
    walk = math.sqrt(1 - keep**2) * rng.standard_normal((rows, brands))
    for row in range(1, rows):
        walk[row] += keep * walk[row - 1]
    return walk


def _bursts(rng: np.random.Generator, rows: int, brands: int, a_week: float) -> tuple[Floats, Floats]:
    """How many times the usual posts are added by what is talked about, fading within an hour, and its mood."""
    starts = rng.random((rows, brands)) < a_week / (7 * DAY)
    height, sour = np.zeros((rows, brands)), np.ones((rows, brands))
    top, mood = rng.uniform(1, 7, (rows, brands)), rng.choice(MOODS, (rows, brands))
    keep, now, colour = math.exp(-STEP / 60), np.zeros(brands), np.ones(brands)
    for row, new in enumerate(starts):
        if new.any():
            now, colour = np.where(new, top[row], now), np.where(new, mood[row], colour)
        height[row], sour[row] = now, colour
        now = now * keep
    return height, sour
