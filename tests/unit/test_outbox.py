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
from crisisdesk.incidents.store import Store
from crisisdesk.outputs.deliver import Delivery
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


async def test_what_is_owed_later_than_its_news_goes_out_too(store: Store):
    """A full disk takes the change only with the next figures, and those wake nobody."""
    output = Scripted()
    delivery = Delivery(store, output, WallClock(), flush_seconds=0.2, look_seconds=0.02)
    register = Register(store, Rules(), lambda _: None, (output.name,), listeners=(delivery.wake,))
    async with running(delivery):
        await store._read(lambda db: db.execute("PRAGMA query_only = ON"))
        await register.witness(Spike("a", Kind.SPIKE, START, ONE.severity, ONE.numbers, ""))
        await until(lambda: delivery.status().waiting == 0)
        assert "not saved and not sent" in register.trouble
        await store._read(lambda db: db.execute("PRAGMA query_only = OFF"))
        await register.flush()
        await until(lambda: output.delivered == [1])
        await until(lambda: delivery.status().waiting == 0)


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
        assert delivery.status() == OutputStatus("mail", "retrying", 0, 2, "the server is asleep")
    rows = await store._read(lambda db: db.execute("SELECT attempts > 2, trouble FROM outbox ORDER BY row").fetchall())
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


async def test_a_full_disk_repeats_rather_than_loses(store: Store):
    """What cannot be struck off is delivered again, under the same id."""
    await owe(store, 1)
    output = Scripted()
    delivery = delivery_of(store, output, wait=0.01)
    await store._read(lambda db: db.execute("PRAGMA query_only = ON"))
    async with running(delivery):
        await until(lambda: len(output.delivered) > 1)
        assert "not writable" in delivery.status().trouble
        await store._read(lambda db: db.execute("PRAGMA query_only = OFF"))
        await until(lambda: delivery.status().waiting == 0)
    assert set(output.delivered) == {1}


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


async def test_what_is_owed_a_day_after_the_end_is_given_up_and_shown(store: Store):
    over = replace(ONE, state=State.RESOLVED, resolved_at=START)
    await owe_of(store, replace(over, id="b", watch="b", updated=datetime.now(UTC)), 1)
    await owe_of(store, over, 1, 2)
    output = Scripted(repeat(OutputError("the server is asleep")))
    delivery = delivery_of(store, output, wait=0.01)
    async with running(delivery):
        await until(lambda: delivery.status().failed == 2)
        assert delivery.status().waiting == 1, "what has ended lately is tried on"
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
