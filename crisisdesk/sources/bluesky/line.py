"""A connection to a Jetstream server: how it is made, what may come of it, and its frames, one by one.

What a server sends is compressed: on v1 by permessage-deflate, on v2 by zstd with a dictionary that the server gives
out. Never both: a server refuses a client that asks for both.
"""

import asyncio
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Final, Self

import aiohttp
import orjson
from aiohttp.http_websocket import WSMessageTextBytes
from yarl import URL

from crisisdesk.errors import FatalSourceError, InputError, SourceError
from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.sources.bluesky.frames import REPOSTS, dialect_of
from crisisdesk.text import clean

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ASKED_MESSAGE: Final = 1 << 18
"""Bytes of a message that the server is asked not to exceed; a post has a few thousand."""
MAX_MESSAGE: Final = 1 << 22
"""Bytes of a message that we read at all, and of what it may unfold to."""
MAX_DICTIONARY: Final = 1 << 20
CONNECT_SECONDS: Final = 20.0
MAX_ASKED_WAIT: Final = 300.0
"""Seconds that a server may make us wait by Retry-After."""

Message = aiohttp.WSMessage | WSMessageTextBytes

_DEFLATE: Final = 15
_DICTIONARY_TIME: Final = aiohttp.ClientTimeout(total=CONNECT_SECONDS / 4)
"""It saves traffic and is not worth the connection."""
_CLOSE: Final = aiohttp.ClientWSTimeout(ws_close=2.0)
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_DICTIONARY: Final = "/xrpc/network.bsky.jetstream.getZstdDictionary"


class SilenceError(SourceError):
    """The connection is open and mute."""


class GiantError(SourceError):
    """The server sent more at once than we read."""


class RefusalError(SourceError):
    """The server answers, but with no stream.

    Attributes:
        status: HTTP.
        name: what v2 calls the reason, such as CursorTooOld; empty where it does not say.
        reason: in the server's words, cleaned.
        wait: seconds that it asks us to wait.
    """

    def __init__(self, host: str, status: int, body: bytes, retry_after: str) -> None:
        self.status = status
        self.name, self.reason = _explained(body)
        self.wait = min(float(retry_after), MAX_ASKED_WAIT) if retry_after.isdecimal() else 0.0
        super().__init__(f"{host} answers HTTP {status}{f' ({self.name})' if self.name else ''}")


class Server:
    """One of the addresses of a source, and what is known of who is there.

    Args:
        address: as it was set; its path says which version of the protocol is spoken.
        compress: whether to ask for compression.
        reposts: whether to ask for them as well.
    """

    def __init__(self, address: str, *, compress: bool, reposts: bool = True) -> None:
        self.url = URL(address)
        self.host = self.url.with_user(None).authority
        """What people are told of it: without the password that may be in the address."""
        self.dialect = dialect_of(self.url)
        self.proven = False
        """It has taken us as we are, so that a refusal is its own trouble and will pass."""
        self.trouble: SourceError | None = None
        """What went wrong here last."""
        self._compress = compress
        self._without = () if reposts else (REPOSTS,)
        self._dictionary: zstd.ZstdDict | None = None

    async def connect(self, session: aiohttp.ClientSession, cursor: int | None) -> "Line":
        """Ask for posts, reposts and accounts, from a cursor on or from now on.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not come about; `diagnose` says what to think of it.
        """
        async with asyncio.timeout(CONNECT_SECONDS):
            if self._compress and not self.dialect.deflates and self._dictionary is None:
                self._dictionary = await self._offered_dictionary(session)
            socket = await session.ws_connect(
                self._address(cursor),
                compress=_DEFLATE if self._compress and self.dialect.deflates else 0,
                timeout=_CLOSE,
                max_msg_size=MAX_MESSAGE,
                decode_text=False,
            )
        self.proven = True
        return Line(socket, self.host, self._dictionary)

    def diagnose(self, error: Exception) -> SourceError:
        """Decide whether trying again can help.

        Returns:
            A FatalSourceError, if the settings must be mended first; else a SourceError that says what is the matter.
        """
        if isinstance(error, aiohttp.InvalidURL):
            return FatalSourceError(f"'{self.host}' is no address of a server; check 'url' of the source.")
        if isinstance(error, aiohttp.WSServerHandshakeError):
            error = RefusalError(self.host, error.status, b"", "")
        if isinstance(error, RefusalError):
            return self._judge(error)
        if isinstance(error, SourceError):
            return error
        return SourceError(f"no connection to {self.host} ({why_no_answer(error)})")

    def _judge(self, refusal: RefusalError) -> SourceError:
        if refusal.name == "UnknownZstdDictionary":
            self._dictionary = None
            return refusal
        passes = refusal.status >= HTTPStatus.INTERNAL_SERVER_ERROR or refusal.status in _LATER
        if self.proven or passes or refusal.name == "CursorTooOld":
            return refusal
        words = f"HTTP {refusal.status}{f': {refusal.reason}' if refusal.reason else ''}"
        return FatalSourceError(
            f"{self.host}{self.url.path} refuses us ({words}); check 'url' of the source: it must be a "
            "Jetstream server, such as wss://jetstream2.us-east.bsky.network/subscribe."
        )

    def _address(self, cursor: int | None) -> URL:
        asked = [
            (name, value)
            for name, values in self.dialect.asks.items()
            for value in values
            if value not in self._without
        ]
        asked.append(("maxMessageSizeBytes", str(ASKED_MESSAGE)))
        if self._dictionary is not None:
            asked.append(("zstdDictionary", str(self._dictionary.dict_id)))
        if cursor is not None:
            asked.append(("cursor", str(cursor)))
        return self.url.update_query(asked)

    async def _offered_dictionary(self, session: aiohttp.ClientSession) -> zstd.ZstdDict | None:
        """The server's dictionary; None where there is none to be had, and what comes is not compressed."""
        scheme = {"ws": "http", "wss": "https"}[self.url.scheme]
        address = self.url.with_scheme(scheme).with_path(_DICTIONARY)
        with suppress(aiohttp.ClientError, TimeoutError, ValueError):
            async with session.get(address, raise_for_status=True, timeout=_DICTIONARY_TIME) as response:
                content = await _at_most(response.content, MAX_DICTIONARY)
                dictionary = zstd.ZstdDict(content) if content else None
                return dictionary if dictionary and dictionary.dict_id else None
        return None


class Line:
    """An open connection. Leaving it closes it."""

    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse[bool], host: str, dictionary: zstd.ZstdDict | None
    ) -> None:
        self._socket = socket
        self._host = host
        self._dictionary = dictionary

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()

    async def message(self, silence: float) -> Message:
        """The next message, text or binary, within so many seconds.

        Raises:
            SourceError: there is none; the connection has ended or is mute.
        """
        try:
            # Not receive(timeout): a server's pings would prolong that, and a mute server may well ping.
            async with asyncio.timeout(silence):
                message = await self._socket.receive()
        except TimeoutError:
            raise SilenceError(f"{self._host} said nothing for {silence:g} s") from None
        if message.type in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
            return message
        if getattr(message.data, "code", None) == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
            raise GiantError(f"{self._host} sent a message of more than {MAX_MESSAGE} bytes")
        why = f": {clean(message.extra, 100)}" if isinstance(message.extra, str) and message.extra else ""
        raise SourceError(f"{self._host} ended the connection (code {self._socket.close_code}{why})")

    def frame_in(self, message: Message) -> bytes:
        """The JSON of a message.

        Raises:
            InputError: it is binary and should not be, or the other way round, or does not unfold.
        """
        if message.type is not (aiohttp.WSMsgType.TEXT if self._dictionary is None else aiohttp.WSMsgType.BINARY):
            raise InputError("a frame is of the wrong kind")
        return bytes(message.data) if self._dictionary is None else _unfolded(message.data, self._dictionary)


async def _at_most(body: aiohttp.StreamReader, size: int) -> bytes:
    """All of a body; nothing of one that is larger."""
    content = b""
    while len(content) <= size and (more := await body.readany()):
        content += more
    return content if len(content) <= size else b""


async def refuse(response: aiohttp.ClientResponse) -> None:
    """Take what is no stream for a refusal, while its reason can still be read (aiohttp's `raise_for_status`)."""
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        body = await response.content.read(4_096)
        host = response.url.authority
        raise RefusalError(host, response.status, body, response.headers.get("Retry-After", ""))


def _explained(body: bytes) -> tuple[str, str]:
    """The name and the reason in v2's refusals; v1 says it in plain words, which may also be any web page."""
    try:
        said = orjson.loads(body)
        return clean(said["error"], 60), clean(said.get("message") or "", 200)
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", ""


def _unfolded(data: bytes, dictionary: zstd.ZstdDict) -> bytes:
    unfolding = zstd.ZstdDecompressor(dictionary)
    try:
        frame = unfolding.decompress(data, MAX_MESSAGE)
    except zstd.ZstdError:
        raise InputError("a frame does not unfold") from None
    if not unfolding.eof:
        raise InputError("a frame is cut off, or unfolds to more than we read")
    return frame
