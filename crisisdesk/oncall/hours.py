"""Hours of the day, also over midnight, by the clocks of a place: right in the nights when they change."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from crisisdesk.moments import moment_at
from crisisdesk.settings.oncall.hours import parse_hours

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of each day, as people write them: "22:00-07:00" ends in the next morning.

    Raises:
        UsageError: they cannot be read.
    """

    text: str

    def __post_init__(self) -> None:
        parse_hours(self.text)

    def on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """From when to when, in UTC, they last that begin on this day; the end does not belong to them."""
        begin, end = parse_hours(self.text)
        last = day if begin < end else day + A_DAY
        return moment_at(datetime.combine(day, begin), zone), moment_at(datetime.combine(last, end), zone)

    def covers(self, moment: datetime, zone: tzinfo) -> bool:
        """Whether they last at this moment."""
        today = moment.astimezone(zone).date()
        return any(begin <= moment < end for begin, end in (self.on(today - A_DAY, zone), self.on(today, zone)))

    def end_after(self, moment: datetime, zone: tzinfo) -> datetime:
        """When they end next, in UTC; later than `moment`."""
        day = moment.astimezone(zone).date() - A_DAY
        while (end := self.on(day, zone)[1]) <= moment:
            day += A_DAY
        return end
