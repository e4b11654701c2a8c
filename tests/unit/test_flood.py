"""Floods and reach: who is loud, what is usual, how bad, and what people are told of it."""

import tracemalloc

import orjson
import pytest

from crisisdesk.detect.brigading import why
from crisisdesk.detect.chorus import KEPT as CHORUS_KEPT
from crisisdesk.detect.chorus import Chorus
from crisisdesk.detect.days import DAYS
from crisisdesk.detect.flood import KEPT, LEAST, Flood
from crisisdesk.detect.people import Heard
from crisisdesk.records import Severity

DAY = 24 * 60
TEXT = 7
"""The wording that is copied."""


def flooded(accounts: int, posts: int, minutes: float, *, flood: Flood | None = None, start: float = 0.0) -> Flood:
    """So many copies of one text, the accounts taking turns."""
    flood = flood or Flood()
    for n in range(posts):
        flood.add(start + n * minutes / posts, Heard(TEXT, 1_000 + n % accounts))
    return flood


def crowd(people: int, minutes: float, *, flood: Flood | None = None, start: float = 0.0, each: int = 1) -> Flood:
    """So many people, each in words of their own."""
    flood = flood or Flood()
    for n in range(people * each):
        flood.add(start + n * minutes / (people * each), Heard(10_000 + n, 20_000 * each + n % people))
    return flood


def told(flood: Flood, now: float) -> tuple[str, str]:
    said = why(flood.read(now))
    return said.en, said.de


def test_copies_by_few_accounts_are_a_flood():
    assert flooded(9, 300, 30).severity is Severity.NOTICE
    assert told(flooded(9, 300, 30), 29.9) == (
        "300 copies by 9 accounts in 30 minutes; on most days there is no such flood.",
        "300 Kopien von 9 Konten innerhalb von 30 Minuten; an den meisten Tagen gibt es keine solche Flut.",
    )


@pytest.mark.parametrize("accounts", [300, 150])
def test_copies_by_many_accounts_are_reach(accounts: int):
    assert flooded(accounts, 300, 30).severity is None


def repeated(
    people: int, minutes: float, *, text: int = TEXT, chorus: Chorus | None = None, start: float = 0
) -> Chorus:
    """So many people repeat one text, each once."""
    chorus = chorus or Chorus()
    for n in range(people):
        chorus.add(start + n * minutes / people, Heard(text, 50_000 + n))
    return chorus


def test_many_people_who_repeat_one_text_are_a_chorus():
    chorus = repeated(200, 118)
    chorus.add(118, Heard(TEXT, 50_000))
    assert chorus.severity(118) is Severity.AMBER
    said = why(chorus.read(118))
    assert said.en == (
        "200 people repeat one text within 2 hours (201 copies), counted as one voice. "
        "Read it: is it a campaign, or a public that agrees?"
    )
    assert said.de == (
        "200 Menschen wiederholen innerhalb von 2 Stunden einen Text (201 Kopien), gezählt als eine Stimme. "
        "Bitte lesen: Ist es eine Kampagne, oder sind es viele, die zustimmen?"
    )


@pytest.mark.parametrize(("people", "minutes"), [(LEAST - 1, 5), (100, 24 * 60)])
def test_a_text_that_is_shared_now_and_then_is_none(people: int, minutes: float):
    assert repeated(people, minutes).severity(minutes) is None


def test_who_repeats_a_text_again_is_one_person_still():
    chorus = Chorus()
    for n in range(300):
        chorus.add(n / 10, Heard(TEXT, n % 9))
    assert (chorus.people, chorus.size, chorus.severity(30)) == (9, 300, None)


def test_a_chorus_is_amber_where_it_is_a_crowd_and_drowns_all_else_and_never_red():
    assert repeated(59, 30).severity(30) is Severity.NOTICE
    assert repeated(60, 30).severity(30) is Severity.AMBER
    assert repeated(100, 120).severity(120) is Severity.NOTICE, "50 an hour"
    assert repeated(2 * CHORUS_KEPT, 30).severity(30) is Severity.AMBER
    beside = Chorus()
    for n in range(21):
        beside.add(0, Heard(n + 100, n))
    assert repeated(200, 30, chorus=beside).severity(30) is Severity.NOTICE


def test_in_a_real_crisis_a_text_that_many_share_is_no_chorus_until_it_is_louder_than_all_else():
    chorus = Chorus()
    for n in range(100):
        chorus.add(n / 10, Heard(n + 100, n))
    assert repeated(100, 20, chorus=chorus, start=10).severity(30) is None
    assert repeated(110, 20, chorus=chorus, start=10.1).people == 110
    assert chorus.severity(30) is Severity.NOTICE


def test_texts_that_are_shared_every_day_become_usual():
    chorus, seen = Chorus(), []
    for day in range(40):
        repeated(30, 60, text=1_000 + day, chorus=chorus, start=day * DAY)
        seen.append(chorus.severity(day * DAY + 60) is not None)
    assert sum(seen) <= 2
    assert not any(seen[2:])
    repeated(70, 60, chorus=chorus, start=39 * DAY + 600)
    assert "; on most days at most 30 do. " in why(chorus.read(39 * DAY + 660)).en


def test_a_chorus_is_over_three_hours_after_it_and_a_restart_changes_nothing():
    chorus, again = repeated(100, 60, start=DAY), Chorus()
    again.restore(orjson.loads(orjson.dumps(chorus.state())))
    for one in (chorus, again):
        one.advance(DAY + 200)
    assert again.read(DAY + 200) == chorus.read(DAY + 200)
    chorus.advance(DAY + 240)
    assert (chorus.people, chorus.size, chorus.severity(DAY + 240)) == (0, 0, None)


def test_one_account_alone_is_a_flood_and_never_more_than_a_notice():
    flood = Flood()
    for n in range(55):
        flood.add(n, Heard(n, 1_000))
    assert flood.severity is Severity.NOTICE
    assert told(flood, 59)[0] == "1 account posted 55 times in an hour; on most days there is no such flood."
    assert told(flood, 59)[1].startswith("1 Konto hat innerhalb einer Stunde 55-mal geschrieben;")
    assert flooded(1, 900, 50).severity is Severity.NOTICE


def test_two_accounts_that_take_turns_are_a_flood():
    flood = flooded(2, 40, 20)
    assert flood.severity is Severity.NOTICE
    assert told(flood, 20)[0].startswith("40 copies by 2 accounts in 21 minutes")


def test_a_flood_that_drowns_everything_is_amber_and_never_red():
    assert flooded(9, 499, 30).severity is Severity.NOTICE
    assert flooded(9, 500, 30).severity is Severity.AMBER
    assert flooded(300, 30_000, 30).severity is Severity.AMBER


def test_a_real_crisis_is_no_flood_though_some_people_write_five_times_an_hour():
    flood = crowd(200, 60)
    assert crowd(30, 60, flood=flood, start=0, each=5).size == 150
    assert flood.severity is None


def test_a_flood_in_the_midst_of_a_real_crisis_is_seen():
    flood = crowd(400, 40)
    assert flooded(9, 300, 15, flood=flood, start=40).severity is Severity.NOTICE
    assert flood.read(55).accounts == 9


def test_a_flood_is_over_when_its_hour_is():
    flood = flooded(9, 300, 30)
    flood.advance(61)
    assert 0 < flood.size < 300
    flood.advance(90)
    assert (flood.size, flood.severity) == (0, None)


def test_posts_without_author_that_say_the_same_are_one_unknown_voice():
    flood = Flood()
    for minute in range(30):
        flood.add(minute, Heard(TEXT, TEXT))
    assert flood.severity is Severity.NOTICE
    assert told(flood, 29)[0].startswith("30 copies by unknown accounts in 30 minutes")
    assert told(flood, 29)[1].startswith("30 Kopien von Konten unbekannter Herkunft innerhalb von 30 Minuten")
    flooded(2, 40, 10, flood=flood, start=30)
    assert told(flood, 40)[0].startswith("70 copies by 2 accounts and unknown accounts in 41 minutes")


def test_what_is_only_partly_the_same_is_told_as_such():
    flood = flooded(3, 60, 20)
    for n in range(30):
        flood.add(20, Heard(100 + n, 1_000))
    assert told(flood, 20)[0].startswith("3 accounts posted 90 times in 21 minutes, 60 times the same;")


def test_what_comes_every_day_becomes_usual():
    flood, seen = Flood(), []
    for day in range(40):
        flooded(2, 2 * LEAST, 30, flood=flood, start=day * DAY)
        seen.append(flood.severity is not None)
    assert sum(seen) <= 2
    assert not any(seen[2:])
    assert told(flood, 39 * DAY + 30)[0].endswith("on most days it is 40 in the loudest hour.")
    flooded(9, 300, 20, flood=flood, start=39 * DAY + 120)
    assert flood.severity is Severity.NOTICE, "what is clearly more still is one"


def test_a_second_flood_two_days_later_is_seen_like_the_first():
    flood = Flood()
    flood.advance(0)
    for day in (20, 22):
        assert flooded(9, 300, 30, flood=flood, start=day * DAY).severity is Severity.NOTICE


def test_usual_is_forgotten_after_four_weeks():
    flood = Flood()
    for day in range(20):
        flooded(2, 2 * LEAST, 30, flood=flood, start=day * DAY)
    flood.advance((20 + DAYS) * DAY)
    assert flood.read((20 + DAYS) * DAY).usual == 0


def test_a_restart_in_the_midst_of_a_flood_changes_nothing():
    flood = flooded(2, 30, 30, flood=flooded(2, 12, 30), start=5 * DAY)
    again = Flood()
    again.restore(orjson.loads(orjson.dumps(flood.state())))
    for one in (flood, again):
        flooded(2, 30, 20, flood=one, start=5 * DAY + 30)
    assert again.read(5 * DAY + 55) == flood.read(5 * DAY + 55)


DAMAGES: list[dict[str, object]] = [
    {"posts": [[1.0, 2]]},
    {"posts": [[1.0, 2, 3]] * (CHORUS_KEPT + 1)},
    {"posts": [[0.0, 1, 2], [0.0, ["a"], 1]]},
    {"days": [1] * 99},
    {"days": ["x"]},
    {"today": -1},
    {"midnight": None},
]


@pytest.mark.parametrize("wrong", DAMAGES)
def test_a_state_of_another_shape_is_refused_as_a_whole(wrong: dict[str, object]):
    for new, kept in ((Flood(), flooded(2, 30, 30).state()), (Chorus(), repeated(30, 30).state())):
        before = orjson.dumps(new.state())
        with pytest.raises((TypeError, ValueError)):
            new.restore(kept | wrong)
        assert orjson.dumps(new.state()) == before


def test_memory_is_bounded_and_the_words_stay_true():
    flood = flooded(9, 20 * KEPT, 60)
    assert flood.size == KEPT
    assert told(flood, 60)[0].startswith("1000 copies by 9 accounts in 4 minutes")
    assert len(orjson.dumps(flood.state())) < 60_000


def test_a_watch_without_a_flood_takes_little_memory():
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        quiet = [crowd(40, 40 * DAY) for _ in range(50)]
        assert (tracemalloc.get_traced_memory()[0] - before) / len(quiet) < 2_500
    finally:
        tracemalloc.stop()
