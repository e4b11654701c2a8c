"""What is newly being said, and when it stops being new."""

from crisisdesk.detect.fresh import FRESH_FROM, Fresh

USUAL_POSTS = 100.0


def fresh(share: float = 0.001) -> Fresh:
    return Fresh(lambda _: share)


def test_a_phrase_is_fresh_from_the_fifth_person_on_and_older_posts_with_it():
    talk = fresh()
    news = [talk.say({"recall"}, USUAL_POSTS) for _ in range(FRESH_FROM)]
    assert news == [set()] * (FRESH_FROM - 1) + [{"recall"}]
    assert talk.speaks_of({"recall", "tea"})
    assert not talk.speaks_of({"tea"})


def test_what_is_always_said_is_not_fresh():
    talk = fresh(share=0.1)
    assert not any(talk.say({"headache"}, USUAL_POSTS) for _ in range(40))


def test_nothing_is_fresh_while_nothing_is_known():
    talk = fresh()
    assert not any(talk.say({"recall"}, 0.0) for _ in range(40))


def test_what_is_forgotten_is_fresh_no_more():
    talk = fresh()
    for _ in range(FRESH_FROM):
        talk.say({"recall"}, USUAL_POSTS)
    talk.forget({"recall"})
    talk.forget({"recall"})
    assert talk.speaks_of({"recall"})
    talk.forget({"recall"})
    assert not talk.speaks_of({"recall"})
    talk.forget({"recall"})
    talk.forget({"recall"})
    assert talk._said == {}


def test_of_phrases_that_share_a_word_one_is_named():
    talk = fresh()
    for n in range(FRESH_FROM + 1):
        talk.say({"recall", "syrup recall", "#recall"} if n else {"#acmefail", "recall"}, USUAL_POSTS)
        talk.say({"#acmefail"}, USUAL_POSTS)
    assert talk.phrases(3) == ["#acmefail", "recall"]
