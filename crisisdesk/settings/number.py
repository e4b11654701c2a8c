"""Numbers as people write them, in English and German: 1000, 1,000, 1.000, 1 000, 1.5 and 1,5."""

import re
from typing import Final

PATTERN: Final = (
    r"[1-9]\d{0,2}(?:\.\d{3}){1,4}(?:,\d{1,4})?|[1-9]\d{0,2}(?:,\d{3}){1,4}(?:\.\d{1,4})?"
    r"|[1-9]\d{0,2}(?:[ '’]\d{3}){1,4}(?:[.,]\d{1,4})?|\d{1,12}(?:[.,]\d{1,4})?"
)
"""A number as `parse_number` reads it, for patterns of more than a number; ASCII digits only, with `re.ASCII`."""

_NUMBER: Final = re.compile(PATTERN, re.ASCII)
_THOUSANDS: Final = re.compile(r"(?<=\d)([., '’])(?=\d{3}(?!\d))", re.ASCII)
_GROUPED: Final = re.compile(r"[1-9]\d{0,2}(?:[., '’]\d{3})+(?!\d)", re.ASCII)


def parse_number(text: str) -> float:
    """Read a number, not negative.

    A single sign before exactly three digits stands for thousands, in either language: 1.000 posts are a thousand.

    Raises:
        ValueError: it is none.
    """
    words = " ".join(text.split())
    if not _NUMBER.fullmatch(words):
        raise ValueError(f"{text!r} is no number")
    if grouped := _GROUPED.match(words):
        words = _THOUSANDS.sub("", grouped[0]) + words[grouped.end() :]
    return float(words.replace(",", "."))
