"""Moments as the clock on the wall shows them: one time zone for the whole screen, and its name with it."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.moments import as_iso, moment_at
from crisisdesk.settings.duration import parse_duration

_CLOCK: Final = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)", re.ASCII)
_HOUR_ALONE: Final = re.compile(r"[ T](?=\d:\d\d$)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Times:
    """How moments are written. `zone` None is that of the machine."""

    zone: tzinfo | None = None

    def local(self, moment: datetime) -> datetime:
        """The moment by the clock on the wall."""
        return moment.astimezone(self.zone)

    def name(self, moment: datetime) -> str:
        """What the zone is called at that moment, summer or winter: `EST`; `UTC-03` where it has no name of its own."""
        name = self.local(moment).tzname() or ""
        return f"UTC{name}" if name[:1] in {"+", "-"} else name

    def clock(self, moment: datetime) -> str:
        """Hours and minutes: `15:42`."""
        return f"{self.local(moment):%H:%M}"

    def lately(self, moment: datetime) -> str:
        """Weekday and time, for what is at most a few days old: `Sun 15:42`."""
        return f"{self.local(moment):%a %H:%M}"

    def said(self, moment: datetime, now: datetime) -> str:
        """As much of a moment as tells it from others, past or to come: `15:42`, `Sun 15:42`, `16 Nov 15:42`."""
        if abs(now - moment) < timedelta(hours=12):
            return self.clock(moment)
        return self.lately(moment) if abs(now - moment) < timedelta(days=6) else f"{self.local(moment):%-d %b %H:%M}"

    def when(self, moment: datetime) -> str:
        """Day, time and zone: `Sun 16 Nov 15:42 EST`."""
        return f"{self.local(moment):%a %d %b %H:%M} {self.name(moment)}"

    def elsewhere(self, zone: tzinfo | None, moment: datetime) -> str:
        """The time where the people of a watch live; empty where the clocks show the same, or nobody has said it."""
        if zone is None or moment.astimezone(zone).utcoffset() == self.local(moment).utcoffset():
            return ""
        there = Times(zone)
        return f"Where its people live ({zone}) it is {there.lately(moment)} {there.name(moment)}."

    def next_at(self, hour: int, now: datetime, minute: int = 0) -> datetime:
        """When the clock on the wall shows that time again."""
        today = self.local(now).replace(hour=hour, minute=minute, second=0, microsecond=0, tzinfo=None)
        moment = self._moment(today)
        return moment if moment > now else self._moment(today + timedelta(days=1))

    def read(self, text: str, now: datetime) -> datetime | None:
        """A moment as people write it: `18:30` is the next one, `90 min` counts from now, `2026-11-24 08:00` is dated.

        None for what is none of these.
        """
        text = _HOUR_ALONE.sub(" 0", text.strip().removeprefix("in "))
        if clock := _CLOCK.fullmatch(text):
            return self.next_at(int(clock[1]), now, int(clock[2]))
        try:
            if span := parse_duration(text):
                return now + span
            return self._moment(datetime.fromisoformat(as_iso(text)))
        except (ValueError, OverflowError):
            return None

    def _moment(self, wall: datetime) -> datetime:
        """When the clock shows this; what names its own zone means that."""
        return moment_at(wall, self.zone) if self.zone else wall.astimezone(UTC)
