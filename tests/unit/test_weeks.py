"""Totals by week, and the slow rise that they show."""

import random
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.detect.weeks import KEPT, WEEK, Week, Weeks, slow_rise
from crisisdesk.records import EPOCH, Label, Mention, Post, Scored

MONDAY = datetime(2026, 9, 28, tzinfo=UTC)
FIRST = int((MONDAY - EPOCH) / timedelta(hours=1))


def hour(number: int) -> datetime:
    return EPOCH + timedelta(hours=number)


def counts(*weeks: tuple[int, float]) -> list[Week]:
    """Full weeks of so many posts, with that negative share, and a present one that has just begun."""
    full = [Week(MONDAY + timedelta(weeks=n), posts, round(posts * share)) for n, (posts, share) in enumerate(weeks)]
    return [*full, Week(MONDAY + timedelta(weeks=len(weeks)), 3, 3)]


def test_hours_are_added_up_by_calendar_week():
    weeks = Weeks()
    for one in range(FIRST - 2, FIRST + WEEK + 3):
        weeks.add(one, 10, 2)
    told = weeks.all(hour(FIRST + WEEK + 3))
    assert [(week.name, week.total, week.negative) for week in told] == [
        ("2026-W39", 20, 4), ("2026-W40", 1680, 336), ("2026-W41", 30, 6),
    ]  # fmt: skip
    assert [week.share for week in told] == [0.2] * 3
    assert hour(weeks.since) == MONDAY - timedelta(hours=2)


def test_hours_that_stand_out_are_left_out_and_counted():
    weeks = Weeks()
    for one in range(FIRST - 2, FIRST + 30):
        weeks.add(one, 10, 2, stood_out=FIRST - 1 <= one < FIRST + 3)
    before, present = weeks.all(hour(FIRST + 30))
    assert (before.total, before.negative, before.left_out) == (10, 2, 1)
    assert (present.total, present.negative, present.left_out) == (270, 54, 3)


def test_silent_weeks_are_empty_and_old_ones_are_forgotten():
    weeks = Weeks()
    weeks.add(FIRST, 10, 2)
    weeks.add(FIRST + 3 * WEEK, 7, 1)
    told = weeks.all(hour(FIRST + 5 * WEEK))
    assert [week.total for week in told] == [10, 0, 0, 7, 0, 0]
    assert told[1].share is None
    assert [week.total for week in weeks.all(hour(FIRST + 40 * WEEK))] == [0] * KEPT
    assert Weeks().all(MONDAY) == ()


def test_a_restart_forgets_nothing():
    weeks = Weeks()
    for one in range(FIRST, FIRST + 200):
        weeks.add(one, one % 13, one % 3, stood_out=one % 50 == 0)
    again = Weeks.restored(orjson.loads(orjson.dumps(weeks.state())))
    for both in (weeks, again):
        both.add(FIRST + 200, 9, 9)
        both.add(FIRST + 210, 9, 9)
    assert again.state() == weeks.state()


@pytest.mark.parametrize(
    "wrong", [{"weeks": [1]}, {"weeks": [-1] * 3 * KEPT}, {"since": "monday"}, [0, 0, 0, 0, [1], [2]], [0] * 6]
)
def test_a_state_of_another_shape_is_refused_at_once(wrong: dict[str, object] | list[object]):
    weeks = Weeks()
    weeks.add(FIRST, 10, 2)
    with pytest.raises((TypeError, ValueError)):
        Weeks.restored(weeks.state() | wrong if isinstance(wrong, dict) else wrong)


def test_what_an_older_version_kept_can_be_read():
    weeks = Weeks()
    weeks.add(FIRST, 10, 2)
    counts = [0] * 2 * KEPT
    place = weeks._weeks.index(10) // 3 * 2
    counts[place], counts[place + 1] = 10, 2
    assert Weeks.restored([FIRST, 0, FIRST, -1, [0] * 48, counts]).all(MONDAY) == weeks.all(MONDAY)


def test_a_slow_rise_is_told_in_two_languages():
    rise = slow_rise(counts((1100, 0.18), (1180, 0.21), (1210, 0.25), (1150, 0.28), (1204, 0.31)), 0.01)
    assert rise is not None
    said = rise.told("Motrin")
    assert said.en == "Negative share of Motrin up from 18% to 31% in four weeks (1,204 posts last week)."
    assert said.de.replace("\u00a0", " ") == (
        "Negativer Anteil bei Motrin in vier Wochen von 18 % auf 31 % gestiegen (1.204 Beiträge in der letzten Woche)."
    )


@pytest.mark.parametrize(
    ("weeks", "told"),
    [
        ([(1000, 0.2), (1000, 0.25), (1000, 0.3)], True),
        ([(1000, 0.2), (1000, 0.3)], False),  # two weeks are no trend
        ([(60, 0.2), (60, 0.25), (60, 0.3)], False),  # too few posts
        ([(1000, 0.2), (1000, 0.21), (1000, 0.22), (1000, 0.23)], False),  # too small
        ([(1000, 0.2), (1000, 0.2), (1000, 0.2), (1000, 0.2), (1000, 0.32)], False),  # one bad week
        ([(1000, 0.31), (1000, 0.27), (1000, 0.22), (1000, 0.18)], False),  # a fall
        ([(1000, 0.2), (1000, 0.25), (1000, 0.3), (0, 0)], False),  # nothing heard last week
        ([(1000, 0.0), (1000, 0.0), (1000, 0.0)], False),
        ([(1000, 0.1), (1000, 0.25), (1000, 0.2), (1000, 0.22), (1000, 0.2), (1000, 0.21)], False),  # long ago
    ],
)
def test_what_is_told_as_a_slow_rise(weeks: list[tuple[int, float]], told: bool):
    assert (slow_rise(counts(*weeks), 0.01) is not None) is told


def test_a_moody_watch_needs_a_clearer_rise():
    weeks = counts((1000, 0.2), (1000, 0.24), (1000, 0.27), (1000, 0.3))
    assert slow_rise(weeks, 0.01) is not None
    assert slow_rise(weeks, 0.1) is None


def test_a_small_share_rises_slowly_from_a_third_more_on():
    assert slow_rise(counts((20_000, 0.02), (20_000, 0.024), (20_000, 0.026), (20_000, 0.03)), 0.002) is not None
    assert slow_rise(counts((90_000, 0.02), (90_000, 0.022), (90_000, 0.024), (90_000, 0.026)), 0.002) is None


def test_chance_alone_is_hardly_ever_told():
    """Brands of 100 posts a day whose days differ in mood as much as the watch has learnt."""
    rng, correlation = random.Random(5), 0.01
    days = 1 / correlation - 1

    def week(share: float) -> int:
        moods = (rng.betavariate(share * days, (1 - share) * days) for _ in range(7))
        return sum(sum(rng.random() < mood for _ in range(100)) for mood in moods)

    told = 0
    for _ in range(300):
        told += slow_rise([*(Week(MONDAY + timedelta(weeks=n), 700, week(0.2)) for n in range(5)),
                           Week(MONDAY + timedelta(weeks=5), 0, 0)], correlation) is not None  # fmt: skip
    assert told <= 8


def test_a_watch_tells_a_rise_that_called_nobody():
    rng, watch = random.Random(3), WatchDetector("Motrin")
    for number in range(33 * 24 * 6):
        moment = MONDAY + timedelta(minutes=10 * number)
        share = 0.15 + 0.2 * number / (33 * 24 * 6)
        label = Label.NEGATIVE if rng.random() < share else Label.NEUTRAL
        post = Post(f"p{number}", "x", moment, f"thoughts {number} of a stranger {number * 7}", author=f"a{number}")
        mood = (0.9, 0.05, 0.05) if label is Label.NEGATIVE else (0.05, 0.9, 0.05)
        watch.observe(Scored(Mention(post, ("Motrin",), "en"), *mood, "m"))
    watch.pass_time(MONDAY + timedelta(weeks=5, hours=3))
    rise = watch.slow_rise()
    assert rise is not None
    assert rise.weeks == 4
    assert rise.share - rise.before > 0.1
    again = WatchDetector("Motrin")
    again.restore(orjson.loads(orjson.dumps(watch.state())))
    assert (again.slow_rise(), again.since) == (rise, MONDAY)
