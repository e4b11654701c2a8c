"""The life of an incident: evidence goes in, the next incident and what changed come out.

    opened → raised ⇄ subsided → resolved → reopened …        by evidence, in event time
    opened → raised ⇄ subsided → resolved → reopened …        of kind blind, by the clock and at once

What people do to it is in `acts`. Nothing here reads a clock, a database or a network. Evidence that is older than what
is known counts only where it is worse: a late red still calls, a late calm does not end anything.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from crisisdesk.incidents.step import Step, calls_again, made, over
from crisisdesk.records import (
    WAVE_ENDS_AFTER,
    Cause,
    Correction,
    Event,
    Incident,
    Kind,
    Numbers,
    PlaybookRef,
    Severity,
    Silence,
    Spike,
    State,
)
from crisisdesk.text import how_long

FAR_WORSE: Final = 2
"""Times the people."""
NAME_LENGTH: Final = 32
"""Characters of a watch's name in an id: with kind, hash and time an id stays under 70."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Hold times: evidence has to stay weak for so long before the desk believes it."""

    subside_after: timedelta = WAVE_ENDS_AFTER
    """Weaker evidence for so long lowers the severity to the strongest seen in that time."""
    resolve_after: timedelta = timedelta(hours=3)
    """No evidence at all for so long ends the incident."""
    reopen_within: timedelta = timedelta(hours=12)
    """New evidence within this time after the end continues the same incident."""


def incident_id(spike: Spike) -> str:
    """A name for the incident that this spike opens: the same in every replay, `[a-z0-9-]` only.

    A short hash of the watch's name is added where the readable part alone could mean another watch as well.
    """
    readable = re.sub(r"[^a-z0-9]+", "-", spike.watch.casefold()).strip("-")[:NAME_LENGTH].strip("-")
    parts = [readable] if readable else []
    if readable != re.sub(r" +", "-", spike.watch.lower()):
        parts.append(sha256(spike.watch.encode("utf-8", "surrogatepass")).hexdigest()[:6])
    if spike.kind is not Kind.SPIKE:
        parts.append(spike.kind.value)
    parts.append(spike.time.astimezone(UTC).strftime("%Y%m%dt%H%M%Sz"))
    return "-".join(parts)


def witness(
    incident: Incident | None, spike: Spike, rules: Rules, sequence: int, new_id: Callable[[Spike], str] = incident_id
) -> Step | None:
    """What a spike means for its watch.

    Args:
        incident: the latest incident of the same watch and kind, open or resolved; None when there was none.
        spike: the detector's statement; severity None means calm.
        rules: hold times.
        sequence: number of changes that `incident` has had; not used when a new one opens.
        new_id: names a new incident.

    Returns:
        The next step, or None where the spike changes nothing.
    """
    if incident is None:
        return _open(spike, new_id)
    if not incident.is_open:
        return _after_the_end(incident, spike, rules, sequence, new_id)
    if spike.severity is not None and spike.severity > incident.severity:
        return _raise(incident, spike, sequence)
    if incident.kind is Kind.BLIND:
        return _hear(incident, spike, rules, sequence)
    if spike.time < incident.evidence_until:
        return None
    return _ease(incident, spike, rules, sequence)


def corrected(incident: Incident, correction: Correction, sequence: int) -> Step:
    """A post that it quotes reads otherwise now, or is gone; a change, so that everybody who was told hears of it."""
    after = replace(incident, evidence=incident.evidence.corrected(correction))
    return made(after, sequence, Event.NOTED, after.updated, reason=_what_became(correction))


def veiled(incident: Incident, sequence: int) -> Step:
    """Its names have become pseudonyms while it is open; a change, so that those whom it was told keep none either."""
    reason = "posts are older than they may be kept, and stand without names now"
    return made(incident, sequence, Event.NOTED, incident.updated, reason=reason)


def _what_became(correction: Correction) -> str:
    if correction.asked:
        return "posts were erased because somebody asked for it"
    if correction.author is not None:
        return "the posts of an account that is gone were erased"
    return f"a post was {'taken back' if correction.text is None else 'changed'} by its author"


def retire(incident: Incident, rules: Rules, now: datetime, sequence: int) -> Step:
    """End an open incident whose watch is gone: nothing would ever say that it has calmed.

    Nobody has judged it, so it counts as a wave that is over: watched again, the same trouble calls again at once.
    """
    moment = max(now, incident.updated)
    reason = "no longer listened to" if incident.kind is Kind.BLIND else "no longer watched"
    return made(_over(incident, rules, moment), sequence, Event.RESOLVED, moment, reason=reason)


def unheard(incident: Incident, start: datetime, end: datetime) -> Incident:
    """Nothing could be heard between two moments, so that time is no calm: hold times count what was heard."""
    if incident.calm_since is None or incident.calm_since >= end:
        return incident
    return replace(incident, calm_since=end - max(start - incident.calm_since, timedelta(0)))


def turned_back(incident: Incident, now: datetime) -> Incident:
    """The clock was ahead and has been set right: what is said from now on is no older than what is known."""
    after = replace(
        incident,
        updated=min(incident.updated, now),
        witnessed=min(incident.evidence_until, now),
        calm_since=incident.calm_since and min(incident.calm_since, now),
        resolved_at=incident.resolved_at and min(incident.resolved_at, now),
    )
    return incident if after.updated == incident.updated and after.calm_since == incident.calm_since else after


def with_playbook(step: Step, before: Incident | None, choose: Callable[[], PlaybookRef | None]) -> Step:
    """The same step with the playbook that fits the incident now.

    Chosen at the opening, and again when it gets worse before somebody works by the first choice. A general one, which
    fits everything, never takes the place of one that was written for such a case.
    """
    events = {change.event for change in step.changes}
    in_hand = before is not None and before.state is State.ACKNOWLEDGED
    if not events & {Event.OPENED, Event.REOPENED, Event.RAISED} or in_hand:
        return step
    chosen, present = choose(), step.incident.playbook
    if chosen is None or (present is not None and present.specific and not chosen.specific):
        return step
    return Step(replace(step.incident, playbook=chosen), step.changes)


def _open(spike: Spike, new_id: Callable[[Spike], str], silence: Silence | None = None) -> Step | None:
    """A new incident; the silence of the one before it still holds, until it ends or this one is worse."""
    if spike.severity is None:
        return None
    incident = Incident(
        id=new_id(spike),
        watch=spike.watch,
        kind=spike.kind,
        state=State.OPEN,
        severity=spike.severity,
        opened=spike.time,
        updated=spike.time,
        witnessed=spike.time,
        numbers=spike.numbers,
        why=spike.why,
        why_de=spike.why_de,
        evidence=spike.evidence,
        surprise=spike.numbers.surprise,
        silence=silence,
    )
    if not incident.is_silent(spike.time):
        incident = replace(incident, silence=None)
    return made(incident, 0, Event.OPENED, spike.time, reason=spike.why)


def _after_the_end(
    incident: Incident, spike: Spike, rules: Rules, sequence: int, new_id: Callable[[Spike], str]
) -> Step | None:
    """A resolved incident returns when its wave had ended and comes back, or when it is worse than at its end.

    A wave has ended when there was no evidence for `subside_after`; `calm_since` tells when the last was. So a person's
    word is not undone a minute later, and a second wave calls again even if nobody reported the calm between. The
    severity does not tell all: a red wave of which somebody said that it is over, and which has twice the people then,
    is not over. The verdict stays until it gets worse than what was judged: a false alarm that returns and ends by
    itself was one.
    """
    ended = incident.resolved_at or incident.updated
    last, is_blind = incident.calm_since or ended, incident.kind is Kind.BLIND
    if spike.time - (max(last, ended) if is_blind else ended) > rules.reopen_within:  # a silence may go on for days
        return _open(spike, new_id, incident.silence)
    if spike.severity is None:
        return Step(replace(incident, calm_since=ended - rules.subside_after)) if is_blind else None
    same_wave = spike.time - last < rules.subside_after
    if same_wave and spike.severity <= incident.severity and not _far_worse(incident.numbers, spike.numbers):
        return Step(replace(incident, calm_since=max(last, spike.time)))
    after = calls_again(_with_evidence(incident, spike), spike.severity, Cause.BACK)
    worse = spike.severity > incident.worst or (same_wave and spike.severity == incident.worst)
    after = replace(
        after,
        resolved_at=None,
        resolved_by=None,
        eased_from=incident.worst if spike.severity < incident.worst else None,
        verdict=None if worse else incident.verdict,
    )
    return made(after, sequence, Event.REOPENED, after.updated, reason=spike.why)


def _far_worse(then: Numbers, now: Numbers) -> bool:
    """Whether a wave has grown so much since somebody said that it is over that they would not say it now."""
    return then.authors > 0 and now.authors >= FAR_WORSE * then.authors and now.surprise >= then.surprise


def _raise(incident: Incident, spike: Spike, sequence: int) -> Step:
    """At once, and whoever had acknowledged the smaller trouble is called again for the bigger one.

    Who has acknowledged one as bad has it: it only had a better hour.
    """
    severity, after = spike.severity or incident.severity, _with_evidence(incident, spike)
    if incident.acknowledged_severity and severity <= incident.acknowledged_severity:
        after = replace(after, severity=severity, calm_since=None, easing=None)
    else:
        cause = Cause.WORSE if incident.told else incident.cause  # what nobody was called for is no worse to them
        after = calls_again(after, severity, cause)
    after = replace(after, verdict=None if severity > incident.worst else incident.verdict)
    return made(after, sequence, Event.RAISED, after.updated, reason=spike.why)


def _hear(incident: Incident, spike: Spike, rules: Rules, sequence: int) -> Step:
    """Whether a source can be heard is no guess, and told as it is now: what is said last is so, and at once."""
    after, moment = _with_evidence(incident, spike), max(spike.time, incident.updated)
    if spike.severity == incident.severity:
        return Step(after)
    if spike.severity is not None:
        after = replace(after, severity=spike.severity, eased_from=incident.worst)
        return made(after, sequence, Event.SUBSIDED, moment, reason=spike.why)
    return made(_over(incident, rules, moment), sequence, Event.RESOLVED, moment, reason=spike.why)


def _over(incident: Incident, rules: Rules, moment: datetime) -> Incident:
    """Ended by what the desk knows, not by a person's word: the next wave calls at once."""
    return replace(over(incident, moment), calm_since=moment - rules.subside_after)


def _ease(incident: Incident, spike: Spike, rules: Rules, sequence: int) -> Step:
    """Weaker evidence than the severity says: wait, then lower it, then end it. The figures of the worst stay."""
    if spike.severity == incident.severity:
        return Step(replace(_with_evidence(incident, spike), calm_since=None, easing=None))
    since = incident.calm_since or spike.time
    easing = max(filter(None, (incident.easing, spike.severity)), default=None)
    moment = max(spike.time, incident.updated)
    waiting = replace(incident, calm_since=since, easing=easing, updated=moment, witnessed=spike.time)
    weak_for = spike.time - since
    if easing is None and weak_for >= rules.resolve_after:
        return made(over(waiting, moment), sequence, Event.RESOLVED, moment, reason=f"calm for {how_long(weak_for)}")
    lower = easing or Severity.NOTICE
    if weak_for < rules.subside_after or lower == incident.severity:
        return Step(waiting)
    after = replace(waiting, severity=lower, eased_from=waiting.worst)
    if easing is not None:
        # How long the evidence has been weaker than the new severity is not known, so the hold starts afresh.
        weaker = spike.severity != lower
        after = replace(after, calm_since=spike.time if weaker else None, easing=spike.severity if weaker else None)
    return made(after, sequence, Event.SUBSIDED, moment, reason=f"weaker for {how_long(weak_for)}")


def _with_evidence(incident: Incident, spike: Spike) -> Incident:
    """The current picture; a late spike does not turn the incident's time back, and the first posts stay the first.

    A desk that was restarted in a crisis has the counts but no longer the posts: then the evidence stays as it was.
    """
    evidence, known = spike.evidence, incident.evidence
    evidence = evidence.continuing(known, called=incident.worst >= Severity.AMBER) if evidence.posts else known
    return replace(
        incident,
        numbers=spike.numbers,
        why=spike.why,
        why_de=spike.why_de,
        evidence=evidence,
        updated=max(spike.time, incident.updated),
        witnessed=max(spike.time, incident.evidence_until),
        surprise=max(spike.numbers.surprise, incident.surprise),
    )
