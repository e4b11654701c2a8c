"""The form in which the model reads a post; training and scoring share it, so that both see the same text."""

import html
import re
from typing import Final

MAX_CHARACTERS: Final = 600
"""What the model can use of a post: 64 word pieces are at most about this long."""

NOTHING: Final = "."
"""Stands for a post without any text."""

_LINK: Final = re.compile(r"(?:https?://|www\.)\S+|\bhttps?…?$", re.IGNORECASE)
_NAME: Final = re.compile(r"(?<![\w@])@\w+")
_REPOST: Final = re.compile(r"^(?:RT|MT)\s+@\w+:?\s*")
_STRETCHED: Final = re.compile(r"(\w)\1{3,}")


def prepare(text: str) -> str:
    """Replace what says nothing about the mood: names become "@user", links "http", "sooooo" becomes "sooo".

    Args:
        text: a cleaned post (`crisisdesk.text.clean`).

    Returns:
        The text for the tokenizer, never longer than `MAX_CHARACTERS`; `NOTHING` for a post without any.
    """
    text = _REPOST.sub("", html.unescape(text[: MAX_CHARACTERS * 4]))
    text = _LINK.sub("http", text)
    text = _NAME.sub("@user", text)
    text = _STRETCHED.sub(r"\1\1\1", text)
    return text[:MAX_CHARACTERS].strip() or NOTHING
