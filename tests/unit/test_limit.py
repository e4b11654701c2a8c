"""How often one address may be disturbed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.outputs.people.limit import Limit
from crisisdesk.records import Severity

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def sent(*minutes: int, severity: Severity = Severity.AMBER) -> list[tuple[datetime, Severity]]:
    return [(NOW - minute * MINUTE, severity) for minute in minutes]


@pytest.mark.parametrize(
    ("earlier", "waits"),
    [
        ((), 0),
        ((14, 10, 5, 2), 0),
        ((14, 10, 5, 2, 1), 1),
        ((1, 2, 5, 10, 14), 1),
        ((15, 10, 5, 2, 1), 0),
        ((400, 300, 200, 100, 50), 0),
        ((12, 12, 12, 12, 12, 12), 3),
    ],
)
def test_the_sixth_message_within_a_quarter_of_an_hour_waits_for_its_end(earlier, waits):
    assert Limit().may(NOW, sent(*earlier), Severity.AMBER) == NOW + waits * MINUTE


def test_a_red_one_does_not_wait_because_of_ambers():
    assert Limit().may(NOW, sent(*range(10)), Severity.RED) == NOW
    assert Limit().may(NOW, sent(*range(10), severity=Severity.RED), Severity.RED) > NOW
    assert Limit().may(NOW, sent(*range(10), severity=Severity.RED), Severity.AMBER) > NOW


def test_without_a_limit_nothing_waits():
    assert Limit(None).may(NOW, sent(*[0] * 1_000), Severity.NOTICE) == NOW


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(Severity)), max_size=60).map(sorted),
)
def test_whoever_obeys_it_is_never_disturbed_more_often(most, wanted):
    limit, done = Limit(most, 15 * MINUTE), []
    for minute, severity in wanted:
        now = NOW + minute * MINUTE
        if limit.may(now, done, severity) == now:
            done.append((now, severity))
    for number, (time, severity) in enumerate(done, start=1):
        assert len([1 for other, each in done[:number] if each >= severity and time - limit.within < other]) <= most


@given(st.lists(st.integers(0, 60), max_size=30), st.integers(1, 6))
def test_when_the_time_has_come_it_may(minutes, most):
    limit = Limit(most)
    earlier = sent(*minutes)
    assert limit.may(moment := limit.may(NOW, earlier, Severity.AMBER), earlier, Severity.AMBER) == moment
