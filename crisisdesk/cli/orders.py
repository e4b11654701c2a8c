"""From the configuration to what is agreed about calling people."""

from datetime import UTC, timedelta, tzinfo
from typing import Final

from crisisdesk.detect.planned import Planned
from crisisdesk.moments import moment_at
from crisisdesk.oncall.addresses import Address
from crisisdesk.oncall.chain import Chain, Orders, Step
from crisisdesk.oncall.hours import Hours
from crisisdesk.oncall.rota import Rota, Shift, Swap
from crisisdesk.settings.model import Settings
from crisisdesk.settings.oncall.chain import ChainSettings
from crisisdesk.settings.oncall.reach import ways
from crisisdesk.settings.oncall.rota import RotaSettings

EVERYBODY: Final = "everybody"
"""What the chain is called that calls where none is set: all, three times, a quarter of an hour apart."""


def agreed(settings: Settings) -> Orders:
    """The rotas, chains and addresses; no chain where nobody has an address."""
    zone: tzinfo = settings.desk.timezone or UTC
    reached = addresses(settings)
    chains = tuple(map(_chain, settings.chains)) or (_everybody(reached),)
    return Orders(
        chains=chains if reached else (),
        rotas={rota.name: _rota(rota, rota.timezone or zone) for rota in settings.rotas},
        addresses=reached,
        group_wait=settings.calling.group_wait,
        acknowledged_for=settings.calling.acknowledged_for,
        zone=zone,
    )


def addresses(settings: Settings) -> tuple[Address, ...]:
    """Where people are reached, in the order of the outputs."""
    return tuple(
        Address(output, person)
        for output, people in ways(settings).items()
        for person in (sorted(people) if people is not None else (None,))
    )


def planned(settings: Settings) -> tuple[Planned, ...]:
    """What will be talked about, for each watch by itself."""
    zone: tzinfo = settings.desk.timezone or UTC
    return tuple(
        Planned(watch, moment_at(event.start, zone), moment_at(event.end, zone), event.reason)
        for event in settings.planned
        for watch in event.watches
    )


def _rota(rota: RotaSettings, zone: tzinfo) -> Rota:
    return Rota(
        rota.name,
        zone,
        tuple(
            Shift(one.people, one.days, Hours(one.hours), **({"starting": one.starting} if one.starting else {}))
            for one in rota.shifts
        ),
        tuple(
            Swap(moment_at(one.start, zone), moment_at(one.end, zone), one.person, one.instead_of) for one in rota.swaps
        ),
    )


def _chain(chain: ChainSettings) -> Chain:
    return Chain(
        chain.name,
        tuple(Step(step.tell, step.by, step.wait, step.times) for step in chain.steps),
        watches=None if chain.watches is None else frozenset(chain.watches),
        kinds=chain.kinds,
        severities=chain.severities,
        rounds=chain.rounds,
        quiet={severity: Hours(hours) for severity, hours in chain.quiet.items()},
    )


def _everybody(reached: tuple[Address, ...]) -> Chain:
    told = dict.fromkeys(one.person or one.output for one in reached)
    return Chain(EVERYBODY, (Step(tuple(told), wait=timedelta(minutes=15), times=3),))
