"""Incidents, changes, notifications and posts as plain JSON, and back into the frozen records.

Written out by hand, one function a record, so that an old database stays readable when a record gains a field: what
is missing takes the record's default. Times are RFC 3339 in UTC with microseconds, severities are numbers, other
enums their word.
"""

import math
from datetime import UTC, datetime
from typing import Any

import orjson

from crisisdesk.records import (
    Calling,
    Cause,
    Change,
    Chosen,
    Event,
    Evidence,
    Incident,
    Kind,
    Notification,
    Numbers,
    Phrase,
    PlaybookRef,
    Post,
    Quote,
    Severity,
    Silence,
    State,
    Verdict,
)

Fields = dict[str, Any]
"""A JSON object as orjson reads it."""


def encode(record: Incident | Change | Notification | Post) -> str:
    """A record as one line of JSON; NaN and infinity become null."""
    return orjson.dumps(record._asdict() if isinstance(record, Post) else record).decode()


def incident(text: str) -> Incident:
    """Read an incident back."""
    return _incident(orjson.loads(text))


def change(text: str) -> Change:
    """Read a change back."""
    return _change(orjson.loads(text))


def notification(text: str) -> Notification:
    """Read a notification back."""
    fields = orjson.loads(text)
    return Notification(_change(fields["change"]), _incident(fields["incident"]))


def post(text: str) -> Post:
    """Read a post back."""
    known = {name: value for name, value in orjson.loads(text).items() if name in Post._fields}
    return Post(**{**known, "time": _time(known["time"]), "tags": tuple(known.get("tags", ()))})


def _incident(fields: Fields) -> Incident:
    playbook, verdict, easing, eased_from = (fields.get(key) for key in ("playbook", "verdict", "easing", "eased_from"))
    acknowledged = fields.get("acknowledged_severity")
    return Incident(
        id=fields["id"],
        watch=fields["watch"],
        kind=Kind(fields["kind"]),
        state=State(fields["state"]),
        severity=Severity(fields["severity"]),
        opened=_time(fields["opened"]),
        updated=_time(fields["updated"]),
        numbers=_numbers(fields["numbers"]),
        why=fields["why"],
        why_de=fields.get("why_de", ""),
        evidence=_evidence(fields["evidence"]),
        playbook=PlaybookRef(**playbook) if playbook else None,
        acknowledged_by=fields.get("acknowledged_by"),
        acknowledged_at=_maybe_time(fields.get("acknowledged_at")),
        acknowledged_severity=Severity(acknowledged) if acknowledged else None,
        had_by=fields.get("had_by"),
        resolved_at=_maybe_time(fields.get("resolved_at")),
        verdict=Verdict(verdict) if verdict else None,
        calm_since=_maybe_time(fields.get("calm_since")),
        easing=Severity(easing) if easing else None,
        eased_from=Severity(eased_from) if eased_from else None,
        surprise=_real(fields.get("surprise", 0.0)),
        resolved_by=fields.get("resolved_by"),
        assigned_to=fields.get("assigned_to"),
        acted_at=_maybe_time(fields.get("acted_at")),
        silence=_silence(fields.get("silence")),
        cause=Cause(fields.get("cause", Cause.NEW)),
        witnessed=_maybe_time(fields.get("witnessed", fields["updated"])),
        calling=_calling(fields.get("calling")),
        told=tuple(fields.get("told", ())),
    )


def _silence(fields: Fields | None) -> Silence | None:
    if fields is None:
        return None
    return Silence(_time(fields["until"]), fields["person"], fields["reason"], Severity(fields["severity"]))


def _calling(fields: Fields | None) -> Calling | None:
    if fields is None:
        return None
    return Calling(**{**fields, "at": _time(fields["at"])})


def _change(fields: Fields) -> Change:
    return Change(
        incident=fields["incident"],
        sequence=fields["sequence"],
        event=Event(fields["event"]),
        time=_time(fields["time"]),
        severity=Severity(fields["severity"]),
        person=fields.get("person"),
        reason=fields.get("reason", ""),
        to=tuple(fields.get("to", ())),
        mark=fields.get("mark", ""),
    )


def _numbers(fields: Fields) -> Numbers:
    return Numbers(
        window_minutes=fields["window_minutes"],
        negative=fields["negative"],
        total=fields["total"],
        expected=_real(fields["expected"]),
        authors=fields["authors"],
        negative_share=_real(fields["negative_share"]),
        usual_share=_real(fields["usual_share"]),
        probability=_real(fields["probability"]),
        surprise=_real(fields.get("surprise", 0.0)),
    )


def _evidence(fields: Fields) -> Evidence:
    first = fields.get("first")
    return Evidence(
        phrases=tuple(Phrase(**phrase) for phrase in fields.get("phrases", ())),
        posts=tuple(_quote(post) for post in fields.get("posts", ())),
        first=_quote(first) if first else None,
        signals=tuple(_quote(post) for post in fields.get("signals", ())),
        people=fields.get("people", 0),
        reach=fields.get("reach", 0),
        voices=_counts(fields, "voices"),
        languages=_counts(fields, "languages"),
        sources=_counts(fields, "sources"),
        other_languages=_counts(fields, "other_languages"),
        unjudged=fields.get("unjudged", 0),
    )


def _quote(fields: Fields) -> Quote:
    role = fields.get("role")
    known = {
        "time": _time(fields["time"]),
        "negative": _real(fields["negative"]),
        "role": Chosen(role) if role else None,
    }
    return Quote(**{**fields, **known})


def _counts(fields: Fields, key: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, count) for name, count in fields.get(key, ()))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _maybe_time(text: str | None) -> datetime | None:
    return None if text is None else _time(text)


def _real(value: float | None) -> float:
    return math.nan if value is None else float(value)
