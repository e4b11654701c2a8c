"""What a restart finds of the last run, whole or damaged."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from storms import END, START, quiet, storm

from crisisdesk.detect.standard import Standard
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.listening import Ear, Listening
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.progress import Progress
from crisisdesk.engine.restart import Restart
from crisisdesk.engine.silences import Silences
from crisisdesk.errors import StorageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import EPOCH, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.storage.store import Store

LIVE = [Ear(SourceStatus("network", "live"))]


class Network:
    """A source that can go on where it was, if its cursor is a number."""

    name, pushes, resumes = "network", True, True

    def __init__(self) -> None:
        self.cursor: str | None = None

    def resume(self, cursor: str) -> None:
        self.cursor = str(int(cursor))

    def status(self) -> SourceStatus:
        return SourceStatus(self.name)

    async def run(self, edge: Edge) -> None: ...


class Run:
    """One run of a desk with two watches."""

    def __init__(self, store: Store, now: datetime) -> None:
        self.listening = Listening(now)
        register = Register(store, Rules(), lambda _: None, ())
        watches = {"Brand": Standard(), "Other": Standard()}
        hearing = self.listening.hearing
        self.observation = Observation(register, watches, Tally(), lambda _: None, hearing=hearing)
        self.source = Network()
        self.troubles: dict[str, str] = {}
        self.restart = Restart(
            store,
            self.observation,
            Progress(),
            self.listening,
            Silences(["network"], now=now),
            sources=[self.source],
            trouble=self.troubles.__setitem__,
        )

    @property
    def hours(self) -> int:
        return self.observation.detectors["Brand"].detector.baseline.hours


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """After a run of ten days."""
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        run = Run(store, START)
        for post in quiet():
            await run.observation.take(post)
        run.source.cursor = "7"
        run.listening.look(END, LIVE)
        await run.restart.save()
        yield store


async def test_everything_is_found_again(store: Store):
    again = Run(store, END + timedelta(hours=2))
    await again.restart.remember()
    again.listening.begin(END + timedelta(hours=2), LIVE)
    assert again.hours > 200
    assert again.source.cursor == "7"
    assert again.listening.hearing.heard(int(END.timestamp() // 3600) + 1) == 0
    assert again.troubles == {}


def cut_short(state: dict[str, object]) -> None:
    state.clear()


def numbers_beyond_all_bounds(state: dict[str, object]) -> None:
    state["now"] = 1e300


def lists_for_objects(state: dict[str, object]) -> None:
    state["detector"] = [1, 2, 3]


def words_for_numbers(state: dict[str, object]) -> None:
    detector = state["detector"]
    assert isinstance(detector, dict)
    detector["counts"] = [[1, "two", ["three"], ["four"]]]


def huge_counts(state: dict[str, object]) -> None:
    detector = state["detector"]
    assert isinstance(detector, dict)
    detector["counts"][0][2][0] = 1 << 40


DAMAGES = [
    cut_short, numbers_beyond_all_bounds, lists_for_objects, words_for_numbers, huge_counts
]  # fmt: skip


async def after_damage(store: Store, damage: Callable[[dict[str, object]], None]) -> Run:
    """The next run, where what was kept of a watch is damaged meanwhile."""
    state = orjson.loads(await store.kept("watch Brand") or b"")
    damage(state)
    await store.keep("watch Brand", orjson.dumps(state))
    again = Run(store, END)
    await again.restart.remember()
    return again


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_watch_whose_past_is_damaged_learns_afresh_and_says_so(
    store: Store, damage: Callable[[dict[str, object]], None]
):
    again = await after_damage(store, damage)
    assert again.hours == 0
    assert list(again.troubles) == ["watch Brand"]
    assert again.troubles["watch Brand"].startswith("What Brand had learnt is damaged")
    for post in storm(END):
        await again.observation.take(post)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"[1]", b"null", b'{"until": 1e300, "gaps": [], "live": {}}'])
async def test_gaps_that_are_damaged_are_taken_for_one_long_gap(store: Store, content: bytes):
    await store.keep("hearing", content or b"\xff")
    again = Run(store, END)
    await again.restart.remember()
    again.listening.begin(END, LIVE)
    assert list(again.troubles) == ["hearing"]
    assert again.listening.hearing.heard(int(END.timestamp() // 3600) - 1) == 0
    assert again.listening.hearing.heard(int(END.timestamp() // 3600) + 1) == 1
    assert again.hours > 200


@pytest.mark.parametrize("cursor", [b"\xff\xfe", b"somewhere"])
async def test_a_cursor_that_is_damaged_stops_nobody(store: Store, cursor: bytes):
    await store.keep("cursor network", cursor)
    again = Run(store, END)
    await again.restart.remember()
    assert "Where network had come to cannot be read" in again.troubles["cursor network"]
    assert again.source.cursor is None
    assert again.hours > 200


def lists_for_parts(state: dict[str, object]) -> None:
    state["speakers"], state["weeks"] = [], []


def parts_cut_short(state: dict[str, object]) -> None:
    state["speakers"], state["weeks"] = {"now": 5}, {"since": 1}


@pytest.mark.parametrize("damage", [lists_for_parts, parts_cut_short])
async def test_damaged_parts_of_a_watch_are_told_and_what_is_usual_is_still_known(
    store: Store, damage: Callable[[dict[str, object]], None]
):
    again = await after_damage(store, damage)
    assert again.hours > 200
    assert again.troubles == {
        "watch Brand": "Of what Brand had learnt, this is damaged or was written by another version, and it learns it "
        "afresh: who has spoken, the weeks."
    }


async def test_what_could_not_be_written_is_written_the_next_time(store: Store):
    run = Run(store, END)
    await run.restart.remember()
    for post in storm(END, 3):
        await run.observation.take(post)
    run.source.cursor = "8"
    await store.read(lambda database: database.execute("PRAGMA query_only = 1"))
    with pytest.raises(StorageError):
        await run.restart.save()
    await store.read(lambda database: database.execute("PRAGMA query_only = 0"))
    assert run.observation.changed == {"Brand"}
    await run.restart.save()
    again = Run(store, END)
    await again.restart.remember()
    assert again.observation.detectors["Brand"].now == END + timedelta(minutes=2)
    assert again.source.cursor == "8"


async def test_a_save_that_is_cut_off_by_the_last_one_loses_no_watch(store: Store):
    """The desk stops while its clock saves: a cursor without what came before it would lose posts."""
    run = Run(store, START)
    for item in quiet():
        await run.observation.take(item)
    for number in range(200):
        run.observation.changed.add(run.observation.renew(f"another {number}").name)
    run.source.cursor = "7"
    ticking = asyncio.create_task(run.restart.save())
    await asyncio.sleep(0)
    ticking.cancel()
    await asyncio.wait({ticking})
    assert "Brand" in run.observation.changed
    ticking = asyncio.create_task(run.restart.save())
    await asyncio.sleep(0)
    await run.restart.save()
    assert await store.kept("cursor network") == b"7"
    assert await store.kept("watch Brand") is not None
    await ticking


async def test_a_first_start_finds_nothing_and_has_nothing_to_say(tmp_path: Path):
    async with await Store.open(tmp_path / "new.db", durable=False) as store:
        run = Run(store, datetime(2024, 3, 4, tzinfo=UTC))
        await run.restart.remember()
        run.listening.begin(run.listening.until, LIVE)
        assert (run.troubles, run.hours) == ({}, 0)
        assert all(watch.now == EPOCH for watch in run.observation.detectors.values())
