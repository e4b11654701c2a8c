"""The judgement on counts: what must call, what must not, and what is never learnt."""

import random
from collections.abc import Iterator

import orjson
import pytest

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import SpikeDetector
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


@pytest.fixture
def settled() -> SpikeDetector:
    """Two weeks at 15 posts an hour, a fifth negative."""
    detector = SpikeDetector(Thresholds.for_budget(1))
    assert called(feed(detector, arrivals(1, range(2 * WEEK), 15, 0.2))) is None
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
    assert called(feed(detector, arrivals(11, range(5 * 60), 100, 0.9)), Severity.NOTICE) is None


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


@pytest.mark.parametrize("days_off", [1, 4, 7, 30])
def test_days_without_ears_are_not_learnt_as_silence(settled: SpikeDetector, days_off: int):
    start = 2 * WEEK
    back = start + days_off * 24 * 60
    level = settled.baseline.level
    again = SpikeDetector(Thresholds.for_budget(1))
    again.restore(orjson.loads(orjson.dumps(settled.state())))
    again.hearing.was_deaf(start, back)
    assert called(feed(again, arrivals(13, range(back, back + WEEK), 15, 0.2))) is None
    assert again.baseline.level == pytest.approx(level, rel=0.2)
