"""The playbook and the timeline of an incident, as pages."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

from textual.content import Content

from crisisdesk.console import words
from crisisdesk.console.paint import INK, joined, plain
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.page import BLANK, Line, Page, heading, row
from crisisdesk.playbooks.format import Phase, Playbook, Statement
from crisisdesk.records import Change, Event, PlaybookRef, Severity

_HEADING: Final = re.compile(r"^##\s+(.*)$", re.MULTILINE)
_LANGUAGES: Final = {"en": "English", "de": "Deutsch"}


def playbook_page(book: Playbook | None, reference: PlaybookRef | None) -> Page:
    """The whole playbook: steps by phase, what not to do, what to say."""
    if book is None:
        missing = "The proposed playbook cannot be read; see the status line." if reference else "No playbook fits."
        return Page([Line(Content.styled(missing, "$faint"))])
    lines = [Line(plain(book.title, "bold"))]
    if reference and reference.reason:
        lines.append(Line(plain(reference.reason, "$faint")))
    lines += [BLANK, Line(plain(book.summary, "italic")), BLANK]
    for phase in book.phases:
        lines += [*_phase_lines(phase, reference.next_step if reference else ""), BLANK]
    for title, text in prose_sections(book):
        lines += [heading(title), *(Line(plain(part)) for part in text), BLANK]
    for statement in book.statements:
        lines += [*_statement_lines(statement), BLANK]
    return Page(lines)


def prose_sections(book: Playbook) -> list[tuple[str, list[str]]]:
    """The sections that are neither steps nor statements, such as "Do not": title and paragraphs."""
    pieces = _HEADING.split(book.body)
    found = []
    for title, text in zip(pieces[1::2], pieces[2::2], strict=True):
        paragraphs = [re.sub(r"^[-*+]\s", "• ", line.strip()) for line in text.splitlines() if line.strip()]
        if "[" not in title and not any(re.match(r"^• \[[ xX]\]", line) for line in paragraphs):
            found.append((title, paragraphs))
    return found


def _phase_lines(phase: Phase, next_step: str) -> Iterable[Line]:
    yield Line(joined(plain(phase.title, "bold $primary"), plain(phase.role, "$faint")))
    for step in phase.steps:
        is_next = step.text == next_step
        sign = Content.styled("▶ " if is_next else "□ ", "bold $accent" if is_next else "$faint")
        limit = f"{step.minutes} min" if step.minutes else ""
        owner = f"@{step.owner}" if step.owner and step.owner != phase.role else ""
        aside = joined(plain(owner, "$accent", cells=24), Content.styled(limit, "$faint"))
        yield Line(plain(step.text, "bold" if is_next else ""), aside, sign=sign)


def _statement_lines(statement: Statement) -> Iterable[Line]:
    language = _LANGUAGES.get(statement.language, statement.language)
    yield Line(joined(Content.styled("Holding statement", "bold $primary"), plain(language), plain(statement.channel)))
    for paragraph in statement.text.split("\n\n"):
        yield Line(_with_gaps(paragraph), indent=2)


def _with_gaps(text: str) -> Content:
    """A statement's words; what must still be filled in stands out."""
    parts = re.split(r"(\{\{[^{}]*\}\})", text)
    return Content.assemble(*(plain(p, "bold $warning") if p.startswith("{{") else _raw(p) for p in parts if p))


def _raw(text: str) -> Content:
    """Cleaned, but with the spaces at its ends, which part it from its neighbours."""
    return Content.assemble(" " if text[0].isspace() else "", plain(text), " " if text[-1].isspace() else "")


def timeline_page(changes: Sequence[Change], times: Times) -> Page:
    """What happened, the latest first."""
    told, before, worst = [], None, Severity.NOTICE
    for change in changes:
        worst = max(worst, change.severity)
        told.append(list(_change_lines(change, _how_bad(change, before, worst), times)))
        before = change.severity
    lines = [line for one in reversed(told) for line in one]
    return Page(lines or [Line(Content.styled("Nothing has happened yet.", "$faint"))])


def _how_bad(change: Change, before: Severity | None, worst: Severity) -> Content:
    """The severity after a change: from what it came, or at the end, what it was at its worst."""
    if change.event is Event.RESOLVED:
        return Content.styled(f"{worst.name} at its worst" if worst > change.severity else worst.name, INK[worst])
    now = Content.styled(change.severity.name, INK[change.severity])
    if before is None or before is change.severity:
        return now
    return Content.assemble((before.name, INK[before]), (" → ", "$faint"), now)


def _change_lines(change: Change, how_bad: Content, times: Times) -> Iterable[Line]:
    did = change.person and change.event is not Event.LAPSED  # that names who had it, and its reason says so
    who = plain(f"by {change.person}" if did else "", "$faint", cells=30)
    ink = "$error" if change.event is Event.UNANSWERED else INK[change.severity]
    yield row(
        joined(Content.styled(words.EVENTS.get(change.event, change.event), f"bold {ink}"), how_bad, who),
        Content.styled(times.when(change.time), "$faint"),
    )
    if change.reason:
        yield Line(plain(change.reason), indent=2)
