"""The desk's present: the time of day, or that of a recording."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk import clock as clock_module
from crisisdesk.clock import ReplayClock, WallClock

START = datetime(2008, 11, 14, 23, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Watch:
    """A watch that the test sets, and sleeps that it counts."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@pytest.fixture
def watch(monkeypatch) -> Watch:
    fake = Watch()
    monkeypatch.setattr(clock_module.time, "monotonic", fake.monotonic)
    monkeypatch.setattr(clock_module.asyncio, "sleep", fake.sleep)
    return fake


def test_the_wall_clock_shows_utc():
    before = time.time()
    now = WallClock().now()
    assert now.utcoffset() == timedelta(0)
    assert before <= now.timestamp() <= time.time()


async def test_a_moment_that_has_passed_is_not_waited_for():
    async with asyncio.timeout(5):
        await WallClock().sleep_until(datetime(1970, 1, 1, tzinfo=UTC))
        await ReplayClock(START, 1.0).sleep_until(START - HOUR)


async def test_the_wall_clock_waits_as_long_as_it_takes(watch):
    await WallClock().sleep_until(WallClock().now() + HOUR)
    assert watch.slept == [pytest.approx(3600, abs=1)]


async def test_a_recording_runs_at_its_speed(watch):
    clock = ReplayClock(START, 2880)
    assert clock.now() == START
    watch.seconds += 10
    assert clock.now() == START + 8 * HOUR
    await clock.sleep_until(START + 10 * HOUR)
    assert watch.slept == [pytest.approx(2.5)]
    assert clock.now() == START + 10 * HOUR


async def test_without_speed_nobody_waits_and_time_is_what_was_slept_for(watch):
    clock = ReplayClock(START)
    await clock.sleep_until(START + HOUR)
    await clock.sleep_until(START - HOUR)
    watch.seconds += 10
    assert clock.now() == START + HOUR
    assert watch.slept == []


async def test_a_replay_learns_in_no_time_and_then_shows(watch):
    clock = ReplayClock(START - 24 * HOUR)
    await clock.sleep_until(START - HOUR)
    watch.seconds += 5
    clock.restart(START, 60)
    assert clock.now() == START
    await clock.sleep_until(START + HOUR)
    assert watch.slept == [60]
    assert clock.now() == START + HOUR


async def test_a_recording_shows_no_time_beyond_the_next_post_and_none_that_has_not_gone_through(watch):
    clock = ReplayClock(START, 2880)
    await clock.sleep_until(START + HOUR)
    watch.seconds += 10  # the desk was busy; a post of this hour is being judged
    clock.reached = lambda: START + HOUR / 2
    assert clock.now() == START + HOUR / 2
    clock.reached = lambda: None
    assert clock.now() == START + HOUR
    clock.reached = lambda: START + HOUR / 2
    assert clock.now() == START + HOUR  # it never goes back
    await clock.sleep_until(START + 2 * HOUR)
    clock.reached = lambda: None
    clock.stand_still()
    watch.seconds += 10
    assert clock.now() == START + 2 * HOUR
