"""A desk that is killed at random moments, and one that is left alone, over the same numbered posts.

They come in three ways. A server plays a stream over a real socket as Jetstream does: from the cursor on, the event at
the cursor itself again; and it misbehaves: lines are cut, frames come slowly. A sender posts to a webhook, and repeats
until it is told that the posts are safe. A file is written on and rotated. What is compared is the database that each
desk leaves.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.detect.windows import WINDOWS
from crisisdesk.storage.store import Store

PROGRAM = """
import sys
from datetime import timedelta
from hearsay import Words
from crisisdesk.engine import rounds
from crisisdesk.cli import configured
from crisisdesk.cli.main import main

rounds.LOOK_EVERY, rounds.SAVE_EVERY = 0.05, timedelta(seconds=float(sys.argv[1]))
configured.load_shipped_model = Words
main(["run", "-c", "desk.toml", "--headless"])
"""
"""A desk as it is run, with a model that one word decides and with saves that come as often as the kills."""
SPACING = timedelta(seconds=3)
EARLY = 0.1
"""The part of the kills that come before the desk listens."""
NOUNS = (
    "coffee",
    "train",
    "garden",
    "bottle",
    "dinner",
    "window",
    "winter",
    "ticket",
    "bicycle",
    "kitchen",
    "mountain",
)


@dataclass
class Numbered:
    """A stream of so many events, of which one in three concerns a watch; the end of it is now."""

    events: int
    chance: random.Random
    lasting: float
    """Seconds that it takes, about, while there are faults."""
    faults: bool = True
    said_now: bool = False
    """Who does not say where it was hears all of it, as if it were said just now."""
    played_to: int = 0
    """The event that was sent last over any connection."""
    connections: int = 0
    """How often somebody has come to listen."""
    url: str = ""
    frames: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin = datetime.now(UTC) - self.events * SPACING
        self.frames = [json.dumps(self._event(number)) for number in range(self.events)]

    def _event(self, number: int) -> dict[str, Any]:
        words = " ".join(random.Random(number).sample(NOUNS, 6))
        brand = {0: "acme", 1: "zenith", 2: "acme and zenith"}.get(number % 9, "nobody")
        text = f"{brand} {'awful ' if number % 2 else ''}{words} {number}"
        record = {"$type": "app.bsky.feed.post", "createdAt": "x", "langs": ["en"], "text": text}
        commit = {"operation": "create", "collection": "app.bsky.feed.post", "rkey": f"k{number}", "record": record}
        return {"did": f"did:plc:p{number}", "time_us": self._time_us(number), "kind": "commit", "commit": commit}

    def _time_us(self, number: int) -> int:
        return int((self.begin + number * SPACING).timestamp() * 1e6)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        self.connections += 1
        from_now_on = self._time_us(0 if self.said_now else self.events)
        cursor = int(request.query.get("cursor", from_now_on))
        first = next((n for n in range(self.events) if self._time_us(n) >= cursor), self.events)
        with contextlib.suppress(ConnectionError):
            for number in range(first, self.events):
                await answer.send_str(self.frames[number])
                self.played_to = max(self.played_to, number)
                if self.faults and number % 20 == 0:
                    await asyncio.sleep(self.chance.expovariate(self.events / 20 / self.lasting))
                    if self.chance.random() < 0.01 and request.transport:
                        request.transport.abort()
                        return answer
            await answer.receive()
        return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class Sender:
    """Posts to a webhook, a few at a time; each request is repeated until the desk says that it has it."""

    posts: int
    chance: random.Random
    port: int = field(default_factory=free_port)
    repeated: int = 0
    """Requests that had to be sent once more."""

    def __post_init__(self) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=50)
        self._lines = [json.dumps(_written(f"w{n}", begin + n * timedelta(seconds=2))) for n in range(self.posts)]

    async def run(self, lasting: float) -> None:
        """Send all of them, within so many seconds while the desk is there."""
        address, sent = f"http://127.0.0.1:{self.port}/ingest/suite", 0
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while sent < self.posts:
                some = self.chance.randint(1, 40)
                body = "\n".join(self._lines[sent : sent + some])
                while not await self._is_taken(session, address, body):
                    self.repeated += 1
                    await asyncio.sleep(0.1)
                sent += some
                await asyncio.sleep(self.chance.expovariate(self.posts / 20 / max(lasting, 0.01)))

    async def _is_taken(self, session: aiohttp.ClientSession, address: str, body: str) -> bool:
        try:
            async with session.post(address, data=body, headers={"Content-Type": "application/x-ndjson"}) as answer:
                return answer.status == HTTPStatus.ACCEPTED
        except (aiohttp.ClientError, TimeoutError):
            return False


@dataclass
class Writer:
    """Writes posts on in a file, and rotates it as logrotate does."""

    posts: int
    chance: random.Random
    path: Path

    def __post_init__(self) -> None:
        begin = datetime.now(UTC) - timedelta(minutes=50)
        self._lines = [json.dumps(_written(f"f{n}", begin + n * timedelta(seconds=2))) for n in range(self.posts)]
        self.path.touch()

    async def run(self, lasting: float) -> None:
        """Write all of them, within about so many seconds, each line in two parts."""
        for number, line in enumerate(self._lines):
            if number and number % (self.posts // 4) == 0:
                self.path.rename(self.path.with_suffix(f".jsonl.{number}"))
            with self.path.open("a") as file:
                file.write(line[:40])
                file.flush()
                file.write(line[40:] + "\n")
            if number % 10 == 0:
                await asyncio.sleep(self.chance.expovariate(self.posts / 10 / max(lasting, 0.01)))


def _written(name: str, time: datetime) -> dict[str, str]:
    words = " ".join(random.Random(name).sample(NOUNS, 6))
    where = {"w": "posted", "f": "logged"}[name[0]]  # plain words and numbers: a "w17" at the end would hide a copy
    text = f"acme {'awful ' if name.endswith(('1', '5')) else ''}{words} {where} {name[1:]}"
    return {"id": name, "time": time.isoformat(), "text": text, "author": f"a{name}", "lang": "en"}


@contextlib.asynccontextmanager
async def served(stream: Numbered) -> AsyncIterator[Numbered]:
    application = web.Application()
    application.router.add_get("/subscribe", stream.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    stream.url = f"ws://127.0.0.1:{runner.addresses[0][1]}/subscribe"
    yield stream
    await runner.cleanup()


def configure(folder: Path, stream: Numbered, port: int, file: Path) -> Path:
    """A desk that listens there, in a folder of its own."""
    folder.mkdir(exist_ok=True)
    (folder / "desk.toml").write_text(
        '[desk]\nname = "killed"\ndatabase = "desk.db"\n'
        '[[watch]]\nname = "Acme"\nterms = ["acme"]\n[[watch]]\nname = "Zenith"\nterms = ["zenith"]\n'
        f'[server]\nlisten = "127.0.0.1:{port}"\n[[source]]\nkind = "webhook"\nname = "suite"\n'
        f'[[source]]\nkind = "file"\nname = "log"\npath = "{file}"\nfollow = true\n'
        f'[[source]]\nkind = "bluesky"\nurl = "{stream.url}"\nhistory_hours = 0\n'
    )
    return folder


async def has_heard(folder: Path, stream: Numbered) -> None:
    """The desk was there when the stream began."""
    async with await Store.open(folder / "desk.db") as store:
        await store.keep("cursor bluesky", str(stream._time_us(0)).encode())


async def started(folder: Path, save_every: float) -> asyncio.subprocess.Process:
    places = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(save_every), cwd=folder, env={**os.environ, "PYTHONPATH": places},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip


async def killed(folder: Path, stream: Numbered, save_every: float, early: float = EARLY) -> None:
    """A run that is ended by the system, without a word of warning: while it starts, or a while after it has begun."""
    before, chance = stream.connections, stream.chance
    desk = await started(folder, save_every)
    if chance.random() < early:
        await asyncio.sleep(chance.uniform(0.1, 1.0))
    else:
        async with asyncio.timeout(60):
            while stream.connections == before:  # noqa: ASYNC110  the stream tells nobody
                await asyncio.sleep(0.02)
        await asyncio.sleep(chance.uniform(0.0 if early else 1.0, 1.5))
    desk.send_signal(signal.SIGKILL)
    await desk.wait()


async def to_the_end(folder: Path, stream: Numbered, *others: "asyncio.Task[None]") -> None:
    """A run that hears the last event and is stopped in order."""
    stream.faults, stream.played_to = False, 0
    desk = await started(folder, 60.0)
    async with asyncio.timeout(120):
        while stream.played_to < stream.events - 1:  # noqa: ASYNC110  the stream tells nobody
            await asyncio.sleep(0.05)
        await asyncio.gather(*others)
    await asyncio.sleep(2.0)  # the last lines are on their way; what has arrived is finished
    desk.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(desk.wait(), 60) == 0


async def counts(folder: Path, at: datetime) -> dict[str, object]:
    """What the windows of each watch hold, all of them as they are at one moment, and what came too late for them."""
    found: dict[str, object] = {}
    async with await Store.open(folder / "desk.db") as store:
        assert await store.mailbox("suite") == []
        for name in ("Acme", "Zenith"):
            detector = WatchDetector(name)
            assert detector.restore(json.loads(await store.kept(f"watch {name}") or b"")) == ()
            detector.pass_time(at)
            windows = {width: detector.detector.window(width) for width in WINDOWS}
            found[name] = (windows, detector.late)
    return found


async def compared(
    base: Path, events: int, kills: int, lasting: float, seed: int = 1
) -> tuple[dict[str, object], dict[str, object]]:
    """The counts of the desk that was killed and of the one that was left alone."""
    chance, mid_stream = random.Random(seed), 0
    async with served(Numbered(events, chance, lasting)) as stream:
        sender, writer = Sender(events // 10, chance), Writer(events // 10, chance, base / "posts.jsonl")
        disturbed = configure(base / "disturbed", stream, sender.port, writer.path)
        await has_heard(disturbed, stream)
        await killed(disturbed, stream, save_every=0.05, early=0.0)  # from here on it has begun with every source
        others = [asyncio.create_task(one.run(0.8 * lasting)) for one in (sender, writer)]
        for _ in range(kills):
            await killed(disturbed, stream, save_every=chance.choice((0.05, 0.3, 1.0)))
            mid_stream += 0 < stream.played_to < events - 1
        assert mid_stream >= 0.7 * kills, f"only {mid_stream} of {kills} kills fell into the stream"
        await to_the_end(disturbed, stream, *others)
        whole = base / "whole.jsonl"
        whole.write_text("\n".join(writer._lines) + "\n")
        alone = configure(base / "alone", stream, sender.port, whole)
        await has_heard(alone, stream)
        await to_the_end(alone, stream, asyncio.create_task(sender.run(0.0)))
        end = datetime.now(UTC)
        return await counts(disturbed, end), await counts(alone, end)


def total(found: dict[str, object]) -> int:
    """Posts of the first watch in its largest window."""
    windows, _ = found["Acme"]  # type: ignore[misc]
    return int(windows[WINDOWS[-1]][0])


def in_stream(events: int) -> int:
    """The same, of a whole stream."""
    return sum(number % 9 in {0, 2} for number in range(events))


def expected(events: int) -> int:
    """The same, of all three ways together."""
    return in_stream(events) + 2 * (events // 10)
