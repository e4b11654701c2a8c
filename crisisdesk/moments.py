"""Moments as programmes and spreadsheets of several countries write them, and as clocks on walls show them."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
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


@lru_cache(maxsize=4096)
def moment_at(wall: datetime, zone: tzinfo) -> datetime:
    """The moment, in UTC, at which the clocks of a zone show this; later on the wall is never earlier in truth.

    An hour that comes twice, when clocks go back, means its first coming. One that does not come, when they go forward,
    means the moment of the change.

    Args:
        wall: what the clocks show, without a zone; one that names its own zone means that.
        zone: whose clocks.
    """
    if wall.tzinfo is not None:
        return wall.astimezone(UTC)
    local = wall.replace(tzinfo=zone, fold=0)
    moment = local.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall.replace(fold=0):
        return moment
    before, after = (one.replace(microsecond=0) for one in (local.replace(fold=1).astimezone(UTC), moment))
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):  # clocks change at full seconds
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def stamp(moment: datetime, zone: tzinfo | None) -> str:
    """Day, time and zone, by the machine's clock where no zone is given: `4 Mar 09:20 CET`."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %H:%M %Z}"
