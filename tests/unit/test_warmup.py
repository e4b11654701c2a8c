"""A new watch gets its past from a network that keeps it, and is watched meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from hearsay import Words
from storms import CHATTER

from crisisdesk.app import App, Plan
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import FatalSourceError
from crisisdesk.match import WatchRule
from crisisdesk.records import EPOCH, Correction, Post, SourceStatus
from crisisdesk.resources import folder
from crisisdesk.sources.base import Edge, Source

NOW = datetime.fromisoformat("2026-03-12T12:00:00+00:00")
DAY = timedelta(days=1)


def said(begin: datetime, end: datetime, every: timedelta = timedelta(minutes=3)) -> list[Post]:
    """Ordinary posts, a fifth of them negative."""
    many = int((end - begin) / every)
    first = (begin - EPOCH) // every
    return [
        Post(
            f"p{first + n}", "bsky", begin + n * every,
            f"acme {'awful ' if (first + n) % 5 == 0 else ''}{CHATTER.format(first + n)}", author=f"a{n}", lang="en",
        )
        for n in range(many)
    ]  # fmt: skip


class Recorded:
    """A source of what the network still has."""

    name, pushes, resumes, cursor = "bsky", True, True, None

    def __init__(self, posts: Sequence[Post], may_end: asyncio.Event, fails: Exception | None = None) -> None:
        self._posts, self._may_end, self._fails = posts, may_end, fails

    def resume(self, cursor: str) -> None: ...

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live")

    async def run(self, edge: Edge) -> None:
        if self._fails:
            raise self._fails
        for post in self._posts:
            await edge.send(post)
        await edge.correct(Correction("bsky", self._posts[-1].id))
        await self._may_end.wait()


class Network(Recorded):
    """Sends what the test says, and keeps what was said before."""

    def __init__(
        self,
        past: Sequence[Post],
        *,
        fails: Exception | None = None,
        history: timedelta = 1.5 * DAY,
        name: str = "bsky",
    ) -> None:
        super().__init__(past, asyncio.Event(), fails)
        self.name = name
        self.cursor = "1"
        self.history = history
        self.coming: asyncio.Queue[Post] = asyncio.Queue()
        self.asked: list[tuple[datetime, datetime]] = []

    def recall(self, since: datetime, until: datetime) -> Source:
        self.asked.append((since, until))
        return Recorded([post for post in self._posts if since <= post.time < until], self._may_end, self._fails)

    def finish(self) -> None:
        self._may_end.set()

    async def run(self, edge: Edge) -> None:
        while True:
            await edge.send(await self.coming.get())
            self.coming.task_done()


@contextlib.asynccontextmanager
async def desk(base: Path, network: Network, *names: str, others: Sequence[Network] = ()) -> AsyncIterator[App]:
    watches = {WatchRule(name, (name.casefold(),)): Standard() for name in names or ("Acme",)}
    plan = Plan(
        watches, [network, *others], base / "desk.db", folder("playbooks"), ReplayClock(NOW), Words, live=True
    )  # fmt: skip
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        async with asyncio.timeout(30):
            yield app
            app.stop()
            await work


async def when(app: App, condition: Callable[[], bool]) -> None:
    shown = await app.desk.picture()
    while not condition():
        await app.desk.changed(shown)
        shown = await app.desk.picture()


async def hear(app: App, network: Network, posts: Sequence[Post]) -> None:
    for post in posts:
        network.coming.put_nowait(post)
    await network.coming.join()
    await app.caught_up()


def of_zenith(begin: datetime, end: datetime) -> list[Post]:
    return [one._replace(id=f"z{one.id}", text=one.text.replace("acme", "zenith")) for one in said(begin, end)]


def told(app: App) -> str:
    return app.complaints().get("past", "")


async def test_a_new_watch_knows_what_is_usual_as_soon_as_its_past_has_been_read(tmp_path: Path):
    network = Network(said(NOW - 3 * DAY, NOW))
    async with desk(tmp_path, network) as app:
        await when(app, lambda: bool(told(app)))
        assert told(app) == (
            "Acme: new, so the desk learns what bsky still has of the last 36 hours, once it can be had."
        )
        await hear(app, network, said(NOW, NOW + timedelta(minutes=15)))
        acme = app.observation.detectors["Acme"]
        assert acme.since >= NOW
        network.finish()
        await when(app, lambda: not told(app))
        assert network.asked == [(NOW - 1.5 * DAY, NOW)]
        assert acme.since == NOW - 1.5 * DAY
        assert acme.detector.baseline.hours >= 20
        assert acme.last_hour()[1] == 5, "what was said before is usual, and not counted"
        assert [hour.total for hour in acme.hours()[-4:]] == [20, 20, 19, 5]  # one was taken back
        assert app.tally.mentions == {"Acme": 5}
        assert app.register.incidents() == ()
    async with desk(tmp_path, again := Network([])) as app:
        assert app.observation.detectors["Acme"].since == NOW - 1.5 * DAY
    assert again.asked == []


async def test_only_what_is_new_is_read_and_not_again_after_a_restart(tmp_path: Path):
    network = Network(said(NOW - DAY, NOW))
    network.finish()
    async with desk(tmp_path, network) as app:
        await when(app, lambda: not app.observation.without_past and bool(network.asked))
    both = Network([*said(NOW - DAY, NOW), *of_zenith(NOW - DAY, NOW)])
    both.finish()
    async with desk(tmp_path, both, "Acme", "Zenith") as app:
        before = app.observation.detectors["Acme"].state()
        await when(app, lambda: not app.observation.without_past and bool(both.asked))
        assert app.observation.detectors["Acme"].state() == before
        assert app.observation.detectors["Zenith"].since == NOW - DAY


async def test_a_past_that_was_cut_off_is_read_at_the_next_start_and_what_was_counted_stays(tmp_path: Path):
    first = Network(said(NOW - DAY, NOW))
    async with desk(tmp_path, first) as app:
        await when(app, lambda: bool(told(app)))
        await hear(app, first, said(NOW, NOW + timedelta(minutes=15)))
    network = Network(said(NOW - DAY, NOW))
    network.finish()
    async with desk(tmp_path, network) as app:
        await when(app, lambda: not app.observation.without_past and bool(network.asked))
        assert app.observation.detectors["Acme"].since == NOW - DAY
        assert app.observation.detectors["Acme"].last_hour()[1] == 5


async def test_a_past_that_cannot_be_read_is_told_and_tried_again_at_the_next_start(tmp_path: Path):
    network = Network([], fails=FatalSourceError("mend 'url'"))
    async with desk(tmp_path, network) as app:
        await when(app, lambda: "could be read" in told(app))
        assert told(app).endswith("so the usual is learnt as it comes. mend 'url'")
        await hear(app, network, said(NOW, NOW + timedelta(minutes=3)))
        assert app.tally.mentions == {"Acme": 1}
    network = Network(said(NOW - DAY, NOW))
    network.finish()
    async with desk(tmp_path, network) as app:
        await when(app, lambda: not app.observation.without_past and bool(network.asked))


async def test_one_network_whose_past_fails_oddly_costs_the_other_nothing(tmp_path: Path):
    good, bad = Network(said(NOW - DAY, NOW)), Network([], fails=ZeroDivisionError("oh"), name="odd")
    good.finish()
    async with desk(tmp_path, good, others=[bad]) as app:
        await when(app, lambda: "nobody foresaw (ZeroDivisionError: oh)" in told(app))
        assert app.observation.detectors["Acme"].since == NOW - DAY


async def test_who_wants_no_past_gets_none(tmp_path: Path):
    network = Network(said(NOW - DAY, NOW), history=timedelta(0))
    async with desk(tmp_path, network) as app:
        await app.rounds.save()
        assert network.asked == []
