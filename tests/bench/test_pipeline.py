"""Posts per second of the whole desk without a console, on the Motrin case, and where the time goes.

Each stage is timed by itself on what the stage before it made, so that waiting counts for nobody; then all together.
Asserts nothing about time.
"""

import asyncio
import gzip
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import orjson
import pytest

from crisisdesk.app import App, Plan
from crisisdesk.cases import case
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.match import Matcher, WatchRule
from crisisdesk.records import EPOCH, Mention, Post, Scored, Spike
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Model, Scores
from crisisdesk.sentiment.cached import Cached
from crisisdesk.sentiment.transformer import load
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay
from crisisdesk.storage.store import Store

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

T = TypeVar("T")
STORY = case("motrin")
RULE = WatchRule(STORY.watch, STORY.terms)


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work gives, and the seconds that it took."""
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def read() -> list[Post]:
    return list(read_posts([STORY.path], on_bad=lambda line: pytest.fail(str(line))))


def detected(scored: list[Scored]) -> list[Spike]:
    detector = WatchDetector(RULE.name)
    return [spike for one in scored for spike in detector.observe(one)]


async def stored(spikes: list[Spike], database: Path) -> int:
    async with await Store.open(database, durable=True) as store:
        register = Register(store, Rules(), lambda _: None, ())
        await register.load()
        return sum([len(await register.witness(spike)) for spike in spikes])


class Known:
    """The model's word on these posts, at no cost: what is left is the desk itself."""

    def __init__(self, model: Model, scores: dict[str, Scores]) -> None:
        self.name, self.digest, self.languages = model.name, model.digest, model.languages
        self._scores = scores

    def score(self, texts: list[str]) -> list[Scores]:
        return [self._scores[text] for text in texts]


async def desk(database: Path, load_model: Callable[[], Model]) -> App:
    clock = ReplayClock(EPOCH)
    source = Replay("case", iter(read()), clock, Pace(clock))
    plan = Plan({RULE: Standard()}, [source], database, folder("playbooks"), clock, load_model)
    async with App(plan) as app:
        await app.run()
    return app


def test_posts_per_second_and_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    model = load()
    with gzip.open(STORY.path) as file:
        lines = file.readlines()
    _, parse = timed(lambda: [orjson.loads(line) for line in lines])
    posts, reading = timed(read)
    matcher = Matcher([RULE])
    matched, matching = timed(lambda: [matcher.match(post) for post in posts])
    mentions = [Mention(post, watches) for post, watches in zip(posts, matched, strict=True) if watches]
    texts = [mention.post.text for mention in mentions]
    cached = Cached(model)
    scores, scoring = timed(
        lambda: [one for n in range(0, len(texts), 256) for one in cached.score(texts[n : n + 256])]
    )
    scored = [Scored(mention, *mood, model="bench") for mention, mood in zip(mentions, scores, strict=True)]
    spikes, detecting = timed(lambda: detected(scored))
    known = Known(model, dict(zip(texts, scores, strict=True)))
    with tempfile.TemporaryDirectory() as base:
        changes, storing = timed(lambda: asyncio.run(stored(spikes, Path(base) / "stages.db")))
        app, bare = timed(lambda: asyncio.run(desk(Path(base) / "bare.db", lambda: known)))
        _, whole = timed(lambda: asyncio.run(desk(Path(base) / "whole.db", lambda: Cached(model))))
    assert app.tally.mentions[RULE.name] == len(mentions)
    stages = {"read": reading, "match": matching, "score": scoring, "detect": detecting, "store": storing}
    report = [
        f"\n{len(posts):,} posts of the Motrin case, {len(mentions):,} mentions, {cached.hits:,} of them copies",
        f"{len(spikes):,} statements about spikes, {changes} changes of incidents",
        f"whole desk, headless  {whole:6.2f} s  {len(posts) / whole:8,.0f} posts/s",
        f"without the model     {bare:6.2f} s  {len(posts) / bare:8,.0f} posts/s",
    ]
    report += [
        f"  {name:8} {seconds:6.2f} s  {seconds / sum(stages.values()):4.0%}  {len(posts) / seconds:10,.0f} posts/s"
        for name, seconds in stages.items()
    ]
    report.append(f"reading and matching take {(reading + matching) / parse:.1f} times as long as orjson.loads alone")
    with capsys.disabled():
        sys.stdout.write("\n".join(report) + "\n")
