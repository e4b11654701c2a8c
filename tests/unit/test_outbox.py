"""What is owed goes out in order, once acknowledged it is owed no longer, and no output waits for another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import pytest

from crisisdesk.clock import WallClock
from crisisdesk.errors import FatalOutputError, OutputError, RefusedError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.outputs.deliver import Delivery, owed_by_others
from crisisdesk.records import (
    Change,
    Event,
    Incident,
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Severity,
    Spike,
    State,
)
from crisisdesk.storage.store import Store

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
ONE = Incident(
    "a", "a", Kind.SPIKE, State.OPEN, Severity.AMBER, START, START, Numbers(60, 1, 1, 0.1, 1, 1.0, 0.0, 0.0), ""
)


@dataclass
class Scripted:
    """An output that does what the test says: `answers` gives what to raise at each attempt, None for success."""

    answers: Iterator[OutputError | None] = field(default_factory=lambda: repeat(None))
    name: str = "mail"
    attempts: list[int] = field(default_factory=list)
    delivered: list[int] = field(default_factory=list)
    is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    left: bool = False
    state: str = "live"

    def __post_init__(self) -> None:
        self.is_ready.set()

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        yield
        self.left = True

    async def ready(self) -> None:
        await self.is_ready.wait()

    async def deliver(self, notification: Notification) -> None:
        self.attempts.append(notification.change.sequence)
        if error := next(self.answers):
            raise error
        self.delivered.append(notification.change.sequence)

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, self.state)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with await Store.open(tmp_path / "desk.db", durable=False) as store:
        yield store


async def owe(store: Store, *sequences: int, to: tuple[str, ...] = ("mail",)) -> None:
    for sequence in sequences:
        await store.save(ONE, (Change("a", sequence, Event.NOTED, START, ONE.severity),), to)


def delivery_of(store: Store, output: Scripted, wait: float = 0) -> Delivery:
    return Delivery(store, output, WallClock(), waits=lambda: repeat(wait), flush_seconds=0.2)


@contextlib.asynccontextmanager
async def running(*deliveries: Delivery) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(delivery.run()) for delivery in deliveries]
    yield
    for delivery in deliveries:
        delivery.stop()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - the outputs here are plain lists
            await asyncio.sleep(0.001)


async def test_what_an_earlier_run_owed_goes_out_in_order(store: Store):
    await owe(store, 1, 2, 3)
    output = Scripted()
    async with running(delivery_of(store, output)):
        await until(lambda: output.delivered == [1, 2, 3])
    assert await store.waiting("mail") == 0
    assert output.left


async def test_news_wakes_it(store: Store):
    output = Scripted()
    delivery = delivery_of(store, output)
    async with running(delivery):
        for sequence in (1, 2):
            await owe(store, sequence)
            delivery.wake()
            await until(lambda: len(output.delivered) == sequence)  # noqa: B023 - awaited within the loop
    assert delivery.status() == OutputStatus("mail", "live", delivered=2)


async def test_what_a_full_disk_does_not_take_goes_out_once_all_the_same(store: Store):
    output = Scripted()
    delivery = Delivery(store, output, WallClock(), flush_seconds=0.2, look_seconds=0.02)
    register = Register(store, Rules(), lambda _: None, (output.name,), listeners=(delivery.wake,))
    async with running(delivery):
        await store.read(lambda db: db.execute("PRAGMA query_only = ON"))
        await register.witness(Spike("a", Kind.SPIKE, START, ONE.severity, ONE.numbers, ""))
        await register.witness(Spike("b", Kind.SPIKE, START, ONE.severity, ONE.numbers, ""))
        await until(lambda: output.delivered == [1, 1])
        assert "2 changes are not saved, but sent" in register.trouble
        await until(lambda: delivery.status().waiting == 0)
        await asyncio.sleep(0.1)
        await store.read(lambda db: db.execute("PRAGMA query_only = OFF"))
        await register.flush()
        await register.witness(Spike("c", Kind.SPIKE, START, ONE.severity, ONE.numbers, ""))
        await until(lambda: delivery.status().delivered == 3)
        await until(lambda: delivery.status().waiting == 0)
    assert output.delivered == [1, 1, 1]
    rows = await store.read(lambda db: db.execute("SELECT count(*) FROM outbox").fetchone())
    assert (rows, register.trouble, delivery.status().trouble) == ((0,), "", "")


async def test_a_failure_is_tried_again_and_keeps_the_order(store: Store):
    await owe(store, 1, 2)
    output = Scripted(iter([None, OutputError("the server is asleep"), OutputError("still"), None]))
    delivery = delivery_of(store, output)
    async with running(delivery):
        await until(lambda: output.delivered == [1, 2])
        await until(lambda: delivery.status().waiting == 0)
        assert delivery.status().trouble == ""
    assert output.attempts == [1, 2, 2, 2]


async def test_it_stays_owed_until_the_outside_has_it(store: Store):
    await owe(store, 1, 2)
    output = Scripted(repeat(OutputError("the server is asleep")))
    delivery = delivery_of(store, output, wait=0.01)
    async with running(delivery):
        await until(lambda: len(output.attempts) > 2)
        status = delivery.status()
        assert replace(status, attempts_failed=0) == OutputStatus("mail", "retrying", 0, 2, "the server is asleep")
        assert 2 <= status.attempts_failed <= len(output.attempts)
    rows = await store.read(lambda db: db.execute("SELECT attempts > 2, trouble FROM outbox ORDER BY row").fetchall())
    assert rows == [(1, "the server is asleep"), (0, "")]


async def test_a_final_trouble_is_not_tried_again(store: Store):
    await owe(store, 1)
    output = Scripted(repeat(FatalOutputError("mend password_env")))
    delivery = delivery_of(store, output)
    async with running(delivery):
        await until(lambda: output.attempts == [1])
        delivery.wake()
    assert output.attempts == [1]
    assert await store.waiting("mail") == 1


async def test_one_outputs_trouble_does_not_delay_another(store: Store):
    dead, well = Scripted(name="dead"), Scripted(name="well")
    dead.is_ready.clear()
    deliveries = (delivery_of(store, dead), delivery_of(store, well))
    async with running(*deliveries):
        await owe(store, 1, to=("dead", "well"))
        for delivery in deliveries:
            delivery.wake()
        await until(lambda: well.delivered == [1])
    assert (dead.attempts, await store.waiting("dead")) == ([], 1)


async def test_a_stop_delivers_what_is_owed_and_takes_leave(store: Store):
    output = Scripted()
    delivery = delivery_of(store, output)
    async with running(delivery):
        await until(lambda: delivery.status().state == "live")
        await owe(store, 1, 2, 3)
    assert output.delivered == [1, 2, 3]
    assert output.left


async def test_a_stop_does_not_wait_for_ever(store: Store):
    output = Scripted()
    output.is_ready.clear()
    await owe(store, 1)
    async with asyncio.timeout(2), running(delivery_of(store, output)):
        pass
    assert await store.waiting("mail") == 1


async def test_a_stop_does_not_wait_for_a_broken_connection(store: Store):
    output = Scripted(state="retrying")
    output.is_ready.clear()
    await owe(store, 1)
    delivery = Delivery(store, output, WallClock(), flush_seconds=60)
    async with running(delivery):
        await until(lambda: delivery.status().waiting == 1)
    assert (await store.waiting("mail"), output.left) == (1, True)


async def test_a_bug_in_an_output_is_not_hidden(store: Store):
    await owe(store, 1)
    output = Scripted(iter([]))  # asked for an answer it has none
    with pytest.raises(RuntimeError, match="StopIteration"):
        await asyncio.wait_for(delivery_of(store, output).run(), 5)
    assert await store.waiting("mail") == 1


async def test_what_a_full_disk_does_not_strike_off_is_not_delivered_again(store: Store):
    """More of it than is read at once, so that what comes behind it is seen."""
    await owe(store, *range(1, 251))
    output = Scripted()
    delivery = Delivery(store, output, WallClock(), waits=lambda: repeat(0.0), flush_seconds=0.2, look_seconds=0.02)
    await store.read(lambda db: db.execute("PRAGMA query_only = ON"))
    async with running(delivery):
        await until(lambda: len(output.delivered) == 250)
        await until(lambda: "not writable" in delivery.status().trouble)
        await until(lambda: delivery.status().waiting == 0)
        assert await store.read(lambda db: db.execute("SELECT count(*) FROM outbox").fetchone()) == (250,)
        await store.read(lambda db: db.execute("PRAGMA query_only = OFF"))
        await until(lambda: delivery.status().trouble == "")
    assert await store.read(lambda db: db.execute("SELECT count(*) FROM outbox").fetchone()) == (0,)
    assert output.delivered == [*range(1, 251)]


async def test_after_a_crash_with_a_full_disk_it_repeats_rather_than_loses(store: Store, tmp_path: Path):
    await owe(store, 1)
    output = Scripted()
    await store.read(lambda db: db.execute("PRAGMA query_only = ON"))
    async with running(delivery_of(store, output)):
        await until(lambda: output.delivered == [1])
    await store.close()
    async with await Store.open(tmp_path / "desk.db") as again, running(delivery_of(again, output)):
        await until(lambda: output.delivered == [1, 1])


async def test_an_id_that_went_out_unsaved_is_never_that_of_another_change(store: Store, tmp_path: Path):
    heard: list[str] = []

    async def incident_of(there: Store, *events: str) -> None:
        register = Register(there, Rules(), lambda _: None, listeners=(lambda told: heard.append(told.change.id),))
        await register.load()
        for number, event in enumerate(events):
            if event == "full":
                await there.read(lambda db: db.execute("PRAGMA query_only = ON"))
            elif event == "free":
                await there.read(lambda db: db.execute("PRAGMA query_only = OFF"))
            elif not register.incidents():
                await register.witness(Spike("a", Kind.SPIKE, START, ONE.severity, ONE.numbers, ""))
            else:
                await register.note(register.incidents()[0].id, "Ann", f"{event} {number}", START)

    await incident_of(store, "one", "full", "two", "three", "free", "four", "full", "lost", "lost")
    await store.close()
    async with await Store.open(tmp_path / "desk.db") as again:
        await incident_of(again, "five", "full", "six")
        kept = [change.id for change in await again.timeline("a-20081115t034000z")]
    assert len(set(heard)) == len(heard) == 8
    numbers = [int(name.split("-")[2]) for name in heard]
    assert numbers == [1, 2, 3, 4, 5, 6, 5, 6]
    assert kept == [*heard[:4], heard[6]], "what went out has the same id when it is saved later"


async def test_what_comes_during_the_last_pass_goes_out_before_the_stop(store: Store, monkeypatch: pytest.MonkeyPatch):
    output = Scripted()
    delivery, read = delivery_of(store, output), store.owed

    async def stopped_amid(name: str, after: int = 0) -> list[tuple[int, Notification]]:
        found = await read(name, after)
        if not delivery._stopping.is_set():
            await owe(store, 1)
            delivery.wake()
            delivery.stop()
        return found

    monkeypatch.setattr(store, "owed", stopped_amid)
    await asyncio.wait_for(delivery.run(), 5)
    assert output.delivered == [1]


async def owe_of(
    store: Store, incident: Incident, *sequences: int, event: Event = Event.NOTED, to: str = "mail"
) -> None:
    for sequence in sequences:
        change = Change(incident.id, sequence, event, START, incident.severity, to=(to,))
        await store.save(incident, (change,), (to,))


async def test_a_refused_message_holds_up_its_incident_and_no_other(store: Store):
    other = replace(ONE, id="b", watch="b")
    await owe(store, 1, 2)
    await owe_of(store, other, 7, 8)
    refused = RefusedError("too large: raise message_size_limit")
    output = Scripted(iter([refused, None, None, *repeat(refused, 3), None, None]))
    delivery = delivery_of(store, output, wait=0.02)
    async with running(delivery):
        await until(lambda: output.delivered == [7, 8])
        assert delivery.status().trouble == "too large: raise message_size_limit"
        assert delivery.status().state == "retrying"
        await until(lambda: output.delivered == [7, 8, 1, 2])
        await until(lambda: delivery.status().trouble == "")
    assert output.attempts == [1, 7, 8, 1, 1, 1, 1, 2]


async def test_no_later_change_overtakes_a_refused_one(store: Store):
    """Not even where it might be tried again before the pass has come to the later one."""
    await owe(store, 1, 2, 3)
    output = Scripted(iter([RefusedError("too large"), None, None, None]))
    async with running(delivery_of(store, output, wait=0)):
        await until(lambda: output.delivered == [1, 2, 3])


async def test_what_is_owed_a_day_after_the_end_is_given_up_and_shown(store: Store):
    over = replace(ONE, state=State.RESOLVED, resolved_at=START)
    await owe_of(store, replace(over, id="b", watch="b", updated=datetime.now(UTC)), 1)
    await owe_of(store, over, 1, 2)
    output = Scripted(repeat(OutputError("the server is asleep")))
    delivery = delivery_of(store, output, wait=0.01)
    async with running(delivery):
        await until(lambda: delivery.status().failed == 2)
        await until(lambda: delivery.status().waiting == 1)  # what has ended lately is tried on
        assert "2 changes of a did not go out within a day of the end" in delivery.status().trouble
    again = delivery_of(store, Scripted())
    async with running(again):
        await until(lambda: again.status().failed == 2)


async def test_what_is_too_old_goes_out_all_the_same_where_it_was_never_tried(store: Store):
    """A desk that was off for days tells what it owes."""
    await owe_of(store, replace(ONE, state=State.RESOLVED, resolved_at=START), 1)
    output = Scripted()
    async with running(delivery_of(store, output)):
        await until(lambda: output.delivered == [1])


@dataclass
class Fixed:
    """At most one message in a time, unless it is worse."""

    pause: timedelta

    def may(self, now: datetime, sent: Sequence[tuple[datetime, Severity]], severity: Severity) -> datetime:
        return max([now, *(at + self.pause for at, how_bad in sent if how_bad >= severity)])


@dataclass
class Told(Scripted):
    """An address that remembers what it was told together."""

    limit: Fixed = field(default_factory=lambda: Fixed(timedelta(seconds=0.3)))
    messages: list[list[str]] = field(default_factory=list)

    async def tell(self, notifications: Sequence[Notification]) -> None:
        if error := next(self.answers):
            raise error
        self.messages.append([one.change.id for one in notifications])


async def test_people_are_told_together_what_would_disturb_them_too_often(store: Store):
    output = Told()
    delivery = delivery_of(store, output)
    async with running(delivery):
        await owe_of(store, ONE, 1, event=Event.CALLED)
        delivery.wake()
        await until(lambda: output.messages == [["a-1"]])
        await owe_of(store, ONE, 2, 3, event=Event.CALLED)
        delivery.wake()
        await asyncio.sleep(0.05)
        assert (len(output.messages), delivery.status().waiting) == (1, 2)
        await until(lambda: output.messages == [["a-1"], ["a-2", "a-3"]])
        await owe_of(store, ONE, 4, event=Event.CALLED)
        worse = replace(ONE, id="b", watch="b", severity=Severity.RED)
        await owe_of(store, worse, 1, event=Event.CALLED)
        delivery.wake()
        await until(lambda: output.messages[-1] == ["a-4", "b-1"])
    assert delivery.status().delivered == 5


async def test_how_often_somebody_was_disturbed_outlives_a_restart(store: Store):
    await owe_of(store, ONE, 1, event=Event.CALLED)
    first, second = Told(), Told(limit=Fixed(timedelta(hours=1)))
    async with running(delivery_of(store, first)):
        await until(lambda: len(first.messages) == 1)
    await owe_of(store, ONE, 2, event=Event.CALLED)
    async with running(delivery_of(store, second)):
        await asyncio.sleep(0.05)
    assert second.messages == []


async def test_people_hear_only_what_is_addressed_to_them(store: Store):
    output = Told()
    delivery = delivery_of(store, output)
    delivery.wake(Notification(Change("a", 1, Event.RAISED, START, ONE.severity), ONE))
    assert delivery.status().waiting == 0
    delivery.wake(Notification(Change("a", 2, Event.CALLED, START, ONE.severity, to=("mail",)), ONE))
    assert delivery.status().waiting == 1


async def test_a_message_that_did_not_go_out_is_told_with_the_next(store: Store):
    output = Told(iter([OutputError("the phone is off"), None]))
    await owe_of(store, ONE, 1, 2, event=Event.CALLED)
    async with running(delivery_of(store, output)):
        await until(lambda: output.messages == [["a-1", "a-2"]])


async def test_what_calls_at_once_is_one_message(store: Store):
    output = Told(limit=Fixed(timedelta(hours=1)))
    delivery = delivery_of(store, output)
    async with running(delivery):
        for number in range(20):
            await owe_of(store, replace(ONE, id=f"a{number}"), 1, event=Event.CALLED)
            delivery.wake()
            await asyncio.sleep(0.001)
        await until(lambda: [len(one) for one in output.messages] == [20])


async def test_a_call_that_was_answered_before_it_went_out_is_news_and_disturbs_as_little(store: Store):
    output = Told(limit=Fixed(timedelta(hours=1)))
    seen: list[State] = []
    tell = output.tell

    async def told(notifications: Sequence[Notification]) -> None:
        seen.extend(one.incident.state for one in notifications)
        await tell(notifications)

    output.tell = told  # type: ignore[method-assign]
    red = replace(ONE, severity=Severity.RED)
    await owe_of(store, red, 1, event=Event.CALLED)
    await store.save(replace(red, state=State.ACKNOWLEDGED, acknowledged_by="Anna"))
    delivery = delivery_of(store, output)
    async with running(delivery):
        await until(lambda: output.messages == [["a-1"]])
        assert seen == [State.ACKNOWLEDGED]
        await owe_of(store, replace(ONE, id="b"), 1, event=Event.CALLED)
        delivery.wake()
        await until(lambda: output.messages[1:] == [["b-1"]])


async def test_what_is_over_before_it_could_be_told_does_not_disturb_as_a_call(store: Store):
    output = Told(limit=Fixed(timedelta(hours=1)))
    await owe_of(store, replace(ONE, severity=Severity.RED), 1, event=Event.CALLED)
    over = replace(ONE, severity=Severity.RED, state=State.RESOLVED, resolved_at=START)
    await owe_of(store, over, 2, event=Event.RESOLVED)
    delivery = delivery_of(store, output)
    async with running(delivery):
        await until(lambda: output.messages == [["a-1", "a-2"]])
        await owe_of(store, replace(ONE, id="b"), 1, event=Event.CALLED)
        delivery.wake()
        await until(lambda: output.messages[1:] == [["b-1"]])


async def test_what_is_owed_to_an_output_that_was_renamed_is_told_until_it_is_too_old(store: Store):
    await owe_of(store, ONE, 1, 2, to="slack")
    await owe_of(store, replace(ONE, id="b", state=State.RESOLVED, updated=START), 1, to="push to Ben")
    said = await owed_by_others(store, ["mail"], START)
    assert said.startswith(
        "Changes are still owed to “push to Ben” (1), “slack” (2), which the configuration has no more"
    )
    assert "“push to Ben”" not in await owed_by_others(store, ["mail"], START + timedelta(days=2))
    assert await owed_by_others(store, ["slack"], START + timedelta(days=2)) == ""
    assert await store.waiting("slack") == 2
