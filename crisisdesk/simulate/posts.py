"""Posts as numbers, and how they come in, minute by minute."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Posts = Ints
"""Shape (4, rows, brands), a row for each five minutes: negative and other posts that speak of something new, then
negative and other posts that do not."""

STEP: Final = 5
"""Minutes of a row."""
DAY: Final = 24 * 60 // STEP
"""Rows."""
ALIKE: Final = 60.0
"""The posts of one row share a mood: their negative share is as uncertain as if so many people had been asked."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Posts of one brand in the order in which they come in. Minutes count from the brand's beginning.

    Args:
        arrival: minute in which they come in, shape (n,), ascending.
        minute: minute in which they were written, shape (n,).
        posts: the four kinds of `Posts`, shape (n, 4); no row is empty.
    """

    arrival: Ints
    minute: Ints
    posts: Ints


def negative(posts: Posts) -> Ints:
    """Negative posts, shape (rows, brands)."""
    found: Ints = posts[0] + posts[2]
    return found


def told(rng: np.random.Generator, rate: Floats, share: Floats) -> tuple[Ints, Ints]:
    """Posts where so many are expected, and the negative ones among them."""
    posts = rng.poisson(rate)
    mood = rng.beta(np.maximum(share * ALIKE, 0.05), np.maximum((1 - share) * ALIKE, 0.05))
    return posts, rng.binomial(posts, mood)


def stream(rng: np.random.Generator, posts: Posts, column: int, first_row: int = 0) -> Stream:
    """The posts of one brand, each in a minute of its row, heard as they are written."""
    one = posts[:, :, column].T
    spread = rng.multinomial(one, np.full(STEP, 1 / STEP))
    by_minute = spread.transpose(0, 2, 1).reshape(-1, 4)
    said = np.flatnonzero(by_minute.any(axis=1))
    minute = said + first_row * STEP
    return Stream(minute, minute, by_minute[said])
