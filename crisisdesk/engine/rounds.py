"""What a live desk does by the clock: it listens whether it hears, lets quiet time pass, keeps what it has counted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.engine.garbage import Garbage
from crisisdesk.engine.listening import ASLEEP, Listening
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.progress import Progress
from crisisdesk.engine.reception import Reception
from crisisdesk.engine.restart import Restart
from crisisdesk.engine.troubles import Troubles
from crisisdesk.errors import StorageError
from crisisdesk.incidents.register import Register
from crisisdesk.inquiries.queue import Queue
from crisisdesk.moments import stamp
from crisisdesk.records import EPOCH
from crisisdesk.text import how_long

LOOK_EVERY: Final = 10.0
"""Seconds between two looks at what no post has come for."""
BEGINNING: Final = 0.1
"""Seconds between two looks at whether a source knows where it begins, at first."""
SAVE_EVERY: Final = timedelta(minutes=5)
"""Between two saves of what the watches have counted; after a crash so much is asked for again, or read again."""
SAVED_FIRST: Final = 20_000
"""Mentions after which it is saved sooner."""


class Rounds:
    """Goes round every few seconds."""

    def __init__(
        self,
        clock: Clock,
        *,
        zone: tzinfo | None,
        listening: Listening,
        reception: Reception,
        observation: Observation,
        register: Register,
        queue: Queue,
        restart: Restart,
        progress: Progress,
        troubles: Troubles,
        dropped: Callable[[], Mapping[str, int]],
        touch: Callable[[], None],
        forget_old: Callable[[datetime], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._zone = zone
        self._listening = listening
        self._reception = reception
        self._observation = observation
        self._register = register
        self._queue = queue
        self._restart = restart
        self._progress = progress
        self._troubles = troubles
        self._dropped = dropped
        self._touch = touch
        self._forget_old = forget_old
        self._saved = clock.now()
        self._garbage = Garbage(self._saved)
        self._begun: set[str] = set()

    async def begin(self) -> None:
        """Take up what an earlier run has kept, and listen."""
        now = self._clock.now()
        await self._restart.remember()
        await self._believe(now)
        await self._register.unheard(self._listening.until, now)
        await self._forget_old(now)
        self._listening.begin(now, self._reception.ears())

    async def run(self) -> None:
        """Go round until cancelled."""
        for _ in range(round(LOOK_EVERY / BEGINNING)):
            await asyncio.sleep(BEGINNING)
            await self._save_beginnings()
        while True:
            await asyncio.sleep(LOOK_EVERY)
            now = self._clock.now()
            await self.look(now)
            await self._save_beginnings()
            if abs(now - self._saved) >= SAVE_EVERY or self._progress.unwritten >= SAVED_FIRST:
                await self.save()
            self._garbage.sweep(now)

    async def _save_beginnings(self) -> None:
        """Where a source begins is written down as soon as it knows: killed before, it would begin elsewhere."""
        if (begun := self._reception.begun()) != self._begun:
            self._begun = begun
            await self.save()

    async def look(self, now: datetime) -> None:
        """See whether the desk hears, and let time pass; what waits is older than now, and must not find it passed."""
        await self._believe(now)
        self._troubles.pass_time(now)
        for silence in self._reception.listen(now):
            await self._register.witness(silence)
        since = self._listening.until
        present = self._listening.look(now, self._reception.ears(), self._dropped())
        if now - since >= ASLEEP:
            self._troubles.tell(
                "sleep",
                f"The desk stood still for {how_long(now - since)} until {stamp(now, self._zone)}: the computer "
                "slept, or its clock was set. What was said meanwhile counts if it still comes.",
                now,
            )
        if self._listening.deaf:
            await self._register.unheard(since, now)
        elif present and (until := self.reached() or now) > EPOCH:
            await self._observation.tick(until)
        self._queue.pass_time(now)
        await self._queue.flush()
        await self._forget_old(now)
        if self._register.trouble or not await self._restart.can_write(now):
            await self.save()  # which says what is wrong, or the disk takes it by now
        self._touch()

    def reached(self) -> datetime | None:
        """The time of the newest post that has gone through, while others are under way; None while none is."""
        return self._observation.now if self._progress else None

    async def save(self) -> None:
        """Write down what a restart must not forget; trouble with the disk is shown and does not stop the desk."""
        self._saved = self._clock.now()
        await self._register.flush()
        await self._queue.flush()  # before the counts: what is lost by a crash between them comes again
        try:
            await self._restart.save()
        except StorageError as error:
            self._register.fare("counts", f"{error} What is counted and learnt now is not saved.")
        else:
            self._register.fare("counts")

    async def _believe(self, now: datetime) -> None:
        """Where the clock was ahead and has been set back, go back with it."""
        if not self._listening.was_set_back(now):
            return
        ahead = how_long(self._listening.until - now)
        self._listening.turn_back(now)
        await self._observation.turn_back(now)
        await self._register.turn_back(now)
        self._troubles.forget("sleep")  # it was the clock
        self._troubles.tell(
            "clock",
            f"The clock of this machine was {ahead} ahead and was set back on {stamp(now, self._zone)}. What is "
            "usual for the watches is kept; what was counted of the last day may be too little.",
            now,
        )
