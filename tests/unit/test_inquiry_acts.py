"""What people do about a post: who was first has it, and what is forgotten waits again."""

from datetime import UTC, datetime, timedelta

import pytest

from crisisdesk.errors import UsageError
from crisisdesk.inquiries.acts import TAKEN_FOR, answer, give_back, lapsed, pass_over, take
from crisisdesk.records import Inquiry, Need, Post, Stage

CAME = datetime(2026, 11, 23, 9, tzinfo=UTC)
NOW = CAME + timedelta(minutes=30)
POST = Post("1", "test", CAME, "@acme where is my parcel?", "mia")
WAITING = Inquiry("a1", "Acme", POST, 0.2, (Need.ADDRESSED, Need.QUESTION), 5.0, CAME)


def later(**span: float) -> datetime:
    return NOW + timedelta(**span)


def test_who_takes_it_has_it():
    taken = take(WAITING, " Anna  Berg ", NOW)
    assert (taken.stage, taken.person, taken.moved, taken.is_open) == (Stage.TAKEN, "Anna Berg", NOW, True)


@pytest.mark.parametrize("act", [take, answer, pass_over])
def test_who_was_first_is_named(act):
    with pytest.raises(UsageError, match=r"Anna has taken this post 5 min ago; it has to be given back"):
        act(take(WAITING, "Anna", NOW), "Ben", later(minutes=5))


def test_one_person_in_two_spellings_is_one():
    taken = take(WAITING, "Änna Berg", NOW)
    assert answer(taken, "aenna berg", later(minutes=1)).stage is Stage.ANSWERED
    assert take(taken, "aenna berg", later(hours=1)).moved == later(hours=1)


def test_the_time_to_answer_counts_from_its_coming():
    answered = answer(take(WAITING, "Anna", NOW), "Anna", later(minutes=10))
    assert answered.took == timedelta(minutes=40)
    assert WAITING.took is take(WAITING, "Anna", NOW).took is None


def test_it_can_be_answered_without_being_taken():
    assert answer(WAITING, "Ben", NOW).person == "Ben"


def test_it_is_passed_over_with_a_reason_or_without():
    assert pass_over(WAITING, "Anna", NOW, " a \x1b[31mtroll ").reason == "a troll"
    assert pass_over(WAITING, "Anna", NOW).stage is Stage.PASSED_OVER


@pytest.mark.parametrize("ended", [answer(WAITING, "Anna", NOW), pass_over(WAITING, "Anna", NOW)])
@pytest.mark.parametrize("act", [take, answer, pass_over])
def test_what_has_ended_says_who_ended_it(act, ended):
    with pytest.raises(UsageError, match=rf"was {ended.stage} by Anna 3 min ago; give it back first"):
        act(ended, "Anna", later(minutes=3))


def test_anybody_gives_back_what_somebody_has_or_has_ended_by_mistake():
    for one in (take(WAITING, "Anna", NOW), answer(WAITING, "Anna", NOW), pass_over(WAITING, "Anna", NOW, "troll")):
        back = give_back(one, "Ben", later(minutes=1))
        assert (back.stage, back.person, back.had_by, back.reason) == (Stage.WAITING, None, "Anna", "")
        assert back.came == CAME


def test_what_waits_cannot_be_given_back():
    with pytest.raises(UsageError, match="waits already"):
        give_back(WAITING, "Ben", NOW)


def test_what_was_erased_does_not_wait_again():
    erased = answer(WAITING, "Anna", NOW).without(lambda _: True)
    with pytest.raises(UsageError, match="was erased"):
        give_back(erased, "Ben", NOW)


@pytest.mark.parametrize("act", [take, answer, pass_over, give_back])
def test_nobody_cannot_act(act):
    with pytest.raises(UsageError, match="Nobody is named"):
        act(WAITING, " \u200b ", NOW)


def test_what_is_taken_and_forgotten_waits_again_and_says_who_had_it():
    taken = take(WAITING, "Anna", NOW)
    assert lapsed(taken, NOW + TAKEN_FOR - timedelta(seconds=1)) is taken
    free = lapsed(taken, NOW + TAKEN_FOR)
    assert (free.stage, free.person, free.had_by) == (Stage.WAITING, None, "Anna")
    assert lapsed(free, NOW + 2 * TAKEN_FOR) is free
    assert take(free, "Ben", NOW + TAKEN_FOR).had_by is None


def test_a_clock_that_is_set_back_makes_no_answer_faster_than_it_can_be():
    assert answer(WAITING, "Anna", CAME - timedelta(hours=1)).took == timedelta()
