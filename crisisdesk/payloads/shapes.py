"""The shapes of the objects that stand for incidents, and what happened to them."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import WithJsonSchema
from typing_extensions import TypedDict

from crisisdesk.records import Event, Kind, Severity, State, Verdict


def _one_of(words: Iterable[object]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [str(one) for one in words]})


Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""RFC 3339, in UTC."""
EventName = Annotated[str, _one_of(Event)]
KindName = Annotated[str, _one_of(Kind)]
SeverityName = Annotated[str, _one_of(Severity)]
StateName = Annotated[str, _one_of(State)]
VerdictName = Annotated[str, _one_of(Verdict)]


class NumbersData(TypedDict):
    """Why an incident is one, in figures."""

    window_minutes: int
    negative: int
    expected: float | None
    authors: int
    negative_share: float | None
    usual_share: float | None
    probability: float | None
    surprise: float | None


class LineData(NumbersData):
    """A change as one line of `replay --json` and `demo --json`."""

    event: EventName
    incident: str
    watch: str
    kind: KindName
    time: Moment
    severity: SeverityName
    why: str
    why_de: str


class ChangeData(TypedDict):
    """One line of an incident's timeline; `sequence` counts from 1 within the incident."""

    sequence: int
    event: EventName
    time: Moment
    severity: SeverityName
    person: str | None
    reason: str


class QuoteData(TypedDict):
    """A post as evidence."""

    id: str
    source: str
    time: Moment
    author: str | None
    text: str
    reach: int
    url: str | None
    negative: float | None
    copies: int
    neutral: float | None
    positive: float | None
    model: str | None
    role: str | None


class PhraseData(TypedDict):
    """Words that set a spike apart."""

    text: str
    posts: int
    usual: float | None


class VoiceData(TypedDict):
    """An author of wide reach."""

    author: str
    reach: int


class EvidenceData(TypedDict):
    """What a person reads to judge for herself."""

    phrases: list[PhraseData]
    posts: list[QuoteData]
    first: QuoteData | None
    signals: list[QuoteData]
    people: int
    reach: int
    voices: list[VoiceData]
    languages: dict[str, int]
    sources: dict[str, int]
    other_languages: dict[str, int]
    unjudged: int


class PlaybookRefData(TypedDict):
    """The playbook that fits an incident, and its first step that is not done."""

    id: str
    title: str
    next_step: str


class IncidentData(NumbersData):
    """An incident as it is."""

    id: str
    watch: str
    kind: KindName
    state: StateName
    severity: SeverityName
    opened: Moment
    updated: Moment
    acknowledged_by: str | None
    acknowledged_at: Moment | None
    assigned_to: str | None
    silenced_until: Moment | None
    silenced_by: str | None
    silenced_because: str | None
    called_at: Moment | None
    unanswered: bool
    resolved_by: str | None
    verdict: VerdictName | None
    why: str
    why_de: str
    evidence: EvidenceData
    playbook: PlaybookRefData | None
