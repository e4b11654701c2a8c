"""Escalation chains: who is told, by which output, after how long without an answer, repeated how often."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from crisisdesk.names import same
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.hours import Hours
from crisisdesk.oncall.rota import Rota
from crisisdesk.records import Calling, Incident, Kind, Severity, is_for

CALLS: Final = frozenset({Severity.AMBER, Severity.RED})
"""Severities that can call somebody; a notice never does."""


class Place(NamedTuple):
    """Where in a chain: which step, for the how many-th time, in which round; from 1 on."""

    step: int = 1
    time: int = 1
    round: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a chain."""

    tell: tuple[str, ...]
    """Rotas, people, and outputs that are rooms."""
    by: tuple[str, ...] = ()
    """By which outputs people are told; by all that reach them where none is named."""
    wait: timedelta = timedelta(minutes=5)
    """How long an answer is awaited, before the next."""
    times: int = 1
    """How often it is done, with that wait after each."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Whom an incident calls, one step after the other, until somebody answers."""

    name: str
    steps: tuple[Step, ...]
    watches: frozenset[str] | None = None
    """Those that it is for; None for all, sources that are blind among them."""
    kinds: frozenset[Kind] | None = None
    severities: frozenset[Severity] = CALLS
    rounds: int = 1
    """How often the whole chain is gone through."""
    quiet: Mapping[Severity, Hours] = field(default_factory=dict)
    """When incidents of a severity do not call; afterwards they do, if they are still open."""

    def fits(self, incident: Incident) -> bool:
        """Whether it is for such an incident."""
        return is_for(self, incident.watch, incident.kind, incident.severity)

    def after(self, calling: Calling) -> Place | None:
        """What comes after a call without an answer; None at the end of the last round."""
        step = min(calling.step, len(self.steps))
        if calling.time < self.steps[step - 1].times:
            return Place(step, calling.time + 1, calling.round)
        return self.beyond(Place(step, calling.time, calling.round))

    def beyond(self, place: Place) -> Place | None:
        """The first call of the next step; None at the end of the last round."""
        if place.step < len(self.steps):
            return Place(place.step + 1, 1, place.round)
        return Place(1, 1, place.round + 1) if place.round < self.rounds else None

    def wait(self, calling: Calling) -> timedelta:
        """How long the answer to a call is awaited."""
        return self.steps[min(calling.step, len(self.steps)) - 1].wait


@dataclass(frozen=True, slots=True)
class Orders:
    """All that is agreed about calling people; replaced as a whole when the configuration is edited."""

    chains: tuple[Chain, ...] = ()
    """The first that fits counts."""
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    group_wait: timedelta = timedelta(seconds=30)
    """Before the first call: what is settled meanwhile calls nobody, what gets worse calls once."""
    acknowledged_for: timedelta = timedelta(hours=1)
    """An acknowledgement lapses after so long without anything done."""
    zone: tzinfo = UTC
    """By whose clocks quiet hours are kept."""

    def chain_for(self, incident: Incident) -> Chain | None:
        """The chain that an incident is being called by, or else the first that fits it."""
        if incident.calling:
            for chain in self.chains:
                if chain.name == incident.calling.chain:
                    return chain
        return next((chain for chain in self.chains if chain.fits(incident)), None)

    def reached(self, step: Step, now: datetime) -> tuple[Address, ...]:
        """Whom a step tells at this moment, each address once; empty where nobody is on call."""
        people = set(self._people(step, now))
        return tuple(
            address
            for address in self.addresses
            if (address.person in people and (not step.by or address.output in step.by))
            or (address.person is None and address.output in step.tell)
        )

    def of_person(self, person: str) -> tuple[Address, ...]:
        """Where a person is reached, however their name is spelled."""
        return tuple(one for one in self.addresses if same(one.person, person))

    def _people(self, step: Step, now: datetime) -> list[str]:
        people: list[str] = []
        for name in step.tell:
            if rota := self.rotas.get(name):
                person = rota.who(now)
                people += [person] if person else []
            else:
                people.append(name)
        return people
