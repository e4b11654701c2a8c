"""What is done to an incident: by people, and by the desk when it calls them.

    acknowledged, assigned, silenced, noted, resolved with a verdict     by people
    called, unanswered, lapsed                                           by the desk, as `crisisdesk.oncall` decides

Pure, as the rest of its life: nothing here reads a clock, a database or a network.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.incidents.step import Step, made, over
from crisisdesk.names import same
from crisisdesk.records import Calling, Cause, Event, Incident, Silence, State, Verdict
from crisisdesk.text import clean, how_long

NOTE_LENGTH: Final = 4_000
REASON_LENGTH: Final = 400
LONGEST_SILENCE: Final = timedelta(days=31)
"""Who wants to hear nothing for longer does not want to watch."""


def acknowledge(incident: Incident, person: str, now: datetime, sequence: int, *, instead_of: str = "") -> Step:
    """This person has it: the calling stops, the watching does not.

    Who has it already keeps it, unless this is the person whom it was handed over to, or who knows from whom they take
    it over.

    Args:
        incident: as it is.
        person: who takes it.
        now: the moment.
        sequence: of its last change.
        instead_of: who has it, in whose place they do from now on.

    Raises:
        UsageError: it is over, or somebody was first; the message names them.
    """
    _refuse_if_resolved(incident, now)
    person, moment, holder = _named(person), max(now, incident.updated), incident.acknowledged_by
    is_others = incident.state is State.ACKNOWLEDGED and not same(holder, person)
    if incident.state is State.ACKNOWLEDGED and not (
        is_others and (same(incident.assigned_to, person) or same(holder, instead_of))
    ):
        since = f", {how_long(now - incident.acknowledged_at)} ago" if incident.acknowledged_at else ""
        raise UsageError(f"{incident.id} is already acknowledged by {holder}{since}.")
    after = replace(
        incident,
        state=State.ACKNOWLEDGED,
        acknowledged_by=person,
        acknowledged_at=moment,
        acknowledged_severity=incident.severity,
        acted_at=moment,
        assigned_to=None,
        calling=None,
        updated=moment,
    )
    reason = f"instead of {holder}" if is_others and same(holder, instead_of) else ""
    return made(after, sequence, Event.ACKNOWLEDGED, moment, person=person, reason=reason)


def assign(incident: Incident, person: str, to: str, now: datetime, sequence: int, *, note: str = "") -> Step:
    """Ask somebody to take it, with a word on how things stand; who has it has it until they do.

    Raises:
        UsageError: it is over, nobody is named, or they have it already.
    """
    _refuse_if_resolved(incident, now)
    person, to, moment = _named(person), _named(to), max(now, incident.updated)
    if incident.state is State.ACKNOWLEDGED and same(incident.acknowledged_by, to):
        raise UsageError(f"{to} has {incident.id} already.")
    note = clean(note, NOTE_LENGTH)
    after = replace(incident, assigned_to=to, acted_at=moment, updated=moment)
    return made(
        after, sequence, Event.ASSIGNED, moment, person=person, reason=f"to {to}" + (f": {note}" if note else "")
    )


def silence(incident: Incident, person: str, now: datetime, sequence: int, *, until: datetime, reason: str) -> Step:
    """Call nobody for it until that moment, or until it is worse than now.

    It outlives the end of the incident: what flaps would call again.

    Raises:
        UsageError: it is over, nobody is named, there is no reason, or no end within `LONGEST_SILENCE`.
    """
    _refuse_if_resolved(incident, now)
    person, reason, moment = _named(person), clean(reason, REASON_LENGTH), max(now, incident.updated)
    if not reason:
        raise UsageError("A silence needs a reason, so that others understand it; say why.")
    if not now < until <= now + LONGEST_SILENCE:
        raise UsageError(f"A silence ends later than now, and within {LONGEST_SILENCE.days} days; say when.")
    after = replace(
        incident,
        silence=Silence(until, person, reason, incident.severity),
        cause=Cause.SILENCE_OVER,
        calling=None,
        acted_at=moment,
        updated=moment,
    )
    return made(after, sequence, Event.SILENCED, moment, person=person, reason=f"for {how_long(until - now)}: {reason}")


def lift(incident: Incident, person: str, now: datetime, sequence: int) -> Step:
    """End a silence before its time.

    Raises:
        UsageError: it is not silent.
    """
    if not incident.is_silent(now):
        raise UsageError(f"{incident.id} is not silent.")
    person, moment = _named(person), max(now, incident.updated)
    after = replace(incident, silence=None, acted_at=moment, updated=moment)
    return made(after, sequence, Event.SILENCED, moment, person=person, reason="no longer")


def note(incident: Incident, person: str, text: str, now: datetime, sequence: int) -> Step:
    """Write something into the timeline; also possible after the end.

    Raises:
        UsageError: there is nothing to write.
    """
    text = clean(text, NOTE_LENGTH)
    if not text:
        raise UsageError("An empty note was not saved; write something first.")
    moment = max(now, incident.updated)
    after = replace(incident, updated=moment, acted_at=moment)
    return made(after, sequence, Event.NOTED, moment, person=_named(person), reason=text)


def resolve(incident: Incident, person: str, verdict: Verdict, now: datetime, sequence: int) -> Step:
    """End an incident and say what it was.

    While the same wave goes on, it stays ended unless it gets worse: a person's word is not undone a minute later.

    Raises:
        UsageError: it is over already.
    """
    _refuse_if_resolved(incident, now)
    person, moment = _named(person), max(now, incident.updated)
    calm = incident.calm_since if incident.easing is None else None
    after = replace(over(incident, moment), resolved_by=person, verdict=verdict, calm_since=calm or moment)
    return made(after, sequence, Event.RESOLVED, moment, person=person, reason=verdict.value)


def judge(incident: Incident, person: str, verdict: Verdict, now: datetime, sequence: int) -> Step:
    """Say afterwards what an incident was: one that ended by itself, or one of which more is known by now.

    Raises:
        UsageError: it is still open, or this is what it is said to be already.
    """
    if incident.is_open:
        raise UsageError(f"{incident.id} is still open; resolve it, and say then what it was.")
    if incident.verdict is verdict:
        raise UsageError(f"{incident.id} has the verdict “{verdict}” already.")
    person, moment = _named(person), max(now, incident.updated)
    after = replace(incident, verdict=verdict, updated=moment)
    return made(after, sequence, Event.NOTED, moment, person=person, reason=f"verdict: {verdict}")


def call(
    incident: Incident, calling: Calling, now: datetime, sequence: int, *, to: tuple[str, ...], reason: str
) -> Step:
    """The desk calls people at these addresses; `calling` says how far the chain has come with it."""
    moment = max(now, incident.updated)
    cause = incident.cause if incident.calling is None else Cause.UNANSWERED
    after = replace(incident, cause=cause, calling=calling, told=_joined(incident.told, to), updated=moment)
    event = Event.UNANSWERED if calling.exhausted else Event.CALLED
    return made(after, sequence, event, moment, reason=reason, to=to)


def lapse(incident: Incident, reason: str, now: datetime, sequence: int) -> Step:
    """Who had it has done nothing: nobody has it any more, and the calling begins anew."""
    moment = max(now, incident.updated)
    after = replace(
        incident,
        state=State.OPEN,
        acknowledged_by=None,
        acknowledged_at=None,
        acknowledged_severity=None,
        had_by=incident.acknowledged_by,
        acted_at=None,
        cause=Cause.LAPSED,
        calling=None,
        updated=moment,
    )
    return made(after, sequence, Event.LAPSED, moment, person=incident.acknowledged_by, reason=reason)


def _joined(told: tuple[str, ...], to: tuple[str, ...]) -> tuple[str, ...]:
    return told + tuple(address for address in to if address not in told)


def _refuse_if_resolved(incident: Incident, now: datetime) -> None:
    if not incident.is_open:
        ended = incident.resolved_at or incident.updated
        verdict = f" as {incident.verdict}" if incident.verdict else ""
        raise UsageError(f"{incident.id} is already resolved{verdict}, {how_long(now - ended)} ago.")


def _named(person: str) -> str:
    name = clean(person, 100)
    if not name:
        raise UsageError("Nobody is named; say who acts, so that others know whom to ask.")
    return name
