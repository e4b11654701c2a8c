"""Which playbook is proposed for a spike, and the reason given."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crisisdesk.playbooks.choice import choose
from crisisdesk.playbooks.format import Playbook, parse
from crisisdesk.playbooks.library import Library
from crisisdesk.records import Evidence, Kind, Numbers, Phrase, Quote, Severity, Spike

SHIPPED = Path(__file__).parents[2] / "playbooks"
NOW = datetime(2008, 11, 15, 14, tzinfo=UTC)

OFFENDED = (
    "Has anyone seen the new Motrin ad? Babywearing is not a fashion statement",
    "so offended by that commercial. my back hurts from your attitude, not from my baby",
    "condescending, insulting, clueless. who approved this campaign #motrinmoms",
    "dear motrin: my sling keeps my baby happy. boycott",
    "headache just from watching it. where is the apology?",
    "my pain is real, your ad is not",
)
HARMED = (
    "my son got sick after two bites",
    "in the hospital with an allergic reaction because of this",
    "is there a recall? the batch looks contaminated",
    "dangerous! it burned my hand",
    "nobody told us about the side effects",
)
LOCKED_OUT = (
    "is it down for anyone else?",
    "app keeps crashing, can't log in since noon",
    "still not working here",
    "total outage and no word from them",
    "been waiting for hours, still offline",
)
BREACHED = (
    "great, my account got hacked",
    "a data breach, and they tell us two weeks later",
    "credit cards stolen, thanks a lot",
    "been on hold for hours because my card was stolen",
    "changing every password tonight. hackers have everything",
    "my social security number is out there now",
)


def spike(*texts: str, phrases: dict[str, int] | None = None, negative: int = 40, copies: int = 1) -> Spike:
    posts = tuple(Quote(str(n), "test", NOW, f"a{n}", text, 10, None, 0.9, copies) for n, text in enumerate(texts))
    found = tuple(Phrase(text, count, 0.01) for text, count in (phrases or {}).items())
    numbers = Numbers(60, negative, negative + 10, 3.0, negative, 0.8, 0.4, 1e-6)
    return Spike("Motrin", Kind.SPIKE, NOW, Severity.AMBER, numbers, "why", Evidence(phrases=found, posts=posts))


def book(name: str, keys: str = "") -> Playbook:
    parsed = parse(
        f"---\ntitle: {name.title()}\nid: {name}\nowner: A\nreviewed: 2026-10-01\nreview-every: 1 year\n"
        f"strategy: rebuild\napprove: A\n{'' if 'language:' in keys else 'language: en'}\n{keys}\n---\n"
        "## First (A)\n- [ ] Look\n",
        Path(f"{name}.md"),
    )
    assert parsed.playbook, [str(problem) for problem in parsed.problems]
    return parsed.playbook


def chosen(books: list[Playbook], of: Spike) -> str | None:
    found = choose(books, of)
    return found.id if found else None


@pytest.mark.parametrize(
    ("texts", "expected"),
    [(OFFENDED, "offensive-ad"), (HARMED, "product-harm"), (LOCKED_OUT, "outage"), (BREACHED, "general")],
)
def test_shipped_playbooks_fit_what_people_say(texts, expected):
    library = Library(SHIPPED)
    found = library.choose(spike(*texts))
    assert found is not None
    assert found.id == expected
    assert found.title == library.get(expected).title
    assert found.next_step == library.get(expected).phases[0].steps[0].text


def test_phrases_alone_are_enough():
    ad = {"#motrinmoms": 30, "insulting": 9, "moms": 14, "commercial": 12, "sling": 8}
    found = Library(SHIPPED).choose(spike("look at this", phrases=ad))
    assert (found.id, found.reason) == ("offensive-ad", "words: moms, commercial, insulting")


def test_ordinary_pain_pulls_in_no_playbook():
    aches = ("my headache is back", "this back pain is killing me", "motrin and bed", "sick of this headache")
    found = Library(SHIPPED).choose(spike(*aches, phrases={"headache": 20, "pain": 18}))
    assert (found.id, found.reason) == ("general", "no other playbook fits")


def test_the_reason_names_the_words_said_most():
    books = [book("ad", "words: ad, ads, insult, boycott, Ad")]
    found = choose(books, spike("the ad", "that ad!", "an insult", "nothing", negative=4))
    assert found.reason == "words: ad, insult"
    assert found.next_step == "Look"


def test_words_are_whole_folded_and_know_umlauts():
    books = [book("one", "words: Störung, side effects")]
    assert chosen(books, spike("STOERUNG!", "schon wieder eine störung")) == "one"
    assert chosen(books, spike("#side-effects again", "side  effects")) == "one"
    assert chosen(books, spike("Entstörungsdienst", "besides effects")) is None


def test_a_single_stray_post_is_no_situation():
    books = [book("outage", "words: down, offline")]
    assert chosen(books, spike("down and offline")) is None
    assert chosen(books, spike("down", copies=2)) == "outage"


def test_the_playbook_whose_words_are_said_most_wins_and_ties_go_by_id():
    few, many = book("a", "words: ad"), book("z", "words: ad, insult")
    said = spike("the ad", "this ad is an insult")
    assert chosen([few, many], said) == "z"
    assert chosen([few, replace(few, id="b")], said) == chosen([replace(few, id="b"), few], said) == "a"


def test_a_named_watch_goes_first_and_shuts_others_out():
    words, mine, other = book("words", "words: ad"), book("mine", "watches: MOTRIN"), book("other", "watches: Acme")
    said = spike("the ad", "this ad")
    assert choose([words, mine, other], said).reason == "watch Motrin"
    assert chosen([other], said) is None


def test_kind_and_severity_must_allow_it():
    blind, red = book("blind", "kinds: blind"), book("red", "at-least: red\nwords: ad")
    said = spike("the ad", "this ad")
    assert chosen([blind, red], said) is None
    assert chosen([blind, red], replace(said, severity=Severity.RED)) == "red"
    assert choose([blind, red], replace(said, kind=Kind.BLIND)).reason == "kind blind"


def test_a_translation_is_chosen_by_language_with_its_original():
    books = [
        book("ad", "words: ad, Werbung"),
        book("werbung", "language: de\ntranslation-of: ad"),
        book("waise", "language: de\ntranslation-of: gone"),
    ]
    german = spike("diese Werbung", "nie wieder solche Werbung")
    german = replace(german, evidence=replace(german.evidence, languages=(("de", 9), ("en", 2))))
    assert chosen(books, german) == "werbung"
    assert choose(books, german).reason == "words: Werbung"
    assert chosen(books, spike("the ad", "this ad")) == "ad"
    assert chosen(books[1:], german) is None


def test_a_spike_without_evidence_falls_to_the_general_one():
    assert chosen([book("ad", "words: ad"), book("general")], spike(negative=0)) == "general"


@pytest.mark.parametrize(
    ("language", "chosen"), [("en", "brigading"), ("de", "brigading-de"), ("unknown", "brigading")]
)
def test_a_flood_of_copies_has_a_playbook_of_its_own_whatever_it_says(language: str, chosen: str):
    """Its words are made to look like an outrage over an advertisement; what to do about it is another matter."""
    flood = spike(*OFFENDED, copies=50)
    flood = replace(
        flood, kind=Kind.BRIGADING, severity=Severity.NOTICE,
        evidence=replace(flood.evidence, languages=((language, 300),)),
    )  # fmt: skip
    found = choose(Library(SHIPPED).all(), flood)
    assert found is not None
    assert (found.id, found.specific) == (chosen, True)
    assert choose(Library(SHIPPED).all(), spike(*OFFENDED)).id == "offensive-ad"


@pytest.mark.parametrize("severity", list(Severity))
def test_a_source_that_cannot_be_heard_has_a_playbook_of_its_own(severity: Severity):
    silence = Spike(
        "bluesky", Kind.BLIND, NOW, severity, Numbers(12, 0, 0, 90.0, 0, 0, 0, 0.0), "silent since 02:48 UTC"
    )
    found = choose(Library(SHIPPED).all(), silence)
    assert found is not None
    assert (found.id, found.specific, found.reason) == ("gone-silent", True, "kind blind")
    german = Library(SHIPPED).get("gone-silent-de")
    assert (german.language, german.translation_of) == ("de", "gone-silent")
