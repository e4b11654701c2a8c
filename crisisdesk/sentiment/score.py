"""Scores for a stream of texts, larger than memory: the lines of `crisisdesk score`."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from crisisdesk.records import Label
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.card import LABELS

CHUNK: Final = 1000
"""Texts held at once."""


def score_texts(texts: Iterable[tuple[str, str]], model: Model, chunk: int = CHUNK) -> Iterator[dict[str, str | float]]:
    """Yield `id`, `label`, `negative`, `neutral` and `positive` for each (id, text), in order."""
    waiting = iter(texts)
    while some := list(islice(waiting, chunk)):
        for (key, _), scores in zip(some, model.score([text for _, text in some]), strict=True):
            chances = dict(zip(LABELS, scores, strict=True))
            yield {"id": key, "label": _likeliest(chances), **chances}


def _likeliest(chances: dict[str, float]) -> Label:
    """The label of the largest probability; of equals the calmer one, as for `Scored.label`."""
    return max((Label.NEUTRAL, Label.POSITIVE, Label.NEGATIVE), key=lambda label: chances[label])
