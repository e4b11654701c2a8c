"""Copies are scored once."""

from collections.abc import Sequence

from crisisdesk.sentiment.base import Scores
from crisisdesk.sentiment.cached import Cached


class Counting:
    """Scores by length, and keeps what it was asked."""

    name, digest = "counting", "1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def score(self, texts: Sequence[str]) -> list[Scores]:
        self.asked += texts
        return [(len(text) / 100, 1 - len(text) / 100, 0.0) for text in texts]


def test_equal_texts_are_scored_once_in_a_call_and_later() -> None:
    model = Counting()
    cached = Cached(model)
    assert (cached.name, cached.digest) == ("counting", "1")
    first = cached.score(["good", "bad!!", "good", "good"])
    assert first == [(0.04, 0.96, 0.0), (0.05, 0.95, 0.0), (0.04, 0.96, 0.0), (0.04, 0.96, 0.0)]
    assert cached.score(["bad!!", "new"])[0] == first[1]
    assert model.asked == ["good", "bad!!", "new"]
    assert cached.hits == 3


def test_a_repost_and_its_original_are_one_text() -> None:
    model = Counting()
    Cached(model).score(
        ["so bad http://a.example/1", "RT @bob: so bad http://b.example/2", "so  bad\x00 www.c.example"]
    )
    assert len(model.asked) == 1


def test_it_remembers_no_more_than_it_may_and_forgets_the_oldest_use() -> None:
    model = Counting()
    cached = Cached(model, entries=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        cached.score([text])
    assert model.asked == ["one", "two", "three", "two"]
    big = [f"text {n}" for n in range(10)]
    assert cached.score(big) == Counting().score(big)


def test_a_model_that_fails_leaves_nothing_wrong_behind() -> None:
    class Failing(Counting):
        def score(self, texts: Sequence[str]) -> list[Scores]:
            if not self.asked:
                self.asked += texts
                raise ValueError
            return super().score(texts)

    cached = Cached(Failing())
    try:
        cached.score(["text"])
    except ValueError:
        assert cached.score(["text"]) == [(0.04, 0.96, 0.0)]
    else:
        raise AssertionError
