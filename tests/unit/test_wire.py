"""What goes over the wire comes out as it went in, whole or as a change, also between versions."""

import math
import random
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk import wire
from crisisdesk.desk import ChartPoint, Picture, WatchPicture
from crisisdesk.playbooks.format import load
from crisisdesk.records import (
    EPOCH,
    Change,
    Event,
    Evidence,
    Incident,
    Kind,
    Mention,
    Numbers,
    Post,
    Scored,
    Severity,
    SourceStatus,
    State,
)
from crisisdesk.resources import folder

NOW = datetime(2026, 11, 20, 3, 7, 12, 345678, UTC)
TEXTS = ("", "a", "“so” 😡 cafe\u0301", "[bold]x", '{"to": 1}', "NaN", "x" * 300)


def drawn(kind: Any, chance: random.Random) -> Any:
    """Any value of that type."""
    parts = get_args(kind)
    if isinstance(kind, UnionType) or get_origin(kind) is Union:
        return drawn(chance.choice(parts), chance)
    if get_origin(kind) is tuple:
        kinds = parts[:1] * chance.randrange(4) if parts[-1] is ... else parts
        return tuple(drawn(one, chance) for one in kinds)
    if kind in PLAIN:
        return PLAIN[kind](chance)
    if issubclass(kind, Enum):
        return chance.choice(list(kind))
    return kind(**{name: drawn(hint, chance) for name, hint in get_type_hints(kind).items()})


PLAIN: dict[Any, Callable[[random.Random], Any]] = {
    NoneType: lambda _: None,
    str: lambda chance: chance.choice(TEXTS),
    int: lambda chance: chance.choice((0, 1, -1, 7, 10**12)),
    bool: lambda chance: chance.random() < 0.5,
    float: lambda chance: chance.choice((0.0, 1.0, 0.1, 2e-300, 1 / 3, math.inf)),
    datetime: lambda chance: EPOCH + timedelta(microseconds=chance.randrange(4 * 10**15)),
    ZoneInfo: lambda chance: ZoneInfo(chance.choice(("Europe/Berlin", "UTC", "America/St_Johns"))),
}
SEEDS = st.integers(0, 1 << 32)


def some_picture(seed: int) -> Picture:
    return drawn(Picture, random.Random(seed))


def chart(last: int, hours: int = 96) -> tuple[ChartPoint, ...]:
    """Made anew each time, as the desk does."""
    start = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
    points = [ChartPoint(start + timedelta(hours=n), n % 7, n % 11, 1.5, None) for n in range(hours)]
    return (*points[:-1], replace(points[-1], negative=last))


def watch(name: str, negative: int = 3) -> WatchPicture:
    zone = ZoneInfo("Europe/Berlin")
    return WatchPicture(name, None, False, negative, 9, 1.25, 0.5, 0.2, chart(negative), zone=zone)


def incident(number: int, **changes: object) -> Incident:
    plain = Incident(
        f"motrin-{number}", "Motrin", Kind.SPIKE, State.OPEN, Severity.RED, NOW, NOW,
        Numbers(60, 84, 118, 6.2, 71, 0.71, 0.18, 2e-15), "84 negative posts", Evidence(voices=(("slingmama", 12),)),
    )  # fmt: skip
    return replace(plain, **changes)


def mention(number: int) -> Scored:
    post = Post(f"p{number}", "bluesky", NOW, f"“{number}” 😡 pull it", lang="en", tags=("Motrin",))
    return Scored(Mention(post, ("Motrin",)), 0.9, 0.06, 0.04, "test")


def over(picture: Picture) -> Picture:
    return wire.decoded(orjson.loads(wire.encoded(picture, Picture)), Picture)


def stepped(before: Picture, after: Picture) -> Picture:
    """The second one, as one who has the first one gets to know of it."""
    return wire.applied(before, orjson.loads(wire.delta(before, after)))


def busy(watches: int = 300, mentions: int = 500) -> Picture:
    return Picture(
        now=NOW,
        incidents=tuple(incident(n) for n in range(200)),
        watches=tuple(watch(f"brand {n}") for n in range(watches)),
        mentions=tuple(mention(n) for n in range(mentions)),
        sources=(SourceStatus("bluesky", "live", NOW, 10, 10),),
    )


@given(SEEDS)
def test_a_picture_is_the_same_at_the_other_end(seed):
    picture = some_picture(seed)
    assert over(picture) == picture


@given(SEEDS, SEEDS, st.sets(st.sampled_from([field.name for field in fields(Picture)])))
def test_a_change_makes_the_one_picture_into_the_other(seed, another, names):
    before, other = some_picture(seed), some_picture(another)
    after = replace(before, **{name: getattr(other, name) for name in names})
    assert stepped(before, after) == after
    assert stepped(over(before), after) == after


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)), st.integers(0, 9))
def test_rows_of_records_may_come_go_move_and_repeat(before, after, other):
    def row(numbers):
        return tuple(SourceStatus(f"s{n}", posts=other if n == other else 0) for n in numbers)

    old, new = Picture(NOW, sources=row(before)), Picture(NOW, sources=row(after))
    assert stepped(old, new) == new
    plain = Picture(NOW, mentions=tuple(map(mention, before))), Picture(NOW, mentions=tuple(map(mention, after)))
    assert stepped(*plain) == plain[1]


@pytest.mark.parametrize("file", sorted(folder("playbooks").glob("*.md"))[:3], ids=lambda file: file.stem)
def test_a_playbook_is_the_same_at_the_other_end(file: Path):
    book = load(file).playbook
    kind = type(book)
    assert wire.decoded(orjson.loads(wire.encoded(book, kind)), kind) == book


def test_a_timeline_is_the_same_at_the_other_end():
    changes = (Change("a", 1, Event.OPENED, NOW, Severity.RED), Change("a", 2, Event.NOTED, NOW, Severity.RED, "Anna"))
    kind = tuple[Change, ...]
    assert wire.decoded(orjson.loads(wire.encoded(changes, kind)), kind) == changes


def test_figures_that_are_no_numbers_break_nothing():
    odd = incident(1, numbers=Numbers(60, 1, 1, math.nan, 1, math.inf, 0.0, -math.inf))
    found = over(Picture(NOW, incidents=(odd,))).incidents[0].numbers
    assert math.isnan(found.expected)
    assert (found.negative_share, found.probability) == (math.inf, -math.inf)
    assert stepped(Picture(NOW), Picture(NOW, incidents=(odd,))).incidents[0].numbers.negative_share == math.inf


def test_what_is_the_same_is_not_sent_again():
    before = busy()
    after = replace(
        before,
        now=NOW + timedelta(seconds=1),
        number=1,
        mentions=(mention(1000), *before.mentions[:-1]),
        watches=(*before.watches[:7], watch("brand 7", 4), *before.watches[8:]),
        incidents=(replace(before.incidents[3], severity=Severity.AMBER), *before.incidents[:3], *before.incidents[4:]),
    )
    changes = wire.delta(before, after)
    assert stepped(before, after) == after
    assert len(changes) < 1500
    assert wire.delta(before, replace(before)) == b"{}"


def test_a_desk_that_says_more_is_understood():
    """A younger desk: what it says besides is left out, also in the records that are rows."""
    picture = Picture(NOW, incidents=(incident(1),), mentions=(mention(1), mention(2)))
    said = orjson.loads(wire.encoded(picture, Picture))
    said["weather"] = {"rain": 1}
    said["incidents"][0]["mood"] = "sour"
    for one in said["mentions"]:
        one["mention"]["post"] += ["a thread", 7]
    assert wire.decoded(said, Picture) == picture

    changes = {"weather": {"to": 1}, "incidents": {"of": [{"at": 0, "in": {"why": {"to": "new"}, "mood": {"to": 1}}}]}}
    assert wire.applied(picture, changes).incidents == (incident(1, why="new"),)


def test_a_desk_that_says_less_is_understood():
    """An older desk: what it does not say is as if nothing were the matter."""
    said = orjson.loads(wire.encoded(Picture(NOW, incidents=(incident(1),), mentions=(mention(1),)), Picture))
    del said["troubles"], said["incidents"][0]["told"]
    said["mentions"][0]["mention"]["post"] = said["mentions"][0]["mention"]["post"][:4]
    found = wire.decoded(said, Picture)
    assert (found.troubles, found.incidents[0].told, found.mentions[0].post.tags) == ((), (), ())


@pytest.mark.parametrize(
    "said",
    [
        None, [], "now", {}, {"now": "yesterday"}, {"now": 1e400}, {"now": "2026-11-20T03:07:12Z", "incidents": 3},
        {"now": "2026-11-20T03:07:12Z", "mentions": [{"mention": {"post": [[]], "watches": []}}]},
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(said):
    with pytest.raises(ValueError, match=r"."):
        wire.decoded(said, Picture)


@pytest.mark.parametrize(
    "changes",
    [
        [], 3, {"now": 3}, {"now": {"to": "never"}}, {"now": {"in": {}, "x": 1}},
        {"mentions": {"of": [{"keep": [0, 9]}]}}, {"mentions": {"of": [{"keep": [-1, 0]}]}},
        {"mentions": {"of": [{"at": 5, "in": {}}]}},
        {"mentions": {"of": 3}}, {"mentions": {"of": [{"new": [3]}]}}, {"number": {"of": [{"new": [3]}]}}, {"now": {}},
    ],
)  # fmt: skip
def test_what_is_no_change_of_this_picture_is_refused(changes):
    with pytest.raises(ValueError, match=r"."):
        wire.applied(Picture(EPOCH, mentions=(mention(1),)), changes)


def test_a_change_cannot_make_more_of_a_picture_than_there_can_be(monkeypatch):
    monkeypatch.setattr(wire, "MOST_RECORDS", 100)
    picture = Picture(NOW, sources=(SourceStatus("one"), SourceStatus("two")))
    both = {"keep": [0, 2]}
    assert len(wire.applied(picture, {"sources": {"of": [both] * 50}}).sources) == 100
    with pytest.raises(ValueError, match="more records"):
        wire.applied(picture, {"sources": {"of": [both] * 51}})
