"""What is the matter with a feed that cannot be read, what to mend, and whether it is worth another attempt."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.answer import Astray, Refusal
from crisisdesk.text import clean, how_long, shorten

_WORST_NAME: Final = 100
_SEARCHES: Final = ("q", "query", "search", "s", "term", "channel_id", "playlist_id")
"""Parts of an address that say which feed it is; others may be keys to it."""
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_REDDIT: Final = '"linux:acme-desk:1.0 (by /u/yourname)"'


class Outlook(StrEnum):
    """What to expect of another attempt."""

    SOON = "soon"
    RARELY = "rarely"
    """Somebody has to mend something first, perhaps not here."""
    NEVER = "never"
    """The settings have to be changed."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is the matter with one feed."""

    sentence: str
    outlook: Outlook = Outlook.SOON
    wait: float = 0.0
    """Seconds that its server wants us to wait."""
    is_of_host: bool = False
    """So it wants with all its feeds."""

    def __str__(self) -> str:
        return self.sentence


def shown(url: URL) -> str:
    """An address as people know it, without what may be a key to it."""
    found = next((f"?{key}={url.query[key]}" for key in _SEARCHES if key in url.query), "")
    return shorten(
        clean(f"{url.host_port_subcomponent}{url.path if url.path != '/' or found else ''}{found}"), _WORST_NAME
    )


def diagnose(error: Exception, url: URL, *, is_proven: bool, has_password: bool, has_agent: bool) -> Trouble:
    """Decide whether trying again can help.

    Args:
        error: what happened.
        url: of the feed, as it is set.
        is_proven: it was read before as we are, so that a refusal may pass.
        has_password: we sent a name and a password.
        has_agent: the settings say who we are.
    """
    name = shown(url)
    if isinstance(error, Refusal):
        return _judged(error, name, is_proven=is_proven, has_password=has_password, has_agent=has_agent)
    if isinstance(error, InputError | Astray):
        return Trouble(f"{name} cannot be read: {error}.", Outlook.RARELY)
    if isinstance(error, aiohttp.InvalidURL):
        return Trouble(f"{name} is no address of a feed; check 'url' of the source.", Outlook.NEVER)
    return Trouble(f"{name}: {_broken(error)}.")


def _broken(error: Exception) -> str:
    """Why there was no answer, or not all of it."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "the certificate of its server is not to be trusted; it is tried again"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its server is not found; check 'url' of the source, if this lasts"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its answer was cut off; it is tried again"
    slow = isinstance(error, TimeoutError)
    reason = "no answer in time" if slow else getattr(error, "strerror", None) or type(error).__name__
    return f"no connection ({clean(str(reason), _WORST_NAME)}); it is tried again"


def _judged(refusal: Refusal, name: str, *, is_proven: bool, has_password: bool, has_agent: bool) -> Trouble:
    status = refusal.status
    if status == HTTPStatus.GONE:
        return Trouble(f"{name} is gone for good (HTTP 410); take it out of 'url' of the source.", Outlook.NEVER)
    agent = "" if has_agent else f"; set 'user_agent' of the source, for Reddit like {_REDDIT}"
    if status in _REFUSED:
        cure = (
            "check 'username' and the password of the source" if has_password else "set 'username' and 'password_env'"
        )
        cure = cure if status == HTTPStatus.UNAUTHORIZED or has_password else agent.removeprefix("; ")
        cure = cure or "check 'url' and 'user_agent' of the source"
        outlook = Outlook.RARELY if is_proven else Outlook.NEVER
        return Trouble(f"{name} refuses us (HTTP {status}); {cure}.", outlook, refusal.wait)
    if status in _BUSY:
        asked = ""
        if refusal.wait:
            asked = f"; it wants us to wait {how_long(timedelta(seconds=refusal.wait))}"
        cure = agent if status == HTTPStatus.TOO_MANY_REQUESTS else ""
        return Trouble(f"{name} answers HTTP {status}{asked}{cure}.", Outlook.SOON, refusal.wait, is_of_host=True)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER:
        return Trouble(f"{name} answers HTTP {status}; it is tried again.", Outlook.SOON, refusal.wait)
    if status == HTTPStatus.NOT_FOUND:
        return Trouble(f"{name} is not there (HTTP 404); check 'url' of the source.", Outlook.RARELY)
    return Trouble(f"{name} answers HTTP {status}; check 'url' of the source.", Outlook.RARELY, refusal.wait)
