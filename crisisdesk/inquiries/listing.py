"""The inquiries of one watch: what belongs together is one, and there are never more than people could answer."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.inquiries.acts import lapsed
from crisisdesk.records import Inquiry, Post, Stage
from crisisdesk.text import digest

OTHERS: Final = 3
"""Posts that are kept beside the one that stands for them."""
WAITS: Final = timedelta(days=3)
"""After so long an answer surprises more than it helps, so the post is let go, and counted."""
ENDED_FOR: Final = timedelta(days=30)
"""How long what was answered or passed over is remembered,"""
ENDED_KEPT: Final = 1_000
"""and how many of a watch, the newest."""
COPIES_OF: Final = 100
"""The newest of those that have ended are recognised when they are copied,"""
COPIED_WITHIN: Final = timedelta(days=1)
"""within a day."""
OWN_KEPT: Final = 500
"""Posts of the brand itself that are recognised when they are answered."""

Sketch = Callable[[str], int]
"""What a text and its near-copies have in common, 0 for one too short to have copies."""
Alike = Callable[[int, int], bool]
"""Whether of two such sketches one is of a near-copy of the other."""


def folded(into: Inquiry, new: Inquiry) -> Inquiry:
    """One inquiry for both: the weightier post stands for it, unless somebody has it already; of equals the first."""
    if into.stage is Stage.WAITING and new.weight > into.weight:
        return replace(
            into,
            post=new.post,
            negative=new.negative,
            needs=new.needs,
            weight=new.weight,
            others=(into.post, *into.others)[:OTHERS],
            posts=into.posts + 1,
        )
    return replace(into, others=(new.post, *into.others)[:OTHERS], posts=into.posts + 1)


class Listing:
    """Everything that is known of one watch's inquiries.

    Args:
        most: how many wait at most; of more, the least weighty is let go, of equals the oldest.
        sketch: see `Sketch`.
        alike: see `Alike`.
    """

    def __init__(self, most: int, sketch: Sketch, alike: Alike) -> None:
        self.open: dict[str, Inquiry] = {}
        self.ended: dict[str, Inquiry] = {}
        """Those that ended last are at the end."""
        self.missed: Counter[str] = Counter()
        """Posts that were let go, by the day, `2026-11-23`, in UTC."""
        self.own: dict[int, None] = {}
        """Digests of the brand's own posts, oldest first."""
        self._most = most
        self._sketch = sketch
        self._alike = alike
        self._sketches: dict[str, int] = {}
        self._by_author: dict[str, str] = {}

    def __iter__(self) -> Iterator[Inquiry]:
        yield from self.open.values()
        yield from self.ended.values()

    def get(self, inquiry: str) -> Inquiry | None:
        """The inquiry of this id, if it is one of these."""
        return self.open.get(inquiry) or self.ended.get(inquiry)

    def add(self, new: Inquiry, now: datetime) -> list[str]:
        """Take in a post that needs an answer, or put it to the inquiry that it belongs to.

        Returns:
            Ids of the inquiries that are new, different or gone.
        """
        sketch = self._sketch(new.post.text)
        if (same := self._of_author(new.post)) or (same := self._copied(sketch, now)):
            if new.post in (same.post, *same.others):
                return []
            self.put(folded(same, new))
            return [same.id]
        self.put(new, sketch)
        return [new.id, *self._let_go_of_the_least(now)]

    def put(self, inquiry: Inquiry, sketch: int | None = None) -> None:
        """It is like this now."""
        before = self.get(inquiry.id)
        if sketch is None:
            same = before is not None and before.post.text == inquiry.post.text
            sketch = self._sketches[inquiry.id] if same else self._sketch(inquiry.post.text)
        if before is not None and (before.is_open or inquiry.is_open):
            self.remove(inquiry.id)
        self._sketches[inquiry.id] = sketch
        if inquiry.is_open:
            self.open[inquiry.id] = inquiry
            if author := _author(inquiry.post):
                self._by_author[author] = inquiry.id
        else:
            self.ended[inquiry.id] = inquiry

    def remove(self, inquiry: str) -> None:
        """Forget it."""
        if known := self.get(inquiry):
            self.open.pop(inquiry, None)
            self.ended.pop(inquiry, None)
            self._sketches.pop(inquiry, None)
            author = _author(known.post)
            if author and self._by_author.get(author) == inquiry:
                del self._by_author[author]

    def pass_time(self, now: datetime) -> list[str]:
        """Let go of what has waited too long, and give back what was forgotten; returns the ids of what has changed."""
        changed = []
        for one in list(self.open.values()):
            if (after := lapsed(one, now)) is not one:
                self.put(after)
                changed.append(one.id)
            if after.stage is Stage.WAITING and now - one.came >= WAITS:
                self._let_go(one.id, now)
                changed.append(one.id)
        beyond = max(0, len(self.ended) - ENDED_KEPT)
        for number, one in enumerate(list(self.ended.values())):
            if number < beyond or now - (one.moved or one.came) >= ENDED_FOR:
                self.remove(one.id)
                changed.append(one.id)
        first = f"{now - ENDED_FOR:%Y-%m-%d}"
        self.missed = Counter({day: count for day, count in self.missed.items() if day >= first})
        return changed

    def hear_own(self, post: Post) -> None:
        """The brand itself has posted: who answers that speaks to the brand."""
        self.own[digest(post.key)] = None
        while len(self.own) > OWN_KEPT:
            del self.own[next(iter(self.own))]

    def answers_own(self, post: Post) -> bool:
        """Whether a post answers one of those."""
        return post.reply_to is not None and digest(f"{post.source}:{post.reply_to}") in self.own

    def _of_author(self, post: Post) -> Inquiry | None:
        """What its author has said already, and nobody has answered."""
        author = _author(post)
        return self.open.get(self._by_author.get(author, "")) if author else None

    def _copied(self, sketch: int, now: datetime) -> Inquiry | None:
        """What says nearly the same: it waits, or was answered or passed over lately."""
        if not sketch:
            return None
        lately = [one for one in list(self.ended.values())[-COPIES_OF:] if now - one.came < COPIED_WITHIN]
        return next(
            (one for one in (*self.open.values(), *lately) if self._alike(self._sketches[one.id], sketch)), None
        )

    def _let_go_of_the_least(self, now: datetime) -> list[str]:
        """Of more than may wait."""
        waiting = [one for one in self.open.values() if one.stage is Stage.WAITING]
        surplus = max(0, len(waiting) - self._most)
        least = heapq.nsmallest(surplus, waiting, key=lambda one: (one.weight, one.came, one.id)) if surplus else []
        for one in least:
            self._let_go(one.id, now)
        return [one.id for one in least]

    def _let_go(self, inquiry: str, now: datetime) -> None:
        self.missed[f"{now:%Y-%m-%d}"] += self.open[inquiry].posts
        self.remove(inquiry)


def _author(post: Post) -> str:
    """Who wrote it, told from others of that name elsewhere; empty where nobody knows."""
    return f"{post.source}:{post.author}" if post.author else ""
