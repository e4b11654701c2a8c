"""One watch under observation: scored mentions in, statements about spikes out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from crisisdesk.detect.apart import Apart, Languages
from crisisdesk.detect.baseline import Baseline
from crisisdesk.detect.brigading import Brigading
from crisisdesk.detect.budget import Thresholds
from crisisdesk.detect.chart import Hour
from crisisdesk.detect.dossier import Dossier
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.judgement import Reading
from crisisdesk.detect.memory import Memory, Remembered
from crisisdesk.detect.past import Past
from crisisdesk.detect.people import Crowd
from crisisdesk.detect.planned import Calendar, Planned, nothing
from crisisdesk.detect.restored import Part, taken_up
from crisisdesk.detect.severity import Extent, Ruling, severity_of
from crisisdesk.detect.speakers import Speakers
from crisisdesk.detect.spike import SpikeDetector
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.telling import Brand
from crisisdesk.detect.weeks import Rise, Week, slow_rise
from crisisdesk.detect.why import News, Why, during, unheard, urgency, why
from crisisdesk.detect.windows import HOUR, WINDOWS
from crisisdesk.records import EPOCH, Correction, Kind, Label, Numbers, Post, Scored, Severity, Spike

CHART_HOURS: Final = 15 * 24
"""Hours of the past that a chart can show."""
QUARTER: Final = 15
"""Minutes of a quarter of an hour, which is compared with the last hour to see how fast a spike grows,"""
GROWS_FROM: Final = 8
"""from so many negative posts in it on."""
RECORD_FROM, RECORD_DAYS = 5, 7
"""Negative posts in an hour, and days without as many, from which it is worth a sentence."""


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
        *,
        planned: Calendar = nothing,
    ) -> None:
        self.name = name
        self.standard = standard or Standard()
        self.detector = _detector(self.standard, hearing, lambda: [one for one in planned() if one.watch == name])
        self._crowd = Crowd()
        self._memory = Memory(WINDOWS[-1], self._flagged)
        self._speakers = Speakers(WINDOWS[-1])
        self._brigading = self._of_floods()
        self._apart = Apart()
        self._dossier = Dossier(self._memory, Brand(name, terms), self._crowd, self._apart.between)
        self._chart_hours = chart_hours
        self._past = Past(lambda: self.detector, chart_hours)
        self._now = EPOCH
        self._earned: Severity | None = None
        self._severity: Severity | None = None
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
            self._past.count(int(minutes(self._now) // HOUR))
        item = Remembered.of(scored, moment, said.wording, counted=counted)
        for fresh in self._memory.add(item, self.detector.baseline.level * WINDOWS[-1] / HOUR):
            self.detector.count_fresh(fresh.moment, 1, int(fresh.negative))
        if negative and not said.again and moment > minutes(self._now) - HOUR:
            self._brigading.add(minutes(self._now), said)
        return tuple(self._statements(negative=negative))

    def observe_apart(self, moment: datetime, language: str) -> None:
        """Take in a post in another language: nothing is judged by it or learnt from it, but it stands in evidence."""
        self.pass_time(moment)
        self._apart.add(int(minutes(moment)), language)
        self._memory.grown += 1

    def correct(self, correction: Correction) -> int:
        """A post reads otherwise now, or is gone: it is shown so. What was counted and judged stays.

        Returns:
            How many posts of those that are remembered it was.
        """
        self._dossier.correct(correction)
        self._brigading.correct(correction)
        return self._memory.correct(correction)

    def let_go(self, before: datetime) -> None:
        """Forget the words of posts from before a moment, which lies longer ago than any window reaches back."""
        self._memory.let_go(minutes(before))
        self._dossier.let_go(minutes(before))
        self._brigading.let_go(before)

    def posts(self) -> Iterator[Post]:
        """The posts that are remembered."""
        return self._memory.posts()

    def advance(self, now: datetime, *, flooded: bool = False) -> tuple[Spike, ...]:
        """Let time pass without a mention; says how things stand, which is what ends an incident.

        Of floods something is said while there is one, and where one is thought to be (`flooded`).
        """
        self.pass_time(now)
        spike = self._judge()
        if not (flooded or self._brigading.has_news):
            return (spike,)
        return spike, self._brigading.statement(self._now, look=True)

    def follow(self, ahead: "WatchDetector", now: datetime) -> None:
        """Take the place of a watch whose clock was ahead: its usual and its past stay, its counts begin afresh."""
        past = ahead.past_until(now)
        for _, go_on, _ in self._past.parts():
            go_on(past)
        self.detector.learn_from(ahead.detector)

    def learn_from(self, other: "WatchDetector") -> None:
        """Take over what another has learnt of the brand's earlier time, if that is more; its own counts stay."""
        if other.detector.baseline.hours <= self.detector.baseline.hours:
            return
        other.pass_time(self.since)  # its last hour is over
        self.detector.learn_from(other.detector)
        self._memory.restore(other.state()["memory"])
        past = Past(lambda: self.detector, self._chart_hours)
        for _, go_on, _ in past.parts():
            go_on(other.past_until(other.now))
        then, now = (int(minutes(moment) // HOUR) for moment in (other.now, self._now))
        if then < now:
            past.end(then, now)  # the hours between are those that it has counted itself
        self._past = past

    def past_until(self, now: datetime) -> dict[str, Any]:
        """Chart, weeks and largest hours, of which nothing lies after a moment."""
        return self._past.until(int(minutes(now) // HOUR))

    @property
    def now(self) -> datetime:
        """The newest moment that the watch knows of."""
        return self._now

    def hours(self) -> tuple[Hour, ...]:
        """The past hours and the present one, oldest first."""
        return self._past.hours()

    def weeks(self) -> tuple[Week, ...]:
        """The last weeks without the hours that stood out, oldest first; the last is the present one, so far."""
        return self._past.weeks(self._now)

    def slow_rise(self) -> Rise | None:
        """Whether the negative share has risen over the last weeks, too slowly to be a spike."""
        return slow_rise(self.weeks(), self.detector.spread.correlation[-1])

    @property
    def since(self) -> datetime:
        """The first hour in which it was heard; the present before that."""
        return self._now if self._past.since is None else EPOCH + timedelta(hours=self._past.since)

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
        return {
            "now": self._now.timestamp(),
            "earned": self._earned,
            "severity": self._severity,
            "detector": self.detector.state(),
            "memory": self._memory.state(),
            "speakers": self._speakers.state(),
            "crowd": self._crowd.state(),
            "brigading": self._brigading.state(),
            "apart": self._apart.state(),
            "dossier": self._dossier.state(minutes(self._now)),
            **self._past.state(),
        }

    def restore(self, state: dict[str, Any]) -> tuple[str, ...]:
        """Go on from what `state` gave; of what older versions did not keep, nothing is known.

        Returns:
            What is damaged, in words; of that nothing is known either.

        Raises:
            KeyError, TypeError, ValueError: what is usual is of another shape.
        """
        now = datetime.fromtimestamp(state["now"], UTC)
        self.detector.restore(state["detector"])
        self._now = now
        return taken_up(state, (*self._parts(), *self._past.parts()))

    def _parts(self) -> Iterator[Part]:
        """What can be learnt afresh without the rest."""
        yield "severity", self._restore_severity, "how bad things were"
        yield "memory", lambda state: self._memory.restore(state["memory"]), "the usual words"
        yield "speakers", self._restore_speakers, "who has spoken"
        yield "crowd", lambda state: self._crowd.restore(state["crowd"]), "which posts were heard"
        yield "brigading", self._restore_brigading, "the loudest accounts"
        yield "apart", lambda state: self._apart.restore(state["apart"]), "posts in other languages"
        yield "dossier", lambda state: self._dossier.restore(state["dossier"]), "what was known of the present story"

    def _restore_severity(self, state: dict[str, Any]) -> None:
        self._earned, self._severity = _severity(state["earned"]), _severity(state["severity"])

    def _restore_speakers(self, state: dict[str, Any]) -> None:
        self._speakers = Speakers.restored(state["speakers"], WINDOWS[-1])

    def _restore_brigading(self, state: dict[str, Any]) -> None:
        brigading = self._of_floods()
        brigading.restore(state["brigading"])
        self._brigading = brigading

    def pass_time(self, now: datetime) -> None:
        """It is this late, or later: what has grown old is learnt or forgotten."""
        if now <= self._now:
            return
        before, self._now = int(minutes(self._now) // HOUR), now
        moment = minutes(now)
        self._memory.advance(moment)  # as long as the detector still knows what it flagged
        if (hour := int(moment // HOUR)) > before:
            self._past.end(before, hour)
        self.detector.advance(moment)
        self._crowd.advance(moment)
        self._brigading.advance(moment)

    def _statements(self, *, negative: bool) -> Iterator[Spike]:
        """What is unusual after a post, or has just stopped being so."""
        unusual = self._severity is not None
        if negative or unusual:
            spike = self._judge()
            if unusual or spike.severity is not None:
                yield spike
        if self._brigading.has_news:
            yield self._brigading.statement(self._now)

    def _of_floods(self) -> Brigading:
        return Brigading(self.name, self._memory, self._background, self._event)

    def _event(self, width: int) -> Planned | None:
        """What was planned for some of the last so many minutes."""
        return self.detector.event(width)

    def _background(self, width: int) -> tuple[int, float]:
        """Posts of a window of so many minutes that are not negative, and the usual share of those that are."""
        total, negative = self.detector.window(width)
        return total - negative, self.detector.baseline.share

    def _flagged(self, hour: int) -> bool:
        """By the detector that is there now; a back-test puts another in its place before anything is heard."""
        return self.detector.flagged(hour)

    def _judge(self) -> Spike:
        reading, now = self.detector.read(), minutes(self._now)
        earned, self._earned = self._earned, reading.severity
        if reading.severity is None:
            self._severity = None
            return self._statement(None, _numbers(reading, 0), why(_numbers(reading, 0)))
        # Of how wide it is, evidence tells, so it must be of this story before anything is ruled.
        people = self._people(reading.since, reading.negative)
        self._dossier.follow(now, reading.since, people, anew=reading.severity is not earned)
        numbers = _numbers(reading, people)
        ruling = severity_of(
            reading.severity,
            reading.surprise,
            self.detector.thresholds,
            self._extent(reading, numbers.authors),
            self.standard.severity,
        )
        before, self._severity = self._severity, ruling.severity
        if ruling.severity is None:
            return self._statement(None, numbers, why(numbers))
        evidence = self._dossier.follow(now, reading.since, people, anew=ruling.severity is not before)
        self._dossier.told = True
        said = why(numbers, evidence.phrases, self._news(reading), self._besides(reading, ruling))
        return self._statement(ruling.severity, numbers, said)

    def _statement(self, severity: Severity | None, numbers: Numbers, said: Why) -> Spike:
        return Spike(self.name, Kind.SPIKE, self._now, severity, numbers, said.en, self._dossier.evidence, said.de)

    def _extent(self, reading: Reading, people: int) -> Extent:
        """How large, fast and wide a spike is; reach and networks as evidence last saw them."""
        lately, an_hour = self.detector.window(QUARTER)[1], self.detector.window(HOUR)[1]
        return Extent(
            people=people,
            hours=max(1.0, reading.window_minutes / HOUR),
            expected=reading.expected,
            growth=HOUR / QUARTER * lately / an_hour if lately >= GROWS_FROM else 1.0,
            reach=self._dossier.reach,
            sources=self._dossier.networks,
            planned=reading.planned is not None,
        )

    def _besides(self, reading: Reading, ruling: Ruling) -> Iterator[Why]:
        """What else there is to say of a spike."""
        if reading.planned:
            yield during(reading.planned)
        if ruling.severity is not Severity.NOTICE:
            yield from urgency(ruling, self._dossier.reach, self._dossier.networks)
        an_hour = self.detector.window(HOUR)[1]
        standing = self._past.standing(int(minutes(self._now) // HOUR), an_hour)
        if an_hour >= RECORD_FROM and standing.days >= RECORD_DAYS and (record := standing.told(an_hour)):
            yield record
        hearing = self.detector.hearing
        yield from unheard(hearing.missing, hearing.dropped.get(self.name, 0))

    def _people(self, since: int, negative: int) -> int:
        """Distinct people behind the negative posts; those counted before a restart are each taken for one."""
        posts, people = self._speakers.since(since)
        return people + max(0, negative - posts)

    def _news(self, reading: Reading) -> News | None:
        phrases = tuple(self._memory.fresh.phrases(3)) if reading.fresh_total else ()
        return News(reading.fresh_negative, reading.fresh_total, phrases) if phrases else None


def _detector(standard: Standard, hearing: Hearing | None, calendar: Calendar) -> SpikeDetector:
    baseline = Baseline(standard.expectation, standard.clock)
    return SpikeDetector(Thresholds.for_budget(standard.false_alarms), baseline, hearing, calendar)


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


def _severity(kept: int | None) -> Severity | None:
    return None if kept is None else Severity(kept)
