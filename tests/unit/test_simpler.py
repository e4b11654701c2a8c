"""The simpler rules that ours is measured against: each does what its source says, for one brand as for many."""

import itertools

import numpy as np
import pytest

from crisisdesk.detect.simpler import DAY, HOUR, LEAST_POSTS, RULES, Huginn, Rule

FORTNIGHT = 14 * DAY


def scores(rule: Rule, negative, total=None) -> np.ndarray:
    """Every bucket's score; counts of shape (buckets,) or (buckets, brands)."""
    negative = np.asarray(negative, float)
    negative = negative[:, None] if negative.ndim == 1 else negative
    total = negative * 4 if total is None else np.asarray(total, float).reshape(negative.shape)
    return np.array([rule.update(*row) for row in zip(negative, total, strict=True)])


def calls(rule: Rule, negative, total=None) -> list[int]:
    """The buckets in which it calls for its first brand."""
    negative = np.asarray(negative, float)
    total = negative * 4 if total is None else np.asarray(total, float)
    rows = zip(negative, total, strict=True)
    return [bucket for bucket, (n, t) in enumerate(rows) if rule.calls(rule.update(np.array([n]), np.array([t])))[0]]


def quiet(days: int, brands: int = 1, rate: float = 0.5, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).poisson(rate, (days * DAY, brands)).astype(float)


def stormy(days: int = 18) -> tuple[np.ndarray, np.ndarray, int]:
    """A quiet time at 2 posts in 5 minutes, a quarter negative, then an hour of nothing but anger."""
    negative = quiet(days)[:, 0]
    total = negative + np.random.default_rng(6).poisson(1.5, days * DAY)
    storm = FORTNIGHT + DAY + 7 * HOUR
    negative[storm : storm + HOUR] = total[storm : storm + HOUR] = 40
    return negative, total, storm


@pytest.mark.parametrize("name", RULES)
def test_each_calls_once_for_a_storm_within_two_hours_if_its_threshold_lets_the_quiet_days_pass(name):
    negative, total, storm = stormy()
    quiet_days = scores(RULES[name](), negative[:storm], total[:storm]).max()
    found = calls(RULES[name](threshold=max(quiet_days + 0.01, RULES[name].factory)), negative, total)
    assert len(found) == 1
    assert storm <= found[0] < storm + 2 * HOUR


@pytest.mark.parametrize("name", RULES)
def test_a_higher_threshold_calls_less_and_none_calls_where_nobody_speaks(name):
    negative, total, _ = stormy()
    assert calls(RULES[name](threshold=1e9), negative, total) == []
    assert len(calls(RULES[name](threshold=RULES[name].factory / 3), negative, total)) > 1
    assert calls(RULES[name](), np.zeros(3 * DAY)) == []


@pytest.mark.parametrize("name", RULES)
def test_many_brands_at_once_score_as_each_alone(name):
    counts = np.concatenate([quiet(9, rate=rate, seed=int(rate * 10)) for rate in (0.1, 1, 8)], axis=1)
    together = scores(RULES[name](brands=3), counts)
    alone = np.concatenate([scores(RULES[name](), counts[:, brand]) for brand in range(3)], axis=1)
    assert np.isfinite(together).all()
    assert np.allclose(together, alone)


def hourly(*values: float) -> np.ndarray:
    """Buckets whose hours add up to these."""
    counts = np.zeros(len(values) * HOUR)
    counts[::HOUR] = values
    return counts


def test_huginn_fires_when_a_peak_has_passed_and_compares_it_with_what_was_before_it():
    past = [3.0, 5.0, 4.0, 6.0]
    found = scores(Huginn(), hourly(*past, 20, 7))[HOUR - 1 :: HOUR, 0]
    assert found[4] == 0  # still rising
    assert found[5] == pytest.approx((20 - np.mean(past)) / np.std(past))
    assert calls(Huginn(), hourly(*past, 20, 7)) == [6 * HOUR - 1]
    assert calls(Huginn(), hourly(*past, 20, 20)) == []


def test_huginn_needs_more_than_four_values_and_keeps_quiet_for_two_days():
    assert calls(Huginn(), hourly(0, 0, 20, 7)) == []
    assert len(calls(Huginn(), hourly(0, 0, 0, 20, 7))) == 1
    waves = [*[1, 2] * 5, *([100, 1, 2, 1, 2, 1] * 16)]
    found = calls(Huginn(), hourly(*waves))
    assert all(later - earlier > 48 * HOUR for earlier, later in itertools.pairwise(found))


def test_huginn_forgets_after_fourteen_days():
    counts = [50.0, 1, *[2.0, 3.0] * (13 * 12)]
    young = scores(Huginn(), hourly(*counts, 30, 1))[-1, 0]
    old = scores(Huginn(), hourly(*counts, *[2.0, 3.0] * 24, 30, 1))[-1, 0]
    assert old == pytest.approx((30 - 2.5) / 0.5, rel=0.02)
    assert young < old / 2


def test_the_ratio_is_that_of_the_last_hour_to_the_average_hour_of_the_day_before():
    counts = quiet(3, rate=4)[:, 0]
    found = scores(RULES["ratio"](), counts)[:, 0]
    end = 2 * DAY + 40
    usual = counts[end - DAY : end].sum() / 24
    assert found[end] == pytest.approx(counts[end - HOUR + 1 : end + 1].sum() / usual)
    assert not found[:DAY].any()


def test_the_chart_has_the_centre_and_spread_of_seven_days():
    counts = quiet(9, rate=4)[:, 0]
    found = scores(RULES["ewma"](), counts)[:, 0]
    average, end = 0.0, 8 * DAY
    for count in counts[: end + 1]:
        average = 0.2 * count + 0.8 * average
    week = counts[end - 7 * DAY : end]
    assert found[end] == pytest.approx((average - week.mean()) / (week.std() / 3))


def test_an_hour_is_compared_with_the_same_hour_of_other_days():
    night_and_day = np.tile(np.repeat([1.0, 9.0], DAY // 2), 16)
    noise = quiet(16, rate=2)[:, 0]
    found = scores(RULES["esd"](), night_and_day + noise)[:, 0]
    mornings = found[3 * DAY + DAY // 2 + HOUR - 1 :: DAY]
    assert mornings.max() < RULES["esd"].factory
    assert max(scores(RULES["ratio"](), night_and_day + noise)[3 * DAY :, 0]) > 1.5


@pytest.mark.parametrize("name", ["share", "sharez"])
def test_a_share_of_few_posts_says_nothing(name):
    total = np.full(3 * DAY, (LEAST_POSTS - 1) / HOUR)
    assert not scores(RULES[name](), total * 0.9, total).any()


def test_an_episode_is_one_call_however_long_it_lasts():
    counts = np.zeros(4 * DAY)
    counts[DAY : 2 * DAY] = 30
    assert calls(RULES["count"](), counts) == [DAY]
    counts[3 * DAY] = 30
    assert calls(RULES["count"](), counts) == [DAY, 3 * DAY]
