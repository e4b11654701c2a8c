"""A live desk whose network falls silent: an incident with its playbook, over a restart, until posts come again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hearsay import Words

from crisisdesk.app import App, Plan
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.records import Event, Incident, Kind, Post, Severity, SourceStatus, State
from crisisdesk.resources import folder
from crisisdesk.sources.base import Edge

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOOK = timedelta(seconds=10)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


class Hand:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.moment = NOON

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


class Network:
    """Delivers what it is given; of all else that it hears it only counts."""

    pushes, resumes, cursor = True, False, None

    def __init__(self, name: str = "bluesky") -> None:
        self.name = name
        self.posts = 0
        self._coming: asyncio.Queue[Post] = asyncio.Queue()

    def resume(self, cursor: str) -> None:
        raise AssertionError(cursor)

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live", posts=self.posts)

    async def say(self, post: Post) -> None:
        self._coming.put_nowait(post)
        await self._coming.join()

    async def run(self, edge: Edge) -> None:
        while True:
            await edge.send(await self._coming.get())
            self.posts += 1
            self._coming.task_done()


@contextlib.asynccontextmanager
async def desk(database: Path, clock: Hand, network: Network) -> AsyncIterator[App]:
    rule = WatchRule("Acme", ("acme",), accounts=("did:plc:acme",))
    plan = Plan({rule: Standard()}, [network], database, folder("playbooks"), clock, Words, live=True)
    async with App(plan) as app:
        work = asyncio.create_task(app.run())
        try:
            async with asyncio.timeout(30):
                yield app
        finally:
            app.stop()
            await work


async def last(app: App, clock: Hand, network: Network, lasting: timedelta, *, speaks: bool) -> None:
    end = clock.moment + lasting
    while clock.moment < end:
        clock.moment += LOOK
        network.posts += speaks
        await app.rounds.look(clock.moment)


def only(app: App) -> Incident:
    (incident,) = app.register.incidents()
    return incident


async def test_a_mute_network_is_an_incident_until_it_is_heard_again(tmp_path: Path):
    clock, network = Hand(), Network()
    async with desk(tmp_path / "desk.db", clock, network) as app:
        await last(app, clock, network, 2 * HOUR, speaks=True)
        assert app.register.incidents() == ()
        await last(app, clock, network, 5 * MINUTE, speaks=False)
        silence = only(app)
        assert (silence.watch, silence.kind, silence.severity) == ("bluesky", Kind.BLIND, Severity.NOTICE)
        assert "bluesky has been silent since 14:00 UTC" in silence.why
        assert silence.playbook is not None
        assert silence.playbook.id == "gone-silent"
        await last(app, clock, network, 40 * MINUTE, speaks=False)
        assert only(app).severity is Severity.AMBER

    again = Network()
    async with desk(tmp_path / "desk.db", clock, again) as app:
        assert only(app).is_open
        await last(app, clock, again, MINUTE, speaks=False)
        assert only(app).severity is Severity.AMBER
        await last(app, clock, again, MINUTE, speaks=True)
        assert only(app).state is State.RESOLVED
        events = [(change.event, change.reason) for change in await app.register.timeline(only(app).id)]
        assert [event for event, _ in events] == [Event.OPENED, Event.RAISED, Event.RESOLVED]
        assert events[-1][1] == "bluesky is heard again, after 46 min"
        assert app.overspent() == {}


async def test_a_silence_of_a_source_that_is_not_configured_any_more_ends(tmp_path: Path):
    clock, network = Hand(), Network()
    async with desk(tmp_path / "desk.db", clock, network) as app:
        await last(app, clock, network, 15 * MINUTE, speaks=False)
        assert only(app).is_open
    async with desk(tmp_path / "desk.db", clock, Network("mastodon")) as app:
        assert only(app).state is State.RESOLVED


async def test_own_accounts_that_do_not_post_any_more_are_told_of(tmp_path: Path):
    clock, network = Hand(), Network()
    async with desk(tmp_path / "desk.db", clock, network) as app:

        async def hours(many: int) -> None:
            for _ in range(many * 60 * 60 // 54):
                clock.moment += timedelta(seconds=54)
                network.posts += 1
                await app.rounds.look(clock.moment)

        for number in range(24):
            await network.say(Post(str(number), "bluesky", clock.moment, "our news of today", author="did:plc:acme"))
            await hours(3)
        await hours(36)
        asleep = only(app)
        assert (asleep.watch, asleep.kind, asleep.severity) == ("Acme", Kind.BLIND, Severity.NOTICE)
        assert asleep.why.startswith("The accounts of Acme have not posted since Thu 09:00 UTC; usually a post comes ")
