"""What streams to consoles: whole pictures and what changes, for many at once, however they read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import aiohttp
import orjson
import pytest
from aiohttp import web

from crisisdesk import wire
from crisisdesk.desk import Picture
from crisisdesk.records import EPOCH, SourceStatus
from crisisdesk.server import pictures
from crisisdesk.server.pictures import Pictures

STREAM = {"Accept": "text/event-stream"}


class Desk:
    """Shows what a test puts into it."""

    def __init__(self) -> None:
        self.shown = Picture(EPOCH, sources=(SourceStatus("a" * 2000),))
        self.taken = 0
        self.error: Exception | None = None
        self._touched = asyncio.Event()

    def put(self, **changes: object) -> None:
        self.shown = replace(self.shown, number=self.shown.number + 1, **changes)
        self._touched.set()
        self._touched = asyncio.Event()

    async def picture(self) -> Picture:
        self.taken += 1
        if self.error:
            raise self.error
        return self.shown

    async def changed(self, since: Picture) -> None:
        if since.number == self.shown.number:
            await self._touched.wait()


@dataclass
class Reader:
    """One who reads a stream, and what it knows by it."""

    response: aiohttp.ClientResponse
    picture: Picture | None = None
    last: str = ""

    async def next(self) -> str:
        """Take the next event in; returns its kind."""
        async with asyncio.timeout(5):
            lines = (await self.response.content.readuntil(b"\n\n")).decode().strip().split("\n")
        fields = dict(line.split(": ", 1) for line in lines)
        data = orjson.loads(fields["data"])
        if fields["event"] == "picture":
            self.picture = wire.decoded(data, Picture)
        else:
            assert self.picture is not None
            self.picture = wire.applied(self.picture, data)
        self.last = fields["id"]
        return fields["event"]

    async def until(self, model: str) -> list[str]:
        """Read until it shows this; the kinds of what came."""
        kinds = []
        while self.picture is None or self.picture.model != model:
            kinds.append(await self.next())
        return kinds


@dataclass
class House:
    desk: Desk
    pictures: Pictures
    session: aiohttp.ClientSession
    url: str
    ended: list[bool]
    complaints: list[str]

    @asynccontextmanager
    async def reader(self, last: str = "", picture: Picture | None = None) -> AsyncIterator[Reader]:
        headers = STREAM | ({"Last-Event-ID": last} if last else {})
        async with self.session.get(self.url, headers=headers) as response:
            assert response.status == 200
            yield Reader(response, picture)


@asynccontextmanager
async def house(**options: int) -> AsyncIterator[House]:
    desk = Desk()
    shown, ended, complaints = Pictures(desk, **options), [], []
    application = web.Application()

    async def show(request: web.Request) -> web.StreamResponse:
        return await shown.answer(request, lambda: bool(ended))

    application.router.add_get("/", show)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context["message"]))
    try:
        async with aiohttp.ClientSession(read_bufsize=1 << 20) as session:
            yield House(desk, shown, session, url, ended, complaints)
    finally:
        loop.set_exception_handler(None)
        shown.close()
        await runner.cleanup()


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    monkeypatch.setattr(pictures, "AT_LEAST", 0.01)
    monkeypatch.setattr(pictures, "AT_MOST", 0.2)


async def test_first_comes_a_whole_picture_then_what_changes():
    async with house() as home, home.reader() as reader:
        assert await reader.next() == "picture"
        home.desk.put(model="one")
        assert set(await reader.until("one")) == {"delta"}
        assert reader.picture == home.desk.shown


async def test_something_comes_all_the_time():
    async with house() as home, home.reader() as reader:
        async with asyncio.timeout(1.5):
            for _ in range(4):
                await reader.next()


async def test_once_it_is_json():
    async with house() as home, home.session.get(home.url) as response:
        assert response.content_type == "application/json"
        assert wire.decoded((await response.json())["picture"], Picture) == home.desk.shown


async def test_who_comes_back_goes_on_where_it_was():
    async with house() as home:
        async with home.reader() as reader:
            home.desk.put(model="one")
            await reader.until("one")
        await asyncio.sleep(0.05)
        home.desk.put(model="two")
        async with home.reader(reader.last, reader.picture) as again:
            assert set(await again.until("two")) == {"delta"}
            assert again.picture == home.desk.shown


@pytest.mark.parametrize(
    "last", ["x", "-", "{run}-", "{run}--1", "{run}-999999", "{run}-٣", "{run}-" + "9" * 50, "0000-1"]
)
async def test_an_id_that_means_nothing_here_begins_anew(last):
    async with house() as home, home.reader(last.format(run=home.pictures._run)) as reader:
        assert await reader.next() == "picture"


async def test_who_has_fallen_behind_what_is_kept_gets_a_whole_picture():
    async with house(kept_bytes=3_000) as home:
        async with home.reader() as reader:
            await reader.next()
        async with home.reader() as other:
            for number in range(8):
                home.desk.put(model=f"{number}", notice=f"{number}" * 800)
                await other.until(f"{number}")
            assert home.pictures._bytes <= 3_000
            async with home.reader(reader.last, reader.picture) as again:
                assert await again.next() == "picture"
                assert again.picture == home.desk.shown


async def test_a_change_that_is_more_than_is_kept_comes_as_a_whole_picture():
    async with house(kept_bytes=10) as home, home.reader() as reader:
        await reader.next()
        home.desk.put(model="one")
        assert set(await reader.until("one")) == {"picture"}


@pytest.mark.parametrize("somebody_reads", [True, False])
async def test_what_was_shown_is_not_kept_for_long(monkeypatch, somebody_reads):
    """An author may have taken it back since."""
    monkeypatch.setattr(pictures, "KEPT_SECONDS", 0.3)
    async with house() as home, AsyncExitStack() as stack:
        async with home.reader() as reader:
            home.desk.put(model="secret")
            await reader.until("secret")
            if somebody_reads:
                await (await stack.enter_async_context(home.reader())).next()
        home.desk.put(model="gone")
        await asyncio.sleep(0.8)
        kept = home.pictures
        assert b"secret" not in b"".join([kept._whole, *(change for _, change in kept._changes)])
        assert (kept._picture is not None) == somebody_reads
        async with home.reader(reader.last, reader.picture) as again:
            assert await again.next() == "picture"
            assert again.picture == home.desk.shown


async def test_all_share_one_picture_and_nobody_takes_any_where_nobody_reads():
    async with house() as home:
        async with home.reader() as one, home.reader() as two, home.reader() as three:
            for reader in (one, two, three):
                await reader.next()
            before = home.desk.taken
            home.desk.put(model="one")
            for reader in (one, two, three):
                await reader.until("one")
            assert home.desk.taken - before <= 3  # one of the change, and signs of life
        await asyncio.sleep(0.3)
        rest = home.desk.taken
        await asyncio.sleep(0.3)
        assert home.desk.taken == rest


async def test_what_was_shown_long_ago_is_not_shown_first():
    """Who comes after a time in which nobody read would take what is old for new."""
    async with house() as home:
        async with home.reader() as reader:
            await reader.next()
        await asyncio.sleep(0.05)
        home.desk.put(model="new")
        async with home.reader() as reader:
            assert await reader.next() == "picture"
            assert reader.picture == home.desk.shown


async def test_where_a_picture_is_much_work_they_come_less_often(monkeypatch):
    monkeypatch.setattr(pictures, "AT_MOST", 0.5)
    async with house() as home:
        picture = home.desk.picture

        async def slow() -> Picture:
            await asyncio.sleep(0.03)
            home.desk.put()
            return await picture()

        home.desk.picture = slow
        async with home.reader() as reader:
            await reader.next()
            await asyncio.sleep(1.0)
            assert home.desk.taken <= 5


async def test_who_may_not_read_any_more_is_sent_away():
    async with house() as home, home.reader() as reader:
        await reader.next()
        home.ended.append(True)
        async with asyncio.timeout(2):
            await reader.response.content.read()
        assert reader.response.content.at_eof()


async def test_the_end_of_the_server_is_the_end_of_all_streams():
    async with house() as home, home.reader() as reader:
        await reader.next()
        home.pictures.close()
        async with asyncio.timeout(2):
            await reader.response.content.read()
        async with home.reader() as late, asyncio.timeout(2):
            await late.response.content.read()


async def test_a_desk_that_cannot_be_shown_is_told_of_and_shown_when_it_can():
    async with house() as home:
        async with home.reader() as reader:
            await reader.next()
            home.desk.error = RuntimeError("broken")
            home.desk.put(model="one")
            async with asyncio.timeout(2):
                await reader.response.content.read()
        assert home.complaints == ["The desk cannot be shown to consoles"]
        home.desk.error = None
        async with home.reader(reader.last, reader.picture) as again:
            await again.until("one")
