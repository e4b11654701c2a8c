"""Floods against simulated brands: seen as what they are, and no call for the public's anger; prints the table.

The brands speak post by post: a few authors write much, one post in five repeats an earlier one, volume follows the
day. Nothing here was fitted: the constants of `crisisdesk.detect.flood` and `chorus` are definitions.
"""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.records import Kind, Label, Mention, Post, Scored, Severity

pytestmark = pytest.mark.proof

START = datetime(2026, 3, 2, tzinfo=UTC)
WARM = 10
"""Ordinary days before the flood."""
SIZES = (0.3, 1.0, 3.0, 10.0)
"""Mean posts in five minutes."""
BRANDS = 24
"""Of each size."""
WATCHED = timedelta(hours=3)
TEXT = "this brand lies to all of us and nobody should ever buy anything from them again"


def scored(at: datetime, text: str, author: str, *, negative: bool, repeats: bool = False) -> Scored:
    post = Post(f"{at.timestamp()} {author}", "x", at, text, author=author, original="" if repeats else None)
    label = Label.NEGATIVE if negative else Label.NEUTRAL
    chances = ((0.9 if one is label else 0.05) for one in (Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE))
    return Scored(Mention(post, ("Brand",), "en"), *chances, "m")


def ordinary(chance: random.Random, size: float, share: float, begin: datetime, end: datetime) -> Iterator[Scored]:
    """A brand's everyday posts."""
    at, number, lately = begin, 0, [(TEXT.replace("brand", "first"), False)]
    while True:
        rhythm = 1 + 0.7 * np.cos((at.hour - 15) * np.pi / 12)
        at += timedelta(minutes=chance.expovariate(size * rhythm / 5))
        if at >= end:
            return
        number += 1
        author = f"p{int(40 * size * 100 ** chance.random())}"
        if chance.random() < 0.2:
            text, negative = chance.choice(lately[-20:])
            yield scored(at, text, author, negative=negative, repeats=True)
            continue
        said = (f"{number} {chance.random()} words that {author} says of it", chance.random() < share)
        lately.append(said)
        yield scored(at, said[0], author, negative=said[1])


def flood(text: Callable[[int], str], accounts: int, begin: datetime) -> list[Scored]:
    """300 posts in half an hour."""
    return [scored(begin + timedelta(seconds=6 * n), text(n), f"bot{n % accounts}", negative=True) for n in range(300)]


FLOODS: dict[str, Callable[[datetime], list[Scored]]] = {
    "nothing": lambda _: [],
    "300 copies by 9 accounts": lambda begin: flood(lambda _: TEXT, 9, begin),
    "the same, each with something appended": lambda begin: flood(lambda n: f"{TEXT} 😡 #no{n} x{n}z", 9, begin),
    "1 account, ever other words": lambda begin: flood(lambda n: f"{n} {n * 7} lies about it {n * 13}", 1, begin),
    "300 copies by 300 accounts": lambda begin: flood(lambda _: TEXT, 300, begin),
}


def kinds(watch: WatchDetector, posts: list[Scored]) -> tuple[bool, bool]:
    """Whether a spike called somebody, and whether there was a flood."""
    said = [spike for post in sorted(posts, key=lambda one: one.post.time) for spike in watch.observe(post)]
    called = any(one.kind is Kind.SPIKE and (one.severity or 0) >= Severity.AMBER for one in said)
    return called, any(one.kind is Kind.BRIGADING and one.severity for one in said)


def test_floods_are_seen_and_call_nobody():
    found: dict[str, list[tuple[bool, bool]]] = {name: [] for name in FLOODS}
    ordinary_floods = 0
    for seed, size in itertools.product(range(BRANDS), SIZES):
        chance = random.Random(f"{seed} {size}")
        share, watch = chance.uniform(0.1, 0.35), WatchDetector("Brand")
        begin = START + timedelta(days=WARM, hours=chance.uniform(0, 24))
        ordinary_floods += kinds(watch, list(ordinary(chance, size, share, START, begin)))[1]
        state, later = watch.state(), list(ordinary(chance, size, share, begin, begin + WATCHED))
        for name, of in FLOODS.items():
            again = WatchDetector("Brand")
            again.restore(state)
            found[name].append(kinds(again, [*later, *of(begin)]))
    rates = {name: np.mean(np.array(rows), axis=0) for name, rows in found.items()}
    print(f"\n{'flood':<40} alarmed as spike  told as brigading")
    for name, (called, told) in rates.items():
        print(f"{name:<40} {called:>16.1%} {told:>18.1%}")
    months = len(SIZES) * BRANDS * WARM / 30.4
    print(
        f"brands with a flood in {WARM} ordinary days: {ordinary_floods} of {len(SIZES) * BRANDS} ({months:.0f} months)"
    )
    assert ordinary_floods <= months
    for name, (called, told) in rates.items():
        assert called <= rates["nothing"][0] + 0.05, name
        assert told == (name != "nothing"), name
