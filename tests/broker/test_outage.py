"""Ten minutes without a broker, time compressed, while incidents go on: every change arrives, in order, under its id.

The desk's own waits between two attempts are compressed alike. What is compared is the timeline in the database with
what subscribers saw, and at the end what the broker retains with what is open.
"""

import asyncio
import contextlib
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from crisisdesk.records import Event, Kind, Numbers, Severity, Spike, Verdict, stamp
from crisisdesk.retry import delays

if TYPE_CHECKING:
    from tests.broker.conftest import Desk, Gate, Inbox, Mosquitto

START = datetime(2008, 11, 15, 3, 40, tzinfo=UTC)
OUTAGE_SECONDS = 600.0
PERSON = "Anna Berg"


@dataclass
class Crises:
    """So many incidents, each with a life of its own, that go on step by step in an order of chance."""

    count: int
    chance: random.Random = field(default_factory=lambda: random.Random(20081115))
    minutes: int = 0

    def script(self) -> Iterator[tuple[str, str]]:
        """Watch and step; half of the incidents end."""
        steps = {
            f"watch {number}": ["open", "raise", "acknowledge", "note", "note", *(["resolve"] if number % 2 else [])]
            for number in range(self.count)
        }
        while steps:
            watch = self.chance.choice(list(steps))
            yield watch, steps[watch].pop(0)
            if not steps[watch]:
                del steps[watch]

    async def go_on(self, desk: "Desk", watch: str, step: str) -> None:
        self.minutes += 1
        now = START + timedelta(minutes=self.minutes)
        if step in {"open", "raise"}:
            severity = Severity.AMBER if step == "open" else Severity.RED
            numbers = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
            await desk.register.witness(Spike(watch, Kind.SPIKE, now, severity, numbers, "12 negative"))
            return
        incident = desk.register.open_for(watch)
        assert incident is not None
        if step == "acknowledge":
            await desk.register.acknowledge(incident.id, PERSON, now)
        elif step == "note":
            await desk.register.note(incident.id, PERSON, f"at {self.minutes}", now)
        else:
            await desk.register.resolve(incident.id, PERSON, Verdict.REAL, now)


@dataclass
class Outage:
    """A desk, a broker behind a gate, and what everybody has seen."""

    desk_at: Callable[..., contextlib.AbstractAsyncContextManager["Desk"]]
    subscriber: Callable[..., contextlib.AbstractAsyncContextManager["Inbox"]]
    broker: "Mosquitto"
    way: "Gate"
    crises: Crises
    lasts: float
    """Seconds for ten minutes."""
    seen: list[dict[str, Any]] = field(default_factory=list)
    expected: dict[str, list[str]] = field(default_factory=dict)

    def desk(self) -> contextlib.AbstractAsyncContextManager["Desk"]:
        scale = self.lasts / OUTAGE_SECONDS
        return self.desk_at(self.way.port, timeout=0.5, waits=lambda: (wait * scale for wait in delays()))

    async def run(self, *, frozen: bool = False, restarted: bool = False) -> None:
        """The outage, and what follows it: the broker freezes, the desk is started anew, both amid the catching up."""
        script = list(self.crises.script())
        quarter = len(script) // 4
        before, during, after = script[:quarter], script[quarter : 3 * quarter], script[3 * quarter :]
        async with self.desk() as desk:
            async with self.subscriber(self.broker.port) as inbox:
                await self._go_on(desk, before, 0.0)
                await desk.is_done()
                await inbox.until(lambda: len(inbox.events()) == len(before))
                self.seen += inbox.events()
            self.broker.kill()
            self.way.shut()
            half = len(during) // 2
            await self._go_on(desk, during[:half], self.lasts / 2)
            desk.delivery._flush_seconds = 0
            if not restarted:
                await self._go_on(desk, during[half:], self.lasts / 2)
                await self._return(desk, after, frozen=frozen)
        if restarted:
            async with self.desk() as desk:
                await self._go_on(desk, during[half:], self.lasts / 2)
                await self._return(desk, after, frozen=frozen, leave_early=True)
            async with self.subscriber(self.broker.port) as inbox, self.desk() as desk:
                await self._arrived(desk, inbox)

    async def _return(
        self, desk: "Desk", after: list[tuple[str, str]], *, frozen: bool, leave_early: bool = False
    ) -> None:
        self.broker.start()
        async with self.subscriber(self.broker.port) as inbox:
            self.way.is_open = True
            await inbox.until(lambda: len(inbox.events()) > 3)
            if frozen:
                self.broker.signal(signal.SIGSTOP)
                await self._go_on(desk, after[: len(after) // 2], 0.0)
                await desk.shows(lambda status: status.state == "retrying")
                self.broker.signal(signal.SIGCONT)
                await self._go_on(desk, after[len(after) // 2 :], 0.0)
            else:
                await self._go_on(desk, after, 0.0)
            if leave_early:
                self.way.shut()
                await desk.shows(lambda status: status.state == "retrying")
                await self._has_seen(inbox, await self._delivered(desk))
                self.way.is_open = True
            else:
                await self._arrived(desk, inbox)

    async def _go_on(self, desk: "Desk", script: list[tuple[str, str]], seconds: float) -> None:
        for watch, step in script:
            await self.crises.go_on(desk, watch, step)
            await asyncio.sleep(seconds / len(script))

    async def _arrived(self, desk: "Desk", inbox: "Inbox") -> None:
        """Everything that the database knows has been seen, and what stands at the broker is what is open."""
        async with asyncio.timeout(300):  # it takes a few seconds, unless others need the machine
            while await desk.store.waiting(desk.output.name):  # noqa: ASYNC110 - a count is looked at, it does not call
                await asyncio.sleep(0.02)
        await self._has_seen(inbox, await self._delivered(desk))
        async with self.subscriber(self.broker.port) as late:
            open_ones = {one.id: (one.state, stamp(one.updated)) for one in desk.register.incidents() if one.is_open}
            await late.until(lambda: len(late.payloads("/state")) >= len(open_ones))
            shown = [orjson.loads(payload)["data"]["incident"] for payload in late.payloads("/state")]
            assert {one["id"]: (one["state"], one["updated"]) for one in shown} == open_ones

    async def _delivered(self, desk: "Desk") -> set[str]:
        """What the broker has acknowledged; all that has happened is `expected`."""
        for incident in desk.register.incidents():
            self.expected[incident.id] = [change.id for change in await desk.register.timeline(incident.id)]
        owed: set[str] = set()
        after = 0
        while some := await desk.store.owed(desk.output.name, after):
            owed |= {told.change.id for _, told in some}
            after = some[-1][0]
        return {name for names in self.expected.values() for name in names} - owed

    async def _has_seen(self, inbox: "Inbox", ids: set[str]) -> None:
        known = {event["id"] for event in self.seen}
        await inbox.until(lambda: known | set(inbox.ids()) >= ids, seconds=30)
        self.seen += inbox.events()

    def check(self) -> Counter[str]:
        """In order per incident, none missing, none unknown; what comes twice is the same. Counts what came."""
        first: dict[str, dict[str, Any]] = {}
        came: defaultdict[str, list[str]] = defaultdict(list)
        for event in self.seen:
            if event["id"] not in first:
                first[event["id"]] = event
                came[event["subject"]].append(event["id"])
            assert first[event["id"]] == event
        assert came == self.expected
        assert len(came) == self.crises.count
        kinds = Counter(event["type"].rpartition(".")[2] for event in first.values())
        return kinds + Counter({"repeated": len(self.seen) - len(first)})


@pytest.fixture
def outage(mosquitto_at, gate, desk_at, subscriber):
    """A broker that drops nothing of what a slow subscriber has not read yet."""
    mosquitto = mosquitto_at("allow_anonymous true", "max_queued_messages 0")

    @contextlib.asynccontextmanager
    async def begin(count: int, lasts: float):
        async with gate(mosquitto.port) as way:
            yield Outage(desk_at, subscriber, mosquitto, way, Crises(count), lasts)

    return begin


FAULTS = {
    "killed": {},
    "killed, then frozen": {"frozen": True},
    "killed, the desk restarted": {"restarted": True},
    "killed, then frozen, the desk restarted": {"frozen": True, "restarted": True},
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_a_short_outage_costs_no_change(outage, faults):
    async with outage(20, lasts=0.3) as short:
        await short.run(**faults)
        assert short.check()["opened"] == 20


@pytest.mark.proof
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_ten_minutes_and_200_incidents(outage, faults):
    async with outage(200, lasts=10.0) as long:
        await long.run(**faults)
        came = long.check()
        print(dict(came))  # noqa: T201
        assert [came[one] for one in (Event.OPENED, Event.RAISED, Event.ACKNOWLEDGED, Event.NOTED)] == [
            200,
            200,
            200,
            400,
        ]
        assert came[Event.RESOLVED] == 100
