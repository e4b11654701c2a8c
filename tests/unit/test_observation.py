"""All watches under observation: when they begin, and what becomes of them when the clock is set back."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from storms import END, START, quiet, storm

from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import minutes
from crisisdesk.engine.intake import Tally
from crisisdesk.engine.observation import Observation
from crisisdesk.incidents.register import Register
from crisisdesk.records import Scored, Severity


async def taken(desk: Observation, posts: Iterable[Scored]) -> None:
    for post in posts:
        await desk.take(post)


def calls(register: Register) -> bool:
    return any(one.worst >= Severity.AMBER for one in register.incidents())


async def test_a_watch_of_which_nobody_spoke_all_day_calls_when_the_storm_comes(register: Register):
    desk = Observation(register, {"Brand": Standard()}, Tally(), lambda _: None)
    for hour in range(20):
        await desk.tick(START + timedelta(hours=hour))
    await taken(desk, storm(START + timedelta(hours=20), 60))
    assert calls(register)


@pytest.mark.parametrize("hours", [3, 30, 48])
async def test_a_clock_that_was_ahead_leaves_no_watch_deaf_when_it_is_set_back(register: Register, hours: int):
    hearing = Hearing()
    desk = Observation(register, {"Brand": Standard()}, Tally(), lambda _: None, hearing=hearing)
    await taken(desk, quiet())
    before = desk.detectors["Brand"]
    before.pass_time(END)
    level, weeks, hours_known, since = before.detector.baseline.level, before.weeks(), before.hours(), before.since
    ahead = END + timedelta(hours=hours)
    hearing.was_deaf(minutes(END), minutes(ahead))
    await desk.tick(ahead)
    desk.detectors["Brand"].pass_time(ahead)
    hearing.turn_back(minutes(END))
    await desk.turn_back(END)
    assert desk.now == END
    after = desk.detectors["Brand"]
    assert after is not before
    after.pass_time(END)
    assert after.since == since
    assert [(week.total, week.negative) for week in after.weeks()] == [(week.total, week.negative) for week in weeks]
    assert [one.start for one in after.hours()][:-1] == [one.start for one in hours_known][-len(after.hours()) : -1]
    await taken(desk, storm(END))
    assert calls(register)
    assert desk.detectors["Brand"].late == 0
    assert desk.detectors["Brand"].detector.baseline.level == pytest.approx(level, rel=0.05)
    assert "Brand" in desk.changed


async def test_a_clock_that_is_set_back_takes_nothing_from_watches_that_did_not_follow_it(register: Register):
    desk = Observation(register, {"Brand": Standard()}, Tally(), lambda _: None)
    await taken(desk, quiet())
    watch = desk.detectors["Brand"]
    desk._now = END + timedelta(hours=3)
    await desk.turn_back(END)
    assert desk.detectors["Brand"] is watch
