"""`GET /api/v1/picture`: the desk as a console shows it, once as JSON, or as a stream of what changes.

The stream (`Accept: text/event-stream`) has two kinds of event, in the JSON of `crisisdesk/wire.py`: `picture` is a
whole one, `delta` what makes the last one the next. Who comes back with the id of the last event goes on from there.

There is no queue for anybody. One picture after the other is taken and encoded once for all; the last ones are kept,
and each reader has its place among them. Who falls so far behind that its place is gone gets a whole picture. So one
who is slow, or stands still until its connection is cut off (`Connection.pause_writing`), costs no more than what the
system holds for a connection.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from secrets import token_hex
from typing import Final

from aiohttp import web

from crisisdesk import wire
from crisisdesk.desk import Desk, Picture
from crisisdesk.server.answers import HEADERS
from crisisdesk.server.stream import CONTENT_TYPE, LAST, event, opened

AT_LEAST: Final = 0.2
"""Seconds between two pictures: whatever happens within them is sent at once."""
AT_MOST: Final = 1.0
"""The same while nothing happens: time goes on, and whoever hears nothing knows that something is wrong."""
PART: Final = 0.05
"""Of the desk's time, what its pictures may take: where a picture is a lot of work, they come less often."""
KEPT_SECONDS: Final = 60.0
"""How long a change is kept for those who come back: what is to be forgotten must not stay for longer."""
KEPT_BYTES: Final = 8_000_000
"""Of all of them together."""
CHUNK: Final = 1 << 16
"""Bytes that are handed over at a time, so that little of a picture waits in a connection that does not move."""


class Pictures:
    """The pictures of one desk, taken while somebody reads them.

    Args:
        desk: whose they are.
        kept_bytes: of the last changes.
    """

    def __init__(self, desk: Desk, *, kept_bytes: int = KEPT_BYTES) -> None:
        self._desk = desk
        self._run = token_hex(4)
        self._kept_bytes = kept_bytes
        self._changes: deque[tuple[float, bytes]] = deque()
        """Each with its time; the last of them brought `_picture` about."""
        self._bytes = 0
        self._number = 0
        self._picture: Picture | None = None
        self._whole = b""
        self._readers = 0
        self._taking: asyncio.Task[None] | None = None
        self._forgetting: asyncio.TimerHandle | None = None
        self._next = asyncio.Event()
        self._closed = False

    async def answer(self, request: web.Request, ended: Callable[[], bool] = lambda: False) -> web.StreamResponse:
        """Show the desk as it is, or as it changes, until the reader leaves, `ended` says so, or all is closed."""
        if CONTENT_TYPE not in request.headers.get("Accept", ""):
            body = b'{"picture":' + wire.encoded(await self._desk.picture(), Picture) + b"}"
            return web.Response(status=HTTPStatus.OK, body=body, content_type="application/json", headers=HEADERS)
        response, place = await opened(request), self._place(request.headers.get(LAST, ""))
        with suppress(ConnectionError):
            async with self._reading() as taking:
                while not (taking.done() or ended()):
                    sent, place = self._after(place)
                    for start in range(0, len(sent), CHUNK):
                        await response.write(memoryview(sent)[start : start + CHUNK])
                    if place == self._number:
                        await self._next.wait()
        return response

    def open(self) -> None:
        """Show it from now on."""
        self._closed = False

    def close(self) -> None:
        """End all streams, now and until it is opened again."""
        self._closed = True
        if self._taking is not None:
            self._taking.cancel()

    def _place(self, last: str) -> int:
        """How far somebody has come who saw that event last; -1 for one who has to begin anew."""
        run, _, number = last.rpartition("-")
        return int(number) if run == self._run and number.isascii() and number.isdecimal() and len(number) < 16 else -1

    def _after(self, place: int) -> tuple[bytes, int]:
        """What comes next at a place, and the place then; nothing where nothing does yet."""
        if self._picture is None or place == self._number:
            return b"", self._number
        behind = self._number - place
        if 0 < behind <= len(self._changes):
            return self._changes[-behind][1], place + 1
        if not self._whole:
            self._whole = event("picture", wire.encoded(self._picture, Picture), self._id)
        return self._whole, self._number

    @property
    def _id(self) -> str:
        return f"{self._run}-{self._number}"

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[asyncio.Task[None]]:
        """Inside, somebody reads, so pictures are taken by a task; the last one before is of now."""
        self._readers += 1
        if self._forgetting is not None:
            self._forgetting.cancel()
        try:
            if self._taking is None or self._taking.done():
                self._taking = asyncio.create_task(self._take_all(), name="pictures")
                self._taking.add_done_callback(self._ended)
                await self._next.wait()
            yield self._taking
        finally:
            self._readers -= 1
            if not self._readers and self._taking is not None:
                self._taking.cancel()
                self._taking = None
                self._forgetting = asyncio.get_running_loop().call_later(KEPT_SECONDS, self._forget)

    def _forget(self) -> None:
        """Nobody has come back."""
        self._picture, self._whole, self._bytes = None, b"", 0
        self._changes.clear()

    def _ended(self, taking: asyncio.Task[None]) -> None:
        """Nothing more comes, so that nobody waits for it; who comes back may have better luck."""
        if not taking.cancelled() and (error := taking.exception()):
            context = {"message": "The desk cannot be shown to consoles", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
        self._wake()

    async def _take_all(self) -> None:
        """Take pictures, until cancelled or closed."""
        time = asyncio.get_running_loop().time
        while not self._closed:
            began = time()
            picture = await self._desk.picture()
            self._take(picture)
            took = time() - began
            await asyncio.sleep(min(AT_MOST, max(AT_LEAST, took / PART)))
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, began + AT_MOST - time())):
                    await self._desk.changed(picture)

    def _take(self, picture: Picture) -> None:
        before, self._picture = self._picture, picture
        self._number += 1
        self._whole = b""
        if before is not None:
            change, now = event("delta", wire.delta(before, picture), self._id), asyncio.get_running_loop().time()
            self._changes.append((now, change))
            self._bytes += len(change)
            while self._changes and (self._bytes > self._kept_bytes or self._changes[0][0] < now - KEPT_SECONDS):
                self._bytes -= len(self._changes.popleft()[1])
        self._wake()

    def _wake(self) -> None:
        """There is something for those who wait."""
        self._next.set()
        self._next = asyncio.Event()
