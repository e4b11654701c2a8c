"""What the desk could not hear, hour by hour."""

from typing import Any

import orjson
import pytest

from crisisdesk.detect.hearing import KEPT, Hearing

HOUR = 60


def again(hearing: Hearing) -> Hearing:
    """The same after a restart."""
    other = Hearing()
    other.restore(orjson.loads(orjson.dumps(hearing.state())))
    return other


def test_gaps_are_told_hour_by_hour_and_survive_being_saved():
    hearing = Hearing()
    hearing.was_deaf(90, 100)
    hearing.was_deaf(100, 130)
    hearing.was_deaf(95, 130)
    hearing.was_deaf(200, 100_000)
    for one in (hearing, again(hearing)):
        assert [round(one.heard(hour), 3) for hour in range(5)] == [1, 0.5, round(5 / 6, 3), round(1 / 3, 3), 0]
        assert one.heard(100_000 // HOUR + 1) == 1
        one.was_deaf(0, 100_000)
        assert one.heard(0) == 1, "what has been told of counts once"


def test_a_connection_that_breaks_every_few_minutes_is_remembered_for_weeks():
    hearing = Hearing()
    for minute in range(0, 60 * 24 * HOUR, 4):
        hearing.was_deaf(minute, minute + 0.5)
    for one in (hearing, again(hearing)):
        assert one.heard(0) == one.heard(60 * 24 - 1) == pytest.approx(1 - 7.5 / 60)


def test_gaps_of_years_take_no_more_memory_and_what_nobody_remembers_was_not_heard():
    hearing = Hearing()
    for minute in range(0, 10_000_000, 1_000):
        hearing.was_deaf(minute, minute + 30)
    for one in (hearing, again(hearing)):
        assert len(orjson.dumps(one.state())) < 100_000
        assert one.heard(9_999_000 // HOUR) == 0.5
        assert one.heard(9_999_000 // HOUR - KEPT - 1) == 0


def test_a_desk_that_was_off_for_years_heard_nothing_then():
    hearing = Hearing()
    hearing.was_deaf(60, 5_000_000)
    assert len(hearing.state()["hours"]) <= KEPT + 1
    assert [hearing.heard(hour) for hour in (1, 1_000, 5_000_000 // HOUR - 1)] == [0, 0, 0]
    assert hearing.heard(5_000_000 // HOUR + 1) == 1


def test_an_hour_in_doubt_is_not_heard_and_a_moment_of_doubt_changes_nothing():
    hearing = Hearing()
    for second in range(0, 3600, 600):
        hearing.was_doubtful(second / 60, (second + 10) / 60)
    hearing.was_doubtful(70, 90)
    hearing.was_deaf(80, 95)
    hearing.was_doubtful(120, 125)
    hearing.was_deaf(125, 140)
    for one in (hearing, again(hearing)):
        assert [one.heard(hour) for hour in range(4)] == [1, 0, 0.75, 1]


@pytest.mark.parametrize(("ahead", "before"), [(5 * 24 * HOUR, 0.5), (5_000_000, 0)])
def test_a_clock_that_was_far_ahead_makes_nobody_deaf_until_then(ahead: int, before: float):
    hearing = Hearing()
    hearing.was_deaf(30, 30 + ahead)
    hearing.turn_back(90)
    assert [hearing.heard(hour) for hour in (0, 2, 30)] == [before, 1, 1]
    hearing.was_deaf(90, 150)
    assert hearing.heard(2) == 0.5


def test_the_gaps_of_older_versions_are_known():
    hearing = Hearing()
    hearing.restore([[90.0, 120.0], [150.0, 160.0]])
    assert [round(hearing.heard(hour), 3) for hour in range(4)] == [1, 0.5, round(5 / 6, 3), 1]


@pytest.mark.parametrize(
    "state",
    [
        None,
        7,
        "gaps",
        [[1.0]],
        [1.0],
        [["a", "b"]],
        {},
        {"told": 1.0, "known_from": 0},
        {"told": "now", "known_from": 0, "hours": []},
        {"told": 1.0, "known_from": 0, "hours": [[1, 2.0]]},
        {"told": 1.0, "known_from": 0, "hours": [[1, None, 2.0]]},
        {"told": 1.0, "known_from": 0, "hours": [[-1, 2.0, 2.0]]},
        {"told": float("nan"), "known_from": 0, "hours": []},
        {"told": 1.0, "known_from": float("inf"), "hours": []},
        {"told": True, "known_from": 0, "hours": []},
    ],
)
def test_gaps_of_another_shape_are_refused_and_change_nothing(state: Any):
    hearing = Hearing()
    hearing.was_deaf(0, 30)
    with pytest.raises((KeyError, TypeError, ValueError)):
        hearing.restore(state)
    assert hearing.heard(0) == 0.5
