"""The people of the case: invented, each with a following, a way of writing and a family that stays the same."""

import math
import random
import re
from dataclasses import dataclass, field
from datetime import datetime
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("es", "de", "fr", "pt", "nl", "ja", "it", "tl")
LEAST, MOST = 3, 20_000
"""Followings at the ends; most people have around a hundred readers."""
HANDLE: Final = 15
"""Characters of a handle at the time."""
_TAGS: Final = ("#motrinmoms", "#MotrinMoms", "#Motrinmoms", "#motrinMoms", "#MOTRINMOMS")


@dataclass(slots=True)
class Person:
    """An author. `voice` is a role or a language code."""

    handle: str
    voice: str
    reach: int
    activity: float
    """How readily they post, against others."""
    kid: str
    age: str
    children: int
    tag: str
    tag_first: bool
    lower: bool
    plain: bool
    """Leaves apostrophes out."""
    short: bool
    """Writes "u" and "w/"."""
    proper: bool
    """Capital first, full stop last."""
    lively: float
    """Chance of an exclamation, an emoticon or a stretched word."""
    careless: float
    """Chance of a typing error."""
    last: datetime | None = None
    said: set[str] = field(default_factory=set)

    @property
    def lang(self) -> str:
        """The language they write."""
        return self.voice if self.voice in LANGUAGES else "en"


def _names() -> dict[str, list[str]]:
    """The lists of bank/names.txt by their heading."""
    lists: dict[str, list[str]] = {}
    heading = ""
    for row in (files(__package__) / "bank" / "names.txt").read_text(encoding="utf-8").splitlines():
        if row.startswith("== "):
            heading = row[3:]
        elif not row.startswith("# "):
            lists.setdefault(heading, []).extend(row.split())
    return lists


class Crowd:
    """People who have spoken, drawn as readily as they post."""

    def __init__(self) -> None:
        self.people: list[Person] = []
        self._weights: list[float] = []

    def add(self, person: Person) -> None:
        """Let somebody in."""
        self.people.append(person)
        self._weights.append(person.activity + (self._weights[-1] if self._weights else 0.0))

    def pick(self, rng: random.Random) -> Person:
        """Somebody of them."""
        return rng.choices(self.people, cum_weights=self._weights)[0]


class People:
    """Everybody who may post; new people turn up, and some of them come again."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._names = _names()
        self._taken: set[str] = set()

    def new(self, voice: str) -> Person:
        """Somebody who has not posted before."""
        rng = self._rng
        middle = 5.9 if voice == "pro" else 4.5
        reach = round(math.exp(rng.normalvariate(middle, 1.35)))
        lower = rng.random() < 0.27
        weeks = rng.randint(2, 100)
        handle = self._handle(voice)
        told = re.search(r"of([2-6])", handle)
        return Person(
            handle=handle,
            voice=voice,
            reach=max(LEAST, reach if reach <= MOST else rng.randint(MOST // 2, MOST)),
            activity=math.exp(rng.normalvariate(0, 1.1)),
            kid=rng.choice(self._names["kid"]),
            age=_age(weeks, rng),
            children=int(told[1]) if told else rng.choice((2, 2, 2, 3, 3, 4, 5)),
            tag=rng.choices(_TAGS, (74, 17, 4, 4, 1))[0],
            tag_first=rng.random() < 0.04,
            lower=lower,
            plain=rng.random() < (0.35 if lower else 0.12),
            short=rng.random() < 0.1,
            proper=not lower and rng.random() < 0.45,
            lively=rng.choice((0.0, 0.0, 0.1, 0.2, 0.45)),
            careless=rng.choice((0.0, 0.0, 0.03, 0.1)),
        )

    def _handle(self, voice: str) -> str:
        while True:
            handle = self._invent(voice)
            if len(handle) <= HANDLE and handle.lower() not in self._taken:
                self._taken.add(handle.lower())
                return handle

    def _invent(self, voice: str) -> str:
        rng, names = self._rng, self._names
        women = voice == "mom" or (voice not in {"dad", "guy"} and rng.random() < 0.6)
        handle = self._pattern(voice).replace("{first}", "{first}" if women else "{guy}")
        for slot in ("first", "guy", "word", "plain", "made", "tail", "place", "does", "kid"):
            while "{" + slot + "}" in handle:
                handle = handle.replace("{" + slot + "}", rng.choice(names[slot]), 1)
        number = rng.choice(
            (str(rng.randint(1, 99)), str(rng.randint(60, 92)), f"0{rng.randint(1, 9)}", str(rng.randint(100, 2008)))
        )
        handle = re.sub(r"\?", lambda _: rng.choice("abcdefghjklmnprstvw"), handle.replace("9", number))
        if "_" not in handle and rng.random() < 0.12:
            handle = handle.capitalize()
        return handle

    def _pattern(self, voice: str) -> str:
        own = self._names.get(f"patterns {voice}", [])
        return self._rng.choice(own if own and self._rng.random() < 0.3 else self._names["patterns"])


def _age(weeks: int, rng: random.Random) -> str:
    """A baby's age as parents give it."""
    if weeks < 14:  # parents count in weeks up to three months
        return f"{weeks} {rng.choice(('wk', 'week'))}"
    return f"{weeks * 7 // 30} {rng.choice(('mo', 'month', 'mth'))}"
