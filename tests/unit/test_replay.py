"""Recordings at the pace of a clock."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from edges import Taken

from crisisdesk.clock import ReplayClock, WallClock
from crisisdesk.records import EPOCH, Post
from crisisdesk.sources.file.replay import Pace, Replay

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


def test_a_recording_has_no_cursor():
    assert Replay("demo", posts(0), WallClock()).cursor is None


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
