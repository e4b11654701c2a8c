"""A line that breaks: it shows at once, heals by itself, and nothing is missing afterwards."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import repeat

import pytest
from attached import Proxy, attached, random_cuts, same, seen, until
from desks import Served, Time, served

from crisisdesk.console import line, remote
from crisisdesk.console.remote import RemoteDesk
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.records import Event, Severity
from crisisdesk.server import pictures
from crisisdesk.settings import Address

ANNA = "Anna Berg"


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    """What takes seconds takes tenths of them."""
    monkeypatch.setattr(pictures, "AT_LEAST", 0.02)
    monkeypatch.setattr(pictures, "AT_MOST", 0.1)
    monkeypatch.setattr(remote, "SILENT_SECONDS", 0.6)
    monkeypatch.setattr(line, "SILENT_SECONDS", 0.6)
    monkeypatch.setattr(remote, "delays", lambda **_: repeat(0.05))


@dataclass
class Far:
    served: Served
    proxy: Proxy
    desk: RemoteDesk


@asynccontextmanager
async def far(served: Served, **options: object) -> AsyncIterator[Far]:
    async with Proxy(served.url) as proxy:
        for name, value in options.items():
            setattr(proxy, name, value)
        async with attached(served, ANNA, proxy.url) as desk:
            yield Far(served, proxy, desk)


@pytest.fixture
async def place(tmp_path) -> AsyncIterator[Far]:
    async with served(tmp_path) as running, far(running) as found:
        yield found


async def heals(place: Far) -> None:
    """In the end both show the same."""
    async with asyncio.timeout(10):
        while True:
            picture = await until(place.desk, lambda picture: picture.lost is None)
            if same(picture, await place.served.app.desk.picture()):
                return
            await asyncio.sleep(0.05)


async def test_a_cut_line_shows_at_once_and_keeps_the_last_picture(place):
    incident = await place.served.incident()
    await seen(place.desk, incident)
    before = await place.desk.picture()
    place.proxy.is_there = False
    began = time.monotonic()
    place.proxy.cut()
    picture = await until(place.desk, lambda picture: picture.lost)
    assert time.monotonic() - began < 0.3
    assert picture.incidents == (incident,)
    assert picture.lost.where == f"127.0.0.1:{place.proxy.port}"
    assert picture.lost.since <= picture.now
    assert abs((picture.lost.since - before.now).total_seconds()) < 1
    await asyncio.sleep(0.2)
    assert (await place.desk.picture()).now > picture.now  # its age grows


async def test_it_heals_without_a_gap_and_without_beginning_anew(place):
    first = await place.served.incident()
    await seen(place.desk, first)
    kinds = []
    taken = place.desk._take
    place.desk._take = lambda kind, *rest: (kinds.append(kind), taken(kind, *rest))
    place.proxy.is_there = False
    place.proxy.cut()
    await until(place.desk, lambda picture: picture.lost)
    worse = await place.served.incident(severity=Severity.RED)
    place.proxy.is_there = True
    found = await until(place.desk, lambda picture: picture.lost is None)
    assert found.incidents[0].severity in {Severity.AMBER, Severity.RED}
    await seen(place.desk, worse)
    await heals(place)
    assert set(kinds) == {"delta"}


async def test_a_silent_line_is_a_lost_one(place):
    place.proxy.holds = True
    began = time.monotonic()
    await until(place.desk, lambda picture: picture.lost)
    assert 0.3 < time.monotonic() - began < 1.5
    place.proxy.holds = False
    await heals(place)


async def test_a_machine_that_slept_does_not_show_the_past_as_the_present(tmp_path):
    clock = Time()
    async with served(tmp_path) as running, attached(running, ANNA, clock=clock) as desk:
        clock.ahead = timedelta(hours=3)
        lost = (await desk.picture()).lost
        assert lost is not None
        await until(desk, lambda picture: picture.lost is None)


@pytest.mark.parametrize("seed", range(3))
async def test_connections_that_are_cut_at_any_byte_lose_and_break_nothing(place, seed):
    await place.served.incident()
    place.proxy.cut_after = random_cuts(seed, 2_500)
    place.proxy.cut()
    for number in range(20):
        await place.served.app.register.note(
            (await place.served.incident()).id, ANNA, f"note {number}", place.served.clock.now()
        )
        await asyncio.sleep(0.06)
        picture = await place.desk.picture()
        assert all(incident.watch == "Acme" for incident in picture.incidents)
    assert place.proxy.connections > 4
    place.proxy.cut_after = None
    await heals(place)


async def test_a_slow_line_is_behind_but_never_wrong(tmp_path):
    async with served(tmp_path) as running, far(running, per_chunk=512, pause=0.01) as place:
        incident = await running.incident()
        for number in range(20):
            incident = await running.app.register.note(incident.id, ANNA, f"note {number}", running.clock.now())
            await asyncio.sleep(0.01)
        await seen(place.desk, incident)
        await heals(place)


async def test_a_desk_that_is_started_again_goes_on_showing_itself(tmp_path):
    async with AsyncExitStack() as stack:
        async with served(tmp_path) as running:
            first, address = await running.incident(), Address("127.0.0.1", int(running.url.rpartition(":")[2]))
            desk = await stack.enter_async_context(attached(running, ANNA))
            await seen(desk, first)
        stopped = await until(desk, lambda picture: picture.lost)
        assert stopped.incidents == (first,)
        async with served(tmp_path, {}, address=address) as again:  # with the tokens of before
            await until(desk, lambda picture: picture.lost is None)
            noted = await desk.note(first.id, ANNA, "still here")
            await seen(desk, noted)
            await heals(Far(again, Proxy(again.url), desk))


async def test_another_desk_behind_the_same_address_is_shown_as_it_is(tmp_path):
    """Nothing of before is true, whatever the numbers of its pictures are."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    other_desk = served(tmp_path / "other", {}, watches=("Zenith", "Acme"))
    async with served(tmp_path / "one", {}) as one, other_desk as other, far(one) as place:
        await seen(place.desk, await one.incident())
        place.proxy.lead(other.url)
        place.proxy.cut()
        picture = await until(place.desk, lambda picture: picture.lost is None and len(picture.watches) == 2)
        assert picture.incidents == ()
        await seen(place.desk, await other.incident("Zenith"))


async def test_nothing_is_done_while_the_line_is_lost_and_that_is_said_at_once(place):
    incident = await place.served.incident()
    await seen(place.desk, incident)
    place.proxy.is_there = False
    place.proxy.cut()
    await until(place.desk, lambda picture: picture.lost)
    began = time.monotonic()
    with pytest.raises(CrisisdeskError, match="cannot be reached now: this was not done"):
        await place.desk.acknowledge(incident.id, ANNA)
    assert time.monotonic() - began < 0.1


async def test_what_may_have_been_done_is_neither_repeated_nor_called_done(place):
    incident = await place.served.incident()
    await seen(place.desk, incident)
    place.proxy.holds = True
    noting = asyncio.create_task(place.desk.note(incident.id, ANNA, "called the agency"))
    await asyncio.sleep(0.2)
    place.proxy.holds = False
    place.proxy.cut()
    with pytest.raises(CrisisdeskError, match="may or may not have been done; look before you do it again"):
        await noting
    changes = await place.served.app.desk.timeline(incident.id)
    assert [change.reason for change in changes if change.event is Event.NOTED] == ["called the agency"]
    await heals(place)


async def test_a_token_that_is_revoked_ends_the_stream_and_says_why(place):
    await until(place.desk, lambda picture: picture.lost is None)
    place.served.tokens.revoke([place.served.secrets[ANNA].split("_")[1]])
    place.served.clock.ahead += timedelta(seconds=2)
    picture = await until(place.desk, lambda picture: picture.lost and "revoked" in picture.lost.why)
    assert picture.lost.since is not None
    assert "not let in any more" in picture.lost.why


async def test_who_is_not_let_in_any_more_keeps_nothing_of_what_they_saw(place):
    await place.served.incident()
    await until(place.desk, lambda picture: picture.incidents)
    place.served.tokens.revoke([place.served.secrets[ANNA].split("_")[1]])
    place.served.clock.ahead += timedelta(seconds=2)
    picture = await until(place.desk, lambda picture: picture.lost and not picture.incidents)
    assert (picture.watches, picture.sources) == ((), ())


async def test_what_was_shown_is_let_go_when_the_desk_was_not_heard_for_an_hour(tmp_path):
    clock = Time()
    async with served(tmp_path) as running, Proxy(running.url) as proxy:
        await running.incident()
        async with attached(running, ANNA, proxy.url, clock=clock) as desk:
            await until(desk, lambda picture: picture.incidents)
            proxy.holds = True
            assert (await until(desk, lambda picture: picture.lost)).incidents
            clock.ahead = timedelta(hours=2)
            assert (await desk.picture()).incidents == ()


async def test_a_viewer_is_told_beforehand_that_looking_is_all(tmp_path):
    async with served(tmp_path) as running, attached(running, "Vera") as desk:
        incident = await running.incident()
        await seen(desk, incident)
        assert "look at this desk, but not act" in (await desk.picture()).barred
        with pytest.raises(UsageError, match="not act on it"):
            await desk.acknowledge(incident.id, "Vera")
        assert await desk.timeline(incident.id)
