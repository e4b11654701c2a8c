"""To people: what there is to tell, in one message, and not more often than they can bear.

What comes at once is told at once: twenty incidents that call in the same second are one message, not five, which
would be all that may be sent for a while. What would disturb too often waits and is told together afterwards; nothing
is lost by it, in the timeline it stands at its time. What is worse than all that was told lately does not wait. A call
that somebody has answered before it could go out is told as news.
"""

import asyncio
import contextlib
from datetime import timedelta
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError, StorageError
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.records import Event, Notification, Severity, State
from crisisdesk.storage.store import Store

AT_ONCE: Final = 1_000
"""Changes that are told in one message at most; others follow in the next."""
LOOKS_BACK: Final = timedelta(days=1)
PAUSE: Final = 0.25
"""Seconds in which nothing more comes, before it goes out."""
PAUSES: Final = 20
"""So often at most."""


class Together:
    """The hand of one address."""

    trouble: Final = ""
    refused: Final = 0  # it is one message, which passes or does not

    def __init__(self, store: Store, output: PersonalOutput, clock: Clock) -> None:
        self.delivered = 0
        self._store = store
        self._output = output
        self._clock = clock

    def takes(self, notification: Notification) -> bool:
        """Only what is addressed to it."""
        return self._output.name in notification.change.to

    async def deliver_owed(self) -> float | None:
        """Tell what waits, if it may."""
        name = self._output.name
        while owed := await self._gathered():
            notifications, now = await self._as_it_is([one for _, one in owed]), self._clock.now()
            newest = {one.incident.id: one for one in notifications}
            worst = max(map(_severity, newest.values()))
            may = self._output.limit.may(now, await self._store.disturbed(name, now - LOOKS_BACK), worst)
            if may > now:
                return (may - now).total_seconds()
            try:
                await self._output.tell(notifications)
            except OutputError as error:
                with contextlib.suppress(StorageError):
                    await self._store.failed(name, owed[0][0], str(error))
                raise
            self.delivered += len(owed)
            with contextlib.suppress(StorageError):  # it is remembered, and struck off when the disk takes it
                await self._store.told(name, [one.change.id for one in notifications], now, worst)
        return None

    async def _gathered(self) -> list[tuple[int, Notification]]:
        """All that waits, as soon as no more comes."""
        known = 0
        with contextlib.suppress(StorageError):  # what is known goes out
            for _ in range(PAUSES):
                if (waiting := await self._store.waiting(self._output.name)) in {0, known}:
                    break
                known = waiting
                await asyncio.sleep(PAUSE)
        return await self._store.owed(self._output.name, at_most=AT_ONCE)

    async def _as_it_is(self, notifications: list[Notification]) -> list[Notification]:
        """The same, and a call for what somebody has by now, or what is over, as that."""
        called = {one.incident.id for one in notifications if one.change.event.is_call}
        try:
            incidents = await self._store.incidents_of(called)
        except StorageError:  # better one call too many
            incidents = {}
        settled = {name: one for name, one in incidents.items() if one.state is not State.OPEN}
        return [
            Notification(one.change, settled.get(one.incident.id, one.incident)) if one.change.event.is_call else one
            for one in notifications
        ]


def _severity(notification: Notification) -> Severity:
    """How much it disturbs: as much as the incident does, or, if nothing is wanted, as little as a notice."""
    incident, event = notification.incident, notification.change.event
    wanted = incident.state is State.OPEN if event.is_call else event is Event.ASSIGNED and incident.is_open
    return incident.severity if wanted else Severity.NOTICE
