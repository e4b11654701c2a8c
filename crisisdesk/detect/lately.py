"""The negative posts of a watch's last hours, as they come and grow old, for what a flood may be made of."""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from crisisdesk.detect.days import Days
from crisisdesk.detect.people import Heard
from crisisdesk.detect.restored import whole_number

DIGESTS: Final = 2**64 - 1
"""The largest that eight bytes can be."""


class Lately(ABC):
    """Posts by voice and wording, and how loud the days of their watch have been.

    Moments are minutes since 1970. A post costs the same however many there are; memory is bounded.
    """

    def __init__(self, span: float, most: int) -> None:
        """Make one.

        Args:
            span: minutes after which a post is old.
            most: posts that are looked at; where there are more, the newest ones in less time.
        """
        self._span, self._most = span, most
        self._posts: deque[tuple[float, int, int]] = deque()
        self._days = Days(most)

    def add(self, now: float, said: Heard, *, ordinary: bool = True) -> None:
        """Count a negative post that came at this moment; how loud it is, is learnt of `ordinary` days only."""
        self.advance(now, ordinary=ordinary)
        if len(self._posts) >= self._most:
            self._forget()
        self._count(now, said.voice, said.wording)
        if ordinary:
            self._days.note(self._loudness)

    def advance(self, now: float, *, ordinary: bool = True) -> None:
        """Let time pass: posts grow old, days end."""
        while self._posts and self._posts[0][0] <= now - self._span:
            self._forget()
        self._days.advance(now, self._loudness if ordinary else 0)

    @property
    @abstractmethod
    def _loudness(self) -> int:
        """How loud it is: what is compared with other days."""

    @abstractmethod
    def _take_in(self, voice: int, wording: int) -> None:
        """A post has come."""

    @abstractmethod
    def _let_go(self, voice: int, wording: int) -> None:
        """The oldest post has grown old."""

    def state(self) -> dict[str, Any]:
        """Everything that must survive a restart, as plain values."""
        return {"posts": list(self._posts), **self._days.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape; then nothing of it counts.
        """
        posts = _known_posts(state["posts"], self._most)
        self._days.restore(state)
        for post in posts:
            self._count(*post)

    def _count(self, moment: float, voice: int, wording: int) -> None:
        self._posts.append((moment, voice, wording))
        self._take_in(voice, wording)

    def _forget(self) -> None:
        _, voice, wording = self._posts.popleft()
        self._let_go(voice, wording)


def _known_posts(posts: Sequence[Any], most: int) -> list[tuple[float, int, int]]:
    """Moment, voice and wording of each of at most so many posts, checked before one of them counts.

    Raises:
        TypeError, ValueError: they are of another shape.
    """
    if len(posts) > most:
        raise ValueError(f"{len(posts)} posts of a flood")
    return [
        (float(moment), whole_number("voices", voice, 0, DIGESTS), whole_number("wordings", wording, 0, DIGESTS))
        for moment, voice, wording in posts
    ]
