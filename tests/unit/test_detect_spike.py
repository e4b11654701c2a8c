"""The judgement on counts: what must call, what must not, and what is never learnt."""

import random
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import orjson
import pytest

from crisisdesk.detect.baseline import Baseline, Expectation
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.detect.spread import DISPERSION
from crisisdesk.records import Severity

WEEK = 7 * 24 * 60


def arrivals(seed: int, minutes: range, an_hour: float, share: float) -> Iterator[tuple[int, bool]]:
    """Posts at an even rate: minute and whether negative."""
    rng = random.Random(seed)
    for minute in minutes:
        for _ in range(3):
            if rng.random() < an_hour / 180:
                yield minute, rng.random() < share


def feed(detector: SpikeDetector, posts: Iterator[tuple[int, bool]]) -> list[tuple[int, Severity | None]]:
    """The severity after every negative post."""
    readings = []
    for minute, negative in posts:
        detector.count(minute + 0.5, 1, int(negative))
        if negative:
            readings.append((minute, detector.read().severity))
    return readings


def called(readings: list[tuple[int, Severity | None]], at_least: Severity = Severity.AMBER) -> int | None:
    """The minute of the first call."""
    return next((minute for minute, severity in readings if severity is not None and severity >= at_least), None)


@pytest.fixture(scope="module")
def fortnight() -> dict[str, Any]:
    """What two weeks at 15 posts an hour, a fifth negative, leave behind."""
    detector = SpikeDetector(Thresholds.for_budget(1))
    assert called(feed(detector, arrivals(2, range(2 * WEEK), 15, 0.2))) is None
    return detector.state()


@pytest.fixture
def settled(fortnight: dict[str, Any]) -> SpikeDetector:
    """A detector after these two weeks."""
    detector = SpikeDetector(Thresholds.for_budget(1))
    detector.restore(fortnight)
    return detector


def test_five_times_the_negatives_is_found_within_the_hour(settled: SpikeDetector):
    start = 2 * WEEK
    crisis = sorted(
        [*arrivals(2, range(start, start + 120), 15, 0.2), *arrivals(3, range(start, start + 120), 12, 1.0)]
    )
    found = called(feed(settled, iter(crisis)))
    assert found is not None
    assert found - start <= 60


def test_a_flood_of_anger_is_red_within_minutes(settled: SpikeDetector):
    start = 2 * WEEK
    found = called(feed(settled, arrivals(4, range(start, start + 60), 150, 0.7)), Severity.RED)
    assert found is not None
    assert found - start <= 15


def test_a_viral_success_calls_nobody(settled: SpikeDetector):
    start = 2 * WEEK
    assert called(feed(settled, arrivals(5, range(start, start + 360), 170, 0.1))) is None


def test_a_neutral_news_wave_calls_nobody(settled: SpikeDetector):
    start = 2 * WEEK
    assert called(feed(settled, arrivals(6, range(start, start + 360), 170, 0.2))) is None


def test_an_idle_night_with_one_complaint_calls_nobody(settled: SpikeDetector):
    start = 2 * WEEK
    assert called(feed(settled, iter([(start + 300, True), (start + 301, True), (start + 302, True)]))) is None


def test_the_second_wave_is_as_loud_as_the_first(settled: SpikeDetector):
    start, second = 2 * WEEK, 2 * WEEK + 2 * 24 * 60
    usual = settled.baseline.share
    wave = lambda at: arrivals(7, range(at, at + 180), 120, 0.8)  # noqa: E731
    first_call = called(feed(settled, wave(start)))
    feed(settled, arrivals(8, range(start + 180, second), 15, 0.2))
    second_call = called(feed(settled, wave(second)))
    assert first_call is not None
    assert second_call is not None
    assert abs((second_call - second) - (first_call - start)) <= 5
    assert settled.baseline.share == pytest.approx(usual, abs=0.05), "what was flagged is not learnt"


def test_a_new_watch_listens_first_and_still_calls_when_it_must():
    detector = SpikeDetector(Thresholds.for_budget(1))
    day = sorted([*arrivals(9, range(13 * 60), 15, 0.2), *arrivals(10, range(12 * 60, 13 * 60), 60, 0.9)])
    found = called(feed(detector, iter(day)))
    assert detector.baseline.learning
    assert found is not None
    assert 12 * 60 < found <= 13 * 60


def test_a_watch_without_history_calls_nobody_in_its_first_hours():
    detector = SpikeDetector(Thresholds.for_budget(1))
    first = sorted([*arrivals(11, range(5 * 60), 15, 0.2), *arrivals(12, range(3 * 60, 5 * 60), 100, 0.9)])
    assert called(feed(detector, iter(first)), Severity.NOTICE) is None
    told = SpikeDetector(Thresholds.for_budget(1), Baseline(Expectation(posts_an_hour=15, share=0.2)))
    assert called(feed(told, iter(first))) is not None, "without the hours of grace this calls, and is no proof"


def test_the_hour_in_which_a_watch_begins_is_not_learnt_as_a_whole_one():
    late, early = (SpikeDetector(Thresholds.for_budget(1)) for _ in range(2))
    for detector, begins in ((late, 25), (early, 0)):
        for minute in range(begins, 5 * 60):
            detector.count(minute + 0.5, 1, 0)
        assert detector.baseline.hours == 1
    assert early.baseline.level == pytest.approx(60, rel=0.02)
    assert late.baseline.level == pytest.approx(60, rel=0.02)


def test_an_hour_with_moments_of_deafness_is_learnt_for_what_was_heard():
    detector = SpikeDetector(Thresholds.for_budget(1))
    for hour in range(3 * 24):
        detector.hearing.was_deaf(hour * 60 + 30, hour * 60 + 50)
        for minute in (*range(30), *range(50, 60)):
            detector.count(hour * 60 + minute + 0.5, 1, 0)
    assert detector.baseline.hours > 40
    assert detector.baseline.level == pytest.approx(60, rel=0.05)


@pytest.mark.parametrize("looked_at_every", [60, 7 * 60, 5 * 24 * 60])
def test_what_is_learnt_does_not_hang_on_how_often_somebody_looks(settled: SpikeDetector, looked_at_every: int):
    start, calm = 2 * WEEK, 9 * 24 * 60
    lazy, eager = (SpikeDetector(Thresholds.for_budget(1)) for _ in range(2))
    for detector in (lazy, eager):
        detector.restore(settled.state())
    for moment in range(start, start + calm, looked_at_every):
        eager.advance(moment)
    for detector in (lazy, eager):
        feed(detector, arrivals(14, range(start + calm, start + calm + 60), 15, 0.2))
    assert eager.state() == lazy.state()


# After the storm.


def waves(*starts: int, days: int = 1) -> Iterator[tuple[int, bool]]:
    """An ordinary day with an hour of anger at each of some minutes."""
    posts = list(arrivals(15, range(2 * WEEK, 2 * WEEK + days * 24 * 60), 15, 0.2))
    for number, start in enumerate(starts):
        posts += arrivals(16 + number, range(start, start + 60), 90, 0.9)
    return iter(sorted(posts))


def test_a_storm_that_is_over_calls_nobody_for_the_rest_of_the_day_nor_on_the_next(settled: SpikeDetector):
    storm = 2 * WEEK + 60
    readings = feed(settled, waves(storm, days=3))
    assert called(readings, Severity.RED) is not None
    late = [(minute, severity) for minute, severity in readings if minute > storm + 60 + 4 * 60]
    assert len(late) > 60
    assert called(late, Severity.AMBER) is None


def test_a_second_wave_on_the_same_day_is_as_loud_as_the_first(settled: SpikeDetector):
    first, second = 2 * WEEK + 60, 2 * WEEK + 11 * 60
    readings = feed(settled, waves(first, second))
    calls = [called([one for one in readings if one[0] >= start], Severity.RED) for start in (first, second)]
    assert calls[0] is not None
    assert calls[1] is not None
    assert calls[1] - second <= calls[0] - first + 10
    assert called([one for one in readings if second - 60 <= one[0] < second], Severity.AMBER) is None


@pytest.mark.parametrize("an_hour", [120, 360])
def test_a_crisis_of_a_busy_brand_goes_on_after_its_own_first_call(an_hour: int):
    detector, start = SpikeDetector(Thresholds.for_budget(1)), 4 * 24 * 60
    counted: list[tuple[int, int]] = []
    for minute in range(start + 180):
        chance = random.Random(minute)
        times = 4 if minute >= start else 1
        posts = chance.randrange(an_hour // 60 * 2 + 1)
        sour = sum(chance.random() < 0.2 for _ in range(posts * times))
        counted.append((minute, sour))
        detector.count(minute + 0.5, posts - posts // 5 + sour, sour)
        if not sour:
            continue
        reading = detector.read()
        if minute > start + 30:
            assert reading.severity is not None, minute - start
            assert reading.severity >= Severity.AMBER, minute - start
            assert reading.negative == sum(n for at, n in counted if at >= reading.since)
            assert minute + 1 - reading.since <= reading.window_minutes


def test_silence_that_nobody_could_hear_ends_no_wave(settled: SpikeDetector):
    start, gap = 2 * WEEK, 5 * 60
    feed(settled, arrivals(17, range(start, start + 60), 90, 0.9))
    settled.hearing.was_deaf(start + 60, start + 60 + gap)
    assert settled.read().severity is Severity.RED
    settled.count(start + 60 + gap, 1, 1)
    late = [settled.count(minute, 2, 2) for minute in range(start + 60, start + 60 + gap)]
    assert all(late)
    reading = settled.read()
    assert reading.negative > 600


def test_a_crowd_beyond_measure_is_heard_if_its_mood_is_clearly_worse():
    for seed in range(2):
        detector = SpikeDetector(Thresholds.for_budget(1))
        assert called(feed(detector, arrivals(seed, range(2 * WEEK), 0.5, 0.2))) is None
        crowd = [(2 * WEEK + n // 50, n % 2 == 0) for n in range(3_000)]
        assert called(feed(detector, iter(crowd))) is not None


def test_hours_with_short_breaks_still_teach_how_much_is_ordinary():
    well, badly = (SpikeDetector(Thresholds.for_budget(1)) for _ in range(2))
    for hour in range(3 * WEEK // 60):
        badly.hearing.was_deaf(hour * 60 + 30, hour * 60 + 33)
    for detector in (well, badly):
        feed(detector, arrivals(22, range(3 * WEEK), 20, 0.3))
    for detector in (well, badly):
        assert all(learnt < taken / 2 for learnt, taken in zip(detector.spread.dispersion, DISPERSION, strict=True))
    badly.hearing.was_deaf(3 * WEEK, 4 * WEEK)
    days = badly.spread.days
    badly.advance(4 * WEEK + 60)
    assert badly.spread.days <= days + 2, "what was not heard taught nothing"


def test_half_a_century_of_silence_costs_next_to_nothing():
    detector = SpikeDetector(Thresholds.for_budget(1))
    detector.count(0, 1, 1)
    began = time.process_time()
    detector.count(50 * 52 * WEEK, 1, 1)
    assert time.process_time() - began < 2
    assert detector.baseline.hours <= 90 * 24


def test_a_severity_that_was_earned_does_not_flicker(settled: SpikeDetector):
    start = 2 * WEEK
    slow = arrivals(18, range(start, start + 24 * 60), 27, 0.4)
    severities = [severity for _, severity in feed(settled, slow)]
    changes = sum(
        (one is not None and one >= Severity.AMBER) != (two is not None and two >= Severity.AMBER)
        for one, two in pairwise(severities)
    )
    assert 1 <= changes <= 3


def test_a_mood_that_was_there_yesterday_already_surprises_less_than_a_sudden_one(settled: SpikeDetector):
    start, a_day = 2 * WEEK, 24 * 60
    most = []
    for shares in ([0.2] * 8, [0.2 + 0.03 * day for day in range(8)]):
        detector = SpikeDetector(Thresholds.for_budget(1))
        detector.restore(settled.state())
        for day, share in enumerate(shares):
            feed(detector, arrivals(20, range(start + day * a_day, start + (day + 1) * a_day), 45, share))
        surprises = []
        for minute, negative in arrivals(21, range(start + 8 * a_day, start + 9 * a_day), 45, 0.44):
            detector.count(minute + 0.5, 1, int(negative))
            surprises.append(detector.read().surprise)
        most.append(max(surprises))
    sudden, creeping = most
    assert sudden > Thresholds.for_budget(1).amber
    assert creeping < sudden / 2, most


def test_constant_silence_and_constant_storm_stay_finite():
    detector = SpikeDetector(Thresholds.for_budget(1))
    detector.advance(0)
    detector.advance(4 * WEEK)
    assert detector.read().severity is None
    for minute in range(4 * WEEK, 4 * WEEK + 600):
        detector.count(minute, 1000, 1000)
        reading = detector.read()
    assert reading.negative > 0
    assert 0 <= reading.probability < 1e-6


def test_a_larger_budget_lowers_every_threshold():
    strict, balanced, sensitive = (Thresholds.for_budget(rate) for rate in (0.25, 1, 4))
    assert strict.amber > balanced.amber > sensitive.amber
    assert balanced.notice < balanced.amber < balanced.red


def test_a_restart_changes_nothing(settled: SpikeDetector):
    again = SpikeDetector(Thresholds.for_budget(1))
    again.restore(orjson.loads(orjson.dumps(settled.state())))
    start = 2 * WEEK
    posts = list(arrivals(12, range(start, start + 300), 60, 0.6))
    assert feed(again, iter(posts)) == feed(settled, iter(posts))


@pytest.mark.parametrize("after", [45, 200, 400])
def test_a_restart_in_the_midst_of_a_crisis_and_after_it_changes_nothing(settled: SpikeDetector, after: int):
    start = 2 * WEEK
    posts = list(waves(start + 20))
    feed(settled, iter([one for one in posts if one[0] < start + after]))
    again = SpikeDetector(Thresholds.for_budget(1))
    again.restore(orjson.loads(orjson.dumps(settled.state())))
    rest = [one for one in posts if one[0] >= start + after]
    assert feed(again, iter(rest)) == feed(settled, iter(rest))
    assert again.state() == settled.state()


@pytest.mark.parametrize("days_off", [1, 4, 7, 30])
def test_days_without_ears_are_not_learnt_as_silence(settled: SpikeDetector, days_off: int):
    start = 2 * WEEK
    back = start + days_off * 24 * 60
    level = settled.baseline.level
    again = SpikeDetector(Thresholds.for_budget(1))
    again.restore(orjson.loads(orjson.dumps(settled.state())))
    again.hearing.was_deaf(start, back)
    assert called(feed(again, arrivals(13, range(back, back + 24 * 60), 15, 0.2))) is None
    assert again.baseline.level == pytest.approx(level, rel=0.2)
