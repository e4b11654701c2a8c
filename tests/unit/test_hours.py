"""Hours of the day and days of the week, as people write them, by the clocks of a place."""
# ruff: noqa: DTZ001  (hypothesis takes bounds without a zone)

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.errors import UsageError
from crisisdesk.oncall.hours import Hours
from crisisdesk.settings.duration import parse_duration
from crisisdesk.settings.oncall.days import parse_days
from crisisdesk.settings.oncall.hours import parse_hours

BERLIN = ZoneInfo("Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("08:00-20:00", time(8), time(20)),
        ("22:00-07:00", time(22), time(7)),
        ("8-20", time(8), time(20)),
        (" 8:30 – 20:15 ", time(8, 30), time(20, 15)),
        ("8.30 bis 20.15 Uhr", time(8, 30), time(20, 15)),
        ("20:00-24:00", time(20), time()),
        ("00:00-24:00", time(), time()),
        ("8 am to 8 pm", time(8), time(20)),
        ("12am-12pm", time(), time(12)),
    ],
)
def test_hours_as_people_write_them(text, begin, end):
    assert parse_hours(text) == (begin, end)


@pytest.mark.parametrize("text", ["", "8", "nights", "25:00-07:00", "22:60-07:00", "24:30-07:00", "13 pm-6 am", "٨-٢"])
def test_what_are_no_hours_is_told_with_the_cure(text):
    with pytest.raises(UsageError, match='write them like "08:00-20:00", or "22:00-07:00" for over midnight'):
        Hours(text)


def test_over_midnight():
    night = Hours("22:00-07:00")
    inside = ("2026-11-23T21:00", "2026-11-23T23:30", "2026-11-24T05:59:59")
    assert all(night.covers(utc(moment), BERLIN) for moment in inside)
    assert not any(night.covers(utc(moment), BERLIN) for moment in ("2026-11-23T20:59:59", "2026-11-24T06:00"))
    assert night.end_after(utc("2026-11-23T22:00"), BERLIN) == utc("2026-11-24T06:00")
    assert night.end_after(utc("2026-11-24T06:00"), BERLIN) == utc("2026-11-25T06:00")


def test_the_same_hours_elsewhere():
    assert Hours("22:00-07:00").covers(utc("2026-11-24T04:00"), ZoneInfo("America/New_York"))
    assert not Hours("22:00-07:00").covers(utc("2026-11-24T02:00"), ZoneInfo("America/New_York"))


def test_nights_in_which_the_clocks_change():
    night = Hours("22:00-07:00")
    assert night.end_after(utc("2027-03-27T22:00"), BERLIN) == utc("2027-03-28T05:00")
    assert night.end_after(utc("2026-10-24T22:00"), BERLIN) == utc("2026-10-25T06:00")
    until_two = Hours("22:00-02:30")  # 02:30 comes twice in autumn, and not at all in spring
    assert not until_two.covers(utc("2026-10-25T01:15"), BERLIN)
    assert until_two.end_after(utc("2026-10-24T22:00"), BERLIN) == utc("2026-10-25T00:30")
    assert until_two.end_after(utc("2027-03-27T22:00"), BERLIN) == utc("2027-03-28T01:00")


QUARTERS = st.integers(0, 95).map(lambda quarter: f"{quarter // 4:02}:{quarter % 4 * 15:02}")


@given(
    QUARTERS,
    QUARTERS,
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["Europe/Berlin", "America/New_York", "UTC", "Australia/Lord_Howe"]),
)
def test_at_their_end_they_are_over(begin, end, moment, name):
    hours, zone = Hours(f"{begin}-{end}"), ZoneInfo(name)
    after = hours.end_after(moment, zone)
    assert moment < after <= moment + timedelta(days=2, hours=1)
    if begin != end:
        assert not hours.covers(after, zone)
    if hours.covers(moment, zone):
        assert hours.covers(after - timedelta(microseconds=1), zone)


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Mon-Fri", "01234"),
        ("Mo-Fr", "01234"),
        ("mo – fr", "01234"),
        ("Monday to Wednesday", "012"),
        ("Montag bis Mittwoch", "012"),
        ("Sat, Sun", "56"),
        ("Sa und So", "56"),
        ("Fri-Mon", "4560"),
        ("Fr.-So., Mi", "4562"),
        ("Tues; Thurs & Sonnabend", "135"),
        ("Di", "1"),
        ("Mon-Sun", "0123456"),
    ],
)
def test_days_in_two_languages(text, days):
    assert parse_days(text) == frozenset(map(int, days))


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("Mon-Fir", "'fir' is no day of the week; "),
        ("Mondey", "did you mean Monday?"),
        ("Donerstag", "did you mean Donnerstag?"),
        ("weekdays", "is no day of the week"),
        ("Mon-Wed-Fri", "is no range of days"),
        ("", "is no day of the week"),
        ("T", "is no day of the week"),
    ],
)
def test_what_are_no_days_is_told_with_the_cure(text, cure):
    with pytest.raises(UsageError) as caught:
        parse_days(text)
    assert cure in str(caught.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30 seconds", 30), ("5 minutes", 300), ("1 hour", 3600), ("hour", 3600), ("5 Minuten", 300), ("90 s", 90),
        ("1,5 Stunden", 5400), ("1.5 hours", 5400), ("2 Tage", 172_800), ("alle 10 Minuten", 600), ("45min", 2700),
    ],
)  # fmt: skip
def test_durations_in_two_languages(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "soon", "-5 minutes", "5 fortnights", "5 minutes 3"])
def test_what_is_no_duration(text):
    assert parse_duration(text) is None


def test_no_duration_is_too_long_to_be_read():
    assert parse_duration("999999999999 days") == timedelta.max
