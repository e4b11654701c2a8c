"""A copy of the database that is kept, made while the desk runs, and the desk that is started with it."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crisisdesk.cli.main import run
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.records import Kind, Numbers, Severity, Spike, Verdict
from crisisdesk.storage import snapshot as snapshot_module
from crisisdesk.storage.store import Store

START = datetime(2024, 3, 4, tzinfo=UTC)
NUMBERS = Numbers(60, 9, 10, 1.0, 9, 0.9, 0.1, 1e-9)


def spike(number: int) -> Spike:
    return Spike(f"Watch {number}", Kind.SPIKE, START + timedelta(minutes=number), Severity.AMBER, NUMBERS, "why")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "acme.db"


async def in_thread(*arguments: object) -> int:
    return await asyncio.to_thread(run, list(map(str, arguments)))


async def fill(store: Store, numbers: range) -> Register:
    register = Register(store, Rules(), lambda _: None, ["mqtt"])
    await register.load()
    for number in numbers:
        await register.witness(spike(number))
    return register


async def test_a_running_desk_is_copied_and_a_desk_goes_on_from_the_copy(path: Path, capsys):
    copy = path.with_name("copy.db")
    async with await Store.open(path) as store:
        register = await fill(store, range(3))
        name = register.incidents()[0].id
        await register.resolve(name, "Anna Berg", Verdict.REAL, START + timedelta(hours=1))
        await store.keep("cursor sky", b"17")
        assert await in_thread("backup", copy, "--database", path) == 0
        await register.witness(spike(9))  # of which the copy knows nothing
    told = capsys.readouterr()
    assert told.out.startswith(f"{copy}: 3 incidents (2 open), the newest change of 2024-03-04T01:00:00Z; ")
    assert told.err == ""
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert {one.name for one in path.parent.iterdir()} == {"acme.db", "copy.db"}
    copy.replace(path)
    async with await Store.open(path) as store:
        register = await fill(store, range(20, 21))
        assert len(register.incidents()) == 4
        assert register.find(name).verdict is Verdict.REAL
        assert await store.kept("cursor sky") == b"17"
        assert [one.change.sequence for _, one in await store.owed("mqtt")] == [1, 1, 1, 2, 1]


async def test_copies_made_under_load_are_each_of_one_moment(path: Path):
    async with await Store.open(path) as store:
        register = Register(store, Rules(), lambda _: None, ["mqtt"])
        await register.load()
        stopped = threading.Event()

        async def write() -> int:
            number = 0
            while not stopped.is_set():
                await register.witness(spike(number := number + 1))
            return number

        writing = asyncio.create_task(write())
        for number in range(4):
            assert await in_thread("backup", path.with_name(f"{number}.db"), "--database", path) == 0
        stopped.set()
        written = await writing
    held = []
    for number in range(4):
        with closing(sqlite3.connect(path.with_name(f"{number}.db"))) as copy:
            query = "SELECT count(*), (SELECT count(*) FROM changes), (SELECT count(*) FROM outbox) FROM incidents"
            incidents, *others = copy.execute(query).fetchone()
        assert others == [incidents, incidents]
        held.append(incidents)
    assert held == sorted(held)
    assert 0 < held[-1] <= written


def test_nothing_is_overwritten_also_where_it_comes_meanwhile(path: Path, capsys, monkeypatch):
    asyncio.run(_made(path))
    there = path.with_name("there.db")
    there.write_text("mine")
    assert run(["backup", str(there), "--database", str(path)]) == 2
    assert run(["backup", str(path), "--database", str(path)]) == 2
    assert "exists already and was left as it is; name another file" in capsys.readouterr().err
    late, link = path.with_name("late.db"), os.link

    def meanwhile(source: Path, target: Path) -> None:
        target.write_text("mine")
        link(source, target)

    monkeypatch.setattr(os, "link", meanwhile)
    assert run(["backup", str(late), "--database", str(path)]) == 2
    assert (there.read_text(), late.read_text()) == ("mine", "mine")
    assert {one.name for one in path.parent.iterdir()} == {"acme.db", "there.db", "late.db"}


def test_a_drive_without_links_gets_its_copy_too(path: Path, monkeypatch):
    asyncio.run(_made(path))

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    copy = path.with_name("copy.db")
    assert run(["backup", str(copy), "--database", str(path)]) == 0
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_what_lies_beside_the_database_is_named(path: Path, capsys):
    asyncio.run(_made(path))
    for name in ("acme.db.key", "acme.tokens"):
        path.with_name(name).write_text("s3cr3t")
    configuration = path.with_name("desk.toml")
    configuration.write_text('[desk]\nname = "acme"\ndatabase = "acme.db"\n')
    assert run(["backup", str(path.with_name("copy.db")), "-c", str(configuration)]) == 0
    told = capsys.readouterr().err
    assert f"Not in it, and part of the desk: {path}.key and {path.with_suffix('.tokens')}." in told
    assert "s3cr3t" not in told


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 8192)


def other(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE letters (a)")
        database.commit()


@pytest.mark.parametrize(
    ("spoil", "said", "code"),
    [
        (damage, "it is damaged; move it away together with its -wal, and restore a copy or start afresh.", 1),
        (lambda path: path.write_text("no database at all" * 99), "it is not a database; name another file", 1),
        (other, "is no desk's database; name that of a desk that has run.", 1),
        (lambda path: path.unlink(), "cannot be read: no such file or directory; name that of a desk that has run.", 1),
    ],
)
def test_what_cannot_be_copied_is_told_with_its_cure_and_leaves_nothing(
    path: Path, capsys, spoil: Callable[[Path], object], said: str, code: int
):
    asyncio.run(_made(path))
    spoil(path)
    copy = path.with_name("copy.db")
    assert run(["backup", str(copy), "--database", str(path)]) == code
    assert said in capsys.readouterr().err.replace("\n", " ")
    assert {one.name for one in path.parent.iterdir()} <= {"acme.db"}


def test_a_folder_that_is_missing_or_full_is_told(path: Path, capsys, monkeypatch):
    asyncio.run(_made(path))
    assert run(["backup", str(path.parent / "none" / "copy.db"), "--database", str(path)]) == 2
    assert "cannot be written: no such file or directory; name a file in a folder of yours." in capsys.readouterr().err

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(snapshot_module, "_copy", full)
    assert run(["backup", str(path.with_name("copy.db")), "--database", str(path)]) == 1
    assert f"There is no room for a copy of {path} in {path.parent}; make some." in capsys.readouterr().err


async def _made(path: Path) -> None:
    async with await Store.open(path) as store:
        await fill(store, range(40))
