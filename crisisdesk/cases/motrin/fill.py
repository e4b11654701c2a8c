"""Fills a line's slots for its author and moment, and puts one person's words into another's repost."""

import random
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.cases.motrin.people import Person
from crisisdesk.cases.motrin.style import TERMS
from crisisdesk.cases.motrin.targets import eastern

_CODE: Final = "abcdefghijkmnpqrstuvwxyz23456789"
_ADS: Final = ("http://example.org/sling-ad", "http://example.org/6nqk4e", "http://example.org/ad")
_VIDEOS: Final = ("http://example.org/moms-video", "http://example.org/5k2wvz", "http://example.org/v9")
_QUOTES: Final = ("RT @{}: {}", "RT @{} {}", "Retweet @{}: {}", "retweeting @{}: {}")
_NODS: Final = (
    *("This.", "lol", "yep", "so true", "agreed", "ha!", "Wow.", "interesting", "exactly", "ditto", "good one", "nice"),
    *("love this", "word", "hmm", "lol yes", "right on", "+1", "yup", "see:", "passing this on", "thought so too"),
)  # fmt: skip
_AFFAIR: Final = (
    "the Motrin thing",
    "this Motrin thing",
    "the Motrin ad",
    "the Motrin stuff",
    "all this Motrin business",
)
"""What people call it without the hashtag."""


class Filler:
    """Draws what a line leaves open; a few links are passed round, the others are each somebody's own."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._links = [self._code() for _ in range(24)]

    def fill(self, text: str, person: Person, time: datetime) -> str:
        """The text with its slots filled for this author at this time."""
        rng, local = self._rng, eastern(time)
        tag = person.tag
        if text.endswith("{tag}"):
            text = self._place_tag(text.removesuffix("{tag}").rstrip(), person)
        slots = {
            "tag": tag,
            "it": tag if rng.random() < 0.6 else rng.choice(_AFFAIR),
            "kid": person.kid,
            "age": person.age,
            "n": str(person.children),
            "today": _today(local),
            "day": f"{local:%A}".lower(),
            "now": _clock(local, rng),
            "time": _clock(local - timedelta(minutes=rng.randint(30, 240)), rng),
            "link": f"http://example.org/{rng.choice(self._links) if rng.random() < 0.5 else self._code()}",
            "ad": rng.choice(_ADS),
            "video": rng.choice(_VIDEOS),
        }
        for name, value in slots.items():
            text = text.replace("{" + name + "}", value)
        return text

    def _place_tag(self, text: str, person: Person) -> str:
        rng = self._rng
        if TERMS.search(text) and rng.random() < 0.4:
            return text
        if person.tag_first and not text.startswith("@"):
            return f"{person.tag} {text}"
        extra = rng.choice((" #fail", " #babywearing", " #motrin")) if rng.random() < 0.02 else ""
        return f"{text} {person.tag}{extra}"

    def _code(self) -> str:
        return "".join(self._rng.choice(_CODE) for _ in range(6))

    def quote(self, text: str, handle: str) -> str:
        """The text as somebody else repeats it."""
        rng = self._rng
        if rng.random() < 0.14:
            return f"{text} (via @{handle})"
        quoted = rng.choices(_QUOTES, (60, 24, 9, 7))[0].format(handle, text)
        return f"{rng.choice(_NODS)} {quoted}" if rng.random() < 0.16 else quoted


def _clock(local: datetime, rng: random.Random) -> str:
    """A time of day as people write it: 3am, 2:40am."""
    minutes = rng.choice(("", f":{local.minute:02d}"))
    return f"{local.hour % 12 or 12}{minutes}{'am' if local.hour < 12 else 'pm'}"


def _today(local: datetime) -> str:
    """The part of the day as people name it."""
    if 4 <= local.hour < 11:
        return "this morning"
    return "today" if 11 <= local.hour < 18 else "tonight"
