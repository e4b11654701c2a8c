"""Whether many people repeat one negative text: a campaign, or a public that agrees; a machine cannot tell which.

Copies collapse to one voice, so that no spike ever tells of them. That is right and not enough: two hundred people who
say one sentence in two hours are something that a press officer wants to have read. So they are a flood of their own
kind, told as what it is. Sharing is ordinary: a chorus is louder than everything else that is negative, and clearly
larger than what this watch has on most days (`crisisdesk.detect.days`).
"""

from collections import Counter, deque
from typing import Any, Final, TypeVar

from crisisdesk.detect.days import Days
from crisisdesk.detect.flood import CLEARLY, LEAST, Reading, known_posts
from crisisdesk.detect.people import HOUR, Heard
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


class Chorus:
    """The negative posts of one watch's last hours, by text, and how often its texts are usually repeated.

    Moments are minutes since 1970. A post costs the same however many there are; memory is bounded by `KEPT`.
    """

    def __init__(self) -> None:
        self._posts: deque[tuple[float, int, int]] = deque()
        self._said: Counter[tuple[int, int]] = Counter()
        self._people: Counter[int] = Counter()
        self._copies: Counter[int] = Counter()
        self._text = 0
        self._days = Days(KEPT)

    def add(self, now: float, said: Heard) -> None:
        """Count a negative post that came at this moment."""
        self.advance(now)
        if len(self._posts) >= KEPT:
            self._forget()
        self._count(now, said.voice, said.wording)
        self._days.note(self.people)

    def advance(self, now: float) -> None:
        """Let time pass: posts grow old, days end."""
        while self._posts and self._posts[0][0] <= now - SPAN:
            self._forget()
        self._days.advance(now, self.people)

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

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {"posts": list(self._posts), **self._days.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        posts = known_posts(state["posts"], KEPT)
        self._days.restore(state)
        for post in posts:
            self._count(*post)

    def _minutes(self, now: float) -> int:
        """Between the first copy and now, rounded up."""
        began = next((moment for moment, _, wording in self._posts if wording == self._text), now)
        return int(now - began) + 1

    def _count(self, moment: float, voice: int, wording: int) -> None:
        self._posts.append((moment, voice, wording))
        self._copies[wording] += 1
        self._said[wording, voice] += 1
        self._people[wording] += self._said[wording, voice] == 1
        if self._people[wording] > self.people:
            self._text = wording

    def _forget(self) -> None:
        _, voice, wording = self._posts.popleft()
        _take_one(self._copies, wording)
        _take_one(self._said, (wording, voice))
        if (wording, voice) not in self._said:
            _take_one(self._people, wording)


def _take_one(counts: Counter[K], key: K) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]
