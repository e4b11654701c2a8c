"""Which watches a post concerns."""

import random
import re
import string
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk import match
from crisisdesk.errors import UsageError
from crisisdesk.match import Matcher, WatchRule, fold
from crisisdesk.records import Post
from crisisdesk.text import clean


def post(text: str, lang: str | None = None, tags: tuple[str, ...] = ()) -> Post:
    return Post(id="1", source="t", time=datetime(2008, 11, 15, tzinfo=UTC), text=clean(text), lang=lang, tags=tags)


def hits(term: str, text: str) -> bool:
    return Matcher([WatchRule("w", (term,))]).match(post(text)) == ("w",)


@pytest.mark.parametrize(
    "text",
    ["Motrin", "no MOTRIN!", "Motrin's ad", "Motrin\u2019s", "motrin-moms", "(motrin)", "#motrin", "@motrin", "$motrin",
     "https://motrin.com/x", "no-motrin", "\uff2d\uff4f\uff54\uff52\uff49\uff4e", "Mótrin",
     "I\U0001f92cmotrin\U0001f92c", "mo\u200btrin"],
)  # fmt: skip
def test_a_word_is_found_as_a_whole(text):
    assert hits("motrin", text)


@pytest.mark.parametrize("text", ["#motrinmoms", "motrins", "motrin_moms", "motrin2", "amotrin", "mo trin", ""])
def test_not_inside_another_word(text):
    assert not hits("motrin", text)


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("#motrinmoms", "so #MotrinMoms, really", True),
        ("#motrinmoms", "motrinmoms", False),
        ("#motrinmoms", "#motrinmoms2", False),
        ("#motrinmoms", "page#motrinmoms", False),
        ("@motrin", "hey @Motrin.", True),
        ("@motrin", "info@motrin.com", False),
        ("$AAPL", "buy $aapl now", True),
        ("$AAPL", "AAPL", False),
        ("$AAPL", "US$AAPL", False),
        ("pain reliever", "a pain  reliever", True),
        ("pain reliever", "pain-reliever", True),
        ("pain reliever", "pain relievers", False),
        ("pain reliever", "pain and reliever", False),
        ("Coca-Cola", "coca cola zero", True),
        ("Müller", "MUELLER", True),
        ("mueller", "müller", True),
        ("mueller", "mu\u0308ller", True),
        ("müller", "muller", False),
        ("Straße", "STRASSE", True),
        ("nestle", "Nestlé", True),
        ("McDonald's", "mcdonald’s", True),
        ("McDonald's", "mcdonald´s", True),
        ("Yahoo!", "I love Yahoo! mail", True),
        ("Yahoo!", "yahoo", False),
        ("C++", "C++11", True),
        ("トヨタ", "新しいトヨタの車", True),
        ("मोट्रि", "मोट्रिन", False),
        ("\U0001f92c", "wtf\U0001f92c", True),
    ],
)  # fmt: skip
def test_terms(term, text, found):
    assert hits(term, text) is found


def test_several_watches_in_the_order_of_the_rules():
    matcher = Matcher(
        [
            WatchRule("b", ("pain reliever", "motrin")),
            WatchRule("a", ("pain",)),
            WatchRule("c", ("aspirin",)),
            WatchRule("d", ("Motrin",)),
        ]
    )
    assert matcher.match(post("Motrin, a pain reliever")) == ("b", "a", "d")
    assert matcher.match(post("nothing here")) == ()


def test_unwanted_terms_turn_a_post_away_from_their_watch_only():
    matcher = Matcher([WatchRule("Apple", ("apple",), ("apple pie", "#recipe")), WatchRule("Pies", ("apple pie",))])
    assert matcher.match(post("my apple broke")) == ("Apple",)
    assert matcher.match(post("apple-pie from an apple")) == ("Pies",)
    assert matcher.match(post("apple #recipe")) == ()


def test_no_language_turns_a_post_away():
    matcher = Matcher([WatchRule("de", ("motrin",), languages=("de",)), WatchRule("any", ("motrin",))])
    for lang in ("en", "de", "fr", None):
        assert matcher.match(post("motrin", lang)) == ("de", "any")


def test_tags_name_watches_whatever_the_words_say():
    matcher = Matcher([WatchRule("A", ("a",)), WatchRule("Motrin", ("motrin",), ("aspirin",), ("de",))])
    assert matcher.match(post("aspirin and motrin", "en", ("Other", "Motrin", "Motrin"))) == ("Motrin",)
    assert matcher.match(post("a", "en", ("Motrin",))) == ("A", "Motrin")
    assert matcher.match(post("a", "en", ("A", "motrin"))) == ("A",)


@pytest.mark.parametrize("term", ["", "  ", "#", "$ ", "--", "\u0301"])
def test_a_term_of_nothing_is_refused(term):
    with pytest.raises(UsageError, match=r"'Motrin'.* holds nothing to look for"):
        Matcher([WatchRule("Motrin", ("motrin", term))])


def test_without_rules_nothing_matches():
    assert Matcher([]).match(post("motrin", tags=("A",))) == ()


def test_thousands_of_terms():
    drawn = random.Random(7)
    words = sorted({"".join(drawn.choices(string.ascii_lowercase, k=7)) for _ in range(20_000)})
    matcher = Matcher([WatchRule(word, (word,)) for word in words])
    for word in words[::1000]:
        assert matcher.match(post(f"so {word.title()}, and x{word}")) == (word,)


def naive(rules: list[WatchRule], text: str) -> tuple[str, ...]:
    """The same by regular expressions, one term after the other."""
    folded = fold(text)

    def within(term: str) -> bool:
        term = fold(term).strip()
        left = r"(?<!\w)" if re.match(r"[\w#@$]", term) else ""
        right = r"(?!\w)" if re.search(r"\w$", term) else ""
        return re.search(left + re.escape(term) + right, folded) is not None

    return tuple(rule.name for rule in rules if any(map(within, rule.terms)) and not any(map(within, rule.not_terms)))


TERMS = st.from_regex(r"[#@$]?[abAüé]{1,3}([ '-][abß]{1,2})?", fullmatch=True)
TEXTS = st.text(alphabet="abAüéß #@$'-_.!\u2019\u2013\U0001f92c", max_size=40)


@settings(deadline=None)
@given(st.lists(st.tuples(st.lists(TERMS, min_size=1, max_size=3), st.lists(TERMS, max_size=1)), max_size=4), TEXTS)
def test_it_agrees_with_the_naive_way(terms, text):
    rules = [WatchRule(str(n), tuple(yes), tuple(no)) for n, (yes, no) in enumerate(terms)]
    cleaned = post(text)
    assert Matcher(rules).match(cleaned) == naive(rules, cleaned.text)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_folding_is_done_at_once(text):
    once = fold(clean(text))
    assert fold(once) == once
    assert unicodedata.is_normalized("NFKD", once)


@settings(deadline=None)
@given(st.text(max_size=60), st.text(min_size=1, max_size=5))
def test_any_text_and_any_term_can_be_matched(text, term):
    try:
        matcher = Matcher([WatchRule("w", (term,))])
    except UsageError:
        return
    assert matcher.match(post(text)) in {(), ("w",)}


def test_terms_too_many_for_a_table_are_found_all_the_same(monkeypatch):
    monkeypatch.setattr(match, "MAX_TABLE", 0)
    matcher = Matcher([WatchRule("a", ("motrin", "トヨタ")), WatchRule("b", ("motrin",), ("トヨタ",))])
    assert matcher.match(post("motrin")) == ("a", "b")
    assert matcher.match(post("motrin, 新しいトヨタの車")) == ("a",)
