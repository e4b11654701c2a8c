"""Small disks, and a desk on one that calls Ann; what it does must not depend on what the disk takes."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path

import pytest
from hearsay import Words

from crisisdesk import app as app_module
from crisisdesk.app import App
from crisisdesk.clock import WallClock
from crisisdesk.detect.standard import Standard
from crisisdesk.match import WatchRule
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.outputs.people.limit import Limit
from crisisdesk.plan import Agreed, Plan
from crisisdesk.records import (
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Post,
    Severity,
    SourceStatus,
    Spike,
)
from crisisdesk.resources import folder
from crisisdesk.sources.base import Edge

NUMBERS = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)


@contextlib.contextmanager
def mounted(place: Path, megabytes: int) -> Iterator[Path]:
    """A small disk of its own, where that is allowed."""
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700", "tmpfs", str(place)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("NO DISK CAN BE MOUNTED HERE: only a database that takes nothing more was tested")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(ballast: Path) -> None:
    """Write until nothing more is taken."""
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)


@dataclass
class Machine:
    """An output to a machine."""

    name: str = "mqtt"
    got: list[Notification] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def session(self) -> AsyncIterator[None]:
        yield

    async def ready(self) -> None:
        pass

    def status(self) -> OutputStatus:
        return OutputStatus(self.name, "live")

    async def deliver(self, notification: Notification) -> None:
        self.got.append(notification)


@dataclass
class Person(Machine):
    """An address of people, each message a list."""

    limit: Limit = field(default_factory=lambda: Limit(None))
    messages: list[list[str]] = field(default_factory=list)

    async def tell(self, notifications: Sequence[Notification]) -> None:
        self.messages.append([f"{one.change.event} {one.incident.watch}" for one in notifications])


class Speaker:
    """A source that says one more when it is asked to."""

    name, pushes, resumes, cursor = "speaker", True, True, None

    def __init__(self) -> None:
        self._edge: asyncio.Future[Edge] = asyncio.get_running_loop().create_future()

    def resume(self, cursor: str) -> None:
        raise AssertionError(f"{cursor} of a source that gave none")

    def status(self) -> SourceStatus:
        return SourceStatus(self.name, "live")

    async def run(self, edge: Edge) -> None:
        self._edge.set_result(edge)
        await asyncio.Event().wait()

    async def says(self, number: int) -> None:
        await (await self._edge).send(Post(f"p{number}", self.name, datetime.now(UTC), f"acme {number}"))


@dataclass
class Desk:
    """A desk at work."""

    app: App
    speaker: Speaker
    machine: Machine
    person: Person

    async def hears(self, watch: str, severity: Severity) -> None:
        await self.app.register.witness(Spike(watch, Kind.SPIKE, datetime.now(UTC), severity, NUMBERS, "12 negative"))

    async def shows(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110 - the lists are plain
                await asyncio.sleep(0.01)

    async def troubles(self) -> str:
        return " ".join((await self.app.desk.picture()).troubles)

    async def looks(self) -> None:
        await self.app.rounds.look(datetime.now(UTC))


@contextlib.asynccontextmanager
async def desk_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    speaker, machine, person = Speaker(), Machine(), Person("push to Ann")
    names = ("Acme", "Zenith", "Other")
    chain = Chain("all", (Step(("Ann",), wait=timedelta(hours=1)),))
    monkeypatch.setattr(
        app_module,
        "Delivery",
        lambda store, output, clock: Delivery(store, output, clock, waits=lambda: repeat(0.02), look_seconds=0.02),
    )
    plan = Plan(
        {WatchRule(name, (name.lower(),)): Standard() for name in names},
        [speaker],
        place / "desk.db",
        folder("playbooks"),
        WallClock(),
        Words,
        outputs=lambda _: [machine, person],
        standing=Agreed(Orders((chain,), addresses=(Address("push", "Ann"),), group_wait=timedelta(0))),
        live=True,
    )
    async with App(plan) as app:
        running = asyncio.create_task(app.run())
        try:
            yield Desk(app, speaker, machine, person)
        finally:
            app.stop()
            await asyncio.wait_for(running, 20)


async def calls_whatever_the_disk_takes(
    desk: Desk, stop_writing: Callable[[], Awaitable[object]], write_again: Callable[[], Awaitable[object]], said: str
) -> None:
    await desk.hears("Acme", Severity.AMBER)
    await desk.shows(lambda: desk.person.messages == [["called Acme"]])
    await stop_writing()
    await desk.speaker.says(1)
    await desk.hears("Zenith", Severity.RED)
    await desk.shows(lambda: desk.person.messages[1:] == [["called Zenith"]])
    acme = desk.machine.got[0].incident.id
    await desk.app.desk.acknowledge(acme, "Ben")
    await desk.shows(lambda: len(desk.machine.got) == 5)
    await desk.shows(lambda: desk.person.messages[2:] == [["acknowledged Acme"]])
    await desk.shows(lambda: desk.app.tally.mentions["Acme"] == 1)
    await desk.looks()
    told = await desk.troubles()
    assert str(desk.app.plan.database) in told
    assert said in told
    assert "3 changes are not saved, but sent; the desk goes on watching and calling" in told
    await asyncio.sleep(0.2)
    assert len(desk.person.messages) == 3, "nobody is called again because it could not be struck off"
    await write_again()
    await desk.looks()
    assert await desk.troubles() == ""
    await desk.hears("Other", Severity.NOTICE)
    await desk.shows(lambda: len(desk.machine.got) == 6)
    await desk.shows(lambda: [(one.waiting, one.trouble) for one in desk.app.outputs()] == [(0, ""), (0, "")])
    assert len(desk.person.messages) == 3
    assert len({one.change.id for one in desk.machine.got}) == 6


def kept(database: Path) -> list[str]:
    """The timelines that the desk has left, and that nothing is owed."""
    with contextlib.closing(sqlite3.connect(database)) as left:
        assert left.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert left.execute("SELECT count(*) FROM outbox").fetchone() == (0,)
        query = (
            "SELECT watch, group_concat(changes.record ->> 'event', ' ') FROM changes JOIN incidents ON id = incident"
        )
        return sorted(" ".join(row) for row in left.execute(f"{query} GROUP BY incident").fetchall())


ALL = ["Acme opened called acknowledged", "Other opened", "Zenith opened called"]
