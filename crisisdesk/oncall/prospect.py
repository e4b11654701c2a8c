"""What the desk is going to do about an incident by itself, for people who look at it: its own decisions, foreseen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from crisisdesk.oncall.addresses import spoken
from crisisdesk.oncall.chain import Orders
from crisisdesk.oncall.decide import Do, decide
from crisisdesk.records import Incident

WAITS: Final = 5
"""Waits that can follow each other before something is done: a silence that ends in quiet hours, the grouping."""


@dataclass(frozen=True, slots=True)
class Prospect:
    """What comes next for an open incident if no person does anything."""

    incident: str
    called: str = ""
    """Who has been called for it so far, by what: `Anna Berg by push and sms, slack`; empty where nobody has."""
    do: Do = Do.NOTHING
    """What is done next: `CALL`, `GIVE_UP` or `LAPSE`; `NOTHING` where the desk waits for people."""
    at: datetime | None = None
    """When that is."""
    to: str = ""
    """Who is called then, by what."""
    why: str = ""
    """Why not now; empty where it is due."""


def foresee(
    incident: Incident, orders: Orders, now: datetime, seen: datetime, beside: Incident | None = None
) -> Prospect:
    """What comes next; arguments as of `decide`."""
    called = spoken(one for one in orders.addresses if one.name in incident.told)
    decision, at = decide(incident, orders, now, seen, beside), now
    why = decision.reason if decision.do in {Do.WAIT, Do.NOTHING} else ""
    for _ in range(WAITS):
        if decision.do is Do.WAIT and decision.until:
            at = decision.until
            decision = decide(incident, orders, at, seen, beside)
    if decision.do in {Do.WAIT, Do.NOTHING}:
        return Prospect(incident.id, called, why=why)
    to = spoken(one for one in orders.addresses if one.name in decision.to)
    return Prospect(incident.id, called, decision.do, at, to, why)


def on_call(orders: Orders, now: datetime) -> tuple[str, ...]:
    """Who is on call in every rota: `Anna Berg (comms)`, `nobody (legal)`."""
    return tuple(f"{rota.who(now) or 'nobody'} ({rota.name})" for rota in orders.rotas.values())


def known_people(orders: Orders, now: datetime) -> tuple[str, ...]:
    """Whoever can be reached or is in a rota, those first who are on call."""
    rotas = orders.rotas.values()
    turns = [who for rota in rotas if (who := rota.who(now))]
    reached = [one.person for one in orders.addresses if one.person]
    return tuple(dict.fromkeys([*turns, *reached, *(person for rota in rotas for person in rota.people())]))
