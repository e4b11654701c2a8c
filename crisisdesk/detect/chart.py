"""The hours of a watch that have passed, as a chart shows them."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crisisdesk.detect.restored import whole_number
from crisisdesk.records import EPOCH

MOST: Final = (1 << 63) - 1
SILENT: Final = 60 * 24
"""Hours of silence that are drawn; a longer one is a gap, such as a wrong date in a recording leaves."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a watch, for charts. `expected` and `high` are None while it knows too little."""

    start: datetime
    negative: int
    total: int
    expected: float | None
    high: float | None
    usual_share: float | None = None
    """Of negative posts among all; None as above, and in what versions before this one kept."""


class Chart:
    """The newest hours, each as it was known when it ended. Hours are numbered since 1970."""

    def __init__(self, kept: int | None, look: Callable[[int], Hour]) -> None:
        """Make one.

        Args:
            kept: hours that are kept; None for all.
            look: tells of an hour as it is known now.
        """
        self._past: deque[Hour] = deque(maxlen=kept)
        self._look = look
        self._present: int | None = None

    def pass_to(self, hour: int) -> None:
        """This is the present hour, or a later one than was known: those between have ended."""
        if self._present is not None and self._present < hour:
            kept = SILENT if self._past.maxlen is None else min(SILENT, self._past.maxlen)
            self._past.append(self._look(self._present))
            self._past.extend(self._look(one) for one in range(max(self._present + 1, hour - kept), hour))
        self._present = max(hour, self._present or hour)

    def all(self) -> tuple[Hour, ...]:
        """The past hours and the present one, oldest first."""
        return () if self._present is None else (*self._past, self._look(self._present))

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values."""
        return {"hours": [_plain(hour) for hour in self._past], "hour": self._present}

    def until(self, hour: int) -> dict[str, Any]:
        """As `state`, with this for the present hour."""
        end = EPOCH + timedelta(hours=hour)
        return {"hours": [_plain(one) for one in self._past if one.start < end], "hour": hour}

    def restore(self, hours: Iterable[Any], present: int | None) -> None:
        """Go on from what `state` gave.

        Raises:
            TypeError, ValueError: it is of another shape.
        """
        if present is not None:
            whole_number("hours of a chart", present, 0, MOST)
        past = [Hour(datetime.fromtimestamp(start, UTC), *rest) for start, *rest in hours]
        self._past.extend(past)
        self._present = present


def _plain(hour: Hour) -> tuple[Any, ...]:
    return hour.start.timestamp(), hour.negative, hour.total, hour.expected, hour.high, hour.usual_share
