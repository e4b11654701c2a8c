"""Since when was there nothing as large? Counted in days, in bounded memory."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.record_days import KEPT, RecordDays, Standing
from crisisdesk.detect.why import Why

START = 480_000  # hours since 1970; a midnight, as it is 20,000 days
DAY = 24


def watched(counts: dict[int, int]) -> RecordDays:
    """Counts by hour since the start."""
    days = RecordDays()
    for hour, count in counts.items():
        days.observe(START + hour, count)
    return days


def test_the_largest_in_twelve_days_says_so() -> None:
    days = watched({0: 5, 8 * DAY: 90, 13 * DAY: 40, 20 * DAY + 3: 70})
    standing = days.standing(START + 20 * DAY + 3, 70)
    assert standing == Standing(12)
    assert standing.told(1_204) == Why(
        "The last hour's 1,204 are the most negative posts in an hour for 12 days.",
        "In der letzten Stunde waren es 1.204 negative Beiträge, so viele wie in keiner anderen seit 12 Tagen.",
    )


def test_as_large_counts_as_large_and_yesterday_is_not_worth_a_word() -> None:
    days = watched({0: 5, 19 * DAY: 70, 20 * DAY: 70})
    assert days.standing(START + 20 * DAY, 70) == Standing(1)
    assert days.standing(START + 20 * DAY, 70).told(70) is None
    assert days.standing(START + 20 * DAY, 71).ever


def test_what_nothing_ever_reached_is_told_with_the_days_of_watching() -> None:
    days = watched({0: 5, 33 * DAY: 6, 34 * DAY: 50})
    standing = days.standing(START + 34 * DAY, 50)
    assert standing == Standing(34, ever=True)
    told = standing.told(70)
    assert told is not None
    assert told.en.endswith("are the most negative posts in an hour ever since watching began (34 days).")
    assert told.de.endswith("so viele wie in keiner anderen seit Beginn der Beobachtung (34 Tage).")


def test_what_lies_too_far_back_to_be_remembered_is_not_claimed() -> None:
    days = watched({0: 500, 200 * DAY: 50})
    standing = days.standing(START + 200 * DAY, 50)
    assert standing == Standing(KEPT - 1, beyond=True)
    told = standing.told(50)
    assert told is not None
    assert told.en.endswith(f"in an hour for more than {KEPT - 1} days.")
    assert told.de.endswith(f"in keiner anderen seit mehr als {KEPT - 1} Tagen.")


def test_a_new_watch_has_nothing_to_say() -> None:
    assert RecordDays().standing(START, 1000).told(1000) is None
    assert watched({0: 3}).standing(START + 5, 1000).told(1000) is None


def test_an_hour_may_grow_and_come_late() -> None:
    days = watched({0: 1, 10 * DAY: 2})
    for count in (3, 8, 20):
        days.observe(START + 10 * DAY, count)
    days.observe(START + 4 * DAY, 30)  # late
    days.observe(START - 100 * DAY, 999)  # far too late
    assert days.standing(START + 12 * DAY, 15) == Standing(2)
    assert days.standing(START + 12 * DAY, 25) == Standing(8)
    assert days.standing(START + 12 * DAY, 99) == Standing(12, ever=True)


def test_an_hour_that_lies_back_is_compared_with_what_came_before_it() -> None:
    days = watched({0: 1, 10 * DAY: 50, 14 * DAY: 40, 20 * DAY: 500})
    assert days.standing(START + 14 * DAY, 40) == Standing(4)


def test_what_its_own_day_has_surpassed_is_no_record() -> None:
    days = watched({0: 1, 20 * DAY: 60})
    assert days.standing(START + 20 * DAY, 60).ever
    days.observe(START + 20 * DAY + 5, 45)
    assert days.standing(START + 20 * DAY + 5, 45) == Standing(0)
    assert days.standing(START + 20 * DAY + 5, 45).told(45) is None


def test_what_an_older_version_kept_by_the_clock_claims_no_record_that_may_be_none() -> None:
    state = watched({0: 1, 20 * DAY: 40, 30 * DAY: 9}).state()
    state["largest"] = state.pop("rolling")
    days = RecordDays.restored(json.loads(json.dumps(state)))
    assert days.standing(START + 30 * DAY, 80) == Standing(10), "half of them on either side of the full hour"
    assert days.standing(START + 30 * DAY, 81).ever


@pytest.mark.parametrize(
    "wrong", [{"rolling": [1] * (KEPT - 1)}, {"rolling": [-1] * KEPT}, {"rolling": ["x"] * KEPT}, {"today": None}]
)
def test_a_state_of_another_shape_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="days of records"):
        RecordDays.restored(watched({0: 5}).state() | wrong)


COUNTS = st.lists(st.tuples(st.integers(0, 90 * DAY), st.integers(0, 1 << 70)), max_size=60)


@given(COUNTS, st.integers(0, 100 * DAY), st.integers(0, 50))
def test_a_restart_changes_nothing(counts: list[tuple[int, int]], hour: int, count: int) -> None:
    days = RecordDays()
    for one, n in counts:
        days.observe(one, n)
    again = RecordDays.restored(json.loads(json.dumps(days.state())))
    assert again.standing(hour, count) == days.standing(hour, count)
    assert again.state() == days.state()


@given(st.lists(st.tuples(st.integers(0, 70 * DAY), st.integers(0, 9)), min_size=1, max_size=60), st.integers(1, 9))
def test_it_says_what_a_full_diary_would_say(counts: list[tuple[int, int]], count: int) -> None:
    counts = sorted(counts)
    days = RecordDays()
    for one, n in counts:
        days.observe(one, n)
    now = counts[-1][0]
    today = now // DAY
    reached = [one // DAY for one, n in counts if n >= count and today - KEPT < one // DAY < today]
    standing = days.standing(now, count)
    if any(n > count for one, n in counts if one // DAY == today):
        assert standing == Standing(0)
    elif reached:
        assert standing == Standing(today - max(reached))
    else:
        assert standing.ever or standing.beyond
        assert standing.days <= min(KEPT - 1, (now - counts[0][0]) // DAY)


def test_memory_does_not_grow() -> None:
    days = RecordDays()
    sizes = set()
    for hour in range(0, 500 * DAY, 7):
        days.observe(hour, hour % 1000)
        sizes.add(sys.getsizeof(days._largest))
    assert len(sizes) == 1
    assert sizes.pop() < 1000


@pytest.mark.parametrize("gap", [1, KEPT, 10 * KEPT, 10**9])
def test_a_gap_forgets_what_lies_before_it_without_taking_longer(gap: int) -> None:
    days = watched({0: 50})
    days.observe(START + gap * DAY, 40)
    expected = Standing(1) if gap == 1 else Standing(KEPT - 1, beyond=True)
    assert days.standing(START + gap * DAY, 40) == expected
