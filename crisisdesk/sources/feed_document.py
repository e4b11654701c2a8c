"""A feed as a server sends it, RSS of any age or Atom, and the entries that it holds.

Feeds are written by strangers, and with some of them feedparser is never done: its search for an address in an author's
name takes time with the square of the name's length, and nothing else of the programme moves meanwhile. So this is run
in a process of its own (`feed_reader.py`), which can be ended.
"""

import calendar
import hashlib
import io
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

from crisisdesk.errors import InputError
from crisisdesk.language import marked
from crisisdesk.sources.feed_letters import letters_of
from crisisdesk.sources.markup import text_of
from crisisdesk.text import clean

MAX_NAME: Final = 200
MAX_URL: Final = 2_000
"""Characters, as in `posts.py`, which is not asked: what it brings along takes longer than to read a document."""
MAX_ENTRIES: Final = 500
"""Entries that are read of a feed: the newest. What lies behind is the past."""

_EARLIEST: Final = calendar.timegm((1995, 1, 1, 0, 0, 0))
_LATEST: Final = calendar.timegm((2200, 1, 1, 0, 0, 0))
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_WEB: Final = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_GLOBAL: Final = re.compile(r".*\D.*", re.DOTALL)
_WORDS: Final = re.compile(r"\w+")
_CUT: Final = ("…", "...")
_ENDED: Final = (".", "!", "?", "…", ":", ";")
_REDDIT: Final = re.compile(r"\s*submitted by\s+/u/\S+(?:\s+to\s+r/\S+)?\s*\[link\]\s*\[comments\]\s*$")
"""What Reddit writes under every post, also under one that has no words of its own."""
_CHARACTER: Final = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,4000})|([0-9]{1,4000}));?")
_WEB_PAGE: Final = re.compile(r"<!doctype html|<html[\s>]", re.IGNORECASE)
_NAMED_FEED: Final = re.compile(r"<link\s[^>]{0,500}application/(?:rss|atom)\+xml[^>]{0,500}>", re.IGNORECASE)
_HREF: Final = re.compile(r"""href\s*=\s*["']?([^"'\s>]{1,2000})""", re.IGNORECASE)
_SKIPPED: Final = re.compile(r"<skip(hour|day)s>(.{0,2000}?)</skip\1s>", re.IGNORECASE | re.DOTALL)
_SKIPPED_ONE: Final = re.compile(r"<(?:hour|day)>\s*(\w{1,9})\s*</", re.IGNORECASE)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; every text is cleaned."""

    id: str
    text: str
    author: str | None = None
    lang: str | None = None
    url: str | None = None
    published: int | None = None
    """Seconds since 1970; of the last change where the feed names nothing else, None where it names none."""
    updated: int | None = None
    """When it was changed last, if the feed says so."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a feed holds, and how often it wants to be asked."""

    entries: tuple[Entry, ...] = ()
    unusable: int = 0
    """Entries without words."""
    is_whole: bool = True
    """Nothing was broken on the way to its end."""
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
    drafts = [_Draft(one, feed.get("language") or language, address) for one in raw[: 10 * MAX_ENTRIES]]
    entries = _told_apart([draft for draft in drafts if draft.text])
    entries.sort(key=lambda entry: -(entry.published or _LATEST))
    ttl = str(feed.get("ttl", "")).strip()
    hours, days = _skipped(text)
    return Document(
        entries=tuple(entries[:MAX_ENTRIES]),
        unusable=sum(not draft.text for draft in drafts),
        is_whole="SAX" not in type(parsed.get("bozo_exception")).__name__,
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
                io.BytesIO(_CHARACTER.sub(_sound_character, text).encode("utf-8", "replace")),
                response_headers={"content-type": "application/xml; charset=utf-8"},
                sanitize_html=False,
                resolve_relative_uris=False,
            )
        except Exception as error:  # noqa: BLE001 - it has no list of what it may raise
            raise InputError(f"it breaks the programme that reads it ({type(error).__name__})") from None
    return found


def _sound_character(reference: re.Match[str]) -> str:
    """A reference to what is no character, as a sign for it: feedparser would give the whole feed up for one."""
    hexadecimal, decimal = reference.groups()
    number = int(hexadecimal, 16) if hexadecimal else int(decimal)
    return reference[0] if 0 < number <= sys.maxunicode and not 0xD800 <= number < 0xE000 else "�"


class _Draft:
    """An entry whose id has not been settled."""

    def __init__(self, raw: Mapping[str, Any], language: str, address: str) -> None:
        title, body = (
            raw.get("title_detail") or {},
            next(iter(raw.get("content") or ()), raw.get("summary_detail") or {}),
        )
        self.text = _joined(_plain(title), _REDDIT.sub("", _plain(body)))
        self.author = _author(raw)
        self.lang = marked(body.get("language") or title.get("language") or language or None)
        self.url = _url(raw.get("link"), address)
        self.updated = _seconds(raw, "updated")
        self.published = _seconds(raw, "published") or self.updated
        self.id = _id(raw.get("id"), address)

    def entry(self, key: str) -> Entry:
        return Entry(key, self.text, self.author, self.lang, self.url, self.published, self.updated)

    def digest(self) -> str:
        what = "\0".join((str(self.published), self.author or "", self.text))
        return _short(what)


def _told_apart(drafts: Sequence[_Draft]) -> list[Entry]:
    """Each entry once, under an id that is its own: some feeds give all of theirs the same.

    Of what has the same id and the same link, which is how Atom may show the versions of an entry, the newest counts.
    """
    links: dict[str, set[str | None]] = {}
    for draft in drafts:
        if draft.id:
            links.setdefault(draft.id, set()).add(draft.url)
    shared = Counter(draft.url for draft in drafts if not draft.id or len(links[draft.id]) > 1)
    found: dict[str, Entry] = {}
    for draft in drafts:
        if draft.id and len(links[draft.id]) == 1:
            key = draft.id
        else:
            key = _fitting(draft.url) if draft.url and shared[draft.url] == 1 else draft.digest()
        known, entry = found.get(key), draft.entry(key)
        if known is None or (known.updated or 0) < (entry.updated or 0):
            found[key] = entry
    return list(found.values())


def _id(value: object, address: str) -> str:
    """The feed's own id; a bare number, as every second site has it, only together with the feed's address."""
    name = _fitting(value) if isinstance(value, str) else ""
    return name if not name or _GLOBAL.match(name) else f"{name}@{_short(address)}"


def _fitting(name: str) -> str:
    """A name that is not too long; cut, two of them might become one."""
    name = clean(name, 10 * MAX_NAME)
    return name if len(name) <= MAX_NAME else _short(name)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _plain(detail: Mapping[str, Any]) -> str:
    value = detail.get("value")
    if not isinstance(value, str):
        return ""
    return text_of(value) if detail.get("type") in _HTML else clean(value)


def _joined(title: str, body: str) -> str:
    """Title and body, the title not twice: many feeds begin the body with it, cut or with other signs."""
    if not title or not body:
        return title or body
    head, words = _WORDS.findall(title.casefold()), _WORDS.findall(body.casefold())
    if len(words) > len(head) and words[: len(head)] == head:
        return body
    if head[: len(words)] == words:
        return title
    if title.endswith(_CUT) and words[: len(head) - 1] == head[:-1] and len(words) >= len(head):
        return body
    return clean(f"{title}{'' if title.endswith(_ENDED) else '.'} {body}")


def _author(raw: Mapping[str, Any]) -> str | None:
    """Who wrote it, or whom it was taken from, as in collections of news.

    Not the feed's own name: in what a search has found, each entry is by somebody else, and all of them together would
    count as one person.
    """
    for part, key in (("author_detail", "name"), ("source", "title")):
        named = raw.get(part)
        name = clean(str(named.get(key) or ""), MAX_NAME) if isinstance(named, Mapping) else ""
        if name:
            return name
        if part == "author_detail" and (name := clean(str(raw.get("author") or ""), MAX_NAME)):
            return name
    return None


def _url(link: object, address: str) -> str | None:
    if not isinstance(link, str) or not link.strip():
        return None
    try:
        url = clean(urljoin(address, link.strip()), MAX_URL)
    except ValueError:
        return None
    return url if _WEB.fullmatch(url) and len(url) < MAX_URL else None


def _seconds(raw: Mapping[str, Any], which: str) -> int | None:
    """A moment that can be one of a post; others are the zero of some programme's clock."""
    moment = raw.get(f"{which}_parsed") if which in raw else None
    try:
        seconds = calendar.timegm(moment) if moment else 0
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds if _EARLIEST <= seconds < _LATEST else None


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
        if (found := _HREF.search(link)) and (url := _url(found[1].replace("&amp;", "&"), address)):
            yield url
