"""Sliding counts, gaps and surprises."""

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.surprise import count_surprise, joint_surprise, share_surprise, tail
from crisisdesk.detect.windows import HORIZON, WINDOWS, Counts, first_minute, grain

posts = st.lists(st.tuples(st.integers(0, 3 * HORIZON), st.integers(1, 3), st.integers(0, 3)), max_size=60)


@given(posts, st.sampled_from(WINDOWS), st.integers(0, HORIZON))
def test_window_sums_equal_a_plain_count(arrivals: list[tuple[int, int, int]], width: int, later: int):
    """In any order of arrival, and however much later one looks."""
    counts, kept = Counts(), []
    now = max((m for m, _, _ in arrivals), default=0) + later
    for minute, total, complaints in arrivals:
        negative = min(complaints, total)
        counts.add(minute, total, negative)
        kept.append((minute, total, negative))
    counts.advance(now)
    inside = [(t, n) for m, t, n in kept if first_minute(width, now) <= m <= now]
    assert counts.window(width, now) == (sum(t for t, _ in inside), sum(n for _, n in inside))


@pytest.mark.parametrize("width", WINDOWS)
def test_a_window_ends_now_and_is_at_most_one_bucket_shorter_than_its_name(width: int):
    for now in range(5_000, 5_130):
        span = now - first_minute(width, now) + 1
        assert width - grain(width) < span <= width


def test_a_post_beyond_the_horizon_is_refused():
    counts = Counts()
    counts.advance(10 * HORIZON)
    assert counts.add(9 * HORIZON + 1, 1, 1)
    assert not counts.add(8 * HORIZON, 1, 1)


def test_hours_are_remembered_until_they_are_learnt():
    counts = Counts()
    for hour in range(30):
        counts.add(hour * 60 + 59, hour, 1)
    assert [counts.hours(hour, hour) for hour in range(30)] == [(hour, 1) for hour in range(30)]


def test_counts_survive_being_saved():
    counts = Counts()
    for minute in (3, 3, 70, 69):
        counts.add(minute, 2, 1)
    again = Counts.restored(orjson.loads(orjson.dumps(counts.state())))
    assert [again.window(width, 75) for width in WINDOWS] == [counts.window(width, 75) for width in WINDOWS]
    assert again.window(1440, 75) == (8, 4)


def test_counts_of_another_shape_are_refused():
    state = Counts().state()
    state[0][2] = [1, 2, 3]
    with pytest.raises(ValueError, match="3 buckets of 1 minutes instead of"):
        Counts.restored(state)


def test_count_surprise_is_nothing_below_the_expectation_and_grows_above_it():
    assert count_surprise(3, 5.0, 0.25) == 0
    assert count_surprise(40, 5.0, 0.25) > count_surprise(20, 5.0, 0.25) > count_surprise(10, 5.0, 0.25) > 0
    assert count_surprise(20, 5.0, 2.0) < count_surprise(20, 5.0, 0.02), "clustered posts surprise less"


def test_count_surprise_is_near_the_poisson_tail_without_dispersion():
    exact = 1 - sum(math.exp(-5) * 5**k / math.factorial(k) for k in range(15))
    assert tail(count_surprise(15, 5.0, 1e-6)) == pytest.approx(exact, rel=0.5)


def test_share_surprise_needs_a_larger_share_and_knows_its_limits():
    assert share_surprise(20, 100, 0.25, 0.01) == 0
    assert share_surprise(60, 100, 0.25, 0.01) > share_surprise(40, 100, 0.25, 0.01) > 0
    assert share_surprise(60, 100, 0.25, 0.2) < share_surprise(60, 100, 0.25, 0.01)
    assert share_surprise(0, 0, 0.25, 0.01) == 0
    assert math.isfinite(share_surprise(100, 100, 0.25, 0.01))


def test_together_they_surprise_only_when_both_do():
    assert joint_surprise(9.0, 0.0, 60) == joint_surprise(0.0, 9.0, 60) == 0
    assert joint_surprise(4.0, 4.0, 60) > joint_surprise(4.0, 3.0, 60) > joint_surprise(3.0, 3.0, 60) > 0
    assert joint_surprise(20.0, 2.0, 60) == joint_surprise(3.0, 2.0, 60), "a crowd alone is no crisis"
    assert joint_surprise(4.0, 4.0, 720) > joint_surprise(4.0, 4.0, 5), "short windows have more chances to be wrong"
