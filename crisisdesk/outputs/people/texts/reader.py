"""Who reads a message, in which language, and how much a service takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from enum import Enum, auto
from typing import Final, NamedTuple

from crisisdesk.outputs.people.texts.english import English
from crisisdesk.outputs.people.texts.german import German
from crisisdesk.outputs.people.texts.harmless import link
from crisisdesk.outputs.people.texts.words import Words
from crisisdesk.records import Incident
from crisisdesk.text import shorten

LANGUAGES: Final[Mapping[str, Words]] = {"en": English(), "de": German()}


class Tone(Enum):
    """How urgent a message is, for services that know it."""

    ALARM = auto()
    """Red, or nobody has answered."""
    WARNING = auto()
    NEWS = auto()
    ALL_CLEAR = auto()
    TRIAL = auto()
    """Nothing has happened; it only shows that messages come through."""


class Message(NamedTuple):
    """What is handed to a service; the title is empty where it takes one short text only."""

    title: str
    body: str
    tone: Tone
    about: str = ""
    """The id of the incident that it is about, of several the most urgent."""


@dataclass(frozen=True, slots=True)
class Space:
    """What a service takes of a title and of a text, as `size` measures them."""

    title: int = 250
    body: int = 3_900
    size: Callable[[str], int] = len

    def cut(self, text: str, room: int) -> str:
        """As much of a text as there is room for, at a word where one is near."""
        if self.size(text) <= room:
            return text
        width = min(len(text), max(room, 0))
        while width and (over := self.size(shorten(text, width)) - room) > 0:
            width = max(0, width - max(1, over // 4))
        return shorten(text, width) if width else ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads it."""

    language: str = "en"
    person: str | None = None
    """None for a room."""
    zones: Mapping[str, tzinfo] = field(default_factory=dict)
    """By whose clocks, by watch."""
    zone: tzinfo = UTC
    """The same of all others."""
    link: str | None = None
    """The address of an incident, with `{incident}` in place of its id; None where there is none."""

    @property
    def words(self) -> Words:
        """Its language."""
        return LANGUAGES[self.language]

    def address(self, incident: Incident) -> str | None:
        """Where the incident can be looked at."""
        return link(self.link.replace("{incident}", incident.id)) if self.link else None

    def when(self, moment: datetime, now: datetime, watch: str) -> str:
        """A moment, by the clocks of the watch."""
        return self.words.moment(moment, now, self.zones.get(watch, self.zone))
