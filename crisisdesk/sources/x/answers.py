"""What X answers: pages of posts and of rules, counts, and what it does not take."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import aiohttp
import orjson

from crisisdesk.sources.x.posts import Json
from crisisdesk.sources.x.rules import Rule
from crisisdesk.sources.x.trouble import StrangeError
from crisisdesk.text import clean

MAX_ANSWER: Final = 1 << 24
"""Bytes of an answer that we read at all."""


class Denied(NamedTuple):
    """Why X does not take a rule."""

    reason: str
    known_as: str = ""
    """The id of the rule that is the same, where there is one; then all is well."""
    is_invalid: bool = False
    """It is the rule itself, so that a part of it may do."""


class Page(NamedTuple):
    """Posts of a search, newest first, and what asks for the next page; None on the last."""

    answer: Json
    token: str | None


async def body_of(response: aiohttp.ClientResponse) -> bytes:
    """All of an answer, as far as we read.

    Raises:
        StrangeError: it is larger than we read.
    """
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise StrangeError(f"{response.url.authority} answers with more than {MAX_ANSWER} bytes")
    return bytes(body)


def json_in(body: bytes) -> object:
    """What it holds; None where that is no JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def listed(answer: Json, name: str) -> Sequence[Any]:
    """What an answer lists under a name; nothing where it does not."""
    listed = answer.get(name)
    return listed if isinstance(listed, list) else ()


def token_in(answer: Json) -> str | None:
    """What asks for the next page; None on the last."""
    meta = answer.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def rule_in(one: object) -> Rule | None:
    """A rule as X lists it; None for what is none."""
    if isinstance(one, dict) and isinstance(one.get("id"), str) and isinstance(one.get("value"), str):
        tag = one.get("tag")
        return Rule(one["value"], tag if isinstance(tag, str) else "", one["id"])
    return None


def denied_in(answer: Json) -> dict[str, Denied]:
    """The rules that X does not take; those that it has already are not denied, but known by their id."""
    found = {}
    for one in listed(answer, "errors"):
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            details = one.get("details")
            words = " ".join(map(str, details)) if isinstance(details, list) else one.get("detail") or one.get("title")
            known = str(one.get("id", "")) if "duplicate" in str(one.get("title", "")).lower() else ""
            is_invalid = str(one.get("type", "")).endswith("invalid-rules")
            found[one["value"]] = Denied(clean(str(words), 200).rstrip("."), known, is_invalid)
    return found


def count_in(answer: Json) -> int | None:
    """How many posts match; None where it does not say."""
    meta = answer.get("meta")
    total = meta.get("total_tweet_count") if isinstance(meta, dict) else None
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None
