"""The front matter: flat `key: value` lines between two lines of three hyphens. Not YAML: `no` stays a word."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from crisisdesk.playbooks.shape import Report
from crisisdesk.playbooks.values import WrongValueError, nearest, unquote, words
from crisisdesk.records import Kind, Severity

T = TypeVar("T")

REQUIRED: Final = ("title", "id", "owner", "language", "reviewed", "review-every", "strategy", "approve")
OPTIONAL: Final = ("backup", "approve-within", "kinds", "watches", "words", "at-least", "translation-of")
_EXAMPLES: Final = {
    "title": "Offensive advertisement",
    "id": "offensive-ad",
    "owner": "Head of Communications",
    "language": "en",
    "reviewed": "2026-10-01",
    "review-every": "180 days",
    "strategy": "rebuild: we caused it, so we apologise",
    "approve": "Duty Officer, Head of Communications",
}
_FENCE: Final = "---"
_DASHES: Final = re.compile(r"[-\u2010-\u2015\u2212_*=]{1,80}")  # what word processors make of three hyphens
_KEYS: Final = (*REQUIRED, *OPTIONAL)


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands behind a key, and in which line."""

    value: str
    line: int


class Matter:
    """The keys of one file. Reading a value reports what is wrong with it."""

    def __init__(self, entries: dict[str, Entry], misspelt: set[str], end: int, report: Report) -> None:
        self.end = end
        """Line of the closing hyphens."""
        self._entries = entries
        self._report = report
        for key in REQUIRED:
            if key not in entries and key not in misspelt:
                report.error(1, f'the key "{key}" is missing', f"add a line such as {key}: {_EXAMPLES[key]}")

    @property
    def lines(self) -> dict[str, int]:
        """In which line each key stands."""
        return {key: entry.line for key, entry in self._entries.items()}

    def read(self, key: str, convert: Callable[[str], T], default: T) -> T:
        """The value of a key as `convert` understands it; `default` where it is missing or wrong."""
        entry = self._entries.get(key)
        if entry is None or not entry.value:
            return default
        try:
            return convert(entry.value)
        except WrongValueError as wrong:
            self._report.error(entry.line, f"{key}: {wrong.what}", wrong.cure)
            return default


def read_matter(lines: Sequence[str], report: Report) -> Matter | None:
    """Read the lines of a file up to the second line of hyphens; None, and one problem, if there is no front matter."""
    if not lines or lines[0].rstrip() != _FENCE:
        _report_no_start(lines, report)
        return None
    entries: dict[str, Entry] = {}
    misspelt: set[str] = set()
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == _FENCE:
            return Matter(entries, misspelt, number, report)
        if _DASHES.fullmatch(line.strip()) or line.startswith("## "):
            report.error(number, "the front matter is not closed before this line", "put a line of three hyphens: ---")
            return None
        misspelt |= _read_line(line, number, entries, report)
    report.error(1, "the front matter never ends", "put a line of three hyphens (---) below the last key")
    return None


def _report_no_start(lines: Sequence[str], report: Report) -> None:
    first = next((number for number, line in enumerate(lines, start=1) if line.strip()), None)
    if first is None:
        report.error(1, "the file is empty", "write a playbook, or remove the file")
    elif lines[first - 1].strip() == _FENCE:
        report.error(
            first, "the front matter starts too late", "make --- the very first line, without spaces before it"
        )
    elif _DASHES.fullmatch(lines[first - 1].strip()):
        report.error(first, "this is not a line of three hyphens", "write ---, three hyphens and nothing else")
    else:
        report.error(
            first, "the front matter is missing", "begin the file with ---, lines such as title: …, and --- again"
        )


def _read_line(line: str, number: int, entries: dict[str, Entry], report: Report) -> set[str]:
    """Add the line's key to the entries; gives back the key that an unknown one was most likely meant to be."""
    if not line.strip() or line.startswith("#"):
        return set()
    key, colon, value = (part.strip() for part in line.partition(":"))
    value = unquote(value)
    if line[0] in " -":
        report.error(
            number, "a line here may not begin with a space or a hyphen", "write lists in one line: words: a, b"
        )
    elif not colon:
        report.error(number, f'"{line.strip()[:40]}" is no key with a value', "write key: value")
    elif key not in _KEYS:
        close = nearest(key, _KEYS)
        report.error(
            number, f'unknown key "{key}"', f"did you mean {close}?" if close else "known: " + ", ".join(_KEYS)
        )
        return {close} if close else set()
    elif key in entries:
        report.error(
            number, f'the key "{key}" stands here a second time', f"keep this line or line {entries[key].line}"
        )
    else:
        entries[key] = Entry(value, number)
        if not value:
            report.error(number, f"nothing stands behind {key}:", "write its value, or remove the line")
    return set()


def kinds(text: str) -> tuple[Kind, ...]:
    """Kinds of incidents between commas.

    Raises:
        WrongValueError: one of them is none.
    """
    found = []
    for item in words(text.lower()):
        if item not in set(Kind):
            raise WrongValueError(f'"{item}" is no kind of incident', _choice(item, list(Kind)))
        found.append(Kind(item))
    return tuple(found)


def severity(text: str) -> Severity:
    """The least severity.

    Raises:
        WrongValueError: it is none.
    """
    known = [str(level) for level in Severity]
    if text.lower() not in known:
        raise WrongValueError(f'"{text}" is no severity', _choice(text, known))
    return Severity[text.upper()]


def _choice(wrong: str, known: Sequence[str]) -> str:
    close = nearest(wrong, known)
    return f"did you mean {close}?" if close else "write " + ", ".join(known[:-1]) + f" or {known[-1]}"
