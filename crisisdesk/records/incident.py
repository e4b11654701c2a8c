"""What the detectors state, what becomes of it, and what is owed to the outside."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from crisisdesk.records.calling import Calling, Cause, Silence
from crisisdesk.records.evidence import Evidence
from crisisdesk.records.severity import Severity

WAVE_ENDS_AFTER: Final = timedelta(hours=1)
"""A wave without evidence for so long has ended; what comes then is another one."""


class Kind(StrEnum):
    """What an incident is about."""

    SPIKE = "spike"
    BLIND = "blind"
    BRIGADING = "brigading"


class State(StrEnum):
    """Where an incident stands with people."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class Event(StrEnum):
    """What can happen to an incident."""

    OPENED = "opened"
    RAISED = "raised"
    SUBSIDED = "subsided"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    SILENCED = "silenced"
    NOTED = "noted"
    RESOLVED = "resolved"
    CALLED = "called"
    """The desk has called people."""
    UNANSWERED = "unanswered"
    """All were called as often as agreed, and nobody has answered."""
    LAPSED = "lapsed"
    """Somebody had it, but nothing was done for so long that others are called again."""

    @property
    def is_call(self) -> bool:
        """Whether people are called with it."""
        return self in {Event.CALLED, Event.UNANSWERED}

    @property
    def is_all_clear(self) -> bool:
        """Whether those who were called can go back to sleep."""
        return self in {Event.ACKNOWLEDGED, Event.SILENCED, Event.RESOLVED}


class Verdict(StrEnum):
    """What a person says, afterwards, that an incident was."""

    REAL = "real"
    FALSE_ALARM = "false alarm"
    PLANNED = "planned"


@dataclass(frozen=True, slots=True)
class Numbers:
    """Why a spike is one, in figures. Counts are of people's posts: copies folded, an author at most twice an hour.

    Of a source that is blind: `window_minutes` is how long it has been, `expected` how many posts of any mood usually
    come in that time (at least), `probability` how likely such a silence is by chance; all others are 0.
    """

    window_minutes: int
    negative: int
    """Negative posts in the window."""
    total: int
    """All posts in the window."""
    expected: float
    """Negative posts that this watch usually has in such a window at this time."""
    authors: int
    """Distinct people behind the negative posts."""
    negative_share: float
    usual_share: float
    probability: float
    """How likely so many at such a share would be on an ordinary day."""
    surprise: float = 0.0
    """Number and share together, on the scale of the watch's thresholds; 0 where it is no spike or was not kept."""


@dataclass(frozen=True, slots=True)
class Spike:
    """The detector's statement about one watch at one moment of event time.

    `severity` None means that nothing is unusual any more: what the lifecycle needs to subside and resolve. Of kind
    blind, `watch` is the name of a source, or of a watch whose own accounts are silent.
    """

    watch: str
    kind: Kind
    time: datetime
    severity: Severity | None
    numbers: Numbers
    why: str
    evidence: Evidence = field(default_factory=Evidence)
    why_de: str = ""
    """The same as `why`, in German; empty where it is said in English only."""


@dataclass(frozen=True, slots=True)
class PlaybookRef:
    """The playbook that fits an incident, and the first step that is not done."""

    id: str
    title: str
    next_step: str
    reason: str = ""
    """Why this one, in a few words."""
    specific: bool = True
    """It was written for such a case; the general one is not."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What the desk and its people know of one crisis; every change makes a new record."""

    id: str
    watch: str
    kind: Kind
    state: State
    severity: Severity
    opened: datetime
    updated: datetime
    numbers: Numbers
    why: str
    evidence: Evidence = field(default_factory=Evidence)
    playbook: PlaybookRef | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    acknowledged_severity: Severity | None = None
    """How bad it was then: whoever has it is not called again unless it gets worse than that."""
    had_by: str | None = None
    """Who had it last and did nothing for so long that others were called again."""
    resolved_at: datetime | None = None
    verdict: Verdict | None = None
    calm_since: datetime | None = None
    """Since when the evidence is weaker than the severity says."""
    easing: Severity | None = None
    """The strongest evidence since `calm_since`; None while there was none at all."""
    why_de: str = ""
    """The same as `why`, in German; empty where it is said in English only."""
    eased_from: Severity | None = None
    """The severity before it first subsided; None while it is as bad as ever."""
    surprise: float = 0.0
    """The highest of its `numbers.surprise` so far."""
    resolved_by: str | None = None
    """Who said that it is over; None where it ended by itself, or is open."""
    assigned_to: str | None = None
    """Whom people have asked to take it."""
    acted_at: datetime | None = None
    """When a person last did something about it; None where nobody has since it called."""
    silence: Silence | None = None
    """The last one that people asked for; it outlives the incident, since what flaps would call again."""
    cause: Cause = Cause.NEW
    """Why it calls, or would."""
    calling: Calling | None = None
    """How far the calling has come; None where nobody has been called for this cause."""
    witnessed: datetime | None = None
    """The time of its newest evidence, which people and calls do not move; posts may come hours late."""
    told: tuple[str, ...] = ()
    """Addresses that were called, and are owed the news that somebody has it and that it is over."""

    @property
    def silenced_until(self) -> datetime | None:
        """When the silence ends or has ended; None without one."""
        return self.silence.until if self.silence else None

    def is_silent(self, now: datetime) -> bool:
        """Whether nobody is to be called for it at this moment."""
        return self.silence is not None and now < self.silence.until and self.severity <= self.silence.severity

    @property
    def evidence_until(self) -> datetime:
        """The time of its newest evidence."""
        return self.witnessed or self.updated

    @property
    def worst(self) -> Severity:
        """The highest severity that it has had."""
        return max(self.severity, self.eased_from or self.severity)

    @property
    def is_open(self) -> bool:
        """Whether people may still have to act."""
        return self.state is not State.RESOLVED


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an incident's timeline; `sequence` counts from 1 within the incident."""

    incident: str
    sequence: int
    event: Event
    time: datetime
    severity: Severity
    person: str | None = None
    """Who did it; None for the desk itself."""
    reason: str = ""
    to: tuple[str, ...] = ()
    """Addresses of people that are told of it."""
    mark: str = ""
    """Of the run, where it went out before it could be written down: a crash may give its number to another change."""

    @property
    def id(self) -> str:
        """Stable over restarts and repeated deliveries; letters, digits and hyphens only."""
        return f"{self.incident}-{self.sequence}" + (f"-{self.mark}" if self.mark else "")


@dataclass(frozen=True, slots=True)
class Notification:
    """What an output owes the outside: a change, and the incident as it was right after it."""

    change: Change
    incident: Incident
