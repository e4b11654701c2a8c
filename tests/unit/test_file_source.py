"""Files that a live desk reads once, at any speed, over its restarts; pipes; and what is wrong with them."""

import asyncio
import gzip
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from edges import Taken

from crisisdesk.clock import ReplayClock, WallClock
from crisisdesk.errors import FatalSourceError, UsageError
from crisisdesk.records import Post
from crisisdesk.sources.file.source import FileSource

START = datetime(2008, 11, 15, 4, tzinfo=UTC)


def line(text: str, **fields: object) -> bytes:
    return orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": text} | fields) + b"\n"


def written(path: Path, *texts: str) -> Path:
    path.write_bytes(b"".join(map(line, texts)))
    return path


def source_of(path: Path, **options: object) -> FileSource:
    return FileSource(path.name, path, ReplayClock(START), **options)


async def read(source: FileSource) -> list[Post]:
    edge = Taken()
    await source.run(edge)
    return edge.posts


async def texts_of(source: FileSource) -> list[str]:
    return [post.text for post in await read(source)]


async def killed_after(source: FileSource, number: int) -> list[str]:
    """The texts of the posts that the desk has taken before it is killed with one under way."""
    enough = asyncio.Event()

    async def take(_: Post) -> None:
        if len(edge.posts) == number:
            enough.set()
            await asyncio.Event().wait()

    edge = Taken(wait=take)
    task = asyncio.create_task(source.run(edge))
    await enough.wait()
    task.cancel()
    await asyncio.wait({task})
    return edge.texts


async def test_a_file_counts_its_bad_lines_and_ends(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a", time="2999-01-01T00:00:00Z") + b"oops\n" + line("b", time="2008-11-15T05:00:00Z"))
    source = source_of(path)
    assert source.status().state == "connecting"
    (post,) = await read(source)
    assert (post.text, post.time, post.source) == ("b", START, "posts.jsonl")
    status = source.status()
    assert (status.state, status.posts, status.bad, status.last_event) == ("ended", 1, 2, START)
    assert "posts.jsonl:2: is not JSON" in status.trouble


async def test_a_file_that_cannot_be_used_fails_loudly(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        source_of(tmp_path / "gone.jsonl")
    path = tmp_path / "a.csv"
    path.write_text("when,what\n1,2\n")
    source = source_of(path)
    with pytest.raises(FatalSourceError, match="no column 'time'"):
        await read(source)
    assert source.status().state == "failed"
    assert "no column 'time'" in source.status().trouble


@pytest.mark.parametrize("follow", [False, True])
def test_a_folder_is_no_file(tmp_path, follow):
    with pytest.raises(UsageError, match="is a folder; name the files in it"):
        source_of(tmp_path, follow=follow)


async def test_a_path_that_may_not_be_looked_at_is_waited_for_or_told(tmp_path):
    """As where the folder is closed to us."""
    path = tmp_path / ("x" * 300)  # the system refuses to look at it
    with pytest.raises(UsageError, match=r"cannot be read \(file name too long\); check the path"):
        source_of(path)
    source = source_of(path, follow=True)
    assert await source._read() == []
    assert "cannot be read (file name too long)" in source.status().trouble


async def test_lines_of_which_none_is_a_post_are_events_all_the_same(tmp_path):
    """So that `doctor` says what they are, rather than that nothing comes."""
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b'{"created_at": 5}\n' * 3)
    source = source_of(path)
    await read(source)
    status = source.status()
    assert (status.events, status.posts, status.bad, status.last_event) == (3, 0, 3, START)


async def test_a_bad_line_is_no_event_before_the_good_ones_beside_it_are_sent(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(b"oops\n" + line("a"))
    source = source_of(path)
    assert await killed_after(source, 0) == []
    assert (source.status().events, source.status().bad) == (0, 1)


async def test_a_bad_line_is_spoken_of_for_an_hour_and_does_not_hide_the_rest(tmp_path):
    path, clock = tmp_path / "a.csv", ReplayClock(START)
    path.write_text("time,text\n15.11.2008 03:40,a\nnever,b\n")
    source = FileSource("a", path, clock)
    await read(source)
    zone, skipped = "times without a zone are taken for UTC", "Skipped"
    assert zone in source.status().trouble
    assert skipped in source.status().trouble
    clock.restart(START + timedelta(minutes=61), None)
    assert zone in source.status().trouble
    assert skipped not in source.status().trouble
    assert source.status().bad == 1


async def test_a_table_with_other_columns_is_told_what_to_write_into_the_configuration(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text("Datum;Inhalt\n15.11.2008 03:40;oje\n", encoding="utf-8")
    cure = r'Say which they are, in its \[\[source\]\]: columns = "time=Datum,text=Inhalt"$'
    with pytest.raises(FatalSourceError, match=cure):
        await read(source_of(path))
    assert await texts_of(source_of(path, columns={"time": "Datum", "text": "Inhalt"})) == ["oje"]


TABLE = 'sep=;\ntime;text\n2008-11-15 03:40;"a\nb"\n2008-11-15 03:40;c\n2008-11-15 03:40;"d; e"\n2008-11-15 03:40;f\n'


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "utf-16.csv", "a.jsonl", "a.jsonl.gz", "bom.jsonl", "a"])
async def test_a_restart_goes_on_at_every_post_of_every_kind_of_file(tmp_path, name):
    path, texts = tmp_path / name, ["a b", "c", "d; e", "f"]
    content = (
        TABLE.encode("utf-16" if name.startswith("utf") else "utf-8") if ".csv" in name else b"".join(map(line, texts))
    )
    content = b"\xef\xbb\xbf" + content if name.startswith("bom") else content
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    ids = [post.id for post in await read(source_of(path))]
    for number in range(len(texts)):
        first, second = source_of(path), source_of(path)
        assert first.resumes
        assert await killed_after(first, number) == texts[:number]
        if first.cursor:
            second.resume(first.cursor)
        posts = await read(second)
        assert [post.text for post in posts] == texts[number:]
        assert [post.id for post in posts] == ids[number:]
    assert len(set(ids)) == len(ids)


async def test_what_was_added_comes_after_a_restart_and_nothing_a_second_time(tmp_path):
    path = written(tmp_path / "posts.jsonl", "a", "b")
    first = source_of(path)
    await read(first)
    second = source_of(path)
    second.resume(str(first.cursor))
    assert await texts_of(second) == []
    assert second.status().state == "ended"
    written(path, "a", "b", "c", "d")
    third = source_of(path)
    third.resume(str(second.cursor))
    assert third.cursor == second.cursor
    assert await texts_of(third) == ["c", "d"]


async def test_a_line_that_was_cut_off_at_the_end_is_read_when_it_is_whole(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a") + line("b")[:20])
    first, second = source_of(path), source_of(path)
    assert await texts_of(first) == ["a"]
    written(path, "a", "b")
    second.resume(str(first.cursor))
    assert await texts_of(second) == ["b"]


async def test_another_file_is_read_from_its_beginning_and_says_so(tmp_path):
    path = written(tmp_path / "posts.jsonl", "a", "b")
    first, second = source_of(path), source_of(path)
    await read(first)
    written(path, "x", "y", "z")
    second.resume(str(first.cursor))
    assert await texts_of(second) == ["x", "y", "z"]
    assert "is another file than last time" in second.status().trouble


async def test_a_long_file_is_not_read_again(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a" * 400) * 50_000)  # 22 MB
    first = source_of(path)
    await killed_after(first, 1_200)
    place = orjson.loads(str(first.cursor)) | {"offset": path.stat().st_size, "line": 50_000}
    with path.open("ab") as file:
        file.write(line("b"))
    second = source_of(path)
    second.resume(orjson.dumps(place).decode())
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await texts_of(second) == ["b"]
    assert loop.time() - began < 0.2


@pytest.mark.parametrize(
    "cursor",
    ["", "3", "null", "[]", "{}", "{", '"a"', "x" * 9_999, '{"offset":-1}', "{" + '"a":' * 400],
)
async def test_a_damaged_cursor_is_refused(tmp_path, cursor):
    with pytest.raises(ValueError, match=r"."):
        source_of(written(tmp_path / "posts.jsonl", "a")).resume(cursor)


async def test_every_value_of_a_cursor_is_checked(tmp_path):
    source = source_of(written(tmp_path / "posts.jsonl", "a"))
    await read(source)
    cursor = orjson.loads(str(source.cursor))
    for name in cursor:
        for wrong in (None, "", -1, 1.5, True, 2**70, [1], "zz"):
            with suppress(orjson.JSONEncodeError), pytest.raises(ValueError, match="no place in a file"):
                source.resume(orjson.dumps(cursor | {name: wrong}).decode())
        with pytest.raises(ValueError, match="no place in a file"):
            source.resume(orjson.dumps({one: value for one, value in cursor.items() if one != name}).decode())


async def test_times_without_a_zone_are_told_once_and_can_be_named(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("time,text\n15.11.2008 03:40,a\n15.11.2008 03:41,b\n")
    source = source_of(path)
    assert [post.time.hour for post in await read(source)] == [3, 3]
    told = 'times without a zone are taken for UTC; timezone = "Europe/Berlin" in its [[source]] names another.'
    assert source.status().trouble == f"{path}: {told}"
    source = source_of(path, zone=ZoneInfo("Europe/Berlin"))
    assert [post.time.hour for post in await read(source)] == [2, 2]
    assert source.status().trouble == ""


@pytest.mark.parametrize(("first", "told"), [("2008-11-13T03:39:00Z", False), ("2008-11-15T04:00:00Z", True)])
async def test_an_export_that_begins_with_the_newest_post_is_told_to_be_sorted(tmp_path, first, told):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a", time=first) + line("b", time="2008-11-13T03:40:00Z") + line("c") * 3)
    source = source_of(path)
    assert len(await read(source)) == 5
    assert ("is not in the order of time" in source.status().trouble) is told


class LoggedClock(ReplayClock):
    """A clock that jumps instead of waiting and remembers until when."""

    def __init__(self) -> None:
        super().__init__(START + timedelta(days=1))
        self.waits: list[timedelta] = []

    async def sleep_until(self, moment: datetime) -> None:
        self.waits.append(moment - START - timedelta(days=1))
        await super().sleep_until(moment)


async def test_a_recording_comes_at_the_speed_that_is_asked_for(tmp_path):
    path, clock = tmp_path / "posts.jsonl", LoggedClock()
    path.write_bytes(b"".join(line("a", time=f"2008-11-15T03:{minute}:00Z") for minute in (10, 11, 10, 40)))
    await read(FileSource("posts", path, clock, speed=60))
    assert clock.waits == [timedelta(seconds=seconds) for seconds in (0, 1, 0, 30)]


async def test_an_archive_that_is_cut_off_gives_what_is_whole(tmp_path):
    path = tmp_path / "a.jsonl.gz"
    whole = gzip.compress(b"".join(line(f"{number} {hash(str(number))}") for number in range(5_000)))
    path.write_bytes(whole[: len(whole) // 2])
    source = source_of(path)
    assert len(await texts_of(source)) > 1_000
    assert (source.status().state, source.status().bad) == ("ended", 1)
    assert "the archive is cut off" in source.status().trouble


async def test_no_more_than_a_chunk_is_read_ahead_of_a_busy_desk(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a") * 1_000)
    with path.open("ab") as file:
        file.write(b"oops\n" + line("b"))
    source, edge = source_of(path), Taken()
    await killed_after(source, 10)
    assert source.status().bad == 0
    assert source.status().posts == 10
    await source_of(path).run(edge)
    assert len(edge.posts) == 1_001


async def test_giant_lines_cost_one_bad_line_and_no_memory(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(line("a") + b"x" * (5 << 20) + b"\n" + b"\0" * (5 << 20) + line("b") + b"\0\0\n" + line("c"))
    source = source_of(path)
    assert await texts_of(source) == ["a", "b", "c"]
    assert source.status().bad == 2
    assert "posts.jsonl:4: holds zero bytes" in source.status().trouble


def test_a_pipe_has_no_cursor_and_is_not_followed():
    source = FileSource("pipe", Path("-"), ReplayClock(START))
    source.resume("3")
    assert source.cursor is None
    assert not source.resumes
    with pytest.raises(UsageError, match="standard input: is a pipe and read as it comes; take 'follow' out"):
        FileSource("pipe", Path("-"), ReplayClock(START), follow=True)


async def test_a_terminal_is_left_to_the_console(monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    source = FileSource("pipe", Path("-"), ReplayClock(START))
    with pytest.raises(FatalSourceError, match=r"nothing is piped in; start the desk as `… \| crisisdesk run`"):
        await source.run(Taken())
    assert source.status().state == "failed"


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of Unix")
async def test_what_comes_through_a_named_pipe_is_sent_as_it_comes(tmp_path):
    """As with `tail -F posts.jsonl > pipe`: nobody waits for the pipe's end, or for a block to be full."""
    path, sent = tmp_path / "pipe", asyncio.Queue[str]()
    os.mkfifo(path)
    source = FileSource("pipe", path, WallClock())

    async def send(post: Post) -> None:
        await sent.put(post.text)

    playing = asyncio.create_task(source.run(Taken(wait=send)))
    with await asyncio.to_thread(path.open, "wb", 0) as pipe:
        for text in ("one", "two"):
            pipe.write(line(text))
            assert await asyncio.wait_for(sent.get(), 5) == text
        assert source.status().state == "live"
        assert source.cursor is None
    await asyncio.wait_for(playing, 5)
    assert source.status().state == "ended"
