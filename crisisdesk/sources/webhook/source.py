"""Posts that others send us over HTTP: listening suites, forms, a script of one's own.

A sender repeats a request until it has our 202, and may do so without harm: it gets that only when the posts are safe,
and a post that comes again, by whatever way and also after a restart, has its id again (its own, or a digest of time,
author and text) and counts once. So one whose answer was lost is not told of an error, and one that repeats what it has
overheard changes nothing. What is known of signatures is forgotten with the desk: it only spares work.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from datetime import datetime
from functools import partial
from http import HTTPStatus
from math import ceil
from typing import Final, NoReturn, Protocol

from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, SourceError, StorageError
from crisisdesk.net.rate import Rate
from crisisdesk.records import SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.bodies import Body
from crisisdesk.sources.webhook.in_hand import InHand
from crisisdesk.sources.webhook.outcome import Outcome, Unreadable
from crisisdesk.sources.webhook.posted import Reader, check_form
from crisisdesk.sources.webhook.refusals import Refusals, Refused
from crisisdesk.sources.webhook.signature import TOLERANCE, Head, Keys, Signed
from crisisdesk.text import shorten
from crisisdesk.threads import in_daemon_thread

KEEP_SECONDS: Final = 8.0
"""How long a sender is kept waiting; many give up after ten seconds."""

_AT_ONCE: Final = 1 << 16
"""Bytes that are read without a thread of their own: a few milliseconds."""
_WORST_REASON: Final = 120


class Listener(Protocol):
    """What listens on the desk's address for all its webhooks together."""

    def serving(self, webhook: "Webhook") -> AbstractAsyncContextManager[None]:
        """Inside, hand over what is sent to the webhook's address.

        Raises:
            SourceError: it cannot listen there; a FatalSourceError says that it never will.
        """


class Webhook:
    """What is posted to `/ingest/<name>`.

    Args:
        name: its part of the address, and the source of posts that name none.
        listener: brings the requests.
        clock: tells when they come.
        keys: what its senders are known by.
        most_bytes: of a request, packed and unpacked.
        per_minute: requests, in the long run and at once.
        keep_seconds: how long a sender is kept waiting.
        waits: seconds between attempts to listen, where another programme is in the way or the network is not there.
    """

    pushes: Final = False
    resumes: Final = False
    cursor: Final = None

    def __init__(
        self,
        name: str,
        listener: Listener,
        clock: Clock,
        keys: Keys,
        *,
        most_bytes: int = 5_000_000,
        per_minute: int = 600,
        keep_seconds: float = KEEP_SECONDS,
        waits: Iterable[float] | None = None,
    ) -> None:
        self.name = name
        self.most_bytes = most_bytes
        self._listener = listener
        self._clock = clock
        self._keys = keys
        self._per_minute = per_minute
        self._rate = Rate(per_minute)
        self._keep_seconds = keep_seconds
        self._waits = delays(most=10.0) if waits is None else waits
        self._edge: Edge | None = None
        self._refusals = Refusals(f"/ingest/{name}")
        self._reader = Reader(name, most_bytes)
        self._reading = asyncio.Lock()
        self._in_hand: InHand[Outcome] = InHand(2 * TOLERANCE)
        self._state = "connecting"
        self._trouble = ""
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = 0

    def resume(self, cursor: str) -> None:
        """Senders repeat what we have not confirmed; there is nothing to go on at."""

    def status(self) -> SourceStatus:
        """How it is doing: every request that was taken is an event, `bad` are posts that could not be read."""
        return SourceStatus(
            name=self.name,
            state=self._state,
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            bad=self._bad,
            trouble=self._trouble or self._refusals.told(self._clock.now()),
        )

    async def run(self, edge: Edge) -> None:
        """Take what is posted until cancelled; what is in hand then is still kept and confirmed.

        Raises:
            FatalSourceError: the desk will never be able to listen on its address; the status says `failed`.
        """
        for wait in self._waits:
            try:
                await self._serve(edge)
            except FatalSourceError as error:
                self._state, self._trouble = "failed", str(error)
                raise
            except SourceError as error:
                self._trouble = f"{error} It is tried again."
                await asyncio.sleep(wait)

    async def _serve(self, edge: Edge) -> NoReturn:
        """Take what is posted.

        Raises:
            SourceError: the desk cannot listen on its address.
        """
        async with self._listener.serving(self):
            self._edge, self._state, self._trouble = edge, "live", ""
            try:
                while True:
                    await asyncio.Event().wait()
            finally:
                self._state = "ended"
                self._edge = None
                await self._in_hand.finish()

    def admit(self, head: Head) -> None:
        """Look at what can be judged of a request before its body is read.

        Raises:
            Refused: with the answer to its sender.
        """
        with self._noting():
            self._keys.admit(head, self._clock.now())
            check_form(head)
        self.check_size(head.size or 0)

    def check_size(self, size: int) -> None:
        """Look whether a body of so many bytes is taken.

        Raises:
            Refused: it is too large.
        """
        with self._noting():
            if size > self.most_bytes:
                raise Refused(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                    f"It has more than {self.most_bytes:,} bytes; send fewer posts at once.",
                    what=f"more than {self.most_bytes:,} bytes at once",
                    cure="let them send fewer posts at once, or raise 'most_bytes' of the source",
                )

    async def take(self, head: Head, body: bytes) -> Outcome:
        """Take a request that was admitted; its posts are safe when this returns.

        Raises:
            Refused: with the answer to its sender.
        """
        with self._noting():
            now = self._clock.now()
            signed = self._keys.check(head, body)
            work = (signed and self._in_hand.known(signed.digest)) or self._begin(head, body, signed, now)
            await asyncio.wait({work}, timeout=self._keep_seconds)
            if not work.done():
                raise _busy("The desk needs longer than usual to take it; send it again, it will count once.")
            if work.cancelled():
                raise _stopping()
            return work.result()

    def _begin(self, head: Head, body: bytes, signed: Signed | None, now: datetime) -> asyncio.Task[Outcome]:
        """Start to take a request.

        Raises:
            Refused: there are too many of them.
        """
        if self._edge is None:
            raise _stopping()
        size = self.most_bytes if head.encoding else len(body)
        if not self._in_hand.has_room(size):
            raise _busy("The desk has too much in hand at the moment; send it again.")
        if seconds := self._rate.wait(now):
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"More than {self._per_minute:,} requests came within a minute; send several posts in one, or later.",
                again=ceil(seconds),
                what=f"more than {self._per_minute:,} requests a minute",
                cure="let them send several posts in one, or raise 'per_minute' of the source",
            )
        read = partial(self._reader.read, head, body, now, signed.moment if signed else None)
        in_thread = len(body) > _AT_ONCE or bool(head.encoding)
        work = self._work(self._edge, read, now, in_thread=in_thread)
        return self._in_hand.begin(work, size, signed.digest if signed else None, now)

    async def _work(self, edge: Edge, read: Callable[[], Body], arrival: datetime, *, in_thread: bool) -> Outcome:
        """Read the posts and have them kept."""
        async with self._reading:  # one at a time: their objects take many times the bytes
            found = await in_daemon_thread(read) if in_thread else read()
        outcome = self._judge(found)
        try:
            await edge.keep(found.posts)
            for correction in found.corrections:
                await edge.correct(correction)
        except StorageError as error:
            self._trouble = str(error)
            sentence = "The desk cannot write posts down at the moment; send it again."
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, sentence, again=30) from None
        self._trouble = ""
        self._last_event = arrival
        self._events += 1
        self._posts += outcome.taken
        return outcome

    def _judge(self, found: Body) -> Outcome:
        """What to answer.

        Raises:
            Unreadable: there is no good post among bad ones.
        """
        outcome = Outcome.of(found)
        if found.bad:
            self._bad += len(found.bad)
            self._refusals.note("what cannot be read", shorten(found.bad[0][1], _WORST_REASON), self._clock.now())
            if not outcome.taken:
                raise Unreadable(outcome)
        return outcome

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Remember for the status what is refused."""
        try:
            yield
        except Refused as refused:
            if refused.what:
                self._refusals.note(refused.what, refused.cure, self._clock.now())
            raise


def _stopping() -> Refused:
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "The desk is about to stop; send it again soon.", again=30)


def _busy(sentence: str) -> Refused:
    return Refused(
        HTTPStatus.SERVICE_UNAVAILABLE,
        sentence,
        again=10,
        what="faster than the desk can write it down",
        cure="they will send it again; if this lasts, look at the disk",
    )
