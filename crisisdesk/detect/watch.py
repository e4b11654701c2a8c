"""One watch under observation: scored mentions in, statements about spikes out."""

from collections import deque
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crisisdesk.detect.apart import Apart, Languages
from crisisdesk.detect.baseline import HOUR
from crisisdesk.detect.evidence import evidence, quote
from crisisdesk.detect.memory import Memory, Remembered, phrases_of
from crisisdesk.detect.people import Crowd, fingerprint
from crisisdesk.detect.spike import Reading, SpikeDetector, Thresholds
from crisisdesk.detect.windows import WINDOWS
from crisisdesk.records import EPOCH, Evidence, Kind, Label, Numbers, Quote, Scored, Severity, Spike

CHART_HOURS: Final = 15 * 24
"""Hours of the past that a chart can show."""
EVIDENCE_EVERY: Final = 5.0
"""Minutes for which evidence stays as it is; collecting it for each post of a storm would cost more than judging."""
FEWEST_PEOPLE: Final = {Severity.NOTICE: 3, Severity.AMBER: 4, Severity.RED: 10}
"""People that must be behind the negative posts before anyone is called."""
FORGET_FIRST: Final = 12 * HOUR
"""Minutes of calm after which the next spike is a new story with a first post of its own."""


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of a watch, for charts. `expected` and `high` are None while it knows too little."""

    start: datetime
    negative: int
    total: int
    expected: float | None
    high: float | None
    usual_share: float | None = None
    """Of negative posts among all; None as above, and in what versions before this one kept."""


def minutes(moment: datetime) -> float:
    """Minutes since 1970."""
    return (moment - EPOCH).total_seconds() / 60


class WatchDetector:
    """Observes one watch. The same mentions in the same order give the same spikes, however fast they come."""

    def __init__(self, name: str, thresholds: Thresholds, chart_hours: int | None = CHART_HOURS) -> None:
        self.name = name
        self.detector = SpikeDetector(thresholds)
        self._crowd = Crowd()
        self._memory = Memory(WINDOWS[-1])
        self._apart = Apart()
        self._history: deque[Hour] = deque(maxlen=chart_hours)
        self._charted: int | None = None
        self._now = EPOCH
        self._severity: Severity | None = None
        self._first: Quote | None = None
        self._unusual_at = EPOCH
        self._evidence = Evidence()
        self._evidence_at = EPOCH
        self.late = 0
        """Posts that came too late to be counted."""

    def observe(self, scored: Scored) -> Spike | None:
        """Take in a mention; a statement when something is unusual or has just stopped being so."""
        post = scored.post
        moment = minutes(post.time)
        self._pass_time(max(post.time, self._now))
        counted = self._crowd.counts(post, moment)
        negative = scored.label is Label.NEGATIVE
        if counted and not self.detector.count(moment, 1, int(negative)):
            self.late += 1
        flagged = self._severity is not None
        item = Remembered(moment, scored, counted, flagged, phrases_of(post), fingerprint(post) or post.key)
        for fresh in self._memory.add(item, self.detector.baseline.level * WINDOWS[-1] / HOUR):
            self.detector.count_fresh(fresh.moment, 1, int(fresh.negative))
        if not negative and self._severity is None:
            return None
        before = self._severity
        spike = self._judge()
        return spike if spike.severity is not None or before is not None else None

    def observe_apart(self, moment: datetime, language: str) -> None:
        """Take in a post in another language: nothing is judged by it or learnt from it, but it stands in evidence."""
        self._pass_time(max(moment, self._now))
        self._apart.add(int(minutes(moment)), language)
        self._memory.grown = True

    def advance(self, now: datetime) -> Spike:
        """Let time pass without a mention; says how things stand, which is what ends an incident."""
        self._pass_time(max(now, self._now))
        return self._judge()

    def was_deaf(self, start: datetime, end: datetime) -> None:
        """Nothing could be heard between these moments."""
        self.detector.was_deaf(minutes(start), minutes(end))

    @property
    def now(self) -> datetime:
        """The newest moment that the watch knows of."""
        return self._now

    def hours(self) -> tuple[Hour, ...]:
        """The past hours and the present one, oldest first."""
        if self._charted is None:
            return ()
        return (*self._history, self._hour(self._charted))

    def last_hour(self) -> tuple[int, int, float]:
        """Negative posts, all posts and usual negative posts of the 60 minutes before now."""
        end = minutes(self._now)
        total, negative = self.detector.between(int(end) - HOUR + 1, int(end))
        usual = self.detector.baseline.expected(end - HOUR, end) * self.detector.baseline.share
        return negative, total, usual

    def last_hour_apart(self) -> Languages:
        """Posts in other languages in the 60 minutes before now."""
        end = int(minutes(self._now))
        return self._apart.between(end - HOUR + 1, end)

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values; posts are not among it."""
        hours = [(h.start.timestamp(), h.negative, h.total, h.expected, h.high, h.usual_share) for h in self._history]
        return {
            "now": self._now.timestamp(),
            "detector": self.detector.state(),
            "memory": self._memory.state(),
            "apart": self._apart.state(),
            "hours": hours,
            "hour": self._charted,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._now = datetime.fromtimestamp(state["now"], UTC)
        self.detector.restore(state["detector"])
        self._memory.restore(state["memory"])
        self._apart = Apart.restored(state.get("apart", ()))  # older versions counted none
        self._history.extend(Hour(datetime.fromtimestamp(start, UTC), *rest) for start, *rest in state["hours"])
        self._charted = state["hour"]

    def _pass_time(self, now: datetime) -> None:
        self._now = now
        moment = minutes(now)
        hour = int(moment // HOUR)
        if self._charted is None:
            self._charted = hour
        if self._history.maxlen is not None:
            self._charted = max(self._charted, hour - self._history.maxlen)
        while self._charted < hour:
            self._history.append(self._hour(self._charted))
            self._charted += 1
        self.detector.advance(moment)

    def _hour(self, hour: int) -> Hour:
        total, negative = self.detector.between(hour * HOUR, (hour + 1) * HOUR - 1)
        start = EPOCH + timedelta(hours=hour)
        if not self.detector.awake:
            return Hour(start, negative, total, None, None)
        return Hour(start, negative, total, *self.detector.usual(hour), self.detector.baseline.share)

    def _judge(self) -> Spike:
        reading = self.detector.read()
        since = int(minutes(self._now)) - reading.window_minutes + 1
        people = self._people(since, reading.negative) if reading.severity is not None else 0
        severity = reading.severity
        while severity is not None and people < FEWEST_PEOPLE[severity]:
            severity = Severity(severity - 1) if severity > Severity.NOTICE else None
        changed = severity is not self._severity
        self._severity = severity
        if severity is not None:
            self._collect(since, changed=changed)
        numbers = _numbers(reading, people)
        why = _why(numbers)
        if severity is not None and numbers.negative_share < numbers.usual_share:
            why += ". Others talk as well by now; the number of angry people is what keeps it up"
        if reading.fresh_total:
            why += _what_is_new(reading, self._memory.fresh_phrases(3))
        return Spike(self.name, Kind.SPIKE, self._now, severity, numbers, why, self._evidence)

    def _people(self, since: float, negative: int) -> int:
        """Distinct people behind the negative posts; those counted before a restart are each taken for one."""
        found = [p for p in self._memory.negatives(since) if p.counted]
        return len({p.person for p in found}) + max(0, negative - len(found))

    def _collect(self, since: float, *, changed: bool) -> None:
        """Keep the evidence up to date, and the first post of the story as it was when the story began."""
        if minutes(self._now) - minutes(self._unusual_at) > FORGET_FIRST:
            self._first = None
        self._unusual_at = self._now
        if self._first is None:
            negatives = self._memory.negatives(since)
            self._first = quote(negatives[0].scored) if negatives else None
        due = self._memory.grown and minutes(self._now) - minutes(self._evidence_at) >= EVIDENCE_EVERY
        if changed or due:
            found = evidence(self._memory, since, self._first, self._crowd.copies)
            self._evidence = replace(found, other_languages=self._apart.between(since, minutes(self._now)))
            self._evidence_at = self._now
            self._memory.grown = False


def _numbers(reading: Reading, people: int) -> Numbers:
    return Numbers(
        window_minutes=reading.window_minutes,
        negative=reading.negative,
        total=reading.total,
        expected=round(reading.expected, 2),
        authors=people,
        negative_share=round(reading.negative / reading.total, 4) if reading.total else 0.0,
        usual_share=round(reading.usual_share, 4),
        probability=reading.probability,
    )


def _why(numbers: Numbers) -> str:
    """One sentence for a person who is woken by it."""
    usual = f"{numbers.expected:.0f}" if numbers.expected >= 3 else f"{numbers.expected:.1f}"
    posts = "1 negative post" if numbers.negative == 1 else f"{numbers.negative} negative posts"
    people = f" by {numbers.authors} people" if numbers.authors > 1 else ""
    return (
        f"{posts}{people} in {span(numbers.window_minutes)}, usual is {usual}; "
        f"{numbers.negative_share:.0%} of the posts are negative, usual is {numbers.usual_share:.0%}"
    )


def _what_is_new(reading: Reading, phrases: list[str]) -> str:
    share = reading.fresh_negative / reading.fresh_total
    return f". New is talk of {', '.join(phrases)}: {share:.0%} of {reading.fresh_total} posts negative"


def span(window_minutes: int) -> str:
    """A window in words: "15 minutes", "1 hour", "12 hours"."""
    if window_minutes < HOUR:
        return f"{window_minutes} minutes"
    hours = window_minutes // HOUR
    return "1 hour" if hours == 1 else f"{hours} hours"
