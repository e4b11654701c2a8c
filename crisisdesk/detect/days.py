"""What is usual for a watch in its loudest time of the day: known by its days, however loud one of them was.

Usual is the loudest of the last four weeks' days, without one day a fortnight: what comes once a fortnight is still
worth a line, what comes every day is this watch's ordinary noise.
"""

from typing import Any, Final

from crisisdesk.detect.restored import whole_number, whole_numbers

DAY: Final = 24 * 60
"""Minutes."""
DAYS, FORTNIGHT = 28, 14


class Days:
    """The largest number of each of the last days. Moments are minutes since 1970."""

    def __init__(self, most: int) -> None:
        """Make one for numbers from 0 to `most`."""
        self._most = most
        self._days: list[int] = []
        self._midnight = 0.0
        self._today = 0
        self.usual = 0
        """The largest of most days."""

    def note(self, number: int) -> None:
        """So large is it now."""
        self._today = max(self._today, number)

    def advance(self, now: float, number: int) -> None:
        """Let time pass, at the end of which it is so large."""
        if now < self._midnight:
            return
        over = int((now - self._midnight) // DAY)
        if self._midnight:
            self._days = [*self._days, self._today, *[0] * min(over, DAYS)][-DAYS:]
            self._today = number
            self._learn()
        self._midnight += (over + 1) * DAY

    def chance(self, number: int) -> float:
        """Share of the days known that had as large a number, this one among them."""
        return (sum(day >= number for day in self._days) + 1) / (len(self._days) + 2)

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {"days": self._days, "midnight": self._midnight, "today": self._today}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        if len(state["days"]) > DAYS:
            raise ValueError(f"{len(state['days'])} days of floods")
        days = whole_numbers("days of floods", state["days"], len(state["days"]), self._most)
        today = whole_number("days of floods", state["today"], 0, self._most)
        self._midnight = float(state["midnight"])
        self._days, self._today = days, today
        self._learn()

    def _learn(self) -> None:
        spared = -(-len(self._days) // FORTNIGHT)
        self.usual = next(iter(sorted(self._days, reverse=True)[spared:]), 0)
