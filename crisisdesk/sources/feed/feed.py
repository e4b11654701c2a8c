"""One feed: it is asked, read apart, and what is new in it is sent.

Entries keep the date that their feed gives them. What a feed holds when it is read for the first time is the past, and
a search that finds an article a day late has found what was said yesterday: with the moment of the finding, a hundred
old posts would be a storm that never was. The price is a feed whose clock goes wrong, whose posts count too early. An
entry without a date was written since the reading before, and one with a date to come at the latest now; in the first
reading nobody knows when, so that those are known from then on and count for nothing.

A changed entry is corrected; that one is missing says nothing, since feeds show only their newest. In a storm that may
be too few: where none of many is known, some are likely to have come and gone unseen. That is told, and the feed read
at once more often.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk.clock import Clock
from crisisdesk.errors import InputError, SourceError
from crisisdesk.records import TOLD_FOR, Correction, Post
from crisisdesk.sources.base import Edge
from crisisdesk.sources.feed.answer import Answer
from crisisdesk.sources.feed.apart import read_apart
from crisisdesk.sources.feed.document import Document
from crisisdesk.sources.feed.entry import Entry
from crisisdesk.sources.feed.pace import spread, until_next
from crisisdesk.sources.feed.place import FeedPlace, name_of
from crisisdesk.sources.feed.request import Asking, Question
from crisisdesk.sources.feed.trouble import Trouble, diagnose, shown

MANY: Final = 10
"""Entries of which one at least would be known from before, if none had been missed."""
OFTEN: Final = timedelta(minutes=1)
"""How often a feed is read from which some are missed."""


class Feed:
    """What lies at one address.

    Args:
        url: the address.
        clock: tells when entries arrive.
        every: how often it is read, unless it wants to be read less often.
        authorization: the header with which its server lets us in; empty where it does not ask.
        has_agent: the settings say who we are.
        waits: the seconds to wait between attempts, begun afresh when it was read.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        every: timedelta,
        authorization: str,
        has_agent: bool,
        waits: Callable[[], Iterator[float]],
    ) -> None:
        self.url = URL(url)
        self.place = FeedPlace()
        """It stands before a document until all of its entries were sent."""
        self.trouble: Trouble | None = None
        """What was the matter last; None after a good reading, and before the first."""
        self.last_read: datetime | None = None
        self.readings = self.entries = self.unusable = 0
        """Good answers, new entries, and those without words."""
        self._clock = clock
        self._every = every
        self._authorization = authorization
        self._has_agent = has_agent
        self._begin_waits = waits
        self._waits = waits()
        self._wishes = Document()
        """The last one, without its entries."""
        self._digest = b""
        """Of the last one, as it was sent."""
        self._overrun: datetime | None = None
        """When it was read last and nothing in it was known."""

    @property
    def is_live(self) -> bool:
        """Whether it could be read when it was last asked."""
        return self.readings > 0 and self.trouble is None

    def told(self) -> Iterator[str]:
        """What is wrong with it, and what has to be set otherwise."""
        if self.trouble:
            yield self.trouble.sentence
        if self.place.moved:
            there = URL(self.place.moved)
            name = f"{there.scheme}://{shown(there)}"
            name = f"{name}?…" if there.query_string and "?" not in name else name
            yield f"{shown(self.url)} has moved for good to {name}; write that as 'url' of the source."
        if self._overrun and self._clock.now() - self._overrun <= TOLD_FOR:
            when = f"{self._overrun:%d %B at %H:%M} UTC"
            yield f"{shown(self.url)} shows its newest entries only, and on {when} all were new: some may be missing."

    async def ask(self, asking: Asking) -> Answer | None:
        """Ask for it; None where it cannot be had, and then there is a `trouble`."""
        place = self.place
        address = URL(place.moved) if place.moved else self.url
        question = Question(self.url, address, place.etag, place.modified, self._authorization)
        try:
            return await asking.ask(question, self._clock.now())
        except (aiohttp.ClientError, OSError, ValueError, SourceError) as error:
            self._fail(error)
            return None

    async def take(self, answer: Answer, edge: Edge) -> None:
        """Send what is new in an answer; where it cannot be read, there is a `trouble`."""
        arrival = self._clock.now()
        moved = answer.moved or self.place.moved
        if answer.content is None or (digest := _digest(answer.content)) == self._digest:
            if self.place.was_read and moved != self.place.moved:
                self.place = replace(self.place, moved=moved)
        else:
            try:
                document = await read_apart(
                    answer.content, charset=answer.charset, language=answer.language, address=answer.address
                )
            except (InputError, OSError) as error:
                self._fail(error, URL(answer.address))
                return
            await self._send(document, arrival, edge)
            known = [self.place.knows(entry) for entry in document.entries]
            if self.place.was_read and len(known) >= MANY and not any(known):
                self._overrun = arrival
            # Of one that was cut off, the rest may come under the same marks.
            etag, modified = (answer.etag, answer.modified) if document.is_whole else ("", "")
            self.place = self.place.after(reversed(document.entries), etag=etag, modified=modified, moved=moved)
            self.unusable += max(0, document.unusable - self._wishes.unusable)
            self._wishes, self._digest = replace(document, entries=()), digest
        self.last_read, self.trouble = arrival, None
        self.readings += 1
        self._waits = self._begin_waits()

    def until_next(self, answer: Answer | None) -> float:
        """Seconds until it is to be asked again.

        Args:
            answer: what came of asking.
        """
        if self.trouble:
            return 0.0 if self.trouble.is_final else spread(max(next(self._waits), self.trouble.wait))
        wishes = self._wishes
        patience = max(answer.max_age if answer else 0.0, 60.0 * wishes.ttl)
        every = OFTEN if self._overrun and self._overrun == self.last_read else self._every
        return until_next(self._clock.now(), every, patience, wishes.skip_hours, wishes.skip_days)

    async def _send(self, document: Document, arrival: datetime, edge: Edge) -> None:
        """Send what is new, oldest first, and correct what has changed."""
        for entry in reversed(document.entries):
            if not self.place.knows(entry):
                self.entries += 1
                if not self.place.was_read and (entry.published or math.inf) > arrival.timestamp():
                    continue
                if watches := edge.concerns(entry.text, entry.author):
                    await edge.send(self._post(entry, entry.published, arrival), watches)
            elif self.place.has_changed(entry):
                await edge.correct(Correction(self._site, self._id(entry), entry.text))
                if watches := edge.concerns(entry.text, entry.author):  # perhaps only now, so this is when it was said
                    said = max(entry.published or 0, entry.updated or 0)
                    await edge.send(self._post(entry, said, arrival), watches)

    def _post(self, entry: Entry, said: int | None, arrival: datetime) -> Post:
        """The post that an entry is; a date to come is set back to the arrival."""
        time = arrival if not said else min(datetime.fromtimestamp(said, UTC), arrival)
        return Post(self._id(entry), self._site, time, entry.text, entry.author, entry.lang, entry.url)

    @property
    def _site(self) -> str:
        """What people call where its entries stand, the same for all feeds of one site."""
        return (self.url.host or "").removeprefix("www.")

    def _id(self, entry: Entry) -> str:
        """Its id on the whole site; a bare number, as many feeds count their entries, is one only with the feed."""
        return f"{entry.id}@{name_of(self.url.path_qs)}" if entry.id.isdecimal() else entry.id

    def _fail(self, error: Exception, address: URL | None = None) -> None:
        self.trouble = diagnose(
            error,
            self.url,
            address or self.url,
            is_proven=self.place.was_read,
            has_password=bool(self._authorization),
            has_agent=self._has_agent,
        )
        if self.place.moved:  # perhaps it has come back
            self.place = replace(self.place, moved="")
            self.trouble = replace(self.trouble, is_final=False, is_of_host=False)


def _digest(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()
