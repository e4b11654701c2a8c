"""Who did what over HTTP, as it stands in the audit afterwards: people one by one, attempts counted, and no secret."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from visitors import Door, letting_in
from webhooks import NOW

from crisisdesk.errors import StorageError
from crisisdesk.records import Role
from crisisdesk.server.access import Limits
from crisisdesk.server.tokens import Tokens
from crisisdesk.storage.audit import Audit, Entry
from crisisdesk.storage.store import Store


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "acme.db", durable=False) as store:
        yield store


@pytest.fixture
async def door(tmp_path, store) -> AsyncIterator[Door]:
    async with letting_in(tmp_path, Limits(per_minute=30), audit=Audit(store)) as door:
        yield door


async def entries(store: Store) -> list[Entry]:
    """Those that tell of requests."""
    return [entry for entry in await Audit(store).since(NOW - timedelta(days=1)) if not entry.mark]


async def test_what_people_change_is_written_down_and_what_they_look_at_is_not(door, store):
    token = door.token(person="Anna Berg")
    await door.get(token=token)
    await door.post(token=token, path="/act/motrin-1")
    now = door.clock.now()
    assert await entries(store) == [
        Entry(now, "POST /act/{incident}", "Anna Berg", token.split("_")[1], "responder", "127.0.0.1", "motrin-1", 200)
    ]


async def test_so_is_what_came_to_nothing(door, store):
    token = door.token()
    await door.post(b"{", token)
    await door.post(b"{}", token, path="/fails")
    assert [(entry.what, entry.status) for entry in await entries(store)] == [("POST /act", 400), ("POST /fails", 500)]


async def test_on_this_machine_it_is_whoever_they_say(door, store):
    await door.post(X_Crisisdesk_Person="Anna%20Berg")
    await door.post(token=door.access.owner, X_Crisisdesk_Person="Ben")
    found = [(entry.person, entry.token, entry.role) for entry in await entries(store)]
    assert found == [("Anna Berg", "", "responder"), ("Ben", "thisdesk", "owner")]


async def test_who_asks_for_more_than_their_role_is_written_down_by_name(door, store):
    await door.get("/editor", door.token(Role.VIEWER))
    (entry,) = await entries(store)
    assert (entry.person, entry.role, entry.what, entry.status) == ("Anna Berg", "viewer", "GET /editor", 403)


async def test_attempts_of_strangers_are_counted_and_do_not_fill_the_disk(door, store):
    door.token()
    for _ in range(19):
        await door.get(token="cd_s3cr3t")  # noqa: S106 - not one
    found = await entries(store)
    assert [(entry.address, entry.status, entry.times) for entry in found] == [
        ("127.0.0.1", 401, 1),
        ("127.0.0.1", 401, 10),
    ]
    assert "s3cr3t" not in repr(found)
    door.clock.passes(hours=1)
    await door.get()
    assert (await entries(store))[-1].times == 1


async def test_who_asks_again_and_again_for_more_than_their_role_does_not_fill_it_either(door, store):
    token = door.token(Role.VIEWER)
    await door.get("/responder", token)
    for _ in range(19):
        await door.get("/editor", token)
    assert [(entry.person, entry.what, entry.times) for entry in await entries(store)] == [
        ("Anna Berg", "GET /responder", 1),
        ("Anna Berg", "GET /editor", 1),
        ("Anna Berg", "GET /editor", 10),
    ]


async def test_who_asks_too_often_is_counted_too(door, store):
    token = door.token()
    for _ in range(45):
        await door.get(token=token)
    assert [(entry.person, entry.status, entry.times) for entry in await entries(store)] == [
        ("Anna Berg", 429, 1),
        ("Anna Berg", 429, 10),
    ]


async def test_what_is_not_there_is_not_worth_a_word(door, store):
    await door.get("/nowhere")
    await door.post(path="/nowhere")
    assert await entries(store) == []


async def test_who_comes_with_a_token_that_was_revoked_is_no_stranger(door, store):
    token = door.token()
    door.tokens.revoke([token.split("_")[1]])
    assert (await door.get(token=token)).status == 401
    await door.get(token=f"cd_aaaaaaaa_{token.split('_', 2)[2]}")
    assert [entry.token for entry in await entries(store) if entry.status == 401] == [token.split("_")[1]]


async def test_tokens_that_were_made_and_revoked_stand_there_once(door, store, tmp_path):
    token = door.token(by="root")
    name = token.split("_")[1]
    await door.get(token=token)
    Tokens(door.tokens.path, door.clock).revoke([name], by="ben")
    door.clock.passes(seconds=1)
    for _ in range(2):
        await door.get()
    found = await Audit(store).since(NOW)
    assert [(entry.person, entry.what) for entry in found if entry.mark] == [
        ("root", f"token {name} created for Anna Berg (responder)"),
        ("ben", f"token {name} revoked for Anna Berg (responder)"),
    ]
    async with letting_in(tmp_path, audit=Audit(store)) as again:
        await again.get()
    assert sum(bool(entry.mark) for entry in await Audit(store).since(NOW)) == 2


async def test_a_full_disk_stops_nobody(tmp_path, store, monkeypatch):
    told: list[str] = []

    async def full(_: object) -> None:
        raise StorageError("The database acme.db cannot be used: the disk is full; make room.")

    async with letting_in(tmp_path, audit=Audit(store, told.append)) as door:
        write = store.write
        monkeypatch.setattr(store, "write", full)
        assert (await door.post(X_Crisisdesk_Person="Anna")).status == 200
        assert "Anna, 2026-05-25T14:02:00Z: POST /act (200)" in told[-1]
        monkeypatch.setattr(store, "write", write)
        assert (await door.post(X_Crisisdesk_Person="Ben")).status == 200
        assert told[-1] == ""
    assert [entry.person for entry in await entries(store)] == ["Anna", "Ben"]


async def test_many_at_once_are_all_written_once(door, store):
    await asyncio.gather(*(door.post(X_Crisisdesk_Person=f"p{number}") for number in range(20)))
    assert sorted(entry.person for entry in await entries(store)) == sorted(f"p{number}" for number in range(20))


@pytest.mark.parametrize("path", ["/viewer", "/editor", "/nowhere", "/stream", "/fails"])
async def test_every_answer_tells_browsers_to_be_careful(door, path):
    for method in ("GET", "POST"):
        async with door.session.request(method, door.url + path) as got:
            said = got.headers
        assert said["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert said["X-Frame-Options"] == "DENY"
        assert said["Referrer-Policy"] == "no-referrer"
        assert said["Cross-Origin-Resource-Policy"] == "same-origin"
        assert said["X-Content-Type-Options"] == "nosniff"
        assert said["Cache-Control"] == "no-store"
        assert said["Server"] == "crisisdesk"
        assert "Strict-Transport-Security" not in said, "in plain it says nothing"
        assert not [name for name in said if name.startswith("Access-Control")]
