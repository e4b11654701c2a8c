"""What X may send: real lines of its stream, pages and rules, broken in every cheap way, and what must hold."""

import random
import time
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final

import orjson
from edges import Taken
from faults import Faults
from fuzz_webhook import GROWTH, NOW, SLOWEST, memory
from sound import Counting
from xs import DISCONNECT, TOO_MANY, Pauses, frame, line, post_id, tweet, user

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.sources.x.answers import count_in, denied_in, listed, rule_in, token_in
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.cost import Bill, Prices
from crisisdesk.sources.x.past import Search
from crisisdesk.sources.x.rules import Topic
from crisisdesk.sources.x.source import Wishes, X
from crisisdesk.sources.x.stream import Lines
from crisisdesk.sources.x.trouble import DroppedError, RefusalError, diagnose, passes

URLS: Final = [{"url": "https://t.co/abc", "expanded_url": "https://a.example/&amp;", "media_key": "3_1"}]
REPOST: Final = tweet(9, "RT @a: x", referenced_tweets=[{"type": "retweeted", "id": post_id(1)}])
FRAMES: Final = [
    frame(1, "Never again #motrin 😡 &amp; co"),
    frame(20, edit_history_tweet_ids=[post_id(1), post_id(20)], entities={"urls": URLS}),
    frame(3, note_tweet={"text": "x" * 3_000 + " https://t.co/abc", "entities": {"urls": URLS}}),
    frame(4, "shameless", referenced_tweets=[{"type": "quoted", "id": post_id(1)}]),
    {"data": REPOST, "includes": {"users": [user(9)], "tweets": [tweet(1)]}, "matching_rules": [{"id": "1"}]},
    DISCONNECT,
    TOO_MANY,
]
PAGES: Final = [
    {"data": [tweet(1), tweet(2), REPOST], "includes": {"users": [user(1)]}, "meta": {"next_token": "b26v89c19zqg8o"}},
    {"data": [{"id": "7", "value": "motrin", "tag": "crisisdesk/acme/Motrin"}], "meta": {"sent": "x"}},
    {"errors": [{"value": "a OR", "details": ["bad"], "title": "UnprocessableEntity"}, {"value": "b", "id": "7"}]},
    {"title": "UsageCapExceeded", "type": "https://api.twitter.com/2/problems/usage-capped", "detail": "Monthly"},
]
NODES: Final[list[Any]] = [
    None, True, 0, -1, 2**63, 1e300, "", "x" * 30_000, "a\x1b[2Jb", "\u202e", [], ["a", 5, {}], {}, "9" * 400,
    {"a": {"b": []}}, "&" * 5_000, "https://t.co/" * 3_000, post_id(1), post_id(9_000_000), "0", "-5", "٣", "../..",
    "9999-12-31T23:59:59Z", "retweeted", [post_id(1)] * 50, {"url": "https://t.co/abc", "expanded_url": "x" * 90_000},
]  # fmt: skip
_SCRAPS: Final = [
    *b'{ } [ ] " , : null true -0 1e999 NaN'.split(), *b"\\ \n \r\n \x00 \xff \xed\xa0\x80 \\ud800 \\u0000".split(b" "),
    b"9" * 400, b"[" * 2_000, b'{"data":' * 1_200, b'"id":5,', b'"errors":[{}],', "\u0301".encode() * 50,
    "\u202e\u2066\U000e0041".encode(),
]  # fmt: skip
mutated: Final = Faults(_SCRAPS, [orjson.dumps(one) for one in FRAMES]).in_bytes


async def fuzz(count: int, seed: int, progress: Callable[[int], None] = lambda _: None) -> dict[str, float]:
    """Take in so many broken lines, pages and answers; how they came out, and the seconds of the slowest.

    Raises:
        AssertionError: something does not hold; what it was is in the message.
    """
    chance, edge, before = random.Random(seed), Counting(), 0
    clock, bill = ReplayClock(NOW), Bill(Prices(0.005, 0.01))
    api = Api("https://api.example", "token", clock, authors=True, reposts=True)
    source = X(api, Wishes([Topic("Motrin", ("motrin",))], "acme", bill, reposts=True), clock, pause=Pauses())
    found = {"lines": count, "ends": 0, "bad": 0, "slowest": 0.0}
    for number in range(count):
        way = chance.choice((_lines, _lines, _page, _answer))
        content = broken(chance, FRAMES if way is _lines else PAGES)
        began, told = time.perf_counter(), ""
        try:
            await way(source, edge, content)
        except DroppedError as error:
            found["ends"] += 1
            told = str(error)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} of {content!r}") from error
        found["slowest"] = max(found["slowest"], time.perf_counter() - began)
        assert told.isprintable(), content
        edge.check()
        source._heard._known.clear()
        if number == count // 4:
            before = memory()
        if number % 10_000 == 0:
            progress(number)
    assert found["slowest"] < SLOWEST
    assert before == 0 or memory() - before < GROWTH
    assert source.cursor is None or source.resume(source.cursor) is None, "a cursor is one that can be read"
    await _lines(source, edge, line(frame(99)))
    assert edge.texts == ["motrin 99"], "a good one still comes through"
    return found | {"bad": source.status().bad, "posts": edge.sent, "corrections": edge.corrected}


def broken(chance: random.Random, wholes: list[dict[str, Any]]) -> bytes:
    """Something that X sends, with values of another kind, with broken bytes, or with both."""
    one = deepcopy(chance.choice(wholes))
    if chance.random() < 0.7:
        for _ in range(chance.randint(1, 3)):
            _swap(chance, one)
    content = orjson.dumps(one)
    return mutated(chance, content) if chance.random() < 0.5 else content


def _swap(chance: random.Random, inside: Any) -> None:
    while isinstance(inside, dict | list) and inside:
        key = chance.choice(list(inside)) if isinstance(inside, dict) else chance.randrange(len(inside))
        if not isinstance(inside[key], dict | list) or not inside[key] or chance.random() < 0.3:
            inside[key] = deepcopy(chance.choice(NODES))
            return
        inside = inside[key]


async def _lines(source: X, edge: Taken, content: bytes) -> None:
    lines, at = Lines(), len(content) // 3
    for part in (content[:at], content[at:], b"\r\n"):
        for one in lines.feed(part):
            await source._take(one, edge)


async def _page(source: X, edge: Taken, content: bytes) -> None:
    search = Search(source._api, ["motrin"], NOW, NOW, source._pay)
    search._take("motrin", _object(content))
    for said in search._found.values():
        await source._heard.say(said, edge)


async def _answer(source: X, _: Taken, content: bytes) -> None:
    """Rules, refusals and what is made of them."""
    answer = _object(content)
    rules = [rule_in(one) for one in listed(answer, "data")]
    assert all(rule is None or isinstance(rule.value, str) for rule in rules)
    assert all(one.reason.isprintable() for one in denied_in(answer).values())
    assert token_in(answer) is None or isinstance(token_in(answer), str)
    assert (count_in(answer) or 0) >= 0
    refusal = RefusalError("api.example", 429, answer)
    told = diagnose(refusal, "api.example", proven=False)
    assert isinstance(told, SourceError)
    assert isinstance(told, FatalSourceError) is not passes(refusal)
    assert str(told).isprintable(), content
    assert source._waits.after(refusal) >= 5


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
