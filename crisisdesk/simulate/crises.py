"""Crises: for six hours people have a reason to be angry."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from crisisdesk.simulate.posts import DAY, Floats, Ints, Posts, told

TIMES: Final = (2, 3, 5, 10)
"""How many times the usual negative posts a crisis has."""
LASTS: Final = DAY // 4
"""Rows."""
RAMP: Final = 4
"""Rows until it has reached its height."""


@dataclass(frozen=True, slots=True)
class Crisis:
    """One crisis, in which negative posts come `times` as fast as they otherwise would."""

    column: int
    row: int
    times: int


@dataclass(frozen=True, slots=True)
class Crises:
    """How often crises come, and what they are like."""

    from_day: int = 21
    apart: tuple[int, int] = (10, 16)
    """Days from one to the next."""
    whole_crowd: bool = False
    """Whether all posts multiply, in the usual mood; else angry posts come on top."""
    times: tuple[int, ...] = TIMES
    new: float = 0.7
    """Part of its posts that use the words of the day; not everybody who is angry does."""

    def strike(
        self, rng: np.random.Generator, posts: Posts, rate: Floats, share: Floats
    ) -> tuple[Posts, tuple[Crisis, ...]]:
        """The posts with those of crises, and the crises.

        Args:
            rng: source of chance.
            posts: those without crises.
            rate: expected posts in five minutes, shape (rows, brands).
            share: the negative share of them.
        """
        rows, brands = rate.shape
        crises = tuple(crisis for column in range(brands) for crisis in self._of_one(rng, column, rows))
        more = np.zeros((rows, brands))
        height = np.minimum(1.0, np.arange(1, LASTS + 1) / RAMP)
        for crisis in crises:
            part = more[crisis.row : crisis.row + LASTS, crisis.column]
            part += (crisis.times - 1) * height[: len(part)]
        crowd = more * rng.gamma(12.0, 1 / 12.0, rate.shape) * rate
        if self.whole_crowd:
            everybody, sour = told(rng, crowd, share)
            return posts + self._in_words_of_the_day(rng, sour, everybody - sour), crises
        sour = rng.poisson(crowd * share)
        return posts + self._in_words_of_the_day(rng, sour, np.zeros_like(sour)), crises

    def _of_one(self, rng: np.random.Generator, column: int, rows: int) -> list[Crisis]:
        """Those of one brand; none so late that its six hours would not be seen."""
        found: list[Crisis] = []
        low, high = (days * DAY for days in self.apart)
        row = self.from_day * DAY + int(rng.integers(0, low))
        while row + LASTS <= rows:
            found.append(Crisis(column, row, int(rng.choice(self.times))))
            row += int(rng.integers(low, high))
        return found

    def _in_words_of_the_day(self, rng: np.random.Generator, sour: Ints, other: Ints) -> Posts:
        new_sour, new_other = rng.binomial(sour, self.new), rng.binomial(other, self.new)
        return np.stack([new_sour, new_other, sour - new_sour, other - new_other])
