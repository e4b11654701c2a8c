"""Whether many people repeat one negative text: a campaign, or a public that agrees; a machine cannot tell which.

Copies collapse to one voice, so that no spike ever tells of them. That is right and not enough: two hundred people who
say one sentence in two hours are something that a press officer wants to have read. So they are a flood of their own
kind, told as what it is. Sharing is ordinary: a chorus is louder than everything else that is negative, and clearly
larger than what this watch has on most days (`crisisdesk.detect.days`).
"""

from collections import Counter
from typing import Final, TypeVar

from crisisdesk.detect.flood import CLEARLY, LEAST, Reading
from crisisdesk.detect.lately import Lately
from crisisdesk.detect.people import HOUR
from crisisdesk.records import Severity

SPAN: Final = 3 * HOUR
"""Minutes in which copies belong together: people pass a text on more slowly than accounts that are paid for it."""
CROWD: Final = 60
"""People an hour from which a chorus is amber: one a minute,"""
MANY: Final = 10
"""who are so many times as many as other negative posts, and as the people who repeat a text on most days."""
KEPT: Final = 2_500
"""Negative posts that are looked at; where there are more, the newest ones in less time."""

K = TypeVar("K")


class Chorus(Lately):
    """The negative posts of the last hours by text: the one that most people repeat."""

    def __init__(self) -> None:
        super().__init__(SPAN, KEPT)
        self._said: Counter[tuple[int, int]] = Counter()
        self._people: Counter[int] = Counter()
        self._copies: Counter[int] = Counter()
        self._text = 0

    @property
    def people(self) -> int:
        """How many repeat the text that most repeat."""
        return self._people[self._text]

    @property
    def size(self) -> int:
        """Copies of that text."""
        return self._copies[self._text]

    def severity(self, now: float) -> Severity | None:
        """What the last hours are, None for nothing worth a line."""
        people, others, usual = self.people, len(self._posts) - self.size, self._days.usual
        if people < max(LEAST, CLEARLY * usual) or self.size <= others:
            return None
        crowded = people >= CROWD * max(1.0, self._minutes(now) / HOUR) and people >= MANY * max(others, usual)
        return Severity.AMBER if crowded else Severity.NOTICE

    def read(self, now: float) -> Reading:
        """The last hours in figures."""
        return Reading(
            now=now,
            severity=self.severity(now),
            posts=self.size,
            accounts=self.people,
            alike=self.size,
            minutes=self._minutes(now),
            usual=self._days.usual,
            others=len(self._posts) - self.size,
            loud=frozenset((self._text,)),
            chance=self._days.chance(self.people),
            span=SPAN,
            many=True,
        )

    @property
    def _loudness(self) -> int:
        return self.people

    def _minutes(self, now: float) -> int:
        """Between the first copy and now, rounded up."""
        began = next((moment for moment, _, wording in self._posts if wording == self._text), now)
        return int(now - began) + 1

    def _take_in(self, voice: int, wording: int) -> None:
        self._copies[wording] += 1
        self._said[wording, voice] += 1
        self._people[wording] += self._said[wording, voice] == 1
        if self._people[wording] > self.people:
            self._text = wording

    def _let_go(self, voice: int, wording: int) -> None:
        _take_one(self._copies, wording)
        _take_one(self._said, (wording, voice))
        if (wording, voice) not in self._said:
            _take_one(self._people, wording)


def _take_one(counts: Counter[K], key: K) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
