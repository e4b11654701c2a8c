"""RSS and Atom feeds: blogs, newspapers, forums, channels, and whatever a search offers as a feed, such as Reddit's.

One source may read many feeds, each on its own: one that is broken, gone or slow costs the others nothing. Servers are
asked politely: whether there is anything new, no more often than they wish, one question at a time.

Entries keep the date that their feed gives them. What a feed holds when it is read for the first time is the past, and
a search that finds an article a day late has found what was said yesterday: with the moment of the finding, a hundred
old posts would be a storm that never was. The price is a feed whose clock goes wrong, whose posts count too early. An
entry without a date was written since the reading before, and one with a date to come at the latest now; in the first
reading nobody knows when, so that those are known from then on and count for nothing.

A changed entry is corrected; that one is missing says nothing, since feeds show only their newest.
"""

import asyncio
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, InputError, SourceError
from crisisdesk.records import Correction, Post, SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.feed.answer import Answer
from crisisdesk.sources.feed.apart import read_apart
from crisisdesk.sources.feed.document import Document
from crisisdesk.sources.feed.entry import Entry
from crisisdesk.sources.feed.pace import spread, until_next
from crisisdesk.sources.feed.place import FeedPlace, cursor_of, name_of, parse_cursor
from crisisdesk.sources.feed.request import Asking, Question
from crisisdesk.sources.feed.trouble import Trouble, diagnose, shown
from crisisdesk.text import counted

AT_ONCE: Final = 10
"""Servers that are asked at the same time."""
HOST_PAUSE: Final = 2.0
"""Seconds between two questions to one server."""
TOLD: Final = 3
"""Feeds whose troubles are told in full."""

_WAITS: Final = partial(delays, 60.0, 2.0, 900.0)


@dataclass(slots=True)
class _Feed:
    """One of the addresses, and what is known of what lies there."""

    url: URL
    waits: Iterator[float]
    place: FeedPlace = field(default_factory=FeedPlace)
    document: Document = field(default_factory=Document)
    """The last one, of which only its wishes are kept."""
    digest: bytes = b""
    """Of the last one, as it was sent."""
    was_asked: bool = False
    is_live: bool = False
    trouble: Trouble | None = None

    @property
    def site(self) -> str:
        """What people call where its entries stand, the same for all feeds of one site."""
        return (self.url.host or "").removeprefix("www.")

    def id_of(self, entry: Entry) -> str:
        """Its id on the whole site; a bare number, as many feeds count their entries, is one only with the feed."""
        return f"{entry.id}@{name_of(str(self.url))}" if entry.id.isdecimal() else entry.id

    def post(self, entry: Entry, arrival: datetime, *, was_changed: bool = False) -> Post:
        """The post that an entry is.

        Args:
            entry: of this feed.
            arrival: when it was read; a later date is set back to it.
            was_changed: it concerns a watch only since it was changed, so that this is when it was said.
        """
        said = max(entry.published or 0, entry.updated or 0) if was_changed else entry.published
        time = arrival if not said else min(datetime.fromtimestamp(said, UTC), arrival)
        return Post(self.id_of(entry), self.site, time, entry.text, entry.author, entry.lang, entry.url)


class Feeds:
    """The entries of some feeds.

    Args:
        urls: of the feeds.
        clock: tells when entries arrive, and waits.
        name: what status lines call the source.
        every: how often each is read, unless its server wants to be asked less often.
        user_agent: who we are to the servers; None for crisisdesk and its version.
        authorization: the header with which the configured servers let us in; empty where they do not ask.
        waits: the seconds to wait between attempts at a feed that fails, begun afresh when it was read.
        asking: opens what asks; for tests.
    """

    pushes: Final = False
    resumes: Final = True

    def __init__(
        self,
        urls: Sequence[str],
        clock: Clock,
        *,
        name: str = "feed",
        every: timedelta = timedelta(minutes=10),
        user_agent: str | None = None,
        authorization: str = "",
        waits: Callable[[], Iterator[float]] = _WAITS,
        asking: Callable[[str | None], Asking] = Asking,
    ) -> None:
        self.name = name
        self._feeds = {url: _Feed(URL(url), waits()) for url in urls}
        self._clock = clock
        self._every = every
        self._user_agent = user_agent
        self._authorization = authorization
        self._waits = waits
        self._asking = asking
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By server: it is asked one thing at a time, and nothing before it wants to be."""
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._reading, self._handing_over = asyncio.Lock(), asyncio.Lock()
        self._cursor = cursor_of({})
        self._has_failed = False
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = 0

    @property
    def cursor(self) -> str:
        """What is known of each feed; it stands before a document until all of its entries were sent.

        There is one from the beginning: a feed that was never read can always be read.
        """
        return self._cursor

    def resume(self, cursor: str) -> None:
        """Send only what is not known from then.

        Raises:
            ValueError: it is damaged.
        """
        for url, place in parse_cursor(cursor, self._feeds).items():
            self._feeds[url].place = place
        self._stand_here()

    def status(self) -> SourceStatus:
        """How it is doing: every answer is an event, every new entry a post; `bad` are those without words.

        It is live when each feed was asked and one of them could be read.
        """
        feeds = self._feeds.values()
        is_live = all(feed.was_asked for feed in feeds) and any(feed.is_live for feed in feeds)
        return SourceStatus(
            name=self.name,
            state="failed" if self._has_failed else "live" if is_live else "connecting",
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            bad=self._bad,
            trouble=self._told(),
        )

    async def run(self, edge: Edge) -> None:
        """Read all feeds until cancelled, each at its own pace.

        Raises:
            FatalSourceError: not one of them lets us read it as we are set up; the status says `failed`.
        """
        async with self._asking(self._user_agent) as asking, asyncio.TaskGroup() as group:
            for feed in self._feeds.values():
                group.create_task(self._follow(feed, asking, edge), name=f"feed {shown(feed.url)}")
        self._has_failed = True
        raise FatalSourceError(self._told())

    async def _follow(self, feed: _Feed, asking: Asking, edge: Edge) -> None:
        """Read one feed again and again, until there is no hope for it."""
        while feed.trouble is None or not feed.trouble.is_final:
            async with self._turns[feed.url.authority]:
                feed_waits, server_waits = await self._read(feed, asking, edge)
                await self._sleep(server_waits)
            await self._sleep(feed_waits - server_waits)

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=max(0.0, seconds)))

    async def _read(self, feed: _Feed, asking: Asking, edge: Edge) -> tuple[float, float]:
        """Read one feed once; returns in how many seconds it may be read again, and its server asked for another."""
        async with self._at_once:
            outcome = await self._ask(feed, asking, self._clock.now())
        if isinstance(outcome, Answer):
            outcome = await self._take(feed, outcome, edge) or outcome
        feed.was_asked = True
        if isinstance(outcome, Answer):
            wishes = feed.document
            patience = max(outcome.max_age, 60.0 * wishes.ttl)
            again = until_next(self._clock.now(), self._every, patience, wishes.skip_hours, wishes.skip_days)
            return again, max(HOST_PAUSE, outcome.wait)
        feed.is_live, feed.trouble = False, outcome
        again = 0.0 if outcome.is_final else spread(max(next(feed.waits), outcome.wait))
        return again, again if outcome.is_of_host else HOST_PAUSE

    async def _ask(self, feed: _Feed, asking: Asking, now: datetime) -> Answer | Trouble:
        place = feed.place
        address = URL(place.moved) if place.moved else feed.url
        question = Question(feed.url, address, place.etag, place.modified, self._authorization)
        try:
            return await asking.ask(question, now)
        except (aiohttp.ClientError, OSError, ValueError, SourceError) as error:
            return self._judge(feed, error)

    def _judge(self, feed: _Feed, error: Exception) -> Trouble:
        has_password, has_agent = bool(self._authorization), self._user_agent is not None
        trouble = diagnose(
            error, feed.url, is_proven=feed.place.was_read, has_password=has_password, has_agent=has_agent
        )
        if feed.place.moved:  # perhaps it has come back
            feed.place = replace(feed.place, moved="")
            self._stand_here()
            return replace(trouble, is_final=False)
        return trouble

    async def _take(self, feed: _Feed, answer: Answer, edge: Edge) -> Trouble | None:
        """Hand over what is new in an answer; returns what is wrong with it."""
        arrival = self._clock.now()
        known = feed.place
        moved = answer.moved or known.moved
        if answer.content is None or (digest := _digest(answer.content)) == feed.digest:
            if known.was_read and moved != known.moved:
                feed.place = replace(known, moved=moved)
                self._stand_here()
            self._was_heard(feed, arrival)
            return None
        try:
            async with self._reading:  # one at a time: each takes a process
                document = await read_apart(
                    answer.content, charset=answer.charset, language=answer.language, address=answer.address
                )
        except (InputError, OSError) as error:
            return self._judge(feed, error)
        async with self._handing_over:
            await self._hand_over(feed, document, arrival, edge)
        # Of one that was cut off, the rest may come under the same marks.
        etag, modified = (answer.etag, answer.modified) if document.is_whole else ("", "")
        feed.place = known.after(reversed(document.entries), etag=etag, modified=modified, moved=moved)
        self._bad += max(0, document.unusable - feed.document.unusable)
        feed.document, feed.digest = replace(document, entries=()), digest
        self._stand_here()
        self._was_heard(feed, arrival)
        return None

    async def _hand_over(self, feed: _Feed, document: Document, arrival: datetime, edge: Edge) -> None:
        """Send what is new, oldest first, and correct what has changed."""
        for entry in reversed(document.entries):
            if not feed.place.knows(entry):
                self._posts += 1
                if not feed.place.was_read and (entry.published or math.inf) > arrival.timestamp():
                    continue
                if watches := edge.concerns(entry.text, entry.author):
                    await edge.send(feed.post(entry, arrival), watches)
            elif feed.place.has_changed(entry):
                await edge.correct(Correction(feed.site, feed.id_of(entry), entry.text))
                if watches := edge.concerns(entry.text, entry.author):  # perhaps only now
                    await edge.send(feed.post(entry, arrival, was_changed=True), watches)

    def _was_heard(self, feed: _Feed, now: datetime) -> None:
        feed.waits = self._waits()
        feed.is_live, feed.trouble = True, None
        self._last_event = now
        self._events += 1

    def _stand_here(self) -> None:
        """The cursor is made once for each document; each of its posts keeps one until it is through."""
        self._cursor = cursor_of({url: feed.place for url, feed in self._feeds.items()})

    def _told(self) -> str:
        """What is wrong with feeds, and what has to be set otherwise."""
        said = [str(feed.trouble) for feed in self._feeds.values() if feed.trouble]
        for feed in self._feeds.values():
            if feed.place.moved:
                there = shown(URL(feed.place.moved))
                said.append(f"{shown(feed.url)} has moved for good to {there}; write that as 'url' of the source.")
        more = f" {counted(len(said) - TOLD, 'more feed is', 'more feeds are')} in trouble." if len(said) > TOLD else ""
        return " ".join(said[:TOLD]) + more


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
