"""Simulated brands: what they are like, that the detector's figures are counted rightly, and what people are told."""

import json
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from crisisdesk.cli.main import run
from crisisdesk.cli.simulate import _lines, parse_posts, parse_share
from crisisdesk.detect import budget
from crisisdesk.detect.budget import Thresholds, threshold
from crisisdesk.detect.simpler import RULES
from crisisdesk.errors import UsageError
from crisisdesk.settings.budget import NAMED
from crisisdesk.simulate import calibrate, measure, peers
from crisisdesk.simulate.brands import Classifier, Kind, Noise, draw
from crisisdesk.simulate.crises import LASTS, Crises
from crisisdesk.simulate.listening import Heard, episodes
from crisisdesk.simulate.measure import Found, Listened, Rate, false_alarms, found, hear, side_by_side, trials
from crisisdesk.simulate.peers import Contest, contend, spending
from crisisdesk.simulate.posts import DAY, STEP, Stream, negative, stream
from crisisdesk.simulate.scenarios import SCENARIOS, Stage, play
from crisisdesk.simulate.yours import Answer, Question

BALANCED = Thresholds.for_budget(1)
NO_NOISE = Noise(volume=0.0, mood=0.0, bursts=0.0, drift=0.0, weekend=(1.0, 1.0))


@pytest.fixture(autouse=True)
def one_process(monkeypatch):
    """All work in this process, as where the system allows no other: a new one costs half a second."""

    def refuse(_: str) -> None:
        raise OSError("no processes here")

    monkeypatch.setattr(measure.multiprocessing, "get_context", refuse)


# Brands.


def test_brands_have_the_size_and_the_share_that_were_asked_for_and_a_day_and_a_night():
    posts = draw(Kind(10.0, (0.2, 0.2), days=28, noise=replace(NO_NOISE, volume=0.3, mood=0.2)), 12, (1,)).posts
    everything = posts.sum(axis=0)
    assert everything.mean() == pytest.approx(10.0, rel=0.1)
    assert negative(posts).sum() / everything.sum() == pytest.approx(0.2, rel=0.1)
    by_hour = everything[:, 0].reshape(28, 24, 12).sum(axis=(0, 2))
    assert by_hour.max() > 2 * by_hour.min()


def test_the_same_seed_gives_the_same_brands_and_another_others():
    kind = Kind(1.0, days=3)
    assert np.array_equal(draw(kind, 2, (1, 2)).posts, draw(kind, 2, (1, 2)).posts)
    assert not np.array_equal(draw(kind, 2, (1, 2)).posts, draw(kind, 2, (1, 3)).posts)


@pytest.mark.parametrize(("whole_crowd", "share"), [(False, 0.2 * 5 / 1.8), (True, 0.2)])
def test_a_crisis_multiplies_the_negative_posts_and_if_asked_all_others(whole_crowd, share):
    kind = Kind(30.0, (0.2, 0.2), days=20, noise=NO_NOISE)
    crises = Crises(from_day=5, apart=(3, 5), whole_crowd=whole_crowd, times=(5,))
    struck, calm = draw(replace(kind, crises=crises), 4, (3,)), draw(kind, 4, (3,))
    on = np.zeros(struck.posts.shape[1:], bool)
    for crisis in struck.crises:
        on[crisis.row + 4 : crisis.row + LASTS, crisis.column] = True
    assert len(struck.crises) >= 8
    assert negative(struck.posts)[on].sum() / negative(calm.posts)[on].sum() == pytest.approx(5, rel=0.1)
    assert negative(struck.posts)[on].sum() / struck.posts.sum(axis=0)[on].sum() == pytest.approx(share, rel=0.1)
    assert np.array_equal(struck.posts[:, : 5 * DAY], calm.posts[:, : 5 * DAY])


def test_a_classifier_that_errs_finds_a_part_and_takes_others_for_negative():
    kind = Kind(30.0, (0.25, 0.25), days=5, noise=NO_NOISE)
    right, judged = (draw(replace(kind, judged=how), 3, (4,)).posts for how in (None, Classifier(0.75, 0.12)))
    assert np.array_equal(right.sum(axis=0), judged.sum(axis=0))
    expected = 0.75 * negative(right).sum() + 0.12 * (right.sum() - negative(right).sum())
    assert negative(judged).sum() == pytest.approx(expected, rel=0.03)


def test_a_row_comes_in_minute_by_minute_and_nothing_gets_lost():
    posts = draw(Kind(3.0, days=2), 2, (5,)).posts
    one = stream(np.random.default_rng(1), posts, 1, first_row=100)
    assert np.array_equal(one.posts.sum(axis=0), posts[:, :, 1].sum(axis=1))
    rows = np.bincount(one.minute // STEP - 100, weights=one.posts.sum(axis=1), minlength=2 * DAY)
    assert np.array_equal(rows, posts[:, :, 1].sum(axis=0))


# Counting.


def test_one_episode_is_one_call_and_twelve_hours_lie_between_calls():
    assert episodes(np.array([5, 60, 170])) == [5]
    assert episodes(np.array([0, 500, 719, 721])) == [0, 721]
    assert episodes(np.array([], np.int64)) == []


def test_false_alarms_are_counted_by_the_month_and_none_seen_is_not_called_impossible():
    heard = Heard(np.array([100, 5_000, 20_000]), np.array([3.0, 2.0, 4.0], np.float32))
    brand = Listened(Kind(1.0), heard, measure.DAYS_A_MONTH, ())
    rate = false_alarms([brand, brand], 2.5)
    assert (rate.a_month, rate.months) == (2.0, 2.0)
    none = false_alarms([brand], 9.0)
    assert none.a_month == 0
    assert none.error > 0


def test_delays_of_crises_that_were_not_found_count_as_infinite():
    some = found([10.0, 20.0, np.inf, np.inf, np.inf])
    assert (some.crises, some.part) == (5, 0.4)
    assert some.minutes == np.inf
    assert found([10.0, 30.0, np.inf]).minutes == 30.0


def test_work_side_by_side_gives_the_same_as_one_after_the_other(monkeypatch):
    tasks = trials(Kind(0.3, days=4), 3, (6,), BALANCED, at_once=1)
    tasks = [replace(task, from_day=1) for task in tasks]
    steps: list[int] = []
    alone = side_by_side(hear, tasks, steps.append)
    monkeypatch.undo()
    together = side_by_side(hear, tasks)
    assert steps == [1, 2, 3]
    for (one,), (other,) in zip(alone, together, strict=True):
        assert np.array_equal(one.heard.minutes, other.heard.minutes)
        assert np.array_equal(one.heard.surprises, other.heard.surprises)


# The detector, in small; tests/proof/test_detection.py has the full counts.


def test_a_tenfold_crisis_is_found_within_the_hour_and_quiet_weeks_bring_few_calls():
    kind = Kind(1.0, (0.25, 0.25), days=26, crises=Crises(from_day=22, apart=(2, 3), times=(10,)))
    (struck,) = side_by_side(hear, trials(kind, 2, (7,), BALANCED))
    delays = [delay for one in struck for delay in one.delays(BALANCED.amber, 10)]
    assert len(delays) >= 2
    assert max(delays) <= 60
    (quiet,) = side_by_side(hear, trials(Kind(0.3, days=42), 4, (8,), BALANCED, at_once=4))
    assert false_alarms(quiet, BALANCED.amber).a_month <= 2.5


def test_viral_success_calls_nobody_and_a_crisis_does():
    names = tuple(name for name in SCENARIOS if name.startswith(("positive", "a crisis", "outage of 6 hours, then")))
    called = play(Stage(Kind(1.0, (0.2, 0.2), noise=NO_NOISE), 3, (9,), BALANCED, names))
    assert [sum(called[name]) for name in names] == [0, 3, 0]


def test_late_posts_come_in_later_and_keep_their_time():
    name = "a quarter of the posts is an hour late, 10 days"
    minutes = np.arange(2_000)
    posts = Stream(minutes, minutes, np.tile([0, 0, 1, 3], (2_000, 1)))
    late = SCENARIOS[name].deliver(np.random.default_rng(1), posts, 0)
    assert np.array_equal(late.posts.sum(axis=0), posts.posts.sum(axis=0))
    assert (np.diff(late.arrival) >= 0).all()
    waited = np.repeat(late.arrival - late.minute, late.posts.sum(axis=1))
    assert np.mean(waited > 0) == pytest.approx(0.25, abs=0.02)
    assert waited[waited > 0].mean() == pytest.approx(60, rel=0.1)


def test_simpler_rules_have_the_lowest_threshold_that_keeps_the_budget():
    scores = np.random.default_rng(10).normal(size=(60 * DAY, 3))
    threshold = spending(scores, 1.0)
    calls = [
        sum(len(episodes(np.flatnonzero(one >= bound) * STEP)) for one in scores.T)
        for bound in (threshold, threshold - 0.01)
    ]
    months = scores.size / DAY / measure.DAYS_A_MONTH
    assert calls[0] <= months < calls[1]


def test_simpler_rules_see_the_brands_that_the_desk_sees(monkeypatch):
    monkeypatch.setattr(peers, "RULES", {"ratio": RULES["ratio"]})
    kind = Kind(1.0, days=24, crises=Crises(from_day=21, apart=(1, 2)))
    struck = trials(kind, 3, (11,), BALANCED)
    outcome = contend(Contest(trials(Kind(1.0, days=24), 3, (10,), BALANCED), struck))["ratio"]
    crises = [crisis for trial in struck for crisis in draw(kind, trial.brands, trial.seed).crises]
    assert {times: len(delays) for times, delays in outcome.delays.items()} == Counter(one.times for one in crises)
    assert min(min(delays) for delays in outcome.delays.values()) < 6 * 60


# The calibration.


def test_the_stored_calibration_was_made_with_this_detector():
    stored = json.loads(budget.CALIBRATION.read_text(encoding="utf-8"))
    cure = "run `.venv/bin/python -m crisisdesk.simulate.calibrate`"
    assert stored["code"] == calibrate.digest(), f"The detector is not the one whose thresholds were measured; {cure}"


def test_words_about_the_code_do_not_count_as_a_change():
    one, other, changed = (
        calibrate.fingerprint(code)
        for code in (
            '"""Docs."""\nX = 1  # why\n"""What."""\ndef f(a):\n    """Says."""\n    return a + X\n',
            "X = 1\n\n\ndef f(a):\n    return (a + X)\n",
            "X = 2\ndef f(a):\n    return a + X\n",
        )
    )
    assert one == other != changed


TABLE = ((2.6, 4.0), (3.0, 1.0), (3.43, 0.25), (3.85, 0.1))


@pytest.mark.parametrize(("per_month", "surprise"), [(4, 2.6), (1, 3.0), (2, 2.8), (0.1, 3.85)])
def test_between_measured_points_the_threshold_goes_with_the_logarithm(per_month, surprise):
    assert threshold(per_month, TABLE) == pytest.approx(surprise)


def test_thresholds_go_on_rising_beyond_the_table_and_stay_above_calm():
    budgets = [720.0, 30.0, 4.5, 4.0, 1.0, 0.25, 0.09, 0.01, 0.0001]
    found = [threshold(one, TABLE) for one in budgets]
    assert found == sorted(found)
    assert len(set(found)) == len(found)
    assert Thresholds.for_budget(730.0).notice >= budget.LOWEST
    assert threshold(1e9, TABLE) == budget.LOWEST


def test_calibrating_writes_a_table_that_can_be_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(calibrate, "FEWEST", 1)
    path = tmp_path / "calibration.json"
    calibrate.calibrate(12, 4, path, [Kind(0.3, days=42)])
    stored = json.loads(path.read_text(encoding="utf-8"))
    assert stored["code"] == calibrate.digest()
    assert stored["seed"] == 12
    rates = [rate for _, rate in stored["false_alarms"]]
    assert rates == sorted(rates, reverse=True)
    assert "is written" in capsys.readouterr().err


# The command.


@pytest.mark.parametrize(("text", "share"), [("20%", 0.2), ("0.2", 0.2), (" 12,5 % ", 0.125), ("30", 0.3)])
def test_a_share_may_be_written_as_people_do(text, share):
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["", "lots", "0%", "96%", "200%", "-20%", "0"])
def test_what_is_no_share_is_told_what_to_write(text):
    with pytest.raises(UsageError, match=r"write 20% or 0\.2"):
        parse_share(text)


def test_simulate_says_in_plain_words_what_to_expect(capsys):
    call = ["simulate", "--posts-per-day", "40", "--negative", "25%", "--brands", "2", "--alerts", "2 per month"]
    assert run(call) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "2 simulated brands with 40 posts a day, 25% of them negative; 3 months" in out
    for name in ("strict", "balanced", "sensitive", "yours"):
        often = r"(?:[\d.]+ a month|1 in \d+ months)"
        had = rf"(?:{often} \(between (?:{often}|none) and {often}\)(?:: more than you ask for)?|none \(.*\))"
        assert re.search(rf"^{name} +{often} +{had}$", out, re.MULTILINE), out
    for times in ("doubled", "3 times", "5 times", "10 times"):
        assert re.search(
            rf"^{times} +(\d+% \(between \d+% and \d+%\) +(\d+ min|about [\d.]+ h|- \(.*\))|none was simulated +-)$",
            out,
            re.MULTILINE,
        ), out
    assert "Ranges are what chance alone" in out


def test_more_false_alarms_than_asked_for_are_explained_in_words():
    rates = {0.25: Rate(0.34, 0.08, 55.0), 1.0: Rate(1.61, 0.17, 55.0), 4.0: Rate(4.46, 0.29, 55.0)}
    crises = {2: Found(90, 0.6, 0.07, 292.0), 3: Found(90, 0.9, 0.03, 98.0), 5: Found(0, 0.0, 0.0, 0.0)}
    question = Question(200.0, 0.2, 1.0, 40, 0)
    told = list(
        _lines(question, dict(sorted(NAMED.items(), key=lambda one: one[1])), "1 per month", Answer(rates, crises))
    )
    assert "strict      1 in 4 months    1 in 3 months (between 1 in 5 months and 1 in 2 months)" in told
    assert (
        "balanced    1 a month        1.6 a month (between 1.3 a month and 1.9 a month): more than you ask for" in told
    )
    assert any(one.endswith('To stay within it, write false_alarms = "strict".') for one in told)
    assert "doubled          60% (between 46% and 74%)    about 5 h" in told
    assert "3 times          90% (between 84% and 96%)    about 1.5 h" in told
    assert "5 times          none was simulated           -" in told


@pytest.mark.parametrize(("text", "posts"), [("500", 500), ("1.500", 1500), ("1,500", 1500), ("2,5", 2.5)])
def test_posts_a_day_may_be_written_as_people_do(text, posts):
    assert parse_posts(text) == posts


def test_simulate_as_json_is_one_object_with_its_uncertainty(capsys):
    assert run(["simulate", "--posts-per-day", "40", "--brands", "2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [one["budget"] for one in answer["false_alarms"]] == ["strict", "balanced", "sensitive"]
    assert all(one["error"] > 0 for one in answer["false_alarms"])
    assert [one["times"] for one in answer["crises"]] == [2, 3, 5, 10]
    assert answer["negative_share"] == 0.25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing option '--posts-per-day'"),
        (["--posts-per-day", "0"], "Invalid value for '--posts-per-day'"),
        (["--posts-per-day", "50", "--negative", "all"], "write 20% or 0.2"),
        (["--posts-per-day", "50", "--alerts", "seldom"], "1 per month"),
    ],
)
def test_a_wrong_call_of_simulate_has_a_cure(capsys, arguments, message):
    assert run(["simulate", *arguments]) == 2
    assert message in capsys.readouterr().err
