"""The detector of bare series: exact alerts on seeded series, and what it does with everything that is no number."""

import itertools
import math
import random
import sys
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.series import (
    Judged,
    Sample,
    VolumeSpike,
    detect_series,
    parse_rate,
    score,
    threshold_for,
    usual_interval,
)
from crisisdesk.detect.series_axes import RollingSum
from crisisdesk.errors import UsageError

DAY = 288  # rows of five minutes


def samples(counts: Iterable[float | None], minutes: float = 5.0) -> list[Sample]:
    return [Sample(f"t{i}", "" if c is None else str(c), i * minutes * 60.0, c) for i, c in enumerate(counts)]


def chatter(days: int, mean: float = 10.0, seed: int = 7, rows_per_day: int = DAY) -> list[float | None]:
    """Counts with a daily rhythm, scattering a little more than chance does."""
    rng = random.Random(seed)
    rhythm = (1 + 0.6 * math.sin(2 * math.pi * i / rows_per_day) for i in range(days * rows_per_day))
    return [float(max(0, round(rng.gauss(mean * r, math.sqrt(2 * mean * r))))) for r in rhythm]


def spikes(judged: Iterable[Judged]) -> list[int]:
    return [i for i, row in enumerate(judged) if row.spike]


def with_burst(counts: list[float | None], at: int, size: float, rows: int = 24) -> list[float | None]:
    return [c + size if c is not None and at <= i < at + rows else c for i, c in enumerate(counts)]


def test_a_burst_alerts_within_a_quarter_of_an_hour_and_once() -> None:
    judged = list(detect_series(samples(with_burst(chatter(14), 10 * DAY + 100, 60))))
    assert spikes(judged) == [10 * DAY + 101]


def test_ordinary_chatter_stays_within_its_budget() -> None:
    weeks = 8
    alerts = [len(spikes(detect_series(samples(chatter(7 * weeks, seed=seed))))) for seed in range(3)]
    assert max(alerts) <= weeks


def test_a_larger_budget_gives_more_alerts() -> None:
    series = samples(chatter(28))
    few, usual, many = (len(spikes(detect_series(series, rate))) for rate in (1 / 4, 1, 14))
    assert few <= usual < many


def test_a_main_event_the_same_day_alerts_again_but_a_second_like_the_first_does_not() -> None:
    first = with_burst(chatter(14), 10 * DAY, 60)
    same = with_burst(first, 10 * DAY + 60, 60)
    main = with_burst(first, 10 * DAY + 60, 600)
    assert len(spikes(detect_series(samples(same)))) == 1
    again = spikes(detect_series(samples(main)))
    assert len(again) == 2
    assert again[1] == 10 * DAY + 60


def test_a_swell_too_slow_for_a_burst_alerts() -> None:
    """Six hours at twice the usual: no quarter of an hour stands out."""
    counts = [c * 2 if c is not None and 0 <= i - 10 * DAY < 100 else c for i, c in enumerate(chatter(14, mean=4))]
    assert [i for i in spikes(detect_series(samples(counts))) if 10 * DAY <= i < 10 * DAY + 100]


def test_a_swell_without_excess_alerts_once_not_on_every_row() -> None:
    """The fast level has followed, the slow question rings: three times no excess is no larger event."""
    detector = VolumeSpike(threshold=-2.0)
    alerts = [detector.update(8.0 if i % DAY < 60 and i > 5 * DAY else 1.0, 0.0).spike for i in range(8 * DAY)]
    rows = [i for i, alert in enumerate(alerts) if alert]
    assert rows
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(rows))


@pytest.mark.parametrize("value", [0.0, 1.0, 37.5, 1e12])
def test_a_constant_series_never_alerts_and_expects_itself(value: float) -> None:
    judged = list(detect_series(samples([value] * 5 * DAY)))
    assert spikes(judged) == []
    assert judged[-1].expected == pytest.approx(value)


def test_the_first_post_after_silence_is_no_burst_but_many_are() -> None:
    silent: list[float | None] = [0.0] * 5 * DAY
    assert spikes(detect_series(samples([*silent, 1.0, 0.0]))) == []
    assert spikes(detect_series(samples([*silent, 50.0, 0.0]))) == [5 * DAY]


def test_the_expected_value_knows_the_time_of_day() -> None:
    judged = list(detect_series(samples(chatter(14))))
    peak, low = judged[13 * DAY + 72].expected, judged[13 * DAY + 216].expected
    assert peak == pytest.approx(16, rel=0.3)
    assert low == pytest.approx(4, rel=0.4)


def test_an_outage_is_neither_learned_nor_alerted() -> None:
    counts = chatter(14)
    gap = [None if 8 * DAY <= i < 9 * DAY else c for i, c in enumerate(counts)]
    judged = list(detect_series(samples(gap)))
    assert all(row.expected is row.score is row.spike is None for row in judged[8 * DAY : 9 * DAY])
    assert spikes(judged[9 * DAY : 9 * DAY + 72]) == []
    before, after = judged[8 * DAY - 1].expected, judged[9 * DAY - 1 + 1].expected
    assert before is not None
    assert after == pytest.approx(before, rel=0.3)


def test_missing_rows_are_an_outage_like_empty_ones() -> None:
    gap = [None if 8 * DAY <= i < 9 * DAY else c for i, c in enumerate(chatter(14))]
    marked = samples(gap)
    left_out = [sample for sample in marked if sample.count is not None]
    assert list(detect_series(left_out)) == [row for row in detect_series(marked) if row.expected is not None]


def test_a_gap_of_centuries_costs_no_time() -> None:
    series = samples(chatter(2))
    far = Sample("2999", "3", 3.2e10, 3.0)
    assert len(list(detect_series([*series, far, *samples([4.0] * 3)]))) == len(series) + 4


def test_probation_is_quiet_and_short_series_keep_most_of_their_rows() -> None:
    early = with_burst(chatter(14), 200, 400)
    assert [i for i in spikes(detect_series(samples(early))) if i < DAY] == []
    short: list[float | None] = [*[10.0] * 60, 200.0, *[10.0] * 39]
    assert spikes(detect_series(samples(short))) == [60]
    assert spikes(detect_series(samples([10.0, 10.0, 900.0, *[10.0] * 30]))) == []


@pytest.mark.parametrize(("minutes", "mean"), [(1, 2.0), (15, 30.0), (60, 120.0), (1440, 2880.0)])
def test_other_intervals_find_the_same_burst_and_little_else(minutes: int, mean: float) -> None:
    rows_per_day = 1440 // minutes
    days = 90 if minutes == 1440 else 14
    counts = chatter(days, mean, rows_per_day=rows_per_day) if minutes < 1440 else samples_of_days(days, mean)
    at = (days - 3) * rows_per_day
    judged = spikes(detect_series(samples(with_burst(counts, at, 9 * mean, max(1, 120 // minutes)), minutes)))
    assert [i for i in judged if at <= i <= at + max(1, 30 // minutes)]
    assert len(judged) <= max(2, days // 7)


def samples_of_days(days: int, mean: float) -> list[float | None]:
    rng = random.Random(5)
    return [float(round(rng.gauss(mean, mean / 6))) for _ in range(days)]


def test_the_interval_is_the_median_step_and_unknown_times_do_not_count() -> None:
    assert usual_interval([0, 60, None, 120, 180, 7200]) == 1.0
    assert usual_interval([5, 5, 5]) is None
    assert usual_interval([]) is None


def test_memory_does_not_grow() -> None:
    def size(detector: VolumeSpike) -> int:
        parts = [detector._burst, detector._swell, detector._episode, detector._swell._residuals._numbers]
        lists = [detector._swell._profile, *(window._numbers for window, _ in detector._burst._windows)]
        return sum(map(sys.getsizeof, [*parts, *lists])) + sum(len(vars(part)) for part in parts[:3])

    detector = VolumeSpike(0.0)
    sizes = []
    for i in range(6 * DAY):
        detector.update(float(i % 17), i * 5 % 1440)
        sizes.append(size(detector))
    assert sizes[-1] == sizes[0]


def test_rounding_errors_do_not_pile_up() -> None:
    window = RollingSum(3)
    for number in (1e12, 0.1, 0.2, 0.3, 0.4, 0.5):
        window.add(number)
    assert window.total == math.fsum((0.3, 0.4, 0.5))


def test_the_score_says_how_rare_a_reading_is() -> None:
    assert score(0.0) == 0.5
    assert score(math.log(9)) == pytest.approx(0.9)
    assert score(-20) < 1e-8
    assert threshold_for(1.0) == pytest.approx(-0.1)
    assert threshold_for(2.0) < threshold_for(1.0)


COUNT = st.one_of(st.none(), st.floats(0, 1e12), st.integers(0, 50).map(float))
TIME = st.one_of(st.none(), st.floats(-1e10, 1e11), st.integers(0, 10_000).map(lambda i: 1.4e9 + 300.0 * i))


@given(st.lists(st.tuples(COUNT, TIME), max_size=120), st.floats(0.001, 1000))
def test_any_rows_give_one_row_each_in_order_with_scores_from_0_to_1(
    rows: list[tuple[float | None, float | None]], rate: float
) -> None:
    series = [Sample(f"t{i}", repr(count), time, count) for i, (count, time) in enumerate(rows)]
    judged = list(detect_series(series, rate))
    assert [(row.timestamp, row.value) for row in judged] == [(sample.timestamp, sample.value) for sample in series]
    for sample, row in zip(series, judged, strict=True):
        if sample.count is None:
            assert (row.expected, row.score, row.spike) == (None, None, None)
        else:
            assert row.expected is not None
            assert row.score is not None
            assert row.expected >= 0
            assert math.isfinite(row.expected)
            assert 0 <= row.score <= 1


@pytest.mark.parametrize(
    ("text", "weekly"),
    [
        ("1 per week", 1.0),
        ("3 per day", 21.0),
        ("2 per month", 14 / 30.44),
        ("0.5/week", 0.5),
        (" 1 A Year ", 7 / 365.25),
    ],
)
def test_a_budget_is_read(text: str, weekly: float) -> None:
    assert parse_rate(text) == pytest.approx(weekly)


@pytest.mark.parametrize(
    "text", ["", "often", "0 per week", "-1 per week", "1 per fortnight", "nan per week", "1e9 per day"]
)
def test_a_wrong_budget_is_shown_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError, match="1 per week"):
        parse_rate(text)
