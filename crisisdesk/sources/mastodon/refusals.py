"""What becomes of asking a Mastodon server: answers that are none, and whether they pass by themselves."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Final

import aiohttp
import orjson

from crisisdesk import __version__
from crisisdesk.errors import SourceError
from crisisdesk.text import clean

MAX_ASKED_WAIT: Final = 300.0
"""Seconds that a server may make us wait, which is how often Mastodon's rate limits begin anew."""
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


class StrangeError(SourceError):
    """What answers is no Mastodon server, or not the one that we asked."""


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


def is_final(error: Exception) -> bool:
    """Whether it is a Mastodon server that says no, and gives its reason; without one it may be somebody before it."""
    return isinstance(error, RefusalError) and bool(error.reason) and not is_own_trouble(error.status)


def is_own_trouble(status: int) -> bool:
    """Whether the server says that it cannot answer now."""
    return status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER


def asked_wait(error: Exception) -> float:
    """Seconds that a server asks us to wait."""
    return error.wait if isinstance(error, RefusalError) else 0.0


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


async def refuse(response: aiohttp.ClientResponse) -> None:
    """Take what is no answer for a refusal, while its reason can still be read (aiohttp's `raise_for_status`)."""
    if response.status not in {HTTPStatus.OK, HTTPStatus.SWITCHING_PROTOCOLS}:
        reason = _reason(response, await response.content.read(4_096))
        raise RefusalError(response.url.authority, response.status, reason, wait_in(response.headers))


async def _stay(_: aiohttp.ClientSession, __: SimpleNamespace, moved: aiohttp.TraceRequestRedirectParams) -> None:
    response = moved.response
    response.close()
    where = clean(response.headers.get("Location", ""), 100)
    raise StrangeError(f"{response.url.authority} answers HTTP {response.status} (it sends us on to {where})")


def json_in(body: bytes) -> object:
    """What an answer holds; None where it is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _reason(response: aiohttp.ClientResponse, body: bytes) -> str:
    """Why, in the server's words: in the answer, or, where a websocket was asked for, in a header."""
    said = json_in(body)
    reason = said.get("error") if isinstance(said, dict) else None
    return clean(reason if isinstance(reason, str) else response.headers.get("X-Error-Message", ""), 200)


def wait_in(headers: Mapping[str, str]) -> float:
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
