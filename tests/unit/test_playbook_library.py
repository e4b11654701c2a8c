"""The folder of playbooks while people edit it: fresh within a second, and never without the last good version."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from crisisdesk.playbooks import library as shelves
from crisisdesk.playbooks.library import Library

BOOK = """---
title: Offensive advertisement
id: offensive-ad
owner: Head of Communications
language: en
reviewed: 2026-10-01
review-every: 180 days
strategy: rebuild
approve: Duty Officer
---
## First hour (Duty Officer)
- [ ] Listen.

## Holding statement [en]
We hear you.
"""
OTHER = BOOK.replace("offensive-ad", "outage").replace("Offensive advertisement", "Outage")
KEPT = "Until then the version before the edit stays in use."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "playbooks"
    place.mkdir()
    (place / "offensive-ad.md").write_text(BOOK, encoding="utf-8")
    (place / "README.md").write_text("# For people", encoding="utf-8")
    return place


def test_it_reads_every_playbook_but_the_readme_and_hidden_files(folder):
    (folder / "outage.md").write_text(OTHER, encoding="utf-8")
    (folder / ".#outage.md").symlink_to("someone@somewhere")
    (folder / "notes.txt").write_text("no playbook", encoding="utf-8")
    library = Library(folder)
    assert [book.id for book in library.all()] == ["offensive-ad", "outage"]
    assert library.get("outage").title == "Outage"
    assert library.get("nothing") is None
    assert library.troubles() == ()


def test_reload_says_whether_anything_changed(folder):
    library = Library(folder)
    assert not library.reload()
    (folder / "offensive-ad.md").write_text(BOOK.replace("Listen.", "Listen well."), encoding="utf-8")
    assert library.reload()
    assert library.get("offensive-ad").phases[0].steps[0].text == "Listen well."


def test_a_broken_edit_keeps_the_last_good_version_and_says_so_until_it_is_mended(folder):
    path = folder / "offensive-ad.md"
    library = Library(folder)
    path.write_text(BOOK.replace("owner:", "onwer:").replace("2026-10-01", "soon"), encoding="utf-8")
    assert library.reload()
    assert library.get("offensive-ad").owner == "Head of Communications"
    assert library.troubles() == (
        (
            'playbooks/offensive-ad.md, line 4: unknown key "onwer"; did you mean owner? '
            f"(1 more: crisisdesk playbook check {path}). {KEPT}"
        ),
    )
    path.write_text(BOOK, encoding="utf-8")
    assert library.reload()
    assert library.troubles() == ()


def test_a_file_that_was_never_good_is_not_in_use(folder):
    (folder / "outage.md").write_text("half a", encoding="utf-8")
    library = Library(folder)
    assert [book.id for book in library.all()] == ["offensive-ad"]
    assert library.troubles()[0].endswith("and --- again. Until then it is not in use.")


def test_a_half_written_file_keeps_the_last_good_version(folder):
    library = Library(folder)
    for half in ("", BOOK[:80], BOOK[: BOOK.index("## First")]):
        (folder / "offensive-ad.md").write_text(half, encoding="utf-8")
        library.reload()
        assert library.get("offensive-ad").phases[0].steps[0].text == "Listen."
        assert library.troubles()[0].endswith(KEPT)


def test_a_file_that_cannot_be_read_keeps_the_last_good_version(folder):
    library = Library(folder)
    (folder / "offensive-ad.md").unlink()
    (folder / "offensive-ad.md").mkdir()
    library.reload()
    assert library.get("offensive-ad") is not None
    assert library.troubles() == (
        (
            "playbooks/offensive-ad.md, line 1: the file cannot be read (Is a directory); "
            f"check that it is there and that you may read it. {KEPT}"
        ),
    )


def test_a_removed_file_is_gone_and_a_removed_folder_is_not(folder):
    (folder / "outage.md").write_text(OTHER, encoding="utf-8")
    library = Library(folder)
    (folder / "outage.md").unlink()
    library.reload()
    assert [book.id for book in library.all()] == ["offensive-ad"]
    shutil.rmtree(folder)
    assert library.reload()
    assert [book.id for book in library.all()] == ["offensive-ad"]
    assert library.troubles() == (
        (
            f"The folder {folder} cannot be read (No such file or directory); "
            "put it back. The playbooks read last stay in use."
        ),
    )


def test_a_folder_without_playbooks_is_said(tmp_path):
    assert Library(tmp_path).troubles() == (
        f"There is no playbook in {tmp_path}; put one in, a file that ends in .md.",
    )
    assert Library(tmp_path / "none").troubles()[0].endswith("create it and put playbooks in.")


def test_of_two_with_one_id_the_one_that_had_it_before_keeps_it(folder):
    library = Library(folder)
    (folder / "a-copy.md").write_text(BOOK.replace("Listen.", "Copied."), encoding="utf-8")
    library.reload()
    assert library.get("offensive-ad").phases[0].steps[0].text == "Listen."
    assert library.troubles() == (
        'playbooks/a-copy.md has the same id as playbooks/offensive-ad.md, "offensive-ad"; give it its own.',
    )


@contextlib.asynccontextmanager
async def watching(library: Library) -> AsyncIterator[Callable[[Callable[[], bool]], object]]:
    """Run `watch`; gives a function that waits until a condition holds after a change."""
    changed = asyncio.Event()
    task = asyncio.create_task(library.watch(changed.set))

    async def until(condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                changed.clear()
                if not condition():
                    await changed.wait()

    try:
        yield until
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def first_step(library: Library) -> str:
    return library.get("offensive-ad").phases[0].steps[0].text


async def test_edits_are_live_and_broken_ones_are_said(folder):
    library, path = Library(folder), folder / "offensive-ad.md"
    async with watching(library) as until:
        path.write_text(BOOK.replace("Listen.", "First."), encoding="utf-8")
        await until(lambda: first_step(library) == "First.")
        path.write_text("broken", encoding="utf-8")
        await until(lambda: bool(library.troubles()))
        assert first_step(library) == "First."
        saved = folder / "offensive-ad.md.tmp"
        saved.write_text(BOOK.replace("Listen.", "Second."), encoding="utf-8")
        saved.replace(path)
        await until(lambda: first_step(library) == "Second." and not library.troubles())


async def test_watching_outlives_a_folder_that_is_removed_and_put_back(folder):
    library = Library(folder)
    async with watching(library) as until:
        shutil.rmtree(folder)
        await until(lambda: bool(library.troubles()))
        folder.mkdir()
        (folder / "offensive-ad.md").write_text(BOOK.replace("Listen.", "Back."), encoding="utf-8")
        await until(lambda: first_step(library) == "Back.")
        (folder / "offensive-ad.md").write_text(BOOK.replace("Listen.", "Again."), encoding="utf-8")
        await until(lambda: first_step(library) == "Again.")


async def test_watching_begins_before_the_folder_is_there(tmp_path):
    folder = tmp_path / "later"
    library = Library(folder)
    async with watching(library) as until:
        folder.mkdir()
        (folder / "offensive-ad.md").write_text(BOOK, encoding="utf-8")
        await until(lambda: library.get("offensive-ad") is not None)


async def test_nothing_is_read_again_while_nothing_changes_and_an_edit_shows_within_a_second(folder, monkeypatch):
    read: list[Path] = []
    looks: list[Path] = []
    enough = asyncio.Event()
    load, look, loop = shelves.load, shelves._look, asyncio.get_running_loop()

    def counted(place: Path) -> object:
        looks.append(place)
        if len(looks) == 4:  # one before the watch and three time-outs
            loop.call_soon_threadsafe(enough.set)
        return look(place)

    library, path = Library(folder), folder / "offensive-ad.md"
    monkeypatch.setattr(shelves, "load", lambda path: read.append(path) or load(path))
    monkeypatch.setattr(shelves, "_look", counted)
    monkeypatch.setattr(shelves, "_LOOK_EVERY", 0.05)
    async with watching(library) as until:
        await asyncio.wait_for(enough.wait(), 20)
        assert read == [path]  # as the watch began
        began = loop.time()
        path.write_text(BOOK.replace("Listen.", "First."), encoding="utf-8")
        await until(lambda: first_step(library) == "First.")
        assert loop.time() - began < 1


async def test_an_edit_that_no_watch_tells_of_is_seen_by_looking(folder, monkeypatch):
    async def deaf(*_: object, **__: object) -> AsyncIterator[set[object]]:
        while True:
            await asyncio.sleep(0.01)
            yield set()

    monkeypatch.setattr(shelves, "awatch", deaf)
    library, path = Library(folder), folder / "offensive-ad.md"
    async with watching(library) as until:
        path.write_text(BOOK.replace("Listen.", "Fast."), encoding="utf-8")
        await until(lambda: first_step(library) == "Fast.")
        kept = path.stat().st_mtime_ns
        path.write_text(BOOK.replace("Listen.", "Slow."), encoding="utf-8")  # as long as before
        os.utime(path, ns=(kept + 1_000_000, kept + 1_000_000))
        await until(lambda: first_step(library) == "Slow.")
