"""Which sources a live desk does not hear though it should, and which of the brands' own channels have gone to sleep.

A desk that hears nothing must not look as if all were calm. So a source that is silent for longer than is plausible is
an incident of kind `blind`: a notice at first, amber when it lasts, sooner where nothing else is heard, and red, once
for the whole desk, where nobody has mended that.
"""

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from crisisdesk.detect import silence_why
from crisisdesk.detect.silence import DAY, Rhythm, number
from crisisdesk.detect.why import Why
from crisisdesk.engine.listening import ASLEEP, Ear
from crisisdesk.records import Kind, Numbers, Severity, SourceStatus, Spike


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    floor: float = 120.0
    """No source is blind sooner, however fast its posts usually come."""
    cap: float = 10 * DAY
    """Every source is blind after so long, however rarely its posts usually come."""
    first_pushed: float = 600.0
    """For the first post of all of a source that pushes,"""
    first_asked: float = DAY
    """and of one that is asked for posts, or waits for others to send some."""
    lost: float = 600.0
    """For a connection to come back, where its posts are too rare to be missed sooner,"""
    lost_asked: float = 1800.0
    """and for a source that is asked now and then, as long as another one is there."""
    amber_after: float = 1800.0
    """From notice to amber,"""
    deaf_amber_after: float = 600.0
    """sooner where no source is heard,"""
    amber_times: float = 2.0
    """and where it is connected and mute, so many times as long as is plausible,"""
    amber_times_at_first: float = 10.0
    """or so many times while its rhythm is not known."""
    red_after: float = 3 * 3600.0
    """From notice to red, where no source is heard."""
    again_within: float = 3600.0
    """A source that is blind again so soon comes and goes,"""
    steady: float = 600.0
    """and is not believed to be back before it has been heard for so long."""
    own_floor: float = DAY
    own_cap: float = 30 * DAY
    """The two bounds for a brand's own accounts, which sleep at night and have holidays."""


class Silences:
    """Listens to every source and every own channel; look at it every few seconds.

    Args:
        sources: names of the sources.
        watches: names of all watches, none of which is taken for a source's.
        own: names of the watches of which the brand's own accounts are known.
        now: when the desk begins to listen.
        zone: by whose clocks it speaks; UTC where nobody has said.
        patience: how long it waits.
    """

    def __init__(
        self,
        sources: Collection[str],
        watches: Collection[str] = (),
        own: Collection[str] = (),
        *,
        now: datetime,
        zone: tzinfo | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._patience = patience or Patience()
        self._zone = zone or UTC
        self._until = now
        self._sources = {
            name: _Silence(f"source {name}" if name in watches else name, self._patience, now) for name in sources
        }
        self._own = {watch: Rhythm(self._patience.own_floor, self._patience.own_cap) for watch in own}
        self._awake: set[str] = set()

    @property
    def names(self) -> frozenset[str]:
        """What the incidents can be called that come from here: the sources and the watches with accounts."""
        return frozenset(silence.name for silence in self._sources.values()) | self._own.keys()

    def own(self, watch: str, moment: datetime) -> None:
        """One of a brand's own accounts has posted."""
        if rhythm := self._own.get(watch):
            rhythm.hear(moment.timestamp())

    def look(self, now: datetime, ears: Sequence[Ear], held_up: Collection[str] = ()) -> tuple[Spike, ...]:
        """What there is to say now: of every source that is blind, and once of each that is no more.

        Time in which the desk itself stood still, and what a clock jumped by, is no silence of anybody.

        Args:
            now: the present, by the clock of this machine.
            ears: the sources as they say themselves that they are doing.
            held_up: names of those that wait for the desk to take what they have: they are not silent.
        """
        passed = (now - self._until).total_seconds() if timedelta(0) < now - self._until < ASLEEP else 0.0
        self._until = now
        heard = [(self._sources[ear.status.name], ear) for ear in ears if ear.status.name in self._sources]
        nobody = not any(ear.status.state == "live" for _, ear in heard)
        for silence, ear in heard:
            silence.listen(now.timestamp(), 0.0 if ear.status.name in held_up else passed, ear, nobody=nobody)
        listening = [silence for silence, ear in heard if ear.status.state != "ended"]
        return (*self._blind(now, [one for one, _ in heard], listening), *self._sleeping(now, passed, listening))

    def told(self, status: SourceStatus) -> SourceStatus:
        """How a source is doing: one that is connected and silent for longer than is plausible is blind as well."""
        silence = self._sources.get(status.name)
        if status.state != "live" or silence is None or not silence.is_mute:
            return status
        return replace(status, state="blind", trouble="connected, but silent for longer than is plausible")

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "sources": {name: silence.state() for name, silence in self._sources.items()},
            "own": {watch: rhythm.state() for watch, rhythm in self._own.items()},
        }

    def restore(self, state: object) -> None:
        """Go on from what `state` gave, for those that are still there.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape; all begin afresh.
        """
        if not isinstance(state, dict):
            raise TypeError(f"{type(state).__name__} is not how silences are kept")
        patience = self._patience
        again = {name: _Silence(silence.name, patience, self._until) for name, silence in self._sources.items()}
        own = {watch: Rhythm(patience.own_floor, patience.own_cap) for watch in self._own}
        for name in again.keys() & dict(state["sources"]).keys():
            again[name].restore(state["sources"][name])
        for watch in own.keys() & dict(state["own"]).keys():
            own[watch].restore(state["own"][watch])
        self._sources, self._own = again, own

    def _blind(self, now: datetime, known: Sequence["_Silence"], listening: Sequence["_Silence"]) -> Iterator[Spike]:
        proven = [one for one in listening if one.is_blind or one.rhythm.last is not None]
        deaf = bool(proven) and all(one.is_blind for one in proven)
        loudest = max(proven, key=lambda one: (one.rhythm.posts_a_day, one.name), default=None)
        for one in known:
            severity = one.severity
            if severity is not None:
                said = one.why(now, self._zone)
                if deaf and len(listening) > 1:
                    said = silence_why.with_nobody_left(said)
                if deaf and one is loudest:  # one call is enough, and it is of the source that is missed most
                    severity = one.severity_of_deafness
                yield _statement(one.name, now, severity, one.rhythm, said)
            elif ended := one.take_end(now):
                yield _statement(one.name, now, None, one.rhythm, Why(ended, ""))

    def _sleeping(self, now: datetime, passed: float, listening: Sequence["_Silence"]) -> Iterator[Spike]:
        """Own channels, which can only be missed while every source is heard."""
        hears = bool(listening) and all(one.is_live and not one.is_blind for one in listening)
        for watch, rhythm in self._own.items():
            if hears:
                rhythm.listen(now.timestamp() - passed, now.timestamp())
            if rhythm.last is not None and rhythm.is_overdue():
                self._awake.discard(watch)
                said = silence_why.asleep(watch, _moment(rhythm.last), rhythm.every, now, self._zone)
                yield _statement(watch, now, Severity.NOTICE, rhythm, said)
            elif rhythm.last is not None and watch not in self._awake:
                self._awake.add(watch)
                yield _statement(watch, now, None, rhythm, Why(f"The accounts of {watch} post again", ""))


class _Silence:
    """One source: how long it has said nothing, and why."""

    def __init__(self, name: str, patience: Patience, now: datetime) -> None:
        self.name = name
        self.rhythm = Rhythm(patience.floor, patience.cap)
        self.is_live = self.is_blind = False
        self.lasted = 0.0
        """Seconds that it has been blind."""
        self._patience = patience
        self._status = SourceStatus(name)
        self._began = self._since = self._lost_since = now.timestamp()
        self._lost = 0.0
        """Seconds that it has not been connected."""
        self._back = 0.0
        """Seconds that it has been heard again, where it is not believed yet."""
        self._heard = math.inf
        """Seconds since it was blind last."""
        self._comes_and_goes = False
        self._plausible = True
        """Whether it has been connected since the last post."""
        self._end_told = False

    def listen(self, now: float, passed: float, ear: Ear, *, nobody: bool) -> None:
        """So many seconds have passed, and this is how the source is doing; `nobody` else may be there either."""
        before, self._status = self._status, ear.status
        self.is_live = ear.status.state == "live"
        self.rhythm.listen(now - passed, now)
        self._plausible = self._plausible and self.is_live
        if ear.status.posts != before.posts and ear.status.posts:
            comes_and_goes = self.is_blind and self._comes_and_goes
            self.rhythm.hear(now, plausible=self._plausible and not comes_and_goes)
            self._plausible = self.is_live
        self._lost = 0.0 if self.is_live else self._lost + passed
        self._lost_since = now if self.is_live else self._lost_since
        self._judge(passed, deaf=self._is_deaf(ear, nobody=nobody))

    @property
    def is_mute(self) -> bool:
        """Whether its own rhythm says that it cannot be heard; a source of which nothing is known may just be quiet."""
        return self.is_blind and self.rhythm.is_overdue()

    @property
    def severity(self) -> Severity | None:
        """What is asked of people; None while it is heard."""
        if not self.is_blind or self._back:
            return None
        times = self._patience.amber_times if self.rhythm.is_known else self._patience.amber_times_at_first
        proven = not self.is_live or self._comes_and_goes or self.rhythm.is_overdue(times)
        return Severity.AMBER if proven and self.lasted >= self._patience.amber_after else Severity.NOTICE

    @property
    def severity_of_deafness(self) -> Severity | None:
        """The same where no source is heard: people are called sooner, and at last those above them."""
        if self.severity is Severity.NOTICE and not self.is_live and self.lasted >= self._patience.deaf_amber_after:
            return Severity.AMBER
        if self.severity is Severity.AMBER and self.lasted >= self._patience.red_after:
            return Severity.RED
        return self.severity

    def why(self, now: datetime, zone: tzinfo) -> Why:
        """Since when, why as far as is known, and what is usual."""
        name, since = self._status.name, _moment(self._since)
        if self._status.state in {"failed", "connecting"}:
            return silence_why.lost(name, since, self._status.trouble, now, zone)
        if self.rhythm.last is None:
            return silence_why.unproven(name, since, now, zone)
        return silence_why.mute(name, since, self.rhythm.every, now, zone)

    def take_end(self, now: datetime) -> str:
        """How a silence has ended, once; after a restart also of one that may have been. Empty while there is none."""
        if self.is_blind or self._end_told or not (self.is_live or self._status.state == "ended"):
            return ""
        self._end_told = True
        if self._status.state == "ended":
            return f"{self._status.name} has been read to its end"
        return silence_why.heard_again(self._status.name, now - _moment(self._since))

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {
            "rhythm": self.rhythm.state(), "began": self._began, "since": self._since, "blind": self.is_blind,
            "lasted": self.lasted,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave. Raises KeyError, TypeError or ValueError where it is of another shape."""
        self.rhythm.restore(state["rhythm"])
        self._began, self._since, self.lasted = (number(state[key]) for key in ("began", "since", "lasted"))
        self.is_blind = bool(state["blind"])

    def _is_deaf(self, ear: Ear, *, nobody: bool) -> bool:
        patience, state = self._patience, ear.status.state
        if state in {"ended", "failed"}:
            return state == "failed"
        lost = patience.lost if ear.pushes or nobody else patience.lost_asked
        if self.rhythm.is_overdue() or (not self.is_live and (self.is_blind or self._lost >= lost)):
            return True
        first = patience.first_pushed if ear.pushes else patience.first_asked
        return self.rhythm.last is None and self.rhythm.waited >= first

    def _judge(self, passed: float, *, deaf: bool) -> None:
        if deaf and not self.is_blind:
            self._comes_and_goes = self._heard < self._patience.again_within
            self.is_blind, self._end_told, self.lasted = True, False, 0.0
            missed = self.rhythm.is_overdue() or self.is_live
            self._since = (self.rhythm.last or self._began) if missed else self._lost_since
        if self.is_blind:
            self.lasted += passed
            self._back = 0.0 if deaf else self._back + passed
            if not deaf and (not self._comes_and_goes or self._back >= self._patience.steady):
                self.is_blind, self._back, self._heard = False, 0.0, 0.0
        else:
            self._heard += passed


def _statement(name: str, now: datetime, severity: Severity | None, rhythm: Rhythm, said: Why) -> Spike:
    """Its figures: how long it has been silent, and how much usually comes in this time, of any mood."""
    numbers = Numbers(
        window_minutes=max(1, int(rhythm.waited // 60)), negative=0, total=0, expected=rhythm.due, authors=0,
        negative_share=0.0, usual_share=0.0, probability=math.exp(-rhythm.due),
    )  # fmt: skip
    return Spike(name, Kind.BLIND, now, severity, numbers, said.en, why_de=said.de)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
