"""What was done at a shared desk is kept for a year, through full disks, and attempts of strangers do not fill it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.errors import StorageError
from crisisdesk.storage import audit as storage
from crisisdesk.storage.audit import Audit, Entry
from crisisdesk.storage.store import Store

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)
ACT = Entry(NOW, "POST /act", "Anna Berg", "abcdefgh", "responder", "10.0.0.1", "motrin-1", 200)
ATTEMPT = Entry(NOW, "GET /act", address="10.0.0.2", status=401, times=10)


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "acme.db", durable=False) as store:
        yield store


async def test_what_was_done_is_read_back_in_order(store):
    audit = Audit(store)
    later = Entry(NOW + timedelta(microseconds=1), "POST /later", "Ben Cole")
    await audit.note(later, ACT)
    await audit.note(ATTEMPT)
    assert await audit.since(NOW) == [ACT, ATTEMPT, later]
    assert await audit.since(later.at) == [later]


async def test_it_is_kept_for_a_year(store):
    audit = Audit(store)
    await audit.note(ACT)
    later = Entry(NOW + timedelta(days=367), "POST /later", "Ben Cole")
    await audit.note(later)
    assert await audit.since(NOW) == [later]


async def test_what_has_a_mark_stands_there_once(store):
    audit = Audit(store)
    marked = Entry(NOW, "token abcdefgh created", mark="abcdefgh created")
    await audit.note(marked)
    await audit.note(marked, Entry(NOW, "token abcdefgh revoked", mark="abcdefgh revoked"))
    assert [entry.what for entry in await audit.since(NOW)] == ["token abcdefgh created", "token abcdefgh revoked"]


async def test_of_attempts_the_newest_stay_and_acts_stay_all(store, monkeypatch):
    monkeypatch.setattr(storage, "MOST_REFUSED", 3)
    audit = Audit(store)
    for number in range(5):
        await audit.note(ACT, Entry(NOW, f"GET /{number}", address="10.0.0.2", status=401))
    found = await audit.since(NOW)
    assert [entry.what for entry in found if entry.status == 401] == ["GET /2", "GET /3", "GET /4"]
    assert found.count(ACT) == 5


async def test_what_cannot_be_written_is_told_and_written_later(store, monkeypatch):
    told: list[str] = []
    audit, write = Audit(store, told.append), store.write

    async def full(_: object) -> None:
        raise StorageError("The database acme.db cannot be used: the disk is full; make room.")

    monkeypatch.setattr(store, "write", full)
    await audit.note(ACT)
    await audit.note(ATTEMPT)
    assert told[-1] == (
        "2 entries of the audit wait to be written; the last is 10.0.0.2, 2026-05-25T14:02:00Z: GET /act (401). The "
        "database acme.db cannot be used: the disk is full; make room."
    )
    assert "1 entry of the audit waits" in told[0]
    assert "Anna Berg" in told[0]
    monkeypatch.setattr(store, "write", write)
    await audit.note()
    assert told[-1] == ""
    assert await audit.since(NOW) == [ACT, ATTEMPT]
    await audit.note(ACT)
    assert len(told) == 3, "what is well is not told again and again"


async def test_a_disk_that_is_full_for_long_does_not_fill_the_memory(store, monkeypatch):
    monkeypatch.setattr(storage, "MOST_WAITING", 3)
    audit = Audit(store)

    async def full(_: object) -> None:
        raise StorageError("The database acme.db cannot be used: the disk is full; make room.")

    monkeypatch.setattr(store, "write", full)
    for number in range(9):
        await audit.note(Entry(NOW, str(number)))
    assert [entry.what for entry in audit._waiting] == ["6", "7", "8"]
