"""Where on a picture a moment or a count lies, and which of them get a label."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
STEPS: Final = (HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY)
"""Distances between date labels, if months are too far apart."""
MONDAY: Final = datetime(1969, 12, 29)  # noqa: DTZ001 - on any wall
"""Days and weeks are counted from here, so that weeks begin on Mondays; by the clock on the wall."""
MONTHS_PER_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Moments from `start` to `end` on the pixels from `left` to `right`; `end` is later than `start`.

    Labels stand where the clocks of `zone` show round times.
    """

    start: datetime
    end: datetime
    left: int
    right: int
    zone: tzinfo = UTC

    def x(self, moment: datetime) -> float:
        """The pixel of a moment; moments beyond the ends lie on them."""
        share = (moment - self.start) / (self.end - self.start)
        return self.left + (self.right - self.left) * min(1.0, max(0.0, share))

    def ticks(self, distance: int) -> list[tuple[datetime, str]]:
        """Moments to label, at least `distance` pixels apart, and their labels."""
        shown = (self.end - self.start) * distance / (self.right - self.left)
        step = next((step for step in STEPS if step >= shown), None)
        if step is None:
            return [(moment, f"{moment:%b %Y}") for moment in self._months(shown)]
        start, end = on_the_wall(self.start, self.zone), on_the_wall(self.end, self.zone)
        first = MONDAY + -((MONDAY - start) // step) * step
        walls = (first + n * step for n in range((end - first) // step + 1))
        return [(wall.replace(tzinfo=self.zone), _label(wall, step)) for wall in walls]

    def _months(self, shown: timedelta) -> Iterator[datetime]:
        every = next((months for months in (1, 2, 3, 6) if months * 28 * DAY >= shown), MONTHS_PER_YEAR)
        years = 1 + int(shown / (365 * DAY)) if every == MONTHS_PER_YEAR else 1
        for year in range(self.start.year, self.end.year + 1, years):
            for month in range(1, MONTHS_PER_YEAR + 1, every):
                moment = datetime(year, month, 1, tzinfo=self.zone)
                if self.start <= moment <= self.end:
                    yield moment


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from 0 to `most` on the pixels from `lower` up to `upper`."""

    most: float
    upper: float
    lower: float

    def y(self, value: float) -> float:
        """The pixel of a value; values beyond the ends lie on them."""
        return self.lower - (self.lower - self.upper) * min(1.0, max(0.0, value / self.most))


def on_the_wall(moment: datetime, zone: tzinfo) -> datetime:
    """What a clock there shows, as a datetime without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _label(moment: datetime, step: timedelta) -> str:
    if step < DAY and moment.hour:
        return f"{moment:%H:%M}"
    return f"{moment:%a} {day(moment)}" if step < 7 * DAY else day(moment)


def day(moment: datetime) -> str:
    """A date without its year, such as "5 Nov"."""
    return f"{moment.day} {moment:%b}"


def count_ticks(most: float) -> list[int]:
    """Round counts from 0 to at least `most`, three to six of them."""
    step = 1
    while step * 4 < most:
        # 1, 2, 5, 10, 20, 50, …
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return [n * step for n in range(max(2, -int(-most // step)) + 1)]
