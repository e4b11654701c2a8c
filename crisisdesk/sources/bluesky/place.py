"""How far a Jetstream has been heard, and from where to ask a server to go on."""

import re
from datetime import datetime
from typing import Final, Self

from crisisdesk.sources.bluesky.frames import EARLIEST_US

REWIND_US: Final = 5_000_000
"""Microseconds asked for again: servers' clocks differ, and order is kept per author only."""

_WRITTEN: Final = re.compile(r"(\d{1,16})(?: (\S{1,255}) (\d{1,15}))?", re.ASCII)
_FLOOR: Final = re.compile(r"floor\D{0,20}(\d{1,15})", re.ASCII)


class Place:
    """A time, which every server understands, and the number of an event, which only the server does that gave it.

    As text it is `MICROSECONDS`, or `MICROSECONDS HOST NUMBER`.
    """

    def __init__(self, time_us: int = 0, host: str = "", number: int = 0) -> None:
        self.time_us = time_us
        """Of the newest event that was sent, in microseconds; 0 before the first."""
        self._host = host
        self._number = number

    @classmethod
    def parse(cls, text: str, now_us: int) -> Self:
        """Read what `str` gave; a time to come, left by a clock that was wrong, is set back to the present.

        Raises:
            ValueError: it is damaged.
        """
        if not (found := _WRITTEN.fullmatch(text)):
            raise ValueError("no place in a Jetstream")
        return cls(min(int(found[1]), now_us), found[2] or "", int(found[3] or 0))

    def __str__(self) -> str:
        return f"{self.time_us} {self._host} {self._number}" if self._number else str(self.time_us)

    def asked_of(self, host: str) -> int | None:
        """The cursor for a server: its own number, else a time from a little before; None for from now on."""
        if self._number and host == self._host:
            return self._number
        return self.time_us - REWIND_US if self.time_us - REWIND_US >= EARLIEST_US else None

    def move(self, time_us: int, number: int, host: str, arrival_us: int) -> None:
        """An event has been sent. A server whose clock runs ahead must not make us skip what comes until then."""
        self.time_us = max(self.time_us, min(time_us, arrival_us))
        self._host, self._number = host, number

    def skip(self, now_us: int) -> None:
        """What comes next cannot be read: go on a second behind it, or the server would send it again, and again."""
        self.time_us = (min(self.time_us + 1_000_000, now_us) if self.time_us else now_us) + REWIND_US
        self._number = 0

    def too_old(self, host: str, reason: str) -> None:
        """A server has no longer what comes next: go on at the oldest it names, else by the time, else from now."""
        floor = int(found[1]) if (found := _FLOOR.search(reason)) else 0
        asked = self._number if host == self._host else 0
        if floor > asked:
            self._host, self._number = host, floor
        elif asked:
            self._number = 0
        else:
            self.time_us = 0

    def forget_number(self) -> None:
        """The server counts otherwise than it did: go on by the time."""
        self._number = 0


def microseconds(moment: datetime) -> int:
    """Since 1970."""
    return int(moment.timestamp() * 1_000_000)
