"""How far a feed has been read: which of its entries are known, how each of them read, and by what it is asked next.

A feed has no numbers by which one could go on. So the entries themselves are remembered, a few bytes of each: the
ones of the last reading, and as many before them as there is room for, since what a search finds comes and goes.
They are known by their ids and by what they say: some servers give an entry another id each time.
"""

import base64
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import orjson
from yarl import URL

from crisisdesk.sources.feed.document import MAX_ENTRIES
from crisisdesk.sources.feed.entry import MAX_URL, Entry

MAX_CURSOR: Final = 4_000_000
"""Characters; the largest that we write has two thirds of that."""

_ID: Final = 7
_SAID: Final = 5
"""Bytes: two entries are mixed up, or a change is missed, once in very long."""


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()


@dataclass(frozen=True, slots=True)
class FeedPlace:
    """How far one feed has been read."""

    known: Mapping[bytes, bytes] = field(default_factory=dict)
    """Digests: of an entry's id, and of what it says."""
    etag: str = ""
    modified: str = ""
    moved: str = ""
    """Where the feed is now; empty where it is where the settings say."""
    was_read: bool = False

    def knows(self, entry: Entry) -> bool:
        """Whether there was an entry of this id, or one that said the same at the same time."""
        is_dated = entry.published is not None  # else many a "Re: Motrin" would be the same
        return _digest(entry.id, _ID) in self.known or (is_dated and _digest(entry.said, _SAID) in self.known.values())

    def has_changed(self, entry: Entry) -> bool:
        """Whether the one of this id reads otherwise now."""
        said = _digest(entry.said, _SAID)
        return self.known.get(_digest(entry.id, _ID), said) != said

    def after(self, entries: Iterable[Entry], *, etag: str, modified: str, moved: str) -> Self:
        """The place behind these entries."""
        known = OrderedDict(self.known)
        for entry in entries:
            known[_digest(entry.id, _ID)] = _digest(entry.said, _SAID)
            known.move_to_end(_digest(entry.id, _ID))
        while len(known) > MAX_ENTRIES:
            known.popitem(last=False)
        return type(self)(known, etag, modified, moved, was_read=True)

    def plain(self) -> dict[str, str]:
        """As plain values."""
        known = b"".join(one + said for one, said in self.known.items())
        return {
            "known": base64.b64encode(known).decode(),
            "etag": self.etag,
            "modified": self.modified,
            "moved": self.moved,
        }

    @classmethod
    def parse(cls, values: Any) -> Self:  # noqa: ANN401 - it comes from the disk
        """What `plain` gave.

        Raises:
            ValueError: it is damaged.
        """
        if not isinstance(values, dict) or values.keys() != {"known", "etag", "modified", "moved"}:
            raise ValueError("no place in a feed")
        if not all(isinstance(value, str) for value in values.values()) or len(values["moved"]) > MAX_URL:
            raise ValueError("no place in a feed")
        known = base64.b64decode(values["known"], validate=True)
        size = _ID + _SAID
        if len(known) % size or len(known) > MAX_ENTRIES * size:
            raise ValueError("no place in a feed")
        URL(values["moved"])
        marks = (values["etag"], values["modified"], values["moved"])
        if not all(mark.isprintable() for mark in marks):
            raise ValueError("no place in a feed")
        pieces = (known[at : at + size] for at in range(0, len(known), size))
        return cls({piece[:_ID]: piece[_ID:] for piece in pieces}, *marks, was_read=True)


def name_of(address: str) -> str:
    """What stands for an address in a cursor: addresses may hold what is nobody's business."""
    return _digest(address, 8).hex()


def cursor_of(places: Mapping[str, FeedPlace]) -> str:
    """The places of feeds, by address, as one text."""
    return orjson.dumps({name_of(url): place.plain() for url, place in places.items() if place.was_read}).decode()


def parse_cursor(cursor: str, addresses: Iterable[str]) -> dict[str, FeedPlace]:
    """The places of feeds at these addresses, by address; of one that has been set to where it moved, its old one.

    Raises:
        ValueError: it is damaged.
    """
    if len(cursor) > MAX_CURSOR or not isinstance(values := orjson.loads(cursor), dict):
        raise ValueError("no place in feeds")
    found = {name: FeedPlace.parse(value) for name, value in values.items()}
    moved = {place.moved: replace(place, moved="") for place in found.values() if place.moved}
    wanted = {url: found.get(name_of(url)) or moved.get(url) for url in addresses}
    return {url: place for url, place in wanted.items() if place}
