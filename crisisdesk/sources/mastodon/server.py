"""A Mastodon server: where it streams from, what its timelines hold, and what to mend when it refuses.

The token is shown to the server that the settings name and to the streaming address that this one names itself, to
nobody else: redirects are never followed, and without encryption it goes to this machine only.
"""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp
from yarl import URL

from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.settings.server import is_loopback
from crisisdesk.sources.mastodon.access import withheld
from crisisdesk.sources.mastodon.events import ComplaintError
from crisisdesk.sources.mastodon.refusals import (
    RefusalError,
    StrangeError,
    is_final,
    is_own_trouble,
    json_in,
    refuse,
    wait_in,
)

LIMIT: Final = 40
"""Statuses in a page of a timeline; servers give no more."""
MAX_PAGE: Final = 1 << 24
"""Bytes of an answer that we read at all."""
RESERVE: Final = 60
"""Of the requests that a server allows (Mastodon: 300 in 5 minutes), what reading at length leaves for all else."""
STREAMING: Final = "api/v1/streaming"

_ANSWER: Final = aiohttp.ClientTimeout(total=30.0)
_OF_USERS: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_DOMAIN: Final = re.compile(r"[\w.-]{1,253}(:\d{1,5})?")
_SECURE: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


class Server:
    """The server whose streams are read, and what is known of it.

    Args:
        address: such as `https://mastodon.social`.
        token: an access token of a user of it.
    """

    def __init__(self, address: str, token: str) -> None:
        self.url = URL(address)
        self.host = self.url.authority
        self.domain = self.url.host or self.host
        """What follows the names of its users; servers may live elsewhere than their users' names say."""
        self.proven = False
        """It has taken us as we are, so that a refusal is its own trouble and may pass."""
        self.known = False
        """It has done so in an earlier run, so that what is no answer of Mastodon's is somebody's between us and it."""
        self.pass_on: Final = {"Authorization": f"Bearer {token}"}
        """The headers that show the token."""
        self._about: Mapping[str, Any] = {}
        self._rests_until = 0.0

    async def find(self, session: aiohttp.ClientSession) -> URL:
        """Where it streams from, as it says itself: http or https.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not answer, or names what we must not trust.
        """
        self._about = about = await self._asked_about(session)
        if isinstance(domain := about.get("domain"), str) and _DOMAIN.fullmatch(domain):
            self.domain = domain.lower()
        try:
            named = about["configuration"]["urls"]["streaming"]
        except (KeyError, TypeError):
            named = await self._redirect(session)
        return self._trusted(named) if named else self.url

    async def page(
        self,
        session: aiohttp.ClientSession,
        stream: str,
        *,
        after: str | None = None,
        before: str | None = None,
        limit: int = LIMIT,
    ) -> Sequence[Any]:
        """Statuses of the timeline of a stream: those right after one, right before one, or the newest; in no order.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not come about.
        """
        given = {"limit": str(limit), "min_id": after, "max_id": before}
        asked = {name: value for name, value in given.items() if value is not None}
        async with session.get(_timeline(self.url, stream, asked), headers=self.pass_on, timeout=_ANSWER) as response:
            statuses = json_in(await _body(response))
            self._be_moderate(response.headers)
        if not isinstance(statuses, list):
            raise StrangeError(f"{self.host} answers with no timeline")
        return statuses

    async def rest(self) -> None:
        """Wait until there are requests to spare, before one that others need not wait for."""
        await asyncio.sleep(max(0.0, self._rests_until - asyncio.get_running_loop().time()))

    def withheld(self, streams: Iterable[str]) -> str:
        """What it keeps out of some streams, as far as it says so; empty where it is nothing."""
        return " ".join(withheld(self.host, self._about, streams))

    def diagnose(self, error: Exception) -> SourceError:
        """Decide whether trying again can help.

        Returns:
            A FatalSourceError, if the settings must be mended first; else a SourceError that says what is the matter.
        """
        if isinstance(error, ComplaintError):
            error = RefusalError(self.host, error.status or HTTPStatus.INTERNAL_SERVER_ERROR, error.reason)
        if isinstance(error, aiohttp.InvalidURL):
            return FatalSourceError(f"'{self.host}' is no address of a server; check 'server' of the source.")
        if isinstance(error, RefusalError | StrangeError):
            return self._judge(error)
        if isinstance(error, SourceError):
            return error
        host = error.host if isinstance(error, aiohttp.ClientConnectorError) else self.host
        return SourceError(f"no connection to {host} ({why_no_answer(error)})")

    def _judge(self, error: RefusalError | StrangeError) -> SourceError:
        status = error.status if isinstance(error, RefusalError) else 0
        if is_own_trouble(status):
            return error
        if status == HTTPStatus.UNAUTHORIZED or (status in _OF_USERS and is_final(error)):
            cure = (
                "check 'token_env' or 'token_file' of the source: it must hold the access token of a user, with the "
                "scope read:statuses"
            )
        elif status == HTTPStatus.BAD_REQUEST:
            cure = "check 'streams' of the source"
        else:
            cure = (
                "check 'server' of the source: it must be a Mastodon server, such as https://mastodon.social, and "
                "nothing may stand between it and this machine"
            )
        may_pass = self.proven or (self.known and not is_final(error))
        return SourceError(f"{error}; {cure}") if may_pass else FatalSourceError(f"{error}; {cure}.")

    def _be_moderate(self, headers: Mapping[str, str]) -> None:
        left = headers.get("X-RateLimit-Remaining", "")
        if left.isdecimal() and len(left) < 10 and int(left) < RESERVE:
            self._rests_until = asyncio.get_running_loop().time() + wait_in(headers)

    async def _asked_about(self, session: aiohttp.ClientSession) -> Mapping[str, Any]:
        """What it says of itself; nothing where it is older than that or of another kind."""
        address = self.url / "api/v2/instance"
        headers = self.pass_on  # some tell nobody but their users
        async with session.get(address, headers=headers, timeout=_ANSWER, raise_for_status=False) as response:
            if is_own_trouble(response.status):
                await refuse(response)
            about = json_in(await _body(response)) if response.status == HTTPStatus.OK else None
        return about if isinstance(about, dict) else {}

    async def _redirect(self, session: aiohttp.ClientSession) -> str | None:
        """Where it sends those who ask for its streams; None where they are to be had here."""
        asked = self.url / STREAMING
        async with session.get(
            asked, headers=self.pass_on, timeout=_ANSWER, raise_for_status=False, allow_redirects=False
        ) as response:
            where = response.headers.get("Location") if response.status in _MOVED else None
        return None if where is None else str(asked.join(_address(where))).split(f"/{STREAMING}", 1)[0]

    def _trusted(self, named: object) -> URL:
        """An address that may see the token."""
        url = _address(named)
        if url.scheme not in _SECURE or not url.host:
            raise StrangeError(f"{self.host} names no address for its streams")
        url = url.with_scheme(_SECURE[url.scheme])
        if url.scheme != "https" and not is_loopback(url.host or ""):
            raise StrangeError(f"{self.host} streams without encryption, where the token must not go")
        return url.with_query(None).with_fragment(None)


def _address(named: object) -> URL:
    try:
        return URL(named) if isinstance(named, str) else URL()
    except ValueError:
        return URL()


async def _body(response: aiohttp.ClientResponse) -> bytes:
    """All of an answer.

    Raises:
        StrangeError: it is larger than we read.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_PAGE:
            raise StrangeError(f"{response.url.authority} answers with more than {MAX_PAGE} bytes")
    return bytes(body)


def _timeline(url: URL, stream: str, asked: Mapping[str, str]) -> URL:
    kind, _, which = stream.partition(":")
    if kind == "hashtag":
        return (url / "api/v1/timelines/tag" / which).with_query(asked)
    return (url / "api/v1/timelines/public").with_query({**asked, which: "true"} if which else asked)
