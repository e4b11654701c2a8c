"""A model's word on many posts, in which no post can spoil it for the others."""

from collections.abc import Sequence

from crisisdesk.sentiment.base import Model, Scores
from crisisdesk.text import clean


def judge(model: Model, texts: Sequence[str]) -> tuple[Sequence[Scores | None], list[str]]:
    """Scores of all texts, and what went wrong: each alone if they fail together; what fails alone has none."""
    try:
        return model.score(texts), []
    except Exception as error:  # noqa: BLE001  whatever one post provokes, the others keep their scores
        if len(texts) == 1:
            return [None], [clean(f"{type(error).__name__}: {error}", 200)]
        parts = [judge(model, [text]) for text in texts]
        return [scores for part, _ in parts for scores in part], [why for _, some in parts for why in some]
