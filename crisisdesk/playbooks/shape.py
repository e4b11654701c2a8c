"""What a playbook is once it is read, and what can be wrong with its file."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from crisisdesk.records import Kind, Severity


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do. `minutes` is its limit, None without one; `line` is where it stands in the file."""

    text: str
    minutes: int | None
    owner: str
    line: int


@dataclass(frozen=True, slots=True)
class Phase:
    """Steps under one heading. `role` owns the steps that name nobody; "" when every step names its own."""

    title: str
    role: str
    steps: tuple[Step, ...]
    prose: str = ""
    """What else is written under the heading."""


@dataclass(frozen=True, slots=True)
class Statement:
    """First words to the public, paragraphs separated by an empty line; `{{field}}` is filled in before use."""

    language: str
    channel: str
    """Such as "reply" or "press"; "" when it fits any channel."""
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Playbook:
    """One situation and the answer to it. Empty `kinds`, `watches` and `words` mean: fits anything."""

    id: str
    title: str
    owner: str
    language: str
    reviewed: date
    review_every: timedelta
    strategy: str
    approve: tuple[str, ...]
    backup: tuple[str, ...]
    approve_within: timedelta | None
    kinds: tuple[Kind, ...]
    watches: tuple[str, ...]
    words: tuple[str, ...]
    at_least: Severity
    translation_of: str | None
    summary: str
    phases: tuple[Phase, ...]
    statements: tuple[Statement, ...]
    body: str
    """The Markdown below the front matter."""
    path: Path

    @property
    def is_general(self) -> bool:
        """Whether it names no situation at all, and so stands in where nothing else fits."""
        return not (self.kinds or self.watches or self.words or self.translation_of)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something to mend in a file; sorts by path and line."""

    path: str
    line: int
    severity: Literal["error", "warning"]
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.severity}: {self.what}; {self.cure}"


@dataclass(slots=True)
class Report:
    """Collects the problems of one file while it is read."""

    path: str
    problems: list[Problem] = field(default_factory=list)

    def error(self, line: int, what: str, cure: str) -> None:
        """Something that keeps the file from being used."""
        self.problems.append(Problem(self.path, line, "error", what, cure))

    def warning(self, line: int, what: str, cure: str) -> None:
        """Something that the desk can live with."""
        self.problems.append(Problem(self.path, line, "warning", what, cure))

    @property
    def failed(self) -> bool:
        """Whether there is an error among the problems."""
        return any(problem.severity == "error" for problem in self.problems)
