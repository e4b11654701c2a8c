"""A connection to the streams of a Mastodon server: one websocket for all of them, or server-sent events for each.

The protocol has no cursor and repeats nothing, so a line is good for what comes from now on.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
import orjson
from yarl import URL

from crisisdesk.errors import InputError, SourceError
from crisisdesk.sources.mastodon.events import MAX_EVENT, Event, GiantError, Reader, event_in
from crisisdesk.sources.mastodon.refusals import RefusalError, StrangeError
from crisisdesk.sources.mastodon.server import STREAMING, Server

if TYPE_CHECKING:
    from aiohttp.http_websocket import WSMessageTextBytes

CONNECT_SECONDS: Final = 20.0
"""For each answer."""

_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=2.0)


class MuteError(SourceError):
    """The connection is open and mute."""


class Line(Protocol):
    """An open connection."""

    async def events(self, silence: float) -> Sequence[Event]:
        """What comes next within so many seconds; nothing where the server only says that it is there.

        Raises:
            InputError: what comes is not of the protocol.
            SourceError, aiohttp.ClientError: the connection has ended or is mute.
        """


class Socket:
    """A websocket with several streams."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool], host: str) -> None:
        self._socket = socket
        self._host = host

    async def events(self, silence: float) -> Sequence[Event]:
        """See `Line`. A quiet stream says that it lives by pings alone, so they are looked at."""
        try:
            async with asyncio.timeout(silence):
                message: aiohttp.WSMessage | WSMessageTextBytes = await self._socket.receive()
        except TimeoutError:
            raise MuteError(f"{self._host} said nothing for {silence:g} s") from None
        if message.type is aiohttp.WSMsgType.PING:
            await self._socket.pong(message.data)
        if message.type in {aiohttp.WSMsgType.PING, aiohttp.WSMsgType.PONG}:
            return ()
        if message.type is aiohttp.WSMsgType.BINARY:
            raise InputError("a frame is of the wrong kind")
        if message.type is aiohttp.WSMsgType.TEXT:
            return (event_in(bytes(message.data)),)
        if getattr(message.data, "code", None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            raise GiantError(f"{self._host} sent an event of more than {MAX_EVENT} bytes")
        raise SourceError(f"{self._host} ended the connection (code {self._socket.close_code})")


class Feed:
    """Server-sent events of one stream."""

    def __init__(self, response: aiohttp.ClientResponse, host: str, stream: str) -> None:
        self._response = response
        self._host = host
        self._reader = Reader(stream)

    async def events(self, silence: float) -> Sequence[Event]:
        """See `Line`."""
        try:
            async with asyncio.timeout(silence):
                chunk = await self._response.content.readany()
        except TimeoutError:
            raise MuteError(f"{self._host} said nothing for {silence:g} s") from None
        if not chunk:
            raise SourceError(f"{self._host} ended the connection")
        return self._reader.feed(chunk)


async def connect(
    session: aiohttp.ClientSession, server: Server, streams: Sequence[str], stack: AsyncExitStack, *, websocket: bool
) -> Sequence[Line]:
    """Ask for streams; what is opened is closed by `stack`.

    Raises:
        aiohttp.ClientError, OSError, SourceError: it does not come about; `diagnose` says what to think of it.
    """
    home = await server.find(session)
    host = home.authority
    if websocket:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return [Socket(await _socket(session, home, server, streams, stack), host)]
        except (RefusalError, aiohttp.WSServerHandshakeError) as refusal:
            if refusal.status == HTTPStatus.TOO_MANY_REQUESTS:
                raise
    feeds = []
    for stream in streams:
        async with asyncio.timeout(CONNECT_SECONDS):
            feeds.append(Feed(await _feed(session, home, server, stream, stack), host, stream))
    return feeds


async def _socket(
    session: aiohttp.ClientSession, home: URL, server: Server, streams: Sequence[str], stack: AsyncExitStack
) -> aiohttp.ClientWebSocketResponse[bool]:
    socket = await stack.enter_async_context(
        session.ws_connect(
            home.with_scheme("wss" if home.scheme == "https" else "ws") / STREAMING,
            headers=server.pass_on,
            autoping=False,
            timeout=_CLOSE,
            max_msg_size=MAX_EVENT,
            decode_text=False,
        )
    )
    for stream in streams:
        kind, _, tag = stream.partition(":")
        asked = {"stream": kind, "tag": tag} if kind == "hashtag" else {"stream": stream}
        await socket.send_str(orjson.dumps({"type": "subscribe", **asked}).decode())
    return socket


async def _feed(
    session: aiohttp.ClientSession, home: URL, server: Server, stream: str, stack: AsyncExitStack
) -> aiohttp.ClientResponse:
    kind, _, which = stream.partition(":")
    address = home / STREAMING / kind
    address = address.with_query(tag=which) if kind == "hashtag" else address / which if which else address
    headers = server.pass_on | {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
    response = await stack.enter_async_context(session.get(address, headers=headers))
    if response.content_type != "text/event-stream":
        raise StrangeError(f"{home.authority} answers with no stream of events")
    return response
