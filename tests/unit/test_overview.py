"""The pictures of all watches: they show the present, and looking changes nothing."""

import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from storms import END, quiet, scored, storm

from crisisdesk.desk import WatchPicture
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import WatchDetector, minutes
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.engine.overview import Pictures, spending_of, watch_picture
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.incidents.spending import Call
from crisisdesk.records import Label, Scored, Verdict
from crisisdesk.settings.budget import DAYS_PER_MONTH
from crisisdesk.storage.store import Store

MINUTE = timedelta(minutes=1)


def observing(register: Register, *watches: str) -> tuple[Observation, Pictures]:
    desk = Observation(register, {watch: Standard() for watch in watches}, Tally(), lambda _: None)
    return desk, Pictures(desk, register, (), None)


def of(watch: str, posts: Iterable[Scored]) -> list[Scored]:
    return [replace(one, mention=replace(one.mention, watches=(watch,))) for one in posts]


def only(pictures: Pictures) -> WatchPicture:
    (picture,) = pictures.now()
    return picture


async def test_looking_changes_nothing_of_what_is_learnt_and_said(register: Register, tmp_path: Path):
    async with await Store.open(tmp_path / "other.db", durable=False) as store:
        other = Register(store, Rules(), lambda _: None, ())
        await other.load()
        seen, pictures = observing(register, "Early", "Late")
        unseen, _ = observing(other, "Early", "Late")
        late = of("Late", storm(END + timedelta(hours=20), 60))
        for post in (*of("Early", quiet(12)[:600]), *late):
            for desk in (seen, unseen):
                await desk.take(post)
            list(pictures.now())
        for name in ("Early", "Late"):
            for desk in (seen, unseen):
                desk.detectors[name].pass_time(seen.now)
            states = [orjson.dumps(desk.detectors[name].state()) for desk in (seen, unseen)]
            assert states[0] == states[1], f"{name} is changed by looks"
        assert register.incidents() == other.incidents()


async def test_a_picture_shows_a_post_a_call_and_its_end_at_once_and_what_grows_old_within_a_minute(register: Register):
    desk, pictures = observing(register, "Brand")
    for post in quiet():
        await desk.take(post)
    before = only(pictures)
    assert (before.severity, before.total_hour) == (None, 5)
    assert only(pictures) is before
    await desk.take(scored("hello", desk.now, Label.NEUTRAL, author="new", n=9))
    assert only(pictures).total_hour == 6
    for post in storm(END):
        await desk.take(post)
    assert only(pictures).severity is not None
    assert only(pictures).negative_hour == 40
    for _ in range(30):
        await desk.tick(desk.now + MINUTE)
    assert only(pictures).negative_hour == pytest.approx(30, abs=1)
    for _ in range(60):
        await desk.tick(desk.now + 10 * MINUTE)
    assert (only(pictures).severity, only(pictures).total_hour) == (None, 0)


async def test_in_silence_the_usual_goes_on_and_a_clock_that_is_set_back_leaves_no_old_picture(register: Register):
    desk, pictures = observing(register, "Brand")
    for post in quiet():
        await desk.take(post)
    for _ in range(3):
        await desk.tick(desk.now + timedelta(hours=1))
    at = desk.now
    assert only(pictures).chart[-1].time == at.replace(minute=0, second=0)
    await desk.tick(at + timedelta(hours=6))
    assert only(pictures).chart[-1].time == (at + timedelta(hours=6)).replace(minute=0, second=0)
    await desk.turn_back(at)
    await desk.tick(at + MINUTE)
    assert only(pictures).chart[-1].time == at.replace(minute=0, second=0)


async def test_a_thousand_watches_are_not_drawn_anew_while_nothing_happens(register: Register):
    desk, pictures = observing(register, *(f"brand {n}" for n in range(1_000)))
    await desk.tick(END)
    list(pictures.now())
    began = time.perf_counter()
    for second in range(20):
        await desk.tick(END + timedelta(seconds=second))
        list(pictures.now())
    assert (time.perf_counter() - began) / 20 < 0.015


def test_what_a_watch_overspends_is_told_by_its_own_clocks_and_not_for_time_in_which_nobody_listened():
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    detector = WatchDetector("Motrin", Standard(zone=ZoneInfo("Asia/Tokyo")))
    detector.pass_time(now - timedelta(days=80))
    moments = [now - timedelta(days=day) for day in range(1, 10)]
    barely = Thresholds.for_budget(1.0).amber
    calls = [Call(f"motrin-{n}", "Motrin", one, barely, Verdict.FALSE_ALARM) for n, one in enumerate(moments)]
    found = spending_of(detector, calls, now)
    assert found.allowed == pytest.approx(80 / DAYS_PER_MONTH)
    told = watch_picture(detector, None, found).advice
    assert " JST" in told
    assert "UTC" not in told
    detector.detector.hearing.was_deaf(minutes(now - timedelta(days=70)), minutes(now - timedelta(days=30)))
    assert spending_of(detector, calls, now).allowed == pytest.approx(40 / DAYS_PER_MONTH, rel=0.01)
