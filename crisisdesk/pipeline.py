"""The stages between the sources and the incidents, and what passes between them.

    source ─Post→ intake ─Mention→ scoring ─Scored→ observation ─Spike→ register

Each stage drains its inbox and closes its outbox, so that the end of the sources runs through to the last incident.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from crisisdesk.channel import Channel, Closed
from crisisdesk.detect.spike import Thresholds
from crisisdesk.detect.watch import CHART_HOURS, WatchDetector
from crisisdesk.incidents.register import Register
from crisisdesk.match import Matcher
from crisisdesk.records import EPOCH, Kind, Label, Mention, Post, Scored

T = TypeVar("T")

TICK: Final = timedelta(minutes=5)
"""Event time between two looks at an open incident that no post has come for; what lets it subside and resolve."""
DEAF_AT_MOST: Final = timedelta(hours=1)
"""How far back one tick can say that nothing was heard; ticks come every few seconds."""
KEYS_KEPT: Final = 200_000
"""Posts that are recognised when a source delivers them again after a reconnect."""
BATCH: Final = 256
"""Items a stage takes at once."""


@dataclass(slots=True)
class Tally:
    """What went through, for summaries and the status line."""

    posts: int = 0
    repeated: int = 0
    """Deliveries of a post that was known already."""
    matched: Counter[str] = field(default_factory=Counter)
    """Posts that concern a watch, by source."""
    mentions: Counter[str] = field(default_factory=Counter)
    """Posts by watch."""
    negative: Counter[str] = field(default_factory=Counter)
    """Negative posts by watch."""
    under_way: int = 0
    """Mentions that have been taken in and not yet been observed."""


class Intake:
    """Posts become mentions: what was delivered before or concerns no watch goes no further."""

    def __init__(self, matcher: Matcher, mentions: Channel[Mention], tally: Tally, *, open_to_tags: bool) -> None:
        self._matcher = matcher
        self._mentions = mentions
        self._tally = tally
        self._open_to_tags = open_to_tags
        self._keys: OrderedDict[str, None] = OrderedDict()

    async def run(self, source: str, posts: Channel[Post]) -> None:
        """Take a source's posts until it has ended, or nobody takes mentions any more."""
        with contextlib.suppress(Closed):
            while batch := await _received(posts):
                for post in batch:
                    await self._take(source, post)

    async def _take(self, source: str, post: Post) -> None:
        self._tally.posts += 1
        if post.key in self._keys:
            self._tally.repeated += 1
            return
        self._keys[post.key] = None
        if len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)
        watches = self._matcher.match(post)
        if self._open_to_tags:
            watches = tuple(dict.fromkeys((*watches, *post.tags)))
        if watches:
            self._tally.matched[source] += 1
            self._tally.under_way += 1
            await self._mentions.send(Mention(post, watches))


class Observation:
    """All watches under observation; what the detectors say goes to the register, in event time.

    Incidents follow from the mentions and their times alone: between two mentions, open incidents are looked at on
    fixed ticks of event time, so that a replay gives the same at any speed.
    """

    def __init__(
        self,
        register: Register,
        budgets: Mapping[str, float],
        tally: Tally,
        show: Callable[[Scored], None],
        *,
        default_budget: float = 1.0,
        chart_hours: int | None = CHART_HOURS,
    ) -> None:
        self.detectors: dict[str, WatchDetector] = {}
        self._register = register
        self._tally = tally
        self._show = show
        self._default_budget = default_budget
        self._chart_hours = chart_hours
        self._budgets = dict(budgets)
        self._now = EPOCH
        self._turn = asyncio.Lock()
        for watch, budget in budgets.items():
            self._add(watch, budget)

    async def run(self, scored: Channel[Scored]) -> None:
        """Take scored mentions until there are no more."""
        while batch := await _received(scored):
            for item in batch:
                await self.take(item)

    async def take(self, item: Scored) -> None:
        """Observe one mention for each watch that it concerns."""
        async with self._turn:
            await self._catch_up(item.post.time)
            self._show(item)
            for watch in item.mention.watches:
                self._tally.mentions[watch] += 1
                self._tally.negative[watch] += item.label is Label.NEGATIVE
                detector = self.detectors.get(watch) or self._add(watch, self._default_budget)
                spike = detector.observe(item)
                if spike is not None:
                    await self._register.witness(spike)
            self._tally.under_way -= 1

    async def tick(self, now: datetime, *, deaf: bool = False) -> None:
        """Let a live desk's time pass for all watches, also where nobody speaks.

        Args:
            now: the present.
            deaf: no source can be heard, so that the silence means nothing.
        """
        async with self._turn:
            before, self._now = self._now, max(self._now, now)
            if deaf:
                for detector in self.detectors.values():
                    detector.was_deaf(max(before, now - DEAF_AT_MOST), now)
            for watch in sorted(self.detectors):
                spike = self.detectors[watch].advance(now)
                if spike.severity is not None or self._register.open_for(watch):
                    await self._register.witness(spike)

    async def _catch_up(self, now: datetime) -> None:
        for moment in _ticks(self._now, now):
            open_watches = sorted(i.watch for i in self._register.incidents() if i.is_open and i.kind is Kind.SPIKE)
            if not open_watches:
                break
            for watch in open_watches:
                if watch in self.detectors:
                    await self._register.witness(self.detectors[watch].advance(moment))
        self._now = max(self._now, now)

    def renew(self, watch: str) -> None:
        """Let a watch begin afresh, at the budget it has."""
        self._add(watch, self._budgets.get(watch, self._default_budget))

    def _add(self, watch: str, budget: float) -> WatchDetector:
        detector = WatchDetector(watch, Thresholds.for_budget(budget), self._chart_hours)
        self.detectors[watch] = detector
        return detector


def _ticks(after: datetime, until: datetime) -> Iterator[datetime]:
    """The whole multiples of `TICK` after one moment, up to and including another."""
    if after == EPOCH:
        return
    moment = EPOCH + ((after - EPOCH) // TICK + 1) * TICK
    while moment <= until:
        yield moment
        moment += TICK


async def _received(channel: Channel[T]) -> list[T]:
    """What waits in a channel, at least one item; nothing once it is closed and empty."""
    try:
        return await channel.receive(BATCH)
    except Closed:
        return []
