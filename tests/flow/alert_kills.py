"""A desk that is killed again and again while incidents call people, and what came of it outside and inside.

Outside are a broker, a receiver of webhooks and three addresses of people; inside are the timelines that the desk
leaves. What one knows, the others must.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import orjson
from aiohttp import web
from webhooks import SECRET

from crisisdesk.net.signing import HEADER, digest
from crisisdesk.records import EPOCH, Change, Event, Incident, Severity
from crisisdesk.storage import codec

FLOW = Path(__file__).parent
ADDRESSES = ("push to Ann", "push to Ben", "room")
ASKED = frozenset({Event.CALLED, Event.UNANSWERED})


@dataclass
class Outside:
    """What has arrived, in its order."""

    chance: random.Random
    events: dict[str, list[bytes]] = field(default_factory=lambda: {"mqtt": [], "suite": []})
    is_patient: bool = False
    """Whether the receiver of webhooks takes everything at once."""
    port: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        t, v1 = (part.split("=")[1] for part in request.headers[HEADER].split(","))
        assert v1 == digest(SECRET, int(t), body)
        if not self.is_patient and self.chance.random() < 0.03:
            return web.Response(status=503)
        self.events["suite"].append(body)
        if not self.is_patient:
            await asyncio.sleep(self.chance.uniform(0, 0.01))
        return web.Response(status=204)

    async def listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = str(message.topic), bytes(message.payload)  # type: ignore[arg-type]
            if topic.endswith("/event"):
                self.events["mqtt"].append(payload)


@contextlib.asynccontextmanager
async def outside(mqtt: int, chance: random.Random) -> AsyncIterator[Outside]:
    there = Outside(chance)
    application = web.Application()
    application.router.add_post("/hook", there.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    there.port = runner.addresses[0][1]
    async with aiomqtt.Client("127.0.0.1", mqtt) as client:
        await client.subscribe("crisisdesk/killed/#", qos=1)
        listening = asyncio.create_task(there.listen(client))
        try:
            yield there
        finally:
            listening.cancel()
            await asyncio.wait({listening})
            await runner.cleanup()


@dataclass
class Desks:
    """Runs of one desk, one after the other."""

    base: Path
    process: asyncio.subprocess.Process

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, base: Path, *ports: int) -> AsyncIterator["Desks"]:
        places = os.pathsep.join([str(FLOW), os.environ.get("PYTHONPATH", "")])
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(FLOW / "calling_desk.py"), str(base), *map(str, ports),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": places, "PYTHONWARNINGS": "error"},
        )  # fmt: skip
        try:
            yield cls(base, process)
        finally:
            assert process.stdin
            process.stdin.close()
            await process.wait()

    async def kill(self, run: int, chance: random.Random) -> None:
        """One run, ended without a word of warning: at its beginning, amid its work, in a commit or at its end."""
        when = chance.random()
        if when < 0.25:
            await self.begin(f"{run} {chance.randint(1, 200)}")
        else:
            process = await self.begin(str(run))
            if when < 0.4:
                await asyncio.sleep(chance.uniform(0.0, 0.05))
            elif when < 0.6:
                await asyncio.sleep(chance.uniform(0.2, 0.8))
                os.kill(process, signal.SIGTERM)
                await asyncio.sleep(chance.uniform(0.0, 0.08))
            else:
                await asyncio.sleep(chance.uniform(0.05, 1.5))
            with contextlib.suppress(ProcessLookupError):  # it has stopped in order, just before
                os.kill(process, signal.SIGKILL)
        assert int(await self._line()) in {-signal.SIGKILL, 0}
        self.is_whole()

    async def finish(self) -> None:
        """A run that is left alone until nothing is owed."""
        await self.begin("finish")
        assert int(await asyncio.wait_for(self._line(), 60)) == 0
        self.is_whole()

    async def begin(self, what: str) -> int:
        assert self.process.stdin
        self.process.stdin.write(f"{what}\n".encode())
        return int(await self._line())

    def is_whole(self) -> None:
        """Look at a copy, so that the desk finds what it has left, and not what we have mended."""
        copies = self.base / "copies"
        copies.mkdir(exist_ok=True)
        for file in self.base.glob("desk.db*"):
            shutil.copy(file, copies / file.name)
        with contextlib.closing(sqlite3.connect(copies / "desk.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        shutil.rmtree(copies)

    async def _line(self) -> str:
        assert self.process.stdout
        return (await self.process.stdout.readline()).decode()


@dataclass
class Inside:
    """What the desk has left."""

    incidents: dict[str, Incident]
    timelines: dict[str, list[Change]]
    owed: int

    @classmethod
    def of(cls, path: Path) -> "Inside":
        with contextlib.closing(sqlite3.connect(path)) as database:
            incidents = [codec.incident(text) for (text,) in database.execute("SELECT record FROM incidents")]
            timelines = defaultdict(list)
            query = "SELECT incident, sequence, record FROM changes ORDER BY incident, sequence"
            for incident, sequence, text in database.execute(query):
                change = codec.change(text)
                assert (change.incident, change.sequence) == (incident, sequence)
                timelines[incident].append(change)
            ((owed,),) = database.execute("SELECT count(*) FROM outbox").fetchall()
        return cls({one.id: one for one in incidents}, dict(timelines), owed)

    @property
    def changes(self) -> dict[str, Change]:
        return {change.id: change for timeline in self.timelines.values() for change in timeline}


async def killed(base: Path, mqtt: int, kills: int, seed: int = 1) -> Counter[str]:
    """Kill a desk so often and compare; returns what there was to compare."""
    chance = random.Random(seed)
    async with outside(mqtt, chance) as there, Desks.open(base, mqtt, there.port) as desks:
        for run in range(kills):
            await desks.kill(run, chance)
        there.is_patient = True
        await desks.finish()
        retained = await standing(mqtt)
    inside = Inside.of(base / "desk.db")
    assert inside.owed == 0
    for incident, timeline in inside.timelines.items():
        assert [change.sequence for change in timeline] == [*range(1, len(timeline) + 1)], incident
    repeated = Counter({name: machine_was_told(inside, events, kills) for name, events in there.events.items()})
    for name in ADDRESSES:
        repeated[name] = people_were_told(inside, name, _lines(base / f"told to {name}"), kills)
    callers_were_told_the_truth(inside, _lines(base / "ledger"))
    for timeline in inside.timelines.values():
        nobody_was_called_in_vain(timeline)
    assert {name: state["data"]["incident"]["state"] for name, state in retained.items()} == {
        one.id: one.state.value for one in inside.incidents.values() if one.is_open
    }
    phases = Counter(phase for _, phase in _lines(base / "phases"))
    events = Counter(change.event.value for change in inside.changes.values())
    return phases + events + Counter({f"{name} again": count for name, count in repeated.items()})


async def standing(mqtt: int) -> dict[str, dict[str, Any]]:
    """What somebody sees who comes late, by incident."""
    found = {}
    async with aiomqtt.Client("127.0.0.1", mqtt) as client:
        await client.subscribe("crisisdesk/killed/alert/+/state", qos=1)
        await client.subscribe("over", qos=1)
        await client.publish("over", b"", qos=1)
        async for message in client.messages:
            if str(message.topic) == "over":
                return found
            found[str(message.topic).split("/")[3]] = orjson.loads(bytes(message.payload))  # type: ignore[arg-type]
    raise AssertionError


def machine_was_told(inside: Inside, bodies: list[bytes], kills: int) -> int:
    """Every change, nothing else, in order, each under one id with one content; returns how many came again."""
    by_id: dict[str, bytes] = {}
    for body in bodies:
        name = orjson.loads(body)["id"]
        assert by_id.setdefault(name, body) == body, f"{name} says two things"
    assert inside.changes.keys() - by_id.keys() == set(), "lost"
    assert by_id.keys() - inside.changes.keys() == set(), "made up"
    order = defaultdict(list)
    for name, body in by_id.items():
        event, change = orjson.loads(body), inside.changes[name]
        assert event["type"] == f"crisisdesk.incident.{change.event.value}"
        assert event["data"]["incident"]["severity"] == str(change.severity)
        order[event["subject"]].append(change.sequence)
    assert all(sequences == sorted(sequences) for sequences in order.values())
    again = len(bodies) - len(by_id)
    assert again <= kills, "more than what was under way"
    return again


def people_were_told(inside: Inside, name: str, messages: list[Any], kills: int) -> int:
    """Everything that was for this address, and nothing else; returns how many messages came again."""
    told = Counter(change for message in messages for change, _ in message)
    assert told.keys() == {change.id for change in inside.changes.values() if name in change.to}
    assert all(inside.changes[change].event.value == event for message in messages for change, event in message)
    seen: set[str] = set()
    again = 0
    for message in messages:
        again += any(change in seen for change, _ in message)
        seen |= {change for change, _ in message}
    assert again <= kills
    return again


def callers_were_told_the_truth(inside: Inside, ledger: Iterable[Any]) -> None:
    """What somebody was told has happened stands in the timeline."""
    known = {(change.incident, change.event.value, change.time) for change in inside.changes.values()}
    words = defaultdict(str)
    for change in inside.changes.values():
        words[change.incident, change.event.value, change.time] += change.reason
    for incident, event, time, said in ledger:
        key = incident, event, datetime.fromisoformat(time)
        assert key in known
        assert said in words[key]


def nobody_was_called_in_vain(timeline: list[Change]) -> None:
    """While somebody has it, it is silent or over, it does not call."""
    held, silent, over = False, (EPOCH, Severity.NOTICE), False
    for change in timeline:
        if change.event in ASKED:
            assert not held, change
            assert not over, change
            until, severity = silent
            assert until <= change.time or change.severity > severity, change
        elif change.event is Event.ACKNOWLEDGED:
            held = True
        elif change.event in {Event.RAISED, Event.REOPENED, Event.LAPSED}:
            held = over = False
        elif change.event is Event.RESOLVED:
            held, over = False, True
        elif change.event is Event.SILENCED:
            silent = _end(change.reason), change.severity


def _end(reason: str) -> datetime:
    return EPOCH if reason == "no longer" else datetime.fromisoformat(reason.split(" until ")[1])


def _lines(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []
