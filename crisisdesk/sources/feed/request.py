"""One question to the server of a feed: whether there is anything new. Redirects are followed, and so far only.

A redirect must not make the desk ask what only the desk can reach: a programme on this machine, a router, the service
that hands out a cloud's passwords. So the addresses to which a stranger sends us are looked at when the connection is
made, not before, where a name could still mean something else; unless the feed itself lies within.
"""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from socket import SOCK_STREAM, AddressFamily, SocketKind, socket
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.sources.feed.answer import Answer, Astray, answer_of

MAX_REDIRECTS: Final = 5
SECONDS: Final = 60.0
"""For a whole answer, however slowly it drips."""

_FOR_GOOD: Final = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_FOR_NOW: Final = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT})
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"

_Found = tuple[AddressFamily | int, SocketKind | int, int, str, tuple[Any, ...]]


class _InwardError(OSError):
    """A redirect leads to where only this machine gets."""


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
                        return await answer_of(response, str(moved) if moved else None, now)
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
