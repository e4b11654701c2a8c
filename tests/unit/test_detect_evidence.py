"""What a person is shown of a wave: made-up posts in English and German, everyday complaints, copies, hostile texts."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest

from crisisdesk.detect.evidence import evidence
from crisisdesk.detect.memory import Memory, Remembered
from crisisdesk.detect.people import Crowd
from crisisdesk.detect.telling import SHOWN, Brand
from crisisdesk.records import EPOCH, Chosen, Evidence, Mention, Post, Quote, Scored
from crisisdesk.text import clean

DAY = 24 * 60
WAVE = 10 * DAY

ENGLISH_DAYS = (
    "acme tablets again, my head hurts and the train is late",
    "acme worked fine for my back pain today",
    "worst headache in years, acme does nothing for me",
    "never again acme, the taste of this syrup is the worst",
    "picked up acme at the pharmacy, queue was endless",
    "acme app is down again, worst support line ever",
    "my mother swears by acme and a cup of tea",
    "headache all day, acme and a dark room it is",
    "the acme jingle is stuck in my head now",
    "acme delivery came two days late again",
)
ENGLISH_WAVE = (
    "glass in the acme syrup?! my toddler drank this yesterday #acmeglass",
    "just found a shard of glass in our bottle, acme does not answer 😡",
    "acme knew about the recall of syrup since friday and said nothing",
    "is there a recall of syrup or not, acme? parents are scared 😡",
    "pharmacy told me about the recall of syrup, not acme. shame #acmeglass",
    "worst company. glass splinters in medicine for kids #acmeglass",
    "my son is four and drank from that bottle. glass. in a syrup. 😡",
    "recall of syrup on the radio before acme says one word #acmeglass",
    "threw away three bottles tonight, there was glass in one of them",
    "never again acme, glass in baby medicine is beyond words #acmeglass",
    "acme hotline hangs up when you say glass #acmeglass",
    "so the recall of syrup is real. checked our bottle number and cried",
)
GERMAN_DAYS = (
    "kopfweh seit gestern, acme hilft mir leider nicht",
    "acme tabletten sind schon wieder teurer geworden",
    "die schlange in der apotheke war endlos, nur für acme",
    "acme saft schmeckt furchtbar, nie wieder",
    "meine oma schwört auf acme und kamillentee",
    "furchtbar, die acme app stürzt dauernd ab",
    "acme hat mir gegen die rückenschmerzen gut geholfen",
    "lieferung von acme kam zwei tage zu spät",
    "der acme jingle geht mir nicht aus dem kopf",
    "bei acme am telefon erreicht man nie jemanden",
)
GERMAN_WAVE = (
    "glassplitter im acme kindersaft, mein sohn hat davon getrunken",
    "acme wusste seit freitag vom rückruf der säfte und schweigt 🤬",
    "gibt es jetzt einen rückruf der säfte oder nicht, acme?",
    "kindersaft mit glassplittern, wie kann so etwas passieren #acmeglas",
    "in der apotheke vom rückruf der säfte erfahren, nicht von acme #acmeglas",
    "drei flaschen kindersaft weggeworfen, in einer war ein glassplitter 🤬",
    "rückruf der säfte im radio, und acme sagt kein wort #acmeglas",
    "meine tochter ist vier. glassplitter im kindersaft. unfassbar 🤬",
    "hotline legt auf, sobald man kindersaft sagt #acmeglas",
    "kindersaft zurückgebracht, die verkäuferin wusste von nichts",
)


class Listening:
    """A watch's memory and crowd, fed minute by minute."""

    def __init__(self, *terms: str, name: str = "Acme") -> None:
        self.memory = Memory(12 * 60, lambda hour: hour * 60 >= WAVE)
        self.crowd = Crowd()
        self.brand = Brand(name, terms or ("acme",))
        self._number = 0

    def hear(
        self, text: str, minute: float, *, negative: bool = True, author: str | None = None, reach: int = 10
    ) -> Post:
        self._number += 1
        name = author or f"p{self._number}"
        post = Post(f"id{self._number}", "x", EPOCH + timedelta(minutes=minute), clean(text), name, reach=reach)
        chances = (0.9, 0.05, 0.05) if negative else (0.05, 0.9, 0.05)
        said = self.crowd.hear(post, minute)
        scored = Scored(Mention(post, ("Acme",), "en"), *chances, "m")
        item = Remembered.of(scored, minute, said.wording, counted=said.counts)
        list(self.memory.add(item, 100.0))
        return post

    def live(self, texts: Iterable[str], days: int = 9) -> None:
        """Ordinary days, each with all of these texts, a little different every time; every other one negative."""
        for day in range(days):
            for n, text in enumerate(texts):
                for part in ("morning", "noon", "evening"):
                    self.hear(f"{text} {part} {day} {n}", day * DAY + n * 30, negative=n % 2 == 0)

    def wave(self, texts: Iterable[str], start: float = WAVE) -> Evidence:
        for n, text in enumerate(texts):
            self.hear(text, start + 2 * n, reach=100 + n)
        return self.evidence(start)

    def evidence(self, since: float = WAVE) -> Evidence:
        return evidence(self.memory, self.brand, since, self.crowd.copies)


@pytest.fixture
def english() -> Listening:
    listening = Listening()
    listening.live(ENGLISH_DAYS)
    return listening


def phrases(found: Evidence) -> set[str]:
    return {one.text for one in found.phrases}


def test_an_english_wave_is_told_by_what_only_it_says(english: Listening):
    found = english.wave(ENGLISH_WAVE)
    assert phrases(found) == {"recall of syrup", "glass", "#acmeglass", "bottle", "😡"}
    assert len(found.phrases) <= SHOWN


def test_a_german_wave_is_told_in_german():
    listening = Listening("acme", "acme saft")
    listening.live(GERMAN_DAYS)
    found = listening.wave(GERMAN_WAVE)
    assert phrases(found) == {"kindersaft", "rückruf der säfte", "#acmeglas", "glassplitter", "🤬"}


def test_phrases_have_the_capitals_that_most_people_give_them():
    listening = Listening()
    listening.live(GERMAN_DAYS)
    found = listening.wave(
        text.replace("rückruf der säfte", "Rückruf der Säfte").replace("#acmeglas", "#AcmeGlas") for text in GERMAN_WAVE
    )
    assert {"Rückruf der Säfte", "#AcmeGlas", "kindersaft"} <= phrases(found)


def test_the_numbers_of_a_phrase_are_people_and_the_usual_share(english: Listening):
    for n in range(6):
        english.hear(f"glass glass glass, again glass in bottle {n * 7}", WAVE - 1 + n / 10, author="shouter")
    (glass,) = [one for one in english.wave(ENGLISH_WAVE, WAVE - 1).phrases if one.text == "glass"]
    assert glass.posts == 1 + sum("glass" in text.replace("#acmeglass", "") for text in ENGLISH_WAVE)
    assert glass.usual < 0.005


def test_a_mood_that_negative_posts_always_have_sets_nothing_apart():
    listening = Listening()
    for n in range(900):
        complaint = n % 6 == 0
        text = f"terrible acme service {n}" if complaint else f"acme is on offer in shop {n} of town"
        listening.hear(text, n * 10, negative=complaint)
    wave = [f"terrible acme, {word} recall" for word in ("first", "second", "third", "fourth", "fifth", "sixth")]
    assert phrases(listening.wave(wave)) == {"recall"}


def test_no_bare_brand_in_any_spelling_but_the_hashtag_that_was_made_for_the_wave():
    listening = Listening("acme", "#acmefail", "pain reliever", name="Acme Pharma")
    names = ["acme", "#Acme", "Acme's", "pain reliever", "pain-reliever", "Acme Pharma", "#painreliever", "AcmePharma"]
    listening.live(text.replace("acme", name) for text, name in zip(ENGLISH_DAYS, names, strict=False))
    wave = [f"{name} recall {name} {word} #acmefail" for name in names for word in ("now", "today", "tonight")]
    assert phrases(listening.wave(wave)) == {"#acmefail", "recall"}


def test_a_word_of_nearly_every_usual_post_is_a_bare_name_too():
    listening = Listening("#x", name="x")
    listening.live(f"zenith {text}" for text in ENGLISH_DAYS)
    found = listening.wave([f"zenith recall {n} zenith" for n in ("one", "two", "three", "four", "five", "six")])
    assert phrases(found) == {"recall"}


def test_a_young_watch_compares_with_what_it_has_just_heard():
    listening = Listening()
    for n in range(60):
        listening.hear(f"{ENGLISH_DAYS[n % 10]} {n}", WAVE - 600 + 9 * n, negative=n % 2 == 0)
    found = listening.wave(ENGLISH_WAVE)
    assert "recall of syrup" in phrases(found)
    assert phrases(found).isdisjoint({"headache", "worst"})


def test_the_signals_are_the_first_who_said_it_not_who_complained_before(english: Listening):
    english.hear("acme, my head hurts and nobody cares", WAVE - 90, author="everyday")
    first = english.hear("is that glass in my acme bottle??", WAVE - 300, author="mother")
    english.hear("RT @mother: is that glass in my acme bottle??", WAVE - 290, author="friend")
    english.hear("Retweet @mother: is that glass in my acme bottle?", WAVE - 280, author="other friend")
    english.hear("glass! in acme! look at this photo", WAVE - 100, author="father")
    english.hear("love the glass bottle of acme", WAVE - 200, author="happy", negative=False)
    found = english.wave(ENGLISH_WAVE)
    assert [one.author for one in found.signals][:2] == ["mother", "father"]
    assert len(found.signals) == 3
    assert found.first == found.signals[0]
    assert (found.first.id, found.first.copies) == (first.id, 2)


def test_signals_stay_when_their_posts_are_forgotten(english: Listening):
    before = english.wave(ENGLISH_WAVE)
    for n, text in enumerate(ENGLISH_WAVE * 2):
        english.hear(f"{text} {n} still no word from them", WAVE + 13 * 60 + n)
    after = english.evidence(WAVE + 13 * 60)
    assert after.signals[0].time > before.signals[0].time
    assert after.continuing(before).signals == before.signals
    assert after.continuing(before).first == before.first


def test_until_somebody_is_called_the_first_signal_is_sought_with_all_that_is_known(english: Listening):
    for n in range(3):
        english.hear(f"{n} meetings are worse than acme, says colleague {'abcd'[n]}", WAVE + n / 10)
    early = english.evidence()
    assert "meetings" in early.signals[0].text
    for n in range(300):
        english.hear(f"{n} {n * n} {ENGLISH_WAVE[n % 12]}", WAVE + 5 + n / 10)
    later = english.evidence()
    assert "glass" in phrases(later)
    assert "meetings" not in later.signals[0].text, "of what people speak now, it was not the first"
    assert later.continuing(early, called=False).first == later.signals[0]
    assert later.continuing(early, called=True).first == early.first, "people were told of it"


def test_where_nothing_sets_it_apart_the_first_is_the_earliest_and_no_signal():
    listening = Listening()
    listening.live(ENGLISH_DAYS)
    for n, text in enumerate(ENGLISH_DAYS):
        listening.hear(f"{text}, {n} more", WAVE + n)
    found = listening.evidence()
    assert (found.phrases, found.signals) == ((), ())
    assert found.first is not None
    assert found.first.time == EPOCH + timedelta(minutes=WAVE)
    assert {one.role for one in found.posts} == {Chosen.WIDEST, Chosen.NEWEST}


def by_role(found: Evidence, role: Chosen) -> Iterator[Quote]:
    return (one for one in found.posts if one.role is role)


def test_decisive_posts_are_typical_wide_and_new_and_none_comes_twice(english: Listening):
    english.hear("my head hurts so much today, oh acme", WAVE + 1, author="star", reach=90_000)
    found = english.wave(ENGLISH_WAVE)
    assert [one.role for one in found.posts] == [Chosen.TYPICAL] * 2 + [Chosen.WIDEST] * 3 + [Chosen.NEWEST] * 4
    assert len({one.id for one in found.posts}) == len(found.posts)
    for one in by_role(found, Chosen.TYPICAL):
        assert sum(f" {phrase} " in f" {one.text} " for phrase in ("glass", "recall of syrup", "#acmeglass", "😡")) >= 2
    newest = [one.time for one in by_role(found, Chosen.NEWEST)]
    assert newest == sorted(newest, reverse=True)
    assert "star" not in {one.author for one in found.posts}, "an everyday complaint decides nothing"
    assert found.voices[0] == ("star", 90_000)


def test_near_copies_are_folded_with_their_number(english: Listening):
    for n, edit in enumerate(("", " #please", " now", " !!!", " RT")):
        text = f"so{' very' * (n % 2)} sad: acme sells syrup with glass in it to children{edit}"
        english.hear(text, WAVE + n / 10, author=f"copy{n}", reach=5_000 + n)
    found = english.wave(ENGLISH_WAVE)
    shown = [one for one in found.posts if "sells syrup with glass" in one.text]
    assert [(one.role, one.copies) for one in shown] in ([(Chosen.WIDEST, 5)], [(Chosen.TYPICAL, 5)])


def test_two_who_say_nearly_the_same_in_a_few_words_each_stand_for_themselves(english: Listening):
    said = ["glass in the acme syrup, so scared now", "glass in the acme syrup, so angry now"]
    for n, text in enumerate(said):
        english.hear(text, WAVE + n / 10, author=f"own{n}", reach=5_000 + n)
    found = english.wave(ENGLISH_WAVE)
    shown = {one.text: one.copies for one in found.posts if one.text in said}
    assert shown == dict.fromkeys(said, 1)
    assert all(item.counted for item in english.memory.negatives(WAVE)[: len(said)])


def test_a_list_of_catchwords_is_not_typical(english: Listening):
    english.hear("glass recall of syrup #acmeglass 😡 bottle " + "follow my shop " * 8, WAVE + 1, author="spam")
    assert "spam" not in {one.author for one in by_role(english.wave(ENGLISH_WAVE), Chosen.TYPICAL)}


def test_voices_are_distinct_people_with_their_followers_together(english: Listening):
    for n in range(3):
        english.hear(f"glass in it, again and again, part {'abc'[n]}", WAVE, author="loud", reach=50 + n)
    found = english.wave(ENGLISH_WAVE)
    assert found.people == len(ENGLISH_WAVE) + 1
    assert found.reach == sum(range(100, 100 + len(ENGLISH_WAVE))) + 52


@pytest.mark.parametrize(
    "hostile",
    [
        "|" * 300,
        "| | glass | |" * 40,
        " ".join(f"w{n}x" for n in range(3_000)),
        "😡" * 3_000,
        "#" * 500 + " #glass" * 200,
        "\u202eglass\u0000 [b]glass[/b] \x1b[31mglass",
        "a\u0301" * 2_000,
        "“recall”’'’' s's's",
    ],
)
def test_hostile_texts_neither_break_it_nor_rule_it(english: Listening, hostile: str):
    for n in range(2):
        english.hear(f"{hostile} {n}", WAVE + n / 10, author=f"troll{n}")
    found = english.wave(ENGLISH_WAVE)
    assert "recall of syrup" in phrases(found)
    assert all(len(one.text) <= 48 and "|" not in one.text and one.text.isprintable() for one in found.phrases)


def test_after_a_restart_there_is_nothing_to_show():
    assert Listening().evidence() == Evidence()
