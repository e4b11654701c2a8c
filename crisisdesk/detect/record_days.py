"""For how long nothing was as large: "the most negative posts in an hour for 12 days". Pure; small.

Like is compared with like: the 60 minutes before now with all such hours before them, whenever they began.
"""

from array import array
from dataclasses import dataclass
from typing import Any, Final, Self

from crisisdesk.detect.restored import whole_number, whole_numbers
from crisisdesk.detect.why import Why

KEPT: Final = 60
"""Days that are remembered, the present one among them."""
FEWEST: Final = 2
"""Days below which it is not worth a word."""
LARGEST: Final = (1 << 63) - 1
_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """How a count stands among those before it.

    `days` is how many days ago something as large was last seen, 0 where there was more earlier on its own day. With
    `ever` nothing was, in the `days` since watching began; with `beyond` nothing was in all the `days` that are
    remembered.
    """

    days: int
    ever: bool = False
    beyond: bool = False

    def told(self, count: int) -> Why | None:
        """In a sentence that names the last hour's count, another than a spike's; None for no record."""
        if self.days < FEWEST:
            return None
        since = f"for {'more than ' if self.beyond else ''}{self.days} days"
        seit = f"seit {'mehr als ' if self.beyond else ''}{self.days} Tagen"
        if self.ever:
            since = f"ever since watching began ({self.days} days)"
            seit = f"seit Beginn der Beobachtung ({self.days} Tage)"
        number = f"{count:,}"
        return Why(
            f"The last hour's {number} are the most negative posts in an hour {since}.",
            f"In der letzten Stunde waren es {number.replace(',', '.')} negative Beiträge, so viele wie in keiner "
            f"anderen {seit}.",
        )


class RecordDays:
    """The most posts in any 60 minutes that ended on each of the last `KEPT` days, in half a kilobyte.

    Moments are whole hours since 1970, days those of UTC. The same hour may be told again, as often as posts come, and
    late; what lies before all remembered days is passed over.
    """

    def __init__(self) -> None:
        self._largest = array("Q", bytes(8 * KEPT))  # a day's place is its number modulo KEPT
        self._first: int | None = None  # hour
        self._today = 0

    def is_ahead(self, hour: int) -> bool:
        """Whether it knows of days after that of an hour."""
        return self._today > hour // _DAY

    def observe(self, hour: int, count: int) -> None:
        """Remember how much there was in 60 minutes that ended in this hour."""
        day = hour // _DAY
        if self._first is None:
            self._first, self._today = hour, day
        for new in range(max(self._today, day - KEPT) + 1, day + 1):
            self._largest[new % KEPT] = 0
        self._today = max(self._today, day)
        if day > self._today - KEPT:
            self._first = min(self._first, hour)
            self._largest[day % KEPT] = max(self._largest[day % KEPT], min(count, LARGEST))

    def standing(self, hour: int, count: int) -> Standing:
        """How a count stands that was observed in this hour: among the days before, and what its own day has had.

        A wave that declines is no record any more, and its rest has had more beside it on its own day.
        """
        day = hour // _DAY
        if self._today - KEPT < day <= self._today and self._largest[day % KEPT] > count:
            return Standing(0)
        oldest = max(self._today - KEPT, day - KEPT) + 1
        for earlier in range(min(day - 1, self._today), oldest - 1, -1):
            if self._largest[earlier % KEPT] >= max(count, 1):
                return Standing(day - earlier)
        watched = 0 if self._first is None else max(0, hour - self._first) // _DAY
        if watched >= day - oldest:
            return Standing(day - oldest, beyond=True)
        return Standing(watched, ever=True)

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values; the days from the oldest to the present one."""
        days = range(self._today - KEPT + 1, self._today + 1)
        return {"first": self._first, "today": self._today, "rolling": [self._largest[day % KEPT] for day in days]}

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """As `state` gave it.

        Older versions kept the largest whole hour of the clock; no 60 minutes of that day had more than twice as many.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        days = cls()
        if state["first"] is not None:
            days._first = whole_number("hours of records", state["first"], 0, LARGEST)
        days._today = whole_number("days of records", state["today"], 0, LARGEST)
        rolling = "rolling" in state
        counts = whole_numbers("days of records", state["rolling" if rolling else "largest"], KEPT, LARGEST)
        for day, count in enumerate(counts, days._today - KEPT + 1):
            days._largest[day % KEPT] = count if rolling else min(2 * count, LARGEST)
        return days
