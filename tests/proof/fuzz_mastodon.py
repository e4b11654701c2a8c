"""What a Mastodon server may send: real events and pages, broken in every cheap way, and what must hold."""

import random
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

import orjson
from edges import Taken
from fuzz_webhook import GROWTH, NOW, SLOWEST, memory, mutated
from mastodons import TOKEN, event, frame, status, status_id
from sound import Counting

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import InputError
from crisisdesk.sources.mastodon.events import ComplaintError, Event, GiantError, Reader, event_in
from crisisdesk.sources.mastodon.gap import statuses_in
from crisisdesk.sources.mastodon.source import Mastodon

BOOST: Final = status(4, "", reblog=status(1), uri="https://away.example/users/author4/statuses/4/activity")
STATUSES: Final = [
    status(1),
    status(2, "<p>Nie <b>wieder</b>!</p><p>caf&eacute; \u202e &#x1F621;</p>", spoiler_text="Motrin", language="de"),
    status(3, "<span class='invisible'>https://</span><span class='ellipsis'>a.example/b</span>", in_reply_to_id="1"),
    status(5, "<p class='quote-inline'>RE: <a>b</a></p><p>true</p>", poll={"options": [{"title": "Motrin"}, {}]}),
    BOOST,
]
EVENTS: Final = [
    *(("update", one) for one in STATUSES),
    ("status.update", STATUSES[1]),
    ("status.update", BOOST),
    ("delete", status_id(1)),
    ("filters_changed", "undefined"),
    ("notification", {"id": "1", "type": "mention", "status": STATUSES[0]}),
]
FRAMES: Final = [frame(*one).encode() for one in EVENTS] + [b'{"error":"Unknown stream type","status":400}']
FEED: Final = [event(*one).encode() for one in EVENTS] + [b":thump\n", b"event: update\r\ndata: {\r\ndata: }\r\n\r\n"]
PAGES: Final = [orjson.dumps(STATUSES), orjson.dumps([*STATUSES, None, 5, []])]
NODES: Final[list[Any]] = [
    None, True, 0, -1, 2**63, 1e300, "", "x" * 30_000, "a\x1b[2Jb", "\u202e", "undefined", [], ["a", 5, {}], {},
    {"reblog": {"reblog": {}}}, "<div>" * 5_000, "<!--" * 5_000, "<![x[", "&" * 5_000, "@", "@@", "a@b@c", "1" * 400,
    "9999-12-31T23:59:59Z", "-1-01-01T00:00:00Z", "javascript:alert(1)", "https://", "٣", "0", "../..",
]  # fmt: skip


async def fuzz(count: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> dict[str, float]:
    """Take in so many broken events and pages; how they came out, and the seconds of the slowest.

    Raises:
        AssertionError: something does not hold; what it was is in the message.
    """
    chance, edge, before = random.Random(seed), Counting(), 0
    source = Mastodon("https://home.example", TOKEN, ["public", "hashtag:motrin"], ReplayClock(NOW))
    found = {"events": count, "bad": 0, "slowest": 0.0}
    for number in range(count):
        way = chance.choice((_frame, _feed, _page))
        content = broken(chance, way)
        began, told = time.perf_counter(), ""
        try:
            await way(source, edge, content)
        except (InputError, ComplaintError, GiantError) as error:
            told = str(error)
            found["bad"] += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {content!r}") from error
        found["slowest"] = max(found["slowest"], time.perf_counter() - began)
        assert told.isprintable(), content
        edge.check()
        source._heard._settled.clear()
        if number == count // 4:
            before = memory()
        if number % 10_000 == 0:
            progress(number)
    assert found["slowest"] < SLOWEST
    assert before == 0 or memory() - before < GROWTH
    assert source.cursor is None or source.resume(source.cursor) is None, "a cursor is one that can be read"
    await _frame(source, edge, frame("update", status(99)).encode())
    assert edge.texts == ["post 99"], "a good one still comes through"
    return found | {"posts": edge.sent, "corrections": edge.corrected}


def broken(chance: random.Random, way: object) -> bytes:
    """Something that is sent in a way, with a value of another kind, with broken bytes, or with both."""
    if chance.random() < 0.5:
        whole = chance.choice({_frame: FRAMES, _feed: FEED, _page: PAGES}[way])
    else:
        one = orjson.loads(orjson.dumps(chance.choice(STATUSES)))
        for _ in range(chance.randint(1, 3)):
            _swap(chance, one)
        name = chance.choice(("update", "status.update"))
        whole = {_frame: frame(name, one).encode(), _feed: event(name, one).encode(), _page: orjson.dumps([one])}[way]
    return mutated(chance, whole) if chance.random() < 0.5 else whole


def _swap(chance: random.Random, inside: Any) -> None:
    while isinstance(inside, dict | list) and inside:
        key = chance.choice(list(inside)) if isinstance(inside, dict) else chance.randrange(len(inside))
        if not isinstance(inside[key], dict | list) or not inside[key] or chance.random() < 0.3:
            inside[key] = deepcopy(chance.choice(NODES))
            return
        inside = inside[key]


async def _frame(source: Mastodon, edge: Taken, content: bytes) -> None:
    await source._take(event_in(content), edge)


async def _feed(source: Mastodon, edge: Taken, content: bytes) -> None:
    reader, at = Reader("hashtag:motrin"), len(content) // 3
    happened: list[Event] = [*reader.feed(content[:at]), *reader.feed(content[at:]), *reader.feed(b"\n\n")]
    for one in happened:
        await source._take(one, edge)


async def _page(source: Mastodon, edge: Taken, content: bytes) -> None:
    try:
        page = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise InputError("a page of no timeline") from None
    for which, one in statuses_in(page if isinstance(page, list) else [], "0"):
        await source._hear_missed(edge, one)
        source._places["public"].filled(which, NOW)
