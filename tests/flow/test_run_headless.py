"""`crisisdesk run --headless` as operators run it: a stream over a socket, a broker, a signal, a restart.

The desk has listened for a fortnight before (its database is prepared in this process); then a storm comes over the
socket, which the shipped model judges.
"""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from aiohttp import web
from amqtt.broker import Broker as Amqtt
from hearsay import Words

from crisisdesk.app import App, Plan
from crisisdesk.clock import WallClock
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.records import Post
from crisisdesk.resources import folder
from crisisdesk.sources.file.replay import Replay

pytestmark = [
    pytest.mark.timeout(180),
    pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix"),
]

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
PATIENCE = 60.0
STORM = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def mosquitto(base: Path, port: int):
    config = base / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nlog_dest stderr\n")
    process = subprocess.Popen([str(MOSQUITTO), "-c", config], stderr=subprocess.PIPE)
    assert process.stderr
    try:
        assert any(b"running" in line for line in process.stderr)
        yield
    finally:
        process.kill()
        process.communicate()


@contextlib.asynccontextmanager
async def amqtt(port: int) -> AsyncIterator[None]:
    broker = Amqtt(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        await broker.start()
        yield
        await broker.shutdown()


@pytest.fixture
async def broker(tmp_path) -> AsyncIterator[int]:
    """A broker's port: mosquitto's, or where it is absent, and must not be absent, that of one in this process."""
    port = free_port()
    if MOSQUITTO:
        with mosquitto(tmp_path, port):
            yield port
        return
    if os.environ.get("CI") == "true":
        pytest.fail("mosquitto is missing: the continuous integration has to install it")
    async with amqtt(port):
        yield port


class Jetstream:
    """A server that sends every client what it has, and what is added later."""

    def __init__(self) -> None:
        self.frames: list[str] = []
        self.cursors: list[str | None] = []
        self.url = ""
        self._more = asyncio.Condition()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.cursors.append(request.query.get("cursor"))
        answer, sent = web.WebSocketResponse(), 0
        await answer.prepare(request)
        with contextlib.suppress(ConnectionError):
            while True:
                for frame in self.frames[sent:]:
                    await answer.send_str(frame)
                    sent += 1
                async with self._more:
                    await self._more.wait_for(lambda: len(self.frames) > sent)  # noqa: B023 - looked at here only
        return answer

    async def add(self, texts: Sequence[str], begin: datetime, seconds: float, author: str) -> None:
        """Posts from `begin` on, spread over so many seconds."""
        async with self._more:
            for n, text in enumerate(texts):
                time_us = int((begin + timedelta(seconds=n * seconds / len(texts))).timestamp() * 1e6)
                record = {"$type": "app.bsky.feed.post", "createdAt": "x", "langs": ["en"], "text": text}
                commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": f"k{n}", "record": record}
                frame = {"did": f"did:plc:{author}{n}", "time_us": time_us, "kind": "commit", "commit": commit}
                self.frames.append(json.dumps(frame))
            self._more.notify_all()


@pytest.fixture
async def jetstream() -> AsyncIterator[Jetstream]:
    server = Jetstream()
    application = web.Application()
    application.router.add_get("/subscribe", server.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/subscribe"
    yield server
    await runner.cleanup()


@dataclass
class Inbox:
    """What a subscriber has received."""

    messages: list[tuple[str, bytes, bool]] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    def payloads(self, end: str) -> list[bytes]:
        return [payload for topic, payload, _ in self.messages if topic.endswith(end)]

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for payload in self.payloads("/event")]

    def beats(self) -> list[dict[str, Any]]:
        return [json.loads(payload)["data"] for payload in self.payloads("/heartbeat")]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE), self.arrived:
            await self.arrived.wait_for(lambda: bool(condition()))


@contextlib.asynccontextmanager
async def subscriber(port: int) -> AsyncIterator[Inbox]:
    inbox = Inbox()

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            async with inbox.arrived:
                inbox.messages.append((str(message.topic), bytes(message.payload), message.retain))
                inbox.arrived.notify_all()

    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V311) as client:
        await client.subscribe("crisisdesk/#", qos=1)
        reading = asyncio.create_task(read(client))
        try:
            yield inbox
        finally:
            reading.cancel()
            await asyncio.wait({reading})


async def listen_for_a_fortnight(database: Path, now: datetime) -> None:
    """Five posts an hour about Acme, one in six of them negative, up to an hour ago; the desk stops in order."""
    chance = random.Random(1)
    times = sorted(now - timedelta(seconds=chance.uniform(3_600, 15 * 86_400)) for _ in range(15 * 24 * 5))
    posts = (
        Post(f"h{n}", "bluesky", time, f"acme {'awful' if n % 6 == 0 else 'today'} {n}", f"reader{n % 300}", "en")
        for n, time in enumerate(times)
    )
    plan = Plan(
        {WatchRule("Acme", ("acme",)): Standard()},
        [Replay("history", posts, WallClock())],
        database,
        folder("playbooks"),
        WallClock(),
        Words,
        live=True,
    )
    async with App(plan) as app:
        await app.run()
        assert [one for one in app.register.incidents() if one.is_open] == []


CONFIGURATION = """[desk]
name = "acme"
database = "acme.db"

[[watch]]
name = "Acme"
terms = ["acme"]

[[source]]
kind = "bluesky"
url = "{url}"
history_hours = 0

[[output]]
kind = "mqtt"
host = "127.0.0.1"
port = {port}
heartbeat_seconds = 1
"""


@dataclass
class Desk:
    """A running `crisisdesk run --headless`."""

    process: asyncio.subprocess.Process
    base: Path

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()

    def printed(self) -> str:
        return (self.base / "stdout").read_text()

    def logged(self) -> str:
        return (self.base / "stderr").read_text()


@contextlib.asynccontextmanager
async def running(base: Path) -> AsyncIterator[Desk]:
    with (base / "stdout").open("wb") as out, (base / "stderr").open("wb") as err:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "crisisdesk", "run", "--headless", "-c", str(base / "desk.toml")),
            cwd=base.parent,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        desk = Desk(process, base)
        try:
            yield desk
        except TimeoutError:
            pytest.fail(f"nothing came for {PATIENCE:.0f} s; the desk said:\n{desk.printed()}\n{desk.logged()}")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


ANGRY = [
    f"acme {what}, I am {how} and I will never buy from you again"
    for what in ("lied to us", "makes fun of mothers", "poisoned my dog", "ruined everything", "is a shameless insult")
    for how in ("disgusted", "furious", "so angry", "ashamed of you", "sick of it", "appalled", "crying", "done", "mad")
    for _ in range(2)
][:STORM]


@pytest.fixture
async def base(tmp_path, jetstream) -> Path:
    """The folder of a desk that has listened for a fortnight; a storm waits for it on the stream."""
    folder_of_desk = tmp_path / "a desk"
    folder_of_desk.mkdir()
    now = datetime.now(UTC)
    await listen_for_a_fortnight(folder_of_desk / "acme.db", now)
    await jetstream.add(ANGRY, now - timedelta(minutes=20), 1_200, "angry")
    return folder_of_desk


def configure(base: Path, jetstream: Jetstream, port: int) -> None:
    (base / "desk.toml").write_text(CONFIGURATION.format(url=jetstream.url, port=port), encoding="utf-8")


async def see_the_storm(inbox: Inbox) -> dict[str, Any]:
    """Wait until the storm has gone through; the incident as it opened."""
    await inbox.until(lambda: any(one["data"]["incident"]["severity"] == "red" for one in inbox.events()))
    await inbox.until(lambda: inbox.beats() and inbox.beats()[-1]["sources"][0]["matched"] == STORM)
    await inbox.until(lambda: not any(inbox.beats()[-1]["queues"].values()))
    await inbox.until(lambda: inbox.beats()[-1]["outputs"][0]["waiting"] == 0)
    first = inbox.events()[0]
    assert [one["type"] for one in inbox.events()].count("crisisdesk.incident.opened") == 1
    assert first["type"] == "crisisdesk.incident.opened"
    incident: dict[str, Any] = first["data"]["incident"]
    assert (incident["watch"], incident["kind"], incident["state"]) == ("Acme", "spike", "open")
    assert list(incident["evidence"]["sources"]) == ["bluesky"]
    assert "acme" in incident["evidence"]["posts"][0]["text"]
    assert incident["playbook"]["title"]
    return incident


async def look_in_late(port: int, incident: str) -> None:
    """Whoever subscribes now sees that the desk is there and which incident is open, and no old events."""
    async with subscriber(port) as late:
        await late.until(lambda: late.payloads("/state") and late.payloads("/status"))
        kept = {topic: payload for topic, payload, retained in late.messages if retained}
        assert set(kept) == {"crisisdesk/acme/status", f"crisisdesk/acme/alert/{incident}/state"}
        assert kept["crisisdesk/acme/status"] == b"online"
        state = json.loads(kept[f"crisisdesk/acme/alert/{incident}/state"])
        assert (state["subject"], state["data"]["incident"]["severity"]) == (incident, "red")
        assert late.events() == []


async def test_a_storm_on_the_stream_is_on_the_broker_and_survives_a_restart(base, jetstream, broker):
    configure(base, jetstream, broker)
    async with subscriber(broker) as inbox, running(base) as desk:
        incident = await see_the_storm(inbox)
        beat = inbox.beats()[-1]
        assert (beat["sources"][0]["state"], beat["sources"][0]["dropped"]) == ("live", 0)
        assert beat["outputs"][0]["state"] == "live"
        assert "@" in beat["model"]
        assert inbox.payloads("/status") == [b"online"]
        await look_in_late(broker, incident["id"])
        assert await desk.stop() == 0
        await inbox.until(lambda: inbox.payloads("/status") == [b"online", b"offline"])
        (opened,) = [line for line in desk.printed().splitlines() if " OPENED " in line]
        assert " Acme " in opened
        assert "source bluesky" in desk.logged()
        assert "Traceback" not in desk.logged()

    jetstream.frames.clear()
    await jetstream.add(["the acme shop is open today", "acme coffee"], datetime.now(UTC), 1, "calm")
    async with subscriber(broker) as inbox, running(base) as desk:
        await inbox.until(lambda: any(beat["sources"][0]["matched"] == 2 for beat in inbox.beats()))
        await inbox.until(lambda: not any(inbox.beats()[-1]["queues"].values()))
        await look_in_late(broker, incident["id"])
        assert await desk.stop() == 0
        assert "crisisdesk.incident.opened" not in {event["type"] for event in inbox.events()}
        assert {event["subject"] for event in inbox.events()} <= {incident["id"]}
        (still,) = [line for line in desk.printed().splitlines() if " OPEN " in line]
        assert still.endswith("(nobody has it)")
        assert "Traceback" not in desk.logged()
    assert [cursor is None for cursor in jetstream.cursors] == [True] + [False] * (len(jetstream.cursors) - 1)


async def test_what_no_broker_took_is_delivered_after_the_next_start(base, jetstream, broker):
    configure(base, jetstream, free_port())
    async with running(base) as desk:
        async with asyncio.timeout(PATIENCE):
            while " RED " not in desk.printed() or "output mqtt" not in desk.logged():  # noqa: ASYNC110 - a file
                await asyncio.sleep(0.1)
        assert await desk.stop() == 0
        assert "Traceback" not in desk.logged()
    told = [line.split()[2] for line in desk.printed().splitlines()]
    jetstream.frames.clear()
    configure(base, jetstream, broker)
    async with subscriber(broker) as inbox, running(base) as desk:
        await inbox.until(lambda: len(inbox.events()) >= len(told))
        assert [event["type"].rpartition(".")[2].upper() for event in inbox.events()] == told
        assert len({event["id"] for event in inbox.events()}) == len(told)
        assert await desk.stop() == 0
