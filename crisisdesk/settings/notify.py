"""[[output]] kind = "notify": people, by chat, mail, text message or pager."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator, model_validator

from crisisdesk.errors import ConfigurationError
from crisisdesk.names import nearest
from crisisdesk.settings.duration import parse_duration
from crisisdesk.settings.number import PATTERN, parse_number
from crisisdesk.settings.section import Label, Section, below, label, place_of, placed, secret, variable
from crisisdesk.text import clean

_MOST: Final = re.compile(
    rf"({PATTERN}) ?(?:messages?|nachrichten)? ?(?:in|per|pro|an?|/) ?(.+)", re.ASCII | re.IGNORECASE
)
_HOW: Final = 'write it like "5 in 15 minutes", or "unlimited"'
_SAMPLE: Final = '"SLACK_URL" for a room, or { "Anna Berg" = "ANNA_PUSH" } for people'
_LONGEST: Final = timedelta(days=1)


class Most(NamedTuple):
    """How many messages an address gets within a time; `messages` None for as many as there are."""

    messages: int | None
    within: timedelta


class Reached(NamedTuple):
    """An Apprise address, which is a secret, and the setting that holds it."""

    url: str
    where: str


def _most(value: object) -> Most:
    if isinstance(value, Most):  # the default
        return value
    if not isinstance(value, str):
        raise ValueError(f"must be a text in quotes; {_HOW}")  # noqa: TRY004
    words = " ".join(value.split())
    if words.lower() in {"unlimited", "unbegrenzt"}:
        return Most(None, timedelta())
    found = _MOST.fullmatch(words)
    within = parse_duration(found[2]) if found else None
    if found is None or within is None or not timedelta(minutes=1) <= within <= _LONGEST:
        raise ValueError(f"'{clean(value, 40)}' does not say how many messages in which time, at most a day; {_HOW}")
    messages = parse_number(found[1])
    if not 1 <= messages <= 1_000 or messages != int(messages):
        raise ValueError(f"'{clean(value, 40)}' is not between 1 and 1000 messages; {_HOW}")
    return Most(int(messages), within)


Place = TypeVar("Place", str, Path)
Each: TypeAlias = Place | dict[str, Place]
"""That of a room, or one for each person."""


def _each(value: object, read: Callable[[object], Place], how: str = f"url_env = {_SAMPLE}") -> Each[Place]:
    """What is written for all, or for each person."""
    if not isinstance(value, dict):
        return read(value)
    if not value:
        raise ValueError(f"names nobody; write {how}")
    found = {}
    for person, one in value.items():
        try:
            found[label(person)] = read(one)
        except ValueError as error:
            raise ValueError(f"of '{clean(person, 60)}' {error}") from None
    return found


def _variables(value: object) -> Each[str]:
    return _each(value, lambda one: variable(one if isinstance(one, str) else ""))


def _placed(found: Each[str], info: ValidationInfo) -> Each[str]:
    if isinstance(found, dict):
        return {person: placed(one, info) for person, one in found.items()}
    return placed(found, info)


def _paths(value: object, info: ValidationInfo) -> Each[Path]:
    return _each(value, lambda one: below(one, info))


def _languages(value: object) -> Each[str]:
    return _each(value, _language, 'language = "de", or { "Anna Berg" = "de" }')


def _language(value: object) -> str:
    known = {"en": "en", "de": "de", "english": "en", "englisch": "en", "deutsch": "de", "german": "de"}
    if not isinstance(value, str) or value.lower() not in known:
        raise ValueError('must be "en" or "de", or a table such as { "Anna Berg" = "de" }')
    return known[value.lower()]


class NotifyOutput(Section):
    """[[output]] kind = "notify": a way to people, by any service that Apprise knows."""

    kind: Literal["notify"]
    name: Label = "notify"
    """What chains and status lines call it: push, sms, mail."""
    url_env: Annotated[Each[str], BeforeValidator(_variables), AfterValidator(_placed)] | None = None
    """The environment variable that holds the Apprise address of a room, or one for each person."""
    url_file: Annotated[Each[Path], BeforeValidator(_paths)] | None = None
    """The same of files, whose first line is the address."""
    language: Annotated[Each[str], BeforeValidator(_languages)] = "en"
    """The language of the texts, `en` or `de`, for all or for some of the people; others are told in English."""
    most: Annotated[Most, BeforeValidator(_most)] = Most(5, timedelta(minutes=15))
    """How many messages one address gets in a time; what is more is told together afterwards."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.url_env and self.url_file:
            raise ValueError("has both 'url_env' and 'url_file'; keep one of them")
        if not (self.url_env or self.url_file):
            raise ValueError(f"has no 'url_env', which says where its addresses are; add url_env = {_SAMPLE}")
        return self

    @field_validator("language")
    @classmethod
    def _of_people(cls, language: Each[str], info: ValidationInfo) -> Each[str]:
        places = info.data.get("url_env"), info.data.get("url_file")
        people = [person for place in places if isinstance(place, dict) for person in place]
        if people and isinstance(language, dict):
            for person in language:
                if person not in people:
                    raise ValueError(
                        f"is for '{clean(person, 60)}', who has no address here; {nearest(person, people)}"
                    )
        return language

    @property
    def people(self) -> tuple[str, ...]:
        """Whom it reaches by name; empty for a room."""
        place = self.url_env or self.url_file
        return tuple(place) if isinstance(place, dict) else ()

    def language_of(self, person: str | None) -> str:
        """In which language somebody is told."""
        return self.language.get(person or "", "en") if isinstance(self.language, dict) else self.language

    def missing(self, environ: Mapping[str, str], person: str | None) -> str:
        """Why an address (None for that of the room) is not where the settings say, with the cure; empty if it is."""
        try:
            self.reached(person, environ)
        except ConfigurationError as error:
            return str(error)
        return ""

    def reached(self, person: str | None, environ: Mapping[str, str]) -> Reached:
        """Look up an address, which is never kept in the settings.

        Args:
            person: whose; None for a room.
            environ: the environment.

        Raises:
            ConfigurationError: it is not where the settings say.
        """
        variable = self.url_env[person or ""] if isinstance(self.url_env, dict) else self.url_env
        file = self.url_file[person or ""] if isinstance(self.url_file, dict) else self.url_file
        whose = f'[[output]] "{self.name}"' + (f" of {person}" if person else "")
        found = (secret("address", whose, variable, file, environ) or "").strip()
        where = variable or str(file)
        if not found:
            raise ConfigurationError(
                f"{place_of(variable)}{whose}: {where} is empty; put an Apprise address there, like ntfy://… or mailto://…"
            )
        return Reached(found, where)
