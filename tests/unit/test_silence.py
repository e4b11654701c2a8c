"""For how long a source may plausibly be silent: what its own rhythm says."""

import random
from collections.abc import Callable

import orjson
import pytest
from rhythms import CAP, FLOOR, MONDAY, Part, always, by_day, in_office_hours, listen, posts, silent_until_missed

from crisisdesk.detect.silence import DAY, HOUR, STEP, Rhythm


def settled(every: float, part: Part = always, days: int = 14, look: float = 60.0) -> Rhythm:
    rhythm = Rhythm(FLOOR, CAP)
    listen(rhythm, posts(random.Random(1), every, part, MONDAY, days), MONDAY, days, look)
    return rhythm


@pytest.mark.parametrize(
    ("every", "soonest", "latest"),
    [(60.0, 10 * 60.0, 40 * 60.0), (600.0, 1.5 * HOUR, 5 * HOUR), (HOUR, 8 * HOUR, 20 * HOUR), (DAY, 4 * DAY, CAP)],
)
def test_the_plausible_gap_follows_the_rhythm(every: float, soonest: float, latest: float):
    rhythm = settled(every, look=max(60.0, every / 10))
    assert soonest <= silent_until_missed(rhythm, MONDAY + 14 * DAY + 12 * HOUR) <= latest


def test_a_stream_without_pause_is_missed_after_the_floor():
    rhythm = Rhythm(FLOOR, CAP)
    for number in range(6 * 60):
        rhythm.listen(MONDAY + number * STEP, MONDAY + (number + 1) * STEP)
        rhythm.hear(MONDAY + (number + 1) * STEP)
    assert silent_until_missed(rhythm, MONDAY + HOUR) == FLOOR


def test_how_many_posts_come_at_once_says_nothing_about_the_next_one():
    """As after a break, when a network sends again what was missed."""
    one_by_one, in_a_heap = Rhythm(FLOOR, CAP), Rhythm(FLOOR, CAP)
    for number in range(48):
        for rhythm, heap in ((one_by_one, 1), (in_a_heap, 500)):
            rhythm.listen(MONDAY + number * HOUR, MONDAY + (number + 1) * HOUR)
            for post in range(heap):
                rhythm.hear(MONDAY + (number + 1) * HOUR + post / 100)
    assert in_a_heap.limit == one_by_one.limit
    assert in_a_heap.posts_a_day == one_by_one.posts_a_day


def test_the_night_of_a_source_that_sleeps_is_no_silence_and_the_day_is_not_given_the_patience_of_the_night():
    rhythm = settled(300.0, by_day, look=120.0)
    saved = orjson.dumps(rhythm.state())
    night = silent_until_missed(rhythm, MONDAY + 14 * DAY + HOUR)
    rhythm.restore(orjson.loads(saved))
    day = silent_until_missed(rhythm, MONDAY + 14 * DAY + 10 * HOUR)
    assert day < 3 * HOUR < 5 * HOUR < night


def test_after_two_weeks_no_weekend_of_an_office_is_a_silence():
    rhythm = Rhythm(FLOOR, CAP)
    found = listen(rhythm, posts(random.Random(2), 600.0, in_office_hours, MONDAY, 35), MONDAY, 35, 300.0)
    assert [moment for moment in found if moment > MONDAY + 14 * DAY] == []
    assert silent_until_missed(rhythm, MONDAY + 35 * DAY + 10 * HOUR) < 7 * HOUR


def test_few_posts_are_known_to_say_little():
    rhythm = Rhythm(FLOOR, CAP)
    for number in range(3):
        rhythm.listen(MONDAY + number * HOUR, MONDAY + (number + 1) * HOUR)
        rhythm.hear(MONDAY + (number + 1) * HOUR)
    assert silent_until_missed(rhythm, MONDAY + 3 * HOUR) > DAY


def test_however_rare_posts_are_a_silence_of_ten_days_is_too_long():
    assert silent_until_missed(settled(7 * DAY, days=60, look=1800.0), MONDAY + 60 * DAY) <= CAP


def test_before_the_first_post_nobody_can_tell():
    rhythm = Rhythm(FLOOR, CAP)
    rhythm.listen(MONDAY, MONDAY + 30 * DAY)
    assert not rhythm.is_overdue()
    assert rhythm.waited == 30 * DAY


def test_an_outage_does_not_become_the_habit():
    rhythm = settled(60.0)
    before = rhythm.limit
    now = MONDAY + 14 * DAY
    rhythm.listen(now, now + 6 * HOUR)
    rhythm.hear(now + 6 * HOUR)
    assert rhythm.limit == pytest.approx(before, rel=0.5)


def test_a_silence_with_reasons_of_its_own_teaches_nothing():
    rhythm, now = settled(60.0), MONDAY + 14 * DAY
    rhythm.hear(now)
    before = rhythm.state()
    rhythm.listen(now, now + HOUR)
    assert rhythm.is_overdue()
    rhythm.hear(now + HOUR, plausible=False)
    after = rhythm.state()
    assert (after["steps"], after["longest"]) == (before["steps"], before["longest"])


def test_a_source_that_has_slowed_down_is_believed_after_a_few_times():
    rhythm = settled(1800.0, look=600.0)
    start = MONDAY + 14 * DAY
    found = listen(rhythm, posts(random.Random(3), 12 * HOUR, always, start, 60), start, 60, 600.0)
    assert 1 <= len(found) <= 12
    assert not [moment for moment in found if moment > start + 45 * DAY]


def test_a_restart_changes_nothing_and_a_silence_goes_on():
    rhythm, again = settled(600.0, by_day), Rhythm(FLOOR, CAP)
    rhythm.listen(MONDAY + 14 * DAY, MONDAY + 14 * DAY + HOUR)
    again.restore(orjson.loads(orjson.dumps(rhythm.state())))
    assert again.state() == rhythm.state()
    assert (again.due, again.waited, again.limit) == (rhythm.due, rhythm.waited, rhythm.limit)


def test_what_is_kept_does_not_grow_with_time():
    rhythm = settled(HOUR, days=90, look=600.0)
    assert len(orjson.dumps(rhythm.state())) < 4_000


@pytest.mark.parametrize(
    "damage",
    [
        lambda state: state.pop("heard"),
        lambda state: state.update(heard=[0.0] * 24),
        lambda state: state.update(steps="many"),
        lambda state: state.update(steps=[None] * 48),
        lambda state: state.update(last="yesterday"),
        lambda state: state.update(last=-1),
        lambda state: state.update(due=float("nan")),
        lambda state: state.update(waited=1e300),
        lambda state: state.update(longest=[[1, 2, 3]]),
        lambda state: state.update(longest=[[day, 1.0] for day in range(1000)]),
        lambda state: state.update(day=True),
    ],
)
def test_what_is_damaged_is_refused_and_changes_nothing(damage: Callable[[dict[str, object]], object]):
    rhythm = settled(HOUR, days=2)
    before = rhythm.state()
    state = orjson.loads(orjson.dumps(before))
    damage(state)
    with pytest.raises((KeyError, TypeError, ValueError)):
        rhythm.restore(state)
    assert rhythm.state() == before


def test_a_clock_that_is_set_back_does_no_harm():
    rhythm = settled(60.0)
    rhythm.hear(MONDAY + 400 * DAY)
    start = MONDAY + 15 * DAY
    found = listen(rhythm, posts(random.Random(4), 60.0, always, start, 2), start, 2, 60.0)
    assert found == []
