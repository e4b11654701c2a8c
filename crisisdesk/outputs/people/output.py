"""Incidents to people: one address of a person or of a room, by any service that Apprise knows."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalOutputError, OutputError, RefusedError
from crisisdesk.names import same
from crisisdesk.outputs.people.limit import Limit
from crisisdesk.outputs.people.service import Address, Service
from crisisdesk.outputs.people.texts import SHORT, Message, Reader, Space, Tone, matters, message, trial
from crisisdesk.records import Notification, OutputStatus
from crisisdesk.threads import in_daemon_thread

PATIENCE: Final = 60.0
"""Seconds that a service has to take a message."""
PROBE_SECONDS: Final = 5.0
MOST_HANGING: Final = 3
"""Attempts that may hang at a time; a service that never answers must not fill the memory with them."""


class NotifyOutput:
    """Tells one address what there is to tell.

    Args:
        name: under which its debts are kept: `push to Anna Berg`, or `slack` for a room.
        address: where.
        reader: who reads it, and in which language.
        limit: how often it may be disturbed.
        clock: dates a test.
        patience: seconds that the service has to take a message.
    """

    def __init__(
        self,
        name: str,
        address: Address,
        *,
        reader: Reader,
        clock: Clock,
        limit: Limit | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self.name = name
        self.limit = limit or Limit()
        self._address = address
        self._reader = reader
        self._clock = clock
        self._patience = patience
        self._keeps_alarms: bool | None = None
        self._ends_alarms = False
        self._hanging: set[object] = set()
        self._status = OutputStatus(name)

    @property
    def person(self) -> str | None:
        """Whose address it is; None for a room."""
        return self._reader.person

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        """There is nothing to keep open: services are called when there is something to tell."""
        yield

    async def ready(self) -> None:
        """Look at the address, once; raises `FatalOutputError` where it can never be told anything."""
        if self._status.state == "failed":
            raise FatalOutputError(self._status.trouble)
        if self._status.state == "connecting":
            await self._try(lambda: self._open(Tone.NEWS))

    async def tell(self, notifications: Sequence[Notification]) -> None:
        """Return when the service has taken one message of all these, or one of each incident if it keeps alarms.

        What the reader did themselves is told only where it ends an alarm.

        Args:
            notifications: all that waits for this address, at least one; the oldest first.

        Raises:
            OutputError: it has not; the message names the cure, and no secret.
        """
        refused: RefusedError | None = None
        for some in await self._together(notifications):
            try:
                await self._send(partial(message, some, self._reader))
            except RefusedError as error:  # others may pass
                refused = refused or error
        if refused:
            raise refused

    async def tell_test(self) -> None:
        """Send a message that only shows that messages come through. Raises `OutputError`."""
        await self._send(lambda space: trial(self.name, self._reader, self._clock.now(), space))

    async def visit(self) -> None:
        """Look whether it can be told something, without telling anything.

        Where people run the server themselves, whether it is there; of others only whether the address is complete.

        Raises:
            OutputError: it cannot; a FatalOutputError names the setting to mend.
        """
        service = await in_daemon_thread(lambda: self._open(Tone.NEWS))
        if service.server is None:
            return
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                _, writer = await asyncio.open_connection(*service.server)
        except OSError as error:  # a TimeoutError, too
            where = self._address.where
            raise OutputError(
                f"{self.name}: the server that {where} names cannot be reached; is it running?"
            ) from error
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    def status(self) -> OutputStatus:
        """How the last attempt went."""
        return self._status

    async def _together(self, notifications: Sequence[Notification]) -> Sequence[Sequence[Notification]]:
        """What is told in a message each, the most urgent first."""
        if self._keeps_alarms is None:
            await self._try(lambda: self._open(Tone.NEWS))
        if not self._ends_alarms:
            notifications = not_done_by(self._reader.person, notifications)
        if not self._keeps_alarms:
            return [notifications] if notifications else []
        found: dict[str, list[Notification]] = {}
        for one in notifications:
            found.setdefault(one.incident.id, []).append(one)
        return [found[one.incident.id] for one in matters(notifications)]

    def _open(self, tone: Tone, about: str = "") -> Service:
        service = Service(self.name, self._address, tone, about)
        self._keeps_alarms, self._ends_alarms = service.keeps_alarms, service.ends_alarms
        return service

    async def _send(self, written: Callable[[Space], Message]) -> None:
        if len(self._hanging) >= MOST_HANGING:
            raise OutputError(f"{self.name}: the service does not answer, and earlier attempts still wait for it.")
        attempt = object()

        def work() -> None:
            self._hanging.add(attempt)
            try:
                self._hand_over(written)
            finally:
                self._hanging.discard(attempt)

        await self._try(work)

    def _hand_over(self, written: Callable[[Space], Message]) -> None:
        """In a thread. What a service does not take in full, it may take in short."""
        kind = written(Space())
        service = self._open(kind.tone, kind.about)
        try:
            service.send(written(service.space))
        except RefusedError:
            again = self._open(kind.tone, kind.about)  # a used one waits some seconds before its next message
            again.send(written(Space(0, min(SHORT - 1, service.space.body), service.space.size)))

    async def _try(self, work: Callable[[], object]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await in_daemon_thread(work)
        except TimeoutError:
            why = f"{self.name}: the service did not answer within {self._patience:g} s; it is told again."
            self._status = OutputStatus(self.name, "retrying", trouble=why)
            raise OutputError(why) from None
        except OutputError as error:
            failed = "failed" if isinstance(error, FatalOutputError) else "retrying"
            self._status = OutputStatus(self.name, failed, trouble=str(error))
            raise
        self._status = OutputStatus(self.name, "live")


def not_done_by(person: str | None, notifications: Sequence[Notification]) -> Sequence[Notification]:
    """All but those of incidents that this person, as the last, has taken, silenced or resolved. Pure."""
    newest = {one.incident.id: one.change for one in notifications}
    done = {name for name, change in newest.items() if change.event.is_all_clear and same(change.person, person)}
    return [one for one in notifications if one.incident.id not in done]
