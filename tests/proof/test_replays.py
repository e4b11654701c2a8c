"""The Motrin case gives the same incidents, evidence and all, however it is cut, batched and paced.

The shipped model judges every post once; after that its word is remembered, so that only the way differs.
"""

import asyncio
import gzip
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from crisisdesk import app as app_module
from crisisdesk.app import App, Plan
from crisisdesk.cases import case
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.engine import intake, pipeline
from crisisdesk.match import WatchRule
from crisisdesk.records import EPOCH, Notification
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.batcher import Scoring
from crisisdesk.sentiment.cached import Cached
from crisisdesk.sentiment.transformer import load
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay

pytestmark = pytest.mark.proof

STORY = case("motrin")


async def played(
    base: Path, files: Sequence[Path], model: Model, *, chunk: int = 500, pace: Callable[[ReplayClock], Pace] = Pace
) -> list[Notification]:
    clock = ReplayClock(EPOCH)
    posts = read_posts(files, on_bad=lambda line: pytest.fail(str(line)))
    source = Replay(STORY.name, posts, clock, pace(clock), chunk)
    rules = {WatchRule(STORY.watch, STORY.terms): Standard()}
    seen: list[Notification] = []
    async with App(Plan(rules, [source], base / "desk.db", folder("playbooks"), clock, lambda: model)) as app:
        app.register.subscribe(seen.append)
        await app.run()
    return seen


@pytest.fixture(scope="module")
def model() -> Cached:
    return Cached(load())


@pytest.fixture(scope="module")
def expected(model, tmp_path_factory) -> list[Notification]:
    seen = asyncio.run(played(tmp_path_factory.mktemp("expected"), [STORY.path], model))
    assert {"notice", "amber", "red"} >= {str(one.change.severity) for one in seen} >= {"red"}
    return seen


@pytest.mark.parametrize("seed", range(3))
async def test_any_batch_size(tmp_path, model, expected, monkeypatch, seed):
    chance = random.Random(seed)

    def some() -> int:
        return int(10 ** chance.uniform(0, 4))

    class Sized(Scoring):
        async def run(self, mentions: Any, scored: Any, at_most: int = some()) -> None:
            await super().run(mentions, scored, at_most)

    monkeypatch.setattr(app_module, "Scoring", Sized)
    monkeypatch.setattr(intake, "BATCH", some())
    monkeypatch.setattr(intake, "WAITING", some())
    monkeypatch.setattr(app_module, "MENTIONS_WAITING", some())
    monkeypatch.setattr(pipeline, "SCORED_WAITING", some())
    assert await played(tmp_path, [STORY.path], model, chunk=some()) == expected


async def test_any_speed(tmp_path, model, expected):
    def paced(clock: ReplayClock) -> Pace:
        return Pace(clock, speed=10_000.0, shown_from=STORY.shown_from)

    assert await played(tmp_path, [STORY.path], model, pace=paced) == expected


def test_any_cut(tmp_path, model, expected):
    """In three files, cut anywhere; ids stand in the posts, so that the file's name does not matter."""
    lines = gzip.decompress(STORY.path.read_bytes()).splitlines(keepends=True)
    first, second = sorted(random.Random(4).sample(range(len(lines)), 2))
    files = [tmp_path / f"{name}.jsonl" for name in "abc"]
    for file, part in zip(files, (lines[:first], lines[first:second], lines[second:]), strict=True):
        file.write_bytes(b"".join(part))
    assert asyncio.run(played(tmp_path, files, model)) == expected
