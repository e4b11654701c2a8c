"""The posts in one request or message: a single one, a JSON array of them, or JSON lines, in the shape of `posts.py`.

A bad post costs nobody else theirs. Nothing is raised: whoever took the bytes in has to answer for all of them at once.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.records import Correction, Post
from crisisdesk.sources.posts import deletion_from, post_from

MAX_BODY: Final = 1 << 20
"""Bytes that are read where nothing else is said: some thousand posts."""
MAX_POSTS: Final = 5_000
"""Posts in one body; more would hold up everything else for too long."""

_SAMPLE: Final = '{"time": "2008-11-15T03:40:00Z", "text": "…"}'
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_MARK: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Body:
    """What a body held."""

    posts: tuple[Post, ...] = ()
    """The good ones, in their order."""
    corrections: tuple[Correction, ...] = ()
    """What their authors have taken back: objects with `"deleted": true`, of which only id and source are read."""
    bad: tuple[tuple[int, str], ...] = ()
    """The others: which one, counted from 1 (in JSON lines the line), and what is wrong with it and how to mend it.
    Of a body that cannot be read at all the number is 0."""


class _UnreadableError(Exception):
    """The body as a whole is nothing to look for posts in."""


def posts_in(body: bytes, default_source: str, arrival: datetime, most: int = MAX_BODY) -> Body:
    """Find the posts of a body.

    Args:
        body: one post, an array of posts, or one post a line; UTF-8.
        default_source: the source of posts that name none.
        arrival: when it came; later times are set back to it.
        most: bytes that are read at all.
    """
    posts: list[Post] = []
    gone: list[Correction] = []
    bad: list[tuple[int, str]] = []
    try:
        for number, value in _values(body, most):
            try:
                found = _post(value, default_source, arrival)
                if isinstance(found, Correction):
                    gone.append(found)
                else:
                    posts.append(found)
            except InputError as error:
                bad.append((number, str(error)))
    except _UnreadableError as error:
        return Body(bad=((0, str(error)),))
    return Body(tuple(posts), tuple(gone), tuple(bad))


def _post(value: object, default_source: str, arrival: datetime) -> Post | Correction:
    if isinstance(value, InputError):
        raise value
    if not isinstance(value, dict):
        raise InputError(f"is not a post; write each as an object, such as {_SAMPLE}")
    return deletion_from(value, default_source) or post_from(value, default_source, arrival)


def _values(body: bytes, most: int) -> Iterator[tuple[int, object]]:
    """What stands where a post should, numbered; an InputError for a line that is no JSON.

    Raises:
        _UnreadableError: it is too large, empty or no JSON; nothing was yielded then.
    """
    if len(body) > most:
        raise _UnreadableError(f"is larger than {most:,} bytes; send fewer posts at once")
    body = body.removeprefix(_MARK)
    if not body or body.isspace():
        raise _UnreadableError(f"is empty; send a post, such as {_SAMPLE}")
    try:
        value = _read(body)
    except InputError as error:
        lines = list(_lines(body))
        if not any(isinstance(line, dict) for _, line in lines):
            raise _UnreadableError(str(error)) from None
        yield from lines
        return
    values = value if isinstance(value, list) else [value]
    _check_number(len(values))
    yield from enumerate(values, 1)


def _lines(body: bytes) -> Iterator[tuple[int, object]]:
    filled = ((number, line) for number, line in enumerate(BytesIO(body), 1) if not line.isspace())
    lines = list(islice(filled, MAX_POSTS + 1))  # a body may hold millions
    _check_number(len(lines))
    for number, line in lines:
        try:
            yield number, _read(line.rstrip())
        except InputError as error:
            yield number, error


def _check_number(posts: int) -> None:
    if posts > MAX_POSTS:
        raise _UnreadableError(f"holds more than {MAX_POSTS:,} posts; send fewer at once")


def _read(content: bytes) -> object:
    """What the bytes say.

    Raises:
        InputError: they are no JSON; where, and what to send.
    """
    try:
        return json_in(content)
    except orjson.JSONDecodeError as error:
        where = f"line {error.lineno}, character {error.colno}" if error.lineno > 1 else f"character {error.colno}"
        raise InputError(f"is not JSON ({error.msg}, {where}); send UTF-8, such as {_SAMPLE}") from None


def json_in(content: bytes) -> object:
    """What the bytes say. Where a text was cut within an emoji, orjson refuses the half of it that is left.

    Raises:
        orjson.JSONDecodeError: they are no JSON.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        if _SURROGATE.search(content):
            with suppress(ValueError, RecursionError):
                return json.loads(content)
        raise
