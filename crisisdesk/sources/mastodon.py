"""Live posts of Mastodon, as one of its servers sees them, with the access token of a user of it.

A server repeats nothing of its streams. What was said during a break, or while the desk was off, is read from its
timelines, page by page, while what comes now is sent at once; until the gap is closed the cursor stays before it.

Authors may take back what they said, or change it. A server names what is taken back by its own id only, so the ids of
posts that concern a watch are remembered, the newest `REMEMBERED` of them and as long as this process lives: what is
taken back later, or while nobody listens, is not heard of. What is changed is known by its address, whenever it is.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn

import aiohttp

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, InputError, SourceError
from crisisdesk.records import Correction, SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.mastodon_events import Event
from crisisdesk.sources.mastodon_line import Line, connect
from crisisdesk.sources.mastodon_place import BEGINNING, Place, cursor_of, is_later, moment_of, read_cursor
from crisisdesk.sources.mastodon_posts import (
    SOURCE,
    Json,
    author_of,
    id_of,
    local_id,
    post_of,
    status_in,
    time_of,
    words_of,
)
from crisisdesk.sources.mastodon_server import MuteError, RefusalError, Server, open_session, passes
from crisisdesk.text import how_long

REMEMBERED: Final = 20_000
"""Statuses that are known to have been sent, and posts that concern a watch, newest kept."""
SILENCE_SECONDS: Final = 60.0
"""A server says every 15 s (server-sent events) or 30 s (websocket) that it lives; a line so long mute is dead."""
SETTLE_SECONDS: Final = 1.0
"""Between asking for a stream and looking for what came before it, so that nothing falls between the two."""
HEALTHY_SECONDS: Final = 60.0
"""A connection that lasted so long starts the waiting afresh."""
MAX_PAGES: Final = 500
"""Pages of a timeline, 40 posts each, that are read to fill a gap; a server allows about one a second."""
TOLD_FOR: Final = timedelta(hours=1)
"""How long what went wrong once is spoken of."""

_BREAKS: Final = (aiohttp.ClientError, OSError, SourceError)


class Mastodon:
    """The posts of some streams of a server.

    Args:
        server: its address.
        token: an access token of a user of it.
        streams: `public`, `public:local`, `public:remote`, `hashtag:motrin`.
        clock: tells when events arrive.
        name: what status lines call the source.
        websocket: whether to ask for a websocket first; where it is refused, server-sent events are asked for.
        waits: the seconds to wait between attempts, begun afresh after a healthy connection.
        silence: seconds without any sign of life after which a connection is taken for dead.
        settle: seconds before a gap is filled.
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
        websocket: bool = True,
        waits: Callable[[], Iterator[float]] = delays,
        silence: float = SILENCE_SECONDS,
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self.name = name
        self._server = Server(server, token)
        self._places = {stream: Place() for stream in streams}
        self._clock = clock
        self._websocket = websocket
        self._waits = waits
        self._silence = silence
        self._settle = settle
        self._seen: OrderedDict[str, None] = OrderedDict()
        """Statuses that need not be sent any more, by their ids: they were, or are taken back."""
        self._sent: OrderedDict[str, str] = OrderedDict()
        """The ids of the posts that concern a watch, by those of their statuses."""
        self._handing_over = asyncio.Lock()
        """What comes now and what was missed are handed over by turns, so that each is known to the other."""
        self._state = "connecting"
        self._trouble = ""
        self._remarks: dict[str, tuple[datetime, str]] = {}
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = 0

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
            if stream in self._places:
                self._places[stream] = Place(status)

    def status(self) -> SourceStatus:
        """How it is doing: what streams tell are events, what was said are posts, wherever they were read."""
        now = self._clock.now()
        remarks = [text for since, text in self._remarks.values() if now - since <= TOLD_FOR]
        return SourceStatus(
            name=self.name,
            state=self._state,
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            bad=self._bad,
            trouble=self._trouble or " ".join(remarks),
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
                error = await self._until_broken(session, edge)
                self._note(self._server.diagnose(error))
                if (self._clock.now() - began).total_seconds() >= HEALTHY_SECONDS:
                    waits = self._waits()
                await asyncio.sleep(max(next(waits), error.wait if isinstance(error, RefusalError) else 0.0))

    async def _until_broken(self, session: aiohttp.ClientSession, edge: Edge) -> Exception:
        """Connect, send what comes and what was missed; returns what ended it."""
        for place in self._places.values():
            place.open()
        try:
            await self._begin(session)
            async with AsyncExitStack() as stack:
                lines = await connect(session, self._server, [*self._places], stack, websocket=self._websocket)
                if self._state != "blind":  # whether a mute one speaks again is for its first sign of life to say
                    self._is_live()
                async with asyncio.TaskGroup() as group:
                    for line in lines:
                        group.create_task(self._listen(line, edge))
                    for stream in self._places:
                        group.create_task(self._catch_up(session, stream, edge))
        except ExceptionGroup as broken:
            breaks, faults = broken.split(_BREAKS)
            if faults is not None:
                raise faults from None
            return breaks.exceptions[0] if breaks else broken
        except _BREAKS as error:
            return error
        raise AssertionError("a line has no end but a break")

    async def _begin(self, session: aiohttp.ClientSession) -> None:
        """Of streams that were never read: they begin at what is newest now."""
        for stream, place in self._places.items():
            if place.sent_to is None:
                place.begin(await self._newest(session, stream))

    async def _newest(self, session: aiohttp.ClientSession, stream: str) -> str:
        """The newest status of a timeline."""
        ids = [status for status in map(_id_in, await self._server.page(session, stream, limit=1)) if status]
        return ids[0] if ids else BEGINNING

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
            self._is_live()
            self._server.proven = True
            for event in events:
                self._events += 1
                try:
                    async with self._handing_over:
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
            await self._hear(status, time_of(status, arrival, is_new=True), edge)
            self._came(event.stream, local_id(status.get("id")))
        elif event.name == "status.update":
            await self._change(status_in(event.payload), arrival, edge)
        elif event.name == "delete":
            await self._erase(_bare(event.payload), edge)

    async def _hear(self, status: Json, time: datetime, edge: Edge) -> None:
        """Send what was said, once."""
        which = local_id(status.get("id"))
        if which not in self._seen:
            self._posts += 1
            await self._offer(which, status, time, edge)
            self._settled(which)

    async def _offer(self, which: str, status: Json, time: datetime, edge: Edge) -> None:
        """Send what was said if it concerns a watch."""
        text, domain = words_of(status), self._server.domain
        if (watches := edge.concerns(text, author_of(status, domain))) and text:
            post = post_of(status, text, time, domain)
            self._sent[which] = post.id
            if len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
            await edge.send(post, watches)

    async def _change(self, status: Json, arrival: datetime, edge: Edge) -> None:
        """It reads otherwise now, and may concern a watch only now."""
        which, text = local_id(status.get("id")), words_of(status)
        await edge.correct(Correction(SOURCE, id_of(status, self._server.domain), text))
        if which not in self._sent:
            await self._offer(which, status, time_of(status, arrival, is_new=False), edge)
        self._settled(which)

    async def _erase(self, which: str, edge: Edge) -> None:
        """Its author has taken it back; it may come yet, in a page that was asked for before."""
        if (post := self._sent.pop(which, None)) is not None:
            await edge.correct(Correction(SOURCE, post))
        self._settled(which)

    def _settled(self, which: str) -> None:
        self._seen[which] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)

    def _came(self, stream: str, which: str) -> None:
        if stream in self._places:
            self._places[stream].came(which)

    async def _catch_up(self, session: aiohttp.ClientSession, stream: str, edge: Edge) -> None:
        """Fill the gap of a stream, however often that has to be tried."""
        await asyncio.sleep(self._settle)
        place, waits = self._places[stream], self._waits()
        while not place.is_whole:
            try:
                await self._fill(session, stream, edge)
            except _BREAKS as error:
                trouble = str(self._server.diagnose(error)).rstrip(".")
                said = f"What was said in {stream} since {_since(place)}"
                if passes(error):
                    self._remark(stream, f"{said} is not read yet: {trouble}; trying again.")
                    await asyncio.sleep(max(next(waits), error.wait if isinstance(error, RefusalError) else 0.0))
                    continue
                self._remark(stream, f"{said} may be missing: {trouble}.")
            place.close()

    async def _fill(self, session: aiohttp.ClientSession, stream: str, edge: Edge) -> None:
        """Send what a timeline holds from where we were up to now, oldest first."""
        place, until = self._places[stream], await self._newest(session, stream)
        after = place.start()
        for _ in range(MAX_PAGES):
            if not is_later(until, after):
                break
            page = await self._server.page(session, stream, after)
            statuses = sorted(_after(page, after), key=lambda entry: (len(entry[0]), entry[0]))
            if not statuses:
                break
            for after, status in statuses:
                await self._hear_missed(status, edge)
                place.filled(after)
        else:
            self._tell_missing(stream, after)
            return
        self._remarks.pop(stream, None)

    async def _hear_missed(self, status: Json, edge: Edge) -> None:
        arrival = self._clock.now()
        try:
            async with self._handing_over:
                await self._hear(status, time_of(status, arrival, is_new=False), edge)
        except InputError:
            self._bad += 1

    def _tell_missing(self, stream: str, after: str) -> None:
        moment, now = moment_of(after), self._clock.now()
        since = "that" if moment is None else f"{moment:%d %B %H:%M} UTC ({how_long(now - moment)})"
        read = f"More was said in {stream} during the break than is read afterwards ({MAX_PAGES} pages)"
        self._remark(f"{stream} missing", f"{read}: posts since {since} may be missing.")

    def _is_live(self) -> None:
        self._state, self._trouble = "live", ""

    def _note(self, trouble: SourceError) -> None:
        """Show what went wrong.

        Raises:
            FatalSourceError: it takes other settings to go on.
        """
        if isinstance(trouble, FatalSourceError):
            self._state, self._trouble = "failed", str(trouble)
            raise trouble
        self._trouble = f"{trouble}; trying again"
        self._state = "blind" if isinstance(trouble, MuteError) or self._state == "blind" else "connecting"

    def _remark(self, kind: str, text: str) -> None:
        self._remarks[kind] = (self._clock.now(), text)


def _bare(payload: str | bytes) -> str:
    """The id that stands alone in an event.

    Raises:
        InputError: it is none.
    """
    return local_id(payload if isinstance(payload, str) else payload.decode(errors="replace"))


def _id_in(status: Any) -> str | None:  # noqa: ANN401  a stranger's JSON
    try:
        return local_id(status["id"])
    except (KeyError, TypeError, InputError):
        return None


def _after(page: Sequence[Any], after: str) -> Iterator[tuple[str, Json]]:
    """The statuses of a page that are newer than one, with their ids."""
    for status in page:
        which = _id_in(status)
        if which is not None and is_later(which, after):
            yield which, status


def _since(place: Place) -> str:
    moment = moment_of(place.sent_to or BEGINNING)
    return "the break" if moment is None else f"{moment:%d %B %H:%M} UTC"
