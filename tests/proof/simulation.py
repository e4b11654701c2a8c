"""Brands and the desk's work on them, as several proofs need them; the work is done in processes of its own."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from crisisdesk.detect.budget import Thresholds
from crisisdesk.simulate.brands import HOUR, Kind, Noise, background, draw, spoken
from crisisdesk.simulate.crises import Crises
from crisisdesk.simulate.listening import listen
from crisisdesk.simulate.measure import WARM, Found, Listened, hear, side_by_side, trials
from crisisdesk.simulate.posts import DAY, STEP, Posts, Stream, negative, stream

SIZES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
"""Mean posts in five minutes."""
BALANCED = Thresholds.for_budget(1)
OFTEN = Crises(apart=(6, 10))
"""More often than in life, so that there are enough to count."""
BRANDS = int(os.environ.get("BRANDS", "3"))
"""Of each size; more of them take longer and say it more exactly."""


def heard(kinds: Sequence[Kind], seed: int, brands: int = BRANDS, from_day: int = WARM) -> dict[Kind, list[Listened]]:
    """Brands of each kind after the real detector has listened to them."""
    tasks = [
        replace(trial, from_day=from_day)
        for place, kind in enumerate(kinds)
        for trial in trials(kind, brands, (seed, place), BALANCED, at_once=1)
    ]
    tasks.sort(key=lambda trial: -trial.kind.posts)
    by_kind: dict[Kind, list[Listened]] = {kind: [] for kind in kinds}
    for trial, found in zip(tasks, side_by_side(hear, tasks), strict=True):
        by_kind[trial.kind] += found
    return by_kind


def shown(found: Found) -> str:
    """ "83% 82 min"; without minutes where fewer than half were found."""
    if not found.crises:
        return "none"
    return f"{found.part:.0%} {f'{found.minutes:.0f} min' if np.isfinite(found.minutes) else '> 6 h'}"


def table(rows: Sequence[Sequence[str]], title: str) -> None:
    """Print columns side by side, the first as wide as it must be."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    print(f"\n{title}")
    for first, *others in rows:
        print(f"{first:<{widths[0]}}", *(f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)))


# A classifier that errs, and says how sure it is.

SURE = {"sour": (1.122, 0.478), "other": (0.276, 1.324)}
"""Beta distributions of the chance that a post is negative, of those that are and the others: 75 % and 12 % are above
one half."""


@dataclass(frozen=True)
class Unsure:
    """Judges post by post; counts those above one half, or the sums of the probabilities, as whole posts in the end."""

    summed: bool

    def __call__(self, rng: np.random.Generator, posts: Posts) -> Posts:
        judged = np.empty_like(posts)
        for sour, other in ((0, 1), (2, 3)):
            found = self._found(rng, posts[sour], *SURE["sour"]) + self._found(rng, posts[other], *SURE["other"])
            everything = posts[sour] + posts[other]
            # What is less than a post is carried over, so that none gets lost.
            whole = np.diff(np.floor(np.cumsum(found, axis=0) + 1e-6), axis=0, prepend=0.0).astype(np.int64)
            judged[sour] = np.minimum(whole, everything)
            judged[other] = everything - judged[sour]
        return judged

    def _found(self, rng: np.random.Generator, posts: Posts, a: float, b: float) -> np.ndarray:
        probability = rng.beta(a, b, int(posts.sum()))
        weight = probability if self.summed else (probability > 0.5).astype(float)
        rows = np.repeat(np.arange(posts.size), posts.ravel())
        return np.bincount(rows, weights=weight, minlength=posts.size).reshape(posts.shape)


# New brands, and the crisis in their first hours.


def delay_of_a_new_brand(seed: int) -> float:
    """Minutes to the call: twelve hours at 15 posts an hour, a quarter negative, then five times the negative ones."""
    rng = np.random.default_rng((5011, seed))
    times = np.where(np.arange(18 * 60) < 12 * 60, 1.0, 5.0)
    sour, other = rng.poisson(15 * 0.25 / 60 * times), rng.poisson(15 * 0.75 / 60, len(times))
    minutes = np.flatnonzero(sour + other)
    nothing = np.zeros_like(minutes)
    posts = Stream(minutes, minutes, np.stack([nothing, nothing, sour[minutes], other[minutes]], axis=1))
    return listen(posts, BALANCED).since(12 * 60).reached(BALANCED.amber) - 12 * 60 + 1


# The slow-burning day.

CALM = Noise(volume=0.18, mood=0.10, bursts=0.0, drift=0.0, weekend=(1.0, 1.0))
"""Days of about 100 negative posts, give or take 15."""
HUNDRED_A_DAY = Kind(400 / DAY, (0.25, 0.25), noise=CALM, peak=(14, 18))


@dataclass(frozen=True)
class SlowDay:
    """After some ordinary days one has more than twice the negative posts, from midnight to midnight."""

    history: int
    """Days."""
    sourer: float
    """How many times the usual share is that of the day."""
    seed: int
    much: float = 2.15


def evening(day: SlowDay) -> tuple[bool, bool, float]:
    """Whether it was called until ten in the evening, whether within the usual days; its negative posts."""
    rng = np.random.default_rng((day.seed, day.history, round(100 * day.sourer)))
    currents = background(rng, replace(HUNDRED_A_DAY, days=day.history + 1), 1)
    start = day.history * DAY
    currents.rate[start:] *= day.much / day.sourer
    currents.share[start:] *= day.sourer
    posts = spoken(rng, currents)
    found = listen(stream(rng, posts, 0), BALANCED)
    begins = start * STEP
    by_evening = np.isfinite(found.since(begins, begins + 22 * HOUR * STEP).reached(BALANCED.amber))
    before = np.isfinite(found.since(0, begins).reached(BALANCED.amber))
    return bool(by_evening), bool(before), float(negative(posts)[start:].sum())


def ordinary_days(seed: int) -> np.ndarray:
    """Negative posts on each of 28 ordinary days."""
    return negative(draw(replace(HUNDRED_A_DAY, days=28), 1, (seed,)).posts).reshape(28, DAY).sum(axis=1)
