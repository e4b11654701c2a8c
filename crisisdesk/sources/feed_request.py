"""One question to the server of a feed: whether there is anything new. Redirects are followed, and so far only.

A redirect must not make the desk ask what only the desk can reach: a programme on this machine, a router, the service
that hands out a cloud's passwords. So the addresses to which a stranger sends us are looked at when the connection is
made, not before, where a name could still mean something else; unless the feed itself lies within.
"""

import asyncio
import zlib
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from socket import SOCK_STREAM, AddressFamily, SocketKind, socket
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.errors import SourceError

MAX_BYTES: Final = 5_000_000
"""Of a feed, unpacked too; a large one has a tenth of that."""
MAX_REDIRECTS: Final = 5
MAX_WAIT: Final = 86_400.0
"""Seconds for which a server may make us wait, however it says so."""
SECONDS: Final = 60.0
"""For a whole answer, however slowly it drips."""

_FOR_GOOD: Final = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_FOR_NOW: Final = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT})
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"
_MAX_MARK: Final = 500

_Found = tuple[AddressFamily | int, SocketKind | int, int, str, tuple[Any, ...]]


class Refusal(SourceError):
    """The server answers, but with no feed.

    Attributes:
        status: HTTP.
        wait: seconds that it asks us to wait.
    """

    def __init__(self, status: int, wait: float = 0.0) -> None:
        self.status = status
        self.wait = wait
        super().__init__(f"HTTP {status}")


class Astray(SourceError):
    """A redirect that is not followed, or an answer that no feed gives; the message says why."""


class _InwardError(OSError):
    """A redirect leads to where only this machine gets."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; `content` is None where nothing has changed."""

    content: bytes | None
    address: str
    """Where it came from in the end."""
    moved: str | None
    """Where the feed is from now on, if the server says so."""
    etag: str = ""
    modified: str = ""
    max_age: float = 0.0
    """Seconds for which it stays as it is."""
    wait: float = 0.0
    """Seconds for which its server wants to be left alone, with whatever question."""
    charset: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        configured: the address in the settings, which may lie anywhere.
        address: where the feed is now; else the same.
        etag, modified: of the answer that is known.
        authorization: the header, for the configured host alone.
    """

    configured: URL
    address: URL
    etag: str = ""
    modified: str = ""
    authorization: str = ""


class Asking:
    """What is open to the outside while feeds are read. Leaving it closes that.

    Args:
        user_agent: who we are; None for crisisdesk and its version.
        seconds: for a whole answer.
        is_inward: whether an address is one that strangers may not send us to.
    """

    def __init__(
        self, user_agent: str | None = None, *, seconds: float = SECONDS, is_inward: Callable[[str], bool] | None = None
    ) -> None:
        self._headers = {
            "User-Agent": user_agent or f"crisisdesk/{__version__}",
            "Accept": _ACCEPT,
            "Accept-Encoding": "gzip, deflate",
        }
        self._seconds = seconds
        self._is_inward = is_inward or _lies_within
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        def outward(found: _Found) -> socket:
            if self._is_inward(str(found[4][0])):
                raise _InwardError("it leads into a private network")
            return socket(found[0], found[1], found[2])

        self._anywhere = await self._stack.enter_async_context(self._session(aiohttp.TCPConnector()))
        self._outward = await self._stack.enter_async_context(
            self._session(aiohttp.TCPConnector(socket_factory=outward))
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def _session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=connector,
            headers=self._headers,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._seconds, connect=min(20.0, self._seconds)),
        )

    async def ask(self, question: Question, now: datetime) -> Answer:
        """Ask once.

        Raises:
            Refusal, Astray: the server has no feed for us.
            aiohttp.ClientError, OSError, TimeoutError: no answer comes about.
        """
        address, moved, is_for_good = question.address, None, True
        for _ in range(MAX_REDIRECTS + 1):
            session = self._anywhere if await self._may_go(address, question.configured) else self._outward
            try:
                async with session.get(address, headers=_headers(question, address), allow_redirects=False) as response:
                    if response.status not in _FOR_GOOD | _FOR_NOW:
                        return await _answer(response, str(moved) if moved else None, now)
                    target = _target(response)
                    is_for_good = is_for_good and response.status in _FOR_GOOD
            except aiohttp.ClientConnectorError as error:
                if isinstance(error.os_error, _InwardError):
                    raise Astray(f"{address.host} sends us into a private network, where no feed may send us") from None
                raise
            if is_for_good:
                moved = target
            address = target
        raise Astray(f"it sends us from one address to the next, more than {MAX_REDIRECTS} times")

    async def _may_go(self, address: URL, configured: URL) -> bool:
        """Whether an address may lie anywhere: the operator's own word, or the feed lies within already."""
        if address.origin() == configured.origin():
            return True
        with suppress(OSError):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(configured.host, configured.port, type=SOCK_STREAM)
            return any(self._is_inward(str(place[0])) for *_, place in found)
        return False


def _lies_within(address: str) -> bool:
    """Whether it is no address of the public network."""
    try:
        known = ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(known, IPv6Address) and known.ipv4_mapped:
        known = known.ipv4_mapped
    return not known.is_global or known.is_multicast


def _headers(question: Question, address: URL) -> dict[str, str]:
    """What is said besides; a password only to the configured server, and never less safely than it was meant."""
    headers = {}
    if question.etag:
        headers["If-None-Match"] = question.etag
    if question.modified:
        headers["If-Modified-Since"] = question.modified
    same = address.origin() == question.configured.origin()
    safer = address.host == question.configured.host and (question.configured.scheme, address.scheme) == (
        "http",
        "https",
    )
    if question.authorization and (same or safer):
        headers["Authorization"] = question.authorization
    return headers


def _target(response: aiohttp.ClientResponse) -> URL:
    """Where a redirect leads.

    Raises:
        Astray: to where we do not go.
    """
    location = response.headers.get("Location", "")
    try:
        target = response.url.join(URL(location)).with_fragment(None)
        target = target if target.user is None else target.with_user(None)
    except ValueError:
        location, target = "", response.url
    if not location or not target.host or target.scheme not in {"http", "https"}:
        raise Astray("it sends us to what is no address of the web")
    if response.url.scheme == "https" and target.scheme == "http":
        raise Astray(f"it sends us from https to http ({target.host}), where anybody could answer")
    return target


async def _answer(response: aiohttp.ClientResponse, moved: str | None, now: datetime) -> Answer:
    """What is not a redirect.

    Raises:
        Refusal, Astray: it is no feed.
    """
    if response.status not in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        raise Refusal(response.status, _asked_wait(response, now))
    return Answer(
        content=await _content(response) if response.status == HTTPStatus.OK else None,
        address=str(response.url),
        moved=moved,
        etag=_mark(response, "ETag"),
        modified=_mark(response, "Last-Modified"),
        max_age=_max_age(response),
        wait=_asked_wait(response, now),
        charset=_charset(response),
        language=response.headers.get("Content-Language", "")[:_MAX_MARK],
    )


async def _content(response: aiohttp.ClientResponse) -> bytes:
    """The body, unpacked, never further than `MAX_BYTES`.

    Raises:
        Astray: it is too large, or not packed as it says.
    """
    packing = response.headers.get("Content-Encoding", "").strip().lower()
    if packing not in {"", "identity", "gzip", "x-gzip", "deflate"}:
        raise Astray("it is packed in a way that we have not asked for")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32) if packing not in {"", "identity"} else None
    content = bytearray()
    try:
        async for piece in response.content.iter_any():
            room = MAX_BYTES + 1 - len(content)
            content += unpacker.decompress(piece, room) if unpacker else piece[:room]
            if len(content) > MAX_BYTES:
                raise Astray(f"it has more than {MAX_BYTES:,} bytes")
    except zlib.error:
        raise Astray("it says that it is packed, and is not, or not wholly") from None
    if unpacker and not unpacker.eof:
        raise aiohttp.ClientPayloadError("it ends in the middle")
    return bytes(content)


def _asked_wait(response: aiohttp.ClientResponse, now: datetime) -> float:
    """Seconds after which the server wants to be asked again; 0 where it does not say."""
    asked = response.headers.get("Retry-After", "").strip()
    left, reset = (response.headers.get(f"X-Ratelimit-{which}", "") for which in ("Remaining", "Reset"))  # Reddit's
    if not asked and left[:1] == "0":
        asked = reset.partition(".")[0]
    if asked.isascii() and asked.isdecimal():
        return min(float(asked[:9]), MAX_WAIT)
    try:
        moment = parsedate_to_datetime(asked)
        wait = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError):
        return 0.0
    return min(max(wait.total_seconds(), 0.0), MAX_WAIT)


def _max_age(response: aiohttp.ClientResponse) -> float:
    """Seconds for which the answer stays as it is, from now on."""
    left = 0
    for part in response.headers.get("Cache-Control", "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "max-age" and (value := value.strip('" ')).isascii() and value.isdecimal():
            left = int(value[:9])
    age = response.headers.get("Age", "").strip()
    return min(float(max(left - int(age[:9]), 0)) if age.isascii() and age.isdecimal() else float(left), MAX_WAIT)


def _mark(response: aiohttp.ClientResponse, name: str) -> str:
    """A mark of this version of the feed, to be sent back as it is; one that is too long is none."""
    mark = response.headers.get(name, "")
    return mark if len(mark) <= _MAX_MARK and mark.isprintable() else ""


def _charset(response: aiohttp.ClientResponse) -> str:
    try:
        return (response.charset or "")[:40]
    except (ValueError, LookupError):
        return ""
