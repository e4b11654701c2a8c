"""What would happen if an incident called now and nobody answered: the same decisions, with nobody told."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from crisisdesk.oncall.chain import Orders
from crisisdesk.oncall.decide import Do, decide
from crisisdesk.records import Incident, Kind, Numbers, Severity, State

MOST: Final = 500
"""Calls that are rehearsed; nobody reads more."""


@dataclass(frozen=True, slots=True)
class Act:
    """What the desk would do at a moment."""

    time: datetime
    do: Do
    to: tuple[str, ...] = ()
    """Names of the addresses that would be told."""
    until: datetime | None = None
    """Of a wait for the end of quiet hours: when they end."""


def rehearse(orders: Orders, watch: str, kind: Kind, severity: Severity, at: datetime) -> Iterator[Act]:
    """Calls and quiet hours of an incident that opens at a moment, to the end of its chain; nothing without one."""
    incident = Incident("rehearsal", watch, kind, State.OPEN, severity, at, at, _NOBODY, "")
    now = at
    for _ in range(MOST):
        decision = decide(incident, orders, now, at)
        if decision.do is Do.WAIT and decision.until:
            chain = orders.chain_for(incident)
            if chain and severity in chain.quiet and chain.quiet[severity].covers(now, orders.zone):
                yield Act(now, Do.WAIT, until=decision.until)
            now = decision.until
        elif decision.calling:
            yield Act(now, decision.do, decision.to)
            incident = replace(incident, calling=decision.calling, told=incident.told + decision.to)
        else:
            return


def reaches_somebody(orders: Orders, watch: str, kind: Kind, severity: Severity, at: datetime) -> bool:
    """Whether such an incident would be told to anybody before its chain ends."""
    return any(act.do is Do.CALL for act in rehearse(orders, watch, kind, severity, at))


_NOBODY: Final = Numbers(0, 0, 0, 0.0, 0, 0.0, 0.0, 1.0)
