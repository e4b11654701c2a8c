"""What was said on a Mastodon server before: read back from its timelines, page by page, for watches that are new."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

import aiohttp

from crisisdesk.errors import InputError, SourceError
from crisisdesk.records import Post, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.sources.broken import BREAKS
from crisisdesk.sources.mastodon.gap import statuses_in
from crisisdesk.sources.mastodon.heard import concerning
from crisisdesk.sources.mastodon.place import BEGINNING, is_later
from crisisdesk.sources.mastodon.posts import time_of
from crisisdesk.sources.mastodon.refusals import asked_wait, is_final, open_session
from crisisdesk.sources.mastodon.server import Server
from crisisdesk.text import how_long

MAX_PAGES: Final = 1_000
"""Pages, 40 posts each, that are read of all streams together: some 20 minutes, since a server allows one a second."""
SAMPLE: Final = 50
"""Pages of a timeline that tell how many there will be: so many are no mere burst."""
HOPELESS: Final = 4
"""Where they let expect so many times more than is read, it is given up at once."""
TRIES: Final = 8
"""So often in a row a page is asked for, before the past is given up."""


class Past:
    """The statuses of some streams between two moments, as a source that ends when they are sent.

    Args:
        name: what people call it.
        server: whose timelines are read; it says when to wait.
        streams: whose past it is.
        span: the first moment and the last.
        waits: the seconds to wait between attempts.
    """

    pushes: Final = False
    resumes: Final = False
    cursor: Final = None

    def __init__(
        self,
        name: str,
        server: Server,
        streams: Sequence[str],
        span: tuple[datetime, datetime],
        waits: Callable[[], Iterator[float]],
    ) -> None:
        self.name = name
        self._server = server
        self._timelines = [_Timeline(stream, *span) for stream in streams]
        self._span = span[1] - span[0]
        self._waits = waits
        self._pages = self._posts = 0

    def resume(self, cursor: str) -> None:
        """The past is read from its beginning."""

    def status(self) -> SourceStatus:
        """How it is doing."""
        return SourceStatus(self.name, "live", events=self._posts, posts=self._posts)

    async def run(self, edge: Edge) -> None:
        """Send what was said, oldest first, when all of it is read; then return.

        Raises:
            SourceError: it cannot be read, or is more than is read; then nothing was sent.
        """
        found: dict[str, tuple[Post, tuple[str, ...]]] = {}
        async with open_session() as session:
            for timeline in self._timelines:
                while timeline.goes_on:
                    found |= self._found(timeline, await self._page(session, timeline), edge)
        for post, watches in sorted(found.values(), key=lambda one: one[0].time):
            await edge.send(post, watches)

    async def _page(self, session: aiohttp.ClientSession, timeline: "_Timeline") -> Sequence[Any]:
        """The next page back, tried again as long as that may help."""
        is_hopeless = timeline.pages == SAMPLE and timeline.pages_in_all > HOPELESS * MAX_PAGES
        if is_hopeless or self._pages >= MAX_PAGES:
            raise self._too_much()
        page = await self._asked(session, timeline)
        self._pages += 1
        timeline.turn(page)
        return page

    async def _asked(self, session: aiohttp.ClientSession, timeline: "_Timeline") -> Sequence[Any]:
        waits, trouble = self._waits(), SourceError()
        for _ in range(TRIES):
            try:
                await self._server.rest()
                return await self._server.page(session, timeline.stream, before=timeline.before)
            except BREAKS as error:
                trouble = self._server.diagnose(error)
                if is_final(error):
                    break
                await asyncio.sleep(max(next(waits), asked_wait(error)))
        raise SourceError(f"What was said in {timeline.stream} cannot be read: {trouble}")

    def _found(
        self, timeline: "_Timeline", page: Sequence[Any], edge: Edge
    ) -> Mapping[str, tuple[Post, tuple[str, ...]]]:
        """What concerns a watch, by the ids of posts; the present counts what is bad."""
        found = {}
        for _, status in statuses_in(page, BEGINNING):
            time = time_of(status, timeline.until, is_new=False)
            self._posts += 1
            with suppress(InputError):
                post = concerning(status, time, self._server.domain, edge)
                if post is not None and timeline.since <= time < timeline.until:
                    found[post[0].id] = post
        return found

    def _too_much(self) -> SourceError:
        return SourceError(
            f"More was said on {self._server.host} in {how_long(self._span)} than is read ({MAX_PAGES:,} pages); set "
            "'history_hours' of the source to less, or to 0."
        )


class _Timeline:
    """How far back the timeline of a stream was read."""

    def __init__(self, stream: str, since: datetime, until: datetime) -> None:
        self.stream = stream
        self.since, self.until = since, until
        self.before: str | None = None
        self.goes_on = True
        self.pages = 0
        self._reached = until

    @property
    def pages_in_all(self) -> float:
        """How many there will be, at the pace of those that were read."""
        covered = (self.until - self._reached) / (self.until - self.since)
        return self.pages / max(covered, 1e-9)

    def turn(self, page: Sequence[Any]) -> None:
        """This page was read.

        Raises:
            SourceError: it is not the one that was asked for.
        """
        older = {
            which: time_of(status, self.until, is_new=False)
            for which, status in statuses_in(page, BEGINNING)
            if self.before is None or is_later(self.before, which)
        }
        if page and not older:
            raise SourceError(f"The timeline of {self.stream} cannot be read back: its pages are not older.")
        self.pages += 1
        self.before = min(older, key=lambda which: (len(which), which), default=None)
        self._reached = older.get(self.before or "", self.since)
        self.goes_on = self._reached > self.since
