"""For how long nothing was as large: "the most negative posts in an hour for 12 days". Pure; small; O(1) per count."""

from array import array
from dataclasses import dataclass
from typing import Any, Final, Self

KEPT: Final = 60
"""Days that are remembered, the present one among them."""
FEWEST: Final = 2
"""Days below which it is not worth a word."""
LARGEST: Final = (1 << 63) - 1
_DAY: Final = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """How a count stands among those of the days before.

    `days` is how many days ago something as large was last seen. With `ever` nothing was, in the `days` since watching
    began; with `beyond` nothing was in all the `days` that are remembered.
    """

    days: int
    ever: bool = False
    beyond: bool = False

    def largest(self, what: str = "the most negative posts in an hour") -> str:
        """In words; empty where it is nothing to speak of."""
        if self.days < FEWEST:
            return ""
        if self.ever:
            return f"{what} ever since watching began ({self.days} days)"
        return f"{what} for {'more than ' if self.beyond else ''}{self.days} days"

    def largest_de(self, what: str = "die meisten negativen Beiträge in einer Stunde") -> str:
        """The same in German."""
        if self.days < FEWEST:
            return ""
        if self.ever:
            return f"{what} seit Beginn der Beobachtung ({self.days} Tage)"
        return f"{what} seit {'mehr als ' if self.beyond else ''}{self.days} Tagen"


class RecordDays:
    """The largest hour of each of the last `KEPT` days, in half a kilobyte.

    Hours are whole ones since 1970, days those of UTC. An hour may be told again as its count grows, and late; what
    lies before all remembered days is passed over.
    """

    def __init__(self) -> None:
        self._largest = array("Q", bytes(8 * KEPT))  # a day's place is its number modulo KEPT
        self._first: int | None = None  # hour
        self._today = 0

    def observe(self, hour: int, count: int) -> None:
        """Remember how much there was in an hour."""
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
        """How a count stands that was reached in this hour; days before its own are what it is compared with."""
        day = hour // _DAY
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
        return {"first": self._first, "today": self._today, "largest": [self._largest[day % KEPT] for day in days]}

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """As `state` gave it."""
        days = cls()
        days._first, days._today = state["first"], state["today"]
        newest_first = reversed(state["largest"])
        for day, count in zip(range(days._today, days._today - KEPT, -1), newest_first, strict=False):
            days._largest[day % KEPT] = count
        return days
