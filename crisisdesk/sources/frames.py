"""What Jetstream v1 sends, and how a frame becomes a Post. No connection here, so that frames can be tested alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.language import marked
from crisisdesk.records import Post
from crisisdesk.text import clean

SOURCE: Final = "bluesky"
COLLECTION: Final = "app.bsky.feed.post"

_MAX_ID: Final = 300
_EARLIEST_US: Final = 10**15
"""September 2001; the protocol takes smaller cursors for sequence numbers."""
_LATEST_US: Final = 7 * 10**15
_NEEDED: Final = (b'"' + COLLECTION.encode() + b'"', b'"create"')


@dataclass(frozen=True, slots=True)
class Created:
    """A new post; `time_us` is the server's record of it in microseconds, the cursor to resume from."""

    post: Post
    time_us: int


def is_creation(frame: bytes) -> bool:
    """Whether a frame may hold a new post: a glance at the bytes that spares parsing all others.

    Raises:
        InputError: the frame is cut off.
    """
    if not (frame.startswith(b"{") and frame.rstrip().endswith(b"}")):
        raise InputError("a frame is not a JSON object")
    return all(needed in frame for needed in _NEEDED)


def created_in(frame: bytes, arrival: datetime) -> Created | None:
    """The new post that a frame announces; None for deletes, edits, accounts and everything else.

    Args:
        frame: one text frame.
        arrival: when it came; a time of the network that is later is set back to it.

    Raises:
        InputError: the frame is not what the protocol promises.
    """
    if not is_creation(frame):
        return None
    try:
        event = orjson.loads(frame)
        commit = event.get("commit")
        if not commit or commit["operation"] != "create" or commit["collection"] != COLLECTION:
            return None
        return Created(
            _post(event["did"], commit["rkey"], commit["record"], event["time_us"], arrival), event["time_us"]
        )
    except orjson.JSONDecodeError as error:
        raise InputError(f"a frame is not JSON ({error.msg})") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"a frame is not of the protocol ({type(error).__name__}: {clean(str(error), 60)})") from None


def _post(author: object, key: object, record: Mapping[str, object], time_us: object, arrival: datetime) -> Post:
    author, key = clean(_text(author), _MAX_ID), clean(_text(key), _MAX_ID)
    return Post(
        id=f"at://{author}/{COLLECTION}/{key}",
        source=SOURCE,
        time=min(_time(time_us), arrival),
        text=clean(_text(record["text"])),
        author=author,
        lang=_language(record.get("langs")),
        url=f"https://bsky.app/profile/{author}/post/{key}",
        reply_to=_parent(record.get("reply")),
    )


def _language(languages: object) -> str | None:
    """The language that the author's client named; it need not name any, and several say nothing."""
    return marked(languages) if isinstance(languages, list) else None


def _parent(reply: object) -> str | None:
    """The id of the post that is answered."""
    parent = reply.get("parent") if isinstance(reply, dict) else None
    uri = parent.get("uri") if isinstance(parent, dict) else None
    return clean(uri, _MAX_ID) or None if isinstance(uri, str) else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text expected")
    return value


def _time(time_us: object) -> datetime:
    """The moment of a count of microseconds.

    Raises:
        TypeError: it is no count of microseconds since 1970 of our days.
    """
    if not isinstance(time_us, int) or not _EARLIEST_US <= time_us < _LATEST_US:
        raise TypeError("time_us expected")
    return datetime.fromtimestamp(time_us / 1_000_000, UTC)
