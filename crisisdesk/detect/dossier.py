"""What is laid before people about the spike of a watch, kept up to date at a price that a storm cannot drive up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from crisisdesk.detect.apart import Languages
from crisisdesk.detect.evidence import evidence
from crisisdesk.detect.memory import Memory
from crisisdesk.detect.people import Crowd
from crisisdesk.detect.restored import whole_number
from crisisdesk.detect.telling import Brand
from crisisdesk.detect.windows import HOUR
from crisisdesk.records import Evidence

EVERY: Final = 5.0
"""Minutes for which evidence stays as it is; collecting it for each post of a storm would cost more than judging."""
GROWN: Final = 0.05
"""It stays longer, three times as long at most, while less than this part of its posts has come."""
FORGET_FIRST: Final = 12 * HOUR
"""Minutes of calm after which the next spike is a new story with a first post of its own."""
MOST: Final = (1 << 63) - 1
PART_OF_A_NETWORK: Final = 0.2
"""Of the negative posts, from which a network counts as one that carries them."""


class Dossier:
    """The evidence of a watch's present story, empty before the first. Moments are minutes since 1970."""

    def __init__(self, memory: Memory, brand: Brand, crowd: Crowd, apart: Callable[[float, float], Languages]) -> None:
        """Make one.

        Args:
            memory: the watch's recent posts.
            brand: its names.
            crowd: tells how many copies there are.
            apart: tells of posts in other languages between two moments.
        """
        self._memory = memory
        self._brand = brand
        self._crowd = crowd
        self._apart = apart
        self.evidence = Evidence()
        self._at = self._unusual_at = 0.0
        self._before = (0, 0)  # reach and networks of the story, as they were before a restart

    def follow(self, now: float, since: int, *, anew: bool) -> Evidence:
        """Something is unusual since a minute: what there is to show of it. That of a story that is over is forgotten.

        Args:
            now: the moment.
            since: where the window begins.
            anew: whether it must be of this moment; otherwise it may be a few minutes old.
        """
        if now - self._unusual_at > FORGET_FIRST:
            self.evidence, self._before, anew = Evidence(), (0, 0), True
        self._unusual_at = now
        if self._is_new(now, anew=anew):
            found = evidence(self._memory, self._brand, since, self._crowd.copies)
            self.evidence = replace(found, other_languages=self._apart(since, now))
            self._at = now
            self._memory.grown = 0
        return self.evidence

    @property
    def reach(self) -> int:
        """Followers of those who speak; of those before a restart, if they were more."""
        return max(self.evidence.reach, self._before[0])

    @property
    def networks(self) -> int:
        """Networks that carry it; before a restart, if they were more."""
        negative = sum(posts for _, posts in self.evidence.sources)
        return max(sum(posts >= PART_OF_A_NETWORK * negative for _, posts in self.evidence.sources), self._before[1])

    def state(self) -> dict[str, Any]:
        """What must survive a restart, as plain values: how wide the story is, and when it was last told; no posts."""
        return {"reach": self.reach, "networks": self.networks, "unusual": self._unusual_at}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        reach, networks = (whole_number("figures of a story", state[key], 0, MOST) for key in ("reach", "networks"))
        self._before, self._unusual_at = (reach, networks), float(state["unusual"])

    def _is_new(self, now: float, *, anew: bool) -> bool:
        """Whether enough has come, and long enough ago, to collect evidence anew."""
        grown, age = self._memory.grown, now - self._at
        if anew:
            return grown > 0 or age > 0
        shown = sum(posts for _, posts in (*self.evidence.languages, *self.evidence.other_languages))
        return grown > 0 and age >= EVERY * (1 if grown >= GROWN * shown else 3)
