"""Playbook files: what is read, and that every mistake is named with its line and its cure."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crisisdesk.playbooks.format import Parsed, Playbook, load, parse
from crisisdesk.records import Kind, Severity

HERE = Path("book.md")

GOOD = """---
title: Price rise
id: price-rise
owner: Head of Communications
language: en
reviewed: 2026-10-01
review-every: 6 months
strategy: explain: the reason first
approve: Duty Officer, Head of Communications
backup: CEO
approve-within: 15 min
kinds: spike, brigading
watches: Acme, Acme Plus
words: price, too expensive, Preiserhöhung
at-least: amber
---
# Price rise

> People feel taken advantage of.
> Give the real reason.

Some prose.

## First hour (Duty Officer)

Keep calm.

- [ ] Read the posts. (5 min)
- [ ] Pause all offers
  and all advertising. (2 hours) @Social Media
- [x] Ask @Legal for a look.
- a remark

## Afterwards (within 48 hours)

- [ ] Talk about it. @Head of Communications

## Do not

- Speak of an "adjustment".

## Holding statement [en]

It costs more,
and {{name}} says why.

Sorry.

## Holding statement [DE, Reply]

> Es kostet mehr.
"""


def read(text: str) -> Playbook:
    parsed = parse(text, HERE)
    assert parsed.problems == ()
    assert parsed.playbook is not None
    return parsed.playbook


def lines_of(parsed: Parsed) -> list[str]:
    return [str(problem) for problem in parsed.problems]


def problems_after(old: str, new: str) -> list[str]:
    """The problems of the good playbook with one change."""
    assert old in GOOD
    return lines_of(parse(GOOD.replace(old, new, 1), HERE))


def test_front_matter_is_read_with_its_types():
    book = read(GOOD)
    assert (book.id, book.title, book.owner, book.language) == (
        "price-rise",
        "Price rise",
        "Head of Communications",
        "en",
    )
    assert book.strategy == "explain: the reason first"
    assert (book.reviewed, book.review_every) == (date(2026, 10, 1), timedelta(days=180))
    assert book.approve == ("Duty Officer", "Head of Communications")
    assert (book.backup, book.approve_within) == (("CEO",), timedelta(minutes=15))
    assert book.kinds == (Kind.SPIKE, Kind.BRIGADING)
    assert book.watches == ("Acme", "Acme Plus")
    assert book.words == ("price", "too expensive", "Preiserhöhung")
    assert book.at_least is Severity.AMBER
    assert not book.is_general
    assert book.body.startswith("# Price rise\n")


def test_phases_and_steps_have_owners_limits_and_lines():
    first, afterwards = read(GOOD).phases
    assert (first.title, first.role) == ("First hour", "Duty Officer")
    assert [(step.text, step.minutes, step.owner, step.line) for step in first.steps] == [
        ("Read the posts.", 5, "Duty Officer", 28),
        ("Pause all offers and all advertising.", 120, "Social Media", 29),
        ("Ask Legal for a look.", None, "Legal", 31),
    ]
    assert first.prose == "Keep calm.\n\n- a remark"
    assert (afterwards.title, afterwards.role) == ("Afterwards (within 48 hours)", "")
    assert afterwards.steps[0].owner == "Head of Communications"


def test_summary_and_statements_are_whole_paragraphs():
    book = read(GOOD)
    assert book.summary == "People feel taken advantage of. Give the real reason."
    english, german = book.statements
    assert (english.language, english.channel, english.line) == ("en", "", 42)
    assert english.text == "It costs more, and {{name}} says why.\n\nSorry."
    assert (german.language, german.channel, german.text) == ("de", "reply", "Es kostet mehr.")


def test_german_headings_and_durations_are_understood():
    book = read(
        GOOD.replace("Holding statement [en]", "Erste Stellungnahme [en]")
        .replace("First hour (Duty Officer)", "Erste Stunde (Pressestelle)")
        .replace("(5 min)", "(5 Min.)")
        .replace("(2 hours)", "(2 Stunden)")
        .replace("6 months", "180 Tage")
    )
    assert book.phases[0].role == book.phases[0].steps[0].owner == "Pressestelle"
    assert [step.minutes for step in book.phases[0].steps] == [5, 120, None]
    assert book.review_every == timedelta(days=180)
    assert book.statements[0].language == "en"


def test_windows_line_ends_a_byte_order_mark_and_tabs_do_no_harm():
    windows = "\ufeff" + GOOD.replace("\n", "\r\n").replace("owner: ", "owner:\t").replace("- [ ] ", "- [ ]\t")
    assert read(windows) == read(GOOD)


def test_terminal_escapes_do_not_survive():
    book = read(GOOD.replace("Read the posts.", "Read \x1b]52;c;aGk=\x07the\u202e posts."))
    assert book.phases[0].steps[0].text == "Read the posts."
    assert book.body.replace("\n", "").isprintable()


def test_headings_in_code_are_no_headings():
    book = read(GOOD.replace("Some prose.", "```\n## Not a phase (Nobody)\n```"))
    assert [phase.title for phase in book.phases] == ["First hour", "Afterwards (within 48 hours)"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("owner:", "onwer:", '4: error: unknown key "onwer"; did you mean owner?'),
        ("backup:", "review_every:", '10: error: unknown key "review_every"; did you mean review-every?'),
        (
            "owner: Head of Communications\n",
            "",
            '1: error: the key "owner" is missing; add a line such as owner: Head of Communications',
        ),
        (
            "backup: CEO",
            "title: Other",
            '10: error: the key "title" stands here a second time; keep this line or line 2',
        ),
        ("backup: CEO", "backup:", "10: error: nothing stands behind backup:; write its value, or remove the line"),
        ("backup: CEO", "backup CEO", '10: error: "backup CEO" is no key with a value; write key: value'),
        (
            "2026-10-01",
            "1.10.2026",
            '6: error: reviewed: "1.10.2026" is not a date; write it as year-month-day, such as 2026-10-01',
        ),
        (
            "2026-10-01",
            "2026-02-30",
            "6: error: reviewed: the calendar has no 2026-02-30; write an existing day, such as 2026-10-01",
        ),
        (
            "6 months",
            "often",
            (
                '7: error: review-every: "often" is no length of time; '
                "write a number and a unit, such as 15 min or 180 days"
            ),
        ),
        ("amber", "ambr", '15: error: at-least: "ambr" is no severity; did you mean amber?'),
        ("amber", "5", '15: error: at-least: "5" is no severity; write notice, amber or red'),
        (
            "spike, brigading",
            "spike, brigade",
            '12: error: kinds: "brigade" is no kind of incident; did you mean brigading?',
        ),
        ("language: en", "language: German", '5: error: language: "German" is no language code; write de'),
        (
            "price-rise",
            "Price Rise!",
            '3: error: id: the id "Price Rise!" holds more than small letters, digits and hyphens; write price-rise',
        ),
        (
            "price, too expensive, Preiserhöhung",
            "[price]",
            "14: error: words: a list is written without brackets; write the items with commas between: a, b",
        ),
        (
            "price, too expensive, Preiserhöhung",
            ",",
            "14: error: words: the list is empty; write its items with commas between, or remove the line",
        ),
        (
            "Duty Officer, Head",
            "Duty Officer -> Head",
            (
                "9: error: approve: roles are separated by commas alone; "
                "write: Duty Officer, Head of Communications (a stand-in goes to backup)"
            ),
        ),
        (
            "statement [en]",
            "statement",
            "42: error: this holding statement has no language; write ## Holding statement [en] or [de, reply]",
        ),
        (
            "statement [en]",
            "statement [reply]",
            (
                '42: error: this holding statement has no language: "reply" is no language code; '
                "write [en, reply] or [de, reply]"
            ),
        ),
        (
            "statement [en]",
            "statment [en]",
            (
                '42: error: "Holding statment [en]" is not read as a holding statement; '
                "did you mean ## Holding statement [en]?"
            ),
        ),
        (
            " (Duty Officer)",
            "",
            (
                '28: error: nobody owns the step "Read the posts."; '
                "end it with @Role, or put (Role) behind the heading above it"
            ),
        ),
        (
            "- [ ] Read",
            "-[ ] Read",
            "28: error: this line is not read as a step; write - [ ] with one space between the brackets and after",
        ),
        ("(5 min)", "(5 mim)", '28: warning: the limit "(5 mim)" is no length of time; write (5 min) or (2 hours)'),
        ("@Head", "@Haed", "36: warning: unknown role @Haed of Communications; did you mean @Head of Communications?"),
        ("## Do", "##Do", "38: error: a heading needs a space after its #; write ## Do not"),
        (
            "## Do not",
            "## Do not (Boss)",
            '38: warning: the phase "Do not" has no steps; write them as - [ ] …, or leave the round brackets away',
        ),
        (
            "{{name}}",
            "{{name",
            "45: error: a placeholder is not closed; write {{name}}, with two brackets on both sides",
        ),
        ("{{name}}", "{{names}}", "45: error: unknown placeholder {{names}}; did you mean {{name}}?"),
        (
            "{{name}}",
            "{{nmae}}",
            (
                "45: warning: unknown placeholder {{nmae}}; did you mean {{name}}? "
                "If not, people will be asked for it by this name"
            ),
        ),
        (
            "{{name}}",
            "{{Your name}}",
            '45: error: "{{Your name}}" is not a placeholder; small letters and _ only, such as {{your_name}}',
        ),
        ("{{name}}", "{name}", "45: warning: {name} is not filled in; write {{name}}"),
        (
            "statement [DE, Reply]",
            "statement [en]",
            "49: warning: a second holding statement [en]; name the channel for which this one is meant: [en, press]",
        ),
    ],
)
def test_a_typical_mistake_is_named_with_its_line_and_cure(old, new, problem):
    assert problems_after(old, new) == [f"book.md:{problem}"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1: error: the file is empty; write a playbook, or remove the file"),
        (
            "# Just text",
            "1: error: the front matter is missing; begin the file with ---, lines such as title: …, and --- again",
        ),
        (
            "\n\n" + GOOD,
            "3: error: the front matter starts too late; make --- the very first line, without spaces before it",
        ),
        (
            GOOD.replace("---", "—", 1),
            "1: error: this is not a line of three hyphens; write ---, three hyphens and nothing else",
        ),
        (
            GOOD.replace("amber\n---", "amber\n–––"),
            "16: error: the front matter is not closed before this line; put a line of three hyphens: ---",
        ),
        (
            "---\ntitle: x",
            "1: error: the front matter never ends; put a line of three hyphens (---) below the last key",
        ),
    ],
)
def test_without_front_matter_there_is_one_clear_problem(text, problem):
    assert lines_of(parse(text, HERE)) == [f"book.md:{problem}"]


def test_an_error_gives_no_playbook_and_a_warning_does():
    assert parse(GOOD.replace("owner:", "onwer:"), HERE).playbook is None
    assert parse(GOOD.replace("{{name}}", "{{clinic}}"), HERE).playbook is not None


def test_missing_statements_are_a_warning():
    silent = GOOD[: GOOD.index("## Holding")]
    assert lines_of(parse(silent, HERE)) == [
        "book.md:1: warning: there is no holding statement; add ## Holding statement [en]"
    ]
    assert problems_after("Holding statement [en]", "Holding statement [fr]") == [
        (
            "book.md:5: warning: there is no holding statement in the playbook's own language, en; "
            "add ## Holding statement [en]"
        )
    ]


def test_a_playbook_without_steps_is_refused():
    bare = GOOD[: GOOD.index("## First")] + GOOD[GOOD.index("## Do not") :]
    assert lines_of(parse(bare, HERE)) == [
        (
            "book.md:1: error: there is no step to follow; "
            "add a heading such as ## First hour (Duty Officer), below it - [ ] …"
        )
    ]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (
            GOOD.encode("utf-16"),
            'the file is not plain UTF-8 text; save it in your editor as "UTF-8" and as plain text',
        ),
        (b"---\n" * 60_000, "the file is too long for a playbook; keep it under 200 kB"),
    ],
    ids=["utf-16", "too long"],
)
def test_a_file_that_is_no_text_is_a_problem_not_a_crash(tmp_path, raw, problem):
    path = tmp_path / "book.md"
    path.write_bytes(raw)
    assert lines_of(load(path)) == [f"{path}:1: error: {problem}"]


def test_a_missing_file_is_a_problem_too(tmp_path):
    path = tmp_path / "none.md"
    assert lines_of(load(path)) == [
        (
            f"{path}:1: error: the file cannot be read (No such file or directory); "
            "check that it is there and that you may read it"
        )
    ]


NASTY = """--- ## ##( -[] [ ] {{ }} {{}} [ ] () ``` \x00 # : @ id:-"""
PIECES = st.sampled_from(
    [
        *GOOD.splitlines(),
        *NASTY.split(" "),
        *("## (", "- [ ]", "- [ ] @", "- [ ] @ @Role", "words: ,", "reviewed: ٢٠٢٦-10-01", "review-every: ٣ days"),
        "review-every: 99999 years",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text()), max_size=40), st.booleans())
def test_no_input_crashes_the_parser(pieces, has_front_matter):
    text = (GOOD[: GOOD.index("# Price")] if has_front_matter else "") + "\n".join(pieces)
    parsed = parse(text, HERE)
    errors = [problem for problem in parsed.problems if problem.severity == "error"]
    assert (parsed.playbook is None) == bool(errors)
    assert list(parsed.problems) == sorted(parsed.problems)
    count = text.count("\n") + text.count("\r") + 1
    for problem in parsed.problems:
        assert 1 <= problem.line <= count
        assert "\n" not in str(problem)
        assert str(problem).isprintable()
