"""What was said in a stream of a Mastodon server while nobody listened, read from its timeline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

import aiohttp

from crisisdesk.clock import Clock
from crisisdesk.errors import InputError, SourceError
from crisisdesk.sources.broken import BREAKS
from crisisdesk.sources.condition import Missing
from crisisdesk.sources.mastodon.place import BEGINNING, Place, id_at, is_later, moment_of
from crisisdesk.sources.mastodon.posts import Json, local_id
from crisisdesk.sources.mastodon.refusals import RefusalError, asked_wait, is_final, is_own_trouble
from crisisdesk.sources.mastodon.server import Server
from crisisdesk.text import how_long

MAX_PAGES: Final = 5_000
"""Pages of a timeline, 40 posts each, that are read to fill a gap; a server allows about one a second."""
RECOLLECTED: Final = 100
"""Pages of all streams together that are read once more after a restart."""
BACK: Final = timedelta(days=2)
"""How far back a gap is filled: what is older counts in no window any more."""


class Gap:
    """The gap of a stream between where we were and now.

    Args:
        stream: whose it is.
        place: up to where it was sent.
        server: whose timeline is read.
        clock: tells when it was read.
    """

    def __init__(self, stream: str, place: Place, server: Server, clock: Clock) -> None:
        self.place = place
        self._stream = stream
        self._server = server
        self._clock = clock
        self.come_to: datetime | None = None
        """While it is read: the moment up to which it has been, as far as ids tell."""
        self.is_resumed = False
        """An earlier run has sent what lies before it."""
        self._pages = 0
        self._unread = ""
        self._missing = Missing(clock)

    @property
    def trouble(self) -> str:
        """What is not read yet, or not to be had; empty where nothing is missing."""
        return self._missing.told or self._unread

    async def begin(self, session: aiohttp.ClientSession) -> None:
        """Where nothing was ever sent: begin with what is newest now, or later if the timeline is in trouble.

        Raises:
            aiohttp.ClientError, OSError, SourceError: the server does not answer, or refuses us.
        """
        self.place.open()
        if self.place.sent_to is None:
            try:
                self.place.begin(await self._newest(session))
            except RefusalError as error:
                if not is_own_trouble(error.status):
                    raise

    async def close(
        self, session: aiohttp.ClientSession, hear: Callable[[Json], Awaitable[None]], waits: Iterator[float]
    ) -> None:
        """Have all that was missed heard, oldest first, however often that has to be tried.

        Where it has not begun, it begins with what is newest now.
        """
        self._pages = 0
        while not self.place.is_whole:
            try:
                await self._fill(session, hear)
                self.place.close()
            except BREAKS as error:
                trouble = str(self._server.diagnose(error)).rstrip(".")
                said = f"What was said in {self._stream} since {_told(self.place.sent_to)}"
                if is_final(error):
                    self._missing.tell(f"{said} may be missing: {trouble}.")
                    self.place.close()
                else:
                    self._unread = f"{said} is not read yet: {trouble}; trying again."
                    await asyncio.sleep(max(next(waits), asked_wait(error)))
        self.come_to, self._unread = None, ""

    async def recollect(self, session: aiohttp.ClientSession, recollect: Callable[[Json], None], pages: int) -> None:
        """After a restart: look once more at what was sent before, as far as the timeline gives it."""
        before, self.is_resumed = None, False
        with suppress(*BREAKS):
            for _ in range(pages):
                await self._server.rest()
                page = await self._server.page(session, self._stream, before=before)
                found = [(len(which), which, status) for which, status in statuses_in(page, BEGINNING)]
                for *_, status in found:
                    recollect(status)
                oldest = min(found, key=lambda one: one[:2], default=None)
                if oldest is None or oldest[1] == before:
                    return
                before = oldest[1]

    def is_mute(self) -> SourceError:
        """To be raised when the stream brings nothing of what its timeline has; people are told for a while."""
        said = f"{self._server.host} streams nothing of what is said in {self._stream}"
        self._missing.tell(f"{said}, so it is read from the timeline every few minutes.")
        return SourceError(said)

    async def _fill(self, session: aiohttp.ClientSession, hear: Callable[[Json], Awaitable[None]]) -> None:
        """Read on from where we were up to what is newest now."""
        until, sent_to = await self._newest(session), self.place.sent_to
        if sent_to is None:
            self.place.begin(until)
            return
        after = self.place.start()
        oldest = BEGINNING if moment_of(until) is None else id_at(self._clock.now() - BACK)
        while is_later(until, after):
            if self._pages >= MAX_PAGES:
                self._tell_missing(after)
                return
            await self._server.rest()
            page = await self._server.page(session, self._stream, after=after)
            self._pages += 1
            statuses = sorted(statuses_in(page, after), key=lambda entry: (len(entry[0]), entry[0]))
            if not statuses:
                return
            if too_old := [which for which, _ in statuses if is_later(which, sent_to) and is_later(oldest, which)]:
                self._tell_too_old(too_old[0], sent_to)
                after = oldest
                continue
            for after, status in statuses:
                await hear(status)
                self.place.filled(after, self._clock.now())
            self.come_to = moment_of(after)

    async def _newest(self, session: aiohttp.ClientSession) -> str:
        """The newest status of the timeline."""
        ids = [which for which, _ in statuses_in(await self._server.page(session, self._stream, limit=1), "")]
        return ids[0] if ids else BEGINNING

    def _tell_too_old(self, status: str, sent_to: str) -> None:
        if sent_to != BEGINNING:  # nothing was missed in a timeline that was not there when we began
            now = self._clock.now()
            missed = f"What was said in {self._stream} from {_told(status)} to {now - BACK:%d %B %H:%M} UTC"
            self._missing.tell(f"{missed} is not read any more: the desk goes back {how_long(BACK)}.")

    def _tell_missing(self, after: str) -> None:
        moment, now = moment_of(after), self._clock.now()
        since = "then" if moment is None else f"{_told(after)} ({how_long(now - moment)})"
        read = f"More was said in {self._stream} during the break than is read afterwards ({MAX_PAGES} pages)"
        self._missing.tell(f"{read}: posts since {since} may be missing.")


def statuses_in(page: Sequence[Any], after: str) -> Iterator[tuple[str, Json]]:
    """The statuses of a page that are newer than one, with their ids."""
    for status in page:
        try:
            which = local_id(status["id"])
        except (KeyError, TypeError, InputError):
            continue
        if is_later(which, after):
            yield which, status


def _told(status: str | None) -> str:
    moment = moment_of(status or BEGINNING)
    return "the break" if moment is None else f"{moment:%d %B %H:%M} UTC"
