"""The largest crowds in a watch's memory: what is extraordinary for one that is complained about all day."""

import struct
from array import array
from collections.abc import Mapping
from typing import Any, Final

from crisisdesk.detect.windows import HOUR, WINDOWS

CROWDS: Final = tuple(index for index, width in enumerate(WINDOWS) if HOUR <= width <= HOUR * 12)
"""Windows in which crowds are compared: the merry hour of every second day is not the measure of half a day."""
FIRST: Final = (6.0, 4.5, 3.5, 3.0)
"""Surprise of the largest crowd that a new watch is taken to have seen, by window; from simulation."""
KEPT: Final = 26
"""Hours of which the largest number is kept until it is clear whether they were ordinary ones."""
HALF_LIFE: Final = 120 * 24.0
"""Hours after which the memory of the largest crowd has faded to half."""
_HOUR: Final = struct.Struct(f"<{len(CROWDS)}e")


class Loudest:
    """Surprise of the number of negative posts, in standard deviations: of each late hour, and the largest ever."""

    __slots__ = ("_hours", "records")

    def __init__(self) -> None:
        self.records = array("f", FIRST)
        """By the windows of `CROWDS`."""
        self._hours = bytearray(KEPT * _HOUR.size)

    def begin(self, hour: int) -> None:
        """A new hour since 1970."""
        _HOUR.pack_into(self._hours, hour % KEPT * _HOUR.size, *(0.0 for _ in CROWDS))

    def hear(self, hour: int, window: int, number: float) -> None:
        """So much surprised in an hour, in one of `CROWDS`."""
        numbers = list(self._of(hour))
        place = CROWDS.index(window)
        if number > numbers[place]:
            numbers[place] = number
            _HOUR.pack_into(self._hours, hour % KEPT * _HOUR.size, *numbers)

    def learn(self, hour: int) -> None:
        """It was an ordinary hour."""
        kept = 0.5 ** (1 / HALF_LIFE)
        self.records = array("f", (max(kept * one, new) for one, new in zip(self.records, self._of(hour), strict=True)))

    def record(self, window: int) -> float:
        """The largest that is remembered, in one of `CROWDS`."""
        return self.records[CROWDS.index(window)]

    def state(self) -> dict[str, Any]:
        """As plain values."""
        return {"records": list(self.records), "hours": self._hours.hex()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        records, hours = array("f", state["records"]), bytearray.fromhex(state["hours"])
        if len(records) != len(CROWDS) or len(hours) != len(self._hours):
            raise ValueError(f"{len(records)} records and {len(hours)} bytes of hours of crowds")
        self.records, self._hours = records, hours

    def _of(self, hour: int) -> tuple[float, ...]:
        return _HOUR.unpack_from(self._hours, hour % KEPT * _HOUR.size)
