"""Marks that can be trusted, words that can be read, and doubts that stay doubts. The real library reads."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk import language
from crisisdesk.cases import case
from crisisdesk.language import HOME, Reader, is_enough, load, marked, words_of
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.text import clean


@pytest.fixture(scope="module")
def read() -> Reader:
    return load()


@pytest.mark.parametrize(
    ("mark", "means"),
    [
        ("en", "en"), ("EN", "en"), (" en-US ", "en"), ("de-AT", "de"), ("de_CH", "de"), ("pt-BR", "pt"),
        ("zh-Hant-TW", "zh"), ("deu", "de"), ("ger", "de"), ("eng", "en"), ("gsw", "de"), ("in", "id"), ("iw", "he"),
        ("nb", "no"), ("fil", "tl"), ("haw", None), ("xyz", None), ("qq", None), ("und", None), ("zxx", None),
        ("mul", None), ("none", None), ("unknown", None), ("english", None), ("", None), ("-", None), ("e", None),
        ("en\x00", None), ("en; drop", None), ("\u0435n", None), (None, None), (7, None), (True, None), (b"en", None),
        ({"en": 1}, None), (["en"], "en"), (["EN", "en-GB"], "en"), (["und", "fr"], "fr"), (["en", "de"], None),
        (["ja", "en"], None), ([], None), ([None, 5, []], None), (("de",), "de"),
    ],
)  # fmt: skip
def test_a_mark_says_one_language_or_nothing(mark, means):
    assert marked(mark) == means


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("RT @mum_of_2: never AGAIN http://t.co/x #motrinmoms $AAPL 100% :( 😡😡", "never AGAIN"),
        ("nooooooo waaay!!!", "noo waay"),
        ("don't &amp; can’t &#39; www.x.org/y?z", "don't can’t"),
        ("😡 123 :-( @a #b $C https://x", ""),
        ("motrin_moms", "motrin moms"),
    ],
)
def test_only_words_are_read(text, words):
    assert words_of(clean(text)) == words


@pytest.mark.parametrize(
    ("words", "enough"),
    [("lol ok", False), ("ja", False), ("so so so", False), ("never again motrin", True), ("もう買わない", True),
     ("спасибо", True), ("no да no", False), ("", False), ("Donaudampfschifffahrt", False)],
)  # fmt: skip
def test_too_little_is_not_read(words, enough):
    assert is_enough(words) is enough


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("Great job @brand, three hours on hold and nobody answers the phone", "en"),
        ("my head is killing me, need a motrin and a nap", "en"),
        ("Das ist doch eine Frechheit, wie ihr mit Müttern umgeht #motrinmoms", "de"),
        ("seit drei stunden in der warteschleife, danke fuer nichts", "de"),
        ("la pub Motrin est une honte, porter son bébé ce n'est pas une mode", "fr"),
        ("el anuncio de motrin es un insulto para las mamás, no vuelvo a comprarlo", "es"),
        ("questa pubblicità è una vergogna, non compro più niente da voi", "it"),
        ("ik draag mijn dochter elke dag, en dan zo'n filmpje van Motrin. bah", "nl"),
        ("fiquei muito brava com o anúncio do motrin, meu filho só dorme no sling", "pt"),
        ("bu reklam annelere hakarettir, bir daha asla almayacağım", "tr"),
        ("ta reklama jest obraźliwa dla matek, nigdy więcej nic od was nie kupię", "pl"),
        ("эта реклама оскорбляет матерей, больше никогда не куплю", "ru"),
        ("Motrin の広告ひどすぎる。抱っこはファッションじゃない #motrinmoms", "ja"),
        ("هذا الإعلان إهانة للأمهات ولن أشتري منه مرة أخرى", "ar"),
    ],
)
def test_a_language_that_is_plain_is_named(read, text, means):
    assert read(clean(text)) == means


@pytest.mark.parametrize(
    "text",
    [
        "lol ok", "omg", "hahaha", "no", "Motrin", "motrin 800", "que?", "super!!!", "wtf 😡", "😡😡😡😡",
        "$AAPL $GOOG $C $BAC",
        "RT @a: http://t.co/x", "#motrinmoms #fail #boycott", "100 200 300", "...", "", "LOL OMG", "aua", "danke",
        "a" * 10_000, "ha " * 3_000, "\ufffd\ufffd\ufffd\ufffd", "https://" + "x" * 9_000,
    ],
)  # fmt: skip
def test_a_doubt_is_no_other_language(read, text):
    assert read(clean(text)) in {None, *HOME}


@pytest.mark.parametrize(
    "text",
    [
        "je suis so done with this company, terrible service every single time",
        "Das ist so awesome, die new campaign von denen ist totally over the top",
        "Ich habe heute mit support telefoniert, so eine shitshow, never again",
        "bon, I give up, they will never answer the phone today",
        "hola my friends, this pain reliever ad is an insult to every mother",
        "Was für eine schöne Werbung, je ne comprends pas, aber egal, ich kaufe das nicht mehr",
    ],
)
def test_what_is_partly_english_or_german_counts(read, text):
    assert read(clean(text)) in {None, *HOME}


def test_a_hundred_thousand_characters_cost_no_more_than_a_post(read, monkeypatch):
    looked_at = []
    monkeypatch.setattr(language, "words_of", lambda text: looked_at.append(words_of(text)) or looked_at[-1])
    assert read("never again will I buy this " * 4_000) == "en"
    assert len(looked_at[0]) <= language.MOST_LETTERS


@settings(deadline=None, max_examples=300)
@given(st.text(max_size=300) | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Cf", "So", "Lo"]), max_size=80))
def test_any_text_can_be_read(read, text):
    for one in (text, clean(text)):
        assert read(one) in {None, *language.CANDIDATES}
        assert read(one) == read(one)


@given(st.recursive(st.none() | st.text(max_size=12) | st.integers() | st.binary(max_size=4), st.lists, max_leaves=6))
def test_any_mark_can_be_read(mark):
    found = marked(mark)
    assert found is None or marked(found) == found


@pytest.mark.timeout(180)  # two seconds of work
def test_no_english_or_german_post_of_the_case_is_lost_and_most_foreign_ones_are_found(read):
    """The case marks its posts; here they are read as if it did not."""
    posts = list(read_posts([case("motrin").path], on_bad=lambda line: pytest.fail(str(line))))
    home = {post.text for post in posts if post.lang in HOME}
    foreign = {post.text: post.lang for post in posts if post.lang not in HOME}
    assert len(home) > 5_000
    some = random.Random(1).sample(sorted(home), 1_500)  # all of them in tests/bench/test_language.py
    assert [text for text in some if read(text) not in {None, *HOME}] == []
    assert sum(read(text) == lang for text, lang in foreign.items()) > 0.8 * len(foreign) > 80
