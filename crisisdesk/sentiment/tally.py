"""Sums over judged posts from which every figure follows; they grow with the labels and bins, not with the posts."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from crisisdesk.sentiment.card import LABELS

BINS: Final = 15
CALMEST_FIRST: Final = np.array([LABELS.index(name) for name in ("neutral", "positive", "negative")])
"""Of equal probabilities the calmer label counts, as in `Scored.label`."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Posts whose top probability falls into one bin: how many, how sure the model was of them, how often it was right.

    The bin reaches from `low` up to `high`; `confidence` is their mean top probability, `accuracy` the share of right
    ones.
    """

    low: float
    high: float
    posts: int
    confidence: float
    accuracy: float


@dataclass(slots=True)
class Tally:
    """What was counted of some posts."""

    confusion: np.ndarray = field(default_factory=lambda: np.zeros((len(LABELS), len(LABELS)), np.int64))
    """Counts (true label, given label)."""
    sums: np.ndarray = field(default_factory=lambda: np.zeros((BINS, 3)))
    """By equal-width bin of the top probability: posts, sum of top probabilities, right ones."""
    seconds: float = 0.0

    def add(self, labels: np.ndarray, chances: np.ndarray, seconds: float) -> None:
        """Count posts with true `labels` (n,) and probabilities `chances` (n, 3)."""
        given = CALMEST_FIRST[chances[:, CALMEST_FIRST].argmax(axis=1)]
        top = chances.max(axis=1)
        np.add.at(self.confusion, (labels, given), 1)
        bins = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
        np.add.at(self.sums, bins, np.column_stack([np.ones_like(top), top, given == labels]))
        self.seconds += seconds

    @property
    def posts(self) -> int:
        """How many were counted."""
        return int(self.confusion.sum())

    def bins(self) -> list[Bin]:
        """The bins that hold posts, least sure first."""
        return [
            Bin(at / BINS, (at + 1) / BINS, int(n), sure / n, right / n)
            for at, (n, sure, right) in enumerate(self.sums.tolist())
            if n
        ]

    def figures(self) -> dict[str, Any]:
        """The keys of `model evaluate --json`; a label that never occurs has the recall None and enters no mean."""
        n, bins = self.posts, self.bins()
        right = np.diag(self.confusion)
        true, given = self.confusion.sum(axis=1), self.confusion.sum(axis=0)
        present = true > 0
        recall = right / np.maximum(true, 1)
        f1 = 2 * right / np.maximum(true + given, 1)
        return {
            "n": n,
            "accuracy": _rounded(right.sum() / max(n, 1)),
            "macro_recall": _rounded(recall[present].mean()) if n else None,
            "macro_f1": _rounded(f1[present].mean()) if n else None,
            "recall": {name: _rounded(recall[i]) if present[i] else None for i, name in enumerate(LABELS)},
            "ece": _rounded(sum(one.posts * abs(one.confidence - one.accuracy) for one in bins) / max(n, 1)),
            "ece_chance": _rounded(sum(by_chance(one.posts, one.confidence) for one in bins) / max(n, 1)),
            "posts_per_second": round(n / self.seconds, 1) if self.seconds else None,
        }


def by_chance(posts: int, confidence: float) -> float:
    """By how many right answers a perfectly calibrated model misses its own promise in a bin, on average.

    The mean absolute deviation of a binomial count, in de Moivre's closed form (Diaconis and Zabell, Statistical
    Science 6, 1991). Within one bin the probabilities differ by a fifteenth at most, so that their mean stands for
    all; a normal approximation would be wrong where misses are rare, as in the surest bin of a small set.

    Args:
        posts: in the bin.
        confidence: the probability of being right, 0 to 1.
    """
    if not 0 < confidence < 1:
        return 0.0
    next_count = math.floor(posts * confidence) + 1
    ways = math.lgamma(posts + 1) - math.lgamma(next_count + 1) - math.lgamma(posts - next_count + 1)
    likelihood = ways + next_count * math.log(confidence) + (posts - next_count + 1) * math.log1p(-confidence)
    return 2 * next_count * math.exp(likelihood)


def _rounded(value: float) -> float:
    return round(float(value), 4)
