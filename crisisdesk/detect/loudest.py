"""The largest crowds in a watch's memory: what is extraordinary for one that is complained about all day."""

from array import array
from collections.abc import Mapping
from typing import Any, Final

KEPT: Final = 26
"""Hours of which the largest number is kept until it is clear whether they were ordinary ones."""
HALF_LIFE: Final = 120 * 24.0
"""Hours after which the memory of the largest crowd has faded to half."""
FIRST: Final = 6.0
"""Surprise of the largest crowd that a new watch is taken to have seen."""


class Loudest:
    """Surprise of the number of negative posts, in standard deviations: of each late hour, and the largest ever."""

    __slots__ = ("_hours", "record")

    def __init__(self) -> None:
        self.record = FIRST
        self._hours = array("f", bytes(4 * KEPT))

    def begin(self, hour: int) -> None:
        """A new hour since 1970."""
        self._hours[hour % KEPT] = 0.0

    def hear(self, hour: int, number: float) -> None:
        """So much surprised in an hour."""
        self._hours[hour % KEPT] = max(self._hours[hour % KEPT], number)

    def learn(self, hour: int) -> None:
        """It was an ordinary hour."""
        self.record = max(self.record * 0.5 ** (1 / HALF_LIFE), self._hours[hour % KEPT])

    def state(self) -> dict[str, Any]:
        """As plain values."""
        return {"record": self.record, "hours": list(self._hours)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        hours = array("f", state["hours"])
        if len(hours) != KEPT:
            raise ValueError(f"{len(hours)} hours of crowds instead of {KEPT}")
        self.record, self._hours = float(state["record"]), hours
