"""One question to the server of a feed: whether there is anything new. Redirects are followed, and so far only.

A redirect must not make the desk ask what only the desk can reach: a programme on this machine, a router, the service
that hands out a cloud's passwords. So addresses are looked at when the connection is made, not before, where a name
could still mean something else. Only the address in the settings, the operator's own word, may lie within, and one
that does may send us on within.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from socket import AddressFamily, SocketKind, socket
from typing import Any, Final, Self

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.sources.feed.answer import Answer, Astray, answer_of

MAX_REDIRECTS: Final = 5
SECONDS: Final = 60.0
"""For a whole answer, however slowly it drips."""
MAX_HEADER: Final = 65_536
"""Bytes of a line of the head: some servers write long novels there about what browsers may do."""

_FOR_GOOD: Final = frozenset({HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT})
_FOR_NOW: Final = frozenset({HTTPStatus.FOUND, HTTPStatus.SEE_OTHER, HTTPStatus.TEMPORARY_REDIRECT})
_ACCEPT: Final = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, */*;q=0.1"

_NOWHERE: Final = "it sends us to what is no address of the web"

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
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=MAX_HEADER,
            max_field_size=MAX_HEADER,
            timeout=aiohttp.ClientTimeout(total=self._seconds, connect=min(20.0, self._seconds)),
        )

    async def ask(self, question: Question, now: datetime) -> Answer:
        """Ask once.

        Raises:
            Refusal, Astray: the server has no feed for us.
            aiohttp.ClientError, OSError, TimeoutError: no answer comes about.
        """
        try:
            return await self._follow(question, self._outward, now)
        except aiohttp.ClientConnectorError as error:
            is_own_word = question.address.origin() == question.configured.origin()
            if not (is_own_word and isinstance(error.os_error, _InwardError)):
                raise
        # What lies within for now may lie elsewhere tomorrow: where it has moved is not remembered.
        return replace(await self._follow(question, self._anywhere, now), moved=None)

    async def _follow(self, question: Question, session: aiohttp.ClientSession, now: datetime) -> Answer:
        """Ask, and go where we are sent."""
        address, is_for_good = question.address, True
        moved: URL | None = None
        for hop in range(MAX_REDIRECTS + 1):
            try:
                async with session.get(address, headers=_headers(question, address), allow_redirects=False) as response:
                    if response.status not in _FOR_GOOD | _FOR_NOW:
                        return await answer_of(response, str(moved) if moved else None, now)
                    target = _target(response)
                    is_for_good = is_for_good and response.status in _FOR_GOOD
            except (aiohttp.ClientConnectorError, aiohttp.InvalidURL, UnicodeError) as error:
                if not hop:
                    raise
                raise _lost(error, address) from None
            if is_for_good:
                moved = target
            address = target
        raise Astray(f"it sends us from one address to the next, more than {MAX_REDIRECTS} times")


def _lost(error: Exception, address: URL) -> Astray:
    """Why we did not come to where we were sent."""
    if not isinstance(error, aiohttp.ClientConnectorError):
        return Astray(_NOWHERE)
    is_inward = isinstance(error.os_error, _InwardError)
    where = "a private network, where no feed may send us" if is_inward else f"{address.host}, where nobody answers"
    return Astray(f"it sends us to {where}")


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
        raise Astray(_NOWHERE)
    if response.url.scheme == "https" and target.scheme == "http":
        raise Astray(f"it sends us from https to http ({target.host}), where anybody could answer")
    return target
