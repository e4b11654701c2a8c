"""[calling] and [[planned]]: what holds for all calls, and what will be talked about."""

import re
from datetime import date, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field

from crisisdesk.moments import as_iso
from crisisdesk.settings.duration import duration
from crisisdesk.settings.section import Label, Section
from crisisdesk.text import clean

A_DAY: Final = timedelta(days=1)
YEARS: Final = range(2000, 2101)
_HOUR_ALONE: Final = re.compile(r"(?<=\d[ T])(?=\d:)", re.ASCII)
"""Where an hour lacks its 0, as in "2026-12-24 3:00"."""
_WHEN: Final = 'write day and time like "2026-12-24 08:00"'


def names(value: object) -> tuple[str, ...]:
    """One name, or a list of them."""
    given = [value] if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given or not all(isinstance(one, str) and one for one in given):
        raise ValueError('must be a name in quotes, or a list of names in brackets, such as ["one", "two"]')
    return tuple(given)


def wall_moment(value: object) -> datetime:
    """A moment by the clock on the wall, or of a zone that it names."""
    if isinstance(value, str):
        text, written = _HOUR_ALONE.sub("0", as_iso(" ".join(value.split()))), clean(value, 40)
        try:
            value = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"'{written}' is no moment; {_WHEN}") from None
    if not isinstance(value, datetime):
        said = f"'{value}' does not say at what time" if isinstance(value, date) else "must be a moment in quotes"
        raise ValueError(f"{said}; {_WHEN}")  # noqa: TRY004
    if value.year not in YEARS:
        raise ValueError(f"'{value:%Y-%m-%d}' is far from our time; {_WHEN}")
    return value


def _link(link: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", link):
        raise ValueError('must be a web address such as "https://tickets.example/?crisis={incident}"')
    if unknown := next((one for one in re.findall(r"\{([^}]*)\}", link) if one != "incident"), None):
        raise ValueError(f"holds {{{clean(unknown, 40)}}}; what can stand there is {{incident}}")
    return link


Names = Annotated[tuple[str, ...], BeforeValidator(names)]
WallMoment = Annotated[datetime, BeforeValidator(wall_moment)]


class CallingSettings(Section):
    """[calling]: what holds for all calls."""

    group_wait: Annotated[
        timedelta, duration("30 seconds", timedelta(), timedelta(hours=1), "is too long; at most an hour")
    ] = timedelta(seconds=30)
    """Before the first call: what gets worse or is over meanwhile is told in it, or not at all."""
    acknowledged_for: Annotated[
        timedelta, duration("60 minutes", timedelta(minutes=5), 7 * A_DAY, "is not between 5 minutes and 7 days")
    ] = timedelta(hours=1)
    """After so long without anything done an acknowledgement lapses, and the calling begins anew."""
    link: Annotated[str, AfterValidator(_link)] | None = None
    """Where an incident is seen, for messages; `{incident}` stands for its id. None for no link."""


class PlannedSettings(Section):
    """[[planned]]: something that will be talked about, so that much talk alone calls nobody."""

    watches: Annotated[Names, Field(alias="watch")]
    """Which watch, or a list of them."""
    start: Annotated[WallMoment, Field(alias="from")]
    """From when; by the desk's clocks where it names no zone."""
    end: Annotated[WallMoment, Field(alias="to")]
    """Until when."""
    reason: Label
    """What it is, for people."""
