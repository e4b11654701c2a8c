"""What the server of a feed answers: the feed, that nothing has changed, or why we get nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp

from crisisdesk.errors import SourceError

MAX_BYTES: Final = 5_000_000
"""Of a feed, unpacked; a large one has a tenth of that."""
MAX_WAIT: Final = 86_400.0
"""Seconds for which a server may make us wait, however it says so."""

_MAX_MARK: Final = 500


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


async def answer_of(response: aiohttp.ClientResponse, moved: str | None, now: datetime) -> Answer:
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
    """The body, which aiohttp unpacks piece by piece, so that a little may not become very much.

    Raises:
        Astray: it is too large.
        aiohttp.ClientPayloadError: it breaks off, or is not packed as it says.
    """
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) > MAX_BYTES:
            raise Astray(f"it has more than {MAX_BYTES:,} bytes; see whether its site offers one with fewer entries")
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
