"""What is the matter with a feed that cannot be read, what to mend, and whether it is worth another attempt."""

import os
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.answer import Astray, Refusal
from crisisdesk.sources.feed.apart import NoProcessError
from crisisdesk.text import clean, how_long, shorten

_MAX_NAME: Final = 100
_SEARCHES: Final = ("q", "query", "search", "s", "term", "channel_id", "playlist_id")
"""Parts of an address that say which feed it is; others may be keys to it."""
_AGENT: Final = "set 'user_agent' of the source, for Reddit like \"linux:acme-desk:1.0 (by /u/yourname)\""
_ROBOT: Final = "perhaps it takes the desk for a robot or shuts out this network: ask who runs it, or find another feed"
_BREAKS: Final[dict[type[Exception], str]] = {
    aiohttp.ClientConnectorCertificateError: "the certificate of its server is not to be trusted; open it in a "
    "browser, and look at the clock of this machine",
    aiohttp.ClientConnectorSSLError: "its server does not speak https there; check 'url' of the source",
    aiohttp.ClientConnectorDNSError: "its server is not found; check 'url' of the source, if this lasts",
    aiohttp.ClientPayloadError: "its answer was cut off, or is not packed as it says",
    aiohttp.ClientResponseError: "what its server answers is no HTTP, or packed in an unknown way",
    aiohttp.ServerDisconnectedError: "its server hung up without an answer",
    TimeoutError: "no answer in time",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with one feed."""

    sentence: str
    is_final: bool = False
    """The settings have to be changed."""
    wait: float = 0.0
    """Seconds that its server wants us to wait."""
    is_of_host: bool = False
    """All its feeds have to wait."""


def shown(url: URL) -> str:
    """An address as people know it, without what may be a key to it."""
    found = next((f"?{key}={url.query[key]}" for key in _SEARCHES if key in url.query), "")
    return shorten(
        clean(f"{url.host_port_subcomponent}{url.path if url.path != '/' or found else ''}{found}"), _MAX_NAME
    )


def diagnose(
    error: Exception, url: URL, address: URL, *, is_proven: bool, has_password: bool, has_agent: bool
) -> Trouble:
    """Decide whether trying again can help.

    Args:
        error: what happened.
        url: of the feed, as it is set.
        address: to which that has led.
        is_proven: it was read before as we are, so that a refusal may pass.
        has_password: we sent a name and a password.
        has_agent: the settings say who we are.
    """
    name = shown(url)
    if isinstance(error, Refusal):
        return _judged(error, name, is_proven=is_proven, has_password=has_password, has_agent=has_agent)
    if address.host != url.host:
        name = f"{name} leads to {shown(address)}, which"
    if isinstance(error, InputError | Astray):
        return Trouble(f"{name} cannot be read: {error}.")
    if isinstance(error, NoProcessError):
        why = error.strerror or "no reason given"
        return Trouble(f"{name} cannot be read: this machine starts no process for it ({why}); start the desk anew.")
    if isinstance(error, aiohttp.InvalidURL | UnicodeError):
        return Trouble(f"{name} is no address of a feed; check 'url' of the source.", is_final=True)
    is_of_host = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return Trouble(f"{name}: {_broken(error)}; it is tried again.", is_of_host=is_of_host)


def _broken(error: Exception) -> str:
    """Why there was no answer, or not all of it."""
    if said := next((said for kind, said in _BREAKS.items() if isinstance(error, kind)), ""):
        return said
    number = getattr(error, "errno", None)
    return f"no connection ({os.strerror(number)})" if number and number > 0 else "no connection"


def _judged(refusal: Refusal, name: str, *, is_proven: bool, has_password: bool, has_agent: bool) -> Trouble:
    status, wait = refusal.status, refusal.wait
    if status == HTTPStatus.GONE:
        return Trouble(f"{name} is gone for good (HTTP 410); take it out of 'url' of the source.", is_final=True)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        is_open = status == HTTPStatus.FORBIDDEN and not has_password  # it may be a mood, or a wall against robots
        cure = "set 'username' and 'password_env'"
        if has_password:
            cure = "check 'username' and the password of the source"
        elif is_open:
            cure = _ROBOT if has_agent or is_proven else _AGENT
        return Trouble(f"{name} refuses us (HTTP {status}); {cure}.", not (is_proven or is_open), wait)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        asked = f" and wants us to wait {how_long(timedelta(seconds=wait))}" if wait else ""
        cure = "raise 'every' of the source if this lasts" if has_agent else _AGENT
        return Trouble(f"{name} is asked too often (HTTP 429){asked}; {cure}.", wait=wait, is_of_host=True)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}:
        again = f"in {how_long(timedelta(seconds=wait))}, as it wishes" if wait else "again"
        return Trouble(f"{name} answers HTTP {status}; it is tried {again}.", wait=wait, is_of_host=wait > 0)
    what = "is not there (HTTP 404)" if status == HTTPStatus.NOT_FOUND else f"answers HTTP {status}"
    return Trouble(f"{name} {what}; check 'url' of the source.", wait=wait)
