"""Reads a playbook: Markdown with a few `key: value` lines on top. Whatever the file holds, the answer is a report."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from crisisdesk.playbooks.body import read_body
from crisisdesk.playbooks.matter import Matter, kinds, read_matter, severity
from crisisdesk.playbooks.shape import Phase, Playbook, Problem, Report, Statement, Step
from crisisdesk.playbooks.values import day, duration, identifier, language, roles, words
from crisisdesk.records import Severity
from crisisdesk.text import clean

__all__ = ["Parsed", "Phase", "Playbook", "Problem", "Statement", "Step", "load", "parse"]

MAX_BYTES: Final = 200_000
"""Far beyond any playbook; what is longer was put there by mistake."""
_NEVER: Final = date(1970, 1, 1)
_NOTHING: Final[tuple[str, ...]] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as read: no playbook if any of its problems is an error."""

    playbook: Playbook | None
    problems: tuple[Problem, ...]
    lines: Mapping[str, int] = field(default_factory=dict)
    """In which line each key of the front matter stands."""


def load(path: Path) -> Parsed:
    """Read a playbook's file. A file that cannot be read is a problem in its first line, not an exception."""
    report = Report(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
        if len(raw) <= MAX_BYTES:
            return parse(raw.decode("utf-8-sig"), path)
        report.error(1, "the file is too long for a playbook", f"keep it under {MAX_BYTES // 1000} kB")
    except UnicodeDecodeError:
        report.error(1, "the file is not plain UTF-8 text", 'save it in your editor as "UTF-8" and as plain text')
    except OSError as error:
        report.error(
            1, f"the file cannot be read ({error.strerror})", "check that it is there and that you may read it"
        )
    return Parsed(None, tuple(report.problems))


def parse(text: str, path: Path) -> Parsed:
    """Read a playbook's text; `path` is named in the problems, which are sorted by line."""
    report = Report(str(path))
    lines = [_tidy(line) for line in re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))]
    matter = read_matter(lines, report)
    if matter is None:
        return Parsed(None, tuple(sorted(report.problems)))
    outline = _outline(matter, "\n".join(lines[matter.end :]).strip("\n"), path)
    body = read_body(lines, matter.end, filter(None, (outline.owner, *outline.approve, *outline.backup)), report)
    playbook = replace(outline, summary=body.summary, phases=tuple(body.phases), statements=tuple(body.statements))
    _check_statements(playbook, matter, report)
    return Parsed(None if report.failed else playbook, tuple(sorted(report.problems)), matter.lines)


def _outline(matter: Matter, text: str, path: Path) -> Playbook:
    """What the front matter says, before the Markdown is read."""
    return Playbook(
        id=matter.read("id", identifier, ""),
        title=matter.read("title", str, ""),
        owner=matter.read("owner", str, ""),
        language=matter.read("language", language, ""),
        reviewed=matter.read("reviewed", day, _NEVER),
        review_every=matter.read("review-every", duration, timedelta()),
        strategy=matter.read("strategy", str, ""),
        approve=matter.read("approve", roles, _NOTHING),
        backup=matter.read("backup", roles, _NOTHING),
        approve_within=matter.read("approve-within", duration, None),
        kinds=matter.read("kinds", kinds, ()),
        watches=matter.read("watches", words, _NOTHING),
        words=matter.read("words", words, _NOTHING),
        at_least=matter.read("at-least", severity, Severity.NOTICE),
        translation_of=matter.read("translation-of", identifier, None),
        summary="",
        phases=(),
        statements=(),
        body=text,
        path=path,
    )


def _check_statements(playbook: Playbook, matter: Matter, report: Report) -> None:
    if report.failed:
        return
    languages = {statement.language for statement in playbook.statements}
    if not languages:
        report.warning(1, "there is no holding statement", f"add ## Holding statement [{playbook.language}]")
    elif playbook.language not in languages:
        report.warning(
            matter.lines["language"],
            f"there is no holding statement in the playbook's own language, {playbook.language}",
            f"add ## Holding statement [{playbook.language}]",
        )


def _tidy(line: str) -> str:
    """A line without tabs, control and invisible characters, its indentation kept: it will be shown on a terminal."""
    if line.isprintable():
        return line
    line = line.expandtabs(4)
    return " " * (len(line) - len(line.lstrip())) + clean(line)
