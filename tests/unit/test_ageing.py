"""What becomes of evidence with time: names, then words, and what stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter

import pytest

from crisisdesk.privacy.ageing import aged, masked, plain_from, words_from
from crisisdesk.privacy.pseudonyms import Pseudonyms
from crisisdesk.privacy.terms import KEEP_POSTS, Terms
from crisisdesk.records import Evidence, Incident, Kind, Numbers, Phrase, Quote, Severity, State

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
NAMES = Pseudonyms(b"k" * 32)
DAY = timedelta(days=1)


def quote(name: str, age: timedelta, text: str = "never again, @acme @anna see https://acme.example/x") -> Quote:
    return Quote(name, "bsky", NOW - age, "anna", text, 900, "https://bsky.example/anna/1", 0.9)


def incident(age: timedelta, *quotes: Quote) -> Incident:
    evidence = Evidence(
        phrases=(Phrase("never again", 12, 0.01),), posts=quotes, first=quotes[0], signals=quotes[:1],
        voices=(("anna", 900),), people=40, reach=9_000,
    )  # fmt: skip
    return Incident(
        "i", "Acme", Kind.SPIKE, State.RESOLVED, Severity.RED, NOW - age, NOW - age,
        Numbers(60, 40, 50, 2.0, 40, 0.8, 0.1, 1e-9), "many", evidence, witnessed=NOW - age,
    )  # fmt: skip


def test_what_is_young_enough_stays_as_it_is():
    before = incident(29 * DAY, quote("1", 29 * DAY))
    assert aged(before, Terms(), NOW, lambda: pytest.fail("no key is needed")) is before


def test_after_its_time_names_are_pseudonyms_and_the_words_stay():
    before = incident(31 * DAY, quote("1", 31 * DAY))
    after = aged(before, Terms(), NOW, lambda: NAMES)
    assert "anna" not in str(after.evidence)
    (shown,) = after.evidence.posts
    assert shown.text == "never again, @… @… see https://…"
    assert (shown.author, shown.url, shown.reach) == (NAMES.person("anna"), None, 900)
    assert after.evidence.first == after.evidence.signals[0] == shown
    assert after.evidence.voices == ((NAMES.person("anna"), 900),)
    assert replace(after, evidence=before.evidence) == before
    assert aged(after, Terms(), NOW, lambda: NAMES) is after


def test_an_incident_that_goes_on_keeps_the_names_of_what_is_new():
    before = incident(timedelta(), quote("1", 31 * DAY), quote("2", DAY))
    after = aged(before, Terms(), NOW, lambda: NAMES)
    assert [one.author for one in after.evidence.posts] == [NAMES.person("anna"), "anna"]
    assert after.evidence.voices == (("anna", 900),)


def test_each_watch_has_a_time_of_its_own_and_one_that_is_gone_the_default():
    before = incident(8 * DAY, quote("1", 8 * DAY))
    assert aged(before, Terms({"Acme": 7 * DAY}), NOW, lambda: NAMES) is not before
    assert aged(before, Terms({"Other": 7 * DAY}), NOW, lambda: NAMES) is before
    assert Terms().keeps("Acme") == KEEP_POSTS


def test_at_last_the_words_go_and_figures_and_phrases_stay():
    before = incident(800 * DAY, quote("1", 800 * DAY))
    after = aged(before, Terms(), NOW, lambda: pytest.fail("no key is needed"))
    evidence = after.evidence
    assert (evidence.posts, evidence.signals, evidence.first, evidence.voices) == ((), (), None, ())
    assert (evidence.phrases, evidence.people, evidence.reach) == (before.evidence.phrases, 40, 9_000)
    assert after.numbers == before.numbers
    assert plain_from(after) is words_from(after) is None


def test_posts_are_kept_no_longer_than_their_words():
    before = incident(20 * DAY, quote("1", 20 * DAY))
    assert aged(before, Terms(evidence=10 * DAY), NOW, lambda: NAMES).evidence.posts == ()


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("RT @anna.bsky.social: worst", "RT @…: worst"),
        ("ask anna.berg@mail.example now", "ask @… now"),
        ("@anna@social.example, why", "@…, why"),
        ("as u/anna_b said", "as @… said"),
        ("see www.anna.example/me and HTTPS://x.com/anna", "see https://… and https://…"),
        ("5 @ 3 o'clock, and/or #tag", "5 @ 3 o'clock, and/or #tag"),
    ],
)
def test_accounts_addresses_and_links_are_masked(said: str, kept: str):
    assert masked(said) == kept


def test_whoever_is_called_like_a_pseudonym_becomes_one_too():
    before = incident(31 * DAY, quote("1", 31 * DAY))
    before = replace(before, evidence=replace(before.evidence, voices=(("person-of-note", 900),)))
    assert plain_from(before) is not None
    assert "person-of-note" not in str(aged(before, Terms(), NOW, lambda: NAMES).evidence)


@pytest.mark.parametrize(
    "named",
    ["instagram.com/anna_b", "bsky.app/profile/anna.example", "t.me/anna!", "ftp://a.example/anna", "anna.bsky.social",
     "＠anna", f"{'a' * 90}.anna@mail.example"],
)  # fmt: skip
def test_what_leads_to_somebody_is_masked_also_without_its_beginning(named: str):
    assert "anna" not in masked(f"ask {named} about it")


def test_what_leads_to_nobody_stays():
    said = "acme.com is down again, e.g. and/or v1.2/3... 24/7 at 3.50/month"
    assert masked(said) == said


@pytest.mark.parametrize("piece", ["a.", "a", "a@", "anna.bsky", "www.", "://"])
def test_texts_that_are_made_to_be_slow_are_masked_at_once(piece: str):
    began = perf_counter()
    masked(piece * (20_000 // len(piece)))
    assert perf_counter() - began < 1
