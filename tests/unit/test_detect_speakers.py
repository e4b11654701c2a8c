"""Distinct people in a window, against counting them one by one."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.speakers import KEPT, MOST, SAVED, Speakers

WIDTH = 20
POSTS = st.lists(st.tuples(st.integers(0, 5), st.integers(-30, 12)), max_size=60)


@given(POSTS, st.integers(0, WIDTH - 1))
def test_a_sum_gives_what_counting_gives(posts: list[tuple[int, int]], back: int):
    speakers, now, kept = Speakers(WIDTH), 1_000, []
    for voice, step in posts:  # late ones, too
        minute = now + step
        speakers.add(voice, minute)
        kept.append((voice, minute))
        now = max(now, minute)
    newest = max((minute for _, minute in kept), default=0)
    found = [(voice, minute) for voice, minute in kept if minute >= newest - back]
    assert speakers.since(newest - back) == (len(found), len({voice for voice, _ in found}))


def test_before_anybody_spoke_there_is_nobody():
    assert Speakers(WIDTH).since(5) == (0, 0)


def test_a_minute_that_overflows_breaks_nothing():
    speakers = Speakers(WIDTH)
    for voice in range(MOST + 10):
        speakers.add(voice % 3, 7)
    assert speakers.since(7) == (MOST, 3)


@given(POSTS, POSTS, st.integers(0, WIDTH - 1))
def test_a_restart_forgets_nobody(before: list[tuple[int, int]], after: list[tuple[int, int]], back: int):
    speakers, now = Speakers(WIDTH), 1_000
    for voice, step in before:  # late ones, too: they may stand behind newer ones when they are too old
        speakers.add(voice, now + step)
        now = max(now, now + step)
    again = Speakers.restored(orjson.loads(orjson.dumps(speakers.state())), WIDTH)
    for voice, step in after:
        now = max(now, now + step)
        for both in (speakers, again):
            both.add(voice, now + min(step, 0))
    assert again.since(now - back) == speakers.since(now - back)


def test_what_is_kept_for_a_restart_is_small_in_the_greatest_crowd():
    speakers = Speakers(1_440)
    for voice in range(KEPT):
        speakers.add((1 << 63) + voice, 30_000_000 + voice // 12)
    state = orjson.dumps(speakers.state())
    assert len(state) < 60_000
    again = Speakers.restored(orjson.loads(state), 1_440)
    newest = 30_000_000 + (KEPT - 1) // 12
    assert again.since(newest - 1_439) == speakers.since(newest - 1_439)
    again.add((1 << 63) + KEPT - SAVED, newest)
    assert again.since(newest - 1_439)[1] == speakers.since(newest - 1_439)[1], "one of the last is known"


@pytest.mark.parametrize(
    "wrong",
    [
        {"now": -5},
        {"now": "soon"},
        {"minutes": [[900, 1, 1]]},
        {"minutes": [[1_000, MOST + 1, 1]]},
        {"minutes": [[1_000, 2, 3]]},
        {"voices": [[7, 400]]},
        {"voices": [[1, 1_000], [2, 1_000], [3, 1_000]]},
    ],
)
def test_what_cannot_have_been_is_refused_at_once(wrong: dict[str, object]):
    speakers = Speakers(WIDTH)
    speakers.add(1, 1_000)
    speakers.add(2, 1_000)
    with pytest.raises(ValueError, match="among the"):
        Speakers.restored(speakers.state() | wrong, WIDTH)
