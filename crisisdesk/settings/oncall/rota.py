"""[[rota]]: who is on call when, as weekly shifts with swaps."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from crisisdesk.errors import UsageError
from crisisdesk.moments import as_iso
from crisisdesk.settings.oncall.calling import YEARS, WallMoment, names
from crisisdesk.settings.oncall.days import parse_days
from crisisdesk.settings.oncall.hours import parse_hours
from crisisdesk.settings.section import Label, Section, Zone
from crisisdesk.text import clean

_A_DAY: Final = 24 * 60

_DAY: Final = "write it like 2026-11-23"


def _day(value: object) -> date:
    if isinstance(value, str):
        return _day(_written(value))
    if not isinstance(value, date) or isinstance(value, datetime) or value.year not in YEARS:
        raise ValueError(f"must be a day, without a time; {_DAY}")
    return value


def _days(value: object) -> frozenset[int]:
    """Monday is 0."""
    if isinstance(value, frozenset):  # the default
        return value
    if not isinstance(value, str) and not (isinstance(value, list) and all(isinstance(day, str) for day in value)):
        raise ValueError('must be days in quotes such as "Mon-Fri" or "Sat, Sun"')
    try:
        return parse_days(value if isinstance(value, str) else ",".join(value))
    except UsageError as error:
        raise ValueError(str(error)) from None


def hours_of(value: object) -> str:
    """Hours of the day, as they were written."""
    if not isinstance(value, str):
        raise ValueError('must be hours in quotes such as "08:00-20:00"')  # noqa: TRY004
    try:
        parse_hours(value)
    except UsageError as error:
        raise ValueError(str(error)) from None
    return value


def _written(day: str) -> date:
    try:
        return date.fromisoformat(as_iso(day.strip()))
    except ValueError:
        raise ValueError(f"'{clean(day, 40)}' is no day; {_DAY}") from None


class ShiftSettings(Section):
    """[[rota.shift]]: hours of some days of every week."""

    people: Annotated[tuple[Label, ...], BeforeValidator(names)]
    """One person, or several that take turns, a calendar week each."""
    days: Annotated[frozenset[int], BeforeValidator(_days)] = frozenset(range(7))
    """On which days it begins, such as "Mon-Fri"; Monday is 0. All where nothing is set."""
    hours: Annotated[str, BeforeValidator(hours_of)] = "00:00-24:00"
    """From when to when, such as "08:00-20:00", also over midnight; "09:00-09:00" is a day from nine on."""
    starting: Annotated[date, BeforeValidator(_day)] | None = None
    """A day of the first one's first week."""

    @model_validator(mode="after")
    def _counted_from(self) -> Self:
        if len(self.people) > 1 and self.starting is None:
            raise ValueError(
                f"has {len(self.people)} people but no 'starting'; add a day of {self.people[0]}'s first week, "
                "such as starting = 2026-11-23"
            )
        return self


def never_counts(shifts: Sequence[ShiftSettings], index: int) -> bool:
    """Whether the shifts before one are for every minute of the week that it is for."""
    before: set[int] = set().union(*map(_minutes, shifts[:index]))
    return _minutes(shifts[index]) <= before


def _minutes(shift: ShiftSettings) -> set[int]:
    """The minutes of the week that are its; 0 is the first of Monday."""
    begin, end = (_minute(clock) for clock in parse_hours(shift.hours))
    length = (end - begin) % _A_DAY or _A_DAY
    starts = (day * _A_DAY + begin for day in shift.days)
    return {minute % (7 * _A_DAY) for start in starts for minute in range(start, start + length)}


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


class SwapSettings(Section):
    """[[rota.swap]]: somebody stands in, once."""

    start: Annotated[WallMoment, Field(alias="from")]
    """From when; by the clocks of the rota where it names no zone."""
    end: Annotated[WallMoment, Field(alias="to")]
    """Until when."""
    person: Label
    instead_of: Label | None = None
    """For whom alone; None for whoever it is."""


class RotaSettings(Section):
    """[[rota]]: who is on call when."""

    name: Label
    """What chains call it."""
    timezone: Zone | None = None
    """By whose clocks; the desk's where nothing is set."""
    shifts: Annotated[tuple[ShiftSettings, ...], Field(strict=False, alias="shift")] = ()
    """The first that fits counts."""
    swaps: Annotated[tuple[SwapSettings, ...], Field(strict=False, alias="swap")] = ()
    """The last that fits counts."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.shifts:
            raise ValueError("has no [[rota.shift]], so that nobody is ever on; add one")
        return self

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody in it, each once."""
        found = [person for shift in self.shifts for person in shift.people]
        return tuple(dict.fromkeys([*found, *(swap.person for swap in self.swaps)]))
