"""A desk that calls people: with a real database, at any time the test likes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.desk import Instruments, LocalDesk
from crisisdesk.engine.calls import Calls
from crisisdesk.errors import UsageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.audience import audience
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.playbooks.library import Library
from crisisdesk.records import Change, Event, Incident, Kind, Notification, Numbers, Severity, Spike, State, Verdict
from crisisdesk.storage.store import Store

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED
ANNA, BEN, ROOM = Address("push", "Anna"), Address("push", "Ben"), Address("slack")
CHAIN = Chain("all", (Step(("Anna",), wait=5 * MINUTE), Step(("Ben", "slack"), wait=5 * MINUTE)))
ORDERS = Orders((CHAIN,), addresses=(ANNA, BEN, ROOM))


def spike(severity: Severity | None, now: datetime, watch: str = "Motrin") -> Spike:
    return Spike(watch, Kind.SPIKE, now, severity, Numbers(60, 84, 100, 6.0, 71, 0.8, 0.2, 1e-9), "84 negative")


class StoppedClock:
    """A clock that shows what the test says."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(f"nothing here sleeps until {moment}")


@dataclass
class Desk:
    """Register and calls over one database; `pass_time` looks as often as a running desk would."""

    store: Store
    orders: Orders = ORDERS
    clock: StoppedClock = field(default_factory=StoppedClock)
    heard: list[Notification] = field(default_factory=list)

    async def open(self) -> "Desk":
        self.register = Register(
            self.store,
            Rules(),
            lambda _: None,
            ("mqtt",),
            audience=lambda change, before, after: audience(change, before, after, self.orders),
            listeners=(self.heard.append,),
        )
        await self.register.load()
        self.calls = Calls(self.register, lambda: self.orders, self.clock, look_every=10 * MINUTE)
        return self

    @property
    def now(self) -> datetime:
        return self.clock.moment

    async def see(self, severity: Severity | None, watch: str = "Motrin") -> None:
        await self.register.witness(spike(severity, self.now, watch))
        await self.calls.look(self.now)

    async def pass_time(self, minutes: float) -> None:
        end = self.now + minutes * MINUTE
        while self.now < end:
            self.clock.moment = min(end, await self.calls.look(self.now))
        await self.calls.look(self.now)

    @property
    def open_one(self) -> Incident:
        found = self.register.open_for("Motrin")
        assert found is not None
        return found

    def told(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(one.change.event.value, one.change.to) for one in self.heard if one.change.to]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield await Desk(store).open()


async def test_the_first_call_waits_for_what_comes_within_moments_and_is_one(desk: Desk):
    await desk.see(AMBER)
    await desk.pass_time(0.3)
    await desk.see(RED)
    assert desk.told() == []
    await desk.pass_time(0.3)
    assert desk.told() == [("called", ("push to Anna",))]
    assert desk.heard[-1].incident.severity is RED


async def test_who_hears_of_it_for_the_first_time_is_not_told_that_it_got_worse(desk: Desk):
    await desk.see(NOTICE)
    await desk.pass_time(10)
    await desk.see(AMBER)
    await desk.pass_time(1)
    assert desk.heard[-1].change.reason.startswith("Anna by push: it is new")
    await desk.see(RED)
    assert desk.heard[-1].change.reason.startswith("Anna by push: it has got worse")


async def test_what_is_over_within_moments_calls_nobody(desk: Desk):
    await desk.see(AMBER)
    await desk.register.resolve(desk.open_one.id, "Anna", Verdict.FALSE_ALARM, desk.now)
    await desk.pass_time(60)
    assert desk.told() == []


async def test_nobody_answers_and_everybody_hears_of_it(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(30)
    everybody = ("push to Anna", "push to Ben", "slack")
    assert desk.told() == [
        ("called", ("push to Anna",)),
        ("called", ("push to Ben", "slack")),
        ("unanswered", everybody),
    ]
    assert "NOBODY HAS ANSWERED RED Motrin" in next(desk.calls.troubles())
    await desk.register.acknowledge(desk.open_one.id, "Ben", desk.now)
    assert desk.told()[-1] == ("acknowledged", everybody)
    assert list(desk.calls.troubles()) == []


async def test_who_has_it_and_does_nothing_loses_it_and_the_calling_begins_anew(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(1)
    await desk.register.acknowledge(desk.open_one.id, "Anna", desk.now)
    await desk.pass_time(50)
    await desk.register.note(desk.open_one.id, "Anna", "the agency is on it", desk.now)
    await desk.pass_time(50)
    assert desk.open_one.state is State.ACKNOWLEDGED, "what is done counts"
    await desk.pass_time(11)
    assert [one.change.event for one in desk.heard][-2:] == [Event.LAPSED, Event.CALLED]
    assert desk.open_one.acknowledged_by is None


async def test_what_gets_worse_calls_again_though_somebody_has_it_or_silenced_it(desk: Desk):
    await desk.see(AMBER)
    await desk.pass_time(1)
    await desk.register.silence(
        desk.open_one.id, "Anna", desk.now, until=desk.now + timedelta(hours=8), reason="we know"
    )
    await desk.pass_time(60)
    assert [event for event, _ in desk.told()] == ["called", "silenced"]
    await desk.see(RED)
    assert desk.told()[-1] == ("called", ("push to Anna",))
    assert desk.open_one.silence is None


async def test_a_silence_survives_flapping_and_hides_no_other_watch(desk: Desk):
    await desk.see(AMBER)
    await desk.pass_time(1)
    until = desk.now + timedelta(hours=40)
    await desk.register.silence(desk.open_one.id, "Anna", desk.now, until=until, reason="we know")
    for calm in (9, 13):
        await desk.see(None)
        await desk.pass_time(4 * 60)
        await desk.see(None)
        assert desk.register.open_for("Motrin") is None
        await desk.pass_time(calm * 60)
        await desk.see(AMBER)
        await desk.pass_time(10)
    assert [one.change.event for one in desk.heard].count(Event.OPENED) == 2, "a new incident keeps the silence"
    assert [event for event, _ in desk.told()] == ["called", "silenced", "resolved"]
    await desk.see(AMBER, "Aspirin")
    await desk.pass_time(1)
    assert desk.heard[-1].incident.watch == "Aspirin"


async def test_when_a_silence_ends_and_it_is_not_over_people_are_called(desk: Desk):
    await desk.see(AMBER)
    await desk.pass_time(1)
    await desk.register.silence(desk.open_one.id, "Anna", desk.now, until=desk.now + 30 * MINUTE, reason="we know")
    await desk.pass_time(29)
    assert desk.told()[1:] == [("silenced", ("push to Anna",))]
    await desk.pass_time(2)
    assert desk.told()[-1] == ("called", ("push to Anna",))
    assert "the silence is over" in desk.heard[-1].change.reason


async def test_a_hand_over_is_told_and_keeps_it_in_hand_until_it_is_taken(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(1)
    incident = desk.open_one.id
    await desk.register.acknowledge(incident, "Anna", desk.now)
    await desk.register.assign(incident, "Anna", "Ben", desk.now, "I am on a train")
    assert desk.told()[-1] == ("assigned", ("push to Ben",))
    assert desk.open_one.acknowledged_by == "Anna"
    with pytest.raises(UsageError, match="already acknowledged by Anna"):
        await desk.register.acknowledge(incident, "Cem", desk.now)
    await desk.register.acknowledge(incident, "Ben", desk.now)
    assert (desk.open_one.acknowledged_by, desk.open_one.assigned_to) == ("Ben", None)


async def test_a_restart_goes_on_where_the_chain_was(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(2)
    again = await Desk(desk.store, clock=desk.clock).open()
    await again.calls.look(again.now)
    assert again.told() == [], "Anna has two more minutes"
    await again.pass_time(4)
    assert again.told() == [("called", ("push to Ben", "slack"))]


async def test_a_running_desk_calls_at_news_and_by_the_clock(desk: Desk):
    desk.orders = Orders((CHAIN,), addresses=(ANNA, BEN, ROOM), group_wait=timedelta(0))
    desk.register.subscribe(desk.calls.wake)
    running = asyncio.create_task(desk.calls.run())
    await desk.register.witness(spike(RED, desk.now))
    async with asyncio.timeout(5):
        while not desk.told():  # noqa: ASYNC110 - the list is plain
            await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait({running})


async def test_who_takes_it_while_it_is_decided_is_not_called(desk: Desk):
    await desk.see(RED)
    desk.clock.moment += MINUTE
    taking = asyncio.create_task(desk.register.acknowledge(desk.open_one.id, "Anna", desk.now))
    await asyncio.gather(desk.calls.look(desk.now), taking)
    assert [one.change.event for one in desk.heard] == [Event.OPENED, Event.ACKNOWLEDGED]


async def test_an_incident_that_no_chain_is_for_is_a_trouble(desk: Desk):
    desk.orders = Orders((Chain("x", CHAIN.steps, watches=frozenset({"Aspirin"})),), addresses=(ANNA,))
    await desk.see(RED)
    await desk.pass_time(10)
    assert "Nobody is called for RED Motrin" in next(desk.calls.troubles())
    assert desk.told() == []


async def test_who_is_asked_and_cannot_be_told_is_a_trouble(desk: Desk):
    await desk.see(RED)
    await desk.register.assign(desk.open_one.id, "Anna", "Zoe", desk.now)
    [trouble] = desk.calls.troubles()
    assert trouble == "Zoe is asked to take Motrin (motrin-20261123t030000z) but has no address; tell them."
    await desk.register.assign(desk.open_one.id, "Anna", "ben", desk.now)
    assert list(desk.calls.troubles()) == []


SEEN = st.tuples(st.sampled_from(["see", "see", "flood"]), st.sampled_from([None, NOTICE, AMBER, RED]))
DONE = st.tuples(
    st.sampled_from(["acknowledge", "assign", "silence", "lift", "note", "resolve", "judge", "restart"]), st.none()
)
SCRIPT = st.lists(st.tuples(st.one_of(SEEN, SEEN, DONE), st.integers(0, 200)), max_size=25)


@given(SCRIPT)
@settings(max_examples=40, deadline=None)
def test_any_life_keeps_its_promises(script):
    """Any evidence, any passing of time, anything that people do, and restarts."""
    asyncio.run(_live(script))


async def _live(script: list[tuple[tuple[str, Severity | None], int]]) -> None:
    with TemporaryDirectory() as folder:
        async with await Store.open(Path(folder) / "desk.db", durable=False) as store:
            desk = await Desk(store).open()
            for (what, severity), minutes in script:
                await desk.pass_time(minutes)
                if what == "see":
                    await desk.see(severity)
                elif what == "flood":
                    await flood(desk, severity)
                elif what == "restart":
                    desk = await Desk(store, clock=desk.clock, heard=desk.heard).open()
                else:
                    await _do(desk, what)
            await desk.pass_time(70)  # longer than anybody has it without doing anything
            await _check(desk)


async def _do(desk: Desk, what: str) -> None:
    incident = next(iter(desk.register.incidents()), None)
    if incident is None:
        return
    name, now, register = incident.id, desk.now, desk.register
    acts = {
        "acknowledge": lambda: register.acknowledge(name, "Anna", now),
        "assign": lambda: register.assign(name, "Anna", "Ben", now, "please"),
        "silence": lambda: register.silence(name, "Anna", now, until=now + timedelta(hours=3), reason="known"),
        "lift": lambda: register.lift(name, "Anna", now),
        "note": lambda: register.note(name, "Anna", "said so", now),
        "resolve": lambda: register.resolve(name, "Anna", Verdict.REAL, now),
        "judge": lambda: register.judge(name, "Anna", Verdict.PLANNED, now),
    }
    try:
        await acts[what]()
    except UsageError:
        return


async def _check(desk: Desk) -> None:
    incidents = desk.register.incidents()
    for kind in (Kind.SPIKE, Kind.BRIGADING):
        assert sum(one.is_open for one in incidents if one.kind is kind) <= 1, "one open incident a watch"
    for one in incidents:
        if one.is_open and one.severity >= AMBER and not one.is_silent(desk.now):
            _check_somebody_knows(one, desk.register.open_for("Motrin"))
    by_incident: dict[str, list[Change]] = {}
    for notification in desk.heard:
        by_incident.setdefault(notification.change.incident, []).append(notification.change)
        _check_notification(notification)
    for name, changes in by_incident.items():
        assert list(await desk.store.timeline(name)) == changes, "no change is lost, and all are in order"
        _check_calls(changes)
    owed = [told.change.id for _, told in await desk.store.owed("mqtt", at_most=10_000)]
    assert owed == [one.change.id for one in desk.heard], "every change is owed once"


def _check_somebody_knows(one: Incident, spike_of_it: Incident | None) -> None:
    """Somebody was called for it, or for the spike that the copies are of."""
    if one.kind is Kind.BRIGADING and spike_of_it and spike_of_it.severity >= one.severity:
        one = replace(spike_of_it, silence=None) if not one.calling else one
    assert one.calling, one


def _check_notification(notification: Notification) -> None:
    change, incident = notification.change, notification.incident
    silence = incident.silence
    assert silence is None or silence.until - change.time <= timedelta(hours=3), "no silence without an end"
    assert incident.state is not State.ACKNOWLEDGED or incident.acknowledged_by
    if change.event in {Event.CALLED, Event.UNANSWERED}:
        assert incident.state is State.OPEN, "no call while somebody has it"
        assert incident.severity >= AMBER
        assert silence is None or not change.time < silence.until or incident.severity > silence.severity


def _check_calls(changes: list[Change]) -> None:
    """Between what sets it off and an answer, the chain is gone through once, and its end is said once."""
    steps: list[Event] = []
    for change in changes:
        if change.event in {Event.CALLED, Event.UNANSWERED}:
            steps.append(change.event)
        elif change.event not in {Event.NOTED, Event.ASSIGNED, Event.SUBSIDED}:
            steps = []
        assert steps in ([], [Event.CALLED], [Event.CALLED] * 2, [Event.CALLED, Event.CALLED, Event.UNANSWERED])


async def flood(desk: Desk, severity: Severity | None) -> None:
    await desk.register.witness(replace(spike(severity, desk.now), kind=Kind.BRIGADING))
    await desk.calls.look(desk.now)


async def test_a_spike_and_a_flood_of_copies_of_one_watch_call_once(desk: Desk):
    await desk.see(RED)
    await flood(desk, AMBER)
    await desk.pass_time(1)
    assert desk.told() == [("called", ("push to Anna",))]
    [why] = [one.why for one in desk.calls.prospects() if "brigading" in one.incident]
    assert why == "those who would be called know of motrin-20261123t030000z, of the same watch"


async def test_who_has_the_spike_is_not_passed_over_for_the_flood_of_copies(desk: Desk):
    await flood(desk, AMBER)
    await desk.pass_time(1)
    await desk.see(RED)
    await desk.pass_time(0.1)
    await desk.register.acknowledge(desk.open_one.id, "Anna", desk.now)
    await desk.pass_time(30)
    assert desk.told() == [("called", ("push to Anna",))]


async def test_people_who_complain_call_though_somebody_has_the_flood_of_copies(desk: Desk):
    await flood(desk, AMBER)
    flooded = desk.register.open_for("Motrin", Kind.BRIGADING)
    assert flooded is not None
    await desk.register.acknowledge(flooded.id, "Anna", desk.now)
    await desk.see(AMBER)
    await desk.pass_time(1)
    assert desk.told() == [("called", ("push to Anna",))]


async def test_a_flood_of_copies_that_outlasts_the_spike_calls(desk: Desk):
    await desk.see(RED)
    await flood(desk, AMBER)
    await desk.pass_time(1)
    await desk.register.resolve(desk.open_one.id, "Anna", Verdict.REAL, desk.now)
    await desk.pass_time(1)
    assert desk.told()[-1] == ("called", ("push to Anna",))
    assert desk.heard[-1].incident.kind is Kind.BRIGADING


async def test_another_kind_that_calls_others_calls_them(desk: Desk):
    legal = Chain("legal", (Step(("Ben",)),), kinds=frozenset({Kind.BRIGADING}))
    desk.orders = replace(ORDERS, chains=(legal, CHAIN))
    await desk.see(RED)
    await flood(desk, AMBER)
    await desk.pass_time(1)
    assert sorted(desk.told()) == [("called", ("push to Anna",)), ("called", ("push to Ben",))]


async def test_a_desk_that_falls_over_again_and_again_calls_all_the_same(desk: Desk):
    await desk.see(RED)
    for _ in range(4):
        await desk.open()
        await desk.pass_time(0.2)
    assert desk.told() == [("called", ("push to Anna",))]


@pytest.mark.parametrize("minutes", [0.3, 2])
async def test_a_clock_that_is_set_back_keeps_nobody_from_being_called(desk: Desk, minutes: float):
    await desk.see(RED)
    await desk.pass_time(minutes)
    desk.clock.moment -= timedelta(hours=5)
    await desk.pass_time(12)
    assert [to for event, to in desk.told() if event == "called"] == [("push to Anna",), ("push to Ben", "slack")]


async def test_a_clock_that_is_set_back_by_seconds_calls_nobody_sooner(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(0.5)
    desk.clock.moment -= timedelta(seconds=2)
    await desk.pass_time(4)
    await desk.register.acknowledge(desk.open_one.id, "Anna", desk.now)
    desk.clock.moment -= timedelta(seconds=2)
    await desk.pass_time(50)
    assert [event for event, _ in desk.told()].count("called") == 1
    assert desk.open_one.state is State.ACKNOWLEDGED


async def test_what_somebody_has_is_not_theirs_for_ever_where_the_clock_is_set_back(desk: Desk):
    await desk.see(RED)
    await desk.register.acknowledge(desk.open_one.id, "Anna", desk.now)
    desk.clock.moment -= timedelta(hours=5)
    await desk.pass_time(1)
    [lapsed] = [one.change for one in desk.heard if one.change.event is Event.LAPSED]
    assert lapsed.reason == "Anna has it, and the clock was set back since"


async def test_a_chain_that_an_edit_puts_in_the_place_of_another_begins_with_its_first_step(desk: Desk):
    await desk.see(RED)
    await desk.pass_time(1)
    desk.orders = replace(ORDERS, chains=(Chain("mine", (Step(("Ben",)), Step(("slack",)))),))
    await desk.pass_time(4)
    assert [event for event, _ in desk.told()] == ["called"]
    await desk.pass_time(7)
    called = [to for event, to in desk.told() if event == "called"]
    assert called == [("push to Anna",), ("push to Ben",), ("slack",)]


async def test_what_is_silent_stands_behind_what_nobody_has_answered(desk: Desk):
    shown = LocalDesk(desk.register, Library(Path("nowhere")), desk.clock, Instruments())
    await desk.see(RED)
    await desk.see(AMBER, "Aspirin")
    assert [one.watch for one in (await shown.picture()).incidents] == ["Motrin", "Aspirin"]
    await shown.silence(desk.open_one.id, "Anna", desk.now + timedelta(hours=1), "we know")
    assert [one.watch for one in (await shown.picture()).incidents] == ["Aspirin", "Motrin"]
    await shown.lift(desk.open_one.id, "Anna")
    assert [one.watch for one in (await shown.picture()).incidents] == ["Motrin", "Aspirin"]
