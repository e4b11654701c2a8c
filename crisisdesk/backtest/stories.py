"""The incidents of a recording, each from its first signal to its end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crisisdesk.records import Incident, Kind, Notification, Severity


@dataclass(slots=True)
class Story:
    """One incident, as far as it has come."""

    incident: Incident
    first: datetime
    """When the earliest post of it was written."""
    levels: list[tuple[datetime, Severity | None]] = field(default_factory=list)
    """From when on it was how bad; None after an end."""
    calls: list[datetime] = field(default_factory=list)
    """When it became amber or red that was less before: when somebody was called."""

    @property
    def worst(self) -> Severity:
        """How bad it was at its worst."""
        return max(severity for _, severity in self.levels if severity is not None)

    @property
    def severity(self) -> int:
        """How bad it is at present; 0 after its end."""
        return (self.levels[-1][1] if self.levels else None) or 0

    @property
    def end(self) -> datetime | None:
        """When it was over; None while it is not."""
        return self.incident.resolved_at

    @property
    def delay(self) -> timedelta | None:
        """From the first signal to the first call; None without one."""
        return self.calls[0] - self.first if self.calls else None


class Stories:
    """All incidents of a run, in the order in which they opened."""

    def __init__(self) -> None:
        self._by_id: dict[str, Story] = {}

    def take(self, notification: Notification) -> Story:
        """Take in a change; the story that it belongs to."""
        change, incident = notification.change, notification.incident
        story = self._by_id.setdefault(incident.id, Story(incident, incident.opened))
        story.incident = incident
        if incident.evidence.first is not None:
            story.first = min(incident.evidence.first.time, incident.opened)
        severity = incident.severity if incident.is_open else None
        if story.severity < Severity.AMBER <= (severity or 0):
            story.calls.append(change.time)
        if story.severity != (severity or 0):
            story.levels.append((change.time, severity))
        return story

    def all(self) -> tuple[Story, ...]:
        """Every incident, also floods of copies and whatever else is no spike."""
        return tuple(self._by_id.values())

    def called(self) -> tuple[Story, ...]:
        """The spikes for which somebody was called: what a budget is about, and what other rules could have found."""
        return tuple(one for one in self.all() if one.calls and one.incident.kind is Kind.SPIKE)
