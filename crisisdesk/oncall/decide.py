"""Whether an incident calls somebody now, whom, and why: one pure function.

    grouping → step 1 → its wait → again, or step 2 → … → the next round → nobody has answered
    acknowledged → nothing done for too long → from the beginning

An incident calls until somebody acknowledges, silences or resolves it. Whatever is decided comes with its reason, for
the timeline, the log and the message. A moment that lies far ahead was written before the clock was set back: how long
ago it truly was is not known, so nobody is kept waiting for it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from crisisdesk.oncall.addresses import spoken
from crisisdesk.oncall.chain import Chain, Orders, Place
from crisisdesk.records import Calling, Cause, Incident, Severity, State
from crisisdesk.text import how_long


class Do(Enum):
    """What is to be done now."""

    NOTHING = auto()
    """Until something happens."""
    WAIT = auto()
    """Until a moment, or something happens."""
    CALL = auto()
    GIVE_UP = auto()
    """The chain has ended without an answer: everybody is told."""
    LAPSE = auto()
    """Take it from who has it and does nothing."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about an incident at a moment, and why."""

    do: Do
    reason: str
    until: datetime | None = None
    """When to ask again, of `WAIT`."""
    calling: Calling | None = None
    """Where the chain is with this call, of `CALL` and `GIVE_UP`."""
    to: tuple[str, ...] = ()
    """Addresses that are told, of `CALL` and `GIVE_UP`."""


_BECAUSE = {
    Cause.NEW: "it is new",
    Cause.WORSE: "it has got worse",
    Cause.BACK: "it is back",
    Cause.UNANSWERED: "nobody has answered so far",
    Cause.LAPSED: "nobody has it any more",
    Cause.SILENCE_OVER: "the silence is over, and it is not",
}


def decide(
    incident: Incident, orders: Orders, now: datetime, seen: datetime, beside: Incident | None = None
) -> Decision:
    """What is to be done about an incident.

    Args:
        incident: as it is.
        orders: what is agreed about calling.
        now: the present.
        seen: since when it has been known that it may have to call; the grouping begins with it.
        beside: where it is about a flood of copies, the open spike of the same watch: a large wave is often both.
    """
    if not incident.is_open:
        return Decision(Do.NOTHING, "it is over")
    if incident.state is State.ACKNOWLEDGED:
        return _held(incident, orders, now)
    if incident.severity < Severity.AMBER:
        return Decision(Do.NOTHING, "a notice calls nobody")
    chain = orders.chain_for(incident)
    if chain is None:
        return Decision(Do.NOTHING, "no chain is for it")
    decision = _quiet(incident, chain, orders, now) or _next_call(incident, chain, orders, now, seen)
    if beside and decision.calling and _in_hand(beside, incident, chain, orders, decision.to):
        return Decision(Do.WAIT, f"those who would be called know of {beside.id}, of the same watch")
    return decision


def _in_hand(beside: Incident, incident: Incident, chain: Chain, orders: Orders, to: tuple[str, ...]) -> bool:
    """Whether a spike that is as bad is with those who would be called for the flood, or with one who answered them."""
    if not beside.is_open or beside.severity < incident.severity:
        return False
    if beside.state is State.ACKNOWLEDGED and orders.chain_for(beside) is chain:
        return True
    if beside.state is not State.ACKNOWLEDGED and beside.calling is None:
        return False
    own = orders.of_person(beside.acknowledged_by) if beside.acknowledged_by else ()
    return {*to} <= {*beside.told, *(one.name for one in own)}


def _held(incident: Incident, orders: Orders, now: datetime) -> Decision:
    if incident.severity < Severity.AMBER:
        return Decision(Do.NOTHING, f"{incident.acknowledged_by} has it, and a notice calls nobody")
    acted = incident.acted_at or incident.acknowledged_at or incident.updated
    if abs(now - acted) < orders.acknowledged_for:
        return Decision(Do.WAIT, f"{incident.acknowledged_by} has it", acted + orders.acknowledged_for)
    idle = f"nothing was done for {how_long(now - acted)}" if acted < now else "the clock was set back since"
    return Decision(Do.LAPSE, f"{incident.acknowledged_by} has it, and {idle}")


def _quiet(incident: Incident, chain: Chain, orders: Orders, now: datetime) -> Decision | None:
    """Why it calls nobody at this hour, though it would; None where it may."""
    if incident.silence and incident.is_silent(now):
        return Decision(Do.WAIT, f"silenced by {incident.silence.person}", incident.silence.until)
    hours = chain.quiet.get(incident.severity)
    if hours and hours.covers(now, orders.zone):
        return Decision(Do.WAIT, f"{incident.severity} does not call in quiet hours", hours.end_after(now, orders.zone))
    return None


def _next_call(incident: Incident, chain: Chain, orders: Orders, now: datetime, seen: datetime) -> Decision:
    calling = incident.calling
    if calling is None:
        first = seen if incident.told else seen + orders.group_wait
        if now < first:
            return Decision(Do.WAIT, "grouped with what comes within moments", first)
        return _call(incident, chain, orders, now, Place())
    replaced = calling.chain != chain.name  # by an edit: nobody has been called as it says
    if calling.exhausted and not replaced:
        return Decision(Do.NOTHING, "nobody has answered, and everybody was told")
    if abs(now - calling.at) < (wait := chain.wait(calling)):
        return Decision(Do.WAIT, "waiting for an answer", calling.at + wait)
    return _call(incident, chain, orders, now, Place() if replaced else chain.after(calling))


def _call(incident: Incident, chain: Chain, orders: Orders, now: datetime, place: Place | None) -> Decision:
    """The call of this place, or of the first one behind it that reaches anybody."""
    while place is not None:
        if addresses := orders.reached(chain.steps[place.step - 1], now):
            cause = incident.cause if incident.calling is None else Cause.UNANSWERED
            where = f"step {place.step} of {len(chain.steps)}" + (f", round {place.round}" if chain.rounds > 1 else "")
            return Decision(
                Do.CALL,
                f"{spoken(addresses)}: {_BECAUSE[cause]} ({where})",
                calling=Calling(chain.name, place.step, place.time, place.round, now),
                to=tuple(one.name for one in addresses),
            )
        place = chain.beyond(place)
    last = incident.calling or Calling(chain.name, len(chain.steps), 1, chain.rounds, now)
    why = "nobody has answered" if incident.told else "nobody could be reached: nobody is on call"
    return Decision(
        Do.GIVE_UP,
        f"{why}; the chain “{chain.name}” has ended",
        calling=Calling(chain.name, last.step, last.time, last.round, now, exhausted=True),
        to=tuple(one.name for one in orders.addresses),
    )
