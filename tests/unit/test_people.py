"""People, not posts: what is a copy, who counts how often, and how much the desk has to remember for it."""

import random
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import pytest

from crisisdesk.detect.people import Crowd, digest, fingerprint, heard
from crisisdesk.records import Post
from crisisdesk.text import clean

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 24 * 60
ANGER = "Three hours on hold and nobody answers at Brand"


def post(text: str, author: str | None = None, number: int = 0, original: str | None = None) -> Post:
    return Post(str(number), "x", START, text, author=author, original=original)


def counts(crowd: Crowd, said: Post, moment: float) -> bool:
    crowd.advance(moment)
    return crowd.hear(said, moment).counts


@pytest.mark.parametrize(
    "copy",
    [
        "RT @someone: Three hours on hold and nobody answers at Brand",
        "so true! RT @someone Three hours on hold and nobody answers at Brand https://example.org/x",
        "RT @third: RT @second: RT @first: Three hours on hold and nobody answers at Brand",
        "Three hours on hold and nobody answers at Brand (via @someone)",
        "three hours on hold, and NOBODY answers at Brand!!! @brand",
        "😡😡 Three hours on hold 😡 and nobody answers at Brand 🤬",
        "Three hours on hold and nobody answers at Brand http://spam.example/a?b=1",
        "Three hours on hold and nobody answers at Brand x7f3k",
        "Three hours on hold and nobody answers at Brand #boycott #brand2026",
        "Th\u200bree hou\u00adrs on h\u2060old and nobody answers at Brand",
        "Thrée hóurs on höld and nobody answers at Brand",
        "Ｔｈｒｅｅ hours on hold and nobody answers at Ｂｒａｎｄ",
    ],
)
def test_a_copy_is_known_however_it_is_dressed_up(copy: str):
    assert fingerprint(post(copy)) == fingerprint(post(ANGER))
    assert fingerprint(post(clean(copy))) == fingerprint(post(ANGER)), "also after the edge"


@pytest.mark.parametrize(
    "other",
    [
        "Two hours on hold and nobody answers at Brand",
        "Three hours on hold and somebody answers at Brand",
        "nobody answers at Brand",
    ],
)
def test_other_words_are_no_copy(other: str):
    assert fingerprint(post(other)) != fingerprint(post(ANGER))


def test_short_posts_are_no_copies_of_each_other():
    crowd = Crowd()
    assert all(counts(crowd, post("hate brand", f"a{i}", i), i) for i in range(3))


def test_a_short_repost_is_known_by_its_original():
    crowd = Crowd()
    reposts = [post("hate brand", f"a{i}", i, original="7") for i in range(3)]
    assert [counts(crowd, one, 0) for one in reposts] == [True, False, False]


def test_copies_are_numbered():
    crowd = Crowd()
    posts = [post("this brand is a bad joke", f"a{i}", i) for i in range(3)]
    assert [counts(crowd, one, 0) for one in posts] == [True, False, False]
    assert crowd.copies(heard(posts[0]).wording) == 3


def test_a_text_counts_again_when_nobody_has_said_it_for_a_good_day():
    crowd = Crowd()
    moments = [0, DAY, 2 * DAY, 4 * DAY]
    assert [counts(crowd, post(ANGER, f"a{i}", i), m) for i, m in enumerate(moments)] == [True, False, False, True]


def test_an_author_counts_twice_in_any_hour():
    crowd = Crowd()
    counted = [m for m in range(300) if counts(crowd, post(f"{m} other words again and again", "troll", m), m)]
    assert counted == [0, 1, 60, 61, 120, 121, 180, 181, 240, 241]


def test_two_accounts_that_take_turns_count_as_two():
    crowd = Crowd()
    said = [post(f"{m} other words again and again", f"troll{m % 2}", m) for m in range(50)]
    assert sum(counts(crowd, one, m) for m, one in enumerate(said)) == 4


def test_posts_without_an_author_are_people_of_their_own():
    crowd = Crowd()
    assert all(counts(crowd, post(f"{m} other words again and again", None, m), m) for m in range(50))


def test_digests_are_the_same_in_every_process():
    program = "import sys; from crisisdesk.detect.people import digest; print(digest(sys.argv[1]))"
    told = [
        subprocess.run([sys.executable, "-c", program, ANGER], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert told == [f"{digest(ANGER)}\n"] * 2


def test_a_restart_forgets_neither_texts_nor_authors():
    crowd, again = Crowd(), Crowd()
    counts(crowd, post(ANGER, "a", 1), 5)
    counts(crowd, post("something else that I want to say", "a", 2), 6)
    again.restore(orjson.loads(orjson.dumps(crowd.state())))
    assert not counts(again, post(ANGER, "b", 3), 7)
    assert not counts(again, post("a third thing that I want to say", "a", 4), 7)
    assert counts(again, post("a fourth thing that I want to say", "c", 5), 7)


def test_a_post_that_is_delivered_again_after_a_restart_is_no_copy():
    crowd, again = Crowd(), Crowd()
    posts = [post(ANGER, f"a{i}", i) for i in range(3)]
    for one in posts:
        crowd.hear(one, 5)
    again.restore(orjson.loads(orjson.dumps(crowd.state())))
    for both in (crowd, again):
        said = [both.hear(one, 6) for one in posts]
        assert [(one.counts, one.again) for one in said] == [(False, True)] * 3
        assert both.copies(said[0].wording) == 3
        assert not both.hear(post(ANGER, "b", 3), 7).again
        assert both.copies(said[0].wording) == 4


def test_what_a_version_that_knew_no_posts_wrote_can_be_read():
    crowd, again = Crowd(), Crowd()
    counts(crowd, post(ANGER, "a", 1), 5)
    state = orjson.loads(orjson.dumps(crowd.state()))
    del state["posts"]
    again.restore(state)
    assert not counts(again, post(ANGER, "b", 3), 7)


@pytest.mark.parametrize("parts", [[], [[]] * 9, [[1]]])
def test_a_state_of_another_shape_is_refused_at_once(parts: list[object]):
    crowd = Crowd()
    counts(crowd, post(ANGER, "a", 1), 5)
    with pytest.raises((TypeError, ValueError)):
        crowd.restore(crowd.state() | {"texts": {"until": 0.0, "parts": parts}})


def crowds(number: int, posts: int, minutes: int) -> Sequence[Crowd]:
    """Crowds that have heard so many posts in so many minutes, each by somebody else in other words."""
    chance = random.Random(1)
    made = [Crowd() for _ in range(number)]
    for n in range(posts):
        for crowd in made:
            counts(crowd, post(f"{n} {chance.random()} words that nobody has said", f"p{n}", n), n * minutes / posts)
    return made


def bytes_each(number: int, posts: int, minutes: int) -> float:
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        made = crowds(number, posts, minutes)
        return (tracemalloc.get_traced_memory()[0] - before) / len(made)
    finally:
        tracemalloc.stop()


def test_memory_is_small_for_a_quiet_watch_and_does_not_grow_with_time():
    assert bytes_each(20, 2 * 5, 2 * 60) < 5_000
    three_days = bytes_each(5, 3 * 24 * 5, 3 * DAY)
    assert three_days < 28_000, "five posts an hour"
    assert bytes_each(5, 6 * 24 * 5, 6 * DAY) < 1.2 * three_days


def test_memory_and_state_are_bounded_in_a_storm():
    assert bytes_each(1, 8_000, 60) < 1_500_000
    crowd = crowds(1, 3_000, 60)[0]
    texts, authors = (sum(len(part) for part in crowd.state()[name]["parts"]) for name in ("texts", "authors"))
    assert texts == authors == 1_000
    assert len(orjson.dumps(crowd.state())) < 100_000


def test_what_silence_has_made_old_is_forgotten():
    crowd = crowds(1, 500, 60)[0]
    crowd.advance(10 * DAY)
    assert not any(part for name in ("texts", "authors") for part in crowd.state()[name]["parts"])
