"""What a receiver answers: whether it has taken an alert, and if not, why and what to mend."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import aiohttp
import orjson
from yarl import URL

from crisisdesk.errors import OutputError, RefusedError
from crisisdesk.net.unreachable import why_no_answer
from crisisdesk.text import clean, how_long

MOST_READ: Final = 16_384
"""Bytes of an answer; one that is longer has said enough."""
MAX_ASKED_WAIT: Final = 300.0
"""Seconds that a receiver can make us wait: alerts are not to lie about for longer."""

_MAX_REASON: Final = 200
_AGAIN: Final = "It is tried again."
_CERTIFICATES: Final = {
    9: "it is not valid yet; look at the clock of this machine",
    10: "it has expired; whoever runs the receiver has to renew it",
    62: "it is for another name; check the address of this output",
    64: "it is for another address; check the one of this output",
}
"""What is wrong with a certificate, by OpenSSL's number, and what to do."""
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_KEYS: Final = "check its secret or token, which may have changed, and the clock of this machine"
_ADDRESS: Final = "check the address of this output"
_OF_ALL: Final[Mapping[int, tuple[str, str]]] = {
    HTTPStatus.UNAUTHORIZED: ("does not know us", _KEYS),
    HTTPStatus.PAYMENT_REQUIRED: ("wants to be paid", "look at the account there"),
    HTTPStatus.FORBIDDEN: ("does not let us in", _KEYS),
    HTTPStatus.NOT_FOUND: ("knows no such address", _ADDRESS),
    HTTPStatus.METHOD_NOT_ALLOWED: ("takes nothing at this address", _ADDRESS),
    HTTPStatus.NOT_ACCEPTABLE: ("is not made for CloudEvents", "put something in between that writes what it reads"),
    HTTPStatus.PROXY_AUTHENTICATION_REQUIRED: ("is behind a proxy that does not know us", "check HTTPS_PROXY"),
    HTTPStatus.GONE: ("is gone for good", "ask its owners for the new address of this output, or take it out"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
        "is not made for CloudEvents",
        "put something in between that writes what it reads",
    ),
}
"""What concerns all alerts alike, and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What has come back."""

    status: int
    reason: str = ""
    """In the receiver's words, cleaned."""
    wait: float = 0.0
    """Seconds that it asks us to wait."""
    leads_to: str = ""
    """Where it sends us, without what may be a key there."""

    @property
    def is_refused_for_now(self) -> bool:
        """Whether it takes none at the moment, and may later."""
        return self.status >= HTTPStatus.INTERNAL_SERVER_ERROR or self.status in _LATER


async def read(response: aiohttp.ClientResponse, now: datetime) -> Answer:
    """Read an answer to its end, or as far as it is worth it.

    Raises:
        aiohttp.ClientError, OSError, TimeoutError: it does not come whole.
    """
    body = bytearray()
    while len(body) < MOST_READ and (piece := await response.content.read(MOST_READ)):
        body += piece
    return Answer(
        response.status,
        _reason(response, bytes(body)),
        _asked_wait(response.headers.get("Retry-After", ""), now),
        _leads_to(response),
    )


def judge(answer: Answer, shown: str, *, is_heard: bool) -> None:
    """Whether an alert was taken.

    Args:
        answer: to it.
        shown: what messages call the receiver.
        is_heard: whether its own words may be repeated.

    Raises:
        RefusedError: it does not take this one.
        OutputError: it takes none at the moment.
    """
    status, said = answer.status, f' It says: "{answer.reason}".' if answer.reason and is_heard else ""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return
    if status in _OF_ALL:
        what, cure = _OF_ALL[status]
        raise OutputError(f"{shown} {what} (HTTP {status}); {cure}.{said} {_AGAIN}")
    if status < HTTPStatus.BAD_REQUEST:
        where = (answer.leads_to if is_heard else "") or "another address"
        cure = "if that is right, make it the address of this output"
        raise OutputError(
            f"{shown} sends us on to {where} (HTTP {status}), where alerts do not follow; {cure}. {_AGAIN}"
        )
    if answer.is_refused_for_now:
        when = f" in {how_long(timedelta(seconds=answer.wait))}, as it wishes" if answer.wait else ""
        raise OutputError(f"{shown} takes no alerts at the moment (HTTP {status}).{said} {_AGAIN[:-1]}{when}.")
    what = "an alert of that size" if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else "an alert"
    raise RefusedError(
        f"{shown} refuses {what} (HTTP {status}); ask there why.{said} Others go out meanwhile. {_AGAIN}"
    )


def why_none(error: Exception, shown: str, seconds: float) -> str:
    """Why no answer has come, or not all of it, and what to do."""
    if isinstance(error, TimeoutError):
        return f"{shown} has given no whole answer within {seconds:g} s; look how it is. {_AGAIN}"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        answers = f"answers HTTP {error.status}" if isinstance(error, aiohttp.ClientHttpProxyError) else "is not there"
        return f"The proxy on the way to {shown} {answers}; check HTTPS_PROXY and NO_PROXY. {_AGAIN}"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        number = getattr(error.certificate_error, "verify_code", 0)
        what = _CERTIFICATES.get(number, "nobody we know vouches for it; name who does with 'ca_file' of this output")
        return f"The certificate of {shown} is not to be trusted: {what}. {_AGAIN}"
    broken = isinstance(error, aiohttp.ClientResponseError | ValueError)
    why = "what comes from there is no HTTP" if broken else why_no_answer(error)
    return f"{shown} cannot be reached ({why}); start it, or {_ADDRESS}. {_AGAIN}"


def _reason(response: aiohttp.ClientResponse, body: bytes) -> str:
    """The sentence that says why, where there is one: pages are for browsers."""
    if response.content_type == "text/plain":
        said: object = body.decode("utf-8", "replace")
    else:
        said = _member(body)
    return clean(said, _MAX_REASON).rstrip(" .") if isinstance(said, str) else ""


def _member(body: bytes) -> object:
    """What JSON gives as the reason."""
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for _ in range(2):  # some wrap it once more
        if isinstance(value, dict):
            value = next((value[key] for key in ("error", "message", "detail", "title") if value.get(key)), None)
    return value


def _asked_wait(asked: str, now: datetime) -> float:
    """Seconds until it wants to be asked again; 0 where it does not say."""
    if re.fullmatch(r"[0-9]{1,9}", asked):
        return min(float(asked), MAX_ASKED_WAIT)
    try:
        moment = parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), MAX_ASKED_WAIT)


def _leads_to(response: aiohttp.ClientResponse) -> str:
    """Where a redirect leads."""
    location = response.headers.get("Location", "")
    try:
        target = response.url.join(URL(location)).with_query(None).with_fragment(None).with_user(None)
    except ValueError:
        return ""
    return clean(str(target), 100) if location and target.host else ""
