"""An incident, and what happened to it."""

import math
from datetime import datetime

from crisisdesk.payloads.shapes import (
    ChangeData,
    IncidentData,
    LineData,
    NumbersData,
    PlaybookRefData,
    QuoteData,
)
from crisisdesk.records import Change, Incident, Notification, Numbers, PlaybookRef, Quote, stamp


def line(notification: Notification) -> LineData:
    """A change as one line of `replay --json` and `demo --json`; its time is the event time of the decision."""
    change, incident = notification.change, notification.incident
    return {
        "event": change.event.value,
        "incident": incident.id,
        "watch": incident.watch,
        "kind": incident.kind.value,
        "time": stamp(change.time),
        "severity": str(change.severity),
        **_numbers(incident.numbers),
        "why": incident.why,
        "why_de": incident.why_de,
    }


def change_data(change: Change) -> ChangeData:
    """The object that is called `change`: one line of the incident's timeline."""
    return {
        "sequence": change.sequence,
        "event": change.event.value,
        "time": stamp(change.time),
        "severity": str(change.severity),
        "person": change.person,
        "reason": change.reason,
    }


def incident_data(incident: Incident) -> IncidentData:
    """The object that is called `incident` in every message and answer."""
    evidence = incident.evidence
    return {
        "id": incident.id,
        "watch": incident.watch,
        "kind": incident.kind.value,
        "state": incident.state.value,
        "severity": str(incident.severity),
        "opened": stamp(incident.opened),
        "updated": stamp(incident.updated),
        "acknowledged_by": incident.acknowledged_by,
        "acknowledged_at": moment(incident.acknowledged_at),
        "assigned_to": incident.assigned_to,
        "silenced_until": moment(incident.silenced_until),
        "silenced_by": incident.silence.person if incident.silence else None,
        "silenced_because": incident.silence.reason if incident.silence else None,
        "called_at": moment(incident.calling.at if incident.calling else None),
        "unanswered": bool(incident.calling and incident.calling.exhausted),
        "resolved_by": incident.resolved_by,
        "verdict": incident.verdict.value if incident.verdict else None,
        "why": incident.why,
        "why_de": incident.why_de,
        **_numbers(incident.numbers),
        "evidence": {
            "phrases": [{"text": one.text, "posts": one.posts, "usual": real(one.usual)} for one in evidence.phrases],
            "posts": [_quote(post) for post in evidence.posts],
            "first": _quote(evidence.first) if evidence.first else None,
            "signals": [_quote(post) for post in evidence.signals],
            "people": evidence.people,
            "reach": evidence.reach,
            "voices": [{"author": author, "reach": reach} for author, reach in evidence.voices],
            "languages": dict(evidence.languages),
            "sources": dict(evidence.sources),
            "other_languages": dict(evidence.other_languages),
            "unjudged": evidence.unjudged,
        },
        "playbook": _playbook(incident.playbook) if incident.playbook else None,
    }


def moment(time: datetime | None) -> str | None:
    """RFC 3339, in UTC."""
    return stamp(time) if time else None


def _numbers(numbers: Numbers) -> NumbersData:
    return {
        "window_minutes": numbers.window_minutes,
        "negative": numbers.negative,
        "expected": real(numbers.expected),
        "authors": numbers.authors,
        "negative_share": real(numbers.negative_share),
        "usual_share": real(numbers.usual_share),
        "probability": real(numbers.probability, 3),
        "surprise": real(numbers.surprise, 3),
    }


def _quote(quote: Quote) -> QuoteData:
    return {
        "id": quote.id,
        "source": quote.source,
        "time": stamp(quote.time),
        "author": quote.author,
        "text": quote.text,
        "reach": quote.reach,
        "url": quote.url,
        "negative": real(quote.negative),
        "copies": quote.copies,
        "neutral": None if quote.neutral is None else real(quote.neutral),
        "positive": None if quote.positive is None else real(quote.positive),
        "model": quote.model or None,
        "role": quote.role.value if quote.role else None,
    }


def _playbook(playbook: PlaybookRef) -> PlaybookRefData:
    return {"id": playbook.id, "title": playbook.title, "next_step": playbook.next_step}


def real(value: float, digits: int = 6) -> float | None:
    """A figure without false precision; null for what is no number, since JSON has no NaN."""
    return float(f"{value:.{digits}g}") if math.isfinite(value) else None
