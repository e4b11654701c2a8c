"""`check` over files and folders: what only the date and the other playbooks can tell."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from crisisdesk.playbooks.check import check

TODAY = date(2026, 11, 22)
SHIPPED = Path(__file__).parents[2] / "playbooks"
BOOK = """---
title: Price rise
id: price-rise
owner: Head of Communications
language: en
reviewed: 2026-10-01
review-every: 180 days
strategy: explain
approve: Duty Officer
words: price, expensive
---
## First hour (Duty Officer)
- [ ] Listen.

## Holding statement [en]
We hear you.
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    """The folder `books` below the working directory, so that problems name short paths."""
    monkeypatch.chdir(tmp_path)
    Path("books").mkdir()
    Path("books/README.md").write_text("# Not one", encoding="utf-8")
    return Path("books")


def write(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    text = BOOK
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def found(*paths: Path, today: date = TODAY) -> list[str]:
    return [str(problem) for problem in check(paths, today)]


def test_the_shipped_playbooks_are_free_of_problems():
    assert found(SHIPPED) == []


def test_a_good_folder_has_no_problems_and_the_readme_is_passed_over(folder):
    write(folder, "a.md")
    assert found(folder) == []
    assert found(folder / "README.md") == []


def test_problems_are_sorted_by_path_and_line(folder):
    write(folder, "b.md", ("owner:", "onwer:"), ("price-rise", "b"), ("180 days", "often"))
    write(folder, "a.md", ("[en]", ""))
    assert found(folder / "b.md", folder) == [
        "books/a.md:15: error: this holding statement has no language; write ## Holding statement [en] or [de, reply]",
        'books/b.md:4: error: unknown key "onwer"; did you mean owner?',
        (
            'books/b.md:7: error: review-every: "often" is no length of time; '
            "write a number and a unit, such as 15 min or 180 days"
        ),
    ]


def test_an_overdue_review_is_a_warning_from_the_day_after(folder):
    path = write(folder, "a.md")
    due = date(2026, 10, 1) + timedelta(days=180)
    assert found(path, today=due) == []
    assert found(path, today=due + timedelta(days=1)) == [
        (
            "books/a.md:6: warning: the review is 1 day overdue; "
            "ask Head of Communications to read it again and write the new date"
        )
    ]
    assert found(path, today=date(2026, 9, 1)) == [
        "books/a.md:6: warning: reviewed on 2026-10-01, which is still to come; write the day of the last review"
    ]


def test_two_files_with_one_id_are_errors(folder):
    write(folder, "a.md")
    write(folder, "b.md", ("expensive", "cheap"))
    assert found(folder) == [
        'books/a.md:3: error: the id "price-rise" is also that of books/b.md; give every playbook its own',
        'books/b.md:3: error: the id "price-rise" is also that of books/a.md; give every playbook its own',
    ]


def test_equal_matches_are_a_warning_whatever_the_order_and_spelling(folder):
    write(folder, "a.md")
    write(folder, "b.md", ("id: price-rise", "id: b"), ("price, expensive", "EXPENSIVE, Price"))
    write(folder, "c.md", ("id: price-rise", "id: c"), ("price, expensive", "price, expensive, dear"))
    cure = "change the words, watches or kinds of one, or write translation-of"
    assert found(folder) == [
        f"books/a.md:10: warning: books/b.md matches the same incidents equally well; {cure}",
        f"books/b.md:10: warning: books/a.md matches the same incidents equally well; {cure}",
    ]


def test_a_single_file_is_compared_with_its_neighbours_only_once_named(folder):
    write(folder, "a.md", ("180 days", "often"))
    write(folder, "b.md")
    write(folder, "c.md", ("expensive", "cheap"))
    assert found(folder / "c.md") == [
        'books/c.md:3: error: the id "price-rise" is also that of books/b.md; give every playbook its own'
    ]


def test_a_translation_is_no_rival_and_has_to_have_an_original(folder):
    german = (("language: en", "language: de"), ("[en]", "[de]"))
    write(folder, "a.md")
    write(
        folder, "b.md", ("id: price-rise", "id: b"), *german, ("words: price, expensive", "translation-of: price-rise")
    )
    assert found(folder) == []
    write(folder, "b.md", ("id: price-rise", "id: b"), *german, ("words: ", "translation-of: price-raise\nwords: "))
    write(folder, "c.md", ("id: price-rise", "id: c"), ("words: price, expensive", "translation-of: price-rise"))
    write(folder, "d.md", ("id: price-rise", "id: d"), ("words: price, expensive", "translation-of: c"))
    assert found(folder) == [
        'books/b.md:10: error: there is no playbook "price-raise"; write the id of the original',
        "books/b.md:11: warning: a translation is chosen with its original, words is not used; remove this line",
        "books/c.md:5: error: it has the language of its original, en; write its own",
        'books/d.md:10: error: "c" is a translation itself; write price-rise',
    ]


def test_nothing_to_check_is_an_error(folder):
    assert found(folder) == ["books:1: error: there is no playbook in this folder; put in a file that ends in .md"]
    assert found(Path("gone.md")) == [
        (
            "gone.md:1: error: the file cannot be read (No such file or directory); "
            "check that it is there and that you may read it"
        )
    ]
