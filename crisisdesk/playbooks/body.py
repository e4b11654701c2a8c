"""The Markdown below the front matter: headings make phases and statements, check boxes make steps."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from crisisdesk.playbooks.placeholders import check_placeholders
from crisisdesk.playbooks.shape import Phase, Report, Statement
from crisisdesk.playbooks.steps import read_step
from crisisdesk.playbooks.values import WrongValueError, language, nearest, speaks_of_time

STATEMENT_HEADINGS: Final = (
    "holding statement", "holding statements", "first statement", "statement",
    "holding-statement", "erste stellungnahme", "erstes statement", "stellungnahme",
)  # fmt: skip

_HEADING: Final = re.compile(r" {0,3}(#{1,6}) (.*)")
_GLUED_HEADING: Final = re.compile(r" {0,3}(#{2,6})([^#\s].*)")  # one # may be a hashtag
_CODE_FENCE: Final = re.compile(r" {0,3}(?:```|~~~)")
_STEP: Final = re.compile(r"\s*[-*+] \[[ xX]\](?: (.*)|$)")
_BROKEN_STEP: Final = re.compile(r"\s*[-*+]? ?(?:\[\]|\[ +\]|\[[xX]\])(?=[^(]|$)")
_LIST_ITEM: Final = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s")
_LAST_BRACKETS: Final = re.compile(r"\(([^()]*)\)$")
_LABEL: Final = re.compile(r"\[([^\[\]]*)\]")


@dataclass(slots=True)
class Body:
    """What the Markdown holds."""

    summary: str = ""
    phases: list[Phase] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)


@dataclass(slots=True)
class _Section:
    """A heading with the numbered lines below it; `level` 0 is what stands before the first heading."""

    level: int
    title: str
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)

    @property
    def is_statement(self) -> bool:
        """Whether the heading announces words to the public, in whatever spelling."""
        name = self.title.casefold()
        return any(name == known or re.match(re.escape(known) + r"\s*[\[(:]", name) for known in STATEMENT_HEADINGS)


def read_body(lines: Sequence[str], start: int, roles: Iterable[str], report: Report) -> Body:
    """Read the lines from index `start` on; `roles` are those that the front matter names."""
    sections = list(_sections(lines, start, report))
    headings = (_title_and_role(section.title)[1] for section in sections)
    known = tuple(dict.fromkeys(filter(None, (*roles, *headings))))
    body = Body(summary=_summary(sections))
    for section in sections:
        if section.is_statement:
            _read_statement(section, body, report)
        else:
            _read_phase(section, body, known, report)
    check_placeholders(lines, start, report)
    if not any(phase.steps for phase in body.phases):
        report.error(
            1, "there is no step to follow", "add a heading such as ## First hour (Duty Officer), below it - [ ] …"
        )
    return body


def _sections(lines: Sequence[str], start: int, report: Report) -> Iterator[_Section]:
    current, in_code = _Section(0, "", start), False
    for number, line in enumerate(lines[start:], start=start + 1):
        in_code ^= _CODE_FENCE.match(line) is not None
        found = None if in_code else _HEADING.match(line) or _GLUED_HEADING.match(line)
        if found:
            if not _HEADING.match(line):
                report.error(number, "a heading needs a space after its #", f"write {found[1]} {found[2]}")
            heading = _Section(len(found[1]), found[2].strip().rstrip("#").strip(), number)
            if heading.level <= 2 or heading.is_statement or current.is_statement:
                yield current
                current = heading
                continue
        current.lines.append((number, line))
    yield current


def _title_and_role(heading: str) -> tuple[str, str]:
    """Split "First hour (Duty Officer)"; brackets with a time in them are part of the title."""
    found = _LAST_BRACKETS.search(heading)
    if not found or speaks_of_time(found[1]):
        return heading, ""
    return heading[: found.start()].strip(), found[1].strip()


def _summary(sections: Sequence[_Section]) -> str:
    """The first paragraph above the first "##", without quotation marks of Markdown."""
    above = [line.strip().lstrip("> ") for section in sections if section.level < 2 for _, line in section.lines]
    return next(_paragraphs(above), "")


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Paragraphs with their lines joined; items of a list keep lines of their own."""
    paragraph = ""
    for line in lines:
        if not line:
            if paragraph:
                yield paragraph
            paragraph = ""
        elif paragraph:
            paragraph += ("\n" if _LIST_ITEM.match(line) else " ") + line
        else:
            paragraph = line
    if paragraph:
        yield paragraph


def _read_statement(section: _Section, body: Body, report: Report) -> None:
    label = _LABEL.search(section.title)
    parts = [part.strip().casefold() for part in label[1].split(",")] if label else []
    if not parts or not parts[0]:
        report.error(
            section.line, "this holding statement has no language", "write ## Holding statement [en] or [de, reply]"
        )
        return
    try:
        code = language(parts[0])
    except WrongValueError as wrong:
        cure = f"write [en, {parts[0]}] or [de, {parts[0]}]" if wrong.cure.startswith("write its") else wrong.cure
        report.error(section.line, f"this holding statement has no language: {wrong.what}", cure)
        return
    channel = ", ".join(parts[1:])
    text = "\n\n".join(_paragraphs(re.sub(r"^> ?", "", line.strip()).strip() for _, line in section.lines))
    if not text:
        report.error(section.line, "this holding statement is empty", "write the words below the heading")
    if any((known.language, known.channel) == (code, channel) for known in body.statements):
        report.warning(
            section.line,
            f"a second holding statement [{', '.join(filter(None, (code, channel)))}]",
            f"name the channel for which this one is meant: [{code}, press]",
        )
    body.statements.append(Statement(code, channel, text, section.line))


def _read_phase(section: _Section, body: Body, known: Sequence[str], report: Report) -> None:
    _report_mistyped_statement(section, report)
    title, role = _title_and_role(section.title)
    steps, prose = _steps_and_prose(section, report)
    if steps and section.level != 2:
        report.error(
            steps[0][0], "this step stands above the first phase", "put ## First hour (Duty Officer) before it"
        )
        return
    if not steps:
        if role and section.level == 2:
            report.warning(
                section.line,
                f'the phase "{title}" has no steps',
                "write them as - [ ] …, or leave the round brackets away",
            )
        return
    read = tuple(read_step(text, number, role, known, report) for number, text in steps)
    body.phases.append(Phase(title, role, read, "\n".join(prose).strip()))


def _report_mistyped_statement(section: _Section, report: Report) -> None:
    label = _LABEL.search(section.title)
    close = nearest(section.title[: label.start()].strip(), STATEMENT_HEADINGS, 0.8) if label else None
    if label and close:
        written = f"## {close.capitalize()} [{label[1].strip()}]"
        report.error(section.line, f'"{section.title}" is not read as a holding statement', f"did you mean {written}?")


def _steps_and_prose(section: _Section, report: Report) -> tuple[list[tuple[int, str]], list[str]]:
    """The steps with their lines, wrapped lines joined, and the other lines."""
    steps: list[tuple[int, str]] = []
    prose: list[str] = []
    wrapped = False
    for number, line in section.lines:
        found = _STEP.match(line)
        if found:
            steps.append((number, (found[1] or "").strip()))
        elif _BROKEN_STEP.match(line):
            report.error(
                number, "this line is not read as a step", "write - [ ] with one space between the brackets and after"
            )
        elif wrapped and line.strip() and not _LIST_ITEM.match(line) and line.lstrip()[0] not in "#>":
            steps[-1] = (steps[-1][0], f"{steps[-1][1]} {line.strip()}".strip())
            continue
        else:
            prose.append(line)
        wrapped = found is not None
    return steps, prose
