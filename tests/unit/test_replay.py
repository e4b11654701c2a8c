"""Recordings at the pace of a clock."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from edges import Taken

from crisisdesk.clock import ReplayClock, WallClock
from crisisdesk.errors import FatalSourceError, UsageError
from crisisdesk.records import EPOCH, Post
from crisisdesk.sources.replay import FileSource, Pace, Replay

START = datetime(2008, 11, 14, tzinfo=UTC)


class LoggedClock(ReplayClock):
    """A replay's clock that jumps instead of waiting and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(START)
        self.speed: float | None = None
        self.waits: list[tuple[float, float]] = []

    def restart(self, start: datetime, speed: float | None) -> None:
        super().restart(start, None)
        self.speed = speed

    async def sleep_until(self, moment: datetime) -> None:
        if self.speed is not None and moment > self.now():
            self.waits.append(((moment - self.now()).total_seconds(), self.speed))
        await super().sleep_until(moment)


def posts(*hours: float) -> Iterator[Post]:
    return (
        Post(id=str(n), source="file", time=START + timedelta(hours=hour), text="a") for n, hour in enumerate(hours)
    )


async def played(source: Replay) -> list[str]:
    sent: list[str] = []

    async def send(post: Post) -> None:
        sent.append(post.id)

    await source.run(Taken(wait=send))
    return sent


async def test_the_quiet_days_pass_at_once_and_the_rest_at_speed():
    clock = LoggedClock()
    pace = Pace(clock, speed=60, shown_from=START + timedelta(hours=2))
    source = Replay("demo", posts(0, 1, 1.5, 3, 3, 5), clock, pace)
    assert source.status().state == "connecting"
    assert await played(source) == list("012345")
    assert clock.waits == [(3600, 60), (7200, 60)]
    status = source.status()
    assert (status.state, status.events, status.posts) == ("ended", 6, 6)
    assert status.last_event == START + timedelta(hours=5)


async def test_without_speed_nothing_waits_and_the_file_keeps_its_order():
    clock = ReplayClock(START)
    assert await played(Replay("demo", posts(5, 1, 9, 3), clock, Pace(clock))) == list("0123")
    assert clock.now() == START + timedelta(hours=9)


async def test_real_waiting():
    clock = ReplayClock(START)
    source = Replay("demo", posts(0, 1, 2), clock, Pace(clock, speed=3600 * 50))
    began = asyncio.get_running_loop().time()
    await played(source)
    assert 0.035 < asyncio.get_running_loop().time() - began < 10


async def test_at_its_end_the_clock_stands_still():
    clock = ReplayClock(START)
    await played(Replay("demo", posts(0, 1), clock, Pace(clock, speed=3600 * 100)))
    end = clock.now()
    assert end >= START + timedelta(hours=1)
    await asyncio.sleep(0.001)
    assert clock.now() == end


async def test_more_posts_than_fit_into_one_read():
    assert len(await played(Replay("long", posts(*[0.0] * 1203), WallClock()))) == 1203


async def test_it_can_be_stopped_while_the_desk_is_busy():
    source = Replay("file", posts(0, 1), WallClock())
    reached = asyncio.Event()

    async def busy(_: Post) -> None:
        reached.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(source.run(Taken(wait=busy)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_file_counts_its_bad_lines_and_ends(tmp_path):
    path = tmp_path / "posts.jsonl"
    path.write_bytes(orjson.dumps({"time": "2999-01-01T00:00:00Z", "text": "a"}) + b"\noops\n"
                     + orjson.dumps({"id": "b", "time": "2008-11-14T01:00:00Z", "text": "b"}) + b"\n")  # fmt: skip
    source = FileSource("posts", path, ReplayClock(START))
    sent: list[Post] = []

    async def send(post: Post) -> None:
        sent.append(post)

    await source.run(Taken(wait=send))
    assert [(post.id, post.time) for post in sent] == [("b", START)]
    status = source.status()
    assert (status.state, status.posts, status.bad) == ("ended", 1, 2)
    assert "posts.jsonl:2: is not JSON" in status.trouble


async def test_a_file_that_cannot_be_used_fails_loudly(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        FileSource("gone", tmp_path / "gone.jsonl", WallClock())
    path = tmp_path / "a.csv"
    path.write_text("when,what\n1,2\n")
    source = FileSource("a", path, WallClock())
    with pytest.raises(FatalSourceError, match="no column 'time'"):
        await played(source)
    assert source.status().state == "failed"
    assert "no column 'time'" in source.status().trouble


def write_posts(path: Path, *ids: str) -> Path:
    path.write_bytes(
        b"".join(orjson.dumps({"id": i, "time": "2008-11-14T00:00:00Z", "text": "a"}) + b"\n" for i in ids)
    )
    return path


async def stopped_after(source: Replay, number: int) -> list[str]:
    """Run until the desk has taken so many posts, then cancel."""
    sent: list[str] = []
    enough = asyncio.Event()

    async def send(post: Post) -> None:
        if len(sent) == number:
            enough.set()
            await asyncio.Event().wait()
        sent.append(post.id)

    task = asyncio.create_task(source.run(Taken(wait=send)))
    await enough.wait()
    task.cancel()
    await asyncio.wait({task})
    return sent


async def test_a_restart_goes_on_in_the_file_where_the_last_run_stopped(tmp_path):
    path = write_posts(tmp_path / "posts.jsonl", *"abcd")
    first = FileSource("posts", path, ReplayClock(START))
    assert await stopped_after(first, 2) == ["a", "b"]
    assert first.cursor == "2"
    second = FileSource("posts", path, ReplayClock(START))
    second.resume("2")
    assert second.cursor == "2"
    assert await played(second) == ["c", "d"]
    assert (second.cursor, second.status().posts) == ("4", 2)
    write_posts(path, *"abcdef")
    third = FileSource("posts", path, ReplayClock(START))
    third.resume("4")
    assert await played(third) == ["e", "f"]


async def test_a_restart_reads_nothing_again_of_a_file_that_stayed(tmp_path):
    source = FileSource("posts", write_posts(tmp_path / "posts.jsonl", *"abc"), ReplayClock(START))
    source.resume("3")
    assert await played(source) == []
    assert (source.cursor, source.status().state) == ("3", "ended")


async def test_a_file_that_shrank_is_read_from_its_beginning(tmp_path):
    path = write_posts(tmp_path / "posts.jsonl", *"xy")
    path.write_bytes(path.read_bytes() + b"oops\n")
    source = FileSource("posts", path, ReplayClock(START))
    source.resume("3")
    assert await played(source) == ["x", "y"]
    assert (source.cursor, source.status().bad) == ("2", 1)


def test_standard_input_and_a_recording_have_no_cursor():
    source = FileSource("pipe", Path("-"), ReplayClock(START))
    source.resume("3")
    assert source.cursor is None
    assert Replay("demo", posts(0), WallClock()).cursor is None


async def test_the_end_of_the_program_does_not_wait_for_a_read_that_blocks():
    reading, never = asyncio.Event(), threading.Event()
    loop, readers = asyncio.get_running_loop(), []

    def blocked() -> Iterator[Post]:
        readers.append(threading.current_thread())
        loop.call_soon_threadsafe(reading.set)
        never.wait()
        yield from posts(0)

    task = asyncio.create_task(played(Replay("pipe", blocked(), WallClock())))
    await reading.wait()
    task.cancel()
    await asyncio.wait({task})
    assert readers[0].is_alive()
    assert readers[0].daemon
    never.set()
    readers[0].join()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a signal to a process")
def test_ctrl_c_ends_a_replay_of_a_pipe_that_stays_open(tmp_path):
    command = [sys.executable, "-m", "crisisdesk", "replay", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd=tmp_path) as running:
        assert running.stdin
        assert running.stderr
        running.stdin.write(b"oops\n")
        running.stdin.flush()
        assert b"standard input:1: is not JSON" in running.stderr.readline()  # now it waits for the next line
        running.send_signal(signal.SIGINT)
        try:
            assert running.wait(5) == 130
        finally:
            running.kill()
        assert b"Error" not in running.stderr.read()


async def test_a_recording_has_been_heard_when_its_newest_post_was_written_however_far_its_clock_shows():
    clock = ReplayClock(EPOCH)
    clock.reached = lambda: EPOCH  # the first posts are under way, and nothing has gone through
    source = Replay("demo", posts(0, 1), clock, Pace(clock, shown_from=START + timedelta(days=9)))
    await played(source)
    assert clock.now() == EPOCH
    assert source.status().last_event == START + timedelta(hours=1)


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes of Unix")
async def test_what_comes_through_a_named_pipe_is_sent_as_it_comes(tmp_path: Path):
    """As with `tail -F posts.jsonl > pipe`: nobody waits for the pipe's end, or for a block to be full."""
    path, sent = tmp_path / "pipe", asyncio.Queue[str]()
    os.mkfifo(path)
    source = FileSource("pipe", path, WallClock())

    async def send(post: Post) -> None:
        await sent.put(post.text)

    playing = asyncio.create_task(source.run(Taken(wait=send)))
    with await asyncio.to_thread(path.open, "wb", 0) as pipe:
        for text in ("one", "two"):
            pipe.write(orjson.dumps({"time": "2008-11-15T03:40:00Z", "text": text}) + b"\n")
            assert await asyncio.wait_for(sent.get(), 5) == text
        assert source.cursor is None
    await asyncio.wait_for(playing, 5)


async def test_a_table_with_other_columns_is_told_what_to_write_into_the_configuration(tmp_path: Path):
    path = tmp_path / "export.csv"
    path.write_text("Datum;Inhalt\n15.11.2008 03:40;oje\n", encoding="utf-8")
    cure = r'Say which they are, in its \[\[source\]\]: columns = "time=Datum,text=Inhalt"$'
    with pytest.raises(FatalSourceError, match=cure):
        await played(FileSource("export", path, WallClock()))
    named = FileSource("export", path, WallClock(), {"time": "Datum", "text": "Inhalt"})
    assert len(await played(named)) == 1
