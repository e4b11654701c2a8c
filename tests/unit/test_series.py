"""The detector of bare series: exact alerts on seeded series, and what it does with everything that is no number."""

import itertools
import math
import pickle
import random
import statistics
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.series import (
    Judged,
    Sample,
    VolumeSpike,
    detect_series,
    score,
    usual_interval,
)
from crisisdesk.detect.series_alerts import Budget, parse_rate, threshold_for
from crisisdesk.detect.series_pace import Pace, RollingSum
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
    assert spikes(judged) == [10 * DAY + 100]


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
    detector = VolumeSpike(alerts_per_week=7.0)
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
    detector = VolumeSpike(1.0)
    sizes = []
    for i in range(6 * DAY):
        detector.update(i % 17 + 0.5, i * 5.0 % 10_080)
        sizes.append(len(pickle.dumps(detector)))
    assert sizes[-1] <= sizes[0] + 64


def test_rounding_errors_do_not_pile_up() -> None:
    window = RollingSum(3)
    for number in (1e12, 0.1, 0.2, 0.3, 0.4, 0.5):
        window.add(number)
    assert window.total == math.fsum((0.3, 0.4, 0.5))


def test_the_score_says_how_rare_a_reading_is() -> None:
    assert score(0.0) == 0.5
    assert score(math.log(9)) == pytest.approx(0.9)
    assert score(-20) < 1e-8
    assert threshold_for(1.0) == 0.0
    assert threshold_for(2.0) < threshold_for(1.0)


WEEK = 7 * 24
SUMMER_TIME = datetime(2026, 3, 29, 1, tzinfo=UTC)  # clocks in Berlin go from 2 to 3; back again on 25 October


def office(weeks: int, closed: float = 0.02, seed: int = 3) -> list[float]:
    """Calls an hour of an office that is busy on weekdays from 8 to 18 o'clock, from a Monday on."""
    rng = random.Random(seed)
    shape = (
        math.exp(-(((i % 24 - 12.5) / 4.5) ** 6)) * (1.0 if i % WEEK < 5 * 24 else closed) for i in range(weeks * WEEK)
    )
    return [
        float(max(0, round(rng.gauss(mean, math.sqrt(2 * mean))))) for mean in (60 * share + 0.2 for share in shape)
    ]


def hourly(counts: Iterable[float | None], start: datetime = datetime(2026, 1, 5, tzinfo=UTC)) -> list[Sample]:
    moments = (start.timestamp() + 3600.0 * i for i in itertools.count())
    return [Sample(f"t{i}", "", time, count) for i, (count, time) in enumerate(zip(counts, moments, strict=False))]


@pytest.mark.parametrize("closed", [0.3, 0.02])
def test_hours_after_a_weekend_are_no_bursts_once_the_week_is_known(closed: float) -> None:
    alerts = spikes(detect_series(hourly(office(16, closed))))
    known = [i for i in alerts if i >= 4 * WEEK]
    assert len([i for i in known if i % WEEK < 24]) <= 2, "Mondays"
    assert len(known) <= 1.5 * 12


@pytest.mark.parametrize("weekend", [0.35, 0.05])
def test_mondays_in_daily_counts_are_no_bursts_once_the_week_is_known(weekend: float) -> None:
    rng = random.Random(4)
    counts = [rng.gauss(200, 25) * (1.0 if day % 7 < 5 else weekend) for day in range(52 * 7)]
    samples_ = [Sample("", "", 345_600.0 + 86_400.0 * i, float(round(count))) for i, count in enumerate(counts)]
    mondays = [i for i in spikes(detect_series(samples_)) if i % 7 == 0 and i >= 5 * 7]
    assert len(mondays) <= 6, "of 47"


def test_a_weekday_as_on_a_sunday_is_expected_and_a_sunday_as_on_a_weekday_is_a_burst() -> None:
    counts = office(10)
    sunday = 8 * WEEK + 6 * 24
    counts[sunday : sunday + 24] = counts[sunday - 6 * 24 : sunday - 5 * 24]
    judged = list(detect_series(hourly(counts)))
    noon = judged[sunday + 12].expected, judged[sunday - 2 * 24 + 12].expected
    assert noon[0] is not None
    assert noon[1] is not None
    assert noon[0] < 10
    assert noon[1] > 40
    assert [i for i in spikes(judged) if sunday + 6 <= i <= sunday + 12]


def by_the_clock(counts: list[float], start: datetime, *, offset: bool) -> list[Sample]:
    """Hours as a clock in Berlin shows them, over the days on which it changes."""
    moments = (start + timedelta(hours=i) for i in range(len(counts)))
    samples_ = []
    for moment, count in zip(moments, counts, strict=True):
        local = moment.astimezone(ZoneInfo("Europe/Berlin"))
        ahead = local.utcoffset() or timedelta()
        time = moment.timestamp() + (0.0 if offset else ahead.total_seconds())
        samples_.append(Sample(str(local), "", time, count, ahead.total_seconds() if offset else 0.0))
    return samples_


@pytest.mark.parametrize("offset", [True, False])
@pytest.mark.parametrize("night", [SUMMER_TIME, datetime(2026, 10, 25, 1, tzinfo=UTC)])
def test_a_clock_that_changes_is_no_burst(night: datetime, *, offset: bool) -> None:
    """The office opens by the clock on its wall, an hour earlier or later in UTC."""
    start = night - timedelta(hours=1, days=6 * 7)
    opened = office(8)
    hours = [start + timedelta(hours=i) for i in range(len(opened) - 24)]
    monday = datetime(2026, 1, 5, tzinfo=ZoneInfo("Europe/Berlin"))
    wall = [h.astimezone(ZoneInfo("Europe/Berlin")).replace(tzinfo=None) - monday.replace(tzinfo=None) for h in hours]
    counts = [opened[int(w.total_seconds() // 3600) % (8 * WEEK)] for w in wall]
    change = 6 * WEEK
    judged = list(detect_series(by_the_clock(counts, start, offset=offset)))
    assert len(judged) == len(counts)
    assert [i for i in spikes(judged) if change <= i < change + 72] == []


def test_a_clock_that_is_put_back_leaves_no_gap() -> None:
    """Twelve rows come twice by the clock; what follows is no outage, so nothing is made up for it."""
    counts = chatter(6)
    times = [300.0 * i - (3600.0 if i >= 4 * DAY else 0.0) for i in range(len(counts))]
    back = [Sample("", "", time, count) for time, count in zip(times, counts, strict=True)]
    plain = samples(counts)
    assert [row.spike for row in detect_series(back)] == [row.spike for row in detect_series(plain)]


def test_rows_from_new_to_old_are_judged_from_the_oldest_on_and_told() -> None:
    series = samples(with_burst(chatter(14), 10 * DAY + 100, 60))
    notes: list[str] = []
    backwards = list(detect_series(reversed(series), on_note=notes.append))
    assert backwards == list(detect_series(series))[::-1]
    assert notes == ["the rows run from new to old; they are judged from the oldest on"]


def test_several_series_in_one_file_are_told() -> None:
    series = [row for row in samples(chatter(2)) for _ in range(2)]
    notes: list[str] = []
    assert len(list(detect_series(series, on_note=notes.append))) == len(series)
    assert len(notes) == 1
    assert "give each a file of its own" in notes[0]


def test_weeks_of_zeros_alert_nobody_and_the_first_crowd_after_them_does() -> None:
    counts: list[float | None] = [*chatter(7), *[0.0] * (21 * DAY), 80.0, *[0.0] * DAY]
    assert [i for i in spikes(detect_series(samples(counts))) if i >= 7 * DAY] == [28 * DAY]


def test_of_a_burst_a_day_the_larger_ones_alert_and_the_rest_is_told() -> None:
    rng = random.Random(3)
    counts = chatter(120, mean=40, rows_per_day=24)
    sizes = [40 * math.exp(rng.uniform(0, 5)) for _ in range(120)]
    for day, size in enumerate(sizes):
        counts = with_burst(counts, day * 24 + rng.randrange(6, 20), size, 2)
    notes: list[str] = []
    alerts = spikes(detect_series(samples(counts, 60), 1.0, notes.append))
    assert len(alerts) < 120 / 7 * 2
    assert min(sizes[i // 24] for i in alerts) > statistics.median(sizes)
    assert len(notes) == 1
    assert "more bursts came than the budget has alerts for" in notes[0]


def test_the_budget_rises_only_when_it_is_sure() -> None:
    budget = Budget(1.0, Pace(60.0))
    row = (1.0, 50.0, 5.0)  # once in three weeks, if this were a usual series
    alerts = [budget.alert(*row) for _ in range(3) if not budget.skip(24)]
    assert alerts == [True, True, True]
    more = [budget.alert(*row) for _ in range(60) if not budget.skip(24)]
    assert sum(more) < 30
    assert budget.bursts == 63


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
