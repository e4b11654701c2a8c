"""Bluesky's records as posts: what a post says, and who repeats it. No connection here."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from crisisdesk.errors import InputError
from crisisdesk.language import marked
from crisisdesk.records import Post
from crisisdesk.sources.bluesky.frames import Event, Json, time_of
from crisisdesk.sources.markup import text_of
from crisisdesk.text import clean

SOURCE: Final = "bluesky"

_WHOLE: Final = "bridgyOriginalText"
"""In HTML. The bridge is Bridgy Fed, over which posts of Mastodon and of blogs come."""
_CUT_OFF: Final = "…"
_MAX_URI: Final = 800
_MAX_TAGS: Final = 8
"""Hashtags beside the text that the network allows."""
_MAX_TAG: Final = 64
_TAG: Final = re.compile(r"#(\w[\w-]*)")


def words_of(record: Any) -> str:  # noqa: ANN401  a stranger's JSON
    """What a post says, cleaned: its text, and the hashtags that its author put beside the text.

    Of one that was cut off by the bridge over which it came, it is all that the bridge has of it. Descriptions of
    pictures and titles of linked pages are not the author's words and are left out.

    Raises:
        InputError: it is no post.
    """
    try:
        text = clean(record["text"])
        if _WHOLE in record and _CUT_OFF in text:
            text = _longer(text, record[_WHOLE])
        return _with_tags(text, record["tags"]) if "tags" in record else text
    except (KeyError, TypeError, AttributeError):
        raise InputError("a frame is not of the protocol (a post without a text)") from None


def post_of(event: Event, text: str, arrival: datetime) -> Post:
    """The post that was written.

    Args:
        event: its creation.
        text: what it says (`words_of`).
        arrival: when it came; a time of the network that is later is set back to it.

    Raises:
        InputError: its address is none.
    """
    who, what = event
    record, langs = what["record"], what["record"].get("langs")
    return Post(
        uri_of(event),
        SOURCE,
        _time(who, arrival),
        text,
        who["did"],
        _language(langs) if langs else None,
        f"https://bsky.app/profile/{who['did']}/post/{what['rkey']}",
        0,
        None,
        _linked(record["reply"], "parent") if "reply" in record else None,
    )


def repost_of(event: Event, original: Post, arrival: datetime) -> Post:
    """The post that repeats another one.

    Raises:
        InputError: its address is none.
    """
    return Post(
        id=uri_of(event),
        source=SOURCE,
        time=_time(event[0], arrival),
        text=original.text,
        author=event[0]["did"],
        lang=original.lang,
        url=original.url,
        original=original.id,
    )


def quote_of(event: Event, text: str, quoted: Post, arrival: datetime) -> Post:
    """The post that quotes another one: what it says itself, or as a repost where that is nothing.

    Raises:
        InputError: its address is none.
    """
    return post_of(event, text, arrival) if text else repost_of(event, quoted, arrival)


def uri_of(event: Event) -> str:
    """The address of a record on the network, which is its id here.

    Raises:
        InputError: it is missing, or holds what no address holds.
    """
    who, what = event
    try:
        uri = "/".join(("at:/", who["did"], what["collection"], what["rkey"]))
    except (KeyError, TypeError):  # it is missing, or no text
        uri = ""
    if _is_uri(uri):
        return uri
    raise InputError("a frame is not of the protocol (the address of its record)")


def subject_of(record: Any) -> str:  # noqa: ANN401  a stranger's JSON
    """The address of what a repost repeats; empty where there is none."""
    return _linked(record, "subject") or ""


def quoted_in(embed: Any) -> str:  # noqa: ANN401  a stranger's JSON
    """The address of the post that stands below another one, with pictures or without; empty where none does."""
    if type(embed) is not dict or "record" not in embed:  # most are pictures and links
        return ""
    return _linked(embed, "record") or _linked(embed["record"], "record") or ""


def _time(event: Json, arrival: datetime) -> datetime:
    if not (time_us := time_of(event)):
        return arrival
    moment = datetime.fromtimestamp(time_us / 1_000_000, UTC)
    return moment if moment < arrival else arrival  # noqa: FURB136  min() takes three times as long


def _longer(text: str, whole: object) -> str:
    """What a post says before it was cut off, if that can be read."""
    said = text_of(whole) if isinstance(whole, str) else ""
    return said if len(said) > len(text) else text


def _with_tags(text: str, tags: object) -> str:
    """The text and those tags that it does not hold, as the network shows them."""
    if not isinstance(tags, list):
        return text
    named = [clean(tag, _MAX_TAG).lstrip("#") for tag in tags[:_MAX_TAGS] if isinstance(tag, str)]
    there = {tag.casefold() for tag in _TAG.findall(text)}
    return " ".join([text, *(f"#{tag}" for tag in named if tag and tag.casefold() not in there)]).strip()


def _language(languages: object) -> str | None:
    """The language that the author's client named; it need not name any, and several say nothing."""
    if not isinstance(languages, list):
        return None
    if len(languages) == 1 and isinstance(languages[0], str):
        return _one_language(languages[0])
    return marked(languages)


_one_language: Final = lru_cache(maxsize=1_000)(marked)


def _linked(value: Any, name: str) -> str | None:  # noqa: ANN401  a stranger's JSON
    try:
        uri = value[name]["uri"]
    except (KeyError, TypeError):
        return None
    return uri if isinstance(uri, str) and _is_uri(uri) else None


def _is_uri(text: str) -> bool:
    """Whether it can be an address as it stands."""
    return text.isascii() and text.isprintable() and 5 < len(text) <= _MAX_URI
