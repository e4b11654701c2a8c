"""To machines: every change by itself, in order per incident.

An incident whose message is refused waits alone, with its later changes behind it; all others pass.
"""

import contextlib
from asyncio import get_running_loop
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from crisisdesk.errors import OutputError, RefusedError, StorageError
from crisisdesk.outputs.base import Output
from crisisdesk.records import Notification
from crisisdesk.storage.store import Store


@dataclass(slots=True)
class _Refused:
    """An incident that waits."""

    trouble: str
    waits: Iterator[float]
    due: float = 0.0
    """By the loop's clock."""


class EachChange:
    """The hand of one machine output."""

    def __init__(self, store: Store, output: Output, waits: Callable[[], Iterator[float]]) -> None:
        self.delivered = self.refused = 0
        self._store = store
        self._output = output
        self._waits = waits
        self._refused: dict[str, _Refused] = {}

    @property
    def trouble(self) -> str:
        """Why a message is refused, of the one that has waited longest."""
        return next((one.trouble for one in self._refused.values()), "")

    def takes(self, _notification: Notification) -> bool:
        """Every change is owed."""
        return True

    async def deliver_owed(self) -> float | None:
        """Go through all that is owed once, from the oldest on."""
        after, now = 0, get_running_loop().time()
        waiting = {incident for incident, refused in self._refused.items() if now < refused.due}
        while owed := await self._store.owed(self._output.name, after):
            erasures = self._store.erasures
            for row, notification in owed:
                if self._store.erasures != erasures:
                    break  # it is read once more, as it may quote what was taken back while others went out
                after = row
                if notification.incident.id not in waiting and not await self._deliver(row, notification):
                    waiting.add(notification.incident.id)  # to the end of this pass, or later changes would overtake
        if not after:
            self._refused.clear()  # given up, or sent by an earlier attempt whose answer came late
        if not self._refused:
            return None
        return max(0.0, min(one.due for one in self._refused.values()) - get_running_loop().time())

    async def _deliver(self, row: int, notification: Notification) -> bool:
        """Whether it has arrived; False where it is refused."""
        incident = notification.incident.id
        try:
            await self._output.deliver(notification)
        except RefusedError as error:
            self.refused += 1
            await self._note(row, error)
            refused = self._refused.setdefault(incident, _Refused(str(error), self._waits()))
            refused.trouble, refused.due = str(error), get_running_loop().time() + next(refused.waits)
            return False
        except OutputError as error:
            await self._note(row, error)
            raise
        self._refused.pop(incident, None)
        self.delivered += 1
        with contextlib.suppress(StorageError):  # it is remembered, and struck off when the disk takes it
            await self._store.delivered(self._output.name, (notification.change.id,))
        return True

    async def _note(self, row: int, error: OutputError) -> None:
        with contextlib.suppress(StorageError):
            await self._store.failed(self._output.name, row, str(error))
