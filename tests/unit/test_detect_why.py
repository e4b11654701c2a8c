"""The sentence that a press officer reads aloud, in both languages."""

import pytest

from crisisdesk.detect.why import News, unheard, why
from crisisdesk.records import Numbers, Phrase

GAP = "\u00a0"


def numbers(**changes: float) -> Numbers:
    fields = {"window_minutes": 60, "negative": 84, "total": 135, "expected": 6.2, "authors": 71}
    return Numbers(**{**fields, "negative_share": 0.62, "usual_share": 0.18, "probability": 1e-9} | changes)


def test_number_share_and_what_is_new():
    said = why(numbers(), [Phrase("recall", 40, 0.001), Phrase("#motrinmoms", 30, 0.0)])
    assert said.en == (
        "84 negative posts by 71 people within one hour, where 6 are usual; 62% of all posts are negative, usually "
        "18%. New is talk of “recall” and “#motrinmoms”."
    )
    assert said.de == (
        f"84 negative Beiträge von 71 Menschen innerhalb einer Stunde, üblich sind 6; 62{GAP}% aller Beiträge sind "
        f"negativ, sonst 18{GAP}%. Neu ist die Rede von „recall“ und „#motrinmoms“."
    )


@pytest.mark.parametrize(
    ("minutes", "en", "de"),
    [
        (5, "within 5 minutes", "innerhalb von 5 Minuten"),
        (90, "within 90 minutes", "innerhalb von 90 Minuten"),
        (60, "within one hour", "innerhalb einer Stunde"),
        (180, "within 3 hours", "innerhalb von 3 Stunden"),
        (24 * 60, "within 24 hours", "innerhalb von 24 Stunden"),
        (3 * 24 * 60, "within 3 days", "innerhalb von 3 Tagen"),
    ],
)
def test_the_window_in_words(minutes: int, en: str, de: str):
    said = why(numbers(window_minutes=minutes))
    assert f" {en}, " in said.en
    assert f" {de}, " in said.de


@pytest.mark.parametrize(
    ("expected", "en", "de"),
    [
        (0.0, "where hardly any are usual", "üblich ist kaum einer"),
        (0.4, "where hardly any are usual", "üblich ist kaum einer"),
        (1.2, "where 1 is usual", "üblich ist einer"),
        (1.7, "where 2 are usual", "üblich sind 2"),
        (1234.5, "where 1,234 are usual", "üblich sind 1.234"),
    ],
)
def test_the_usual_number_as_one_says_it(expected: float, en: str, de: str):
    said = why(numbers(expected=expected))
    assert f", {en}; " in said.en
    assert f", {de}; " in said.de


@pytest.mark.parametrize(
    ("negative", "people", "en", "de"),
    [
        (1, 1, "1 negative post by one person within", "1 negativer Beitrag von einem Menschen innerhalb"),
        (12_345, 1_000, "12,345 negative posts by 1,000 people", "12.345 negative Beiträge von 1.000 Menschen"),
        (5, 0, "5 negative posts within", "5 negative Beiträge innerhalb"),
    ],
)
def test_posts_and_people_in_the_way_of_the_language(negative: int, people: int, en: str, de: str):
    said = why(numbers(negative=negative, authors=people))
    assert said.en.startswith(en)
    assert said.de.startswith(de)


def test_three_phrases_at_most_are_named_and_usual_ones_are_not_called_new():
    four = [Phrase(text, 9, 0.001) for text in ("rückruf", "tabletten", "😡", "charge")]
    assert why(numbers(), four).de.endswith("Neu ist die Rede von „rückruf“, „tabletten“ und „😡“.")
    usual = [Phrase("delay", 40, 0.2)]
    assert why(numbers(), usual).en.endswith("Above all there is talk of “delay”.")
    assert why(numbers(), usual).de.endswith("Vor allem ist die Rede von „delay“.")


def test_what_tipped_the_balance_is_said():
    said = why(numbers(), [Phrase("recall", 40, 0.001)], News(34, 41, ("recall",)))
    assert said.en.endswith("New is talk of “recall”; 34 of these 41 posts are negative.")
    assert said.de.endswith("Neu ist die Rede von „recall“; 34 dieser 41 Beiträge sind negativ.")
    assert why(numbers(), (), News(34, 41, ("recall",))).en == said.en


def test_a_crowd_that_has_joined_in_is_named():
    said = why(numbers(negative_share=0.1, usual_share=0.3))
    assert said.en.endswith("Others have joined in by now; it is the number of angry people that keeps it up.")
    assert said.de.endswith("Inzwischen reden auch andere mit; was anhält, ist die große Zahl der Verärgerten.")


@pytest.mark.parametrize(
    ("share", "usual", "total", "joined"),
    [
        (0.4, 0.4004, 200, False),
        (80 / 124, 0.65, 124, False),
        (0.61, 0.65, 2_000, False),
        (0.55, 0.65, 2_000, True),
        (0.55, 0.65, 60, False),  # of sixty posts, six more or fewer are chance
        (0.3, 0.65, 60, True),
    ],
)
def test_others_have_joined_in_only_where_the_share_is_clearly_lower(
    share: float, usual: float, total: int, joined: bool
):
    said = why(numbers(negative_share=share, usual_share=usual, total=total))
    assert ("Others have joined in" in said.en, "auch andere" in said.de) == (joined, joined)


def test_beside_something_new_nobody_has_joined_in():
    said = why(numbers(negative_share=0.3, usual_share=0.6), (), News(34, 41, ("recall",)))
    assert "Others have joined in" not in said.en


def test_why_what_is_counted_may_be_too_little():
    lost, dropped = unheard(("mastodon", "bluesky"), 1_234)
    assert lost.en == "mastodon and bluesky cannot be heard at present, so there may be more."
    assert lost.de == "mastodon und bluesky sind zurzeit nicht zu hören, es können mehr sein."
    assert dropped.en == (
        "Within the last hour 1,234 posts came too fast to be read and were dropped, so there may be more."
    )
    assert dropped.de == (
        "In der letzten Stunde kamen 1.234 Beiträge zu schnell, um gelesen zu werden, und wurden verworfen; "
        "es können mehr sein."
    )
    (one,) = unheard((), 1)
    assert "In der letzten Stunde kam 1 Beitrag zu schnell" in one.de
    assert "1 post came too fast to be read and was dropped" in one.en
    assert list(unheard((), 0)) == []
