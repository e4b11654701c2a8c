"""The order of all changes of all incidents, for those who have missed some of them."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Kind, Numbers, Severity, Spike
from crisisdesk.storage import schema
from crisisdesk.storage.journal import Journal
from crisisdesk.storage.store import Store

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)


def spike(watch: str, minutes: int, severity: Severity = Severity.AMBER) -> Spike:
    numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    return Spike(watch, Kind.SPIKE, START + timedelta(minutes=minutes), severity, numbers, "12 negative")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


async def three_changes(store: Store) -> list[str]:
    register = Register(store, Rules(), lambda _: None)
    told = [
        *await register.witness(spike("Zenith", 0)),
        *await register.witness(spike("Acme", 1)),
        *await register.witness(spike("Zenith", 2, Severity.RED)),
    ]
    return [one.change.id for one in told]


async def test_what_came_behind_a_change_comes_in_order_whatever_incident_it_is_of(store):
    ids = await three_changes(store)
    journal = Journal(store)
    place = await journal.place(ids[0])
    assert place is not None
    later = await journal.after(place, 10)
    assert [one.told.change.id for one in later] == ids[1:]
    assert later[0].told.incident.watch == "Acme"
    assert [one.told.change.id for one in await journal.after(later[0].row, 1)] == ids[2:]
    assert await journal.after(later[1].row, 10) == []


@pytest.mark.parametrize(
    "unknown", ["", "nothing", "zenith-1-1-1", "motrin-20081115t034000z-7", "'; --", "x" * 9_999, "\udc80-1"]
)
async def test_a_change_that_never_was_has_no_place(store, unknown):
    await three_changes(store)
    assert await Journal(store).place(unknown) is None


async def test_an_id_of_a_run_that_crashed_is_not_taken_for_the_change_that_got_its_number(store):
    ids = await three_changes(store)
    assert await Journal(store).place(f"{ids[0]}-u3f9a1c") is None


async def test_changes_of_an_older_database_stand_by_their_times(tmp_path):
    path = tmp_path / "old.db"
    database = sqlite3.connect(path, isolation_level=None)
    schema.migrate(database, schema.MIGRATIONS[:6])
    for incident, sequence, minute in (("b", 1, 0), ("a", 1, 1), ("b", 2, 2)):
        insert = "INSERT OR IGNORE INTO incidents VALUES (?, 'w', 'spike', 'open', '', '', '{}')"
        database.execute(insert, (incident,))
        record = f'{{"time": "2008-11-15T03:0{minute}:00+00:00"}}'
        database.execute("INSERT INTO changes VALUES (?, ?, ?)", (incident, sequence, record))
    database.close()
    async with await Store.open(path) as store:
        query = "SELECT incident, sequence FROM journal ORDER BY row"
        assert await store.read(lambda db: db.execute(query).fetchall()) == [("b", 1), ("a", 1), ("b", 2)]
