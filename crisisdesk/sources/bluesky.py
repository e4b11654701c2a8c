"""Live posts of Bluesky from a Jetstream v1 server, over a websocket, without an account.

The connection is lost now and then; the source reconnects, asks for what it missed from a few seconds before, and
drops what it had already. Compression stays off: the server refuses a client that asks for both kinds.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Final, NoReturn

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.clock import Clock
from crisisdesk.errors import FatalSourceError, InputError, SourceError
from crisisdesk.records import SourceStatus
from crisisdesk.retry import delays
from crisisdesk.sources.base import Edge
from crisisdesk.sources.frames import COLLECTION, Created, created_in

REWIND_US: Final = 5_000_000
"""Microseconds asked for again after a break: servers' clocks differ, and order is kept per author only."""
REMEMBERED: Final = 50_000
"""Posts remembered by id; many times what comes in the rewound seconds."""
ASKED_MESSAGE: Final = 1 << 18
"""Bytes of a message that the server is asked not to exceed; a post has a few thousand."""
MAX_MESSAGE: Final = 1 << 22
"""Bytes of a message that we read at all."""
CONNECT_SECONDS: Final = 20.0
SILENCE_SECONDS: Final = 60.0
"""A public server has posts every second; one that says nothing for so long is dead, though the line may be open."""
HEALTHY_SECONDS: Final = 60.0
"""A connection that lasted so long starts the waiting afresh."""
MAX_ASKED_WAIT: Final = 300.0
"""Seconds that a server may make us wait by Retry-After."""

_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=2.0)
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class SilenceError(SourceError):
    """The connection is open and mute."""


class Bluesky:
    """The posts of the whole network, in no language or topic chosen: choosing is the watches' work.

    Args:
        url: a Jetstream v1 server's `/subscribe`.
        clock: tells when frames arrive.
        name: what status lines call the source.
        waits: the seconds to wait between attempts, begun afresh after a healthy connection.
        silence: seconds without any frame after which a connection is taken for dead.
    """

    pushes: Final = True
    resumes: Final = True

    def __init__(
        self,
        url: str,
        clock: Clock,
        *,
        name: str = "bluesky",
        waits: Callable[[], Iterator[float]] = delays,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        self.name = name
        self._url = URL(url)
        self._clock = clock
        self._time_us = 0
        self._waits = waits
        self._silence = silence
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._proven = False
        self._state = "connecting"
        self._trouble = ""
        self._last_event: datetime | None = None
        self._events = self._posts = self._bad = 0

    @property
    def cursor(self) -> str | None:
        """The server's time of the newest post that was sent, in microseconds."""
        return str(self._time_us) if self._time_us else None

    def resume(self, cursor: str) -> None:
        """Ask for what came since; the server keeps about a day and a half."""
        self._time_us = int(cursor)

    def status(self) -> SourceStatus:
        """How it is doing: every frame is an event, `bad` ones were skipped."""
        return SourceStatus(
            name=self.name,
            state=self._state,
            last_event=self._last_event,
            events=self._events,
            posts=self._posts,
            bad=self._bad,
            trouble=self._trouble,
        )

    async def run(self, edge: Edge) -> None:
        """Send posts until cancelled; every break is mended.

        Raises:
            FatalSourceError: the server refuses us as we are set up; the status says `failed`.
        """
        waits = self._waits()
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        headers = {"User-Agent": f"crisisdesk/{__version__}"}
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            while True:
                began = self._clock.now()
                error = await self._until_broken(session, edge)
                self._note(trouble := diagnose(error, self._url, proven=self._proven))
                if isinstance(trouble, FatalSourceError):
                    raise trouble
                if (self._clock.now() - began).total_seconds() >= HEALTHY_SECONDS:
                    waits = self._waits()
                await asyncio.sleep(max(next(waits), _asked_wait(error)))

    async def _until_broken(self, session: aiohttp.ClientSession, edge: Edge) -> Exception:
        """Connect and send posts; returns what ended it."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                socket = await session.ws_connect(
                    self._address(), timeout=_CLOSE, max_msg_size=MAX_MESSAGE, decode_text=False
                )
            try:
                self._connected()
                await self._listen(socket, edge)
            finally:
                await socket.close()
        except (aiohttp.ClientError, OSError, SourceError) as error:
            return error

    def _address(self) -> URL:
        """The address with what we want: posts only, from a little before where we were."""
        address = self._url.update_query(wantedCollections=COLLECTION, maxMessageSizeBytes=ASKED_MESSAGE)
        return address.update_query(cursor=self._time_us - REWIND_US) if self._time_us > REWIND_US else address

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse[bool], edge: Edge) -> NoReturn:
        """Send what comes.

        Raises:
            SourceError: the connection ended or is mute.
        """
        while True:
            frame = await self._frame(socket)
            arrival = self._last_event = self._clock.now()
            self._events += 1
            if self._state != "live":
                self._state, self._trouble = "live", ""
            try:
                created = created_in(frame, arrival) if frame is not None else None
            except InputError:
                created = frame = None
            if frame is None:
                self._bad += 1
            elif created and self._is_new(created):
                await edge.send(created.post)
                self._posts += 1
                # A server whose clock runs ahead must not make us skip what comes until then.
                self._time_us = max(self._time_us, min(created.time_us, _microseconds(arrival)))

    async def _frame(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> bytes | None:
        """The next frame; None for one that is no text.

        Raises:
            SourceError: there is none.
        """
        try:
            # Not receive(timeout): a server's pings would prolong that, and a mute server may well ping.
            async with asyncio.timeout(self._silence):
                message = await socket.receive()
        except TimeoutError:
            raise SilenceError(f"{self._url.host} said nothing for {self._silence:g} s; connecting again") from None
        if message.type is aiohttp.WSMsgType.TEXT:
            return bytes(message.data)
        if message.type is aiohttp.WSMsgType.BINARY:
            return None
        if getattr(message.data, "code", None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            # Asked for from before the giant, the server would send it again, and again.
            self._time_us = max(self._time_us, _microseconds(self._clock.now()))
            raise SourceError(f"{self._url.host} sent a message of more than {MAX_MESSAGE} bytes; connecting again")
        raise SourceError(f"{self._url.host} ended the connection (code {socket.close_code}); connecting again")

    def _is_new(self, created: Created) -> bool:
        """Whether the post has not come yet; remembers it."""
        if created.post.id in self._seen:
            return False
        self._seen[created.post.id] = None
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _connected(self) -> None:
        """The server takes us as we are set up; whether a mute one speaks again is for its first frame to say."""
        self._proven = True
        if self._state != "blind":
            self._state, self._trouble = "live", ""

    def _note(self, trouble: SourceError) -> None:
        self._trouble = str(trouble)
        if isinstance(trouble, FatalSourceError):
            self._state = "failed"
        elif isinstance(trouble, SilenceError) or self._state == "blind":
            self._state = "blind"
        else:
            self._state = "connecting"


def diagnose(error: Exception, url: URL, *, proven: bool) -> SourceError:
    """Decide whether trying again can help.

    Args:
        error: what ended an attempt.
        url: where to.
        proven: the server has taken us before as we are, so that a refusal is its own trouble and will pass.

    Returns:
        A FatalSourceError, if the settings must be mended first; else a SourceError that says what is the matter.
    """
    if isinstance(error, SourceError):
        return error
    if isinstance(error, aiohttp.InvalidURL):
        return FatalSourceError(f"'{url.host}' is no address of a server; check 'url' of the source.")
    if not isinstance(error, aiohttp.WSServerHandshakeError):
        reason = (
            "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or type(error).__name__
        )
        return SourceError(f"no connection to {url.host} ({reason}); trying again")
    if proven or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR or error.status in _LATER:
        return SourceError(f"{url.host} answers HTTP {error.status}; trying again")
    return FatalSourceError(
        f"{url.host}{url.path} refuses us (HTTP {error.status}); check 'url' of the source: it must be a "
        "Jetstream v1 server, such as wss://jetstream2.us-east.bsky.network/subscribe."
    )


def _asked_wait(error: Exception) -> float:
    """Seconds that the server asked us to wait (Retry-After); 0 if it did not."""
    headers = error.headers if isinstance(error, aiohttp.WSServerHandshakeError) else None
    asked = headers.get("Retry-After", "") if headers else ""
    return min(float(asked), MAX_ASKED_WAIT) if asked.isdecimal() else 0.0


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
