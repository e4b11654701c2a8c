"""Posts and their scores as `crisisdesk score` writes them."""

from collections.abc import Callable, Sequence

from crisisdesk.records import Label
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.card import LABELS
from crisisdesk.sentiment.judge import judge

Fields = dict[str, str | float]
"""`id`, `label`, `negative`, `neutral` and `positive`."""


def score_texts(texts: Sequence[tuple[str, str]], model: Model, bad: Callable[[str], None]) -> list[Fields]:
    """A line for each (id, text), in order; without those that the model could not judge, of which `bad` is told."""
    scored, reasons = judge(model, [text for _, text in texts])
    failures, lines = iter(reasons), list[Fields]()
    for (key, _), scores in zip(texts, scored, strict=True):
        if scores is None:
            bad(f"post {key}: the model cannot judge it ({next(failures)})")
        else:
            chances = dict(zip(LABELS, scores, strict=True))
            lines.append({"id": key, "label": _likeliest(chances), **chances})
    return lines


def _likeliest(chances: dict[str, float]) -> Label:
    """The label of the largest probability; of equals the calmer one, as for `Scored.label`."""
    return max((Label.NEUTRAL, Label.POSITIVE, Label.NEGATIVE), key=lambda label: chances[label])
