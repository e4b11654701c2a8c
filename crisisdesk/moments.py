"""Moments as programmes and spreadsheets of several countries write them."""

import re
from typing import Final

_GERMAN_DATE: Final = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:,? +|T)?(.*)", re.ASCII)
_ZONE: Final = re.compile(r"\s*(?:UTC|GMT)$|\s+(?=[+-]\d\d(?::?\d\d)?$)", re.ASCII)
_HOUR_ALONE: Final = re.compile(r"(\d:\d\d)", re.ASCII)


def as_iso(text: str) -> str:
    """The same moment as ISO 8601 has it: `22.11.2026 5:50 UTC` as `2026-11-22T05:50+00:00`.

    What is none of these stays as it is; whether it is a moment at all is for others to say.
    """
    text = _ZONE.sub(lambda match: "+00:00" if match[0].strip() else "", text)
    if date := _GERMAN_DATE.fullmatch(text):
        day, month, year, rest = date.groups()
        hour = _HOUR_ALONE.sub(r"0\1", rest, count=1) if _HOUR_ALONE.match(rest) else rest
        return f"{year}-{month:0>2}-{day:0>2}" + (f"T{hour}" if hour else "")
    return text
