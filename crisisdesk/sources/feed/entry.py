"""The entries of a feed, as feedparser gives them: cleaned, told apart, and each under an id of its own."""

import calendar
import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urljoin

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


def entries_of(raw: Sequence[Mapping[str, Any]], language: str, address: str) -> tuple[list[Entry], int]:
    """The entries, the newest first, and how many had no words.

    Args:
        raw: as feedparser gives them.
        language: of the feed; may be empty.
        address: where it lies, to which links refer.
    """
    drafts = [_Draft(one, language, address) for one in raw]
    entries = _told_apart([draft for draft in drafts if draft.text])
    entries.sort(key=lambda entry: -(entry.published or _LATEST))
    return entries, sum(not draft.text for draft in drafts)


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
        self.url = web_address(raw.get("link"), address)
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
    return f"{name}@{_short(address)}" if name.isdecimal() else name


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


def web_address(link: object, address: str) -> str | None:
    """A link as it is meant; None for one that does not lead to the web."""
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
