"""Which single posts need an answer: what speaks to the brand, what asks, what very many read."""

from datetime import UTC, datetime
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.inquiries.brand import Brand
from crisisdesk.inquiries.need import WIDE, needs, weight
from crisisdesk.inquiries.question import is_question
from crisisdesk.records import Correction, Mention, Need, Post, Scored
from crisisdesk.text import clean

ADDRESSED, QUESTION, NEGATIVE = Need.ADDRESSED, Need.QUESTION, Need.NEGATIVE
ACME = Brand(accounts=("did:plc:acme", "@Acme@social.example", "acmehelp@x.com"), terms=("acme", "@acme.bsky.social"))
MOODS = {"negative": (0.9, 0.08, 0.02), "neutral": (0.1, 0.8, 0.1), "positive": (0.05, 0.05, 0.9)}


def said(text: str, mood: str = "neutral", *, judged: bool = True, apart: tuple[str, ...] = (), **details) -> Scored:
    post = Post("1", "test", datetime(2026, 11, 23, tzinfo=UTC), text, "@mia@social.example")._replace(**details)
    return Scored(Mention(post, ("Acme",), "en", apart), *MOODS[mood], model="test", judged=judged)


def why(*args, **details) -> tuple[Need, ...]:
    return needs(said(*args, **details), "Acme", ACME)


@pytest.mark.parametrize(
    "text",
    [
        "@acme my parcel has not come",
        "@ACME@social.example my parcel has not come",
        "no parcel, @acmehelp.",
        "thanks for nothing @acme.bsky.social",
        "(@acme) my parcel",
    ],
)
def test_a_name_of_the_brand_addresses_it(text):
    assert why(text) == (ADDRESSED,)


@pytest.mark.parametrize(
    "text",
    ["@acme_shop my parcel", "@acmeshop my parcel", "@acme@other.example hello", "mail me at mia@acme", "acme parcel"],
)
def test_another_name_does_not(text):
    assert ADDRESSED not in why(text)


def test_an_answer_to_the_brand_addresses_it():
    mine, other = "at://did:plc:ACME/app.bsky.feed.post/3k", "at://did:plc:other/app.bsky.feed.post/3k"
    assert why("it is still broken", reply_to=mine) == (ADDRESSED,)
    assert why("acme is still broken", reply_to=other) == ()
    assert needs(said("it is still broken", reply_to="42"), "Acme", ACME, answers_own=True) == (ADDRESSED,)


def test_reasons_add_up():
    assert why("@acme why is my parcel not here?", "negative") == (ADDRESSED, QUESTION, NEGATIVE)


def test_praise_needs_no_answer_unless_it_asks_or_very_many_read_it():
    assert why("@acme you are wonderful", "positive") == ()
    assert why("@acme lovely! Where can I buy more of it?", "positive") == (ADDRESSED, QUESTION)
    assert why("@acme you are wonderful", "positive", reach=WIDE) == (ADDRESSED,)


@pytest.mark.parametrize(
    "text",
    [
        "@ben I was there too, it was not @acme",
        "how @acme builds its parcels https://news.example/acme",
        "met people of @acme @zenith @initech today",
    ],
)
def test_who_only_mentions_the_brand_waits_for_no_answer(text):
    assert why(text) == ()
    assert why(text, "negative") == (ADDRESSED, NEGATIVE)


def test_what_answers_the_brand_waits_also_with_a_link_but_thanks_do_not():
    link = said("it is this one https://a.example/parcel", reply_to="42")
    assert needs(link, "Acme", ACME, answers_own=True) == (ADDRESSED,)
    assert needs(said("thank you!", "positive", reply_to="42"), "Acme", ACME, answers_own=True) == ()


def test_anger_at_nobody_is_for_incidents_unless_very_many_read_it():
    assert why("acme is awful", "negative") == ()
    assert why("acme is awful", "negative", reach=WIDE) == (NEGATIVE,)
    assert why("acme is there", reach=WIDE) == ()


def test_a_question_at_nobody_needs_an_answer_unless_it_is_a_headline():
    assert why("does acme ship to Norway?") == (QUESTION,)
    assert why("Is acme the next big thing? https://news.example/acme") == ()


def test_what_is_said_to_somebody_else_is_theirs_to_answer():
    assert why("@ben do you still have that acme?", "negative", reach=WIDE) == ()
    assert why("do you still have that acme?", reply_to="17") == ()


@pytest.mark.parametrize(
    "details",
    [
        {"original": "7"},
        {"original": ""},
        {"text": "RT @ben: @acme where is my parcel?"},
        {"text": "so true! MT @ben: @acme where is my parcel?"},
        {"author": "did:plc:acme"},
        {"author": "@acme@social.example"},
        {"author": "@AcmeHelp@x.com"},
    ],
)
def test_copies_and_the_brand_itself_need_no_answer(details):
    assert why(**{"text": "@acme where is my parcel?", "mood": "negative", "reach": WIDE} | details) == ()


def test_what_does_not_count_for_the_watch_needs_no_answer():
    assert why("@acme wo ist mein Paket?", apart=("Acme",)) == ()


def test_a_post_that_was_taken_back_on_its_way_needs_no_answer():
    gone = said("@acme where is my parcel?").corrected(Correction("test", "1"))
    assert needs(gone, "Acme", ACME) == ()


def test_what_the_model_could_not_judge_is_not_called_negative():
    assert why("@acme parcel", "negative", judged=False) == (ADDRESSED,)


def test_a_brand_without_accounts_is_addressed_by_its_terms_alone():
    assert needs(said("@acme hello there"), "Acme", Brand(terms=("acme",))) == ()
    assert needs(said("@acme hello there"), "Acme", Brand(terms=("@acme",))) == (ADDRESSED,)


@given(st.text(max_size=300), st.sampled_from(["", "@acme ", "@acme@social.example", "RT @", "? ", "https://"]))
def test_whatever_strangers_write_has_an_answer(text, start):
    assert set(why(clean(f"{start}{text}"))) <= set(Need)


@pytest.mark.parametrize(
    "piece", ["?", "a ", "a? ", "how ", '"', "@", "@a", "@a.", "aa,", "weiss hier ", "- ", "RT ", "."]
)
def test_no_text_takes_long(piece):
    text = clean(piece * 10_000)
    began = process_time()
    why(text)
    assert process_time() - began < 0.2


def test_weight_grows_with_needs_and_with_followers():
    assert weight((ADDRESSED,), 0) < weight((ADDRESSED, QUESTION), 0) < weight((ADDRESSED, QUESTION), 900)
    assert weight((NEGATIVE,), 1_000_000) > weight((ADDRESSED, QUESTION, NEGATIVE), 0)
    assert weight((QUESTION,), -5) == weight((QUESTION,), 0)


@pytest.mark.parametrize(
    "text",
    [
        "Does motrin help with back pain?",
        "@acme how do I return this?",
        "Is it safe, @acme?",
        "how much?",
        "anyone know if motrin is out of stock",
        "can you help me with my order",
        "My order is late, can you help?",
        "so what now? I am waiting",
        "Weiß jemand, ob die Bahn fährt",
        "Wann kommt endlich mein Paket",
        "Könnt ihr mir bitte helfen",
        "Motrin ist leer. Wo bekomme ich es jetzt?",
        "please fix my account",
        "was wondering if this is still sold",
        "has #motrin been pulled?",
        "Warum dauert das so lange???",
        "Frage: wie lange gilt das Ticket",
    ],
)
def test_a_question(text):
    assert is_question(text)


@pytest.mark.parametrize(
    "text",
    [
        "really?!",
        "Motrin? seriously?",
        "a headache pill tells me how to carry my baby, right?",
        "see http://a.example/c?d=where is it",
        "“who needs motrin?” she said",
        "wtf?",
        "schön, oder?",
        "it works great, isn't it?",
        "how could they do this?!",
        "How I love Motrin",
        "How do you screw up selling painkillers.",
        "nice one, eh?",
        "???",
        "",
    ],
)
def test_no_question(text):
    assert not is_question(text)
