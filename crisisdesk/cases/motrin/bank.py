"""The text bank: lines written by hand, who says them and when, and how one becomes a post (see bank/README.md)."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Final

from crisisdesk.cases.motrin.targets import END, START, eastern

STAGES: Final = {
    "hashtag": datetime(2008, 11, 15, 15, tzinfo=UTC),
    "flood": datetime(2008, 11, 16, 0, tzinfo=UTC),
    "video": datetime(2008, 11, 16, 10, tzinfo=UTC),
    "pulled": datetime(2008, 11, 16, 21, tzinfo=UTC),
    "email": datetime(2008, 11, 17, 1, tzinfo=UTC),
    "site": datetime(2008, 11, 17, 14, tzinfo=UTC),
    "turn": datetime(2008, 11, 17, 18, tzinfo=UTC),
}
"""From when on people can speak of a thing."""

FOREIGN_WEIGHT: Final = 0.25
"""How often a line in another language is drawn, against one in English."""
NEWS_WEIGHT: Final = 2.5
"""How often a line about the latest turn is drawn, against one that could be said at any time of the affair."""
REST: Final = 0.6
"""A line rests until this share of the others that fit has had its turn."""
_INNERMOST: Final = re.compile(r"\[([^\[\]]*)\]")
_ROLES: Final = ("any", "mom", "dad", "pro", "guy", "other")


@dataclass(slots=True)
class Line:
    """One line of the bank; `voice` is a role or a language code, times are half-open in UTC."""

    text: str
    voice: str
    start: datetime = START
    end: datetime = END
    hours: tuple[int, int] | None = None
    dates: tuple[str, str] | None = None
    to: tuple[str, ...] = ()
    """What a reply answers: the other post holds one of these; empty for anything."""
    drawn: int = -1_000_000
    """When it was last drawn, in draws of its deck."""
    uses: int = 0

    @property
    def is_foreign(self) -> bool:
        """Whether it is written in another language than English."""
        return self.voice not in _ROLES

    @property
    def weight(self) -> float:
        """How often it is drawn, against an everyday line."""
        return (FOREIGN_WEIGHT if self.is_foreign else 1.0) * (NEWS_WEIGHT if self.start > STAGES["flood"] else 1.0)

    def fits(self, time: datetime) -> bool:
        """Whether somebody could say it at that moment."""
        if not self.start <= time < self.end:
            return False
        local = eastern(time)
        if self.dates and not self.dates[0] <= f"{local:%m%d}" <= self.dates[1]:
            return False
        if self.hours is None:
            return True
        first, last = self.hours
        return first <= local.hour <= last if first <= last else local.hour >= first or local.hour <= last


def read(name: str) -> list[Line]:
    """The lines of `bank/<name>.txt`, in order."""
    lines: list[Line] = []
    head = Line("", "any")
    for row in (files(__package__) / "bank" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("== "):
            head = _heading(row)
        elif row and not row.startswith("# "):
            lines.append(replace(head, text=row))
    return lines


def _heading(row: str) -> Line:
    voice, *pairs = row.split()[1:]
    keys = dict(pair.split("=") for pair in pairs)
    line = Line("", voice)
    line.start = STAGES.get(keys.get("from", ""), START)
    line.end = STAGES.get(keys.get("until", ""), END)
    line.to = tuple(word.replace("_", " ") for word in keys.get("to", "").split(",") if word)
    if "hours" in keys:
        first, last = keys["hours"].split("-")
        line.hours = int(first), int(last)
    if "dates" in keys:
        opening, closing = keys["dates"].split("-")
        line.dates = opening, closing
    return line


class Deck:
    """Lines that are drawn in turn, so that the bank is used evenly and a line comes back as late as possible."""

    def __init__(self, names: Iterable[str]) -> None:
        self._lines = [line for name in names for line in read(name)]
        self._draws = 0
        self._hour = START - timedelta(hours=1)
        self._fitting: list[Line] = []

    def first(self) -> Line:
        """The line at the top: how it all begins."""
        line = self._lines[0]
        line.drawn, line.uses = self._draws, 1
        return line

    def draw(self, time: datetime, rng: random.Random) -> Line:
        """A line that fits the moment and has rested."""
        hour = time.replace(minute=0, second=0)
        if hour != self._hour:  # stages begin on the hour
            self._hour, self._fitting = hour, [line for line in self._lines if line.fits(hour)]
        gap = int(len(self._fitting) * REST)
        rested = [line for line in self._fitting if self._draws - line.drawn > gap]
        line = rng.choices(rested, [line.weight for line in rested])[0]
        line.drawn = self._draws
        line.uses += 1
        self._draws += 1
        return line


def choose(text: str, rng: random.Random) -> str:
    """The text with one of each `[a|b]` drawn, innermost first."""
    while _INNERMOST.search(text):
        text = _INNERMOST.sub(lambda match: rng.choice(match[1].split("|")), text)
    return " ".join(text.split())
