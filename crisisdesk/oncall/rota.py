"""Who is on call: weekly shifts by the clocks of a place, people who take turns, and swaps."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import groupby, pairwise
from typing import Final

from crisisdesk.oncall.hours import A_DAY, Hours

WEEK: Final = frozenset(range(7))
"""All days; Monday is 0."""
WHOLE_DAY: Final = Hours("00:00-24:00")
HORIZON: Final = timedelta(weeks=8)
"""How far is looked for the next change."""
_NEAR: Final = timedelta(days=8)
"""Within this the next change nearly always is."""


@dataclass(frozen=True, slots=True)
class Shift:
    """Hours of some days of every week, and who has them: one person, or several in turn, a calendar week each."""

    people: tuple[str, ...]
    days: frozenset[int] = WEEK
    """On which it begins; Monday is 0."""
    hours: Hours = WHOLE_DAY
    starting: date = date(2024, 1, 1)
    """A day of the first one's first week; weeks before are counted backwards."""

    def on(self, day: date) -> str:
        """Whose it is when it begins on this day; weeks begin on Monday."""
        weeks = (_monday(day) - _monday(self.starting)).days // 7
        return self.people[weeks % len(self.people)]


@dataclass(frozen=True, slots=True)
class Swap:
    """Somebody stands in, once."""

    start: datetime
    end: datetime
    person: str
    instead_of: str | None = None
    """For whom alone; None for whoever has the shift, also for nobody."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Somebody is on call, from one moment to another, in UTC."""

    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Gap:
    """Nobody is."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Rota:
    """At each moment at most one person: the first shift that fits, and the swap that was written last."""

    name: str
    zone: tzinfo
    shifts: tuple[Shift, ...]
    swaps: tuple[Swap, ...] = ()

    def who(self, moment: datetime) -> str | None:
        """Who is on at this moment; None for nobody."""
        today = moment.astimezone(self.zone).date()
        begun = ((shift, day) for shift in self.shifts for day in (today - A_DAY, today) if day.weekday() in shift.days)
        regular = next((shift.on(day) for shift, day in begun if self._lasts(shift, day, moment)), None)
        for swap in reversed(self.swaps):
            if swap.start <= moment < swap.end and swap.instead_of in {None, regular}:
                return swap.person
        return regular

    def on(self, moment: datetime) -> Turn | None:
        """Who is on, since when, and until the next change; None for nobody.

        A turn without a change within `HORIZON` is told as if it began and ended there.
        """
        found: Turn | Gap | None = None
        for far in (_NEAR, HORIZON):
            start, end = moment - far, moment + far
            found = next(piece for piece in self.turns(start, end) if piece.end > moment)
            if start < found.start and found.end < end:
                break
        return found if isinstance(found, Turn) else None

    def turns(self, start: datetime, end: datetime) -> Iterator[Turn | Gap]:
        """All turns between two moments, and the gaps between them: each begins where the one before it ends."""
        changes = sorted({start.astimezone(UTC), *self._changes(start, end), end.astimezone(UTC)})
        for person, pieces in groupby(pairwise(changes), key=lambda piece: self.who(piece[0])):
            first, *_ = spans = list(pieces)
            since, until = first[0], spans[-1][1]
            yield Gap(since, until) if person is None else Turn(person, since, until)

    def now_and_next(self, now: datetime) -> tuple[Turn | Gap, Turn | None]:
        """Who is on at a moment, or that nobody is, and who after that."""
        current, *later = self.turns(now, now + HORIZON)
        return self.on(now) or current, next((one for one in later if isinstance(one, Turn)), None)

    def people(self) -> tuple[str, ...]:
        """Everybody in it, each once, in the order of the configuration."""
        names = [person for shift in self.shifts for person in shift.people]
        return tuple(dict.fromkeys([*names, *(swap.person for swap in self.swaps)]))

    def _lasts(self, shift: Shift, day: date, moment: datetime) -> bool:
        begin, end = shift.hours.on(day, self.zone)
        return begin <= moment < end

    def _changes(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Moments between two at which somebody else may be on."""
        day, last = start.astimezone(self.zone).date() - A_DAY, end.astimezone(self.zone).date()
        found = [moment for swap in self.swaps for moment in (swap.start, swap.end)]
        while day <= last:
            found += [moment for shift in self.shifts for moment in shift.hours.on(day, self.zone)]
            day += A_DAY
        return (moment for moment in found if start < moment < end)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
