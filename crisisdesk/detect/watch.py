"""One watch under observation: scored mentions in, statements about spikes out."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crisisdesk.detect.apart import Apart, Languages
from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.brigading import Brigading
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.evidence import evidence
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.memory import Memory, Remembered
from crisisdesk.detect.people import Crowd
from crisisdesk.detect.record_days import RecordDays
from crisisdesk.detect.severity import Extent, Ruling, severity_of
from crisisdesk.detect.speakers import Speakers
from crisisdesk.detect.spike import Reading, SpikeDetector
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.telling import Brand
from crisisdesk.detect.weeks import Rise, Week, Weeks, slow_rise
from crisisdesk.detect.why import News, Why, unheard, urgency, why
from crisisdesk.detect.windows import HOUR, WINDOWS, first_minute
from crisisdesk.records import EPOCH, Evidence, Kind, Label, Numbers, Scored, Severity, Spike

CHART_HOURS: Final = 15 * 24
"""Hours of the past that a chart can show."""
EVIDENCE_EVERY: Final = 5.0
"""Minutes for which evidence stays as it is; collecting it for each post of a storm would cost more than judging."""
EVIDENCE_GROWN: Final = 0.05
"""It stays longer, three times as long at most, while less than this part of its posts has come."""
QUARTER: Final = 15
"""Minutes of a quarter of an hour, which is compared with the last hour to see how fast a spike grows,"""
GROWS_FROM: Final = 8
"""from so many negative posts in it on."""
PART_OF_A_NETWORK: Final = 0.2
"""Of the negative posts, from which a network counts as one that carries them."""
RECORD_FROM, RECORD_DAYS = 5, 7
"""Negative posts in an hour, and days without as many, from which it is worth a sentence."""
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

    def __init__(
        self,
        name: str,
        standard: Standard | None = None,
        chart_hours: int | None = CHART_HOURS,
        terms: Iterable[str] = (),
        hearing: Hearing | None = None,
    ) -> None:
        self.name = name
        self._brand = Brand(name, terms)
        self.standard = standard or Standard()
        self.detector = _detector(self.standard, hearing)
        self._crowd = Crowd()
        self._memory = Memory(WINDOWS[-1])
        self._speakers = Speakers(WINDOWS[-1])
        self._brigading = Brigading(name, self._memory, self._background)
        self._apart = Apart()
        self._records = RecordDays()
        self._weeks = Weeks()
        self._history: deque[Hour] = deque(maxlen=chart_hours)
        self._charted: int | None = None
        self._now = EPOCH
        self._severity: Severity | None = None
        self._unusual_at = EPOCH
        self._evidence = Evidence()
        self._evidence_at = EPOCH
        self.late = 0
        """Posts that came too late to be counted."""

    def observe(self, scored: Scored) -> tuple[Spike, ...]:
        """Take in a mention; a statement of each kind of which something is unusual or has just stopped being so."""
        post = scored.post
        moment = minutes(post.time)
        self.pass_time(post.time)
        said = self._crowd.hear(post, moment)
        counted = said.counts
        negative = scored.label is Label.NEGATIVE
        if counted and not self.detector.count(moment, 1, int(negative)):
            self.late += 1
        elif counted and negative:
            self._speakers.add(said.voice, int(moment))
        flagged = self._severity is not None
        item = Remembered.of(scored, moment, said.wording, counted=counted, flagged=flagged)
        for fresh in self._memory.add(item, self.detector.baseline.level * WINDOWS[-1] / HOUR):
            self.detector.count_fresh(fresh.moment, 1, int(fresh.negative))
        if negative and moment > minutes(self._now) - HOUR:
            self._brigading.add(minutes(self._now), said)
        return tuple(self._statements(negative=negative))

    def observe_apart(self, moment: datetime, language: str) -> None:
        """Take in a post in another language: nothing is judged by it or learnt from it, but it stands in evidence."""
        self.pass_time(moment)
        self._apart.add(int(minutes(moment)), language)
        self._memory.grown += 1

    def advance(self, now: datetime, *, flooded: bool = False) -> tuple[Spike, ...]:
        """Let time pass without a mention; says how things stand, which is what ends an incident.

        Of floods something is said while there is one, and where one is thought to be (`flooded`).
        """
        self.pass_time(now)
        spike = self._judge()
        if not (flooded or self._brigading.has_news):
            return (spike,)
        return spike, self._brigading.statement(self._now, look=True)

    @property
    def now(self) -> datetime:
        """The newest moment that the watch knows of."""
        return self._now

    def hours(self) -> tuple[Hour, ...]:
        """The past hours and the present one, oldest first."""
        if self._charted is None:
            return ()
        return (*self._history, self._hour(self._charted))

    def weeks(self) -> tuple[Week, ...]:
        """The last weeks without the hours that were flagged, oldest first; the last is the present one, so far."""
        return self._weeks.all(self._now)

    def slow_rise(self) -> Rise | None:
        """Whether the negative share has risen over the last weeks, too slowly to be a spike."""
        return slow_rise(self.weeks(), self.detector.spread.correlation[-1])

    @property
    def since(self) -> datetime:
        """The first hour in which it was heard; the present before that."""
        return EPOCH + timedelta(hours=self._weeks.since) if self._weeks.since >= 0 else self._now

    def last_hour(self) -> tuple[int, int, float]:
        """Negative posts, all posts and usual negative posts of the 60 minutes before now."""
        end = minutes(self._now)
        total, negative = self.detector.window(HOUR)
        usual = self.detector.expected(end - HOUR, end) * self.detector.baseline.share
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
            "crowd": self._crowd.state(),
            "brigading": self._brigading.state(),
            "apart": self._apart.state(),
            "records": self._records.state(),
            "weeks": self._weeks.state(),
            "hours": hours,
            "hour": self._charted,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._now = datetime.fromtimestamp(state["now"], UTC)
        self.detector.restore(state["detector"])
        self._memory.restore(state["memory"])
        self._apart = Apart.restored(state.get("apart", ()))  # older versions counted none
        if "records" in state:  # older versions kept none
            self._records = RecordDays.restored(state["records"])
        if "weeks" in state:  # the same
            self._weeks = Weeks.restored(state["weeks"])
        if "crowd" in state:  # older versions forgot who had spoken
            self._crowd.restore(state["crowd"])
            self._brigading.restore(state["brigading"])
        self._history.extend(Hour(datetime.fromtimestamp(start, UTC), *rest) for start, *rest in state["hours"])
        self._charted = state["hour"]

    def pass_time(self, now: datetime) -> None:
        """It is this late, or later: what has grown old is learnt or forgotten."""
        if now <= self._now:
            return
        self._now = now
        moment = minutes(now)
        hour = int(moment // HOUR)
        if self._charted is None:
            self._charted = hour
        if self._charted < hour:
            total, negative = self.detector.hour(self._charted)
            self._records.observe(self._charted, negative)
            self._weeks.add(self._charted, total, negative)
        if self._history.maxlen is not None:
            self._charted = max(self._charted, hour - self._history.maxlen)
        while self._charted < hour:
            self._history.append(self._hour(self._charted))
            self._charted += 1
        self.detector.advance(moment)
        self._crowd.advance(moment)
        self._brigading.advance(moment)

    def _hour(self, hour: int) -> Hour:
        total, negative = self.detector.hour(hour)
        start = EPOCH + timedelta(hours=hour)
        if not self.detector.awake:
            return Hour(start, negative, total, None, None)
        return Hour(start, negative, total, *self.detector.usual(hour), self.detector.baseline.share)

    def _statements(self, *, negative: bool) -> Iterator[Spike]:
        """What is unusual after a post, or has just stopped being so."""
        unusual = self._severity is not None
        if negative or unusual:
            spike = self._judge()
            if unusual or spike.severity is not None:
                yield spike
        if self._brigading.has_news:
            yield self._brigading.statement(self._now)

    def _background(self) -> tuple[int, float]:
        """Posts of the last hour that are not negative, and the usual share of those that are."""
        negative, total, _ = self.last_hour()
        return total - negative, self.detector.baseline.share

    def _judge(self) -> Spike:
        reading = self.detector.read()
        since = first_minute(reading.window_minutes, int(minutes(self._now)))
        people = self._people(since, reading.negative) if reading.severity is not None else 0
        extent = self._extent(reading, people)
        ruling = severity_of(
            reading.severity, reading.surprise, self.detector.thresholds, extent, self.standard.severity
        )
        changed = ruling.severity is not self._severity
        self._severity = ruling.severity
        if reading.severity is not None and reading.severity > Severity.NOTICE:  # as the detector flags them
            self._weeks.leave_out(since // HOUR, int(minutes(self._now) // HOUR))
        numbers = _numbers(reading, people)
        if ruling.severity is None:
            calm = why(numbers)
            return Spike(self.name, Kind.SPIKE, self._now, None, numbers, calm.en, self._evidence, calm.de)
        self._collect(since, changed=changed)
        said = why(numbers, self._evidence.phrases, self._news(reading), self._besides(ruling))
        return Spike(self.name, Kind.SPIKE, self._now, ruling.severity, numbers, said.en, self._evidence, said.de)

    def _extent(self, reading: Reading, people: int) -> Extent:
        """How large, fast and wide a spike is; reach and networks as evidence last saw them."""
        lately, an_hour = self.detector.window(QUARTER)[1], self.detector.window(HOUR)[1]
        negative = sum(posts for _, posts in self._evidence.sources)
        return Extent(
            people=people,
            hours=max(1.0, reading.window_minutes / HOUR),
            expected=reading.expected,
            growth=HOUR / QUARTER * lately / an_hour if lately >= GROWS_FROM else 1.0,
            reach=self._evidence.reach,
            sources=sum(posts >= PART_OF_A_NETWORK * negative for _, posts in self._evidence.sources),
        )

    def _besides(self, ruling: Ruling) -> Iterator[Why]:
        """What else there is to say of a spike."""
        if ruling.severity is not Severity.NOTICE:
            yield from urgency(ruling, self._evidence)
        an_hour = self.detector.window(HOUR)[1]
        standing = self._records.standing(int(minutes(self._now) // HOUR), an_hour)
        if an_hour >= RECORD_FROM and standing.days >= RECORD_DAYS:
            yield Why(f"These are {standing.largest()}.", f"Das sind {standing.largest_de()}.")
        if missing := self.detector.hearing.missing:
            yield unheard(missing)

    def _people(self, since: int, negative: int) -> int:
        """Distinct people behind the negative posts; those counted before a restart are each taken for one."""
        posts, people = self._speakers.since(since)
        return people + max(0, negative - posts)

    def _news(self, reading: Reading) -> News | None:
        phrases = tuple(self._memory.fresh.phrases(3)) if reading.fresh_total else ()
        return News(reading.fresh_negative, reading.fresh_total, phrases) if phrases else None

    def _collect(self, since: int, *, changed: bool) -> None:
        """Keep the evidence up to date, and the first signals of the story as they were when the story began."""
        if minutes(self._now) - minutes(self._unusual_at) > FORGET_FIRST:
            self._evidence = Evidence()
        self._unusual_at = self._now
        if changed or self._is_due():
            known = self._evidence.signals
            found = evidence(self._memory, self._brand, since, self._crowd.copies, known)
            self._evidence = replace(found, other_languages=self._apart.between(since, minutes(self._now)))
            self._evidence_at = self._now
            self._memory.grown = 0

    def _is_due(self) -> bool:
        """Whether enough has come, and long enough ago, to collect evidence anew."""
        grown, age = self._memory.grown, minutes(self._now) - minutes(self._evidence_at)
        shown = sum(posts for _, posts in (*self._evidence.languages, *self._evidence.other_languages))
        return grown > 0 and age >= EVIDENCE_EVERY * (1 if grown >= EVIDENCE_GROWN * shown else 3)


def _detector(standard: Standard, hearing: Hearing | None) -> SpikeDetector:
    baseline = Baseline(standard.expectation, standard.clock)
    return SpikeDetector(Thresholds.for_budget(standard.false_alarms), baseline, hearing)


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
        surprise=round(reading.surprise, 3),
    )
