"""Frames of Jetstream, spoilt: bytes flipped, cut, doubled, types swapped, nested, numbers blown up."""

import random
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import orjson
from edges import Taken
from jetstreams import (
    V1_PATH,
    V2_PATH,
    account,
    as_on_the_network,
    commit,
    delete,
    error,
    identity,
    info,
    post,
    record,
    repost,
    sync,
    uri,
    v1,
    v2,
)

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import InputError, SourceError
from crisisdesk.records import Correction, Post
from crisisdesk.sources.bluesky.source import Bluesky

NOW = datetime(2026, 5, 25, 14, 30, tzinfo=UTC)
VALUES = (
    b"null", b"true", b"0", b"-1", b"1e999", b"1" * 400, b"1.5", b'""', b'"x"', b"[]", b"{}", b"[[]]", b"[" * 200,
    b'{"a":' * 200, b'"\\ud800"', b'"\\u0000"', b'"\xff"', b'"at://"', b'"commit"', b'"create"',
    b'"2026-05-25T14:23:29Z"',
)  # fmt: skip
"""What a value is swapped for."""
NODES: tuple[Any, ...] = (
    None, True, 0, -1, 2**53, 1e300, "", "x" * 5_000, "a\x1b[2Jb", "\u202e", "did:plc:x", "at://a/b/c", "update",
    "delete", [], ["a", 5, {}], {}, {"uri": 5}, {"text": "nested"}, {"$type": "error", "error": []},
    {"active": False, "status": []},
)  # fmt: skip


def seeds() -> list[bytes]:
    chance = random.Random(1)
    first = post(1, "motrin hurts")
    events = [
        first, post(2, "héllo\n\u202e wörld"), post(3, tags=["Motrin"]), repost(4, uri(first)), delete(5, first),
        commit(6, record("now", tags=["a"]), "update"), account(7, first["did"], "deleted"), identity(8),
        sync(1, first["did"]),
        *(as_on_the_network(n, "a post of today 😭", chance) for n in range(9, 15)),
    ]  # fmt: skip
    frames = [frame(event) for event in events for frame in (v1, v2)]
    return [one.encode() for one in (*frames, info("OutdatedCursor"), info("FutureCursor"), error("X", "y"))]


def spoilt(frame: bytes, chance: random.Random) -> bytes:
    """A frame with one thing wrong, or two, or three."""
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        at, how = chance.randrange(len(frame) + 1), chance.randrange(10)
        if how == 0:
            frame = frame[:at] + bytes((chance.randrange(256),)) + frame[at + 1 :]
        elif how == 1:
            frame = frame[:at]
        elif how == 2:
            end = at + chance.randrange(200)
            frame = frame[:end] + frame[at:end] + frame[end:]
        elif how == 3:
            frame = frame[:at] + frame[at + chance.randrange(60) :]
        elif how < 6:
            frame = _value_swapped(frame, at, chance.choice(VALUES))
        else:
            frame = _node_swapped(frame, chance)
    return frame


def _node_swapped(frame: bytes, chance: random.Random) -> bytes:
    """JSON in which something deep inside is of another type."""
    try:
        whole = orjson.loads(frame)
    except ValueError:
        return frame
    node = whole
    while isinstance(node, dict | list) and node:
        key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
        if chance.random() < 0.3 or not isinstance(node[key], dict | list):
            node[key] = chance.choice(NODES)
            break
        node = node[key]
    return orjson.dumps(whole)


def _value_swapped(frame: bytes, at: int, value: bytes) -> bytes:
    """Another value behind the next colon."""
    colon = frame.find(b":", at)
    end = min((found for mark in (b",", b"}") if (found := frame.find(mark, colon)) > 0), default=-1)
    return frame if colon < 0 or end < 0 else frame[: colon + 1] + value + frame[end:]


def is_clean(post: Post | Correction) -> bool:
    shown: list[Any] = [post.id, post.text] + ([post.author, post.url, post.reply_to] if isinstance(post, Post) else [])
    return all(one is None or (isinstance(one, str) and one.isprintable()) for one in shown)


async def judged(number: int, seed: int | None) -> Counter[str]:
    """Feed so many spoilt frames to the source; what became of them.

    Raises:
        AssertionError: something but a documented error came out, or a good frame afterwards did not come through.
    """
    chance = random.Random(seed)
    good = seeds()
    source = Bluesky(["ws://127.0.0.1:1" + V1_PATH, "ws://127.0.0.1:1" + V2_PATH], ReplayClock(NOW))
    counts: Counter[str] = Counter()
    edge = Taken()
    for _ in range(number):
        frame = spoilt(chance.choice(good), chance)
        try:
            if (doing := source._take(frame, NOW, chance.choice(source._servers), edge)) is not None:
                await doing
        except InputError:
            counts["bad"] += 1
        except SourceError:
            counts["ended"] += 1
        except Exception as wrong:
            raise AssertionError(f"{frame!r} gives {wrong!r}") from wrong
        if edge.posts or edge.corrections:
            assert all(map(is_clean, (*edge.posts, *edge.corrections))), frame
            assert all(one.time <= NOW for one in edge.posts), frame
            counts["posts"] += len(edge.posts)
            counts["corrections"] += len(edge.corrections)
            edge.posts.clear()
            edge.corrections.clear()
        again = source.cursor
        if again is not None:
            source.resume(again)
    last = source._take(v1(post(1, "at last")).encode(), NOW, source._servers[0], edge)
    assert last is not None
    await last
    assert edge.texts == ["at last"]
    return counts
