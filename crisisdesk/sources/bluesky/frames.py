"""What Jetstream servers send, old and new: how they are asked, and how a frame becomes an event. No connection here.

    v1, `/subscribe`        {"did", "time_us", "kind": "commit", "commit": {"operation", "collection", "rkey", …}}
    v2, `…subscribeEvents`  {"$type": "message", "payload": {"$type": "…#commit", "seq", "did", "operation", …}}

Source: the documentation of the server, github.com/bluesky-social/jetstream, and its lexicon
`network.bsky.jetstream.subscribeEvents`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from yarl import URL

from crisisdesk.errors import InputError, SourceError
from crisisdesk.text import clean

POSTS: Final = "app.bsky.feed.post"
REPOSTS: Final = "app.bsky.feed.repost"

EARLIEST_US: Final = 10**15
"""September 2001; the protocol takes smaller cursors for sequence numbers."""
_LATEST_US: Final = 7 * 10**15
_DAY_US: Final = 86_400 * 10**6

Json = dict[str, Any]

Event = tuple[Json, Json]
"""Who and when (`did`; `time_us`, or `seq` and `time`), and what: `operation, collection, rkey, record` of a commit,
or `account`, `sync` (v2), or the `name` of a notice. On v2 both are one.

Only what was asked for is known to be there and of its type: a network's events are too many to look at each of them
in full. Empty ones do not matter to us.
"""
NOTHING: Final[Event] = ({}, {})


class StreamError(SourceError):
    """The server says why it ends the stream."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one version of the protocol is spoken."""

    asks: Mapping[str, tuple[str, ...]]
    """Query parameters for the posts, the reposts and the accounts of everybody."""
    deflates: bool
    """Whether it compresses by permessage-deflate; else by zstd, with a dictionary of the server."""


def read(frame: bytes) -> Event:
    """A frame's event, whichever version it is of.

    Raises:
        InputError: it is not of the protocol.
        StreamError: the server ends the stream, and says why.
    """
    try:
        message = orjson.loads(frame)
        who = message.get("payload") or message
        what = who.get("commit") or who
        if what.get("operation") is None:
            return _read_other(message, who)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _unreadable(error) from None
    return who, what


def _read_other(message: Json, who: Json) -> Event:
    if message.get("$type") == "error":
        raise StreamError(clean(f"{message['error']}: {message.get('message', '')}", 200))
    is_ours = "account" in who or "sync" in who or who.get("$type", "").endswith("#info")
    return (who, who) if is_ours else NOTHING


def _unreadable(error: Exception) -> InputError:
    """What is said of a frame that is not as promised, and why."""
    if isinstance(error, orjson.JSONDecodeError):
        return InputError(f"a frame is not JSON ({error.msg})")
    return InputError(f"a frame is not of the protocol ({type(error).__name__}: {clean(str(error), 60)})")


def name_in(event: Json, key: str) -> str:
    """What an event holds by that name.

    Raises:
        InputError: it holds none, or no text.
    """
    name = event.get(key)
    if isinstance(name, str):
        return name
    raise InputError(f"a frame is not of the protocol (no {key})")


def time_of(event: Json) -> int:
    """When the server saw it, in microseconds; 0 where it does not say, or its clock cannot be right."""
    time_us = event.get("time_us")
    if time_us is None:
        time_us = _microseconds(event.get("witnessedAt") or event.get("time"))
    return time_us if type(time_us) is int and EARLIEST_US <= time_us < _LATEST_US else 0


def claims_past(event: Json) -> bool:
    """Whether a post of v2 says of itself that it is older than a day, or does not say how old it is."""
    return "record" in event and time_of(event) - _microseconds(event["record"].get("createdAt")) > _DAY_US


def number_of(event: Json) -> int:
    """Its number in the stream of this one server; 0 on v1, and for what is none."""
    number = event.get("seq")
    return number if type(number) is int and 0 < number < EARLIEST_US else 0


def _microseconds(written: object) -> int:
    try:
        moment = datetime.fromisoformat(written)  # type: ignore[arg-type]  # whatever is no text raises
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)
    except (TypeError, ValueError, OverflowError):
        return 0


V1: Final = Dialect({"wantedCollections": (POSTS, REPOSTS)}, deflates=True)
V2: Final = Dialect(
    # Accounts come on v1 unasked, and what is repaired does not come at all; identities say nothing to us.
    {"collections": (POSTS, REPOSTS), "kinds": ("commit", "account", "sync")},
    deflates=False,
)


def dialect_of(url: URL) -> Dialect:
    """The version of the protocol that is spoken at an address."""
    return V2 if url.path.endswith("subscribeEvents") else V1
