"""A server of feeds for tests, the clock that a source waits by, and feeds as they are found in the world."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from aiohttp import web
from edges import Taken

from crisisdesk.errors import FatalSourceError
from crisisdesk.sources.feed.answer import Answer as FeedAnswer
from crisisdesk.sources.feed.request import Asking, Question
from crisisdesk.sources.feed.source import Feeds

NOW = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SteeredClock:
    """Time passes only when the test says so, and to the next moment that somebody waits for."""

    def __init__(self, now: datetime = NOW) -> None:
        self._now = now
        self._sleepers: list[tuple[datetime, asyncio.Event]] = []

    def now(self) -> datetime:
        return self._now

    async def sleep_until(self, moment: datetime) -> None:
        if moment > self._now:
            sleeper = (moment, asyncio.Event())
            self._sleepers.append(sleeper)
            try:
                await sleeper[1].wait()
            finally:
                with suppress(ValueError):
                    self._sleepers.remove(sleeper)

    @property
    def sleeping(self) -> int:
        return len(self._sleepers)

    @property
    def next(self) -> datetime | None:
        """The next moment that somebody waits for."""
        return min((moment for moment, _ in self._sleepers), default=None)

    def pass_to(self, moment: datetime) -> None:
        self._now = max(self._now, moment)
        for sleeper in [one for one in self._sleepers if one[0] <= self._now]:
            self._sleepers.remove(sleeper)
            sleeper[1].set()


class Site:
    """A server that answers each path with the next of its answers, the last one ever again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[web.Request] = []
        self.at_once: int = 0
        self.most_at_once: int = 0
        self.base = ""
        self._counted: dict[str, int] = {}

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        answers = self.answers[request.path]
        number = self._counted[request.path] = self._counted.get(request.path, 0) + 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await answers[min(number, len(answers)) - 1](request)
        finally:
            self.at_once -= 1

    def asked(self, path: str) -> list[web.Request]:
        return [request for request in self.requests if request.path == path]

    def url(self, path: str) -> str:
        return self.base + path


@asynccontextmanager
async def serving(host: str = "127.0.0.1") -> AsyncIterator[Site]:
    site, application = Site(), web.Application()
    application.router.add_get("/{path:.*}", site.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, host, 0).start()
    site.base = f"http://{host}:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


def gives(
    body: str | bytes = b"",
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    etag: str = "",
    modified: str = "",
    packed: bool = False,
) -> Answer:
    """An answer; 304 where the request knows its marks."""

    async def answer(request: web.Request) -> web.StreamResponse:
        said = {"Content-Type": "application/xml"} | dict(headers or {})
        content = body.encode() if isinstance(body, str) else body
        if etag:
            said["ETag"] = etag
        if modified:
            said["Last-Modified"] = modified
        if (etag and request.headers.get("If-None-Match") == etag) or (
            modified and request.headers.get("If-Modified-Since") == modified
        ):
            return web.Response(status=304, headers=said)
        if packed:
            said["Content-Encoding"] = "gzip"
            content = gzip.compress(content)
        return web.Response(status=status, body=content, headers=said)

    return answer


def sends_to(location: str, status: int) -> Answer:
    """A redirect, after which the connection is closed."""
    return gives(status=status, headers={"Location": location, "Connection": "close"})


def says_raw(head: str, body: bytes = b"", *, drip: float = 0.0, hold: bool = False) -> Answer:
    """An answer written byte for byte: in drops, or with a connection that stays open and mute."""

    async def answer(request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        transport.write(head.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        if drip:
            for at in range(len(body)):
                transport.write(body[at : at + 1])
                await asyncio.sleep(drip)
        else:
            transport.write(body)
        if hold:
            await asyncio.sleep(30)
        transport.close()
        return web.Response()

    return answer


def item(number: int, text: str = "", *, date: datetime | None = None, more: str = "") -> str:
    moment = NOW - timedelta(hours=1) + timedelta(minutes=number) if date is None else date
    return (
        f"<item><guid isPermaLink='false'>urn:entry:{number}</guid><title>{text or f'entry {number}'}</title>"
        f"<link>https://blog.example/{number}</link><pubDate>{moment:%a, %d %b %Y %H:%M:%S} GMT</pubDate>{more}</item>"
    )


def rss(*items: str, more: str = "") -> str:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Blog</title>{more}{"".join(items)}</channel></rss>'


def numbered(*numbers: int) -> str:
    """Newest first, as feeds are written."""
    return rss(*(item(number) for number in sorted(numbers, reverse=True)))


def public(_: str) -> bool:
    """For `is_inward`: the test's server lies where everybody gets."""
    return False


class CountedAsking(Asking):
    """Knows how many questions were asked."""

    count = 0

    async def ask(self, question: Question, now: datetime) -> FeedAnswer:
        self.count += 1
        return await super().ask(question, now)


class Reading:
    """A source that runs, and what it has handed over.

    Args:
        source: that is read.
        clock: it waits by.
        edge: takes what comes.
        asking: asks for it.
    """

    def __init__(
        self, source: Feeds, clock: SteeredClock, edge: Taken, asking: CountedAsking, task: "asyncio.Task[None]"
    ) -> None:
        self.source, self.clock, self.edge, self.asking, self.task = source, clock, edge, asking, task

    @property
    def trouble(self) -> str:
        return self.source.status().trouble

    async def rests(self) -> None:
        """Wait until every feed waits for nothing but the clock."""
        async with asyncio.timeout(20):
            while not self._is_resting():  # noqa: ASYNC110 - there is nobody to tell us
                await asyncio.sleep(0.005)
        if self.task.done() and not isinstance(self.task.exception(), FatalSourceError):
            await self.task

    def _is_resting(self) -> bool:
        turns = self.source._turns.values()
        queued = sum(len(turn._waiters or ()) for turn in turns if turn.locked())
        alive = sum(task.get_name().startswith("feed ") for task in asyncio.all_tasks() if not task.done())
        began = self.task.done() or bool(turns)
        return began and self.clock.sleeping + queued == alive

    async def again(self) -> timedelta:
        """Let time pass until a feed is asked, or none will be, and wait until it was read; returns how long it was."""
        await self.rests()
        before, count = self.clock.now(), self.asking.count
        while self.asking.count == count and not self.task.done():
            await self._step()
        return self.clock.now() - before

    async def _step(self) -> None:
        moment = self.clock.next
        assert moment is not None
        self.clock.pass_to(moment)
        await self.rests()

    async def pass_by(self, span: timedelta) -> None:
        """Let so much time pass, and do what is due on the way."""
        until = self.clock.now() + span
        await self.rests()
        while (moment := self.clock.next) is not None and moment <= until:
            await self._step()
        self.clock.pass_to(until)


def steady(*seconds: float) -> Callable[[], Iterator[float]]:
    """Waits of known length."""

    def waits() -> Iterator[float]:
        yield from seconds
        while True:
            yield seconds[-1]

    return waits


@asynccontextmanager
async def reading(
    *urls: str,
    clock: SteeredClock | None = None,
    edge: Taken | None = None,
    cursor: str | None = None,
    seconds: float = 5.0,
    is_inward: Callable[[str], bool] | None = None,
    **settings: object,
) -> AsyncIterator[Reading]:
    """Read feeds, by a clock that stands still."""
    clock, edge = clock or SteeredClock(), edge or Taken()
    asking = CountedAsking(str(settings.get("user_agent") or "crisisdesk"), seconds=seconds, is_inward=is_inward)
    source = Feeds(
        urls,
        clock,
        asking=lambda _: asking,
        **settings,  # type: ignore[arg-type]
    )
    if cursor is not None:
        source.resume(cursor)
    task = asyncio.create_task(source.run(edge))
    running = Reading(source, clock, edge, asking, task)
    try:
        yield running
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
