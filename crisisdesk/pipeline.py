"""The stages between the sources and the incidents, and what passes between them.

    source ─Post→ intake ─Mention→ scoring ─Scored→ observation ─Spike→ register

Each stage drains its inbox and closes its outbox, so that the end of the sources runs through to the last incident.
"""

import asyncio
import contextlib
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from statistics import median
from typing import Final, TypeVar

from crisisdesk.channel import Channel, Closed
from crisisdesk.detect.hearing import Hearing
from crisisdesk.detect.standard import Standard
from crisisdesk.detect.watch import CHART_HOURS, WatchDetector
from crisisdesk.incidents.register import Register
from crisisdesk.language import Reader
from crisisdesk.match import Matcher
from crisisdesk.records import EPOCH, Kind, Label, Mention, Post, Scored
from crisisdesk.text import clean
from crisisdesk.threads import in_daemon_thread

T = TypeVar("T")

TICK: Final = timedelta(minutes=5)
"""Event time between two looks at an open incident that no post has come for; what lets it subside and resolve."""
KEYS_KEPT: Final = 200_000
"""Posts that are recognised when a source delivers them again after a reconnect."""
JUDGED: Final = frozenset({Kind.SPIKE, Kind.BRIGADING})
"""Incidents that the detectors end, when they have been calm for long enough."""
LOOKED_AT: Final = 100
"""Watches from which a new one learns what to expect."""
BATCH: Final = 256
"""Items a stage takes at once."""


@dataclass(slots=True)
class Tally:
    """What went through, for summaries and the status line."""

    posts: int = 0
    repeated: int = 0
    """Deliveries of a post that was known already."""
    latest: dict[str, datetime] = field(default_factory=dict)
    """The time of the post that came last, by source."""
    matched: Counter[str] = field(default_factory=Counter)
    """Posts that concern a watch, by source."""
    mentions: Counter[str] = field(default_factory=Counter)
    """Posts by watch, in the languages that count for it."""
    negative: Counter[str] = field(default_factory=Counter)
    """Negative posts by watch."""
    other_languages: dict[str, Counter[str]] = field(default_factory=dict)
    """Posts that count apart, by watch and language; `mentions` and `negative` are without them."""
    under_way: int = 0
    """Posts that have been taken in and not yet been observed or, as no mention, let go."""


class Intake:
    """Posts become mentions: what was delivered before or concerns no watch goes no further.

    Here every mention gets its language, by its mark or by its words.
    """

    def __init__(
        self,
        matcher: Matcher,
        mentions: Channel[Mention],
        tally: Tally,
        *,
        open_to_tags: bool,
        load_reader: Callable[[], Reader],
        trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._matcher = matcher
        self._load_reader = load_reader
        self._read: Reader | None = None
        self._loading = asyncio.Lock()
        self._trouble = trouble
        self._mentions = mentions
        self._tally = tally
        self._open_to_tags = open_to_tags
        self._keys: OrderedDict[str, None] = OrderedDict()

    async def run(self, source: str, posts: Channel[Post]) -> None:
        """Take a source's posts until it has ended; what nobody takes any more is counted and stays under way."""
        while batch := await _received(posts):
            self._tally.under_way += len(batch)
            self._tally.latest[source] = batch[-1].time
            for post in batch:
                with contextlib.suppress(Closed):
                    await self._take(source, post)

    async def _take(self, source: str, post: Post) -> None:
        self._tally.posts += 1
        if watches := self._concerned(post):
            self._tally.matched[source] += 1
            await self._mentions.send(Mention(post, watches, post.lang or await self._written_in(post)))
        else:
            self._tally.under_way -= 1

    def _concerned(self, post: Post) -> tuple[str, ...]:
        """The watches that a post concerns; none for one that was delivered before."""
        if post.key in self._keys:
            self._tally.repeated += 1
            return ()
        self._keys[post.key] = None
        if len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)
        watches = self._matcher.match(post)
        return tuple(dict.fromkeys((*watches, *post.tags))) if self._open_to_tags else watches

    async def _written_in(self, post: Post) -> str | None:
        """The language of a post without a mark; what reads it is loaded for the first of them, whatever its source."""
        read = self._read or await self._reader()
        return read(post.text)

    async def _reader(self) -> Reader:
        """Load it, once for all sources."""
        async with self._loading:
            if self._read is None:
                self._read = await self._load()
            return self._read

    async def _load(self) -> Reader:
        try:
            return await in_daemon_thread(self._load_reader)
        except Exception as error:  # noqa: BLE001  a library's files may break as they like; a doubt stops no desk
            self._trouble(
                f"Languages cannot be told ({clean(f'{type(error).__name__}: {error}', 200)}), so all posts without a "
                "mark count. Make room in the temporary folder or install py3langid again, then start the desk again."
            )
            return lambda _: None


class Observation:
    """All watches under observation; what the detectors say goes to the register, in event time.

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
    ) -> None:
        self.detectors: dict[str, WatchDetector] = {}
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
        self._standards = dict(standards)
        self._now = EPOCH
        self._all_begun = False
        self._turn = asyncio.Lock()
        for watch in standards:
            self.renew(watch)

    async def run(self, scored: Channel[Scored]) -> None:
        """Take scored mentions until there are no more."""
        while batch := await _received(scored):
            for item in batch:
                await self.take(item)

    async def take(self, item: Scored) -> None:
        """Observe one mention for each watch that it concerns."""
        async with self._turn:
            await self._catch_up(item.post.time)
            item = self._sorted(item)
            self._show(item)
            for watch in item.mention.watches:
                detector = self.detectors.get(watch) or self.renew(watch)
                if watch in item.mention.apart:
                    self._count_apart(detector, item.mention)
                else:
                    await self._count(detector, item)
            self._tally.under_way -= 1

    async def tick(self, now: datetime) -> None:
        """Let a live desk's time pass, also where nobody speaks. What cannot be heard is no silence: then do not tick.

        The first one lets every watch begin, so that none takes what is first said of it for usual. After it only open
        incidents are looked at: for all others, time passes when somebody speaks of them or looks at them.
        """
        async with self._turn:
            self._now = max(self._now, now)
            for detector in () if self._all_begun else self.detectors.values():
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
                    self.renew(name).follow(ahead, now)
                    self.changed.add(name)
            self._all_begun = False

    @property
    def now(self) -> datetime:
        """The newest moment that was observed."""
        return self._now

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
        flooded = self._register.open_for(watch, Kind.BRIGADING) is not None
        for spike in self.detectors[watch].advance(moment, flooded=flooded):
            if spike.severity is not None or self._register.open_for(watch, spike.kind):
                await self._register.witness(spike)

    def renew(self, watch: str) -> WatchDetector:
        """Let a watch begin, or begin afresh."""
        standard = self._standards.get(watch, self._default)
        if standard.expectation.share is None and (shares := self._settled_shares()):
            standard = replace(standard, expectation=replace(standard.expectation, share=median(shares)))
        detector = WatchDetector(watch, standard, self._chart_hours, self._terms.get(watch, ()), self._hearing)
        self._follow(detector)
        self.detectors[watch] = detector
        self.taken[watch] += 1
        return detector

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


async def _received(channel: Channel[T]) -> list[T]:
    """What waits in a channel, at least one item; nothing once it is closed and empty."""
    try:
        return await channel.receive(BATCH)
    except Closed:
        return []
