"""Durations as people write them, in English and German: "30 seconds", "5 minutes", "1 hour", "30 Tage", "2 years".

A month is 30 days, a year 365.
"""

import re
from datetime import timedelta
from typing import Final

from pydantic import BeforeValidator

from crisisdesk.settings.number import PATTERN, parse_number
from crisisdesk.text import clean

_UNITS: Final = {
    **dict.fromkeys(("s", "sec", "second", "seconds", "sekunde", "sekunden"), 1.0),
    **dict.fromkeys(("m", "min", "minute", "minutes", "minuten"), 60.0),
    **dict.fromkeys(("h", "hour", "hours", "stunde", "stunden"), 3_600.0),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen"), 86_400.0),
    **dict.fromkeys(("week", "weeks", "woche", "wochen"), 7 * 86_400.0),
    **dict.fromkeys(("month", "months", "monat", "monate"), 30 * 86_400.0),
    **dict.fromkeys(("year", "years", "jahr", "jahre"), 365 * 86_400.0),
}
_DURATION: Final = re.compile(rf"(?:every |alle )?({PATTERN})? ?([a-z]{{1,8}})\.?", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> timedelta | None:
    """Read a duration such as "10 minutes", "1 hour" or "30 Sekunden"; None if it is none."""
    found = _DURATION.fullmatch(" ".join(text.split()))
    if not found or found[2].lower() not in _UNITS:
        return None
    try:
        return timedelta(seconds=(parse_number(found[1]) if found[1] else 1.0) * _UNITS[found[2].lower()])
    except OverflowError:
        return timedelta.max


def duration(sample: str, least: timedelta, most: timedelta, otherwise: str) -> BeforeValidator:
    """A validator of durations within bounds.

    Args:
        sample: how it is written.
        least: the shortest.
        most: the longest.
        otherwise: what is said of one out of these bounds, after the value itself.
    """

    def read(value: object) -> timedelta:
        if isinstance(value, timedelta):  # a default
            return value
        if not isinstance(value, str):
            raise ValueError(f'must be a time in quotes; write it with its unit, like "{sample}"')  # noqa: TRY004
        shown = clean(value, 40)
        span = parse_duration(value)
        if span is None and re.fullmatch(PATTERN, value.strip(), re.ASCII):
            raise ValueError(f"'{shown}' of what? Write it with its unit, like \"{sample}\"")
        if span is None:
            raise ValueError(f"'{shown}' is no length of time; write it like \"{sample}\"")
        if not least <= span <= most:
            raise ValueError(f"'{shown}' {otherwise}")
        return span

    return BeforeValidator(read)
