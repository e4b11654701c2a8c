"""What is usual: level, rhythm of the day and of the week, share, and how much all of it wanders."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from crisisdesk.detect.baseline import SETTLED, Baseline, Expectation, local, utc
from crisisdesk.detect.spread import CORRELATION, DISPERSION, Spread
from crisisdesk.detect.windows import WINDOWS, Counts, first_minute
from crisisdesk.records import EPOCH

BERLIN = local(ZoneInfo("Europe/Berlin"))


def hour_of(year: int, month: int, day: int, hour: int) -> int:
    return int((datetime(year, month, day, hour, tzinfo=UTC) - EPOCH) / timedelta(hours=1))


def taught(days: int, posts: dict[str, int], baseline: Baseline, start: int = 0) -> Baseline:
    """A brand with a day, a night and a weekend, a fifth of its posts negative."""
    for hour in range(start, start + days * 24):
        weekday, of_day = baseline.clock(hour)
        total = posts["weekend"] if weekday >= 5 else posts["day"] if 8 <= of_day < 20 else posts["night"]
        baseline.learn(hour, total, total // 5, 1e9)
    return baseline


def test_the_rhythm_of_the_day_is_learnt():
    baseline = taught(14, {"day": 20, "night": 5, "weekend": 5}, Baseline())
    noon, night = hour_of(1970, 1, 16, 12), hour_of(1970, 1, 16, 2)
    assert baseline.rate(noon) > 3 * baseline.rate(night)
    assert baseline.share == pytest.approx(0.2, abs=0.02)
    assert not baseline.learning


def test_the_rhythm_of_the_week_is_learnt_once_it_has_been_seen_twice():
    known = taught(28, {"day": 100, "night": 100, "weekend": 20}, Baseline())
    friday, saturday = hour_of(1970, 1, 30, 12), hour_of(1970, 1, 31, 12)
    assert known.rate(friday) == pytest.approx(100, rel=0.3)
    assert known.rate(saturday) == pytest.approx(20, rel=0.6)
    young = taught(10, {"day": 100, "night": 100, "weekend": 20}, Baseline())
    assert young.rate(friday) == pytest.approx(young.rate(saturday), rel=0.1)


@pytest.mark.parametrize("night", [(2026, 3, 29), (2026, 10, 25)], ids=["an hour is lost", "an hour comes twice"])
def test_the_rhythm_keeps_to_the_clock_on_the_wall(night: tuple[int, int, int]):
    """People get up at eight, whatever the clocks were set to; seen from Greenwich the same morning moves."""
    change = datetime(*night, tzinfo=ZoneInfo("Europe/Berlin"))
    start = int((change - timedelta(days=20) - EPOCH) / timedelta(hours=1))
    on_the_wall, at_greenwich = Baseline(clock=BERLIN), Baseline()
    for hour in range(start, start + 20 * 24):
        posts = 100 if 8 <= BERLIN(hour)[1] < 20 else 1
        on_the_wall.learn(hour, posts, 0, 1e9)
        at_greenwich.learn(hour, posts, 0, 1e9)
    monday = change + timedelta(days=1)
    wrong = 0
    for clock in range(24):
        hour = int((monday.replace(hour=clock) - EPOCH) / timedelta(hours=1))
        usual = 100 if 8 <= clock < 20 else 1
        assert on_the_wall.rate(hour) == pytest.approx(usual, rel=0.5, abs=3)
        wrong += at_greenwich.rate(hour) != pytest.approx(usual, rel=0.5, abs=3)
    assert wrong == 2, "without the time zone, two hours a day are wrong after such a night"


def test_hours_and_weekdays_of_a_place():
    assert utc(hour_of(2026, 11, 22, 23)) == (6, 23)
    assert BERLIN(hour_of(2026, 11, 22, 23)) == (0, 0)
    assert BERLIN(hour_of(2026, 7, 5, 12)) == (6, 14)
    assert [BERLIN(hour_of(2026, 10, 25, hour))[1] for hour in range(3)] == [2, 2, 3]


def test_a_new_watch_says_that_it_is_learning():
    baseline = Baseline()
    assert baseline.learning
    assert not baseline.told
    assert not taught(SETTLED // 24, {"day": 9, "night": 9, "weekend": 9}, baseline).learning


def test_the_operators_guess_counts_until_the_watch_has_been_heard():
    baseline = Baseline(Expectation(posts_an_hour=20 / 24))
    assert baseline.told
    assert baseline.rate(0) == pytest.approx(20 / 24)
    taught(3, {"day": 50, "night": 50, "weekend": 50}, baseline)
    assert baseline.rate(72) == pytest.approx(50, rel=0.3)


def test_the_share_of_other_watches_is_where_a_new_one_begins():
    assert Baseline(Expectation(share=0.6)).share == pytest.approx(0.6)
    assert taught(7, {"day": 20, "night": 20, "weekend": 20}, Baseline(Expectation(share=0.6))).share < 0.22


def test_one_wild_hour_moves_the_level_no_further_than_its_bound():
    wild, calm = Baseline(), Baseline()
    for baseline, posts in ((wild, 10_000), (calm, 60)):
        taught(14, {"day": 20, "night": 20, "weekend": 20}, baseline)
        baseline.learn(14 * 24, posts, posts // 5, 60.0)
    assert wild.level == pytest.approx(calm.level)


def test_what_is_usual_survives_being_saved():
    known, again = taught(30, {"day": 20, "night": 5, "weekend": 8}, Baseline()), Baseline()
    again.restore(orjson.loads(orjson.dumps(known.state())))
    assert [again.rate(hour) for hour in range(720, 720 + 168)] == [known.rate(hour) for hour in range(720, 720 + 168)]
    assert again.share == known.share


def spread_of(clustered: bool, hours: int = 24 * 40) -> Spread:
    """Learn from 30 posts an hour, a third negative, independent or in clusters of one mood."""
    rng, counts, spread = random.Random(5), Counts(), Spread()
    expected = lambda width, last: (last - first_minute(width, last) + 1) * 0.5  # noqa: E731
    for hour in range(hours):
        busy = rng.gammavariate(4, 1 / 4) if clustered else 1.0
        mood = rng.betavariate(3, 6) if clustered else 1 / 3
        for minute in range(hour * 60, hour * 60 + 60):
            posts = (rng.random() < 0.5 * busy / 2) + (rng.random() < 0.5 * busy / 2)
            counts.add(minute, posts, sum(rng.random() < mood for _ in range(posts)))
        if hour > 24:
            spread.learn(spread.lesson(hour, counts.window, expected, 1 / 3))
    return spread


def test_clusters_are_learnt_as_spread():
    clustered, independent = spread_of(clustered=True), spread_of(clustered=False)
    an_hour = WINDOWS.index(60)
    assert clustered.dispersion[an_hour] > DISPERSION[an_hour] > independent.dispersion[an_hour]
    assert clustered.correlation[an_hour] > 3 * CORRELATION[an_hour] > 3 * independent.correlation[an_hour]


def test_spread_survives_being_saved_and_other_shapes_are_refused():
    spread, again = spread_of(clustered=True, hours=100), Spread()
    again.restore(orjson.loads(orjson.dumps(spread.state())))
    assert again.state() == spread.state()
    with pytest.raises(ValueError, match="spread of 2 windows instead of 7"):
        again.restore([[0.1, 0.2], [0.1, 0.2], 3.0])
