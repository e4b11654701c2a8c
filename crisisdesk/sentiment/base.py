"""What the desk asks of a sentiment model, whatever computes it."""

from collections.abc import Sequence
from typing import Final, Protocol

Scores = tuple[float, float, float]
"""Probabilities of negative, neutral and positive, each rounded to four decimals: they add up to 1, ±0.00015."""

NEUTRAL: Final[Scores] = (0.0, 1.0, 0.0)
"""What a post gets that cannot be judged: it is counted, and calls nobody."""


class Model(Protocol):
    """Judges posts. What it says of one post never depends on which others are in the same call."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def digest(self) -> str:
        """A short fingerprint of everything that decides its scores."""

    @property
    def languages(self) -> Sequence[str]:
        """The languages that it was made for, in two letters; none where that is not known, and then all count."""

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """The mood of each text, in order. May take a second, so call it outside the event loop."""


def signature(model: Model) -> str:
    """Name and digest, as they are kept with every scored mention."""
    return f"{model.name}@{model.digest}"
