"""Sliding counts, surprises and what is usual."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.baseline import SETTLED, Baseline
from crisisdesk.detect.surprise import count_surprise, share_surprise, tail
from crisisdesk.detect.windows import HORIZON, Counts

posts = st.lists(st.tuples(st.integers(0, 3 * HORIZON), st.integers(1, 3), st.integers(0, 3)), max_size=60)


@given(posts, st.integers(0, HORIZON // 2))
def test_window_sums_equal_a_plain_count(arrivals: list[tuple[int, int, int]], width: int):
    counts, kept = Counts(), []
    for minute, total, complaints in arrivals:
        negative = min(complaints, total)
        if counts.add(minute, total, negative):
            kept.append((minute, total, negative))
    if not kept:
        return
    last = max(m for m, _, _ in kept)
    first = last - width
    inside = [(t, n) for m, t, n in kept if first <= m <= last]
    assert counts.between(first, last) == (sum(t for t, _ in inside), sum(n for _, n in inside))


def test_a_post_beyond_the_horizon_is_refused_and_the_memory_stays_bounded():
    counts = Counts()
    for minute in range(10 * HORIZON):
        assert counts.add(minute, 1, 0)
    assert not counts.add(5, 1, 1)
    assert len(counts.state()) <= HORIZON * 1.3


def test_counts_survive_being_saved():
    counts = Counts()
    for minute in (3, 3, 70, 69):
        counts.add(minute, 2, 1)
    assert Counts.restored(counts.state()).between(0, 100) == counts.between(0, 100) == (8, 4)


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


def _fortnight(day_rate: int, night_rate: int) -> tuple[Baseline, Counts]:
    """Two weeks with a rhythm, a fifth of the posts negative."""
    baseline, counts = Baseline(), Counts()
    for hour in range(14 * 24):
        rate = day_rate if 8 <= hour % 24 < 20 else night_rate
        for i in range(rate):
            counts.add(hour * 60 + i * 60 // rate, 1, int(i % 5 == 0))
        baseline.learn(hour, counts)
    return baseline, counts


def test_the_rhythm_of_the_day_is_learnt():
    baseline, _ = _fortnight(20, 5)
    assert baseline.rate(14 * 24 + 12) == pytest.approx(20, rel=0.2)
    assert baseline.rate(14 * 24 + 2) == pytest.approx(5, rel=0.3)
    assert baseline.expected(19.5 * 60, 20.5 * 60) == pytest.approx((20 + 5) / 2, rel=0.25)
    assert baseline.share == pytest.approx(0.2, abs=0.02)
    assert not baseline.learning


def test_a_new_watch_says_that_it_is_learning():
    assert Baseline().learning
    assert not Baseline(hours=SETTLED).learning
