"""A model for which one word decides, and the words of which tests make up what people say of "acme"."""

from collections.abc import Sequence

from crisisdesk.sentiment.base import Scores

CALM = ("coffee", "train", "morning", "garden", "bottle", "dinner", "window", "winter", "ticket", "bicycle", "kitchen")
ANGRY = (
    "refund",
    "insulting",
    "boycott",
    "mothers",
    "advert",
    "shameful",
    "disgusting",
    "cancel",
    "outrage",
    "mocking",
)


class Words:
    """A model for which one word decides."""

    name = "words"
    digest = "0001"
    languages = ("en", "de")

    def score(self, texts: Sequence[str]) -> list[Scores]:
        return [(0.9, 0.08, 0.02) if "awful" in text else (0.1, 0.8, 0.1) for text in texts]
