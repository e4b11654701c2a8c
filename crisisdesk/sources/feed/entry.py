"""The entries of a feed, as feedparser gives them: cleaned, told apart, and each under an id of its own."""

import calendar
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_tz
from typing import Any, Final
from urllib.parse import parse_qs, urljoin, urlsplit

from crisisdesk.language import marked
from crisisdesk.sources.markup import text_of
from crisisdesk.text import clean

MAX_NAME: Final = 200
MAX_URL: Final = 2_000
"""Characters, as in `posts.py`, which is not asked: what it brings along takes longer than to read a document."""

_EARLIEST: Final = calendar.timegm((1995, 1, 1, 0, 0, 0))
_LATEST: Final = calendar.timegm((2200, 1, 1, 0, 0, 0))
_HTML: Final = frozenset({"text/html", "application/xhtml+xml"})
_WEB: Final = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_WORDS: Final = re.compile(r"\w+")
_CUT: Final = ("…", "...")
_ENDED: Final = (".", "!", "?", "…", ":", ";")
_REDDIT: Final = re.compile(r"\s*submitted by\s+/u/\S+(?:\s+to\s+r/\S+)?\s*\[link\]\s*\[comments\]\s*$")
"""What Reddit writes under every post, also under one that has no words of its own."""
_HEADLINES: Final = re.compile(r"\s*<ol>\s*<li>\s*<a [^>]{0,100}https://news\.google\.com/", re.IGNORECASE)
"""Instead of a text, Google News lists what others write of the same: each of those is an entry of its own."""
_COUNTED: Final = re.compile(r"https?://(?:www\.)?(?:bing\.com/news/apiclick\.aspx|google\.com/url)\?")
"""Links by which searches count who follows them; Bing's are different at each reading."""


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

    @property
    def said(self) -> str:
        """What was said, when and by whom, as a short text of its own: the same under whatever id."""
        return _short("\0".join((str(self.published), self.author or "", self.text)))


def entries_of(raw: Sequence[Mapping[str, Any]], language: str, address: str) -> tuple[list[Entry], int]:
    """The entries, the newest first, and how many had no words.

    Args:
        raw: as feedparser gives them.
        language: of the feed; may be empty.
        address: where it lies, to which links refer.
    """
    found = [_entry(one, language, address) for one in raw]
    entries = _told_apart([entry for entry in found if entry.text])
    entries.sort(key=lambda entry: -(entry.published or _LATEST))
    return entries, sum(not entry.text for entry in found)


def _entry(raw: Mapping[str, Any], language: str, address: str) -> Entry:
    """An entry with the id that the feed gives it, which may be none."""
    title = raw.get("title_detail") or {}
    body = next(iter(raw.get("content") or ()), raw.get("summary_detail") or {})
    updated = _seconds(raw, "updated")
    return Entry(
        id=_fitting(raw.get("id")),
        text=_joined(_plain(title), _REDDIT.sub("", _plain(body))),
        author=_author(raw),
        lang=marked(body.get("language") or title.get("language") or language or None),
        url=web_address(raw.get("link"), address),
        published=_seconds(raw, "published") or updated,
        updated=updated,
    )


def _told_apart(entries: Sequence[Entry]) -> list[Entry]:
    """Each entry once, under an id that is its own: some feeds give all of theirs the same.

    Of what has the same id and the same link, which is how Atom may show the versions of an entry, the newest counts.
    """
    links: dict[str, set[str | None]] = {}
    for entry in entries:
        links.setdefault(entry.id, set()).add(entry.url)
    has_own = {entry.id for entry in entries if entry.id and len(links[entry.id]) == 1}
    shared = Counter(entry.url for entry in entries if entry.id not in has_own)
    found: dict[str, Entry] = {}
    for entry in entries:
        link = _fitting(entry.url) if shared[entry.url] == 1 else ""
        key = entry.id if entry.id in has_own else link or entry.said
        known = found.get(key)
        if known is None or (known.updated or 0) < (entry.updated or 0):
            found[key] = replace(entry, id=key)
    return list(found.values())


def _fitting(name: object) -> str:
    """A name that is not too long; cut, two of them might become one."""
    if not isinstance(name, str):
        return ""
    return clean(name, MAX_NAME) if len(name) <= MAX_NAME else _short(name)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


def _plain(detail: Mapping[str, Any]) -> str:
    value = detail.get("value")
    if not isinstance(value, str):
        return ""
    if detail.get("type") in _HTML:
        return "" if _HEADLINES.match(value) else text_of(value)
    return clean(value)


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
    detail, outlet = raw.get("author_detail") or {}, raw.get("source") or {}
    bing = raw.get("news_source")
    said = (detail.get("name"), raw.get("author"), outlet.get("title"), bing)
    names = (clean(name, MAX_NAME) for name in said if isinstance(name, str))
    return next(filter(None, names), None)


def web_address(link: object, address: str) -> str | None:
    """A link as it is meant; None for one that does not lead to the web."""
    if not isinstance(link, str) or not link.strip():
        return None
    try:
        url = urljoin(address, link.strip())
        if _COUNTED.match(url):
            url = parse_qs(urlsplit(url).query).get("url", [url])[0]
        url = clean(url, MAX_URL)
    except ValueError:
        return None
    return url if _WEB.fullmatch(url) and len(url) < MAX_URL else None


def _seconds(raw: Mapping[str, Any], which: str) -> int | None:
    """A moment that can be one of a post; others are the zero of some programme's clock."""
    if which not in raw:
        return None
    try:
        if moment := raw.get(f"{which}_parsed"):
            seconds = calendar.timegm(moment)
        elif moment := parsedate_tz(str(raw[which])[:100]):  # without a zone, which feedparser takes for no date
            seconds = calendar.timegm(moment[:9]) - (moment[9] or 0)
        else:
            return None
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return seconds if _EARLIEST <= seconds < _LATEST else None
