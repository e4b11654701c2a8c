"""What watching costs against the number of watches: a post, an hour that ends, a tick; and memory, part by part.

    .venv/bin/python -m pytest -m bench -s tests/bench/test_detector_cost.py

The watches know ten ordinary days; then the same stream of posts is dealt to 10, 1,000 or 10,000 of them. Asserts
nothing about time.
"""

import asyncio
import copy
import random
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Mention, Post, Scored
from crisisdesk.storage.store import Store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

START = datetime(2026, 3, 2, tzinfo=UTC)
DAYS, A_DAY = 10, 200
"""Ordinary days that each watch knows, and posts on each."""
NOW = START + timedelta(days=DAYS, minutes=1)
POSTS, TICKS = 5_000, 50
WATCHES = (10, 1_000, 10_000)
WORDS = [
    f"{first}{second}"
    for first in "bdfgklmnprst"
    for second in ("ado", "erin", "ilo", "ornet", "umbal", "yst", "ankle")
]
PARTS = {
    "counts, usual, judgement": ("detector",),
    "voices of a day": ("_speakers",),
    "authors and copies": ("_crowd", "_brigading"),
    "posts and phrases": ("_memory",),
    "chart, records, weeks": ("_past", "_apart"),
}


def posts(number: int, begin: datetime, length: timedelta, watches: Sequence[str]) -> Iterator[Scored]:
    """Made-up posts by many authors, a fifth of them negative, each for one watch."""
    chance = random.Random(1)
    for n in range(number):
        at = begin + length * n / number
        text = " ".join(chance.choices(WORDS, k=14))
        post = Post(
            f"{at.timestamp()}", "x", at, text, author=f"p{chance.randrange(20_000)}", reach=chance.randrange(900)
        )
        mood = (0.9, 0.05, 0.05) if chance.random() < 0.2 else (0.05, 0.9, 0.05)
        yield Scored(Mention(post, (chance.choice(watches),), "en"), *mood, "bench")


def experienced() -> WatchDetector:
    watch = WatchDetector("brand")
    for item in posts(DAYS * A_DAY, START, timedelta(days=DAYS), ["brand"]):
        watch.observe(item)
    return watch


def restored(names: Sequence[str], state: dict[str, Any], now: datetime) -> dict[str, WatchDetector]:
    watches = {name: WatchDetector(name) for name in names}
    for watch in watches.values():
        watch.restore(state)
        watch.pass_time(now)
    return watches


def per(number: int, work: Callable[[], object]) -> float:
    """Microseconds of each of so many."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) / number * 1e6


def of_watches(state: dict[str, Any], names: Sequence[str], stream: Sequence[Scored]) -> tuple[float, float]:
    """Microseconds that `WatchDetector.observe` takes for a post, and the end of an hour for a watch."""
    watches = restored(names, state, NOW)
    observing = per(POSTS, lambda: [watches[item.mention.watches[0]].observe(item) for item in stream])
    later = NOW + timedelta(hours=2)
    return observing, per(len(names), lambda: [watch.pass_time(later) for watch in watches.values()]) / 2


async def of_the_desk(
    state: dict[str, Any], names: Sequence[str], stream: Sequence[Scored], folder: Path
) -> tuple[float, float]:
    """Microseconds that a post takes from the detectors to the register and back, and a tick."""
    async with await Store.open(folder / f"{len(names)}.db", durable=False) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        desk = Observation(register, dict.fromkeys(names, Standard()), Tally(), lambda _: None)
        desk.detectors.update(restored(names, state, NOW))
        began = time.perf_counter()
        for item in stream:
            await desk.take(item)
        taken = time.perf_counter() - began
        now, began = desk.now, time.perf_counter()
        for tick in range(TICKS):
            await desk.tick(now + timedelta(seconds=10 * tick))
        return taken / POSTS * 1e6, (time.perf_counter() - began) / TICKS * 1e6


def memory(watch: WatchDetector) -> dict[str, float]:
    """Bytes of each part; what watches share is not copied."""
    known = {id(shared): shared for shared in (watch.detector.hearing, watch.standard, watch.detector.baseline.clock)}
    sizes = {}
    for name, attributes in PARTS.items():
        parts = [getattr(watch, attribute) for attribute in attributes]
        asked = (watch, watch.detector, watch._memory, watch._crowd)  # parts ask each other
        others = {id(one): one for one in asked if one not in parts}
        tracemalloc.start()
        kept = [copy.deepcopy(parts, known | others) for _ in range(5)]
        sizes[name] = tracemalloc.get_traced_memory()[0] / len(kept)
        tracemalloc.stop()
    return sizes


def test_cost_per_post_and_tick_and_memory_per_watch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = experienced()
    state = watch.state()
    report = [f"\n{'watches':>8} {'a post, µs':>14} {'with the desk, µs':>18} {'an hour, µs':>14} {'a tick, µs':>12}"]
    for number in WATCHES:
        names = [f"brand {n}" for n in range(number)]
        stream = list(posts(POSTS, NOW, timedelta(minutes=50), names))
        observing, hour = of_watches(state, names, stream)
        taking, tick = asyncio.run(of_the_desk(state, names, stream, tmp_path))
        report.append(f"{number:>8,} {observing:>14.0f} {taking:>18.0f} {hour:>14.0f} {tick:>12.0f}")
    sizes = memory(watch)
    report.append(f"\nbytes of one watch after {DAYS * A_DAY:,} posts in {DAYS} days")
    report += [f"{size:>8,.0f}  {name}" for name, size in sizes.items()]
    with capsys.disabled():
        sys.stdout.write("\n".join(report) + "\n")
