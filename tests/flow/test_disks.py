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
from datetime import UTC, datetime
from pathlib import Path

import pytest
from disks import ALL, NUMBERS, calls_whatever_the_disk_takes, desk_on, fill, kept, mounted

from crisisdesk import app as app_module
from crisisdesk.errors import StorageError
from crisisdesk.records import EPOCH, Kind, Severity, Spike
from crisisdesk.storage.store import Store

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="disks of Unix")


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
            await desk.app.store.read(lambda database: database.execute(f"PRAGMA query_only = {yes}"))

        await calls_whatever_the_disk_takes(
            desk, lambda: only_reads("ON"), lambda: only_reads("OFF"), "it is not writable; change its permissions"
        )
    assert kept(tmp_path / "desk.db") == ALL


async def test_a_quiet_desk_tells_at_its_next_look_that_its_disk_takes_nothing(tmp_path, monkeypatch):
    async with desk_on(tmp_path, monkeypatch) as desk:
        await desk.looks()
        assert await desk.troubles() == ""
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = ON"))
        await desk.looks()
        assert "What is counted and learnt now is not saved" in await desk.troubles()
        assert desk.app.register.trouble, "by which probes are told that it is not ready"
        await desk.app.store.read(lambda database: database.execute("PRAGMA query_only = OFF"))
        await desk.looks()
        assert await desk.troubles() == ""


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
