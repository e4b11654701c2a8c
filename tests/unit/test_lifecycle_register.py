"""The incidents of a running desk, on a real database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.errors import UsageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import (
    Correction,
    Event,
    Evidence,
    Kind,
    Notification,
    Numbers,
    PlaybookRef,
    Quote,
    Severity,
    Spike,
    State,
    Verdict,
)
from crisisdesk.storage.store import Store

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
AMBER, RED = Severity.AMBER, Severity.RED


def spike(minutes: float = 0, severity: Severity | None = AMBER, negative: int = 12, watch: str = "Motrin") -> Spike:
    numbers = Numbers(60, negative, 20, 1.5, 11, 0.6, 0.2, 1e-6)
    return Spike(watch, Kind.SPIKE, START + timedelta(minutes=minutes), severity, numbers, f"{negative} negative")


def choose(spike: Spike) -> PlaybookRef:
    return PlaybookRef(f"for-{spike.severity}", "Offensive ad", "Read the posts")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


@pytest.fixture
def register(store: Store) -> Register:
    return Register(store, Rules(), choose, ("mqtt",))


async def test_what_was_no_calm_is_still_known_after_a_restart(register: Register, store: Store):
    await register.witness(spike())
    await register.witness(spike(10, None))
    await register.flush()
    await register.unheard(START + timedelta(minutes=20), START + timedelta(minutes=300))
    await register.flush()
    again = Register(store, Rules(), choose, ("mqtt",))
    await again.load()
    assert [one.calm_since for one in again.incidents()] == [START + timedelta(minutes=290)]


async def test_a_clock_that_was_set_right_is_so_after_a_restart(register: Register, store: Store):
    await register.witness(spike(300))
    await register.turn_back(START)
    await register.flush()
    again = Register(store, Rules(), choose, ("mqtt",))
    await again.load()
    assert [one.evidence_until for one in again.incidents()] == [START]


async def test_figures_of_late_posts_are_kept_though_somebody_has_acted_since(register: Register, store: Store):
    await register.witness(spike())
    incident = register.incidents()[0].id
    await register.note(incident, "Ann", "seen", START + timedelta(hours=2))
    await register.witness(spike(30, negative=99))
    await register.flush()
    again = Register(store, Rules(), choose, ("mqtt",))
    await again.load()
    assert [one.why for one in again.incidents()] == ["99 negative"]


async def test_an_opening_is_written_before_it_is_heard(register: Register, store: Store):
    heard: list[Notification] = []
    register.subscribe(heard.append)
    (told,) = await register.witness(spike())
    assert heard == [told]
    assert told.incident.playbook == choose(spike())
    assert [debt for _, debt in await store.owed("mqtt")] == [told]
    assert register.open_for("Motrin") == told.incident
    assert register.open_for("Motrin", Kind.BLIND) is None
    assert register.incidents() == (told.incident,)


async def test_one_incident_per_watch_and_kind(register: Register):
    for minutes in range(5):
        for watch in ("Motrin", "Other"):
            await register.witness(spike(minutes, watch=watch))
    assert [one.watch for one in register.incidents()] == ["Other", "Motrin"]


async def test_watches_that_differ_in_capitals_get_two_incidents(register: Register):
    for watch in ("motrin", "Motrin"):
        await register.witness(spike(watch=watch))
    assert {one.id for one in register.incidents()} == {"motrin-20081115t034000z", "motrin-20081115t034000z-2"}


async def test_a_restart_knows_everything(register: Register, store: Store):
    await register.witness(spike())
    await register.acknowledge("motrin-20081115t034000z", "Ann", START)
    again = Register(store, Rules(), choose, ("mqtt",))
    await again.load()
    assert again.incidents() == register.incidents()
    (raised,) = await again.witness(spike(5, RED))
    assert raised.change.id == "motrin-20081115t034000z-3"
    assert raised.incident.state is State.OPEN


async def test_the_playbook_follows_a_raise_unless_somebody_works_by_it(register: Register):
    await register.witness(spike(0, Severity.NOTICE))
    await register.witness(spike(1, AMBER))
    assert register.incidents()[0].playbook == choose(spike(severity=AMBER))
    await register.acknowledge(register.incidents()[0].id, "Ann", START)
    await register.witness(spike(2, RED))
    assert register.incidents()[0].playbook == choose(spike(severity=AMBER))


async def test_people_act_and_the_timeline_tells(register: Register):
    await register.witness(spike())
    name = register.incidents()[0].id
    await register.note(name, "Ann", "called the agency", START)
    await register.acknowledge(name, "Ann", START)
    after = await register.resolve(name, "Ann", Verdict.FALSE_ALARM, START)
    assert after == register.find(name)
    assert register.open_for("Motrin") is None
    lines = [(line.event, line.person, line.reason) for line in await register.timeline(name)]
    assert lines == [
        (Event.OPENED, None, "12 negative"),
        (Event.NOTED, "Ann", "called the agency"),
        (Event.ACKNOWLEDGED, "Ann", ""),
        (Event.RESOLVED, "Ann", "false alarm"),
    ]


@pytest.mark.parametrize("restarted", [False, True])
async def test_a_word_on_an_old_incident_does_not_hide_the_open_one(register: Register, store: Store, restarted: bool):
    await register.witness(spike())
    old = register.incidents()[0].id
    await register.resolve(old, "Ann", Verdict.REAL, START)
    (opened,) = await register.witness(spike(7 * 1440, RED))
    if restarted:
        register = Register(store, Rules(), choose, ("mqtt",))
        await register.load()
    await register.note(old, "Ann", "the agency has apologised", START + timedelta(days=7))
    assert register.open_for("Motrin") == opened.incident
    assert await register.witness(spike(7 * 1440 + 1, RED, 13)) == ()
    assert len(register.incidents()) == 2


async def test_an_incident_whose_watch_is_gone_ends(register: Register, store: Store):
    for watch in ("Motrin", "Other", "Over"):
        await register.witness(spike(watch=watch))
    await register.resolve("over-20081115t034000z", "Ann", Verdict.REAL, START)
    heard: list[str] = []
    again = Register(store, Rules(), choose, ("mqtt",), listeners=(lambda told: heard.append(told.change.id),))
    await again.load()
    await again.retire({"Motrin"}, START + timedelta(hours=1))
    assert heard == ["other-20081115t034000z-2"]
    ended = again.find("other-20081115t034000z")
    assert (ended.state, ended.resolved_at, ended.verdict) == (State.RESOLVED, START + timedelta(hours=1), None)
    last = (await store.timeline(ended.id))[-1]
    assert (last.event, last.person, last.reason) == (Event.RESOLVED, None, "no longer watched")
    assert again.open_for("Motrin") is not None
    await again.retire({"Motrin"}, START + timedelta(hours=2))
    assert len(heard) == 1


async def test_a_watch_that_was_gone_by_mistake_calls_again_at_once(register: Register):
    await register.witness(spike(severity=RED))
    await register.retire((), START + timedelta(minutes=5))
    assert register.open_for("Motrin") is None
    (told,) = await register.witness(spike(6, AMBER))
    assert told.change.event is Event.REOPENED
    assert register.open_for("Motrin") == told.incident


async def test_an_unknown_incident_names_the_nearest(register: Register):
    await register.witness(spike())
    with pytest.raises(UsageError, match="Did you mean motrin-20081115t034000z"):
        register.find("motrin-20081115t034100z")
    with pytest.raises(UsageError, match="no incident nonsense"):
        await register.timeline("nonsense")


async def test_moving_figures_are_seen_at_once_and_saved_once_a_minute(register: Register, store: Store):
    await register.witness(spike(0))
    for second in range(1, 60):
        assert await register.witness(spike(second / 60, negative=12 + second)) == ()
        assert register.incidents()[0].numbers.negative == 12 + second
    ((saved, _),) = await store.load_incidents()
    assert saved.numbers.negative == 12
    await register.witness(spike(1, negative=99))
    ((saved, _),) = await store.load_incidents()
    assert saved.numbers.negative == 99
    assert await store.waiting("mqtt") == 1
    await register.witness(spike(1.5, negative=100))
    await register.flush()
    ((saved, _),) = await store.load_incidents()
    assert saved.numbers.negative == 100


async def test_two_people_at_once_and_only_one_is_first(register: Register):
    await register.witness(spike())
    name = register.incidents()[0].id
    results = await asyncio.gather(
        register.acknowledge(name, "Ann", START), register.acknowledge(name, "Bob", START), return_exceptions=True
    )
    assert [isinstance(result, UsageError) for result in results] == [False, True]
    assert "already acknowledged by Ann" in str(results[1])


async def test_an_action_whose_caller_left_is_still_whole(register: Register):
    await register.witness(spike())
    name = register.incidents()[0].id
    leaving = asyncio.create_task(register.note(name, "Ann", "one", START))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await register.note(name, "Bob", "two", START)
    assert [line.reason for line in await register.timeline(name)] == ["12 negative", "one", "two"]


async def test_with_a_full_disk_the_desk_goes_on_and_says_so(register: Register, store: Store):
    heard: list[str] = []
    register.subscribe(lambda told: heard.append(told.change.event))
    await store.read(lambda db: db.execute("PRAGMA max_page_count = 1"))
    with_big_why = spike()
    with_big_why = Spike(with_big_why.watch, with_big_why.kind, START, AMBER, with_big_why.numbers, "x" * 50_000)
    await register.witness(with_big_why)
    await register.witness(spike(1, RED))
    assert heard == [Event.OPENED, Event.RAISED]
    assert register.incidents()[0].severity is RED
    assert "the disk is full; make room" in register.trouble
    assert "2 changes are not saved, but sent" in register.trouble
    assert [(await store.waiting("mqtt")), len(await store.owed("mqtt"))] == [2, 2]
    name = register.incidents()[0].id
    assert [line.event for line in await register.timeline(name)] == [Event.OPENED, Event.RAISED]
    await store.read(lambda db: db.execute("PRAGMA max_page_count = 1000000"))
    await register.acknowledge(name, "Ann", START)
    assert register.trouble == ""
    assert [debt.change.sequence for _, debt in await store.owed("mqtt")] == [1, 2, 3]
    assert [line.sequence for line in await store.timeline(name)] == [1, 2, 3]


async def test_what_is_taken_back_while_the_disk_is_full_does_not_go_out_any_more(register: Register, store: Store):
    said = Quote("1", "x", START, "a", "the first complaint", 10, None, 0.9)
    await store.read(lambda db: db.execute("PRAGMA query_only = ON"))
    await register.witness(replace(spike(), evidence=Evidence(posts=(said,), first=said)))
    await register.correct(Correction("x", "1"))
    owed = [told for _, told in await store.owed("mqtt")]
    assert [told.change.event for told in owed] == [Event.OPENED, Event.NOTED]
    assert "complaint" not in str(owed)
    await store.read(lambda db: db.execute("PRAGMA query_only = OFF"))
    await register.flush()
    assert [told for _, told in await store.owed("mqtt")] == owed


async def test_memory_is_bounded_and_each_watch_remembers_its_last(register: Register):
    await register.witness(spike(0, watch="Quiet"))
    await register.resolve(register.incidents()[0].id, "Ann", Verdict.REAL, START)
    for day in range(1, 212):
        await register.witness(spike(day * 1440))
        open_one = register.open_for("Motrin")
        assert open_one
        await register.resolve(open_one.id, "Ann", Verdict.REAL, START + timedelta(days=day))
    assert len(register.incidents()) == 202
    assert any(one.watch == "Quiet" for one in register.incidents())
