"""What a watch usually hears: in how many of its posts each phrase stands, in bounded memory."""

from collections import Counter
from sys import intern
from typing import Any, Final
from zlib import crc32

from crisisdesk.detect.phrases import phrases
from crisisdesk.detect.restored import whole_number

KEPT: Final = 1_000
"""Phrases of which a corpus keeps count; when there are more, the rarest quarter goes."""
BACKGROUND: Final = 4_000
"""Posts after which the counts are halved, so that a watch follows its times."""
HEARD_ONCE: Final = 512
"""Bytes in which a corpus remembers, by one bit each, the phrases that it has heard once."""
_HELD: Final = HEARD_ONCE * 2
"""Bits that may be set before all are cleared: at a quarter, one phrase in four is taken for another at worst."""


class Corpus:
    """Counts posts by phrase. A phrase counts from the second time on that it is heard, so that a quiet watch is small.

    At most `KEPT` phrases of `crisisdesk.detect.phrases.LONGEST` characters: under 130 kB in words of everyday length,
    350 kB at the very worst, where each is as long as can be in letters of four bytes; under 4 kB after 50 posts
    (tests/unit/test_detect_usual.py).
    """

    def __init__(self) -> None:
        self.heard = 0
        self._counts: Counter[str] = Counter()
        self._once = bytearray(HEARD_ONCE)
        self._marked = 0

    def __contains__(self, phrase: object) -> bool:
        """Whether it has been heard more than once."""
        return phrase in self._counts

    def __getitem__(self, phrase: str) -> int:
        """Posts that said it; 0 where it was too rare to be kept."""
        return self._counts[phrase]

    def learn(self, said: str) -> None:
        """Count one post, as `crisisdesk.detect.phrases.spoken` gives it."""
        counts = self._counts
        # A phrase is no more usual than its words: it is counted from when all of them are known.
        for phrase in set(phrases(said, counts)):
            if phrase in counts:
                counts[phrase] += 1
            elif self._is_second(phrase):
                counts[intern(phrase)] = 2  # watches share their vocabulary
        self.heard += 1
        if len(counts) > KEPT:
            self._counts = Counter(dict(counts.most_common(KEPT * 3 // 4)))
        if self.heard >= BACKGROUND:
            self.heard //= 2
            self._counts = Counter({phrase: n // 2 for phrase, n in self._counts.items() if n > 3})

    def state(self) -> dict[str, Any]:
        """Plain values."""
        return {"heard": self.heard, "usual": dict(self._counts)}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; of an older version's, which kept all, the most frequent.

        Raises:
            KeyError, TypeError, ValueError: it is of another shape.
        """
        heard = whole_number("posts heard", state["heard"], 0, BACKGROUND)
        kept = Counter({phrase: n for phrase, n in state["usual"].items() if n > 1}).most_common(KEPT)
        self.heard, self._counts = heard, Counter({intern(phrase): n for phrase, n in kept})

    def copy(self) -> "Corpus":
        """One that can learn on without this one."""
        other = Corpus()
        other.heard, other._counts, other._once, other._marked = (
            self.heard, self._counts.copy(), self._once[:], self._marked,
        )  # fmt: skip
        return other

    def _is_second(self, phrase: str) -> bool:
        byte, bit = divmod(crc32(phrase.encode()) % (HEARD_ONCE * 8), 8)
        if self._once[byte] >> bit & 1:
            return True
        if self._marked >= _HELD // 2:
            self._once, self._marked = bytearray(HEARD_ONCE), 0
        self._once[byte] |= 1 << bit
        self._marked += 1
        return False


class Usual:
    """The background of a watch: all its posts, and the negative ones by themselves."""

    def __init__(self) -> None:
        self.posts = Corpus()
        self.negative = Corpus()

    def learn(self, said: str, *, negative: bool) -> None:
        """Count one post."""
        self.posts.learn(said)
        if negative:
            self.negative.learn(said)

    def share(self, phrase: str) -> float:
        """Share of all posts that say it, never quite 0."""
        return (self.posts[phrase] + 0.5) / (self.posts.heard + 20)

    def copy(self) -> "Usual":
        """One that can learn on without this one."""
        other = Usual()
        other.posts, other.negative = self.posts.copy(), self.negative.copy()
        return other

    def state(self) -> dict[str, Any]:
        """Plain values."""
        return self.posts.state() | {"negative": self.negative.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave; older versions did not count the negative posts by themselves."""
        posts, negative = Corpus(), Corpus()
        posts.restore(state)
        if "negative" in state:
            negative.restore(state["negative"])
        self.posts, self.negative = posts, negative
