"""A disk that is full, read-only or gone while a desk runs: people are called all the same, once, and told what to do.

On a real file system that is full where one can be mounted, and everywhere on a database that takes nothing more.
"""

import asyncio
import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
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
from crisisdesk.errors import StorageError
from crisisdesk.incidents.store import Store
from crisisdesk.match import WatchRule
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.outputs.limit import Limit
from crisisdesk.plan import Agreed, Plan
from crisisdesk.records import (
    EPOCH,
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

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="disks of Unix")

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


async def test_on_a_full_disk_people_are_called_once_and_all_is_written_afterwards(tmp_path, monkeypatch):
    with mounted(tmp_path / "disk", 3) as place:
        ballast = place / "ballast"

        async def fill_up() -> None:
            fill(ballast)

        async def make_room() -> None:
            ballast.unlink()

        async with desk_on(place, monkeypatch) as desk:
            await calls_whatever_the_disk_takes(desk, fill_up, make_room, "the disk is full; make room")
        assert kept(place / "desk.db") == ALL


async def test_on_a_disk_that_takes_nothing_people_are_called_once(tmp_path, monkeypatch):
    async with desk_on(tmp_path, monkeypatch) as desk:

        async def only_reads(yes: str) -> None:
            await desk.app._store._read(lambda database: database.execute(f"PRAGMA query_only = {yes}"))

        await calls_whatever_the_disk_takes(
            desk, lambda: only_reads("ON"), lambda: only_reads("OFF"), "it is not writable; change its permissions"
        )
    assert kept(tmp_path / "desk.db") == ALL


async def test_a_database_that_somebody_removes_is_put_back(tmp_path, monkeypatch):
    async with desk_on(tmp_path, monkeypatch) as desk:
        await desk.hears("Acme", Severity.AMBER)
        await desk.shows(lambda: len(desk.machine.got) == 2)
        for file in tmp_path.glob("desk.db"):  # its -wal stays, as when people tidy up
            file.unlink()
        await desk.hears("Zenith", Severity.RED)
        await desk.shows(lambda: len(desk.machine.got) == 4)
        assert await desk.troubles() == ""
    assert kept(tmp_path / "desk.db") == ["Acme opened called", "Zenith opened called"]
    assert (tmp_path / "desk.db").stat().st_mode & 0o777 == 0o600
    assert sorted(one.name for one in tmp_path.iterdir()) == ["desk.db"]


async def test_another_file_in_its_place_is_not_touched_and_told(tmp_path, monkeypatch):
    database, elsewhere = tmp_path / "desk.db", tmp_path / "elsewhere.db"

    async def replace() -> None:
        database.rename(elsewhere)
        database.write_text("a letter")

    async def move_back() -> None:
        assert database.read_text() == "a letter"
        elsewhere.rename(database)

    async with desk_on(tmp_path, monkeypatch) as desk:
        await calls_whatever_the_disk_takes(desk, replace, move_back, "another file was put in its place")
    assert kept(database) == ALL


async def test_a_folder_that_is_gone_is_told_and_the_desk_calls(tmp_path, monkeypatch):
    place = tmp_path / "disk"
    place.mkdir()

    async def remove() -> None:
        shutil.rmtree(place)

    async def make() -> None:
        place.mkdir()

    async with desk_on(place, monkeypatch) as desk:
        await calls_whatever_the_disk_takes(desk, remove, make, "was removed and cannot be put back")
    assert kept(place / "desk.db") == ALL


# At the start


async def refused(folder: Path, database: str) -> tuple[int, str]:
    """What `crisisdesk run` answers."""
    (folder / "desk.toml").write_text(
        f'[desk]\nname = "a"\ndatabase = "{database}"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'
        '[[source]]\nkind = "file"\npath = "posts.jsonl"\nfollow = true\n'
    )
    (folder / "posts.jsonl").touch()
    desk = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "crisisdesk", "run", "-c", str(folder / "desk.toml"), "--headless",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(desk.communicate(), 30)
    return desk.returncode or 0, said.decode().splitlines()[-1]


async def test_a_database_that_somebody_holds_is_named_with_its_cure(tmp_path):
    holder = sqlite3.connect(tmp_path / "desk.db", isolation_level=None)
    with contextlib.closing(holder):
        holder.execute("BEGIN EXCLUSIVE")
        code, said = await refused(tmp_path, str(tmp_path / "desk.db"))
    assert (code, "another desk is using it; one desk per database" in said) == (1, True), said


async def test_a_full_disk_is_named_at_the_start(tmp_path):
    with mounted(tmp_path / "disk", 1) as place:
        fill(place / "ballast")
        with pytest.raises(StorageError, match=rf"{place / 'desk.db'} cannot be used: the disk is full; make room"):
            await Store.open(place / "desk.db")


async def test_a_desk_that_knows_its_database_starts_on_a_full_disk_and_calls(tmp_path, monkeypatch):
    """Whoever supervises it starts it again and again; each start that fails is time in which nobody watches."""
    with mounted(tmp_path / "disk", 3) as place:
        async with desk_on(place, monkeypatch) as desk:
            await desk.hears("Acme", Severity.AMBER)
            await desk.shows(lambda: len(desk.machine.got) == 2)
        fill(place / "ballast")
        async with desk_on(place, monkeypatch) as desk:
            await desk.hears("Zenith", Severity.RED)
            await desk.shows(lambda: desk.person.messages == [["called Zenith"]])
            assert "the disk is full; make room" in await desk.troubles()
        (place / "ballast").unlink()
        assert kept(place / "desk.db") == ["Acme opened called"]
        async with desk_on(place, monkeypatch) as desk:
            assert [one.watch for one in desk.app.register.incidents()] == ["Acme"]


async def test_a_read_only_disk_is_named_at_the_start(tmp_path):
    with mounted(tmp_path / "disk", 1) as place:
        await (await Store.open(place / "desk.db")).close()
        await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,ro", str(place)], check=True)
        with pytest.raises(StorageError, match=r"desk\.db cannot be used: Read-only file system; it has"):
            await Store.open(place / "desk.db")


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        ("/dev/full", "it is no ordinary file; name another one"),
        pytest.param(
            "/proc/self/status",
            "it cannot be opened; check that its folder exists and is writable",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="of Linux"),
        ),
        ("pipe", "it is no ordinary file; name another one"),
    ],
)
async def test_what_can_hold_no_database_is_named(tmp_path, odd, said):
    path = tmp_path / odd
    if odd == "pipe":
        os.mkfifo(path)
    with pytest.raises(StorageError, match=f"^The database {path} cannot be used: {said}\\.$"):
        await asyncio.wait_for(Store.open(path), 5)


async def test_a_damaged_file_is_read_or_refused_with_its_cure(tmp_path):
    """Whatever bytes a failing disk has changed, nothing but that is said of it, and nothing is made up."""
    whole = tmp_path / "whole.db"
    async with await Store.open(whole, durable=False) as store:
        for number in range(40):
            spike = Spike(f"w{number}", Kind.SPIKE, datetime.now(UTC), Severity.RED, NUMBERS, "why" * 100)
            register = app_module.Register(store, app_module.Rules(), lambda _: None, ("mqtt",))
            await register.witness(spike)
    chance, content, refusals = random.Random(1), whole.read_bytes(), 0
    for number in range(60):
        damaged = tmp_path / f"{number}.db"
        changed = bytearray(content)
        start = chance.randrange(len(content))
        changed[start : start + 64] = chance.randbytes(len(changed[start : start + 64]))
        damaged.write_bytes(changed)
        try:
            async with await Store.open(damaged, durable=False) as store:
                await store.incidents_since(EPOCH)
                for incident, _ in await store.load_incidents():
                    await store.timeline(incident.id)
                await store.owed("mqtt")
                await store.waiting("mqtt")
        except StorageError as error:
            refusals += str(damaged) in str(error)
    assert 5 < refusals < 60


async def test_a_desk_that_could_not_write_says_so_at_its_end(tmp_path):
    """The whole command: removed with its folder, told to stop, it says what is lost and that it failed."""
    place = tmp_path / "disk"
    place.mkdir()
    (tmp_path / "posts.jsonl").touch()
    (tmp_path / "desk.toml").write_text(
        f'[desk]\nname = "a"\ndatabase = "{place}/desk.db"\n[[watch]]\nname = "Acme"\nterms = ["acme"]\n'
        '[[source]]\nkind = "file"\npath = "posts.jsonl"\nfollow = true\n'
    )
    desk = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "crisisdesk", "run", "-c", "desk.toml", "--headless",
        cwd=tmp_path, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert desk.stderr
    async with asyncio.timeout(50):
        while b"database" not in await desk.stderr.readline():
            pass
        shutil.rmtree(place)
        desk.send_signal(signal.SIGTERM)
        said = (await desk.stderr.read()).decode()
        assert await desk.wait() == 1
    assert "Not everything was saved at the end" in said
    assert "was removed and cannot be put back" in said
