"""Who is on call: weekly shifts, people who take turns, swaps, and the nights when the clocks change."""
# ruff: noqa: DTZ001  (hypothesis takes bounds without a zone)

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.moments import moment_at
from crisisdesk.oncall.hours import Hours
from crisisdesk.oncall.rota import HORIZON, Gap, Rota, Shift, Swap, Turn

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MONDAY = date(2026, 11, 23)
OFFICE = frozenset(range(5))
ANNA, BEN, CEM = "Anna Berg", "Ben Cole", "Cem Demir"


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """A moment by the clock on the wall, the first one where it comes twice; `Z` says UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def rota(*shifts: Shift, swaps: tuple[Swap, ...] = (), zone: ZoneInfo = BERLIN) -> Rota:
    return Rota("comms", zone, shifts, swaps)


# Turns.


def test_people_take_turns_by_calendar_weeks():
    comms = rota(Shift((ANNA, BEN, CEM), starting=MONDAY))
    first = comms.on(at("2026-11-25 12:00"))
    assert first == Turn(ANNA, at("2026-11-23 00:00"), at("2026-11-30 00:00"))
    assert comms.who(at("2026-11-30 00:00")) == BEN
    assert comms.who(at("2026-12-13 23:59")) == CEM
    assert comms.who(at("2026-12-14 00:00")) == ANNA


@pytest.mark.parametrize("day", range(23, 30))
def test_starting_may_be_any_day_of_the_first_week(day):
    comms = rota(Shift((ANNA, BEN), starting=date(2026, 11, day)))
    assert comms.who(at("2026-11-23 00:00")) == ANNA
    assert comms.who(at("2026-11-29 23:59")) == ANNA
    assert comms.who(at("2026-11-30 00:00")) == BEN


def test_weeks_before_the_first_are_counted_backwards():
    comms = rota(Shift((ANNA, BEN, CEM), starting=MONDAY))
    assert [comms.who(at(f"2026-11-{day:02} 12:00")) for day in (22, 15, 8, 1)] == [CEM, BEN, ANNA, CEM]


def test_turns_go_on_over_the_end_of_a_year_that_has_53_weeks():
    comms = rota(Shift((ANNA, BEN), starting=date(2026, 12, 21)))
    assert [piece.person for piece in comms.turns(at("2026-12-21 00:00"), at("2027-01-18 00:00"))] == [
        ANNA, BEN, ANNA, BEN,
    ]  # fmt: skip


def test_hours_from_nine_to_nine_hand_over_on_monday_morning():
    comms = rota(Shift((ANNA, BEN), hours=Hours("09:00-09:00"), starting=MONDAY))
    assert comms.on(at("2026-11-30 08:59")) == Turn(ANNA, at("2026-11-23 09:00"), at("2026-11-30 09:00"))
    assert comms.who(at("2026-11-30 09:00")) == BEN


def test_the_night_belongs_to_the_day_on_which_it_begins():
    nights = rota(Shift((ANNA, BEN), hours=Hours("20:00-08:00"), starting=MONDAY))
    assert nights.who(at("2026-11-30 03:00")) == ANNA  # the night of Sunday
    assert nights.who(at("2026-11-30 20:00")) == BEN
    assert nights.on(at("2026-11-30 12:00")) is None
    friday = rota(Shift((ANNA,), days=frozenset({4}), hours=Hours("22:00-06:00")))
    assert friday.on(at("2026-11-28 05:59")) == Turn(ANNA, at("2026-11-27 22:00"), at("2026-11-28 06:00"))
    assert friday.on(at("2026-11-27 05:59")) is None


def test_the_first_shift_that_fits_counts():
    comms = rota(Shift((ANNA,), OFFICE, Hours("08:00-20:00")), Shift((BEN,)))
    assert comms.on(at("2026-11-23 12:00")) == Turn(ANNA, at("2026-11-23 08:00"), at("2026-11-23 20:00"))
    assert comms.on(at("2026-11-28 12:00")) == Turn(BEN, at("2026-11-27 20:00"), at("2026-11-30 08:00"))


def test_who_is_always_on_is_on_as_far_as_anybody_looks():
    now = at("2026-11-23 12:00")
    assert rota(Shift((ANNA,))).on(now) == Turn(ANNA, now - HORIZON, now + HORIZON)


def test_gaps_are_told():
    comms = rota(Shift((ANNA,), OFFICE, Hours("08:00-20:00")))
    found = list(comms.turns(at("2026-11-27 07:00"), at("2026-11-30 09:00")))
    assert found == [
        Gap(at("2026-11-27 07:00"), at("2026-11-27 08:00")),
        Turn(ANNA, at("2026-11-27 08:00"), at("2026-11-27 20:00")),
        Gap(at("2026-11-27 20:00"), at("2026-11-30 08:00")),
        Turn(ANNA, at("2026-11-30 08:00"), at("2026-11-30 09:00")),
    ]


# Swaps.


def test_a_swap_takes_the_place_of_whoever_is_on():
    swap = Swap(at("2026-11-29 18:00"), at("2026-11-30 10:00"), CEM)
    comms = rota(Shift((ANNA, BEN), starting=MONDAY), swaps=(swap,))
    assert comms.on(at("2026-11-30 00:00")) == Turn(CEM, swap.start, swap.end)
    assert comms.who(at("2026-11-29 17:59")) == ANNA
    assert comms.who(at("2026-11-30 10:00")) == BEN


def test_a_swap_for_one_person_leaves_the_others_alone():
    swap = Swap(at("2026-11-29 18:00"), at("2026-11-30 10:00"), CEM, instead_of=ANNA)
    comms = rota(Shift((ANNA, BEN), starting=MONDAY), swaps=(swap,))
    assert comms.who(at("2026-11-29 23:59")) == CEM
    assert comms.who(at("2026-11-30 00:00")) == BEN


def test_two_who_exchange_their_weeks():
    start, end = at("2026-11-23 00:00"), at("2026-12-07 00:00")
    swaps = (Swap(start, end, ANNA, instead_of=BEN), Swap(start, end, BEN, instead_of=ANNA))
    comms = rota(Shift((ANNA, BEN), starting=MONDAY), swaps=swaps)
    assert [comms.who(at(f"2026-{day} 12:00")) for day in ("11-24", "12-01", "12-08")] == [BEN, ANNA, ANNA]


def test_of_two_swaps_the_one_written_last_counts():
    start, end = at("2026-11-24 00:00"), at("2026-11-26 00:00")
    swaps = (Swap(start, end, BEN), Swap(at("2026-11-25 00:00"), end, CEM, instead_of=ANNA))
    comms = rota(Shift((ANNA,)), swaps=swaps)
    assert [comms.who(at(f"2026-11-{day} 12:00")) for day in (24, 25, 26)] == [BEN, CEM, ANNA]


def test_a_swap_also_fills_a_gap():
    swap = Swap(at("2026-11-28 08:00"), at("2026-11-28 20:00"), BEN)
    comms = rota(Shift((ANNA,), OFFICE), swaps=(swap,))
    assert comms.on(at("2026-11-28 12:00")) == Turn(BEN, swap.start, swap.end)
    assert comms.on(at("2026-11-28 21:00")) is None


def test_everybody_in_it_is_named_once():
    swap = Swap(at("2026-11-28 08:00"), at("2026-11-28 20:00"), CEM)
    assert rota(Shift((BEN, ANNA, BEN)), Shift((ANNA,)), swaps=(swap,)).people() == (BEN, ANNA, CEM)


# The clocks change.


def test_the_night_shift_is_an_hour_shorter_in_spring_and_longer_in_autumn():
    comms = rota(Shift((ANNA,), hours=Hours("22:00-06:00")))
    assert comms.on(utc("2027-03-28T00:30")) == Turn(ANNA, utc("2027-03-27T21:00"), utc("2027-03-28T04:00"))
    assert comms.on(utc("2026-10-25T00:30")) == Turn(ANNA, utc("2026-10-24T20:00"), utc("2026-10-25T05:00"))
    there = rota(Shift((ANNA,), hours=Hours("22:00-06:00")), zone=NEW_YORK)
    assert there.on(utc("2027-03-14T06:30")) == Turn(ANNA, utc("2027-03-14T03:00"), utc("2027-03-14T10:00"))
    assert there.on(utc("2026-11-01T06:30")) == Turn(ANNA, utc("2026-11-01T02:00"), utc("2026-11-01T11:00"))


def test_a_week_with_a_change_of_clocks_is_a_calendar_week():
    comms = rota(Shift((ANNA, BEN), starting=date(2027, 3, 22)))
    assert comms.on(utc("2027-03-24T12:00")) == Turn(ANNA, utc("2027-03-21T23:00"), utc("2027-03-28T22:00"))
    assert comms.on(utc("2027-03-30T12:00")) == Turn(BEN, utc("2027-03-28T22:00"), utc("2027-04-04T22:00"))


def test_an_hour_that_does_not_exist_begins_with_the_change():
    early = rota(Shift((ANNA,), hours=Hours("02:30-10:00")), Shift((BEN,)))
    changed = utc("2027-03-28T01:00")  # 02:00 CET is 03:00 CEST
    assert early.who(changed - timedelta(seconds=1)) == BEN
    assert early.on(changed) == Turn(ANNA, changed, utc("2027-03-28T08:00"))
    inside = rota(Shift((ANNA,), hours=Hours("02:15-02:45")), Shift((BEN,)))
    assert inside.on(changed).person == BEN
    there = rota(Shift((ANNA,), hours=Hours("02:30-10:00")), zone=NEW_YORK)
    assert there.on(utc("2027-03-14T12:00")) == Turn(ANNA, utc("2027-03-14T07:00"), utc("2027-03-14T14:00"))


def test_an_hour_that_comes_twice_means_its_first_coming():
    early = rota(Shift((ANNA,), hours=Hours("02:30-10:00")), Shift((BEN,)))
    assert early.on(utc("2026-10-25T06:00")) == Turn(ANNA, utc("2026-10-25T00:30"), utc("2026-10-25T09:00"))
    assert early.who(utc("2026-10-25T01:15")) == ANNA  # the second 02:15
    there = rota(Shift((ANNA,), hours=Hours("01:30-10:00")), zone=NEW_YORK)
    assert there.on(utc("2026-11-01T12:00")) == Turn(ANNA, utc("2026-11-01T05:30"), utc("2026-11-01T15:00"))


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2027-03-28 01:59:59", "Europe/Berlin", "2027-03-28T00:59:59"),
        ("2027-03-28 02:00", "Europe/Berlin", "2027-03-28T01:00"),
        ("2027-03-28 02:59:59.7", "Europe/Berlin", "2027-03-28T01:00"),
        ("2027-03-28 03:00", "Europe/Berlin", "2027-03-28T01:00"),
        ("2026-10-25 02:59", "Europe/Berlin", "2026-10-25T00:59"),
        ("2026-10-25 03:00", "Europe/Berlin", "2026-10-25T02:00"),
        ("2026-10-04 02:10", "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour is missing
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30T10:00"),  # a whole day is
        ("2026-12-24T08:00+05:00", "Europe/Berlin", "2026-12-24T03:00"),  # a zone of its own
    ],
)
def test_moments_by_the_clock_on_the_wall(wall, zone, moment):
    assert moment_at(datetime.fromisoformat(wall), ZoneInfo(zone)) == utc(moment)


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "America/Santiago"])
WALLS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1))


@given(WALLS, st.timedeltas(timedelta(), timedelta(hours=3)), ZONES)
def test_later_on_the_wall_is_never_earlier_in_truth(wall, more, zone):
    assert moment_at(wall, ZoneInfo(zone)) <= moment_at(wall + more, ZoneInfo(zone))


# Whatever the rota.

PEOPLE = st.sampled_from([ANNA, BEN, CEM])
MOMENTS = st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 30), timezones=st.just(UTC))


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    begin, end = (draw(st.integers(0, 95)) for _ in range(2))
    return Hours("-".join(f"{quarter // 4:02}:{quarter % 4 * 15:02}" for quarter in (begin, end)))


@st.composite
def rotas(draw: st.DrawFn) -> Rota:
    shifts = st.builds(
        Shift,
        people=st.lists(PEOPLE, min_size=1, max_size=4).map(tuple),
        days=st.frozensets(st.integers(0, 6), min_size=1),
        hours=hours(),
        starting=st.dates(date(2026, 9, 1), date(2027, 5, 1)),
    )
    swaps = st.builds(
        lambda start, span, person, instead_of: Swap(start, start + span, person, instead_of),
        MOMENTS,
        st.timedeltas(timedelta(minutes=1), timedelta(days=9)),
        PEOPLE,
        st.none() | PEOPLE,
    )
    return Rota(
        "any",
        ZoneInfo(draw(ZONES)),
        tuple(draw(st.lists(shifts, min_size=1, max_size=3))),
        tuple(draw(st.lists(swaps, max_size=3))),
    )


@given(rotas(), MOMENTS, st.timedeltas(timedelta(hours=1), timedelta(days=10)), st.data())
def test_turns_and_gaps_tile_the_time_and_say_who_is_on(any_rota, start, span, data):
    end = start + span
    pieces = list(any_rota.turns(start, end))
    assert (pieces[0].start, pieces[-1].end) == (start, end)
    assert all(one.end == other.start for one, other in pairwise(pieces))
    assert all(one.start < one.end for one in pieces)
    people = [getattr(one, "person", None) for one in pieces]
    assert all(one != other for one, other in pairwise(people))
    moment = data.draw(
        st.datetimes(start.replace(tzinfo=None), end.replace(tzinfo=None)).map(lambda m: m.replace(tzinfo=UTC))
    )
    if moment < end:
        (there,) = [one for one in pieces if one.start <= moment < one.end]
        assert any_rota.who(moment) == getattr(there, "person", None)


@given(rotas(), MOMENTS)
def test_a_turn_lasts_until_the_next_change(any_rota, moment):
    turn = any_rota.on(moment)
    assert (turn.person if turn else None) == any_rota.who(moment)
    if turn is not None:
        assert turn.start <= moment < turn.end
        assert any_rota.who(turn.start) == any_rota.who(turn.end - timedelta(microseconds=1)) == turn.person
        if turn.end < moment + HORIZON:
            assert any_rota.who(turn.end) != turn.person


@given(rotas(), MOMENTS, st.none() | PEOPLE)
def test_the_newest_swap_decides_within_it_and_changes_nothing_outside(any_rota, moment, instead_of):
    swap = Swap(moment, moment + timedelta(hours=5), "Dora Ek", instead_of)
    swapped = Rota(any_rota.name, any_rota.zone, any_rota.shifts, (*any_rota.swaps, swap))
    regular = Rota(any_rota.name, any_rota.zone, any_rota.shifts)
    for when in (moment, moment + timedelta(hours=2), swap.end - timedelta(microseconds=1)):
        concerned = instead_of is None or regular.who(when) == instead_of
        assert swapped.who(when) == ("Dora Ek" if concerned else any_rota.who(when))
    for when in (swap.end, moment - timedelta(microseconds=1)):
        assert swapped.who(when) == any_rota.who(when)
