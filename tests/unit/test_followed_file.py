"""Files that are followed while others write to them, rotate them, lose them and bring them back."""

import asyncio
import gzip
import os
import random
import shutil
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from edges import Taken
from fuzz_files import fuzz
from rotations import rotated_at_random

from crisisdesk.clock import ReplayClock
from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Post
from crisisdesk.sources.file.followed import PATIENCE
from crisisdesk.sources.file.source import FileSource

START = datetime(2008, 11, 15, 4, tzinfo=UTC)
LOOK = 0.002


def line(text: str) -> bytes:
    return orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": text}) + b"\n"


def append(path: Path, *texts: str) -> None:
    with path.open("ab") as file:
        file.write(b"".join(map(line, texts)))


def pack(path: Path) -> None:
    Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def follower(path: Path, cursor: str | None = None, **options: object) -> FileSource:
    source = FileSource("posts", path, ReplayClock(START), follow=True, **({"look_every": LOOK} | options))
    if cursor:
        source.resume(cursor)
    return source


@asynccontextmanager
async def following(source: FileSource) -> AsyncIterator[Taken]:
    """While the source runs; then it is killed."""
    edge = Taken()
    task = asyncio.create_task(source.run(edge))
    try:
        yield edge
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait({task})


async def heard(edge: Taken, *texts: str) -> None:
    """Return when these and no others have been heard."""
    await edge.until(lambda: len(edge.posts) >= len(texts), 5)
    assert edge.texts == list(texts)


async def shown(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        await asyncio.sleep(LOOK)
    pytest.fail("it was not so within seconds")


async def looks(number: int = 5) -> None:
    """Let the source look so often that it would have found something."""
    await asyncio.sleep(number * 5 * LOOK)


@pytest.mark.parametrize("seed", range(60))
def test_every_post_is_heard_once_however_the_file_is_rotated_and_the_desk_killed(tmp_path, seed):
    rotated_at_random(tmp_path, seed)


async def test_what_is_appended_is_heard_as_it_comes(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    async with following(source := follower(path)) as edge:
        await heard(edge, "one")
        append(path, "two", "three")
        await heard(edge, "one", "two", "three")
        await shown(lambda: source.status().posts == 3)
        assert (source.status().state, source.status().trouble) == ("live", "")


async def test_half_a_line_waits_for_its_rest(tmp_path):
    path = tmp_path / "posts.jsonl"
    content = line("one")
    path.write_bytes(content[:20])
    async with following(source := follower(path)) as edge:
        await shown(lambda: source.status().state == "live")
        await looks(PATIENCE + 5)
        assert source.status().bad == 0
        with path.open("ab") as file:
            file.write(content[20:] + b"\0" * 100)  # and zero bytes, as after a crash
        await heard(edge, "one")
        append(path, "two")
        await heard(edge, "one", "two")
        assert source.status().bad == 0


async def test_a_file_that_is_not_there_yet_is_waited_for(tmp_path):
    path = tmp_path / "later" / "posts.jsonl"
    async with following(source := follower(path)) as edge:
        await shown(lambda: "is not there; waiting for it" in source.status().trouble)
        assert source.status().state == "connecting"
        assert source.status().trouble.startswith(f"{path}: ")
        path.parent.mkdir()
        append(path, "one")
        await heard(edge, "one")
        await shown(lambda: source.status().state == "live")
        assert source.status().trouble == ""


async def test_a_file_that_goes_and_comes_back(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    async with following(source := follower(path)) as edge:
        await heard(edge, "one")
        path.unlink()
        await shown(lambda: source.status().state == "connecting")
        shutil.rmtree(tmp_path)
        await looks()
        tmp_path.mkdir()
        append(path, "two")
        await heard(edge, "one", "two")
        await shown(lambda: source.status().trouble == "")


async def test_a_moment_without_the_file_is_no_trouble(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    source = follower(path)
    assert len(await source._read()) == 1
    path.rename(f"{path}.1")
    assert await source._read() == []
    assert (source.status().state, source.status().trouble) == ("live", "")
    assert await source._read() == []
    assert source.status().state == "connecting"
    append(path, "two")
    assert len(await source._read()) == 1
    assert (source.status().state, source.status().trouble) == ("live", "")
    source._posts.leave()


async def test_who_writes_on_in_the_renamed_file_is_heard_until_the_new_one_has_a_line(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    with path.open("ab", 0) as old:
        async with following(follower(path)) as edge:
            await heard(edge, "one")
            path.rename(f"{path}.1")
            path.touch()
            await looks()
            old.write(line("two"))
            await heard(edge, "one", "two")
            old.write(line("three").rstrip())
            append(path, "four")
            await heard(edge, "one", "two", "three", "four")


async def test_a_writer_that_goes_on_where_it_was_in_an_emptied_file(tmp_path):
    """One that does not append leaves a hole of zero bytes before its next line."""
    path = tmp_path / "posts.jsonl"
    with path.open("wb", 0) as file:
        file.write(line("one"))
        async with following(source := follower(path)) as edge:
            await heard(edge, "one")
            shutil.copy(path, f"{path}.1")
            os.truncate(path, 0)
            await looks()
            file.write(line("two"))
            await heard(edge, "one", "two")
            assert source.status().bad == 0
            assert len({post.key for post in edge.posts}) == 2


@pytest.mark.parametrize("packed", [False, True])
async def test_a_restart_finds_the_rotated_file(tmp_path, packed):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        await shown(lambda: first.cursor is not None)
    append(path, "two")
    path.rename(f"{path}.2")
    if packed:
        pack(Path(f"{path}.2"))
    append(Path(f"{path}.1"), "three")
    append(path, "four")
    async with following(second := follower(path, first.cursor)) as edge:
        await heard(edge, "two", "three", "four")
        assert second.status().trouble == ""


@pytest.mark.skipif(sys.platform == "win32", reason="links of Unix")
async def test_a_link_that_is_turned_to_a_file_of_each_day(tmp_path):
    path, days = tmp_path / "posts.jsonl", [tmp_path / f"posts-2008111{day}.jsonl" for day in (4, 5, 6)]

    def turn(day: Path) -> None:
        path.unlink(missing_ok=True)
        path.symlink_to(day)

    append(days[0], "one")
    turn(days[0])
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        append(days[0], "two")
        append(days[1], "three")
        turn(days[1])
        await heard(edge, "one", "two", "three")
        await shown(lambda: first.status().posts == 3)
    append(days[1], "four")
    append(days[2], "five")
    turn(days[2])
    async with following(follower(path, first.cursor)) as edge:
        await heard(edge, "four", "five")


@pytest.mark.skipif(sys.platform == "win32", reason="links of Unix")
async def test_a_link_into_a_folder_where_the_file_is_rotated(tmp_path):
    """As the logs of containers lie."""
    path, target = tmp_path / "links" / "acme.jsonl", tmp_path / "pod" / "0.jsonl"
    path.parent.mkdir()
    target.parent.mkdir()
    path.symlink_to(target)
    append(target, "one")
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        await shown(lambda: first.cursor is not None)
    append(target, "two")
    target.rename(f"{target}.20081115-0400")
    append(target, "three")
    async with following(second := follower(path, first.cursor)) as edge:
        await heard(edge, "two", "three")
        assert second.status().trouble == ""


async def test_what_cannot_be_found_again_is_told_with_a_time(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    os.utime(path, (START.timestamp(), START.timestamp()))
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        await shown(lambda: first.cursor is not None)
    path.unlink()
    append(path, "other")
    async with following(second := follower(path, first.cursor)) as edge:
        await heard(edge, "other")
        trouble = second.status().trouble
    assert "up to byte 45, last written to at 2008-11-15T04:00:00Z as far as was seen, is gone" in trouble
    assert "Posts that were added to it after that are missing" in trouble


async def test_a_folder_that_is_away_at_the_start_is_no_lost_file(tmp_path):
    path = tmp_path / "disk" / "posts.jsonl"
    path.parent.mkdir()
    append(path, "one")
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        await shown(lambda: first.cursor is not None)
    path.parent.rename(tmp_path / "away")
    async with following(second := follower(path, first.cursor)) as edge:
        await shown(lambda: second.status().trouble != "")
        (tmp_path / "away").rename(path.parent)
        append(path, "two")
        await heard(edge, "two")
        await shown(lambda: second.status().trouble == "")


async def test_a_table_is_followed_with_the_header_of_its_file(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("time,te")
    async with following(source := follower(path, look_every=0.05)) as edge:
        await looks()
        with path.open("a") as file:
            file.write('xt\n2008-11-15T03:40Z,"one\n')
        await looks()
        with path.open("a") as file:
            file.write('more"\n2008-11-15T03:40Z,two\n')
        await heard(edge, "one more", "two")
        await shown(lambda: source.cursor is not None)
        path.rename(f"{path}.1")
        path.write_text("text;id;time\nthree;3;2008-11-15T03:40Z\n")
        await heard(edge, "one more", "two", "three")
        assert (edge.posts[-1].id, source.status().bad) == ("3", 0)


async def test_a_table_that_is_emptied_under_the_hands_of_its_writer_keeps_its_header(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text("time;text\n15.11.2008 03:40;one\n")
    async with following(source := follower(path)) as edge:
        await heard(edge, "one")
        shutil.copy(path, f"{path}.1")
        path.write_text("15.11.2008 03:41;two\n")
        await heard(edge, "one", "two")
        await shown(lambda: source.status().posts == 2)
    async with following(follower(path, source.cursor)) as edge:
        with path.open("a") as file:
            file.write("15.11.2008 03:42;three\n")
        await heard(edge, "three")
    path.with_name("posts.csv.0").write_bytes(b"\0\n\0\n")  # what a crash has left of one is no header
    async with following(follower(path)) as edge:
        await heard(edge, "two", "three")
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    path.write_text("15.11.2008 03:43;four\n")
    with pytest.raises(FatalSourceError, match="no column 'time'"):
        await follower(path).run(Taken())


async def test_a_quote_that_nobody_closes_holds_nothing_back_for_long(tmp_path):
    path = tmp_path / "posts.csv"
    path.write_text('time,text\n2008-11-15T03:40Z,"five inches\n2008-11-15T03:40Z,two\n')
    async with following(source := follower(path)) as edge:
        await heard(edge, "two")
        assert source.status().bad == 1
        assert "posts.csv:2: a quote opens here and does not close" in source.status().trouble


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.jsonl", gzip.compress(b"{}", mtime=0)),
        ("posts.jsonl.gz", gzip.compress(b"{}", mtime=0)),
        ("a.csv", "time".encode("utf-16")),
    ],
)
async def test_what_cannot_be_followed_says_so_at_once(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    source = follower(path)
    with pytest.raises(FatalSourceError, match=r"cannot be followed; .* take 'follow' out of its \[\[source\]\]"):
        await source.run(Taken())
    assert source.status().state == "failed"


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="a file that cannot be read, as Linux has one")
async def test_a_failing_disk_is_told_and_read_again(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.symlink_to("/proc/self/mem")
    async with following(source := follower(path)) as edge:
        await shown(lambda: source.status().trouble != "")
        trouble = f"{path}: cannot be read (input/output error); check the disk and the permissions."
        assert (source.status().state, source.status().trouble) == ("connecting", trouble)
        path.unlink()
        append(path, "one")
        await heard(edge, "one")
        await shown(lambda: source.status().trouble == "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
async def test_a_permission_that_is_lost_is_told_and_reading_goes_on_with_it(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    path.chmod(0)
    async with following(source := follower(path)) as edge:
        await shown(lambda: "cannot be read (permission denied)" in source.status().trouble)
        path.chmod(0o600)
        await heard(edge, "one")


async def test_a_folder_that_shows_nothing_of_what_lies_in_it_is_gone_on_in(tmp_path, monkeypatch):
    """One that may be entered and not listed, as /var/log often is."""
    path = tmp_path / "posts.jsonl"
    append(path, "one")
    async with following(first := follower(path)) as edge:
        await heard(edge, "one")
        await shown(lambda: first.cursor is not None)

    def listdir(_: Path) -> list[str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("crisisdesk.sources.file.place.os.listdir", listdir)
    append(path, "two")
    async with following(follower(path, first.cursor)) as edge:
        await heard(edge, "two")
        path.rename(f"{path}.1")
        append(path, "three")
        await heard(edge, "two", "three")


async def test_a_busy_desk_whose_file_is_emptied_meanwhile_misses_nothing(tmp_path):
    path, go = tmp_path / "posts.jsonl", asyncio.Event()
    texts = [f"post {number}" for number in range(2_000)]
    append(path, *texts)

    async def busy(_: Post) -> None:
        await go.wait()

    edge = Taken(wait=busy)
    task = asyncio.create_task(follower(path).run(edge))
    await looks()
    shutil.copy(path, f"{path}.1")
    os.truncate(path, 0)
    append(path, *(f"new {number}" for number in range(3_000)))
    go.set()
    await edge.until(lambda: len(edge.posts) >= 5_000)
    task.cancel()
    await asyncio.wait({task})
    assert edge.texts == texts + [f"new {number}" for number in range(3_000)]


async def test_equal_posts_without_an_id_stay_apart_and_keep_their_ids_through_a_copy(tmp_path):
    path = tmp_path / "posts.jsonl"
    append(path, "ouch", "ouch", "ouch")
    async with following(follower(path)) as edge:
        await heard(edge, "ouch", "ouch", "ouch")
    copied = tmp_path / "other" / "posts.jsonl"
    copied.parent.mkdir()
    shutil.copy(path, copied)
    async with following(follower(copied)) as other:
        await heard(other, "ouch", "ouch", "ouch")
    assert [post.key for post in edge.posts] == [post.key for post in other.posts]
    assert len({post.key for post in edge.posts}) == 3


async def test_junk_costs_bad_lines_and_no_good_ones(tmp_path):
    path, chance = tmp_path / "posts.jsonl", random.Random(1)
    junk = bytes(chance.choices(range(256), k=50_000))
    path.write_bytes(line("one") + junk + b"\n" + line("two") + b"x" * (3 << 20) + b"\n")
    async with following(source := follower(path)) as edge:
        append(path, "three")
        await heard(edge, "one", "two", "three")
        assert source.status().bad > 100


def test_damaged_lines_records_and_archives_do_no_harm(tmp_path):
    posts, bad = fuzz(1_500, tmp_path, seed=random.randrange(1_000_000))
    assert posts > 300
    assert bad > 300
