"""How well the desk hears: what the watches are told of lost sources, drops, sleep and clocks that are wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from crisisdesk.engine.listening import Ear, Listening
from crisisdesk.records import SourceStatus

NIGHT = datetime(2024, 3, 4, tzinfo=UTC)
HOUR = int(NIGHT.timestamp() // 3600)
LOOK = timedelta(seconds=10)


def ear(
    name: str = "bluesky", state: str = "live", posts: int = 0, dropped: int = 0, *,
    latest: datetime | None = None, back: bool = False, pushes: bool = True,
) -> Ear:  # fmt: skip
    return Ear(SourceStatus(name, state, matched=posts, dropped=dropped), pushes, goes_back=back, latest=latest)


def listen(listening: Listening, lasting: timedelta, *ears: Ear) -> Iterator[bool]:
    """Look every ten seconds."""
    end = listening.until + lasting
    while listening.until < end:
        yield listening.look(listening.until + LOOK, ears)


def hours(listening: Listening, many: int) -> list[float]:
    return [round(listening.hearing.heard(HOUR + one), 2) for one in range(many)]


@pytest.fixture
def listening() -> Listening:
    return Listening(NIGHT)


def test_a_desk_that_hears_all_lets_time_pass_and_knows_of_no_gap(listening: Listening):
    assert all(list(listen(listening, timedelta(hours=2), ear()))[12:])
    assert hours(listening, 2) == [1, 1]


def test_what_no_source_brings_is_no_calm_and_not_what_is_usual(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear()))
    assert not any(listen(listening, timedelta(minutes=30), ear(state="blind"), ear("file", "ended")))
    list(listen(listening, timedelta(minutes=30), ear()))
    assert hours(listening, 2) == [1, 0.5]


def test_of_a_gap_whose_posts_come_afterwards_nobody_can_tell_how_much_was_heard(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear(back=True)))
    list(listen(listening, timedelta(minutes=30), ear(state="blind", back=True)))
    list(listen(listening, timedelta(minutes=30), ear(back=True)))
    assert hours(listening, 3) == [1, 0, 1]


def test_a_short_break_that_is_made_good_changes_nothing(listening: Listening):
    list(listen(listening, timedelta(minutes=5), ear(state="connecting", back=True)))
    list(listen(listening, timedelta(minutes=55), ear(back=True)))
    assert hours(listening, 1) == [1]


@pytest.mark.parametrize(("back", "heard"), [(False, [1, 0, 0, 0.5, 1]), (True, [1, 0, 0, 0, 1])])
def test_the_whole_of_a_sleep_was_not_heard(listening: Listening, back: bool, heard: list[float]):
    list(listen(listening, timedelta(hours=1), ear(back=back)))
    assert not listening.look(NIGHT + timedelta(hours=3, minutes=30), [ear(back=back)])
    list(listen(listening, timedelta(minutes=30), ear(back=back)))
    assert hours(listening, 5) == heard


def test_after_a_sleep_the_posts_of_then_come_before_the_present_does(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear(back=True, latest=NIGHT)))
    morning = NIGHT + timedelta(hours=9)
    assert not listening.look(morning, [ear(back=True, latest=NIGHT)])
    assert not listening.look(morning + LOOK, [ear(back=True, latest=NIGHT)]), "the connection is not known to be dead"
    for n in range(2, 10):
        late = ear(back=True, latest=NIGHT + timedelta(hours=n - 1))
        assert not listening.look(morning + n * LOOK, [late])
        assert listening.trouble.startswith(f"Posts of bluesky are {10 - n} h old")
    assert listening.look(morning + 10 * LOOK, [ear(back=True, latest=morning + 9 * LOOK)])
    assert listening.trouble == ""


def test_a_source_that_has_nothing_to_send_does_not_hold_time_up_for_long(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear(latest=NIGHT)))
    listening.look(NIGHT + timedelta(hours=2), [ear(latest=NIGHT)])
    assert list(listen(listening, timedelta(minutes=3), ear(latest=NIGHT))) == [False] * 11 + [True] * 7


def test_while_posts_of_an_earlier_time_come_haltingly_the_present_waits(listening: Listening):
    list(listen(listening, timedelta(minutes=5), ear(back=True)))
    for n in range(5):
        late = ear(back=True, latest=NIGHT - timedelta(hours=5 - n))
        assert not any(listen(listening, timedelta(minutes=1), late))
    assert any(listen(listening, timedelta(minutes=2), late)), "it may have nothing more to send"


def test_a_clock_that_is_ahead_is_not_believed_while_posts_say_otherwise(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear()))
    ahead = NIGHT + timedelta(hours=4)
    for n in range(60):
        latest = NIGHT + timedelta(hours=1) + n * LOOK
        assert not listening.look(ahead + n * LOOK, [ear(latest=latest)])
    assert "3 h old" in listening.trouble
    assert "the clock of this machine may be ahead: check it" in listening.trouble
    back = NIGHT + timedelta(hours=1, minutes=10)
    assert listening.was_set_back(back)
    listening.turn_back(back)
    assert not listening.was_set_back(back)
    assert listening.look(back + LOOK, [ear(latest=back)])
    list(listen(listening, timedelta(hours=4), ear()))
    assert hours(listening, 5) == [1, 0, 1, 1, 1]


def test_a_clock_that_is_put_right_by_seconds_is_nobodys_business(listening: Listening):
    assert not listening.was_set_back(NIGHT - timedelta(minutes=5))
    assert listening.was_set_back(NIGHT - timedelta(minutes=15))


def test_while_one_of_several_is_lost_nothing_is_learnt_and_it_is_named(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear(), ear("mastodon")))
    list(listen(listening, timedelta(hours=1), ear(), ear("mastodon", "failed")))
    assert listening.hearing.missing == ("mastodon",)
    list(listen(listening, timedelta(hours=1), ear(), ear("mastodon")))
    assert listening.hearing.missing == ()
    assert hours(listening, 3) == [1, 0, 1]


def test_a_source_that_was_never_heard_keeps_nobody_from_learning(listening: Listening):
    assert any(listen(listening, timedelta(hours=2), ear(), ear("mastodon", "failed")))
    assert listening.hearing.missing == ("mastodon",)
    assert hours(listening, 2) == [1, 1]


def test_without_a_source_that_is_gone_for_good_it_is_another_usual(listening: Listening):
    list(listen(listening, timedelta(hours=1), ear(), ear("mastodon")))
    list(listen(listening, timedelta(hours=75), ear(), ear("mastodon", "failed")))
    assert hours(listening, 76) == [1] + [0] * 72 + [1] * 3


def test_posts_that_were_dropped_are_spoken_of_for_an_hour_and_missing_in_what_was_heard(listening: Listening):
    for n in range(1, 181):
        dropped = {"Acme": 90 * n, "Other": 10 * n}
        listening.look(NIGHT + n * LOOK, [ear(posts=400 * n, dropped=100 * n), ear("mastodon")], dropped)
    assert listening.hearing.dropped == {"Acme": 16_200, "Other": 1_800}
    assert listening.hearing.missing == ()
    after = ear(posts=99_999, dropped=18_000)
    list(listen(listening, timedelta(minutes=30), after))
    assert listening.hearing.dropped == {"Acme": 16_200, "Other": 1_800}
    list(listen(listening, timedelta(hours=1), after))
    assert listening.hearing.dropped == {}
    assert hours(listening, 2) == [0.88, 1]


@pytest.mark.parametrize(("back", "first"), [(False, 0.83), (True, 0)])
def test_what_was_not_heard_between_two_runs(listening: Listening, back: bool, first: float):
    list(listen(listening, timedelta(minutes=50), ear(), ear("mastodon")))
    again = Listening(NIGHT + timedelta(hours=2))
    again.restore(orjson.loads(orjson.dumps(listening.state())))
    again.begin(NIGHT + timedelta(hours=2), [ear(back=back)])
    list(listen(again, timedelta(hours=1), ear(), ear("mastodon", "blind")))
    assert hours(again, 4) == [first, 0, 0, 1]


def test_what_older_versions_kept_is_known(listening: Listening):
    minute = NIGHT.timestamp() / 60
    listening.restore([NIGHT.timestamp() + 3600, [[minute, minute + 30]]])
    listening.begin(NIGHT + timedelta(hours=2), [ear()])
    assert hours(listening, 3) == [0.5, 0, 1]


@pytest.mark.parametrize(
    "state",
    [None, 7, [], [1], [1e300, []], {}, {"until": 1, "gaps": [], "live": 7}, {"until": 1, "gaps": 7, "live": {}}],
)
def test_what_is_of_another_shape_is_refused_and_changes_nothing(listening: Listening, state: object):
    before = listening.state()
    with pytest.raises((ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)):
        listening.restore(state)
    assert listening.state() == before


def test_a_file_of_old_posts_does_not_hide_that_the_network_is_late(listening: Listening):
    late, old = NIGHT - timedelta(hours=3), NIGHT - timedelta(days=30)
    listening.look(NIGHT + LOOK, [ear(latest=late), ear("file", latest=old, pushes=False)])
    assert listening.trouble.startswith("Posts of bluesky are 3 h old")
