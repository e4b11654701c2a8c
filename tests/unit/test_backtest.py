"""What a replay finds out besides its incidents: time recorded, other budgets, simpler rules on the same counts."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.backtest.backtest import BackTest
from crisisdesk.backtest.compare import Comparison, Outcome, parse_rules
from crisisdesk.backtest.overheard import Overheard
from crisisdesk.backtest.recording import Recording
from crisisdesk.backtest.shadow import Shadow
from crisisdesk.backtest.stories import Stories, Story
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.spike import Reading, SpikeDetector
from crisisdesk.detect.watch import WatchDetector
from crisisdesk.errors import UsageError
from crisisdesk.incidents.lifecycle import Rules, witness
from crisisdesk.records import (
    EPOCH,
    Evidence,
    Incident,
    Kind,
    Mention,
    Notification,
    Numbers,
    Post,
    Quote,
    Scored,
    Severity,
    Spike,
)

START = datetime(2024, 3, 4, tzinfo=UTC)
NOTICE, AMBER, RED = Severity.NOTICE, Severity.AMBER, Severity.RED


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def minute(hours: float) -> float:
    return (at(hours) - EPOCH) / timedelta(minutes=1)


def recorded(*hours: float) -> Recording:
    recording = Recording()
    posts = iter([Post(id=str(n), source="x", time=at(hour), text="a") for n, hour in enumerate(hours)])
    assert len(list(recording.of(posts))) == len(hours)
    return recording


def test_a_recording_lasts_from_its_first_to_its_last_post_whatever_their_order():
    assert recorded(30 * 24 - 1, 100, 0, 200, 300, 450, 400, 580).days == pytest.approx(30)
    assert recorded().days == 0
    assert recorded(5).days == pytest.approx(1 / 24)


def test_neither_a_gap_nor_a_wrong_year_makes_a_recording_long():
    days = [hour * 24.0 for hour in range(20)]
    whole = recorded(*days).days
    assert recorded(*days, -40 * 365 * 24).days == pytest.approx(whole + 7)
    assert recorded(*days, *(hour + 200 * 24 for hour in days)).days == pytest.approx(2 * whole + 7, abs=0.1)


def test_calls_a_month_are_not_said_of_less_than_two_weeks():
    assert recorded(*[day * 24.0 for day in range(14)]).a_month(3) is None
    assert recorded(*[day * 24.0 for day in range(31)]).a_month(3) == pytest.approx(3, rel=0.02)


def counts(*storms: float, days: int = 16) -> Iterator[tuple[float, int, int]]:
    """Moments, posts, negative posts: six an hour, one in six negative; two hours of sixty negative at each storm."""
    chance = random.Random(4)
    found = [
        (minute(hour + chance.random()), 1, int(chance.random() < 1 / 6)) for hour in range(days * 24) for _ in range(6)
    ]
    for storm in storms:
        found += [(minute(storm + 2 * chance.random()), 1, 1) for _ in range(60)]
    yield from sorted(found)


def shadow_at(budget: float, *storms: float) -> Shadow:
    shadow = Shadow("Acme", SpikeDetector(Thresholds.for_budget(budget)))
    for moment, total, negative in counts(*storms):
        shadow.count(moment, total, negative)
        if negative:
            shadow.judge(moment)
    return shadow


def test_a_shadow_calls_once_for_a_storm_and_again_for_the_next():
    assert shadow_at(1.0).calls == 0
    assert shadow_at(1.0, 300).calls == 1
    assert shadow_at(1.0, 300, 348).calls == 2


def test_a_shadow_is_no_more_often_disturbed_at_a_stricter_budget():
    calls = [shadow_at(budget, 250, 300, 350).calls for budget in (4.0, 1.0, 0.25, 1e-30)]
    assert calls == sorted(calls, reverse=True)
    assert calls[0] >= 3
    assert calls[-1] == 0


class Listening:
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[float, ...]] = []

    def count(self, moment: float, total: int, negative: int) -> None:
        self.heard.append((moment, total, negative))

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        self.heard.append((moment, total, negative, 0))

    def judge(self, moment: float) -> None:
        self.heard.append((moment,))


def test_being_overheard_changes_nothing_and_what_is_too_late_is_not_heard():
    thresholds, listener = Thresholds.for_budget(1.0), Listening()
    alone, overheard = SpikeDetector(thresholds), Overheard(SpikeDetector(thresholds), [listener])
    readings: list[list[Reading]] = [[], []]
    given = list(counts(300, days=14))
    for detector, read in zip((alone, overheard), readings, strict=True):
        for moment, total, negative in given:
            assert detector.count(moment, total, negative)
            read.append(detector.read())
        assert not detector.count(minute(0), 1, 1)
    assert readings[0] == readings[1]
    assert any(reading.severity for reading in readings[0])
    assert listener.heard == [one for count in given for one in (count, count[:1])]


def test_a_watch_that_is_followed_is_the_same_watch():
    alone, followed = WatchDetector("Acme"), WatchDetector("Acme")
    BackTest(["ratio"]).follow(followed)
    said: list[list[object]] = [[], []]
    for detector, told in zip((alone, followed), said, strict=True):
        for number, (moment, _, negative) in enumerate(counts(300, days=14)):
            time = EPOCH + timedelta(minutes=moment)
            post = Post(f"p{number}", "x", time, f"thoughts of {number} on {number * 7}", author=f"a{number}")
            mood = (0.9, 0.1, 0.0) if negative else (0.1, 0.9, 0.0)
            told.extend(detector.observe(Scored(Mention(post, ("Acme",), "en"), *mood, "m")))
    assert said[0] == said[1]
    assert alone.state() == followed.state()
    assert alone.hours() == followed.hours()
    assert alone.weeks() == followed.weeks()
    assert sum(week.total for week in followed.weeks()) > 1000


NUMBERS = Numbers(60, 9, 12, 1.0, 9, 0.75, 0.2, 1e-6)


def told(
    *levels: tuple[float, Severity | None], first: float = 0.0, watch: str = "Acme", signal: bool = True
) -> Stories:
    """Stories of a watch whose detector said this at these hours."""
    stories, rules = Stories(), Rules()
    incident: Incident | None = None
    quote = Quote("1", "x", at(first), "anna", "awful", 0, None, 0.9)
    for hour, severity in levels:
        evidence = Evidence(posts=(quote,), first=quote, signals=(quote,) if signal else ())
        spike = Spike(watch, Kind.SPIKE, at(hour), severity, NUMBERS, "why", evidence)
        step = witness(incident, spike, rules, 0)
        if step is not None:
            incident = step.incident
            for change in step.changes:
                stories.take(Notification(change, step.incident))
    return stories


def test_a_story_goes_from_the_first_signal_over_the_calls_to_the_end():
    stories = told((1, NOTICE), (2, AMBER), (3, RED), (4, RED), (5, None), (6, None), (8, None))
    (story,) = stories.all()
    assert (story.first, story.calls, story.delay) == (at(0), [at(2)], timedelta(hours=2))
    assert (story.worst, story.end) == (RED, at(8))
    assert [severity for _, severity in story.levels] == [NOTICE, AMBER, RED, NOTICE, None]


def test_a_post_that_only_came_first_is_no_first_signal():
    (story,) = told((1, NOTICE), (2, AMBER), first=0, signal=False).all()
    assert (story.signal, story.first, story.delay) == (None, at(1), timedelta(hours=1))


def test_what_only_stood_in_the_feed_is_no_call_and_what_comes_back_is_another():
    assert told((1, NOTICE), (2, None), (5, None)).called() == ()
    (story,) = told((1, AMBER), (2, None), (5, None), (9, AMBER)).called()
    assert story.calls == [at(1), at(9)]
    assert story.end is None


def compared(*storms: float, names: tuple[str, ...] = ("ratio", "huginn")) -> dict[str, Outcome]:
    comparison = Comparison(names)
    acme, other = comparison.of("Acme"), comparison.of("Other")
    for moment, total, negative in counts(*storms):
        acme.count(moment, total, negative)
    other.count(minute(0), 1, 0)
    return {outcome.name: outcome for outcome in comparison.outcomes()}


def test_each_rule_calls_in_the_storm_for_the_watch_that_has_it():
    for outcome in compared(300).values():
        assert any(at(300) < call < at(304) for call in outcome.calls["Acme"])
        assert outcome.calls["Other"] == ()
        assert outcome.total == len(outcome.calls["Acme"])


def test_late_counts_go_where_they_belong():
    given = list(counts(300))
    results = []
    for order in (given, sorted(given, key=lambda one: one[0] + 600 * (one[2] and one[1]))):
        comparison = Comparison(["ratio"])
        for count in order:
            comparison.of("Acme").count(*count)
        results.append(comparison.outcomes())
    assert results[0] == results[1]


def test_the_bar_of_a_comparison_comes_to_its_end_and_nothing_heard_is_nothing_called():
    comparison, steps = Comparison(["ratio"]), list[float]()
    assert comparison.length == 0
    assert [outcome.total for outcome in comparison.outcomes()] == [0]
    comparison.of("Acme").count(minute(0), 1, 1)
    comparison.of("Acme").count(minute(30), 1, 1)
    comparison.outcomes(steps.append)
    assert steps[-1] == comparison.length == len(steps)


@pytest.mark.parametrize(
    ("calls", "delay"), [((9.0,), None), ((9.0, 12.5, 13.0), 2.5), ((20.5,), None), ((), None), ((10.0,), 0.0)]
)
def test_a_rule_has_found_an_incident_if_it_called_between_first_signal_and_end(calls, delay):
    (story,) = told((11, AMBER), (12, AMBER), (13, None), (16, None), first=10).called()
    outcome = Outcome("ratio", "", 3.0, {"Acme": tuple(map(at, calls))})
    assert outcome.delay(story) == (None if delay is None else timedelta(hours=delay))
    elsewhere = replace(story.incident, watch="Other")
    assert outcome.delay(Story(elsewhere, story.first)) is None


def test_the_names_of_rules_are_read_and_a_mistake_has_the_nearest():
    assert parse_rules(" Huginn,ewma,,huginn") == ["huginn", "ewma"]
    with pytest.raises(UsageError, match=r"'hugin' is no rule .* did you mean 'huginn'"):
        parse_rules("ratio,hugin")
    with pytest.raises(UsageError, match="there are huginn, ewma, ratio"):
        parse_rules("prophecy")
    with pytest.raises(UsageError, match="names no rule"):
        parse_rules(" , ")
