"""Server-sent events of a running desk: every change once and in order, also for those who were away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import orjson
from desks import Served, served, spike

from crisisdesk.records import Severity
from crisisdesk.server import changes


@dataclass
class Reader:
    """Reads a stream as a browser does."""

    response: aiohttp.ClientResponse
    ids: list[str] = field(default_factory=list)

    async def next(self) -> tuple[str, dict[str, object]]:
        """Name and data of the next event."""
        name, data = "", b""
        while line := (await self.response.content.readline()).decode():
            word, _, value = line.rstrip("\n").partition(": ")
            if word == "event":
                name = value
            elif word == "id":
                self.ids.append(value)
            elif word == "data":
                data = value.encode()
            elif not line.strip() and name:
                return name, orjson.loads(data)
        raise EOFError


@asynccontextmanager
async def reading(desk: Served, person: str = "Vera", last: str = "") -> AsyncIterator[Reader]:
    headers = desk.headers(person, **({"Last_Event_ID": last} if last else {}))
    async with desk.session.get(f"{desk.url}/api/v1/stream", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        yield Reader(response)


async def test_a_change_is_told_as_it_happens(tmp_path):
    async with served(tmp_path) as desk, reading(desk) as reader:
        incident = await desk.incident()
        await desk.post(f"/api/v1/incidents/{incident.id}/acknowledge", {}, "Anna Berg")
        name, opened = await reader.next()
        assert (name, opened["type"], opened["id"]) == ("change", "crisisdesk.incident.opened", f"{incident.id}-1")
        _, acknowledged = await reader.next()
        assert acknowledged["data"]["incident"]["acknowledged_by"] == "Anna Berg"
        assert acknowledged["data"]["change"]["person"] == "Anna Berg"
        assert reader.ids == [opened["id"], acknowledged["id"]]


async def noted(desk: Served, incident: str, number: int) -> None:
    for one in range(number):
        await desk.app.desk.note(incident, "Anna Berg", f"note {one}")


async def test_who_was_away_hears_what_it_has_missed_once_and_in_order(tmp_path):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        async with reading(desk) as reader:
            await noted(desk, incident, 2)
            await reader.next()
        await noted(desk, incident, 3)
        async with reading(desk, last=reader.ids[-1]) as again:
            for _ in range(4):
                await again.next()
            await noted(desk, incident, 1)
            await again.next()
        assert again.ids == [f"{incident}-{sequence}" for sequence in range(3, 8)]


async def test_who_was_away_over_a_restart_of_the_desk_hears_it_too(tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        await noted(desk, incident, 6)
    async with served(tmp_path) as desk:
        async with reading(desk, last=f"{incident}-1") as reader:
            for _ in range(6):
                await reader.next()
            await noted(desk, incident, 1)
            _, last = await reader.next()
        assert reader.ids == [f"{incident}-{sequence}" for sequence in range(2, 9)]
        assert last["data"]["change"]["reason"] == "note 0"


async def test_who_is_slow_reads_on_in_the_database(tmp_path, monkeypatch):
    monkeypatch.setattr(changes, "KEPT", 3)
    monkeypatch.setattr(changes, "AT_ONCE", 2)
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        await noted(desk, incident, 10)
        async with reading(desk, last=f"{incident}-2") as reader:
            for _ in range(9):
                await reader.next()
        assert reader.ids == [f"{incident}-{sequence}" for sequence in range(3, 12)]


async def test_who_was_at_a_place_that_never_was_is_told_so_and_goes_on_from_now(tmp_path):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        async with reading(desk, last="motrin-20081115t034000z-7") as reader:
            name, said = await reader.next()
            assert (name, "read /api/v1/incidents" in said["error"]) == ("reset", True)
            await noted(desk, incident, 1)
            assert (await reader.next())[0] == "change"
        assert reader.ids == [f"{incident}-2"]


async def test_a_change_that_a_full_disk_does_not_take_is_told_all_the_same(tmp_path):
    async with served(tmp_path) as desk:
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = ON"))
        async with reading(desk) as reader:
            await desk.app.register.witness(spike("Acme", desk.clock.now(), Severity.RED))
            _, opened = await reader.next()
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = OFF"))
        assert "-1-u" in opened["id"]
        async with reading(desk, last=reader.ids[-1]) as again:
            await desk.app.register.witness(spike("Other", desk.clock.now() + timedelta(minutes=1)))
            await again.next()
        assert len(again.ids) == 1


async def test_whose_token_is_revoked_hears_no_more_within_two_seconds(tmp_path):
    async with served(tmp_path) as desk, reading(desk) as vera, reading(desk, "Anna Berg") as anna:
        (mine,) = [one for one in desk.tokens.all() if one.person == "Vera"]
        await asyncio.to_thread(desk.tokens.revoke, [mine.id])
        async with asyncio.timeout(2.5):
            assert await vera.response.content.read() == b""
        await desk.incident()
        assert (await anna.next())[0] == "change"


async def test_the_end_of_the_desk_ends_the_stream_in_order(tmp_path):
    async with served(tmp_path) as desk, reading(desk) as reader:
        desk.app.stop()
        async with asyncio.timeout(5):
            assert await reader.response.content.read() == b""


async def test_what_an_author_has_taken_back_is_not_sent_to_those_who_read_later(tmp_path):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        await noted(desk, incident, 1)
        await desk.app.desk.forget("Edda", author="karen_b")
        async with reading(desk, last=f"{incident}-1") as reader:
            _, told = await reader.next()
    assert told["data"]["change"]["reason"] == "note 0"
    assert "acme is awful" not in str(told)
    assert "karen_b" not in str(told)


async def test_a_change_of_an_incident_that_only_the_database_knows_is_told_too(tmp_path):
    async with served(tmp_path) as desk:
        incident = (await desk.incident()).id
        await noted(desk, incident, 2)
        desk.app.register._incidents.pop(incident)
        async with reading(desk, last=f"{incident}-1") as reader:
            await reader.next()
            await reader.next()
        assert reader.ids == [f"{incident}-2", f"{incident}-3"]
