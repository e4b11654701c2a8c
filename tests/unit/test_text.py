"""Outside text is hostile: after `clean` it is one line that no terminal obeys."""

import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crisisdesk.text import MAX_LENGTH, clean, counted, shorten

NASTY = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from(
            "\x1b\x9b\x9d\x90\x07\x9c\\[];0123mHJ \u202e\u200d\u0301\u0308\ud800\udfff\U000e0041\ufeff\0\r\n\t"
        ),
        st.sampled_from("👩\u200d\ufe0f❤éäß\u1100\u1161\ufdfa"),
    ),
    max_size=60,
)
"""Any characters, those that can do harm much oftener than by chance."""


def is_harmless(text: str) -> bool:
    """Printable, and nothing that is unseen or turns the reading direction."""
    return text.isprintable() and not any(unicodedata.category(one) in {"Cc", "Cf", "Cs", "Co", "Cn"} for one in text)


@given(NASTY)
@example("\x1b]52;c;aGk=\x07")
@example("a\u0301\u0301\u0301\u0301")
@example("\u200be\u0301\x1b[31m\u0301\u0301")
@example("\x1b\x1b[31m[31m")
@example("\ud83d\ude00")
@example("e\x00\u0301\x00\u0301\u0301")
def test_what_is_clean_is_harmless_and_cleaning_it_again_changes_nothing(text):
    once = clean(text)
    assert is_harmless(once), ascii(once)
    assert once == once.strip()
    assert "  " not in once
    once.encode()  # no lone surrogate is left
    assert clean(once) == once


@given(NASTY, st.integers(min_value=1, max_value=30))
def test_it_is_never_longer_than_allowed(text, limit):
    short = clean(text, limit)
    assert len(short) <= limit
    assert is_harmless(short)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], max_codepoint=0x2FF), min_size=1, max_size=40))
def test_ordinary_text_stays_as_it_is(text):
    text = unicodedata.normalize("NFC", text)
    assert clean(text) == text.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words, 100 %", "plain words, 100 %"),
        ("  two\t\tspaces \r\n and a line ", "two spaces and a line"),
        ("no\u00a0break\u2003space", "no break space"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[2J\x1b[1;1Hcleared", "cleared"),
        ("\x9b31mred", "red"),
        ("copy\x1b]52;c;aGVsbG8=\x07 this", "copy this"),
        ("copy\x1b]52;c;aGVsbG8=\x1b\\ this", "copy this"),
        ("copy\x9d52;c;aGVsbG8=\x9c this", "copy this"),
        ("\x1b]0;new title\x07text", "text"),
        ("\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1$r0m\x1b\\after", "after"),
        ("\x1bcreset", "reset"),
        ("bell\x07 and null\0", "bell and null"),
        ("back\x08\x08\x08\x08good", "back good"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066isolated\u2069 \u200fmarks\u200e", "isolated marks"),
        ("zero\u200bwidth\u200c \u200djoiner\ufeff", "zerowidth joiner"),
        ("soft\u00adhyphen", "softhyphen"),
        ("tag\U000e0067\U000e0062s", "tags"),
        ("👩\u200d👩\u200d👧", "👩👩👧"),
        ("heart ❤\ufe0f", "heart ❤"),
        ("cafe\u0301", "café"),
        ("Z\u0351\u036b\u0343\u0363A", "Z\u0351\u036bA"),
        ("[bold]markup[/bold] [/foo]", "[bold]markup[/bold] [/foo]"),
        ("שלום עולם", "שלום עולם"),
        ("नमस्ते", "नमस्ते"),
        ("", ""),
        (" \u200b\x1b[0m\n", ""),
    ],
)
def test_what_becomes_of(text, expected):
    assert clean(text) == expected


def test_lone_surrogates_and_private_characters_are_shown_as_unknown():
    assert clean("a\ud800b") == "a\ufffdb"
    assert clean("a\ue000b\U0010fffdc") == "a\ufffdb\ufffdc"


@pytest.mark.parametrize(
    "flood",
    [
        "😀" * 10_000,
        "\u0301" * 100_000,
        "a" + "\u0301\u0489" * 50_000,
        "\x1b]" * 50_000,
        "\x1b[" + "1;" * 100_000 + "m",
        "\x9d" + "x" * 1_000_000,
        "\u202e\u200d" * 500_000,
        " \t" * 500_000 + "end",
        "x" * 5_000_000,
    ],
    ids=["emoji", "marks", "zalgo", "openings", "parameters", "payload", "invisible", "spaces", "length"],
)
def test_a_flood_is_cut_and_costs_little(flood):
    began = time.process_time()
    text = clean(flood)
    assert time.process_time() - began < 2
    assert len(text) <= MAX_LENGTH
    assert is_harmless(text)
    assert clean(text) == text


def test_what_is_cut_says_so():
    assert clean("x" * MAX_LENGTH) == "x" * MAX_LENGTH
    assert clean("x" * (MAX_LENGTH + 1)) == "x" * (MAX_LENGTH - 1) + "…"
    assert clean("one two", 4) == "one…"


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [
        ("short", 5, "short"),
        ("a few words here", 12, "a few words…"),
        ("a few words here", 10, "a few wor…"),
        ("unbreakable", 5, "unbr…"),
        ("ab", 1, "…"),
        ("ab", 0, "…"),
    ],
)
def test_shorten(text, width, expected):
    assert shorten(text, width) == expected


def test_one_is_no_plural():
    assert [counted(number, "post") for number in (0, 1, 1_200)] == ["0 posts", "1 post", "1,200 posts"]
    assert [counted(number, "watch", "watches") for number in (1, 2)] == ["1 watch", "2 watches"]
