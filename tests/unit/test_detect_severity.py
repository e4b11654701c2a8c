"""What makes a notice amber and amber red."""

from dataclasses import replace

import pytest

from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.severity import Extent, SeverityRules, severity_of
from crisisdesk.records import Severity

AT = Thresholds(notice=2.0, amber=3.0, red=4.5)
RULES = SeverityRules()
MANY = Extent(people=30, hours=1.0, expected=5.0)


def judged(earned: Severity | None, surprise: float, extent: Extent = MANY, rules: SeverityRules = RULES) -> str:
    return str(severity_of(earned, surprise, AT, extent, rules).severity)


def test_what_is_not_unlikely_is_nothing_however_large():
    assert judged(None, 1.0, Extent(5_000, 1.0, 1.0, 4.0, 10**9, 5)) == "None"


def test_as_unlikely_as_the_budget_says():
    assert judged(Severity.NOTICE, 2.5) == "notice"
    assert judged(Severity.AMBER, 3.5) == "amber"
    assert judged(Severity.RED, 4.6) == "red"


@pytest.mark.parametrize(("people", "severity"), [(2, "None"), (3, "notice"), (4, "amber"), (9, "amber"), (10, "red")])
def test_people_enough_must_be_behind_it(people: int, severity: str):
    assert judged(Severity.RED, 9.0, Extent(people, 1.0, 1.0)) == severity


def test_ten_people_within_a_day_can_wait_for_the_morning():
    assert judged(Severity.RED, 9.0, Extent(12, 24.0, 1.0)) == "amber"
    assert judged(Severity.RED, 9.0, Extent(72, 24.0, 1.0)) == "red"


def test_each_of_fast_far_and_wide_brings_red_a_third_nearer():
    fast, far, several = {"growth": 2.0}, {"reach": 100_000}, {"sources": 2}
    for nearer, bar in (
        ({}, 4.5),
        (fast, 4.0),
        (far, 4.0),
        (several, 4.0),
        (fast | far, 3.5),
        (fast | far | several, 3.0),
    ):
        extent = replace(MANY, **nearer)
        assert judged(Severity.AMBER, bar - 0.01, extent) == "amber"
        assert judged(Severity.AMBER, bar + 0.01, extent) == "red"


def test_they_never_make_a_notice_amber():
    assert judged(Severity.NOTICE, 2.9, Extent(5_000, 1.0, 1.0, 4.0, 10**9, 5)) == "notice"


def test_one_more_a_minute_than_usual_is_red_once_it_is_amber():
    assert judged(Severity.AMBER, 3.1, Extent(people=300, hours=1.0, expected=241.0)) == "amber"
    assert judged(Severity.AMBER, 3.1, Extent(people=300, hours=1.0, expected=240.0)) == "red"


def test_every_bound_can_be_set():
    own = SeverityRules(1, 2, 3, 0.5, 10.0, 1.5, 50, 3)
    assert judged(Severity.NOTICE, 2.5, Extent(1, 1.0, 0.0), own) == "notice"
    assert judged(Severity.AMBER, 3.1, Extent(2, 1.0, 0.0), own) == "amber"
    assert judged(Severity.RED, 9.0, Extent(3, 6.0, 0.0), own) == "red"
    assert judged(Severity.AMBER, 3.1, Extent(11, 1.0, 1.0), own) == "red"
    assert judged(Severity.AMBER, 4.01, Extent(9, 1.0, 1.0, growth=1.5), own) == "red"
    assert judged(Severity.AMBER, 4.01, Extent(9, 1.0, 1.0, reach=50), own) == "red"
    assert judged(Severity.AMBER, 4.01, Extent(9, 1.0, 1.0, sources=2), own) == "amber"
