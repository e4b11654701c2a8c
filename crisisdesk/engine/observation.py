"""All watches under observation: scored mentions in, what their detectors say to the register, in event time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from typing import Final

import orjson

from crisisdesk.channel import Channel
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.phrases import is_telling
from crisisdesk.detect.planned import Calendar, Planned, nothing
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import CHART_HOURS, WatchDetector
from crisisdesk.engine.intake import Tally, received
from crisisdesk.incidents.register import Register
from crisisdesk.records import EPOCH, Correction, Kind, Label, Mention, Post, Scored

TICK: Final = timedelta(minutes=5)
"""Event time between two looks at an open incident that no post has come for; what lets it subside and resolve."""
JUDGED: Final = frozenset({Kind.SPIKE, Kind.BRIGADING})
"""Incidents that the detectors end, when they have been calm for long enough."""
LOOKED_AT: Final = 100
"""Watches from which a new one learns what to expect."""
AT_ONCE: Final = 64
"""Mentions of the past that a watch learns from without a pause."""


class Snapshot:
    """What some watches knew at one moment, although posts go on coming in.

    Whoever is about to change a watch has it written down first; so ten thousand watches are written at leisure, and
    what is written is of one moment all the same.
    """

    def __init__(self, detectors: Mapping[str, WatchDetector], names: Iterable[str]) -> None:
        self.states: dict[str, bytes] = {}
        """What was written down so far, by watch."""
        self.watches = tuple(sorted(names))
        self._detectors = detectors
        self._due = set(self.watches)

    def write(self, watch: str) -> None:
        """Write down what it knows, if that has not been done."""
        if watch in self._due:
            self._due.discard(watch)
            self.states[watch] = orjson.dumps(self._detectors[watch].state())


class Observation:
    """Detectors by watch, and the time that passes for them.

    Incidents follow from the mentions and their times alone: between two mentions, open incidents are looked at on
    fixed ticks of event time, so that a replay gives the same at any speed.
    """

    def __init__(
        self,
        register: Register,
        standards: Mapping[str, Standard],
        tally: Tally,
        show: Callable[[Scored], None],
        *,
        own_language: Callable[[str, str], bool] = lambda _watch, _language: True,
        terms: Mapping[str, Sequence[str]] | None = None,
        default: Standard | None = None,
        hearing: Hearing | None = None,
        chart_hours: int | None = CHART_HOURS,
        follow: Callable[[WatchDetector], None] = lambda _: None,
        gone_through: Callable[[str], None] = lambda _: None,
        correction_of: Callable[[str], Correction | None] = lambda _: None,
        planned: Calendar = nothing,
    ) -> None:
        self.detectors: dict[str, WatchDetector] = {}
        self.without_past: set[str] = set()
        """Watches that are still to learn from what was said before they began."""
        self.changed: set[str] = set()
        """Watches that have heard something since somebody emptied this."""
        self.taken: Counter[str] = Counter()
        """How often each watch has begun or taken a mention in."""
        self._register = register
        self._tally = tally
        self._show = show
        self._own_language = own_language
        self._terms = terms or {}
        self._default = default or Standard()
        self._hearing = hearing or Hearing()
        self._chart_hours = chart_hours
        self._follow = follow
        self._gone_through = gone_through
        self._snapshot = Snapshot({}, ())
        self._correction_of = correction_of
        self._planned = planned
        self._standards = dict(standards)
        self._now = EPOCH
        self._all_begun = False
        self._turn = asyncio.Lock()
        for watch in standards:
            self.renew(watch)

    async def run(self, scored: Channel[Scored]) -> None:
        """Take scored mentions until there are no more."""
        while batch := await received(scored):
            for item in batch:
                await self.take(item)
            del batch, item  # what was observed is not kept here until somebody speaks again

    async def take(self, item: Scored) -> None:
        """Observe one mention for each watch that it concerns."""
        async with self._turn:
            await self._catch_up(item.post.time)
            item, key = self._sorted(item), item.post.key
            if correction := self._correction_of(key):
                item = item.corrected(correction)
            if item.post.id:  # what is gone is not shown, though somebody has spoken
                self._show(item)
            item = item.by_itself()
            for watch in item.mention.watches:
                self._snapshot.write(watch)
                detector = self.detectors.get(watch) or self.renew(watch)
                if watch in item.mention.apart:
                    self._count_apart(detector, item.mention)
                else:
                    await self._count(detector, item)
            self._gone_through(key)

    async def correct(self, correction: Correction) -> int:
        """A post reads otherwise now, or is gone: it is shown so. Returns how many were remembered."""
        async with self._turn:
            return sum(detector.correct(correction) for detector in self.detectors.values())

    async def let_go(self, before: Callable[[str], datetime]) -> None:
        """Forget the words of posts that are older than a watch may keep them; what was counted stays."""
        async with self._turn:
            is_telling.cache_clear()  # which holds words, whoever said them
            for name, detector in self.detectors.items():
                detector.let_go(before(name))

    def posts(self) -> Iterator[Post]:
        """The posts that are remembered, of all watches."""
        for detector in self.detectors.values():
            yield from detector.posts()

    @asynccontextmanager
    async def standing_still(self) -> AsyncIterator[Snapshot]:
        """Inside, nothing goes through; the snapshot is of that moment, also when it is written after it.

        It is of the watches that have `changed`, which is emptied.
        """
        async with self._turn:
            changed, self.changed = self.changed, set()
            self._snapshot = Snapshot(self.detectors, changed)
            yield self._snapshot

    async def teach(self, watch: str, past: Sequence[Scored]) -> None:
        """Let a watch know what is usual from its past, in the order of time; what it has counted itself stays.

        Nobody is called for the past, and nothing of it is shown.
        """
        pupil = self._made(watch)
        for number, item in enumerate(past, 1):
            one = self._sorted(item)
            if watch not in one.mention.apart:
                pupil.observe(one)
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        async with self._turn:
            self._snapshot.write(watch)
            self.detectors[watch].learn_from(pupil)
            self.without_past.discard(watch)
            self.changed.add(watch)
            self.taken[watch] += 1

    async def tick(self, now: datetime) -> None:
        """Let a live desk's time pass, also where nobody speaks. What cannot be heard is no silence: then do not tick.

        The first one lets every watch begin, so that none takes what is first said of it for usual. After it only open
        incidents are looked at: for all others, time passes when somebody speaks of them or looks at them.
        """
        async with self._turn:
            self._now = max(self._now, now)
            for name, detector in () if self._all_begun else self.detectors.items():
                self._snapshot.write(name)
                detector.pass_time(self._now)
            self._all_begun = True
            for watch in self._unsettled():
                await self._look(watch, now)

    async def turn_back(self, now: datetime) -> None:
        """The clock was ahead and has been set right: watches that followed it count anew, and keep what is usual."""
        async with self._turn:
            self._now = now
            for name, ahead in list(self.detectors.items()):
                if ahead.now > now:
                    self._snapshot.write(name)
                    self.renew(name).follow(ahead, now)
                    self.changed.add(name)
            self._all_begun = False

    @property
    def now(self) -> datetime:
        """The newest moment that was observed."""
        return self._now

    def planned(self) -> dict[str, Planned]:
        """What was announced and goes on now, by watch; the newest where there are several."""
        events = sorted(self._planned(), key=lambda one: one.start)
        return {one.watch: one for one in events if one.start <= self._now < one.end}

    def _sorted(self, item: Scored) -> Scored:
        """The mention with the watches named for which it is in another language."""
        mention = item.mention
        if (language := mention.language) is None:
            return item
        apart = tuple(watch for watch in mention.watches if not self._own_language(watch, language))
        return replace(item, mention=replace(mention, apart=apart)) if apart else item

    async def _count(self, detector: WatchDetector, item: Scored) -> None:
        self._tally.mentions[detector.name] += 1
        self._tally.negative[detector.name] += item.label is Label.NEGATIVE
        self.changed.add(detector.name)
        detector.pass_time(self._now)
        spikes = detector.observe(item)
        self.taken[detector.name] += 1
        for spike in spikes:
            await self._register.witness(spike)

    def _count_apart(self, detector: WatchDetector, mention: Mention) -> None:
        """Neither counts nor baselines may know of it, so that it can call nobody by itself."""
        if mention.language is not None:
            self._tally.other_languages.setdefault(detector.name, Counter())[mention.language] += 1
            self.changed.add(detector.name)
            detector.pass_time(self._now)
            detector.observe_apart(mention.post.time, mention.language)
            self.taken[detector.name] += 1

    async def _catch_up(self, now: datetime) -> None:
        for moment in _ticks(self._now, now):
            unsettled = self._unsettled()
            if not unsettled:
                break
            for watch in unsettled:
                await self._look(watch, moment)
        self._now = max(self._now, now)

    def _unsettled(self) -> list[str]:
        """Watches with an open incident that only their detector can end."""
        open_watches = {i.watch for i in self._register.incidents() if i.is_open and i.kind in JUDGED}
        return sorted(open_watches & self.detectors.keys())

    async def _look(self, watch: str, moment: datetime) -> None:
        """Let time pass for a watch; calm is worth saying only where an incident waits for it."""
        self._snapshot.write(watch)
        flooded = self._register.open_for(watch, Kind.BRIGADING) is not None
        for spike in self.detectors[watch].advance(moment, flooded=flooded):
            if spike.severity is not None or self._register.open_for(watch, spike.kind):
                await self._register.witness(spike)

    def renew(self, watch: str) -> WatchDetector:
        """Let a watch begin, or begin afresh."""
        detector = self.detectors[watch] = self._made(watch)
        self._follow(detector)
        self.taken[watch] += 1
        return detector

    def _made(self, watch: str) -> WatchDetector:
        standard = self._standards.get(watch, self._default)
        if standard.expectation.share is None and (shares := self._settled_shares()):
            standard = replace(standard, expectation=replace(standard.expectation, share=median(shares)))
        terms = self._terms.get(watch, ())
        return WatchDetector(watch, standard, self._chart_hours, terms, self._hearing, planned=self._planned)

    def _settled_shares(self) -> list[float]:
        """Usual shares of watches that know theirs; a hundred tell as much as thousands."""
        baselines = (one.detector.baseline for one in islice(self.detectors.values(), LOOKED_AT))
        return [baseline.share for baseline in baselines if not baseline.learning]


def _ticks(after: datetime, until: datetime) -> Iterator[datetime]:
    """The whole multiples of `TICK` after one moment, up to and including another."""
    if after == EPOCH:
        return
    moment = EPOCH + ((after - EPOCH) // TICK + 1) * TICK
    while moment <= until:
        yield moment
        moment += TICK
