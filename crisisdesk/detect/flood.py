"""Whether the negative posts of a watch's last hour are a flood: a few accounts that say a thing again and again.

Reach and brigading look alike as long as posts are counted. What tells them apart is how often each account speaks: a
post that 300 accounts repeat once has reach (`crisisdesk.detect.chorus`); 300 copies by 9 accounts are made. So an
account is loud from the post on that does not count as a person's any more, its third negative one within an hour, and
a flood is many posts by loud accounts that are few, or louder than all others together: in a real crisis, too, some
people write five times an hour, but they stay fewer than the rest. Good news repeated is advertising, and asks nothing
of anybody at night: only negative posts make a flood.

What is usual are the loudest hours of most days (`crisisdesk.detect.days`).
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from crisisdesk.detect.lately import Lately
from crisisdesk.detect.people import HOUR, POSTS_AN_HOUR
from crisisdesk.records import Severity

LEAST: Final = 20
"""Posts of loud accounts, or people who repeat a text, below which nothing is a flood."""
CLEARLY: Final = 2
"""How many times as many as usual they must be."""
CONCENTRATED: Final = 10
"""Posts for each loud account from which they are few, whatever others say."""
LARGE: Final = 500
"""Posts from which a flood is amber: it drowns what people say. One account alone is never more than a notice."""
KEPT: Final = 1_000
"""Negative posts of the last hour that are looked at; where there are more, the newest ones in less time."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A flood at one moment; `severity` None while there is none worth a line."""

    now: float
    """Minutes since 1970."""
    severity: Severity | None
    posts: int
    accounts: int
    alike: int
    """Those of the posts that say the same as most."""
    minutes: int
    """Between the first of the posts and now, rounded up."""
    usual: int
    """Such posts in the loudest hour of most days."""
    others: int
    """Other negative posts of the hour."""
    loud: frozenset[int] = frozenset()
    """The voices that make the flood (`crisisdesk.detect.people.Heard`)."""
    unnamed: int = 0
    """Those of the accounts that are taken for one because their posts name no author."""
    chance: float = 1.0
    """Share of the days known that had as loud an hour."""
    span: int = HOUR
    """Minutes that were looked at."""
    many: bool = False
    """Many people repeat one text (`crisisdesk.detect.chorus`): `loud` is the text, `usual` counts people."""


class Flood(Lately):
    """The negative posts of the last hour by voice: what accounts say that speak too often."""

    def __init__(self) -> None:
        super().__init__(HOUR, KEPT)
        self._by: Counter[int] = Counter()
        self._accounts = self._loud = 0

    @property
    def size(self) -> int:
        """Posts of loud accounts in the last hour."""
        return self._loud

    @property
    def severity(self) -> Severity | None:
        """What the last hour is, None for nothing worth a line."""
        if self._loud < LEAST:
            return None
        few = self._loud >= CONCENTRATED * self._accounts or 2 * self._loud > len(self._posts)
        if self._loud < CLEARLY * self._days.usual or not few:
            return None
        return Severity.AMBER if self._loud >= LARGE and self._accounts > 1 else Severity.NOTICE

    def read(self, now: float) -> Reading:
        """The last hour in figures."""
        loud = frozenset(voice for voice, posts in self._by.items() if posts > POSTS_AN_HOUR)
        posts = [post for post in self._posts if post[1] in loud]
        began = posts[0][0] if posts else now
        wordings = Counter(wording for *_, wording in posts)
        return Reading(
            now=now,
            severity=self.severity,
            posts=self._loud,
            accounts=self._accounts,
            alike=max(wordings.values(), default=0),
            minutes=int(now - began) + 1,
            usual=self._days.usual,
            others=len(self._posts) - self._loud,
            loud=loud,
            unnamed=len({voice for _, voice, wording in posts if wording == voice}),
            chance=self._days.chance(self._loud),
        )

    @property
    def _loudness(self) -> int:
        return self._loud

    def _take_in(self, voice: int, wording: int) -> None:  # noqa: ARG002  whatever it says
        self._by[voice] += 1
        self._weigh(self._by[voice], 1)

    def _let_go(self, voice: int, wording: int) -> None:  # noqa: ARG002  the same
        self._weigh(self._by[voice], -1)
        self._by[voice] -= 1
        if not self._by[voice]:
            del self._by[voice]

    def _weigh(self, posts: int, more: int) -> None:
        """Count the last of a voice's posts in or out: with the first that is too many, all of them are."""
        if posts == POSTS_AN_HOUR + 1:
            self._loud += more * posts
            self._accounts += more
        elif posts > POSTS_AN_HOUR:
            self._loud += more
