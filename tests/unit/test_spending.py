"""What verdicts say of a watch's budget of false alarms."""

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from crisisdesk.detect.budget import Thresholds
from crisisdesk.incidents.spending import SPAN, Call, Ledger, Spending, advice, chance_of, spending, spent
from crisisdesk.records import Incident, Kind, Numbers, Severity, State, Verdict
from crisisdesk.settings.budget import DAYS_PER_MONTH, in_words, parse_false_alarms, writable

NOW = datetime(2026, 11, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)
FALSE, REAL, PLANNED = Verdict.FALSE_ALARM, Verdict.REAL, Verdict.PLANNED


def threshold(per_month: float) -> float:
    """A law that is easy to reckon with: alarms fall by e^3.2 for each unit of surprise."""
    return 3.0 - math.log(per_month) / 3.2


def calls(*judged: tuple[float, Verdict | None]) -> list[Call]:
    """One a week, the newest yesterday, each with its surprise and verdict."""
    return [
        Call(f"motrin-{n}", "Motrin", NOW - timedelta(days=1 + 7 * n), surprise, verdict)
        for n, (surprise, verdict) in enumerate(judged)
    ]


def judged(found: list[Call], per_month: float = 1.0, since: datetime = LONG_AGO) -> Spending:
    return spending("Motrin", per_month, found, since=since, now=NOW, threshold=threshold)


@pytest.mark.parametrize(("false_alarms", "overspent"), [(0, False), (3, False), (7, False), (8, True), (11, True)])
def test_a_watch_overspends_only_where_luck_hardly_explains_it(false_alarms: int, overspent: bool):
    found = judged(calls(*[(3.1, FALSE)] * false_alarms))
    assert found.overspent is overspent
    assert bool(advice(found)) is overspent


@pytest.mark.parametrize(("false_alarms", "overspent"), [(2, False), (3, False), (4, True)])
def test_a_first_week_counts_as_a_month(false_alarms: int, overspent: bool):
    new = [replace(call, time=NOW - timedelta(hours=20)) for call in calls(*[(3.1, FALSE)] * false_alarms)]
    found = judged(new, since=NOW - timedelta(days=7))
    assert (found.allowed, found.overspent) == (1.0, overspent)


def test_a_time_in_which_nobody_listened_allows_none():
    some = calls(*[(3.1, FALSE)] * 4)
    deaf = spending(
        "Motrin", 1.0, some, since=LONG_AGO, now=NOW, threshold=threshold, unheard=lambda *_: timedelta(days=45)
    )
    assert deaf.allowed == pytest.approx(45 / DAYS_PER_MONTH)
    assert judged(some).allowed == pytest.approx(90 / DAYS_PER_MONTH)


def test_only_false_alarms_of_the_last_three_months_count():
    others = calls(*[(3.1, REAL)] * 5, *[(3.1, PLANNED)] * 5, *[(3.1, None)] * 2)
    old = [replace(one, time=NOW - SPAN - timedelta(days=1)) for one in calls(*[(3.1, FALSE)] * 9)]
    assert not judged(others + old).overspent


def test_it_proposes_what_brings_the_false_alarms_down_to_the_budget():
    found = judged(calls(*[(3.01, FALSE)] * 4, *[(3.3, FALSE)] * 4, (3.05, REAL), (4.0, REAL), (3.1, None)))
    proposal = found.proposal
    assert proposal is not None
    # (2.96 allowed + 1) / (8 + 1) of one a month is 0.44; the nearest that is easily said is five a year.
    assert proposal.per_month == pytest.approx(parse_false_alarms("5 per year"))
    assert proposal.threshold == pytest.approx(threshold(5 / 12))
    assert advice(found) == (
        "Motrin overspends: 8 false alarms in 90 days; its budget of 1 per month allows 3. "
        'To come nearer to it, write false_alarms = "5 per year": its threshold would rise from 3.00 to 3.27, 4 of 8 '
        "false alarms would not have come (10 Oct 00:00, 17 Oct 00:00, 24 Oct 00:00, 31 Oct 00:00 UTC); 1 of 2 real "
        "calls would not have come (5 Sep 00:00 UTC). 4 would be left, so narrow its terms as well, or add 'not' "
        "terms. Nothing changes by itself. 1 call has no verdict yet."
    )
    assert "31 Oct 01:00 CET); 1 of 2 real calls would not have come (5 Sep 02:00 CEST)" in advice(
        found, ZoneInfo("Europe/Berlin")
    )


def test_only_a_budget_that_would_have_kept_to_it_is_said_to_keep_to_it():
    """Of nine false alarms two would be spared: a stricter budget alone is no cure."""
    few = judged(calls(*[(3.01, FALSE)] * 2, *[(4.0, FALSE)] * 7))
    assert "To come nearer to it, write false_alarms = " in advice(few)
    assert "2 of 9 false alarms would not have come (" in advice(few)
    assert "UTC). 7 would be left, so narrow its terms as well, or add 'not' terms. Nothing changes" in advice(few)
    most = judged(calls(*[(3.01, FALSE)] * 7, *[(4.0, FALSE)] * 2))
    assert "To keep to it, write false_alarms = " in advice(most)
    assert "would be left" not in advice(most)


def test_after_the_proposal_was_taken_the_old_calls_are_settled():
    found = judged(calls(*[(3.01, FALSE)] * 5, *[(3.3, FALSE)] * 3))
    assert found.proposal is not None
    again = judged(list(found.calls), per_month=found.proposal.per_month)
    assert (len(again.false_alarms), again.overspent) == (3, False)
    whole = judged(calls(*[(3.01, FALSE)] * 5, *[(3.3, FALSE)] * 3), per_month=found.proposal.per_month)
    assert spent(whole).startswith("3 false alarms in 90 days (5 more came at the wider budget before); its budget of")


def test_a_call_whose_surprise_was_not_kept_is_not_said_to_be_spared():
    found = judged(calls(*[(0.0, FALSE)] * 8))
    assert "all 8 false alarms would still have come. 8 would be left, so narrow its terms" in advice(found)
    assert found.proposal is not None
    assert not any(map(found.proposal.spares, found.calls))


def test_where_there_is_no_stricter_budget_it_says_what_else_helps():
    found = judged(calls(*[(5.0, FALSE)] * 3), per_month=parse_false_alarms("1/4 per year"))
    assert found.proposal is None
    assert "There is no stricter budget; narrow its terms" in advice(found)


def test_what_was_spent_is_said_also_within_the_budget():
    found = judged(calls((3.1, FALSE), (3.1, FALSE), (3.1, None)), since=NOW - timedelta(days=40))
    assert spent(found) == (
        "2 false alarms since 22 Sep; its budget of 1 per month allows 1.3. 1 call has no verdict yet."
    )


def test_the_desks_own_thresholds_fit():
    found = spending(
        "Motrin", 1.0, calls(*[(9.0, FALSE)] * 9), since=LONG_AGO, now=NOW,
        threshold=lambda per_month: Thresholds.for_budget(per_month).amber,
    )  # fmt: skip
    assert found.proposal is not None
    assert found.proposal.threshold > found.proposal.old_threshold


@pytest.mark.parametrize(("number", "expected", "chance"), [(0, 1.0, 1.0), (1, 1.0, 0.63212), (4, 1.0, 0.01899)])
def test_chances_are_those_of_poisson(number: int, expected: float, chance: float):
    assert chance_of(number, expected) == pytest.approx(chance, abs=1e-5)


@pytest.mark.parametrize(
    "words", ["1 per month", "4 per month", "1 per week", "6 per year", "1/2 per year", "3 per day", "1.75 per month"]
)
def test_a_budget_can_be_said_as_it_was_written(words: str):
    assert in_words(parse_false_alarms(words)) == words


@pytest.mark.parametrize("per_month", [0.001, 0.02, 0.3, 0.5, 1.6, 7.0, 29.4, 900.0])
def test_a_proposal_can_be_written_into_the_configuration(per_month: float):
    found = writable(per_month)
    assert parse_false_alarms(in_words(found)) == pytest.approx(found)
    if DAYS_PER_MONTH * 24 >= per_month >= 1 / 48:
        assert 0.7 < found / per_month < 1.45


def incident(**changes: object) -> Incident:
    plain = Incident(
        "a-1", "a", Kind.SPIKE, State.OPEN, Severity.AMBER, NOW, NOW, Numbers(60, 9, 9, 1.0, 9, 1.0, 0.2, 1e-6), "",
        surprise=3.4,
    )  # fmt: skip
    return replace(plain, **changes)


def test_the_ledger_holds_calls_as_they_stand():
    ledger = Ledger()
    ledger.take(incident(severity=Severity.NOTICE))
    ledger.take(incident(id="a-2", kind=Kind.BRIGADING))
    assert ledger.of("a") == ()
    ledger.take(incident())
    ledger.take(incident(severity=Severity.NOTICE, eased_from=Severity.RED, state=State.RESOLVED, verdict=FALSE))
    assert ledger.of("a") == (Call("a-1", "a", NOW, 3.4, FALSE),)
    later = NOW + SPAN + timedelta(days=1)
    ledger.take(incident(id="a-3", opened=later, updated=later))
    assert [call.incident for call in ledger.of("a")] == ["a-3"]
