"""A desk that hears a crowd over a socket and tells a broker, each in a process of its own; and when what came out.

The frames are made beforehand and written at the moments that they name. Which post brought a change about is known
exactly: the change has the post's time, to the microsecond.
"""

import asyncio
import contextlib
import json
import math
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
from aiohttp import web
from jetstreams import Jetstream, as_on_the_network, v1
from latency_crowd import Crowd, Words, distinct_posts_per_second

from crisisdesk.storage.store import Store

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
TIPPING = ("opened", "raised", "reopened")
"""Changes that a post brings about."""
WANTED = 1.0
"""Seconds for 99 of 100."""
MENTIONS, COPIES = 500.0, 0.8
RUNS = 3
"""A machine that others use as well is measured so often where the first run is too slow; then the median counts."""
Beside = Callable[[Path], AbstractAsyncContextManager[object]]


@dataclass
class Played:
    """What was said, as frames, and when each of them was written to the socket."""

    posts: Sequence[tuple[float, str, str]]
    frames: list[str] = field(default_factory=list)
    moments: list[int] = field(default_factory=list)
    """Of each in microseconds, as the frames say."""
    written: list[float] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self, at: float) -> None:
        """All that is said comes so many seconds after this moment."""
        chance = random.Random(5)
        for number, (moment, _, text) in enumerate(self.posts):
            self.moments.append(round((at + moment) * 1e6))
            event = as_on_the_network(number, text, chance) | {"time_us": self.moments[-1]}
            self.frames.append(v1(event))

    async def answer(self, request: web.Request) -> web.StreamResponse:
        line = web.WebSocketResponse(compress=False)
        await line.prepare(request)
        await self.go.wait()
        for moment, frame in zip(self.moments, self.frames, strict=True):
            while (wait := moment / 1e6 - time.time()) > 0:  # noqa: ASYNC110  it may wake too early
                await asyncio.sleep(wait)
            self.written.append(time.time())
            await line.send_str(frame)
        self.over.set()
        await line.receive()
        return line


@dataclass
class Heard:
    """What a subscriber has received, and when."""

    events: list[tuple[float, bytes]] = field(default_factory=list)
    beats: list[dict[str, Any]] = field(default_factory=list)

    async def until_it_judges(self, desk: asyncio.subprocess.Process) -> None:
        async with asyncio.timeout(60):
            while not (self.beats and self.beats[-1]["model"] and self.beats[-1]["sources"]):
                assert desk.returncode is None, "the desk has ended; its log says why"
                await asyncio.sleep(0.1)

    async def until_it_has_judged(self, posts: int) -> None:
        """No longer than a minute: what has not gone through by then is missing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(60):
                while any(self.beats[-1]["queues"].values()) or self.beats[-1]["sources"][0]["posts"] < posts:  # noqa: ASYNC110
                    await asyncio.sleep(0.5)
                await asyncio.sleep(2.0)


@dataclass(frozen=True)
class Figures:
    """What a run has shown; seconds."""

    latencies: Sequence[float]
    """Of all changes that a post brought about, ascending."""
    by_event: dict[str, int]
    rate: float
    """Posts a second that were written to the socket."""
    posts: int
    matched: int
    dropped: int
    copies: float
    longest_queue: int
    incidents: int
    elsewhere: int
    """Changes that no post brought about."""
    cpu: float
    """Of the desk, in processors."""
    memory: Sequence[float]
    """Of the desk, in MiB, each second."""

    def at(self, part: float) -> float:
        """So many of them are no longer."""
        return self.latencies[min(math.ceil(part * len(self.latencies)), len(self.latencies)) - 1]

    def __str__(self) -> str:
        figures = ", ".join(
            f"{name} {1000 * self.at(part):.0f} ms"
            for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("max", 1.0))
        )
        return (
            f"{len(self.latencies)} tips of {self.incidents} incidents {self.by_event}: {figures}; "
            f"{self.rate:.0f} posts/s ({self.posts:,}, {self.copies:.0%} copies, {self.matched:,} matched, "
            f"{self.dropped} dropped), longest queue {self.longest_queue}, desk {self.cpu:.2f} cores, "
            f"{self.elsewhere} changes by the clock"
            + (f", memory {self.memory[0]:.0f} to {self.memory[-1]:.0f} MiB" if self.memory else "")
        )


@contextlib.contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker's port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nuser root\nallow_anonymous true\nlog_dest stderr\n")
    with subprocess.Popen([str(MOSQUITTO), "-c", config], stderr=subprocess.PIPE) as process:
        assert process.stderr
        try:
            assert any(b"running" in line for line in process.stderr)
            yield port
        finally:
            process.kill()


@contextlib.asynccontextmanager
async def subscriber(port: int) -> AsyncIterator[Heard]:
    heard = Heard()

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            if str(message.topic).endswith("/event"):
                heard.events.append((time.time(), bytes(message.payload)))  # type: ignore[arg-type]
            else:
                heard.beats.append(json.loads(message.payload)["data"])  # type: ignore[arg-type]

    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5) as client:
        for topic in ("event", "heartbeat"):
            await client.subscribe(f"crisisdesk/acme/{topic}", qos=1)
        reading = asyncio.create_task(read(client))
        try:
            yield heard
        finally:
            reading.cancel()
            await asyncio.wait({reading})


def configure(folder: Path, crowd: Crowd, url: str, port: int) -> None:
    watches = "".join(
        f'[[watch]]\nname = "{name}"\nterms = ["{name}"]\nusual = "{crowd.usual(name):.2f} posts an hour"\n'
        for name in (*crowd.loud, *crowd.quiet)
    )
    (folder / "desk.toml").write_text(
        f'[desk]\nname = "acme"\ndatabase = "desk.db"\n{watches}'
        f'[[source]]\nkind = "bluesky"\nurl = "{url}/subscribe"\nhistory_hours = 0\n'
        f'[[output]]\nkind = "mqtt"\nhost = "127.0.0.1"\nport = {port}\nheartbeat_seconds = 1\n'
    )


async def measured(
    folder: Path, words: Words, rate: float | None, copies: float, beside: Beside | None = None
) -> Figures:
    """One run, or the median of `RUNS` by their 99th percentile.

    Args:
        folder: for its files.
        words: what is said.
        rate: posts a second; None for half of what the model does.
        copies: part of them.
        beside: as of `timed`.
    """
    runs: list[Figures] = []
    while len(runs) < RUNS:
        place = folder / f"run {len(runs) + 1}"
        place.mkdir(parents=True)
        model = distinct_posts_per_second(folder, words)
        runs.append(await timed(place, words, rate or model / 2, copies, beside=beside))
        print(f"\n{runs[-1]}; the model alone {model:.0f} posts/s")
        if runs[0].at(0.99) < WANTED:
            break
    return sorted(runs, key=lambda one: one.at(0.99))[len(runs) // 2]


async def timed(
    folder: Path, words: Words, rate: float, copies: float, *, seed: int = 1, beside: Beside | None = None
) -> Figures:
    """Let a desk, a process of its own, hear a crowd, and see what it tells a broker, and when.

    Args:
        folder: of the desk.
        words: what is said.
        rate: posts a second.
        copies: part of them.
        seed: of the crowd.
        beside: what is there, given that folder, while the crowd is heard.
    """
    crowd = Crowd(words, rate, copies, random.Random(seed))
    played, server = Played(list(crowd.posts())), Jetstream()
    server.answers = [played.answer]
    await server.open()
    with mosquitto(folder) as port:
        configure(folder, crowd, server.base, port)
        async with subscriber(port) as heard, running(folder) as desk:
            await heard.until_it_judges(desk)
            async with (beside or contextlib.nullcontext)(folder):
                played.begin(time.time() + 8.0)
                used, began = _cpu(desk.pid), time.monotonic()
                played.go.set()
                memory = await _memory_until(played.over, desk.pid)
                cpu = (_cpu(desk.pid) - used) / (time.monotonic() - began)
                await heard.until_it_has_judged(len(played.posts))
    await server.close()
    return await figures(folder, played, heard, cpu, memory)


@contextlib.asynccontextmanager
async def running(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A desk in a process of its own, which is stopped in order."""
    with (folder / "log").open("wb") as log:
        desk = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "crisisdesk", "run", "-c", "desk.toml", "--headless"),
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield desk
        desk.terminate()
        await asyncio.wait_for(desk.wait(), 60)
    finally:
        if desk.returncode is None:
            desk.kill()
            await desk.wait()


def _cpu(process: int) -> float:
    """Seconds of processor that a process has used; nothing where the system does not say."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return math.nan
    user, system = stat.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _memory(process: int) -> list[float]:
    statm = Path(f"/proc/{process}/statm")
    return [int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)] if statm.exists() else []


async def _memory_until(over: asyncio.Event, process: int) -> list[float]:
    """What a process has of the memory, in MiB, each second; nothing where the system does not say."""
    found = []
    while not over.is_set():
        found += _memory(process)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 1.0)
    return found


async def figures(folder: Path, played: Played, heard: Heard, cpu: float, memory: Sequence[float]) -> Figures:
    """Each change has the time of the post that brought it about, to the microsecond, which no other post has."""
    number = {datetime.fromtimestamp(us / 1e6, UTC): n for n, us in enumerate(played.moments)}
    first = {}
    for arrived, payload in heard.events:
        event = json.loads(payload)
        first.setdefault(event["id"], (arrived, event["subject"]))
    latencies, by_event, elsewhere = [], dict.fromkeys(TIPPING, 0), 0
    async with await Store.open(folder / "desk.db") as store:
        incidents = {incident for _, incident in first.values()}
        changes = [change for one in incidents for change in await store.timeline(one)]
        watch_of = {incident.id: incident.watch for incident, _ in await store.load_incidents()}
    for change in changes:
        post = number.get(change.time)
        if post is None or change.event.value not in TIPPING or played.posts[post][1] != watch_of[change.incident]:
            elsewhere += 1
            continue
        latencies.append(first[change.id][0] - played.written[post])
        by_event[change.event.value] += 1
    last = heard.beats[-1]["sources"][0]
    texts = [text for _, _, text in played.posts]
    return Figures(
        latencies=sorted(latencies),
        by_event=by_event,
        rate=len(texts) / (played.written[-1] - played.written[0]),
        posts=len(texts),
        matched=last["matched"],
        dropped=last["dropped"],
        copies=1 - len(set(texts)) / len(texts),
        longest_queue=max(sum(beat["queues"].values()) for beat in heard.beats),
        incidents=len(incidents),
        elsewhere=elsewhere,
        cpu=cpu,
        memory=memory,
    )
