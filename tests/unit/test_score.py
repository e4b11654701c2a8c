"""From texts to the lines of `crisisdesk score`, as they come."""

from collections.abc import Iterator, Sequence
from itertools import count, islice
from threading import Event

import pytest

from crisisdesk.errors import UsageError
from crisisdesk.records import Label
from crisisdesk.sentiment.base import Scores
from crisisdesk.sentiment.score import score_texts
from crisisdesk.threads import as_they_come


class Counting:
    """Scores by length; breaks on any batch that holds "poison"."""

    name, digest = "counting", "1"

    def score(self, texts: Sequence[str]) -> list[Scores]:
        if "poison" in texts:
            raise ValueError("cannot read this")
        return [(len(text) / 100, 1 - len(text) / 100, 0.0) for text in texts]


def test_a_line_a_text_in_order() -> None:
    lines = score_texts([("a", "x" * 3), ("b", "x" * 90)], Counting(), pytest.fail)
    assert lines == [
        {"id": "a", "label": Label.NEUTRAL, "negative": 0.03, "neutral": 0.97, "positive": 0.0},
        {"id": "b", "label": Label.NEGATIVE, "negative": 0.9, "neutral": pytest.approx(0.1), "positive": 0.0},
    ]
    assert list(lines[0]) == ["id", "label", "negative", "neutral", "positive"]
    assert score_texts([], Counting(), pytest.fail) == []


def test_of_equal_probabilities_the_calmer_is_named() -> None:
    assert score_texts([("1", "x" * 50)], Counting(), pytest.fail)[0]["label"] == "neutral"


def test_what_the_model_cannot_judge_is_told_and_gets_no_invented_score() -> None:
    told: list[str] = []
    lines = score_texts([("a", "xx"), ("b", "poison"), ("c", "xxx"), ("d", "poison")], Counting(), told.append)
    assert [(line["id"], line["negative"]) for line in lines] == [("a", 0.02), ("c", 0.03)]
    assert told == [f"post {name}: the model cannot judge it (ValueError: cannot read this)" for name in "bd"]


def test_what_is_there_is_handed_out_and_no_more_than_asked_for_is_read_ahead() -> None:
    pulled: list[int] = []

    def endless() -> Iterator[int]:
        for number in count():
            pulled.append(number)
            yield number

    lists = list(islice(as_they_come(endless(), 10), 20))
    assert [number for some in lists for number in some] == list(range(sum(map(len, lists))))
    assert max(map(len, lists)) <= 10
    assert len(pulled) <= sum(map(len, lists)) + 11


def test_the_first_items_do_not_wait_for_the_rest() -> None:
    more = Event()

    def slow() -> Iterator[int]:
        yield 1
        assert more.wait(10)
        yield 2

    lists = as_they_come(slow(), 1000)
    assert next(lists) == [1]
    more.set()
    assert list(lists) == [[2]]


@pytest.mark.parametrize("before", [0, 1, 3, 4])
def test_trouble_comes_after_the_items_before_it(before: int) -> None:
    def broken() -> Iterator[int]:
        yield from range(before)
        raise UsageError("gone")

    found: list[int] = []
    with pytest.raises(UsageError, match="gone"):
        for some in as_they_come(broken(), 2):
            found += some
    assert found == list(range(before))


def test_nothing_is_no_list() -> None:
    assert list(as_they_come([], 5)) == []
