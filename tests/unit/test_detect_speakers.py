"""Distinct people in a window, against counting them one by one."""

from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.detect.speakers import MOST, Speakers

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
