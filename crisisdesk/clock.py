"""The only place that reads a clock. Everything else is told the time, so that tests and replays can set it."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


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

    Without waiting, the time is the latest moment that anybody slept for.
    """

    def __init__(self, start: datetime, speed: float | None = None) -> None:
        self._start = start
        self._speed = speed
        self._began = time.monotonic()

    def restart(self, start: datetime, speed: float | None) -> None:
        """Go on from `start` at another speed: a replay learns the quiet days in no time, then shows the rest."""
        self._start, self._speed, self._began = start, speed, time.monotonic()

    def now(self) -> datetime:
        if self._speed is None:
            return self._start
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def sleep_until(self, moment: datetime) -> None:
        if self._speed is None:
            self._start = max(self._start, moment)
            return
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds() / self._speed))
