"""The shape in which posts come from outside, in files, webhooks and topics alike, and how it becomes a Post.

    id, source, time, text, author, lang, url, reach, repost, reply_to, tags

    { "id": …, "source": …, "deleted": true }         takes a post back, on webhooks and topics

Only `time` and `text` are required and make a post bad when they are. Everything else is an ornament: a value that
cannot be used (a negative reach, a link that is none) is left out, since losing the complaint for it would be worse.
Null and empty values count as missing, unknown fields are ignored, and values may all be text, as CSV has them.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.language import marked
from crisisdesk.moments import as_iso
from crisisdesk.records import Correction, Post
from crisisdesk.settings.number import parse_number
from crisisdesk.text import clean, shorten

REQUIRED: Final = ("time", "text")

MAX_NAME: Final = 200
"""Characters kept of an id, an author or a tag."""
MAX_URL: Final = 2_000
MAX_TAGS: Final = 100
MAX_REACH: Final = 10**11
"""Nobody has more followers than there are people; a larger number would not fit into every database."""

AHEAD: Final = timedelta(days=1)
"""A post may be later than the present: clocks differ, and so do zones that nobody wrote down."""
_EARLIEST: Final = datetime(1995, 1, 1, tzinfo=UTC)
"""What is older is the zero of some programme's clock (1970, 1900), and would be taken for years without a word."""
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(?::(\d\d)([.,]\d+)?)? ?([Zz]|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_HOW: Final = "write it like 2008-11-15T03:40:00Z"
_URL: Final = re.compile(r"https?://[^\s/]\S*", re.IGNORECASE)
_YES: Final = frozenset({"true", "yes", "1"})
_NO: Final = frozenset({"false", "no", "0"})


def post_from(
    fields: Mapping[str, object],
    default_source: str,
    arrival: datetime | None = None,
    line: int | None = None,
    zone: tzinfo = UTC,
    *,
    present: datetime | None = None,
) -> Post:
    """Make a post of what came from outside.

    Args:
        fields: the values by field name, as JSON or CSV gave them.
        default_source: the source of a post that names none.
        arrival: when it came; a later time is set back to it. None where nothing live is read.
        line: its line in a file, so that equal posts without an id stay two; None where there are no lines, and
            what is delivered twice without an id is one post.
        zone: of a time that names none.
        present: by the clock of this machine, where a post of the future is a mistake; None where it is none.

    Returns:
        The post, every text of it cleaned.

    Raises:
        InputError: time or text is missing or cannot be read; the message says which and how to mend it.
    """
    time = time_from(fields.get("time"), zone, present)
    text = text_from(fields.get("text"))
    author = _name(fields.get("author"))
    return Post(
        id=_name(fields.get("id")) or _digest(time, author, text, line),
        source=_name(fields.get("source")) or default_source,
        time=time if arrival is None else min(time, arrival),
        text=text,
        author=author,
        lang=marked(fields.get("lang")),
        url=_url(fields.get("url")),
        reach=_reach(fields.get("reach")),
        original=_original(fields.get("repost")),
        reply_to=_name(fields.get("reply_to")),
        tags=_tags(fields.get("tags")),
    )


def deletion_from(fields: Mapping[str, object], default_source: str) -> Correction | None:
    """What a sender takes back with `"deleted": true`; None for a post.

    Raises:
        InputError: it does not say which post; the message says how to mend it.
    """
    said = fields.get("deleted")
    if said is not True and not (isinstance(said, str) and said.casefold() in _YES):
        return None
    if (name := _name(fields.get("id"))) is None:
        raise InputError('id: is missing; what is "deleted" needs the id with which the post was sent')
    return Correction(_name(fields.get("source")) or default_source, name)


def time_from(value: object, zone: tzinfo = UTC, present: datetime | None = None) -> datetime:
    """Read an RFC 3339 time, or one such as 15.11.2008 16:30; seconds and zone, then `zone`, may be missing.

    Raises:
        InputError: it is missing, no such time, before 1995 or after 2199, or more than a day later than the present.
    """
    if value is None or value == "":
        raise InputError(f"time: is missing; {_HOW}")
    shown = shorten(clean(str(value)), 40)
    found = _written(value)
    if found is None:
        raise InputError(f"time: '{shown}' is not a date with a time of day; {_HOW}")
    day, minute, second, fraction, offset = found.groups(default="")
    if second == "60":
        second, fraction = "59", ".999999"
    written = f"{day}T{minute}:{second or '00'}{fraction.replace(',', '.')}{'' if offset == 'UTC' else offset.upper()}"
    try:
        time = datetime.fromisoformat(written)
        time = (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"time: '{shown}' is not a date; {_HOW}") from None
    if not _EARLIEST <= time < _LATEST:
        raise InputError(f"time: '{shown}' cannot be the time of a post; {_HOW}")
    if present is not None and time - present > AHEAD:
        raise InputError(f"time: '{shown}' is still to come; mend it, or set the clock of this machine right")
    return time


def names_no_zone(value: object) -> bool:
    """Whether it is a time that depends on where it was written."""
    found = _written(value)
    return found is not None and found[5] is None


def _written(value: object) -> re.Match[str] | None:
    if not isinstance(value, str):
        return None
    return _TIME.fullmatch(value.strip()) or _TIME.fullmatch(as_iso(value.strip()))


def text_from(value: object) -> str:
    """Clean the text of a post.

    Raises:
        InputError: it is missing, empty or no text.
    """
    if value is None:
        raise InputError("text: is missing; a post needs the words that were written")
    if not isinstance(value, str):
        raise InputError(f"text: {_kind(value)} is not a text; put it in quotes")
    text = clean(value)
    if not text:
        raise InputError("text: is empty; a post needs the words that were written")
    return text


def _kind(value: object) -> str:
    """What a JSON value is, in plain words."""
    if isinstance(value, bool):
        return "true or false"
    return {"int": "a number", "float": "a number", "list": "a list", "dict": "an object"}.get(
        type(value).__name__, "this"
    )


def _name(value: object) -> str | None:
    """An id or a name; numbers are taken as they are written."""
    if isinstance(value, str):
        return clean(value, MAX_NAME) or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def _digest(time: datetime, author: str | None, text: str, line: int | None) -> str:
    """An id for a post that has none: the same for the same post at the same place."""
    what = "\0".join((time.isoformat(), author or "", text)).encode("utf-8", "replace")
    digest = hashlib.blake2b(what, digest_size=8).hexdigest()
    return digest if line is None else f"{line}-{digest}"


def _url(value: object) -> str | None:
    """A link to show; other schemes than http and https could do something when opened."""
    url = clean(value, MAX_URL) if isinstance(value, str) else ""
    return url if _URL.fullmatch(url) else None


def _reach(value: object) -> int:
    """Followers; 0 for whatever is no number of people."""
    if isinstance(value, str):
        try:
            value = parse_number(value)
        except ValueError:
            return 0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return 0
    return min(int(value), MAX_REACH)


def _original(value: object) -> str | None:
    """What `Post.original` says: None for a post of its own, "" for a repost of something unknown, else an id."""
    word = "true" if value is True else _name(value)
    if word is None or word.lower() in _NO:
        return None
    return "" if word.lower() in _YES else word


def _tags(value: object) -> tuple[str, ...]:
    """Names of watches, each once, in order; CSV writes them as "a, b" or as a JSON list."""
    if isinstance(value, str):
        value = _json_list(value) if value.lstrip().startswith("[") else re.split(r"[,;|]", value)
    if not isinstance(value, list | tuple):
        return ()
    return tuple(dict.fromkeys(tag for tag in map(_name, value[:MAX_TAGS]) if tag))


def _json_list(text: str) -> object:
    """The list that a CSV cell holds, or None."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
