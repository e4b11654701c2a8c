"""X's posts as the desk's: what is said, by whom, when, and what it repeats, answers or replaces. No connection here.

An edited post has a new id and the list of all its ids; the desk knows it by the first of them. When it was written is
in that id, which X gives and no author can choose.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

import orjson

from crisisdesk.errors import InputError
from crisisdesk.records import Post
from crisisdesk.sources.posts import post_from, time_from
from crisisdesk.sources.x.place import moment_of, read_id
from crisisdesk.sources.x.rules import Rule, watches_that_find
from crisisdesk.text import clean

SOURCE: Final = "x"
BELIEVED: Final = timedelta(days=1)
"""How old a post may be that comes as new, to keep its time; the stream brings only what was just written."""
MAX_LINK: Final = 500
"""Characters of a link that count as said."""

Json = dict[str, Any]

_SHORTENED: Final = re.compile(r"https?://t\.co/\w+", re.ASCII)
_ESCAPED: Final = re.compile("&(amp|lt|gt);")
_CHARACTERS: Final = {"amp": "&", "lt": "<", "gt": ">"}
_HANDLE: Final = re.compile(r"\w{1,15}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Included:
    """What comes with posts: their authors and the posts that they repeat, by id."""

    users: Mapping[str, Json]
    posts: Mapping[str, Json]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Self:
        """That of a line of the stream or of a page of a search."""
        included = answer.get("includes")
        included = included if isinstance(included, dict) else {}
        return cls(_by_id(included.get("users")), _by_id(included.get("tweets")))


@dataclass(frozen=True, slots=True)
class Said:
    """A version of a post."""

    post: Post
    version: int
    """The id of this version, which is `post.id` until the author edits it."""
    quoted_for: tuple[str, ...] = ()
    """The watches that what it quotes concerns, where its own words do not."""

    @property
    def is_edit(self) -> bool:
        return self.post.id != str(self.version)


def frame_in(line: bytes) -> Json:
    """What a line of the stream holds.

    Raises:
        InputError: it is not of the protocol.
    """
    try:
        frame = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise InputError("a line is not of the protocol (its JSON)") from None
    if not isinstance(frame, dict):
        raise InputError("a line is not of the protocol (no object)")
    return frame


def said_in(data: object, included: Included, arrival: datetime, *, is_new: bool, rules: Iterable[Rule] = ()) -> Said:
    """A post as X shows it.

    Args:
        data: the post.
        included: what comes with it.
        arrival: when it came; no post is later.
        is_new: it was just written, so that it cannot be much older.
        rules: of the stream that it matches, itself or by what it quotes.

    Raises:
        InputError: it is not of the protocol, or says nothing.
    """
    if not isinstance(data, dict):
        raise InputError("a post is not of the protocol (no object)")
    version, author = read_id(data.get("id")), included.users.get(_text(data.get("author_id")), {})
    first, references = _first(data, version), dict(_references(data))
    original = included.posts.get(references.get("retweeted", ""))
    name = _text(author.get("username"))
    post = post_from(
        {
            "id": str(first),
            "time": _time(first, data, arrival, is_new=is_new).isoformat(),
            "text": text_of(original if original is not None else data),
            "author": f"@{name}@x.com" if _HANDLE.fullmatch(name) else _text(data.get("author_id")),
            "lang": data.get("lang"),
            "url": f"https://x.com/{name if _HANDLE.fullmatch(name) else 'i'}/status/{version}",
            "reach": _followers(author),
            "repost": _original(references, original),
            "reply_to": references.get("replied_to"),
        },
        SOURCE,
    )
    return Said(post, version, watches_that_find(post, rules) if "quoted" in references else ())


def text_of(data: Json) -> str:
    """What a post says, cleaned: all of a long one, links as they lead, without the addresses of its own pictures."""
    note = data.get("note_tweet")
    whole = note if isinstance(note, dict) and isinstance(note.get("text"), str) else data
    text = whole.get("text")
    if not isinstance(text, str):
        return ""
    links = {**dict(_links(data)), **dict(_links(whole))}
    text = _SHORTENED.sub(lambda found: links.get(found[0], found[0]), text)
    return clean(_ESCAPED.sub(lambda found: _CHARACTERS[found[1]], text))


def _first(data: Json, version: int) -> int:
    """The id that the post had before it was edited."""
    history = data.get("edit_history_tweet_ids")
    if not isinstance(history, list) or str(version) not in history:
        return version
    return min(read_id(one) for one in history)


def _time(first: int, data: Json, arrival: datetime, *, is_new: bool) -> datetime:
    time = moment_of(first)
    if time is None:
        try:
            time = time_from(data.get("created_at"))
        except InputError:
            return arrival
    return arrival if time > arrival or (is_new and arrival - time > BELIEVED) else time


def _references(data: Json) -> Iterator[tuple[str, str]]:
    """What it answers, repeats or quotes."""
    listed = data.get("referenced_tweets")
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("type"), str) and _text(one.get("id")).isdecimal():
            yield one["type"], one["id"]


def _original(references: Mapping[str, str], original: Json | None) -> str | None:
    """The first id of what is repeated, as far as it is known."""
    repeated = references.get("retweeted")
    if repeated is None or original is None:
        return repeated
    return str(_first(original, read_id(repeated)))


def _links(data: Json) -> Iterator[tuple[str, str]]:
    entities = data.get("entities")
    listed = entities.get("urls") if isinstance(entities, dict) else None
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict) and isinstance(one.get("url"), str):
            yield one["url"], "" if one.get("media_key") else _text(one.get("expanded_url"))[:MAX_LINK]


def _followers(author: Json) -> object:
    metrics = author.get("public_metrics")
    return metrics.get("followers_count") if isinstance(metrics, dict) else None


def _by_id(listed: object) -> dict[str, Json]:
    items = listed if isinstance(listed, list) else ()
    return {one["id"]: one for one in items if isinstance(one, dict) and isinstance(one.get("id"), str)}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
