"""To people: what there is to tell, in one message, and not more often than they can bear.

What would disturb too often waits and is told together afterwards; nothing is lost by it, in the timeline it stands at
its time. What is worse than all that was told lately does not wait.
"""

import contextlib
from datetime import timedelta
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError, StorageError
from crisisdesk.incidents.store import Store
from crisisdesk.outputs.base import PersonalOutput
from crisisdesk.records import Event, Notification, Severity

AT_ONCE: Final = 200
"""Changes that are told in one message at most; others follow in the next."""
LOOKS_BACK: Final = timedelta(days=1)

_ASKS: Final = frozenset({Event.CALLED, Event.UNANSWERED, Event.ASSIGNED})
"""Changes that want something of people; the others tell them that nothing is wanted any more."""


class Together:
    """The hand of one address."""

    trouble: Final = ""

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
        while owed := await self._store.owed(name, at_most=AT_ONCE):
            notifications, now = [notification for _, notification in owed], self._clock.now()
            worst = max(map(_severity, notifications))
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


def _severity(notification: Notification) -> Severity:
    """How much it disturbs: as much as the incident does, or, if nothing is wanted, as little as a notice."""
    return notification.incident.severity if notification.change.event in _ASKS else Severity.NOTICE
