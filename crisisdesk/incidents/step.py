"""One step in an incident's life: the incident after it, and the line that it writes into the timeline."""

from dataclasses import dataclass, replace
from datetime import datetime

from crisisdesk.records import Cause, Change, Event, Incident, Severity, State


@dataclass(frozen=True, slots=True)
class Step:
    """The incident as it is now, and what happened to it; without changes only its figures moved."""

    incident: Incident
    changes: tuple[Change, ...] = ()


def made(
    incident: Incident,
    sequence: int,
    event: Event,
    time: datetime,
    *,
    person: str | None = None,
    reason: str = "",
    to: tuple[str, ...] = (),
) -> Step:
    """A step with one change, the next after `sequence`."""
    return Step(incident, (Change(incident.id, sequence + 1, event, time, incident.severity, person, reason, to),))


def calls_again(incident: Incident, severity: Severity, cause: Cause) -> Incident:
    """Nobody has it any more, and the calling begins anew; a silence holds unless this is worse than what it is for."""
    silence = incident.silence
    return replace(
        incident,
        state=State.OPEN,
        severity=severity,
        acknowledged_by=None,
        acknowledged_at=None,
        acknowledged_severity=None,
        acted_at=None,
        silence=None if silence is None or severity > silence.severity else silence,
        cause=cause,
        calling=None,
        calm_since=None,
        easing=None,
    )


def over(incident: Incident, moment: datetime) -> Incident:
    """It has ended: nobody is called any more, and who was told so far hears of this as the last."""
    return replace(
        incident,
        state=State.RESOLVED,
        resolved_at=moment,
        resolved_by=None,
        updated=moment,
        assigned_to=None,
        calling=None,
        told=(),
        easing=None,
    )
