"""What strangers may post: real requests, broken in every way that is cheap, and what must hold whatever they are."""

import gzip
import random
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import orjson
from faults import Faults

from crisisdesk.records import Post
from crisisdesk.sources.bodies import Body
from crisisdesk.sources.webhook.posted import Reader
from crisisdesk.sources.webhook.refusals import Refused
from crisisdesk.sources.webhook.signature import Head

NOW: Final = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)
MOST: Final = 100_000
SLOWEST: Final = 2.0
"""Seconds that the worst body may take, on a machine that has other things to do as well."""
GROWTH: Final = 40_000_000
"""Bytes by which the process may grow: forms are remembered for a while, and the allocator keeps some."""

POSTS: Final = [
    {"id": "7", "time": "2026-05-25T13:40:00Z", "text": "Never again #acme 😡", "author": "anna", "reach": 1200},
    {
        "id": 8,
        "time": "2026-05-25T15:40:00.123+02:00",
        "text": "Nie wieder! \u202eemca",
        "lang": "de-DE",
        "repost": True,
    },
    {
        "time": "2026-05-25 13:40",
        "text": "\x1b]52;c;aGk=\x07cafe\u0301",
        "url": "https://a.example/1",
        "tags": ["Acme", 5],
    },
    {"id": "9", "time": "25.05.2026 15:40", "text": "x" * 300, "reply_to": "7", "repost": "7", "source": "forum"},
]
_FORMS: Final = [
    b"text=Nie+wieder%21+%F0%9F%98%A1&author=Anna&tags=Acme&tags=Motrin&reach=12",
    b"time=2026-05-25T13%3A40&text=caf%C3%A9&url=https%3A%2F%2Fa.example%2F1&submit=ok",
]
JSON: Final = [
    *(orjson.dumps(post) for post in POSTS),
    orjson.dumps(POSTS),
    b"\n".join(map(orjson.dumps, POSTS)),
    b"\xef\xbb\xbf" + orjson.dumps(POSTS[:2], option=orjson.OPT_INDENT_2),
]
_SCRAPS: Final = [
    *b'{ } [ ] " , : % %ff %zz & = + ; null true -0 1e999 NaN'.split(),
    *(b"\\ \n \r\n \x00 \xff \xed\xa0\x80 \\ud800 \\u0000".split(b" ")),
    b"9" * 400,
    b"[" * 2_000,
    b'{"text":' * 1_200,
    b'"time":null,',
    b'"time":1779716400,',
    b'"time":"9999-12-31T23:59:59Z",',
    b'"time":"0001-01-01T00:00:00+23:59",',
    b'"text":{"a":[]},',
    b'"reach":-1e308,',
    b'"tags":"[[[[",',
    "\u0301".encode() * 50,
    "\u202e\u2066\U000e0041".encode(),
]


mutated: Final = Faults(_SCRAPS, JSON).in_bytes


def request(chance: random.Random) -> tuple[Head, bytes]:
    """Headers and a broken body; some are forms, some packed, some broken after they were packed."""
    if chance.random() < 0.2:
        return Head("application/x-www-form-urlencoded"), mutated(chance, chance.choice(_FORMS))
    body = mutated(chance, chance.choice(JSON))
    if chance.random() < 0.05:
        body = gzip.compress(body, 1)
        return Head("application/json", "gzip"), mutated(chance, body) if chance.random() < 0.5 else body
    return Head("application/json"), body


def fuzz(count: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> dict[str, float]:
    """Read so many broken bodies; how they came out, and the seconds of the slowest.

    Raises:
        AssertionError: something does not hold; the body is in the message.
    """
    chance, reader = random.Random(seed), Reader("suite", MOST)
    found = {"bodies": count, "with posts": 0, "without": 0, "refused": 0, "slowest": 0.0}
    before = 0
    for number in range(count):
        head, body = request(chance)
        began = time.perf_counter()
        try:
            read = reader.read(head, body, NOW)
        except Refused:
            found["refused"] += 1
            continue
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {head} {body!r}") from error
        finally:
            found["slowest"] = max(found["slowest"], time.perf_counter() - began)
        assert holds(read), f"{head} {body!r} became {read}"
        found["with posts" if read.posts else "without"] += 1
        if number == count // 4:
            before = memory()
        if number % 10_000 == 0:
            progress(number)
    assert found["slowest"] < SLOWEST
    assert before == 0 or memory() - before < GROWTH
    assert reader.read(Head(), JSON[4], NOW).posts, "a good one still comes through"
    return found


def holds(read: Body) -> bool:
    """Whether all that came of a body is what every later stage trusts it to be."""
    return all(map(_is_sound, read.posts)) and all(at >= 0 and reason.isprintable() for at, reason in read.bad)


def _is_sound(post: Post) -> bool:
    texts = (
        post.id,
        post.source,
        post.text,
        post.author,
        post.lang,
        post.url,
        post.original,
        post.reply_to,
        *post.tags,
    )
    return (
        0 < len(post.text) <= 10_000
        and post.id != ""
        and post.source != ""
        and post.time <= NOW
        and 0 <= post.reach < 1 << 62
        and all(text is None or (text.isprintable() and "\u202e" not in text) for text in texts)
    )


def memory() -> int:
    """The most bytes that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
