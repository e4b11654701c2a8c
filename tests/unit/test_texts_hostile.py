"""Whatever strangers write, people are told it as plain text that calls nobody and fits."""

import re
from dataclasses import replace

import pytest
from calls import ENGLISH, GERMAN, MOTRIN, quote, told
from hypothesis import given, settings
from hypothesis import strategies as st

from crisisdesk.outputs.people.texts import Space, message
from crisisdesk.outputs.people.texts.harmless import harmless, link
from crisisdesk.records import Event, Evidence, Incident, Phrase, PlaybookRef, Severity, Silence

EVIL = (
    "<!channel>", "<!here|x>", "<@U123>", "<at>Anna</at>", "@everyone", "@here", "@channel", "@room", "@all",
    "[your bank](https://evil.example)", "<https://evil.example|your bank>", "```", "`x`", "**loud**", "~~gone~~",
    "||spoiler||", "__under__", "\x1b[2J", "\x1b]52;c;aGk=\x07", "\u202eabc", "\u200b", "a\r\nBcc: x@y.z", "\0",
    "<b>x</b>", "&lt;!here&gt;", "javascript:alert(1)", "\\n", "{incident}", "%s", "$(id)", "\ud800",
)  # fmt: skip
hostile = st.lists(st.one_of(st.sampled_from(EVIL), st.text(max_size=40)), max_size=6).map(" ".join)
MARKUP = re.compile(r"[@<>`*~|\[\]\\]|__|[^\S\n ]")


def plain(text: str) -> bool:
    """Whether nothing in it calls, hides or draws; spaces of German and line breaks of ours are fine."""
    return MARKUP.search(text.replace("\u00a0", " ")) is None and all(c.isprintable() or c in "\n\u00a0" for c in text)


def evil_incident(text: str, author: str, url: str) -> Incident:
    posts = tuple(quote(number, text, author=author, url=url) for number in range(4))
    return replace(
        MOTRIN,
        watch=text or "x",
        why=text,
        why_de=text,
        evidence=Evidence(phrases=(Phrase(text, 3, 0.0),), posts=posts),
        playbook=PlaybookRef("x", text, text),
        acknowledged_by=text,
        assigned_to=author,
        silence=Silence(MOTRIN.opened, author, text, Severity.RED),
    )


@settings(max_examples=60, deadline=None)
@given(st.tuples(hostile, hostile, hostile), st.sampled_from(Event), st.integers(40, 4_000), st.booleans())
def test_any_text_is_told_as_plain_text_that_fits(texts, event, room, german):
    text, author, url = texts
    space = Space(60, room, lambda said: len(said.encode()))
    incident = evil_incident(text, author, url)
    notifications = [
        told(event, incident, person=author, reason=f"to {author}: {text}"),
        told(Event.CALLED, replace(incident, id="other")),
    ]
    found = message(notifications, GERMAN if german else ENGLISH, space)
    assert plain(found.title)
    assert plain(found.body)
    assert len(found.title.encode()) <= space.title
    assert len(found.body.encode()) <= room
    assert found.body


@pytest.mark.parametrize("evil", EVIL)
def test_each_of_these_is_defused(evil):
    assert plain(harmless(evil))


def test_what_is_harmless_stays_as_it_was_written():
    for text in ("I'm done. #motrinmoms!", "50 % of us – “never” again…", "snake_case (sic) 12:30 & more", "größer 👶"):
        assert harmless(text) == text


def test_who_is_named_can_still_be_read():
    assert harmless("@acme@social.example wrote") == "＠acme＠social.example wrote"


@pytest.mark.parametrize(
    "url",
    [
        None, "", "javascript:alert(1)", "file:///etc/passwd", "ftp://x/y", "https://", "https://bank.example@evil.example/",
        "https://x/ y", "https://x/<b>", "https://x/|label", "https://[half", "https://x/\x1b", "https://ex\u0430mple/",
        "https://x/" + "y" * 600, "https://x/a)](b",
    ],
)  # fmt: skip
def test_what_is_no_plain_link_is_left_out(url):
    assert link(url) is None


def test_a_link_calls_nobody():
    assert link("https://social.example/@anna/123?a=b#c") == "https://social.example/%40anna/123?a=b#c"
