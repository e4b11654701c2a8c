"""Moments as the clock on the wall shows them: one time zone for the whole screen, and its name with it."""

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo


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
        """As much of a moment as tells it from others: `15:42`, `Sun 15:42`, `16 Nov 15:42`."""
        if now - moment < timedelta(hours=12):
            return self.clock(moment)
        return self.lately(moment) if now - moment < timedelta(days=6) else f"{self.local(moment):%-d %b %H:%M}"

    def when(self, moment: datetime) -> str:
        """Day, time and zone: `Sun 16 Nov 15:42 EST`."""
        return f"{self.local(moment):%a %d %b %H:%M} {self.name(moment)}"

    def elsewhere(self, zone: tzinfo | None, moment: datetime) -> str:
        """The time where the people of a watch live; empty where the clocks show the same, or nobody has said it."""
        if zone is None or moment.astimezone(zone).utcoffset() == self.local(moment).utcoffset():
            return ""
        there = Times(zone)
        return f"Where its people live ({zone}) it is {there.lately(moment)} {there.name(moment)}."
