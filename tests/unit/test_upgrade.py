"""A desk that was written by an earlier version, opened by this one: it keeps every incident, and goes on.

`old_databases/` holds what earlier versions wrote, made with their own code and dumped as SQL; m003 is the oldest shape
that there ever was. A shape that is released gets its dump before it is followed by another one.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from crisisdesk.app import App
from crisisdesk.clock import ReplayClock
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import StorageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.match import WatchRule
from crisisdesk.plan import Plan
from crisisdesk.records import Event, Kind, Notification, OutputStatus, Severity, SourceStatus, State, Verdict
from crisisdesk.resources import folder
from crisisdesk.sources.base import Edge
from crisisdesk.storage import codec, schema
from crisisdesk.storage.store import Store

SHAPES = sorted(Path(__file__).with_name("old_databases").glob("*.sql"))
NOW = datetime(2026, 11, 20, 23, tzinfo=UTC)
ACME = "acme-20261120t210405z"


@pytest.fixture(params=SHAPES, ids=lambda path: path.stem)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "desk.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(request.param.read_text(encoding="utf-8"))
    path.chmod(0o600)
    return path


def dumped(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def rows(path: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(query).fetchall()


def holds(new: Any, old: Any) -> bool:
    """Whether all that stood there stands there still, whatever has come to it."""
    if isinstance(old, dict):
        return all(name in new and holds(new[name], value) for name, value in old.items() if value not in (None, ""))
    if isinstance(old, list):
        return len(new) == len(old) and all(map(holds, new, old))
    return bool(new == old)


def test_the_oldest_shape_is_among_them():
    assert SHAPES[0].stem == "m003"
    assert all(f"VALUES('{step.__name__}')" in SHAPES[0].read_text() for step in schema.MIGRATIONS[:3])


async def test_every_incident_its_state_and_its_timeline_is_kept(old: Path):
    incidents = {name: orjson.loads(text) for name, text in rows(old, "SELECT id, record FROM incidents")}
    timelines = rows(old, "SELECT incident, record FROM changes ORDER BY incident, sequence")
    owed = rows(old, "SELECT change FROM outbox ORDER BY row")
    async with await Store.open(old) as store:
        loaded = {one.id: one for one, _ in await store.load_incidents()}
        told = {name: await store.timeline(name) for name in loaded}
        assert [(one.change.id,) for _, one in await store.owed("mqtt")] == owed
        assert await store.kept("cursor bluesky") == b"1763672645123456"
    assert len(incidents) == len(loaded) == 5
    for name, before in incidents.items():
        assert holds(orjson.loads(codec.encode(loaded[name])), before), name
        lines = [orjson.loads(text) for incident, text in timelines if incident == name]
        assert holds([orjson.loads(codec.encode(one)) for one in told[name]], lines), name
    acme = loaded[ACME]
    assert (acme.state, acme.severity, acme.acknowledged_by) == (State.ACKNOWLEDGED, Severity.RED, "Anna Berg")
    assert "„wirklich“" in acme.evidence.posts[0].text
    assert sorted(one.verdict for one in loaded.values() if one.verdict) == [Verdict.FALSE_ALARM, Verdict.REAL]
    assert {one.kind for one in loaded.values()} == {Kind.SPIKE, Kind.BLIND}
    noted = next(one for one in told[ACME] if one.event is Event.NOTED)
    assert (noted.person, noted.reason) == ("Anna Berg", "Called the agency; “paused” from 22:30 on.")


async def test_what_was_learnt_later_is_known_of_old_incidents_too(old: Path):
    async with await Store.open(old) as store:
        register = Register(store, Rules(), lambda _: None)
        await register.load()
        quoted = register.find(ACME).evidence.quotes
        digests = await store.quoted()
    assert quoted
    assert len(digests) >= len(quoted)  # so that what their authors take back is found


async def test_it_is_brought_up_to_date_once(old: Path):
    async with await Store.open(old):
        pass
    once = dumped(old)
    async with await Store.open(old):
        pass
    assert dumped(old) == once
    names = {name for (name,) in rows(old, "SELECT name FROM migrations")}
    assert names == {step.__name__ for step in schema.MIGRATIONS}


class Waits:
    """A source on which nothing comes."""

    name, pushes, resumes, cursor = "bluesky", True, True, None

    def __init__(self) -> None:
        self.resumed = ""

    def resume(self, cursor: str) -> None:
        self.resumed = cursor

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live", NOW)

    async def run(self, edge: Edge) -> None:  # noqa: ARG002 - as every source
        await asyncio.Event().wait()


class Takes:
    """An output that takes everything."""

    name = "mqtt"

    def __init__(self) -> None:
        self.taken: list[str] = []

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "live")

    async def ready(self) -> None: ...

    def session(self) -> Any:
        return nullcontext()

    async def deliver(self, notification: Notification) -> None:
        self.taken.append(notification.change.id)


class Words:
    name, digest, languages = "words", "0001", ("en",)

    def score(self, texts: Sequence[str]) -> list[tuple[float, float, float]]:
        return [(0.1, 0.8, 0.1) for _ in texts]


async def test_a_desk_runs_on_with_it_and_what_was_owed_goes_out(old: Path):
    source, output, clock = Waits(), Takes(), ReplayClock(NOW)
    watches = {WatchRule(name, (name,)): Standard() for name in ("Acme", "Beta & Söhne", "Gamma", "Delta")}
    plan = Plan(watches, [source], old, folder("playbooks"), clock, Words, live=True, outputs=lambda _: [output])
    owed = [change for (change,) in rows(old, "SELECT change FROM outbox ORDER BY row")]
    async with App(plan) as app:
        running = asyncio.create_task(app.run())
        async with asyncio.timeout(20):
            while not set(owed) <= set(output.taken):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        assert output.taken[: len(owed)] == owed
        assert source.resumed == "1763672645123456"
        assert len((await app.desk.picture()).incidents) == 5
        assert tuple(app.troubles()) == ()
        before = len(await app.desk.timeline(ACME))
        await app.desk.note(ACME, "Ben Cole", "after the upgrade")
        await app.desk.resolve(ACME, "Ben Cole", Verdict.REAL)
        told = await app.desk.timeline(ACME)
        assert [one.sequence for one in told] == list(range(1, before + 3))
        clock.restart(NOW + timedelta(seconds=10), None)
        await app.rounds.look(clock.now())
        await app.rounds.save()
        assert app.register.trouble == ""
        app.stop()
        await running
    async with App(plan) as app:
        assert app.register.find(ACME).verdict is Verdict.REAL
        assert await app.desk.timeline(ACME) == told


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (lambda database: database.execute("ALTER TABLE nowhere ADD COLUMN x"), "OperationalError: no such table"),
        (lambda _: orjson.loads("no record"), "JSONDecodeError"),
    ],
)
async def test_a_step_that_fails_leaves_all_as_it_was_and_says_what_to_do(
    old: Path, monkeypatch: pytest.MonkeyPatch, fails: Callable[[sqlite3.Connection], object], said: str
):
    def m999_fails(database: sqlite3.Connection) -> None:
        database.execute("DELETE FROM changes")
        fails(database)

    before = dumped(old)
    monkeypatch.setattr(schema.migrate, "__defaults__", ((*schema.MIGRATIONS, m999_fails),))
    with pytest.raises(StorageError) as told:
        await Store.open(old)
    assert f"The database {old} cannot be used: it cannot be brought up to date (m999_fails: {said}" in str(told.value)
    assert "it was left as it was, so go on with the version that wrote it" in str(told.value)
    assert dumped(old) == before
    monkeypatch.undo()
    async with await Store.open(old) as store:
        assert len(await store.load_incidents()) == 5
