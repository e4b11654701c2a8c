"""The largest crowds in a watch's memory: what is extraordinary for one that is complained about all day."""

import struct
from array import array
from collections.abc import Iterable, Mapping
from typing import Any, Final

from crisisdesk.detect.windows import HOUR, WINDOWS

CROWDS: Final = tuple(width for width in WINDOWS if HOUR <= width <= HOUR * 12)
"""Widths of the windows in which crowds are compared: a lively hour is not the measure of half a day."""
FIRST: Final = (6.0, 4.5, 3.5, 3.0)
"""Surprise of the largest crowd that a new watch is taken to have seen, by window; from simulation."""
KEPT: Final = 26
"""Hours of which the largest number is kept until it is clear whether they were ordinary ones."""
HALF_LIFE: Final = 120 * 24.0
"""Hours after which the memory of the largest crowd has faded to half."""
SHARE_HOLDS: Final = 0.02
"""By which the negative share may lie below the usual and still hold."""
_HOUR: Final = struct.Struct(f"<{len(CROWDS)}e")


class Loudest:
    """Surprise of the number of negative posts whose share held, in standard deviations: by hour, and the largest."""

    __slots__ = ("_hours", "records")

    def __init__(self) -> None:
        self.records = array("f", FIRST)
        """By the windows of `CROWDS`."""
        self._hours = bytearray(KEPT * _HOUR.size)

    def begin(self, hour: int) -> None:
        """A new hour since 1970."""
        _HOUR.pack_into(self._hours, hour % KEPT * _HOUR.size, *(0.0 for _ in CROWDS))

    def hear(self, hour: int, numbers: Iterable[tuple[int, float]]) -> None:
        """So much surprised in an hour since 1970: width of a window, and its number's surprise."""
        largest = dict(zip(CROWDS, self._of(hour), strict=True))
        for width, number in numbers:
            if width in largest:
                largest[width] = max(largest[width], number)
        _HOUR.pack_into(self._hours, hour % KEPT * _HOUR.size, *largest.values())

    def learn(self, hour: int) -> None:
        """It was an ordinary hour."""
        kept = 0.5 ** (1 / HALF_LIFE)
        self.records = array("f", (max(kept * one, new) for one, new in zip(self.records, self._of(hour), strict=True)))

    def record(self, width: int) -> float:
        """The largest that is remembered in a window of so many minutes, one of `CROWDS`."""
        return self.records[CROWDS.index(width)]

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


def share_holds(negative: int, total: int, usual: float) -> bool:
    """Whether a negative share is no smaller than usual."""
    return negative >= (usual - SHARE_HOLDS) * total
