"""The only place that reads a clock. Everything else is told the time, so that tests and replays can set it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """The desk's present."""

    def now(self) -> datetime:
        """The present moment, UTC."""

    async def sleep_until(self, moment: datetime) -> None:
        """Return at that moment of this clock, at once if it has passed."""


class WallClock:
    """The time of day, for a live desk."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep_until(self, moment: datetime) -> None:
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds()))


class ReplayClock:
    """A recording's time: it starts at `start` and runs `speed` times as fast as ours; `speed` None does not wait.

    Without waiting, the time is the latest moment that anybody slept for. It never shows more than has happened: not a
    moment beyond the one that is slept for, nor, while posts are under way, beyond what has gone through (`reached`).
    """

    def __init__(self, start: datetime, speed: float | None = None) -> None:
        self.reached: Callable[[], datetime | None] = lambda: None
        """The newest moment that has gone through while later ones are under way; None while none is."""
        self._start, self._speed, self._began = start, speed, time.monotonic()
        self._shown = start
        self._next: datetime | None = None

    def restart(self, start: datetime, speed: float | None) -> None:
        """Go on from `start` at another speed: a replay learns the quiet days in no time, then shows the rest."""
        self._start, self._speed, self._began = start, speed, time.monotonic()
        self._shown, self._next = start, None

    def stand_still(self) -> None:
        """Run no further than to where the recording has been played."""
        self._start, self._speed = self._played(), None

    def now(self) -> datetime:
        played, reached = self._played(), self.reached()
        self._shown = max(self._shown, played if reached is None else min(played, reached))
        return self._shown

    async def sleep_until(self, moment: datetime) -> None:
        if self._speed is None:
            self._start = max(self._start, moment)
            return
        self._next = moment if self._next is None else max(self._next, moment)
        await asyncio.sleep(max(0.0, (moment - self._running()).total_seconds() / self._speed))

    def _played(self) -> datetime:
        return self._running() if self._next is None or self._speed is None else min(self._running(), self._next)

    def _running(self) -> datetime:
        if self._speed is None:
            return self._start
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)
