"""Mastodon's statuses as posts: what is said, by whom, and by which id all servers know it. No connection here.

What is automatic is a post like any other: the network lets an account call itself a bot, and news and complaints come
from both. What a public timeline brings is never more than the home server has seen.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.records import Post
from crisisdesk.sources.markup import text_of
from crisisdesk.sources.posts import MAX_NAME, post_from, time_from
from crisisdesk.text import clean

SOURCE: Final = "mastodon"
BELIEVED: Final = timedelta(days=1)
"""How old a post may be that comes as new, to keep its time. Servers announce nothing as new that is older than some
hours, so a claim beyond that is not the record of anything, and the post counts from its arrival."""

Json = dict[str, Any]

_NOT_FOR_ALL: Final = ("private", "direct", "limited", "list")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_ADDRESS: Final = re.compile(r"https?://[!-~]+", re.IGNORECASE)


def status_in(payload: str | bytes) -> Json:
    """The status that an event holds as JSON.

    Raises:
        InputError: there is none.
    """
    try:
        status = orjson.loads(payload)
    except orjson.JSONDecodeError:
        raise InputError("an event is not of the protocol (its JSON)") from None
    if not isinstance(status, dict):
        raise InputError("an event is not of the protocol (no status)")
    return status


def local_id(value: object) -> str:
    """The id by which the home server knows a status.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError("an event is not of the protocol (the id of a status)")
    return value


def said_in(status: Json) -> Json:
    """The status whose words these are: the boosted one where it is a boost."""
    boosted = status.get("reblog")
    return boosted if isinstance(boosted, dict) else status


def is_public(status: Json) -> bool:
    """Whether its author shows it to everybody: a server may show our user more."""
    return status.get("visibility") not in _NOT_FOR_ALL


def words_of(status: Json) -> str:
    """What it says, cleaned: the content warning, the text, the answers of a poll; of a boost what the boosted says."""
    said = said_in(status)
    warning, content = said.get("spoiler_text"), said.get("content")
    parts = (warning, text_of(content) if isinstance(content, str) else "", *_answers_in(said.get("poll")))
    return clean(" ".join(part for part in parts if isinstance(part, str) and part))


def _answers_in(poll: object) -> Iterator[object]:
    options = poll.get("options") if isinstance(poll, dict) else None
    for option in options if isinstance(options, list) else ():
        yield option.get("title") if isinstance(option, dict) else None


def author_of(status: Json, domain: str) -> str | None:
    """Who wrote or boosted it, `@name@server`: the same wherever it is read."""
    account = status.get("account")
    name = account.get("acct") if isinstance(account, dict) else None
    name = clean(name, MAX_NAME).lstrip("@") if isinstance(name, str) else ""
    if not name:
        return None
    return f"@{name}" if "@" in name else f"@{name}@{domain}"


def id_of(status: Json, domain: str) -> str:
    """By what it is known everywhere: its address on the network, which is the same on all servers.

    Raises:
        InputError: it has none, and no id either.
    """
    for name in ("uri", "url"):
        address = status.get(name)
        if isinstance(address, str) and len(address) <= MAX_NAME and _ADDRESS.fullmatch(address):
            return address
    return f"{domain}/{local_id(status.get('id'))}"


def time_of(status: Json, arrival: datetime, *, is_new: bool) -> datetime:
    """When it was written: as its author's server says, but never later than its arrival.

    Args:
        status: the status; where its time cannot be read, it is that of its arrival.
        arrival: when it came.
        is_new: it is said to be new, so that it cannot be much older (`BELIEVED`).
    """
    try:
        time = min(time_from(status.get("created_at")), arrival)
    except InputError:
        return arrival
    return arrival if is_new and arrival - time > BELIEVED else time


def post_of(status: Json, text: str, time: datetime, domain: str) -> Post:
    """The post that was written, or the boost that repeats one.

    Args:
        status: as the home server shows it.
        text: what it says (`words_of`).
        time: when (`time_of`).
        domain: the home server's, which it leaves out of its own users' names.

    Raises:
        InputError: it cannot be told from others, or says nothing.
    """
    said, account = said_in(status), status.get("account")
    answered = status.get("in_reply_to_id")
    return post_from(
        {
            "id": id_of(status, domain),
            "time": time.isoformat(),
            "text": text,
            "author": author_of(status, domain),
            "lang": said.get("language"),
            "url": said.get("url") or said.get("uri"),
            "reach": account.get("followers_count") if isinstance(account, dict) else None,
            "repost": None if said is status else id_of(said, domain),
            "reply_to": f"{domain}/{answered}" if isinstance(answered, str | int) else None,
        },
        SOURCE,
    )
