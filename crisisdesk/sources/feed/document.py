"""A feed as a server sends it, RSS of any age or Atom, and the entries that it holds.

Feeds are written by strangers, and with some of them feedparser is never done: its search for an address in an author's
name takes time with the square of the name's length, and nothing else of the programme moves meanwhile. So this is run
in a process of its own (`apart.py`), which can be ended.
"""

import io
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crisisdesk.errors import InputError
from crisisdesk.sources.feed.entry import Entry, entries_of, web_address
from crisisdesk.sources.feed.letters import letters_of

MAX_ENTRIES: Final = 500
"""Entries that are read of a feed: the newest. What lies behind is the past."""

_REFERENCE: Final = re.compile(
    r"<!\[CDATA\[(?:.*?\]\]>|.*)|&(?:#(?:[xX]([0-9a-fA-F]{1,4000})|([0-9]{1,4000}));?|(?!#?\w{1,40};))", re.DOTALL
)
_END: Final = re.compile(r"</(?:\w{1,20}:)?(?:rss|feed|rdf)\s*>", re.IGNORECASE)
_WEB_PAGE: Final = re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE)
_NAMED_FEED: Final = re.compile(r"<link\s[^>]{0,500}application/(?:rss|atom)\+xml[^>]{0,500}>", re.IGNORECASE)
_HREF: Final = re.compile(r"""href\s*=\s*["']?([^"'\s>]{1,2000})""", re.IGNORECASE)
_SKIPPED: Final = re.compile(r"<skip(hour|day)s>(.{0,2000}?)</skip\1s>", re.IGNORECASE | re.DOTALL)
_SKIPPED_ONE: Final = re.compile(r"<(?:hour|day)>\s*(\w{1,9})\s*</", re.IGNORECASE)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Document:
    """What a feed holds, and how often it wants to be asked."""

    entries: tuple[Entry, ...] = ()
    unusable: int = 0
    """Entries without words."""
    is_whole: bool = True
    """It has an end."""
    ttl: int = 0
    """Minutes for which it stays as it is."""
    skip_hours: tuple[int, ...] = ()
    """Of the day, UTC, in which nothing new is to be expected."""
    skip_days: tuple[int, ...] = ()
    """The same of the week; Monday is 0."""


def read_document(content: bytes, *, charset: str = "", language: str = "", address: str = "") -> Document:
    """Read a feed, as far as it goes.

    Args:
        content: what the server sent, unpacked.
        charset: what the server calls its encoding.
        language: what the server calls its language.
        address: where it lies, to which links in it refer.

    Raises:
        InputError: it is no feed; the message says what it is instead, and where the feed may be.
    """
    text = letters_of(content, charset)
    parsed = _parsed(text)
    raw: Sequence[Mapping[str, Any]] = parsed["entries"]
    if not parsed.get("version") and not raw:
        raise InputError(_what_instead(text, address))
    feed: Mapping[str, Any] = parsed["feed"]
    entries, unusable = entries_of(raw, feed.get("language") or language, address)
    ttl = str(feed.get("ttl", "")).strip()
    hours, days = _skipped(text)
    return Document(
        entries=tuple(entries[:MAX_ENTRIES]),
        unusable=unusable,
        is_whole=_END.search(text, max(0, len(text) - 10_000)) is not None,
        ttl=int(ttl) if re.fullmatch(r"\d{1,6}", ttl, re.ASCII) else 0,
        skip_hours=hours,
        skip_days=days,
    )


def _parsed(text: str) -> Mapping[str, Any]:
    import feedparser  # noqa: PLC0415 - only the process that reads needs it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what becomes of its interface
        try:
            # Without its own cleaning: we keep no markup at all. Without a base: an id is not to change with it.
            found: Mapping[str, Any] = feedparser.parse(
                io.BytesIO(_REFERENCE.sub(_sound_reference, text).encode("utf-8", "replace")),
                response_headers={"content-type": "application/xml; charset=utf-8"},
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except Exception as error:  # noqa: BLE001 - it has no list of what it may raise
            raise InputError(f"it breaks the programme that reads it ({type(error).__name__})") from None
    return found


def _sound_reference(reference: re.Match[str]) -> str:
    """A reference that XML allows: feedparser gives a feed up for one to no character, and writes "AT&T" as "AT&T;"."""
    if reference[0] == "&":
        return "&amp;"
    hexadecimal, decimal = reference.groups()
    if not (hexadecimal or decimal):
        return reference[0]
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return reference[0] if 0 < number <= sys.maxunicode and not 0xD800 <= number < 0xE000 else "�"


def _skipped(text: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Hours and days that it would have left out; feedparser keeps only the last of them."""
    found = {kind.lower(): _SKIPPED_ONE.findall(inside) for kind, inside in _SKIPPED.findall(text[:100_000])}
    hours = {int(hour) % 24 for hour in found.get("hour", ()) if hour.isascii() and hour.isdecimal()}
    days = {_DAYS.index(day.lower()) for day in found.get("day", ()) if day.lower() in _DAYS}
    return tuple(sorted(hours)), tuple(sorted(days))


def _what_instead(text: str, address: str) -> str:
    """What a document that is no feed may be."""
    if not text:
        return "it is empty"
    if text.startswith("{"):
        kind = "a JSON Feed" if "jsonfeed.org" in text[:1_000] else "JSON"
        return f"it is {kind}, which is not read here; most sites have the same as RSS or Atom: write that as 'url'"
    if _WEB_PAGE.search(text[:10_000]):
        named = next(_named_feeds(text, address), "")
        cure = (
            f"it names {named} as its feed: write that as 'url'" if named else "look there for the address of its feed"
        )
        return f"it is a web page, not a feed; {cure}"
    if text.startswith("<"):
        return "it is XML, but neither RSS nor Atom; check 'url' of the source"
    return "it is neither RSS nor Atom; check 'url' of the source"


def _named_feeds(text: str, address: str) -> Iterator[str]:
    for link in _NAMED_FEED.findall(text[:200_000]):
        if (found := _HREF.search(link)) and (url := web_address(found[1].replace("&amp;", "&"), address)):
            yield url
