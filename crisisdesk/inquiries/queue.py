"""The posts of all watches that need an answer, as a running desk holds them. Nothing here calls anybody.

What comes is in memory at once and on the disk within seconds; the counts that recognise a post are saved after it, so
that after a crash what was not on the disk comes again. What people do is on the disk before they are told that it is
done. Where the disk does not take it, the queue goes on from memory, `trouble` says so, and the next save writes it.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import partial
from itertools import chain
from typing import Final

from crisisdesk.errors import StorageError, UsageError
from crisisdesk.inquiries import acts, need
from crisisdesk.inquiries.brand import Brand
from crisisdesk.inquiries.figures import figures
from crisisdesk.inquiries.holding import Holding
from crisisdesk.inquiries.listing import WAITS, Alike, Listing, Sketch
from crisisdesk.records import EPOCH, Answering, Correction, Inquiry, Need, Post, Scored
from crisisdesk.storage.inquiries import KeptInquiries
from crisisdesk.text import counted, digest
from crisisdesk.threads import to_its_end

MOST, FEWEST, TOGETHER = 100, 10, 5_000
"""Posts of a watch that wait at most: 100, or fewer where there are many watches, so that they do not exceed 5,000
together; ten of each in any case."""
SHOWN, ENDED_SHOWN = 200, 20
"""Open inquiries, and those that ended last, that are shown."""
LOOK_EVERY: Final = timedelta(minutes=1)
"""Between two looks at what has waited too long, while posts come."""


class Queue:
    """The queue of all watches that have one.

    Args:
        kept: where it survives.
        brands: how each watch's brand is spoken to; a watch that is not here has no queue.
        sketch: what near-copies have in common; see `crisisdesk.inquiries.listing`.
        alike: whether two sketches are of near-copies.
        zone: by whose clocks a day begins; None for the machine's own.
        recorded: what comes is played, faster than it was said: each post comes at its own time.
    """

    def __init__(
        self,
        kept: KeptInquiries,
        brands: Mapping[str, Brand],
        *,
        sketch: Sketch = lambda _: 0,
        alike: Alike = lambda _one, _other: False,
        zone: tzinfo | None = None,
        recorded: bool = False,
    ) -> None:
        self._kept = kept
        self._brands = dict(brands)
        self._zone = zone
        self._is_recorded = recorded
        most = max(FEWEST, min(MOST, TOGETHER // max(1, len(brands))))
        self._made = partial(Listing, most, sketch, alike)
        self._listings = {watch: self._made() for watch in brands}
        self._holding = Holding()
        self._unsaved: set[str] = set()
        self._is_uncounted = self._is_unerased = False
        self._troubles: dict[str, str] = {}
        self._looked = EPOCH
        self._shown: tuple[Inquiry, ...] | None = None
        self._figures: dict[str, tuple[datetime, Answering]] = {}
        self._saving = asyncio.Lock()

    async def load(self) -> None:
        """Read back what an earlier run knew. What cannot be read is told: no desk waits for its queue."""
        try:
            remembered = await self._kept.load()
        except StorageError as error:
            self._troubles["load"] = f"{error} The answer queue begins empty."
            return
        if remembered.damaged:
            lost = counted(remembered.damaged, "post")
            self._troubles["load"] = f"{lost} of the answer queue cannot be read any more: the disk may be failing."
        for inquiry in remembered.inquiries:
            self._put(inquiry)
        for watch, days in remembered.missed.items():
            self._listing(watch).missed.update(days)
        for watch, own in remembered.own.items():
            self._listing(watch).own.update(dict.fromkeys(own))
        self._unsaved.clear()
        self._is_uncounted = False

    @property
    def trouble(self) -> str:
        """What cannot be read or is not being saved, why, and what to do; empty while all is well."""
        return " ".join(self._troubles.values())

    def hear(self, scored: Scored, now: datetime) -> None:
        """Take in a mention for each of its watches that has a queue, if it needs an answer."""
        post = scored.post
        if self._is_recorded:
            now = post.time
        if now - self._looked >= LOOK_EVERY:
            self.pass_time(now)
        if now - post.time >= WAITS:
            return
        for watch in scored.mention.watches:
            if (brand := self._brands.get(watch)) is None:
                continue
            listing = self._listings[watch]
            if brand.is_own(post.author):
                listing.hear_own(post)
                self._is_uncounted = True
            elif why := need.needs(scored, watch, brand, answers_own=listing.answers_own(post)):
                self._take_in(listing, watch, scored.by_itself(), why, now)

    def pass_time(self, now: datetime) -> None:
        """Let go of what has waited too long, and give back what somebody has forgotten."""
        self._looked = now
        for watch, listing in self._listings.items():
            self._changed(watch, listing.pass_time(now))

    def inquiries(self) -> tuple[Inquiry, ...]:
        """The most urgent open ones, weightiest first and then oldest; after them those that ended last."""
        if self._shown is None:
            shown = [self._listings[watch] for watch in self._brands]
            urgent = heapq.nsmallest(SHOWN, chain.from_iterable(one.open.values() for one in shown), key=_urgency)
            ended = chain.from_iterable(list(one.ended.values())[-ENDED_SHOWN:] for one in shown)
            self._shown = (*urgent, *heapq.nlargest(ENDED_SHOWN, ended, key=lambda one: one.moved or one.came))
        return self._shown

    def answering(self, now: datetime) -> tuple[Answering, ...]:
        """The figures of every watch that has a queue."""
        return tuple(self._figures_of(watch, now) for watch in self._brands)

    async def take(self, inquiry: str, person: str, now: datetime) -> Inquiry:
        """See `acts.take`, also for what it raises."""
        return await self._act(inquiry, lambda one: acts.take(one, person, now), now)

    async def give_back(self, inquiry: str, person: str, now: datetime) -> Inquiry:
        """See `acts.give_back`."""
        return await self._act(inquiry, lambda one: acts.give_back(one, person, now), now)

    async def answer(self, inquiry: str, person: str, now: datetime) -> Inquiry:
        """See `acts.answer`."""
        return await self._act(inquiry, lambda one: acts.answer(one, person, now), now)

    async def pass_over(self, inquiry: str, person: str, now: datetime, reason: str = "") -> Inquiry:
        """See `acts.pass_over`."""
        return await self._act(inquiry, lambda one: acts.pass_over(one, person, now, reason), now)

    def holds(self, correction: Correction) -> bool:
        """Whether what a correction may mean is here, be it answered long since."""
        return bool(self._holding.of(correction.mark))

    async def correct(self, correction: Correction) -> None:
        """A post reads otherwise now, or its author has taken it back: then it needs no answer any more."""
        self._rewrite(self._holding.of(correction.mark), lambda one: one.corrected(correction))
        await self.flush()

    async def erase(self, match: Callable[[Post], bool]) -> int:
        """Erase the posts that match, from memory and from the file; returns of how many inquiries.

        Raises:
            StorageError: they are gone from memory, and the file does not take it; the next save tries again.
        """
        rewritten = self._rewrite(list(self._holding), lambda one: one.without(match))
        await self._flush_or_raise()
        return rewritten

    async def forget_before(self, watch: str, moment: datetime) -> int:
        """Forget a watch's inquiries that came before that moment; returns how many.

        Raises:
            StorageError: as `erase`.
        """
        listing = self._listings.get(watch)
        old = [one.id for one in listing if one.came < moment] if listing else []
        self._rewrite(old, lambda _: None)
        await self._flush_or_raise()
        return len(old)

    async def flush(self) -> None:
        """Save what is not saved yet; where the disk does not take it, `trouble` says so."""
        await to_its_end(self._flush())

    async def _act(self, inquiry: str, act: Callable[[Inquiry], Inquiry], now: datetime) -> Inquiry:
        watch = self._holding.watch_of(inquiry)
        before = self._listings[watch].get(inquiry) if watch in self._brands else None
        if before is None:
            raise UsageError(
                f"There is no post {inquiry} in the answer queue; its author may have taken it back, or it has waited "
                "too long."
            )
        after = act(acts.lapsed(before, now))
        self._put(after)  # at once, so that of two people who act in the same moment one is first
        await self.flush()
        return after

    def _take_in(self, listing: Listing, watch: str, scored: Scored, why: tuple[Need, ...], now: datetime) -> None:
        name = f"{digest(f'{watch} {scored.post.key}') & 0xFFFF_FFFF_FFFF_FFFF:016x}"
        if listing.get(name) is None:
            weight = need.weight(why, scored.post.reach)
            new = Inquiry(name, watch, scored.post, scored.negative, why, weight, came=now)
            self._changed(watch, listing.add(new, now))

    def _rewrite(self, names: Iterable[str], rewrite: Callable[[Inquiry], Inquiry | None]) -> int:
        """Change what inquiries hold; one of which nothing is left goes. What stood there leaves the file, too."""
        rewritten = 0
        for name in names:
            listing = self._listings[self._holding.watch_of(name) or ""]
            before = listing.get(name)
            after = rewrite(before) if before else None
            if before is None or after is before:
                continue
            if after is None:
                listing.remove(name)
            else:
                listing.put(after)
            self._changed(before.watch, [name])
            rewritten += 1
        self._is_unerased = self._is_unerased or bool(rewritten)
        return rewritten

    def _put(self, inquiry: Inquiry) -> None:
        self._listing(inquiry.watch).put(inquiry)
        self._changed(inquiry.watch, [inquiry.id])

    def _listing(self, watch: str) -> Listing:
        """Also of a watch that has no queue any more: its past is kept as long as that of others, and not shown."""
        if watch not in self._listings:
            self._listings[watch] = self._made()
        return self._listings[watch]

    def _changed(self, watch: str, names: Iterable[str]) -> None:
        """These are new, different or gone."""
        for name in names:
            if (inquiry := self._listings[watch].get(name)) is not None:
                self._holding.put(inquiry)
            else:
                self._holding.remove(name)
                self._is_unerased = True
            self._unsaved.add(name)
            self._is_uncounted = True
            self._shown = None
            self._figures.pop(watch, None)

    def _figures_of(self, watch: str, now: datetime) -> Answering:
        """Counted anew after each change, and once a minute, as days pass."""
        minute = now.replace(second=0, microsecond=0)
        if (known := self._figures.get(watch)) is None or known[0] != minute:
            known = self._figures[watch] = minute, figures(watch, self._listings[watch], now, self._zone)
        return known[1]

    async def _flush_or_raise(self) -> None:
        await self.flush()
        if trouble := self._troubles.get("save"):
            raise StorageError(trouble)

    async def _flush(self) -> None:
        async with self._saving:
            if not (self._unsaved or self._is_uncounted):
                return
            unsaved, self._unsaved = self._unsaved, set()
            erases, self._is_unerased, self._is_uncounted = self._is_unerased, False, False
            try:
                await self._kept.save(self._as_they_are(unsaved), self._missed(), self._own(), erases=erases)
            except StorageError as error:
                self._unsaved |= unsaved
                self._is_uncounted, self._is_unerased = True, self._is_unerased or erases
                self._troubles["save"] = f"{error} The answer queue is not saved; it goes on from memory."
            else:
                self._troubles.pop("save", None)

    def _as_they_are(self, names: Iterable[str]) -> dict[str, Inquiry | None]:
        """Inquiries by their ids; None for what is gone."""
        watches = {name: self._holding.watch_of(name) for name in names}
        return {name: self._listings[watch].get(name) if watch else None for name, watch in watches.items()}

    def _missed(self) -> dict[str, dict[str, int]]:
        return {watch: dict(one.missed) for watch, one in self._listings.items() if one.missed}

    def _own(self) -> dict[str, list[int]]:
        return {watch: list(one.own) for watch, one in self._listings.items() if one.own}


def _urgency(inquiry: Inquiry) -> tuple[float, datetime, str]:
    return -inquiry.weight, inquiry.came, inquiry.id
