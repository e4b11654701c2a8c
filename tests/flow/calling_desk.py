"""A desk on which much happens, to be killed: `python calling_desk.py FOLDER MQTT_PORT WEBHOOK_PORT`.

It is the desk as it is composed, without posts: what detectors and people would do comes at random, from a seed. Each
line of its input is a run, `NUMBER [COMMIT]` or `finish`; a run is a fork, so that it begins at once, and falls by
itself within moments of that commit. Two lines are answered: its process, and how it has ended.

Written down for the one who compares, in FOLDER: `phases` of the runs, in `ledger` what callers were told, and in
`told to ...` what each address was.
"""

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import sys
import threading
import traceback
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from pathlib import Path

import orjson
from hearsay import Words
from webhooks import SECRET

from crisisdesk import app
from crisisdesk.app import App
from crisisdesk.clock import WallClock
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import OutputError, UsageError
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.match import WatchRule
from crisisdesk.mqtt import Broker
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.oncall.rota import Rota, Shift
from crisisdesk.outputs.base import Output, PersonalOutput
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.outputs.mqtt.output import MqttOutput
from crisisdesk.outputs.people.limit import Limit
from crisisdesk.outputs.webhook.line import Receiver
from crisisdesk.outputs.webhook.output import WebhookOutput
from crisisdesk.plan import Agreed, Plan
from crisisdesk.records import (
    Event,
    Incident,
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Severity,
    SourceStatus,
    Spike,
    Verdict,
)
from crisisdesk.resources import folder
from crisisdesk.sources.base import Edge
from crisisdesk.storage.file import File

WATCHES = ("Acme", "Zenith", "Müller & Söhne", "acme")
NUMBERS = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
RULES = Rules(timedelta(seconds=0.15), timedelta(seconds=0.4), timedelta(seconds=0.5))
PEOPLE = ("Ann", "Ben")
ADDRESSES = (Address("push", "Ann"), Address("push", "Ben"), Address("room"))
ORDERS = Orders(
    chains=(
        Chain(
            "red",
            (
                Step(("comms",), wait=timedelta(seconds=0.05), times=2),
                Step(("Ben", "room"), wait=timedelta(seconds=0.08)),
            ),
            severities=frozenset({Severity.RED}),
            rounds=2,
        ),
        Chain("amber", (Step(("Ann",), wait=timedelta(seconds=0.1)),)),
    ),
    rotas={"comms": Rota("comms", UTC, (Shift(PEOPLE),))},
    addresses=ADDRESSES,
    group_wait=timedelta(seconds=0.03),
    acknowledged_for=timedelta(seconds=0.3),
)


class Paper:
    """A file of JSON lines; what is written on it is there, however its writer ends."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, content: object) -> None:
        os.write(self._file, orjson.dumps(content) + b"\n")


class Told:
    """An address of people that is not always reached, and then takes its time to say that it was told."""

    def __init__(self, name: str, base: Path, chance: random.Random) -> None:
        self.name = name
        self.limit = Limit(3, timedelta(seconds=0.2))
        self._paper = Paper(base / f"told to {name}")
        self._chance = chance

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        yield

    async def ready(self) -> None:
        pass

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "live")

    async def tell(self, notifications: Sequence[Notification]) -> None:
        if self._chance.random() < 0.05:
            raise OutputError("out of reach")
        self._paper.write([[one.change.id, one.change.event] for one in notifications])
        await asyncio.sleep(self._chance.uniform(0, 0.01))


class Quiet:
    """A source on which nobody speaks."""

    name, pushes, resumes, cursor = "quiet", True, True, None

    def resume(self, cursor: str) -> None:
        raise AssertionError(f"{cursor} of a source that gave none")

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live")

    async def run(self, _: Edge) -> None:
        await asyncio.Event().wait()


class Life:
    """What detectors and people do to incidents; who has done something writes it into the ledger."""

    def __init__(self, register: Register, base: Path, run: str) -> None:
        self._register = register
        self._ledger = Paper(base / "ledger")
        self._run = run
        self._chance = random.Random(run)
        self._levels: dict[str, Severity | None] = dict.fromkeys(WATCHES)

    async def evidence(self) -> None:
        while True:
            await asyncio.sleep(self._chance.expovariate(100))
            watch = self._chance.choice(WATCHES)
            if self._chance.random() < 0.15:
                levels = (None, None, None, Severity.NOTICE, Severity.AMBER, Severity.RED, Severity.RED)
                self._levels[watch] = self._chance.choice(levels)
            told = await self._register.witness(
                Spike(watch, Kind.SPIKE, datetime.now(UTC), self._levels[watch], NUMBERS, "12 negative")
            )
            for one in told:
                self._write(one.incident, one.change.event, one.change.reason)

    async def people(self) -> None:
        for number in range(1_000_000):
            await asyncio.sleep(self._chance.expovariate(60))
            if incidents := self._register.incidents():
                incident = self._chance.choice(incidents[:8])
                with contextlib.suppress(UsageError):
                    await self._do(incident.id, self._chance.choice(PEOPLE), f"{self._run}.{number}")

    async def _do(self, incident: str, person: str, mark: str) -> None:
        register, now, doing = self._register, datetime.now(UTC), self._chance.random()
        if doing < 0.25:
            self._write(await register.acknowledge(incident, person, now), Event.ACKNOWLEDGED)
        elif doing < 0.4:
            after = await register.assign(incident, person, self._chance.choice(PEOPLE), now, mark)
            self._write(after, Event.ASSIGNED, mark)
        elif doing < 0.55:
            until = now + timedelta(seconds=self._chance.uniform(0.05, 1.0))
            after = await register.silence(incident, person, now, until=until, reason=f"{mark} until {until}")
            self._write(after, Event.SILENCED, mark)
        elif doing < 0.65:
            self._write(await register.lift(incident, person, now), Event.SILENCED, "no longer")
        elif doing < 0.75:
            self._write(await register.note(incident, person, mark, now), Event.NOTED, mark)
        elif doing < 0.9:
            verdict = self._chance.choice(list(Verdict))
            self._write(await register.resolve(incident, person, verdict, now), Event.RESOLVED, verdict)
        else:
            verdict = self._chance.choice(list(Verdict))
            self._write(await register.judge(incident, person, verdict, now), Event.NOTED, f"verdict: {verdict}")

    def _write(self, after: Incident, event: Event, words: str = "") -> None:
        self._ledger.write([after.id, event, after.updated.isoformat(), words])


async def work(base: Path, mqtt: int, webhook: int, run: str) -> None:
    phases, clock, stopping, chance = Paper(base / "phases"), WallClock(), asyncio.Event(), random.Random(f"{run}.")
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)

    def outputs(there: App) -> list[Output | PersonalOutput]:
        receiver = Receiver(f"http://127.0.0.1:{webhook}/hook", "hooks.example", secret=SECRET)
        return [
            MqttOutput(
                Broker("127.0.0.1", mqtt, timeout=5.0, will_delay=0),
                desk="killed",
                clock=clock,
                heartbeat=lambda: {"sources": [], "queues": {}, "outputs": [], "model": ""},
                waits=lambda: repeat(0.02),
                incidents=lambda: there.register.incidents(),  # noqa: PLW0108  it is not there yet
            ),
            WebhookOutput(receiver, desk="killed", clock=clock, name="suite", seconds=5.0),
            *(Told(one.name, base, chance) for one in ADDRESSES),
        ]

    plan = Plan(
        {WatchRule(name, (name,)): Standard() for name in WATCHES}, [Quiet()], base / "desk.db", folder("playbooks"),
        clock, Words, outputs=outputs, standing=Agreed(ORDERS), live=True,
    )  # fmt: skip
    async with App(plan) as desk:
        phases.write([run, "begun"])
        life = Life(desk.register, base, run)
        running = asyncio.create_task(desk.run())
        if run == "finish":
            await all_has_gone(desk)
            doing = []
        else:
            doing = [asyncio.create_task(one) for one in (life.evidence(), life.people())]
            asked = asyncio.create_task(stopping.wait())
            await asyncio.wait({asked, running, *doing}, return_when=asyncio.FIRST_COMPLETED)
        phases.write([run, "stopping"])
        for one in doing:
            one.cancel()
        for one in await asyncio.gather(*doing, return_exceptions=True):
            if isinstance(one, Exception):
                raise one
        desk.stop()
        await running
        assert not desk.register.trouble
    phases.write([run, "stopped"])


async def all_has_gone(desk: App) -> None:
    """Nothing has been owed for half a second; what is open may call again later."""
    quiet = 0
    while quiet < 10:
        await asyncio.sleep(0.05)
        owed = [await desk.store.waiting(one.name) for one in desk.deliveries]
        quiet = 0 if any(owed) else quiet + 1


def falls_at(commit: int, chance: random.Random) -> None:
    """This process ends by itself about when the database commits for the so many-th time."""
    connect = File.open

    def traced(file: File) -> sqlite3.Connection:
        database, commits = connect(file), 0

        def trace(statement: str) -> None:
            nonlocal commits
            commits += statement == "COMMIT"
            if commits == commit:
                commits += 1
                threading.Timer(chance.uniform(0, 0.004), os.kill, (os.getpid(), signal.SIGKILL)).start()

        database.set_trace_callback(trace)
        return database

    File.open = traced  # type: ignore[method-assign]


def main() -> None:
    base, mqtt, webhook = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    app.Rules = lambda: RULES  # type: ignore[attr-defined]
    app.Delivery = partial(Delivery, waits=lambda: repeat(0.02), flush_seconds=2)  # type: ignore[misc]
    for line in sys.stdin:
        run, *commit = line.split()
        if not (process := os.fork()):
            status = 1
            try:
                if commit:
                    falls_at(int(*commit), random.Random(run))
                asyncio.run(work(base, mqtt, webhook, run))
                status = 0
            except BaseException:  # noqa: BLE001 - whatever it is, this process must not go on to the next run
                traceback.print_exc()
            finally:
                os._exit(status)
        answer(process)
        answer(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def answer(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
