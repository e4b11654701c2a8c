"""People at a desk, some of whom sit elsewhere; and lines to it that are bad."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import replace
from typing import Self

from desks import Served

from crisisdesk.clock import Clock, WallClock
from crisisdesk.console.line import Line, Place
from crisisdesk.console.remote import RemoteDesk
from crisisdesk.desk import Desk, Picture
from crisisdesk.records import Incident


@asynccontextmanager
async def remote(url: str, token: str = "", person: str = "", clock: Clock | None = None) -> AsyncIterator[RemoteDesk]:
    """Somebody sits elsewhere, and the first picture is there."""
    async with Line(Place(url, token, person)) as line, RemoteDesk(line, clock or WallClock()) as desk:
        await until(desk, lambda picture: picture.lost is None)
        yield desk


def attached(
    served: Served, person: str = "Anna Berg", url: str = "", clock: Clock | None = None
) -> AbstractAsyncContextManager[RemoteDesk]:
    """Somebody with a token of this desk."""
    return remote(url or served.url, served.secrets.get(person, ""), person, clock)


async def until(desk: Desk, holds: Callable[[Picture], object], seconds: float = 10.0) -> Picture:
    """The first picture of which something is true; waits as a console does."""
    async with asyncio.timeout(seconds):
        while True:
            picture = await desk.picture()
            if holds(picture):
                return picture
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await desk.changed(picture)


async def seen(desk: Desk, incident: Incident) -> Incident:
    """That incident as it is in the picture, as soon as it is in it like this."""
    picture = await until(desk, lambda picture: incident in picture.incidents)
    return next(one for one in picture.incidents if one == incident)


def same(one: Picture, other: Picture) -> bool:
    """Whether two show the same, but for what time alone moves and for who looks."""
    plain = [replace(picture, now=one.now, number=0, lost=None, barred="") for picture in (one, other)]
    return plain[0] == plain[1]


class Proxy:
    """A line to a desk that can be cut, be slow, or swallow everything."""

    def __init__(self, url: str) -> None:
        _, _, target = url.partition("://")
        self._host, _, port = target.partition(":")
        self._port = int(port)
        self.is_there = True
        self.holds = False
        """Nothing comes back any more, and nobody is told."""
        self.cut_after: Callable[[], int] | None = None
        """Bytes from the desk after which a connection is cut."""
        self.per_chunk, self.pause = 1 << 16, 0.0
        self.connections = 0
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def lead(self, url: str) -> None:
        """To another desk from now on."""
        self._port = int(url.rpartition(":")[2])

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Every connection, at once."""
        for writer in self._writers:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_there:
            writer.transport.abort()
            return
        self.connections += 1
        try:
            there, back = await asyncio.open_connection(self._host, self._port)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, back}
        self._writers |= pair
        most = self.cut_after() if self.cut_after else None
        ways = {
            asyncio.create_task(self._carry(reader, back, is_asked=True)),
            asyncio.create_task(self._carry(there, writer, most)),
        }
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for one in pair:
            one.transport.abort()
        self._writers -= pair

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None = None, *, is_asked=False
    ) -> None:
        with suppress(ConnectionError):
            while chunk := await reader.read(self.per_chunk):
                while self.holds and not is_asked:  # noqa: ASYNC110 - a test sets it
                    await asyncio.sleep(0.01)
                if most is not None and (most := most - len(chunk)) < 0:
                    writer.write(chunk[:most])
                    await writer.drain()
                    return
                writer.write(chunk)
                await writer.drain()
                if self.pause:
                    await asyncio.sleep(self.pause)


def random_cuts(seed: int, most: int) -> Callable[[], int]:
    """A connection lasts for so many bytes, drawn by lot."""
    chance = random.Random(seed)
    return lambda: chance.randrange(most)
