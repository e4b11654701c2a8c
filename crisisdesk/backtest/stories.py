"""The incidents of a recording, each from its first signal to its end."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crisisdesk.detect.watch import WatchDetector
from crisisdesk.records import Incident, Kind, Notification, Quote, Severity


@dataclass(frozen=True, slots=True)
class Peak:
    """The 60 minutes before `time`: their negative posts, and how many of them are usual."""

    time: datetime
    negative: int
    expected: float


@dataclass(slots=True)
class Story:
    """One incident, as far as it has come."""

    incident: Incident
    first: datetime
    """When its first signal was written; when it opened, where no post stands out as one."""
    levels: list[tuple[datetime, Severity | None]] = field(default_factory=list)
    """From when on it was how bad; None after an end."""
    calls: list[datetime] = field(default_factory=list)
    """When it became amber or red that was less before: when somebody was called."""
    peak: Peak | None = None
    """The worst hour of a spike so far, which is seldom the one that opened it."""

    @property
    def signal(self) -> Quote | None:
        """The earliest post that says what sets it apart, of a flood its first; None without one.

        Text, figures and picture name the same. From the first call on it stays (`Evidence.continuing`).
        """
        evidence = self.incident.evidence
        first = evidence.first if self.incident.kind is Kind.BRIGADING else next(iter(evidence.signals), None)
        return first if first and first.time <= self.incident.opened else None

    @property
    def flood(self) -> str:
        """How a flood of copies was at its height, in words; nothing of what is no flood."""
        return self.incident.why if self.incident.kind is Kind.BRIGADING else ""

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


class Peaks:
    """Listens to one watch (see `overheard.Listener`) for the worst hour of its story."""

    def __init__(self, watch: WatchDetector) -> None:
        self._watch = watch
        self._story: Story | None = None

    def follow(self, story: Story) -> None:
        """From now on it is about this one."""
        self._story = story
        self._look(story)

    def count(self, moment: float, total: int, negative: int) -> None:
        pass

    def count_fresh(self, moment: float, total: int, negative: int) -> None:
        pass

    def judge(self, moment: float) -> None:
        """Look at the last hour, while there is an incident."""
        del moment  # the watch knows it
        if self._story is not None and self._story.end is None:
            self._look(self._story)

    def _look(self, story: Story) -> None:
        negative, _, expected = self._watch.last_hour()
        if story.peak is None or negative > story.peak.negative:
            story.peak = Peak(self._watch.now, negative, expected)


class Stories:
    """All incidents of a run, in the order in which they opened."""

    def __init__(self) -> None:
        self._by_id: dict[str, Story] = {}
        self._peaks: dict[str, Peaks] = {}

    def listen(self, watch: WatchDetector) -> Peaks:
        """What is to listen to a watch, so that its stories have a peak."""
        self._peaks[watch.name] = Peaks(watch)
        return self._peaks[watch.name]

    def take(self, notification: Notification) -> Story:
        """Take in a change; the story that it belongs to."""
        change, incident = notification.change, notification.incident
        if (story := self._by_id.get(incident.id)) is None:
            story = self._by_id[incident.id] = Story(incident, incident.opened)
            if incident.kind is Kind.SPIKE and (peaks := self._peaks.get(incident.watch)):
                peaks.follow(story)
        story.incident = incident
        if story.signal is not None:
            story.first = story.signal.time
        severity = incident.severity if incident.is_open else None
        if story.severity < Severity.AMBER <= (severity or 0):
            story.calls.append(change.time)
        if story.severity != (severity or 0):
            story.levels.append((change.time, severity))
        return story

    def all(self) -> tuple[Story, ...]:
        """Every incident, also floods of copies and whatever else is no spike."""
        return tuple(self._by_id.values())

    def floods(self) -> tuple[Story, ...]:
        """The floods of copies."""
        return tuple(one for one in self.all() if one.flood)

    def called(self) -> tuple[Story, ...]:
        """The spikes for which somebody was called: what a budget is about, and what other rules could have found."""
        return tuple(one for one in self.all() if one.calls and one.incident.kind is Kind.SPIKE)
