"""The database: nothing committed is lost, nothing foreign is touched, every trouble has a cure."""

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.errors import StorageError
from crisisdesk.records import Change, Event, Incident, Kind, Numbers, Severity, State
from crisisdesk.storage import schema
from crisisdesk.storage.store import Store

ROOT = Path(__file__).parents[2]
START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
NUMBERS = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)


def incident(name: str = "motrin-1", hours: float = 0, state: State = State.OPEN, watch: str = "Motrin") -> Incident:
    opened = START + timedelta(hours=hours)
    return Incident(name, watch, Kind.SPIKE, state, Severity.AMBER, opened, opened, NUMBERS, "12 negative")


def change(of: Incident, sequence: int = 1, event: Event = Event.OPENED, reason: str = "") -> Change:
    return Change(of.id, sequence, event, of.updated, of.severity, None, reason)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk.db"


async def test_incident_timeline_and_debts_are_found_again(path: Path):
    one = incident()
    async with await Store.open(path) as store:
        await store.save(one, (change(one), change(one, 2, Event.RAISED)), ("mqtt", "mail"))
    async with await Store.open(path) as store:
        assert await store.load_incidents() == ((one, 2),)
        assert [line.event for line in await store.timeline(one.id)] == [Event.OPENED, Event.RAISED]
        for output in ("mqtt", "mail"):
            assert [debt.change.sequence for _, debt in await store.owed(output)] == [1, 2]


async def test_a_save_is_all_or_nothing(path: Path):
    one = incident()
    async with await Store.open(path) as store:
        await store.save(one, (change(one),), ("mqtt",))
        worse = replace(one, severity=Severity.RED)
        with pytest.raises(StorageError, match="already has another line motrin-1-1"):
            await store.save(worse, (change(worse, 2, Event.RAISED), change(worse, 1, Event.RAISED)), ("mqtt",))
        assert await store.load_incidents() == ((one, 1),)
        assert await store.waiting("mqtt") == 1


async def test_saving_the_same_again_changes_nothing(path: Path):
    one = incident()
    async with await Store.open(path) as store:
        for _ in range(2):
            await store.save(one, (change(one),), ("mqtt",))
        assert len(await store.timeline(one.id)) == 1
        assert await store.waiting("mqtt") == 1


async def test_the_same_incident_may_be_saved_without_a_change(path: Path):
    one = incident()
    async with await Store.open(path) as store:
        await store.save(one, (change(one),), ("mqtt",))
        await store.save(replace(one, why="14 negative"))
        assert (await store.load_incidents())[0][0].why == "14 negative"
        assert await store.waiting("mqtt") == 1


async def test_after_a_year_a_start_reads_the_open_the_newest_and_the_last_of_each_watch(path: Path):
    async with await Store.open(path, durable=False) as store:
        await store.save(incident("open", -1))
        await store.save(incident("other", -1, State.RESOLVED, "Other"))
        for number in range(250):
            await store.save(incident(f"old-{number}", number, State.RESOLVED))
        names = [found.id for found, _ in await store.load_incidents()]
    assert len(names) == 202
    assert {"open", "other", "old-249", "old-50"} <= set(names)
    assert "old-49" not in names


async def test_things_are_kept_for_other_rooms(path: Path):
    async with await Store.open(path) as store:
        assert await store.kept("baseline") is None
        await store.keep("baseline", b"\0one")
        await store.keep("baseline", b"\0two")
    async with await Store.open(path) as store:
        assert await store.kept("baseline") == b"\0two"
        with pytest.raises(StorageError):
            await store.keep_all({"baseline": b"three", "hearing": None})  # type: ignore[dict-item]
        assert await store.kept("baseline") == b"\0two", "all of it or nothing"


async def test_only_the_owner_can_read_it(path: Path):
    async with await Store.open(path) as store:
        await store.save(incident())
        modes = {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {0o600}


async def test_a_commit_waits_for_the_disk_unless_told_otherwise(path: Path):
    for durable, level in ((True, 2), (False, 0)):
        async with await Store.open(path, durable=durable) as store:
            assert (await store.read(lambda db: db.execute("PRAGMA synchronous").fetchone()))[0] == level


async def test_closing_twice_is_closing_once(path: Path):
    store = await Store.open(path)
    await store.close()
    await store.close()
    async with await Store.open(path):
        pass


# Trouble, with path and cure


async def _refusal(path: Path) -> str:
    with pytest.raises(StorageError) as caught:
        await Store.open(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


async def test_one_desk_per_database(path: Path):
    async with await Store.open(path):
        assert "one desk per database" in await _refusal(path)
    async with await Store.open(path):
        pass


async def test_a_missing_folder_is_named(tmp_path: Path):
    assert f"the folder {tmp_path / 'no'} is missing; create it" in await _refusal(tmp_path / "no" / "desk.db")


async def test_a_folder_is_no_database(tmp_path: Path):
    assert "it is a folder" in await _refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_file_that_cannot_be_written(path: Path):
    path.touch(0o400)
    assert "has to be writable" in asyncio.run(_refusal(path))


def test_a_file_that_is_no_database_is_left_alone(path: Path):
    letter = b"Dear colleagues, this is not a database. " * 50
    path.write_bytes(letter)
    assert "it is not a database" in asyncio.run(_refusal(path))
    assert path.read_bytes() == letter


async def test_another_programs_database_is_left_alone(path: Path):
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    other.close()
    assert "belongs to another program" in await _refusal(path)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("bookmarks",)]
    other.close()


async def test_a_full_disk_says_so_and_loses_nothing(path: Path):
    one = incident()
    async with await Store.open(path) as store:
        await store.save(one, (change(one),), ("mqtt",))
        await store.read(lambda db: db.execute("PRAGMA max_page_count = 1"))
        big = replace(one, why="x" * 100_000)
        with pytest.raises(StorageError, match="the disk is full; make room"):
            await store.save(big, (change(big, 2),), ("mqtt",))
        assert await store.load_incidents() == ((one, 1),)
        await store.read(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
        await store.save(big, (change(big, 2),), ("mqtt",))
        assert await store.waiting("mqtt") == 2


# Migrations


OLD_RECORD = (
    '{"id":"a-1","watch":"a","kind":"spike","state":"open","severity":2,"opened":"2008-11-15T03:40:00+00:00",'
    '"updated":"2008-11-15T03:40:00+00:00","why":"","evidence":{},"numbers":{"window_minutes":60,"negative":1,'
    '"total":1,"expected":0.1,"authors":1,"negative_share":1,"usual_share":0,"probability":0}}'
)


async def test_the_oldest_database_is_brought_up_to_date(path: Path):
    old = sqlite3.connect(path, isolation_level=None)
    schema.migrate(old, schema.MIGRATIONS[:1])
    old.execute(
        "INSERT INTO incidents VALUES ('a-1', 'a', 'spike', 'open', '2008-11-15', '2008-11-15', ?)",
        (OLD_RECORD,),
    )
    old.close()
    async with await Store.open(path) as store:
        ((found, _),) = await store.load_incidents()
        await store.save(found, (change(found),), ("mqtt",))
        assert await store.waiting("mqtt") == 1


async def test_a_newer_database_is_refused(path: Path):
    newer = sqlite3.connect(path, isolation_level=None)
    schema.migrate(newer)
    newer.execute("INSERT INTO migrations VALUES ('m999_rota')")
    newer.close()
    assert "newer crisisdesk (m999_rota); update crisisdesk" in await _refusal(path)


def test_migrations_are_numbered_in_order():
    names = [step.__name__ for step in schema.MIGRATIONS]
    assert [name[:4] for name in names] == [f"m{number:03}" for number in range(1, len(names) + 1)]


def test_a_migration_that_fails_leaves_nothing_behind():
    def m002_broken(database: sqlite3.Connection) -> None:
        database.execute("CREATE TABLE half (a)")
        raise RuntimeError("power cut")

    database = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(RuntimeError, match="power cut"):
        schema.migrate(database, (schema.m001_incidents, m002_broken))
    assert database.execute("SELECT name FROM sqlite_master").fetchall() == []
    database.close()


WRITER = """
import asyncio, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from crisisdesk.storage.store import Store
from crisisdesk.records import *

async def main():
    store = await Store.open(Path(sys.argv[1]))
    now, numbers = datetime(2008, 11, 15, tzinfo=UTC), Numbers(60, 1, 1, 0.1, 1, 1.0, 0.0, 0.0)
    one = Incident("a", "a", Kind.SPIKE, State.OPEN, Severity.AMBER, now, now, numbers, "")
    for sequence in range(1, 1_000_000):
        one = replace(one, why=str(sequence))
        await store.save(one, (Change("a", sequence, Event.NOTED, now, one.severity),), ("mqtt",))
        print(sequence, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 20, 55])
def _killed_after(lines: int, path: Path) -> int:
    """Let the writer report so many saves, kill it, and return how many it has reported by then."""
    writer = subprocess.Popen([sys.executable, "-c", WRITER, path], cwd=ROOT, stdout=subprocess.PIPE)
    assert writer.stdout
    for _ in range(lines):
        writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    return lines + len(writer.communicate()[0].splitlines())


@pytest.mark.parametrize("after", [1, 20, 55])
async def test_kill_9_takes_nothing_back(path: Path, after: int):
    promised = _killed_after(after, path)
    async with await Store.open(path) as store:
        sequences = [line.sequence for line in await store.timeline("a")]
        assert len(sequences) >= promised
        assert sequences == list(range(1, len(sequences) + 1))
        ((found, last),) = await store.load_incidents()
        assert (found.why, last) == (str(len(sequences)), len(sequences))
        assert await store.waiting("mqtt") == len(sequences)
