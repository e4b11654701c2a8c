"""What is laid before people about the spike of a watch, kept up to date at a price that a storm cannot drive up."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from crisisdesk.detect.apart import Languages
from crisisdesk.detect.evidence import evidence
from crisisdesk.detect.memory import Memory
from crisisdesk.detect.people import Crowd
from crisisdesk.detect.restored import whole_number
from crisisdesk.detect.telling import Brand
from crisisdesk.detect.windows import HOUR
from crisisdesk.records import Correction, Evidence, Phrase

EVERY: Final = 5.0
"""Minutes for which evidence stays as it is; collecting it for each post of a storm would cost more than judging."""
GROWN: Final = 0.05
"""It stays longer, three times as long at most, while less than this part of its posts has come."""
FORGET_FIRST: Final = 12 * HOUR
"""Minutes of calm after which the next spike is a new story with a first post of its own."""
MOST: Final = (1 << 63) - 1
PART_OF_A_NETWORK: Final = 0.2
"""Of the negative posts, from which a network counts as one that carries them."""


@dataclass(frozen=True, slots=True)
class Before:
    """What is known after a restart of the story before it: figures and phrases, no posts."""

    until: float = -1.0
    """The moment that was known last."""
    people: int = 0
    """Those whose posts were shown; 0 where nobody was told."""
    reach: int = 0
    networks: int = 0
    phrases: tuple[Phrase, ...] = ()


NOTHING: Final = Before()


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
        self._found = Evidence()
        self._at = self._unusual_at = 0.0
        self._before = NOTHING
        self._since = self._people = 0
        self.told = False
        """Whether people were told of this story, so that somewhere there is evidence of it with posts."""

    def follow(self, now: float, since: int, people: int, *, anew: bool) -> Evidence:
        """Something is unusual since a minute: what there is to show of it. That of a story that is over is forgotten.

        Args:
            now: the moment.
            since: where the window begins.
            people: distinct ones behind its negative posts, those before a restart among them.
            anew: whether it must be of this moment; otherwise it may be a few minutes old.
        """
        if now - self._unusual_at > FORGET_FIRST:
            self._found, self._before, self.told, anew = Evidence(), NOTHING, False, True
        self._unusual_at, self._since, self._people = now, since, people
        if self._is_new(now, anew=anew):
            found = evidence(self._memory, self._brand, since, self._crowd.copies)
            self._found = replace(found, other_languages=self._apart(since, now))
            self._at = now
            self._memory.grown = 0
        return self.evidence

    def correct(self, correction: Correction) -> None:
        """A post that may be shown reads otherwise now, or is gone."""
        self._found = self._found.corrected(correction)

    def let_go(self, before: float) -> None:
        """Forget what is shown of a story that was over before a moment; it is none any more when the next begins."""
        if self._unusual_at < before:
            self._found = Evidence()

    @property
    def evidence(self) -> Evidence:
        """What there is to show.

        Without posts while those since a restart are of fewer than half of the people that were shown, and that the
        spike counts: what was shown before it stands in the incident, and says more.
        """
        if 2 * self._found.people < min(self._people, self._known_before.people):
            return Evidence(phrases=self._known_before.phrases)
        return self._found

    @property
    def reach(self) -> int:
        """Followers of those who speak; of those before a restart, if they were more."""
        return max(self._found.reach, self._known_before.reach)

    @property
    def networks(self) -> int:
        """Networks that carry it; before a restart, if they were more."""
        negative = sum(posts for _, posts in self._found.sources)
        carry = sum(posts >= PART_OF_A_NETWORK * negative for _, posts in self._found.sources)
        return max(carry, self._known_before.networks)

    def state(self, now: float) -> dict[str, Any]:
        """What must survive a restart at this moment, as plain values: how wide a story is, what it says; no posts."""
        return {
            "until": now,
            "people": max(self._found.people, self._known_before.people) if self.told else 0,
            "reach": self.reach,
            "networks": self.networks,
            "phrases": [(one.text, one.posts, one.usual) for one in self.evidence.phrases],
            "unusual": self._unusual_at,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        people, reach, networks = (
            whole_number("figures of a story", state[key], 0, MOST) for key in ("people", "reach", "networks")
        )
        phrases = tuple(
            Phrase(str(text), whole_number("posts of a phrase", posts, 0, MOST), float(usual))
            for text, posts, usual in state["phrases"]
        )
        before, unusual_at = Before(float(state["until"]), people, reach, networks, phrases), float(state["unusual"])
        self._before, self._people, self.told, self._unusual_at = before, people, people > 0, unusual_at

    @property
    def _known_before(self) -> Before:
        """What was known before a restart, as long as the window reaches back to before it."""
        return self._before if self._since <= self._before.until else NOTHING

    def _is_new(self, now: float, *, anew: bool) -> bool:
        """Whether enough has come, and long enough ago, to collect evidence anew."""
        grown, age = self._memory.grown, now - self._at
        if anew:
            return grown > 0 or age > 0
        shown = sum(posts for _, posts in (*self._found.languages, *self._found.other_languages))
        return grown > 0 and age >= EVERY * (1 if grown >= GROWN * shown else 3)
