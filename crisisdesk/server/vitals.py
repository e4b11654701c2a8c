"""What a desk knows of itself at one moment, for machines that watch over it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from crisisdesk.records import Event, Incident, OutputStatus, SourceStatus
from crisisdesk.timing import Timing


@dataclass(frozen=True, slots=True)
class Vitals:
    """The desk at one moment; all counts are of this run and never go down, but for what waits."""

    now: datetime
    sources: Sequence[SourceStatus] = ()
    outputs: Mapping[str, Sequence[OutputStatus]] = field(default_factory=dict)
    """The addresses of each way out, which has no person's name: `push`, not `push to Anna Berg`."""
    queues: Mapping[str, int] = field(default_factory=dict)
    """What waits, by stage."""
    incidents: Sequence[Incident] = ()
    """Open ones, and others that do not matter here."""
    changes: Mapping[Event, int] = field(default_factory=dict)
    """What has happened to incidents."""
    judged_until: datetime | None = None
    """The moment up to which everything that was heard has been judged; None while nothing was."""
    repeated: int = 0
    """Mentions that were delivered again."""
    scored: int = 0
    """Mentions that the model has judged,"""
    unjudged: int = 0
    """and those that it could not, which count as neutral."""
    scoring: Timing = field(default_factory=Timing)
    """How long the model took for what it was given at once."""
    deciding: Timing = field(default_factory=Timing)
    """How long mentions took from their source through all that decides."""
    model: str = ""
    """Name and digest; empty while it is being loaded."""
    is_writable: bool = True
    """Whether the database took what was written last."""
    troubles: int = 0
    """How many sentences the desk has to say about what is wrong with it."""

    @property
    def is_blind(self) -> bool:
        """Whether no source is heard; those that were read to their end are not missed."""
        missed = [one for one in self.sources if one.state != "ended"]
        return bool(missed) and not any(one.state == "live" for one in missed)
