"""[[chain]]: whom an incident calls, by what, after how long without an answer, and how often."""

from collections.abc import Mapping
from datetime import timedelta
from difflib import get_close_matches
from typing import Annotated, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from crisisdesk.records import Kind, Severity
from crisisdesk.settings.duration import duration
from crisisdesk.settings.oncall.calling import A_DAY, Names, names
from crisisdesk.settings.oncall.hours import parse_hours
from crisisdesk.settings.oncall.rota import hours_of
from crisisdesk.settings.section import Label, Section
from crisisdesk.text import clean

WAIT: Final = timedelta(minutes=5)
SHORTEST: Final = timedelta(seconds=10)
CALLING: Final = {"amber": Severity.AMBER, "red": Severity.RED}
"""Severities that can call somebody."""


def _severity(name: object) -> Severity:
    word = str(name).strip().casefold()
    if word == "notice":
        raise ValueError("'notice' calls nobody, it stands in the feed only; write 'amber' or 'red'")
    if word not in CALLING:
        near = get_close_matches(word, CALLING, n=1)
        hint = f"did you mean '{near[0]}'?" if near else 'write "amber" or "red"'
        raise ValueError(f"'{clean(str(name), 40)}' is no severity; {hint}")
    return CALLING[word]


def _severities(value: object) -> frozenset[Severity]:
    return value if isinstance(value, frozenset) else frozenset(map(_severity, names(value)))


def _kinds(value: object) -> frozenset[Kind]:
    known = [str(kind) for kind in Kind]
    asked = [name.strip().casefold() for name in names(value)]
    for name in asked:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"write {', '.join(known[:-1])} or {known[-1]}"
            raise ValueError(f"'{clean(name, 40)}' is no kind of incident; {hint}")
    return frozenset(map(Kind, asked))


def _quiet(value: object) -> dict[Severity, str]:
    if not isinstance(value, Mapping):
        raise ValueError('must name severity and hours, such as { amber = "22:00-07:00" }')  # noqa: TRY004
    quiet = {_severity(name): hours_of(hours) for name, hours in value.items()}
    for severity, hours in quiet.items():
        begin, end = parse_hours(hours)
        if begin == end:
            raise ValueError(f"is the whole day of {severity}, so that it never calls; leave it out of 'severities'")
    return quiet


class StepSettings(Section):
    """[[chain.step]]: one step of a chain."""

    tell: Names
    """Rotas, people, and outputs that are rooms."""
    by: Names = ()
    """By which outputs; by all that reach them where nothing is set."""
    wait: Annotated[
        timedelta, duration("5 minutes", SHORTEST, A_DAY, "is not between 10 seconds and a day")
    ] = WAIT  # fmt: skip
    """For an answer, before it is done again or the next step comes."""
    times: Annotated[int, Field(ge=1, le=100)] = 1
    """How often it is done, with that wait after each."""


class ChainSettings(Section):
    """[[chain]]: whom an incident calls, one after the other, until somebody answers."""

    name: Label
    watches: Names | None = None
    """For which watches, or sources that are blind; None for all."""
    kinds: Annotated[frozenset[Kind], BeforeValidator(_kinds)] | None = None
    """For which kinds of incident; None for all."""
    severities: Annotated[frozenset[Severity], BeforeValidator(_severities)] = frozenset(CALLING.values())
    """For which severities."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 1
    """How often the whole chain is gone through."""
    quiet: Annotated[dict[Severity, str], BeforeValidator(_quiet)] = Field(default_factory=dict)
    """Hours in which a severity does not call, by the desk's clocks; afterwards it does, if it is still open."""
    steps: Annotated[tuple[StepSettings, ...], Field(strict=False, alias="step")] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.steps:
            raise ValueError("has no [[chain.step]], so that it calls nobody; add one")
        return self
