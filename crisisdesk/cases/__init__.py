"""Crises that ship with the desk: what happened when, and a file of posts to replay."""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Final

from crisisdesk.errors import UsageError

NOTICE: Final = "Reconstruction: synthetic posts on the documented timeline; no archive of the 2008 posts exists."


@dataclass(frozen=True, slots=True)
class Case:
    """A crisis to replay. Times are UTC."""

    name: str
    title: str
    notice: str
    """What the posts are; shown wherever they are shown."""
    watch: str
    terms: tuple[str, ...]
    shown_from: datetime
    """Where the showing begins; what is earlier is learnt from."""
    first_answer: datetime
    """When the company first answered."""
    moments: tuple[tuple[datetime, str], ...]
    """What is documented, in order; where sources name only a part of the day, its beginning."""
    zone: tzinfo = UTC
    """By whose clocks the story is told where it is shown."""

    @property
    def path(self) -> Path:
        """The posts, JSON lines packed with gzip."""
        return Path(str(files("crisisdesk.cases") / self.name / "posts.jsonl.gz"))


def _utc(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2008, 11, day, hour, minute, tzinfo=UTC)


EASTERN: Final = timezone(timedelta(hours=-5), "EST")
"""Of the United States in winter; no database of time zones is needed to show a case."""

_CASES: Final = {
    "motrin": Case(
        name="motrin",
        title="Motrin, November 2008: an advertisement that mocked mothers who carry their babies",
        notice=NOTICE,
        watch="Motrin",
        terms=("motrin", "#motrinmoms", "pain reliever"),
        shown_from=_utc(14, 23),
        first_answer=_utc(17, 1),
        moments=(
            (_utc(15, 3), "Friday, late evening: a blogger with about 1,000 followers and a few others complain"),
            (_utc(15, 13), "Saturday morning: all was fine"),
            (_utc(15, 15), "Saturday: first blog post, first #motrinmoms"),
            (_utc(16, 1), "Saturday night: a flood"),
            (_utc(16, 9), "Sunday, 4 a.m.: a protest video made of the posts"),
            (_utc(16, 18), "Sunday: peak at over 400 posts an hour, top search on the network"),
            (_utc(16, 21), "Sunday afternoon: advertisement pulled, site down for about 16 hours"),
            (_utc(17, 1), "Sunday evening: apology by e-mail to bloggers, the company's first answer"),
            (_utc(17, 14), "Monday: apology on the site"),
            (_utc(17, 18), "Monday afternoon: the tone turns"),
        ),
        zone=EASTERN,
    ),
}


def names() -> tuple[str, ...]:
    """The cases there are."""
    return tuple(_CASES)


def case(name: str) -> Case:
    """The case of that name.

    Raises:
        UsageError: there is none; the message names the nearest, or all.
    """
    if name in _CASES:
        return _CASES[name]
    near = difflib.get_close_matches(name.lower(), _CASES, n=3, cutoff=0.4)
    cure = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(_CASES)}."
    raise UsageError(f"There is no case {name!r}; {cure}")
