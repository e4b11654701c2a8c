"""The form in which the model reads a post."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.sentiment.prepare import MAX_CHARACTERS, NOTHING, prepare
from crisisdesk.text import clean


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("RT @someone: this ad is awful", "this ad is awful"),
        ("MT @someone this ad", "this ad"),
        ("thanks @acme_help and @Bob", "thanks @user and @user"),
        ("mail me at me@example.org", "mail me at me@example.org"),
        ("see https://t.co/abc123 or www.example.org/x now", "see http or http now"),
        ("cut off htt… https…", "cut off htt… http"),
        ("sooooooo baaaad", "sooo baaad"),
        ("good book, $100,000", "good book, $100,000"),
        ("mothers &amp; babies &lt;3", "mothers & babies <3"),
        ("", NOTHING),
        ("RT @someone:", NOTHING),
    ],
)
def test_what_says_nothing_about_the_mood_is_replaced(text: str, expected: str) -> None:
    assert prepare(text) == expected


@given(st.text(max_size=3000))
def test_any_text_becomes_a_bounded_one(text: str) -> None:
    assert 1 <= len(prepare(clean(text))) <= MAX_CHARACTERS
