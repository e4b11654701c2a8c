"""The life of an incident of kind blind: what is said of a source holds as it is said, and at once."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from crisisdesk.incidents import acts
from crisisdesk.incidents.lifecycle import Rules, Step, witness
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.spending import Call
from crisisdesk.payloads.incident import incident_data, line
from crisisdesk.records import Change, Event, Incident, Kind, Notification, Numbers, Severity, Spike, State, Verdict
from crisisdesk.storage.store import Store

START = datetime(2008, 11, 15, 3, 12, tzinfo=UTC)
RULES = Rules()
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED
BACK = "bluesky is heard again, after 2 h 14 min"


def said(minutes: float, severity: Severity | None = NOTICE, source: str = "bluesky") -> Spike:
    numbers = Numbers(max(1, int(minutes)), 0, 0, 6.0 * minutes, 0, 0.0, 0.0, 0.0)
    why = "silent since 03:12 UTC" if severity else BACK
    return Spike(source, Kind.BLIND, START + timedelta(minutes=minutes), severity, numbers, why, why_de="schweigt")


class Life:
    """One source's incident and its timeline, driven step by step."""

    def __init__(self) -> None:
        self.incident: Incident | None = None
        self.changes: list[Change] = []

    def see(self, minutes: float, severity: Severity | None = NOTICE) -> tuple[Event, ...]:
        return self.take(witness(self.incident, said(minutes, severity), RULES, len(self.changes)))

    def take(self, step: Step | None) -> tuple[Event, ...]:
        if step is None:
            return ()
        self.incident = step.incident
        self.changes.extend(step.changes)
        return tuple(change.event for change in step.changes)

    @property
    def now(self) -> Incident:
        assert self.incident is not None
        return self.incident


@pytest.fixture
def life() -> Life:
    return Life()


def test_it_begins_is_raised_and_ends_with_the_first_post(life: Life):
    assert life.see(2) == (Event.OPENED,)
    assert life.now.id == "bluesky-blind-20081115t031400z"
    assert life.see(3) == ()
    assert life.now.numbers.window_minutes == 3
    assert life.see(32, AMBER) == (Event.RAISED,)
    assert life.see(134, None) == (Event.RESOLVED,)
    assert (life.now.state, life.now.severity, life.now.verdict) == (State.RESOLVED, AMBER, None)
    assert (life.changes[-1].reason, life.now.resolved_at) == (BACK, START + timedelta(minutes=134))
    assert life.now.why == "silent since 03:12 UTC"
    assert life.see(135, None) == ()


def test_a_source_that_speaks_opens_nothing(life: Life):
    assert life.see(0, None) == ()


def test_it_eases_at_once_when_another_source_is_heard_again(life: Life):
    life.see(2)
    life.see(32, AMBER)
    life.see(180, RED)
    assert life.see(181, AMBER) == (Event.SUBSIDED,)
    assert (life.now.severity, life.now.worst) == (AMBER, RED)


def test_one_that_falls_silent_again_continues_the_same_incident_at_once(life: Life):
    life.see(2)
    first = life.now.id
    life.see(10, None)
    assert life.see(12) == (Event.REOPENED,)
    assert life.now.id == first
    life.see(14, None)
    assert life.see(14 + 13 * 60) == (Event.OPENED,)
    assert life.now.id != first


def test_a_persons_word_stands_as_long_as_it_is_the_same_silence(life: Life):
    life.see(2)
    life.take(acts.resolve(life.now, "Ann", Verdict.FALSE_ALARM, START + timedelta(minutes=5), 1))
    assert {life.see(minute) for minute in range(6, 3 * 1440)} == {()}
    assert life.see(3 * 1440, AMBER) == (Event.REOPENED,)


def test_after_a_persons_word_the_next_silence_is_told_again(life: Life):
    life.see(2)
    life.take(acts.resolve(life.now, "Ann", Verdict.FALSE_ALARM, START + timedelta(minutes=5), 1))
    assert life.see(6) == ()
    assert life.see(7, None) == ()
    assert life.see(9) == (Event.REOPENED,)


def test_what_is_said_of_the_present_is_no_late_evidence_when_the_clock_was_set_back(life: Life):
    life.see(60)
    assert life.see(10, None) == (Event.RESOLVED,)
    assert life.now.resolved_at == START + timedelta(minutes=60)


def test_it_is_nobodys_false_alarm(life: Life):
    life.see(2)
    life.see(40, AMBER)
    life.take(acts.resolve(life.now, "Ann", Verdict.FALSE_ALARM, START + timedelta(minutes=50), 2))
    assert Call.of(life.now) is None


def test_its_figures_are_how_long_it_lasts_and_how_much_is_missing(life: Life):
    life.see(134, AMBER)
    told = orjson.loads(orjson.dumps(incident_data(life.now)))
    assert {key: told[key] for key in ("kind", "watch", "window_minutes", "negative", "expected", "authors")} == {
        "kind": "blind", "watch": "bluesky", "window_minutes": 134, "negative": 0, "expected": 804.0, "authors": 0,
    }  # fmt: skip
    assert (told["negative_share"], told["usual_share"], told["probability"], told["surprise"]) == (0, 0, 0, 0)
    assert told["evidence"]["posts"] == []
    assert (told["why"], told["why_de"]) == ("silent since 03:12 UTC", "schweigt")
    assert line(Notification(life.changes[0], life.now))["kind"] == "blind"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


@pytest.fixture
def register(store: Store) -> Register:
    return Register(store, RULES, lambda _: None, ("mqtt",))


async def test_one_is_open_at_a_time_for_each_source_beside_the_spikes_of_a_watch(register: Register):
    for minutes in range(2, 60):
        for source in ("bluesky", "mastodon"):
            await register.witness(said(minutes, source=source))
    assert sorted(one.watch for one in register.incidents()) == ["bluesky", "mastodon"]
    assert register.open_for("bluesky") is None
    assert register.open_for("bluesky", Kind.BLIND) is not None


async def test_it_ends_with_its_source_and_not_with_a_watch(register: Register, store: Store):
    for source in ("bluesky", "mastodon", "Motrin"):
        await register.witness(said(2, source=source))
    await register.flush()
    again = Register(store, RULES, lambda _: None, ("mqtt",))
    await again.load()
    await again.retire({"Motrin", "mastodon"}, START + timedelta(hours=1), {"bluesky", "Motrin"})
    assert sorted(one.watch for one in again.incidents() if one.is_open) == ["Motrin", "bluesky"]
    gone = next(one for one in again.incidents() if not one.is_open)
    assert (await again.timeline(gone.id))[-1].reason == "no longer listened to"
    (told,) = await again.witness(said(90, source="mastodon"))
    assert told.change.event is Event.REOPENED


async def test_it_goes_on_after_a_restart(register: Register, store: Store):
    await register.witness(said(2))
    await register.flush()
    again = Register(store, RULES, lambda _: None, ("mqtt",))
    await again.load()
    assert await again.witness(said(20)) == ()
    (told,) = await again.witness(said(30, None))
    assert (told.change.event, told.change.reason, told.incident.kind) == (Event.RESOLVED, BACK, Kind.BLIND)
