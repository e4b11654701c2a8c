"""`GET /api/v1/stream`: every change of every incident as it happens, and on request from the last one seen on.

There is no queue for anybody: the latest changes are here once, each reader has its place among them, and who has
fallen behind reads on in the database. So a reader that is slow or stands still costs nothing but its connection.

A change is sent with its incident as that is now: what an author has taken back meanwhile is not sent any more.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from crisisdesk.errors import StorageError, UsageError
from crisisdesk.incidents.register import Register
from crisisdesk.payloads.events import of_change
from crisisdesk.records import Change, Notification
from crisisdesk.server.stream import KEEP_ALIVE, LAST, event, opened
from crisisdesk.storage.journal import Journal

KEPT: Final = 500
"""Changes in memory."""
AT_ONCE: Final = 50
"""Changes that are read from the database at a time."""
LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether the reader may still read, where nothing happens."""
KEEP_ALIVE_LOOKS: Final = 15
"""Looks without news after which a sign of life is sent."""
RESET: Final = event("reset", b'{"error":"What was seen last is not known here; read /api/v1/incidents."}')


class Changes:
    """The changes of one desk, and who reads them."""

    def __init__(self, register: Register, journal: Journal, desk: str) -> None:
        """Make it.

        Args:
            register: tells of changes.
            journal: has those of before.
            desk: its name.
        """
        self.journal = journal
        self.recent: deque[Change] = deque()
        """The latest of this run."""
        self.dropped = 0
        """Changes of this run that are not among the recent ones any more."""
        self._register = register
        self._desk = desk
        self._more = asyncio.Event()
        register.subscribe(self._take)

    async def answer(self, request: web.Request, ended: Callable[[], bool]) -> web.StreamResponse:
        """Tell a reader of changes until it leaves or `ended` says so."""
        last = request.headers.get(LAST) or request.query.get("after", "")
        response, reader, quiet = await opened(request), _Reader(self, last), 0
        while not ended():
            try:
                chunk = await reader.read()
            except StorageError:  # it comes again, and then the disk may answer
                break
            quiet = 0 if chunk else quiet + 1
            if chunk or quiet % KEEP_ALIVE_LOOKS == 0:
                await response.write(chunk or KEEP_ALIVE)
        return response

    def wake(self) -> None:
        """Let every reader look whether it has to end."""
        self._more.set()
        self._more = asyncio.Event()

    @property
    def end(self) -> int:
        """The place of the next change."""
        return self.dropped + len(self.recent)

    def place(self, change: str) -> int | None:
        """The place behind a recent change; None for any other."""
        for back, one in enumerate(reversed(self.recent)):
            if one.id == change:
                return self.end - back
        return None

    async def news(self) -> None:
        """Wait for the next change, but not for long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._more.wait()

    def _take(self, told: Notification) -> None:
        self.recent.append(told.change)
        if len(self.recent) > KEPT:
            self.recent.popleft()
            self.dropped += 1
        self.wake()

    def sent(self, told: Notification) -> bytes:
        """A change as it is sent."""
        return event("change", of_change(told, self._desk).body(), told.change.id)

    def sent_now(self, change: Change) -> bytes:
        """A recent change with its incident as it is now; nothing where that is not in memory any more."""
        try:
            return self.sent(Notification(change, self._register.find(change.incident)))
        except UsageError:
            return b""


class _Reader:
    """One who reads, and how far it has come."""

    def __init__(self, changes: Changes, last: str) -> None:
        """Make one; `last` is the change that it saw last, empty for one who reads from now on."""
        self._changes = changes
        self._last = last
        self._place = changes.place(last) if last else changes.end
        self._row: int | None = None

    async def read(self) -> bytes:
        """What comes next; nothing where nothing comes for a second.

        Raises:
            StorageError: the database cannot be read.
        """
        if self._place is None or self._place < self._changes.dropped:
            return await self._catch_up()
        if self._place == self._changes.end:
            await self._changes.news()
        if self._place == self._changes.end:
            return b""
        change = self._changes.recent[self._place - self._changes.dropped]
        if not (sent := self._changes.sent_now(change)):
            self._place = None  # its incident has been over for so long that only the database knows it
            return await self._catch_up()
        self._last = change.id
        self._place += 1
        return sent

    async def _catch_up(self) -> bytes:
        """Read on in the database, until it meets the recent changes."""
        journal, self._place = self._changes.journal, None
        if self._row is None:
            self._row = await journal.place(self._last)
        if self._row is None:
            self._place = self._changes.end
            return RESET
        sent = []
        for entry in (entries := await journal.after(self._row, AT_ONCE)):
            sent.append(self._changes.sent(entry.told))
            self._last = entry.told.change.id
            self._row, self._place = entry.row, self._changes.place(self._last)
            if self._place is not None:
                break
        if not entries:
            self._place = self._changes.dropped
        if self._place is not None:
            self._row = None
        return b"".join(sent)
