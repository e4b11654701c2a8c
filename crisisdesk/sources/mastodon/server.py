"""A Mastodon server: where it streams from, what its timelines hold, and what it means when it refuses.

The token is shown to the server that the settings name and to the streaming address that this one names itself, to
nobody else: redirects are never followed, and without encryption it goes to this machine only.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Final

import aiohttp
import orjson
from yarl import URL

from crisisdesk import __version__
from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.settings.server import is_loopback
from crisisdesk.sources.mastodon.events import ComplaintError
from crisisdesk.text import clean

LIMIT: Final = 40
"""Statuses in a page of a timeline; servers give no more."""
MAX_PAGE: Final = 1 << 24
"""Bytes of an answer that we read at all."""
MAX_ASKED_WAIT: Final = 300.0
"""Seconds that a server may make us wait, which is how often Mastodon's rate limits begin anew."""
STREAMING: Final = "api/v1/streaming"

_ANSWER: Final = aiohttp.ClientTimeout(total=30.0)
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_TOKEN: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_DOMAIN: Final = re.compile(r"[\w.-]{1,253}(:\d{1,5})?")
_SECURE: Final = {"ws": "http", "wss": "https", "http": "http", "https": "https"}


class MuteError(SourceError):
    """The connection is open and mute."""


class StrangeError(SourceError):
    """The server answers as no Mastodon server does."""


class RefusalError(SourceError):
    """The server answers, but not with what was asked for.

    Attributes:
        status: HTTP.
        reason: in the server's words, cleaned.
        wait: seconds that it asks us to wait.
    """

    def __init__(self, host: str, status: int, reason: str = "", wait: float = 0.0) -> None:
        self.status, self.reason, self.wait = status, reason, wait
        super().__init__(f"{host} answers HTTP {status}{f' ({reason})' if reason else ''}")


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
        self.pass_on: Final = {"Authorization": f"Bearer {token}"}
        """The headers that show the token."""

    async def find(self, session: aiohttp.ClientSession) -> URL:
        """Where it streams from, as it says itself: http or https.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not answer, or names what we must not trust.
        """
        about = await self._about(session)
        if isinstance(domain := about.get("domain"), str) and _DOMAIN.fullmatch(domain):
            self.domain = domain.lower()
        try:
            named = about["configuration"]["urls"]["streaming"]
        except (KeyError, TypeError):
            named = await self._redirect(session)
        return self._trusted(named) if named else self.url

    async def page(
        self, session: aiohttp.ClientSession, stream: str, after: str | None = None, limit: int = LIMIT
    ) -> Sequence[Any]:
        """Statuses of the timeline of a stream: those right after one, or the newest; in no order.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not come about.
        """
        asked = {"limit": str(limit)} | ({} if after is None else {"min_id": after})
        async with session.get(_timeline(self.url, stream, asked), headers=self.pass_on, timeout=_ANSWER) as response:
            statuses = _json(await _body(response))
        if not isinstance(statuses, list):
            raise StrangeError(f"{self.host} answers with no timeline")
        return statuses

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
        reason = (
            "no answer" if isinstance(error, TimeoutError) else getattr(error, "strerror", None) or type(error).__name__
        )
        host = error.host if isinstance(error, aiohttp.ClientConnectorError) else self.host
        return SourceError(f"no connection to {host} ({reason})")

    def _judge(self, error: RefusalError | StrangeError) -> SourceError:
        if passes(error):
            return error
        status = error.status if isinstance(error, RefusalError) else 0
        if status in _TOKEN:
            cure = "check 'token_env' or 'token_file' of the source: it must hold the access token of a user"
        elif status == HTTPStatus.BAD_REQUEST:
            cure = "check 'streams' of the source"
        else:
            cure = "check 'server' of the source: it must be a Mastodon server, such as https://mastodon.social"
        return SourceError(f"{error}; {cure}") if self.proven else FatalSourceError(f"{error}; {cure}.")

    async def _about(self, session: aiohttp.ClientSession) -> Mapping[str, Any]:
        """What it says of itself; nothing where it is older than that or of another kind."""
        address = self.url / "api/v2/instance"
        async with session.get(address, timeout=_ANSWER, raise_for_status=False) as response:
            if _is_own_trouble(response.status):
                await refuse(response)
            about = _json(await _body(response)) if response.status == HTTPStatus.OK else None
        return about if isinstance(about, dict) else {}

    async def _redirect(self, session: aiohttp.ClientSession) -> str | None:
        """Where it sends those who ask for its streams; None where they are to be had here."""
        asked = self.url / STREAMING
        async with session.get(asked, timeout=_ANSWER, raise_for_status=False, allow_redirects=False) as response:
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


def open_session() -> aiohttp.ClientSession:
    """A session that follows no redirect and takes what is no answer for a refusal."""
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_stay)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=None),
        headers={"User-Agent": f"crisisdesk/{__version__}"},
        raise_for_status=refuse,
        trace_configs=[trace],
    )


def asked_wait(error: Exception) -> float:
    """Seconds that a server asks us to wait."""
    return error.wait if isinstance(error, RefusalError) else 0.0


def _address(named: object) -> URL:
    try:
        return URL(named) if isinstance(named, str) else URL()
    except ValueError:
        return URL()


def passes(error: Exception) -> bool:
    """Whether the same may be answered otherwise later, without anything being changed here."""
    return not isinstance(error, StrangeError) and (
        not isinstance(error, RefusalError) or _is_own_trouble(error.status)
    )


def _is_own_trouble(status: int) -> bool:
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER


async def refuse(response: aiohttp.ClientResponse) -> None:
    """Take what is no answer for a refusal, while its reason can still be read (aiohttp's `raise_for_status`)."""
    if response.status not in {HTTPStatus.OK, HTTPStatus.SWITCHING_PROTOCOLS}:
        reason = _reason(response, await response.content.read(4_096))
        raise RefusalError(response.url.authority, response.status, reason, _wait_in(response.headers))


async def _stay(_: aiohttp.ClientSession, __: SimpleNamespace, moved: aiohttp.TraceRequestRedirectParams) -> None:
    response = moved.response
    response.close()
    where = clean(response.headers.get("Location", ""), 100)
    raise RefusalError(response.url.authority, response.status, f"it sends us on to {where}")


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


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _timeline(url: URL, stream: str, asked: Mapping[str, str]) -> URL:
    kind, _, which = stream.partition(":")
    if kind == "hashtag":
        return (url / "api/v1/timelines/tag" / which).with_query(asked)
    return (url / "api/v1/timelines/public").with_query({**asked, which: "true"} if which else asked)


def _reason(response: aiohttp.ClientResponse, body: bytes) -> str:
    """Why, in the server's words: in the answer, or, where a websocket was asked for, in a header."""
    said = _json(body)
    reason = said.get("error") if isinstance(said, dict) else None
    return clean(reason if isinstance(reason, str) else response.headers.get("X-Error-Message", ""), 200)


def _wait_in(headers: Mapping[str, str]) -> float:
    """Seconds until it may be tried again, by the server's own clock; 0 where it does not say."""
    asked = headers.get("Retry-After", "")
    if asked.isdecimal():
        return min(float(asked), MAX_ASKED_WAIT)
    now, moment = _moment(headers.get("Date", "")), _moment(asked) or _moment(headers.get("X-RateLimit-Reset", ""))
    if now is None or moment is None:
        return 0.0
    return min(max((moment - now).total_seconds(), 0.0), MAX_ASKED_WAIT)


def _moment(written: str) -> datetime | None:
    """A moment as HTTP or as Mastodon writes it."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            moment = read(written)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None
