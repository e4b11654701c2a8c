"""What it costs to look at the watches, as a screen does every second, against their number.

    .venv/bin/python -m pytest -m bench -s tests/bench/test_picture_cost.py

The watches know ten ordinary days and were spoken of in the last hour; then two minutes pass in which posts come for
none of them, or for one in a hundred a minute. Asserts nothing about time.
"""

import asyncio
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from storms import END, quiet, scored

from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.overview import Pictures
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Label, Scored
from crisisdesk.storage.store import Store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

LOOKS = 2 * 60
WATCHES = (10, 1_000, 10_000)


def said(names: Sequence[str], a_minute: int) -> list[Scored]:
    """Posts of those minutes, each for one watch."""
    chance, many = random.Random(1), a_minute * LOOKS // 60
    posts = [scored(f"calm {n}", END + timedelta(seconds=LOOKS * n / many), Label.NEUTRAL, n=n) for n in range(many)]
    return [replace(one, mention=replace(one.mention, watches=(chance.choice(names),))) for one in posts]


async def looks(state: dict[str, Any], names: Sequence[str], coming: list[Scored], folder: Path) -> list[float]:
    """Milliseconds of each look: the first, and then one a second."""
    async with await Store.open(folder / f"{len(names)}-{len(coming)}.db", durable=False) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        desk = Observation(register, dict.fromkeys(names, Standard()), Tally(), lambda _: None)
        for watch in desk.detectors.values():
            watch.restore(state)
        pictures, took = Pictures(desk, register, (), END), []
        coming.reverse()
        for second in range(LOOKS + 1):
            now = END + timedelta(seconds=second)
            while coming and coming[-1].post.time <= now:
                await desk.take(coming.pop())
            await desk.tick(now)
            began = time.perf_counter()
            assert sum(1 for _ in pictures.now()) == len(names)
            took.append((time.perf_counter() - began) * 1e3)
        return took


def test_cost_of_looking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    watch = WatchDetector("Brand")
    for one in quiet():
        watch.observe(one)
    report = [f"\n{'watches':>8} {'posts a minute':>15} {'first look, ms':>15} {'median, ms':>11} {'longest, ms':>12}"]
    for number in WATCHES:
        names = [f"brand {n}" for n in range(number)]
        for a_minute in (0, max(1, number // 100)):
            first, *others = asyncio.run(looks(watch.state(), names, said(names, a_minute), tmp_path))
            report.append(f"{number:>8,} {a_minute:>15,} {first:>15.1f} {median(others):>11.2f} {max(others):>12.1f}")
    with capsys.disabled():
        sys.stdout.write("\n".join(report) + "\n")
