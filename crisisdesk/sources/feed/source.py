"""RSS and Atom feeds: blogs, newspapers, forums, channels, and whatever a search offers as a feed, such as Reddit's.

One source may read many feeds, each on its own: one that is broken, gone or slow costs the others nothing. Servers are
asked politely: whether there is anything new, no more often than they wish, one question at a time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.feed.feed import Feed
from crisisdesk.sources.feed.place import FeedPlace, cursor_of, parse_cursor
from crisisdesk.sources.feed.request import Asking
from crisisdesk.sources.feed.trouble import shown

AT_ONCE: Final = 10
"""Servers that are asked at the same time."""
HOST_PAUSE: Final = 2.0
"""Seconds between two questions to one server."""
TOLD: Final = 3
"""Feeds whose troubles are told in full,"""
NAMED: Final = 10
"""and others that are named at least."""

_MORE: Final = f"Some feeds are still to be asked, those of one server {HOST_PAUSE:g} seconds apart."
_WAITS: Final = partial(delays, 60.0, 2.0, 900.0)


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
        has_agent = user_agent is not None
        self._feeds = {
            url: Feed(url, clock, every=every, authorization=authorization, has_agent=has_agent, waits=waits)
            for url in urls
        }
        self._unasked = set(self._feeds.values())
        """Those that were not asked yet, though their servers want to be."""
        self._clock = clock
        self._asking = partial(asking, user_agent)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By server: it is asked one thing at a time, and nothing before it wants to be."""
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._taking = asyncio.Lock()
        """Answers are taken one at a time, since each needs a process."""
        self._places: list[FeedPlace] = []
        self._cursor = cursor_of({})
        self._has_failed = False

    @property
    def cursor(self) -> str:
        """What is known of each feed.

        There is one from the beginning: a feed that was never read can always be read.
        """
        places = [feed.place for feed in self._feeds.values()]
        if places != self._places:  # each post under way keeps one, so it is made once for each document
            self._places = places
            self._cursor = cursor_of(dict(zip(self._feeds, places, strict=True)))
        return self._cursor

    def resume(self, cursor: str) -> None:
        """Send only what is not known from then.

        Raises:
            ValueError: it is damaged.
        """
        for url, place in parse_cursor(cursor, self._feeds).items():
            self._feeds[url].place = place

    def status(self) -> SourceStatus:
        """How it is doing: every good answer is an event, every new entry a post; `bad` are those without words.

        It is live when each feed was asked that can be, and one of them was read.
        """
        feeds = self._feeds.values()
        is_live = not self._unasked and any(feed.is_live for feed in feeds)
        return SourceStatus(
            name=self.name,
            state="failed" if self._has_failed else "live" if is_live else "connecting",
            last_event=max((feed.last_read for feed in feeds if feed.last_read), default=None),
            events=sum(feed.readings for feed in feeds),
            posts=sum(feed.entries for feed in feeds),
            bad=sum(feed.unusable for feed in feeds),
            trouble=self._told(),
            note=_MORE if 0 < len(self._unasked) < len(feeds) else "",
        )

    async def run(self, edge: Edge) -> None:
        """Read all feeds until cancelled, each at its own pace.

        Raises:
            FatalSourceError: not one of them lets us read it as we are set up; the status says `failed`.
        """
        async with self._asking() as asking, asyncio.TaskGroup() as group:
            for feed in self._feeds.values():
                group.create_task(self._follow(feed, asking, edge), name=f"feed {shown(feed.url)}")
        self._has_failed = True
        raise FatalSourceError(self._told())

    async def _follow(self, feed: Feed, asking: Asking, edge: Edge) -> None:
        """Read one feed again and again, until there is no hope for it."""
        while feed.trouble is None or not feed.trouble.is_final:
            async with self._turns[feed.url.authority]:
                async with self._at_once:
                    answer = await feed.ask(asking)
                if answer:
                    async with self._taking:
                        await feed.take(answer, edge)
                again, pause = feed.until_next(answer), max(HOST_PAUSE, answer.wait if answer else 0.0)
                self._unasked.discard(feed)
                if feed.trouble and feed.trouble.is_of_host:
                    pause = again
                if pause > HOST_PAUSE:
                    self._unasked -= {one for one in self._unasked if one.url.authority == feed.url.authority}
                await self._sleep(pause)
            await self._sleep(again - pause)

    async def _sleep(self, seconds: float) -> None:
        await self._clock.sleep_until(self._clock.now() + timedelta(seconds=max(0.0, seconds)))

    def _told(self) -> str:
        """What is wrong with feeds, and what has to be set otherwise."""
        said = {feed: " ".join(feed.told()) for feed in self._feeds.values()}
        troubled = [feed for feed in said if said[feed]]
        told = " ".join(said[feed] for feed in troubled[:TOLD])
        others = [shown(feed.url) for feed in troubled[TOLD:]]
        if not others:
            return told
        more = f" and {len(others) - NAMED} more" if len(others) > NAMED else ""
        return f"{told} In trouble, too: {', '.join(others[:NAMED])}{more}."
