"""Live posts of Mastodon, as one of its servers sees them, with the access token of a user of it.

A server repeats nothing of its streams. What was said during a break, or while the desk was off, is read from its
timelines, page by page, while what comes now is sent at once; until the gap is closed the cursor stays before it.
A stream that stays open and mute, as after a restart of the server's Redis, looks like one in which nothing is said. So
the timeline of each one that is quiet is looked at now and then.

Authors may take back what they said, or change it. A server names what is taken back by its own id only, so the newest
ids of posts that concern a watch are remembered (`heard.REMEMBERED`), and after a restart the newest pages are read
once more for theirs (`gap.RECOLLECTED`): what is taken back later, or while nobody listens, is not heard of. What is
changed is known by its address, whenever it is.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NoReturn

import aiohttp

from crisisdesk.clock import Clock
from crisisdesk.errors import InputError
from crisisdesk.records import SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.condition import Condition
from crisisdesk.sources.ending import to_its_end
from crisisdesk.sources.mastodon.events import Event
from crisisdesk.sources.mastodon.gap import RECOLLECTED, Gap
from crisisdesk.sources.mastodon.heard import Heard
from crisisdesk.sources.mastodon.line import Line, MuteError, connect
from crisisdesk.sources.mastodon.past import Past
from crisisdesk.sources.mastodon.place import Place, cursor_of, moment_of, read_cursor
from crisisdesk.sources.mastodon.posts import SOURCE, Json, local_id, status_in, time_of
from crisisdesk.sources.mastodon.refusals import asked_wait, open_session
from crisisdesk.sources.mastodon.server import Server

SILENCE_SECONDS: Final = 60.0
"""A server says every 15 s (server-sent events) or 30 s (websocket) that it lives; a line so long mute is dead."""
SETTLE_SECONDS: Final = 1.0
"""Between asking for a stream and looking for what came before it, so that nothing falls between the two."""
QUIET_SECONDS: Final = 300.0
"""A stream that told nothing for so long is compared with its timeline."""
HEALTHY_SECONDS: Final = 60.0
"""A connection that lasted so long starts the waiting afresh."""


class Mastodon:
    """The posts of some streams of a server.

    Args:
        server: its address.
        token: an access token of a user of it.
        streams: `public`, `public:local`, `public:remote`, `hashtag:motrin`.
        clock: tells when events arrive.
        name: what status lines call the source.
        history: how far back new watches are to learn from the timelines.
        websocket: whether to ask for a websocket first; where it is refused, server-sent events are asked for.
        waits: the seconds to wait between attempts, begun afresh after a healthy connection.
        silence: seconds without any sign of life after which a connection is taken for dead.
        settle: seconds before a gap is filled.
        quiet: seconds after which the timeline of a stream that told nothing is looked at.
    """

    pushes: Final = True
    resumes: Final = True

    def __init__(
        self,
        server: str,
        token: str,
        streams: Sequence[str],
        clock: Clock,
        *,
        name: str = SOURCE,
        history: timedelta = timedelta(),
        websocket: bool = True,
        waits: Callable[[], Iterator[float]] = delays,
        silence: float = SILENCE_SECONDS,
        settle: float = SETTLE_SECONDS,
        quiet: float = QUIET_SECONDS,
    ) -> None:
        self.name = name
        self.history = history
        self._server = Server(server, token)
        self._places = {stream: Place() for stream in streams}
        self._gaps = {stream: Gap(stream, place, self._server, clock) for stream, place in self._places.items()}
        self._heard = Heard(self._server)
        self._clock = clock
        self._websocket = websocket
        self._waits = waits
        self._silence = silence
        self._settle = settle
        self._quiet = quiet
        self._condition = Condition()
        self._last_event: datetime | None = None
        self._latest: datetime | None = None
        self._events = self._bad = 0

    @property
    def cursor(self) -> str | None:
        """The newest status of each stream up to which all was sent."""
        return cursor_of(self._server.host, self._places)

    def resume(self, cursor: str) -> None:
        """Fill the gap since; a stream that is new, and each one of another server, begins now.

        Raises:
            ValueError: it is damaged.
        """
        for stream, status in read_cursor(cursor, self._server.host).items():
            self._server.known = True
            if stream in self._places:
                self._places[stream].sent_to = status
                self._gaps[stream].is_resumed = True

    def recall(self, since: datetime, until: datetime) -> Past:
        """What was said in the streams between two moments; where that is too much to read, nothing."""
        return Past(self.name, self._server, [*self._places], (since, until), self._waits)

    def status(self) -> SourceStatus:
        """How it is doing: what streams tell are events, what was said are posts, wherever they were read."""
        behind = [gap.come_to for gap in self._gaps.values() if gap.come_to is not None]
        troubles = [self._server.withheld(self._places), *(gap.trouble for gap in self._gaps.values())]
        return SourceStatus(
            name=self.name,
            state=self._condition.state,
            last_event=self._last_event,
            events=self._events,
            posts=self._heard.posts,
            latest=min(behind, default=self._latest),
            bad=self._bad,
            trouble=self._condition.trouble or " ".join(filter(None, troubles)),
        )

    async def run(self, edge: Edge) -> None:
        """Send posts until cancelled; every break is mended.

        Raises:
            FatalSourceError: the server refuses us as we are set up; the status says `failed`.
        """
        waits = self._waits()
        async with open_session() as session:
            while True:
                began = self._clock.now()
                error = await to_its_end(partial(self._until_broken, session, edge))
                trouble = self._server.diagnose(error)
                self._condition.broken(trouble, mute=isinstance(trouble, MuteError))
                if (self._clock.now() - began).total_seconds() >= HEALTHY_SECONDS:
                    waits = self._waits()
                await asyncio.sleep(max(next(waits), asked_wait(error)))

    async def _until_broken(self, session: aiohttp.ClientSession, edge: Edge) -> None:
        """Connect, send what comes and what was missed.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it ended; perhaps in an ExceptionGroup.
        """
        for gap in self._gaps.values():
            await gap.begin(session)
        async with AsyncExitStack() as stack:
            lines = await connect(session, self._server, [*self._places], stack, websocket=self._websocket)
            self._condition.connected()
            async with asyncio.TaskGroup() as group:
                for line in lines:
                    group.create_task(self._listen(line, edge))
                for gap in self._gaps.values():
                    group.create_task(self._keep_up(session, gap, edge))

    async def _listen(self, line: Line, edge: Edge) -> NoReturn:
        """Send what comes.

        Raises:
            aiohttp.ClientError, SourceError: the connection ended or is mute.
        """
        while True:
            try:
                events = await line.events(self._silence)
            except InputError:
                self._bad += 1
                continue
            self._condition.heard()
            self._server.proven = True
            for event in events:
                self._events += 1
                try:
                    await self._take(event, edge)
                except InputError:
                    self._bad += 1

    async def _take(self, event: Event, edge: Edge) -> None:
        """Heed what happened in a stream.

        Raises:
            InputError: it is not of the protocol.
        """
        self._last_event = arrival = self._clock.now()
        if event.name == "update":
            status = status_in(event.payload)
            await self._heard.say(status, time_of(status, arrival, is_new=True), edge)
            which = local_id(status.get("id"))
            if (moment := moment_of(which)) is not None:
                self._latest = max(moment, self._latest or moment)
            if (place := self._place_of(event)) is not None:
                place.came(which, arrival)
        elif event.name == "status.update":
            await self._heard.change(status_in(event.payload), arrival, edge)
        elif event.name == "delete":
            bare = event.payload if isinstance(event.payload, str) else event.payload.decode(errors="replace")
            await self._heard.erase(local_id(bare), edge)

    def _place_of(self, event: Event) -> Place | None:
        """That of its stream, which a server need not name where there is one only."""
        only = next(iter(self._places)) if len(self._places) == 1 else ""
        return self._places.get(event.stream or only)

    async def _keep_up(self, session: aiohttp.ClientSession, gap: Gap, edge: Edge) -> NoReturn:
        """Send what was missed, and what a stream that is quiet keeps back.

        Raises:
            SourceError: nothing comes over the line, though more is said.
        """
        await asyncio.sleep(self._settle)
        hear = partial(self._hear_missed, edge)
        await gap.close(session, hear, self._waits())
        if gap.is_resumed:
            await gap.recollect(session, self._heard.recollect, max(1, RECOLLECTED // len(self._gaps)))
        kept_back = 0
        while True:
            told, events, posts = gap.place.told, self._events, self._heard.posts
            await asyncio.sleep(self._quiet)
            if gap.place.told == told:
                gap.place.open()
                await gap.close(session, hear, self._waits())
            kept_back = kept_back + 1 if self._events == events and self._heard.posts > posts else 0
            if kept_back > 1:  # once may be a post that was on its way
                raise gap.is_mute()

    async def _hear_missed(self, edge: Edge, status: Json) -> None:
        self._last_event = arrival = self._clock.now()
        await edge.room()
        try:
            await self._heard.say(status, time_of(status, arrival, is_new=False), edge)
        except InputError:
            self._bad += 1
