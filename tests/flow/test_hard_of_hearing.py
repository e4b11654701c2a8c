"""A live desk whose network is lost, floods it or whose clock is wrong: people see it, and no call is missed."""

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hearsay import Words
from storms import CHATTER, END, OTHER_WORDS, START

from crisisdesk import app as app_module
from crisisdesk.app import App, Plan
from crisisdesk.detect.standard import Standard
from crisisdesk.engine import intake
from crisisdesk.match import WatchRule
from crisisdesk.records import Incident, Kind, Post, Severity, SourceStatus
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Scores
from crisisdesk.sources.base import Edge

LOOK = timedelta(seconds=10)
HOUR = timedelta(hours=1)


class Hand:
    """A clock that somebody sets."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


class Network:
    """Says what it is told to, and is heard as well as it is told to be."""

    pushes = True

    def __init__(self, name: str, *, goes_back: bool = False) -> None:
        self.name = name
        self.resumes = goes_back
        self.cursor = "1" if goes_back else None
        self.state = "live"
        self.posts = 0
        self._coming: asyncio.Queue[Post] = asyncio.Queue()

    def say(self, posts: Iterable[Post]) -> None:
        for post in posts:
            self._coming.put_nowait(post._replace(source=self.name))

    def resume(self, cursor: str) -> None:
        self.cursor = cursor

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, self.state, posts=self.posts)

    async def run(self, edge: Edge) -> None:
        while True:
            await edge.send(await self._coming.get())
            self.posts += 1
            self._coming.task_done()

    async def all_sent(self) -> None:
        await self._coming.join()


def quiet(begin: datetime, end: datetime) -> list[Post]:
    """Five posts an hour, a fifth of them negative."""
    many = int((end - begin) / HOUR * 5)
    moods = ("awful ", "", "", "", "")
    return [
        Post(
            f"{begin:%d%H}-{n}",
            "",
            begin + n * HOUR / 5,
            f"acme {moods[n % 5]}{CHATTER.format(n)}",
            author=f"p{n}",
            lang="en",
        )
        for n in range(many)
    ]


def storm(begin: datetime, posts: int = 40) -> list[Post]:
    """Anger, one post a minute, everyone in other words."""
    chance, words = random.Random(2), OTHER_WORDS.split()
    texts = (f"acme awful {' '.join(chance.sample(words, 8))} insulting advert" for _ in range(posts))
    return [
        Post(f"{begin:%d%H}!{n}", "", begin + n * timedelta(minutes=1), text, author=f"angry{n}", lang="en")
        for n, text in enumerate(texts)
    ]


@contextlib.asynccontextmanager
async def desk(
    tmp_path: Path, clock: Hand, *networks: Network, model: Callable[[], Words] = Words
) -> AsyncIterator[App]:
    """At work, with ten quiet days behind it."""
    plan = Plan(
        {WatchRule("Acme", ("acme",)): Standard()}, networks, tmp_path / "desk.db", folder("playbooks"), clock, model,
        live=True,
    )  # fmt: skip
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        try:
            async with asyncio.timeout(30):
                for place, network in enumerate(networks):
                    await hear(app, network, quiet(START, END)[place :: len(networks)])
                clock.moment = app.listening.until = END
                await app.rounds.look(END)
                yield app
        finally:
            work.cancel()
            await asyncio.wait({work})


async def hear(app: App, network: Network, posts: Sequence[Post]) -> None:
    """Let posts come and go through."""
    network.say(posts)
    await network.all_sent()
    await app.caught_up()


async def look_on(app: App, clock: Hand, lasting: timedelta, step: timedelta = LOOK) -> None:
    """What a live desk does by the clock."""
    end = clock.moment + lasting
    while clock.moment < end:
        clock.moment += step
        await app.rounds.look(clock.moment)


def only(app: App) -> Incident:
    (incident,) = [one for one in app.register.incidents() if one.kind is not Kind.BLIND]
    return incident


async def test_the_loss_of_a_source_is_seen_and_said_with_every_call(tmp_path: Path):
    clock, bluesky, mastodon = Hand(START), Network("bluesky"), Network("mastodon")
    async with desk(tmp_path, clock, bluesky, mastodon) as app:
        mastodon.state = "blind"
        await look_on(app, clock, LOOK)
        await hear(app, bluesky, storm(clock.moment))
        assert "mastodon cannot be heard at present, so there may be more." in only(app).why
        assert "mastodon ist zurzeit nicht zu hören, es können mehr sein." in only(app).why_de
        picture = await app.desk.picture()
        assert [one.state for one in picture.sources] == ["live", "blind"]
        mastodon.state = "live"
        await look_on(app, clock, LOOK)
        await hear(app, bluesky, storm(clock.moment + HOUR))
        assert "cannot be heard" not in only(app).why


async def test_drops_are_said_while_the_desk_is_still_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(intake, "WAITING", 60)
    monkeypatch.setattr(app_module, "MENTIONS_WAITING", 1)
    go = threading.Event()
    go.set()

    class Held(Words):
        def score(self, texts: Sequence[str]) -> list[Scores]:
            assert go.wait(30)
            return super().score(texts)

    clock, bluesky = Hand(START), Network("bluesky")
    async with desk(tmp_path, clock, bluesky, model=Held) as app:
        before = app.sources()[0].dropped
        go.clear()
        bluesky.say(storm(END, 1_000))
        await bluesky.all_sent()
        dropped = app.sources()[0].dropped - before
        assert dropped > 100
        await look_on(app, clock, LOOK)
        assert app.left > 0
        assert app.listening.hearing.dropped["Acme"] >= dropped
        go.set()
        await app.caught_up()
        assert "came too fast to be read and were dropped, so there may be more." in only(app).why
        assert "cannot be heard" not in only(app).why


@pytest.mark.parametrize("goes_back", [True, False])
async def test_a_lid_that_was_closed_ends_no_incident_and_what_is_made_good_counts(tmp_path: Path, goes_back: bool):
    clock, bluesky = Hand(START), Network("bluesky", goes_back=goes_back)
    async with desk(tmp_path, clock, bluesky) as app:
        await hear(app, bluesky, storm(END, 20))
        clock.moment = END + timedelta(minutes=20)
        await app.rounds.look(clock.moment)
        opened = only(app)
        learnt = app.observation.detectors["Acme"].detector.baseline.hours
        clock.moment += 9 * HOUR
        await app.rounds.look(clock.moment)
        (trouble,) = (await app.desk.picture()).troubles
        assert trouble.startswith("The desk stood still for 9 h until 12 Mar ")
        assert only(app) == opened
        if goes_back:
            await hear(app, bluesky, storm(END + 2 * HOUR, 60))
            await look_on(app, clock, LOOK)
            assert only(app).updated == END + 2 * HOUR + timedelta(minutes=59)
            assert only(app).numbers.negative > opened.numbers.negative
        for _ in range(30):
            await look_on(app, clock, HOUR, 5 * LOOK)
            await hear(app, bluesky, quiet(clock.moment - HOUR, clock.moment))
        assert not only(app).is_open
        watch = app.observation.detectors["Acme"]
        watch.pass_time(clock.moment)
        assert watch.detector.baseline.hours - learnt <= 26 + 3, "a day and what followed the night, but not the night"


@pytest.mark.parametrize("closed", [True, False])
async def test_what_nobody_could_hear_is_no_calm_that_ends_an_incident(tmp_path: Path, closed: bool):
    clock, bluesky = Hand(START), Network("bluesky")
    async with desk(tmp_path, clock, bluesky) as app:
        await hear(app, bluesky, storm(END))
        clock.moment = app.listening.until = END + timedelta(minutes=40)
        while not only(app).calm_since:
            await look_on(app, clock, timedelta(minutes=5), 5 * LOOK)
        await look_on(app, clock, timedelta(minutes=30), 5 * LOOK)
        if closed:
            clock.moment += 6 * HOUR
            await app.rounds.look(clock.moment)
        else:
            bluesky.state = "blind"
            await look_on(app, clock, 6 * HOUR, 5 * LOOK)
            bluesky.state = "live"
        await look_on(app, clock, 2 * HOUR, 5 * LOOK)
        assert only(app).is_open
        await look_on(app, clock, HOUR, 5 * LOOK)
        assert not only(app).is_open


async def test_a_clock_that_is_ahead_is_told_and_misses_no_storm(tmp_path: Path):
    clock, bluesky = Hand(START), Network("bluesky")
    async with desk(tmp_path, clock, bluesky) as app:
        clock.moment = END + 5 * HOUR
        for n in range(30):
            await hear(app, bluesky, storm(END)[n : n + 1])
            await look_on(app, clock, LOOK)
        assert only(app).severity >= Severity.AMBER
        assert only(app).updated == END + timedelta(minutes=29)
        slept, trouble = (await app.desk.picture()).troubles
        assert slept.startswith("The desk stood still for 5 h")
        assert trouble.startswith("Posts of bluesky are 4 h old when they are read. ")
        assert trouble.endswith("the clock of this machine may be ahead: check it.")
        clock.moment = END + timedelta(minutes=31)
        await app.rounds.look(clock.moment)
        await hear(app, bluesky, storm(END)[31:])
        await look_on(app, clock, LOOK)
        (trouble,) = (await app.desk.picture()).troubles
        assert trouble.startswith("The clock of this machine was 4 h 34 min ahead and was set back on 12 Mar ")


async def test_a_desk_whose_last_run_lived_in_the_future_hears_all_the_same(tmp_path: Path):
    clock, bluesky = Hand(START), Network("bluesky")
    async with desk(tmp_path, clock, bluesky) as app:
        clock.moment = END + 30 * HOUR
        await look_on(app, clock, timedelta(minutes=5))
        await hear(app, bluesky, storm(clock.moment, 2))
        app.stop()
    clock.moment = END
    again = Network("bluesky")
    plan = replace(app.plan, sources=[again])
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        async with asyncio.timeout(30):
            assert any("ahead and was set back" in one for one in (await app.desk.picture()).troubles)
            await hear(app, again, storm(END))
            assert only(app).severity >= Severity.AMBER
            app.stop()
            await work
