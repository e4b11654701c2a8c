"""What is newly being said, and when it stops being new."""

import time
from datetime import timedelta

from storms import END, scored

from crisisdesk.detect.fresh import FRESH_FROM, Fresh
from crisisdesk.detect.memory import HEARD_FIRST, Memory, Remembered
from crisisdesk.records import Label

USUAL_POSTS = 100.0


def fresh(share: float = 0.001) -> Fresh[str]:
    return Fresh(lambda _: share)


def test_a_phrase_is_fresh_from_the_fifth_person_on_and_older_posts_with_it():
    talk = fresh()
    news = [talk.say("post", {"recall"}, USUAL_POSTS) for _ in range(FRESH_FROM)]
    assert news == [set()] * (FRESH_FROM - 1) + [{"recall"}]
    assert talk.speaks_of({"recall", "tea"})
    assert not talk.speaks_of({"tea"})


def test_what_is_always_said_is_not_fresh():
    talk = fresh(share=0.1)
    assert not any(talk.say("post", {"headache"}, USUAL_POSTS) for _ in range(40))


def test_nothing_is_fresh_while_nothing_is_known():
    talk = fresh()
    assert not any(talk.say("post", {"recall"}, 0.0) for _ in range(40))


def test_what_is_forgotten_is_fresh_no_more():
    talk = fresh()
    for _ in range(FRESH_FROM):
        talk.say("post", {"recall"}, USUAL_POSTS)
    talk.forget({"recall"})
    talk.forget({"recall"})
    assert talk.speaks_of({"recall"})
    talk.forget({"recall"})
    assert not talk.speaks_of({"recall"})
    talk.forget({"recall"})
    talk.forget({"recall"})
    assert (talk._said, talk._once) == ({}, {})


def test_of_phrases_that_share_a_word_one_is_named():
    talk = fresh()
    for n in range(FRESH_FROM + 1):
        talk.say("post", {"recall", "syrup recall", "#recall"} if n else {"#acmefail", "recall"}, USUAL_POSTS)
        talk.say("post", {"#acmefail"}, USUAL_POSTS)
    assert talk.phrases(3) == ["#acmefail", "recall"]


def test_the_posts_that_say_what_has_become_fresh_are_at_hand_until_they_are_forgotten():
    talk = fresh()
    for post in "abcde":
        talk.say(post, {"recall", f"only {post}"}, USUAL_POSTS)
    assert list(talk.saying({"recall"})) == [*"abcde"]
    talk.forget({"recall", "only a"})
    assert list(talk.saying({"recall"})) == [*"bcde"]
    assert list(talk.saying({"only a"})) == []


def remembered(text: str, second: int) -> Remembered:
    item = scored(text, END + timedelta(seconds=second), Label.NEUTRAL, author=f"u{second}", n=second)
    return Remembered.of(item, second / 60, second, counted=True)


def dearest(posts: int) -> float:
    """Seconds that the post takes with which five new phrases become talk of the day, the best of several."""
    memory = Memory(24 * 60, lambda _: False)
    for _ in range(HEARD_FIRST):
        memory.usual.learn(" calm ", negative=False)
    spent = []
    for second in range(posts + 40):
        n = second - posts
        text = (
            f"recall{n // 8} syrup{n // 8} glass{n // 8}" if n >= 0 else " ".join(f"w{second}x{k}" for k in range(12))
        )
        item = remembered(text, second)
        began = time.perf_counter()
        fresh = list(memory.add(item, 100.0))
        if len(fresh) == FRESH_FROM:
            spent.append(time.perf_counter() - began)
    return min(spent)


def test_what_becomes_fresh_costs_as_much_as_those_who_say_it_however_many_posts_are_remembered():
    assert dearest(3_500) < 8 * dearest(50)
