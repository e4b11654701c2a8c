"""The recent posts of one watch, what it usually hears, and which of its posts speak of something new."""

import itertools
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from crisisdesk.detect.stopwords import STOPWORDS
from crisisdesk.records import Label, Post, Scored

KEPT: Final = 4_000
"""Posts of a watch that are remembered; in a flood the newest."""
BACKGROUND: Final = 4_000
"""Posts after which the usual phrases are halved, so that the watch follows its times."""
FRESH_FROM: Final = 5
"""People who must say a phrase before it counts as talk of the day."""
FRESH_TIMES: Final = 5.0
"""How many times as often as usual it must be said."""
FRESH_KEEP: Final = 0.5
"""It stays talk of the day while it is said by this part of the people that it took."""
HEARD_FIRST: Final = 100
"""Posts that must have grown old before anything can be called new."""

_NOT_WORDING: Final = re.compile(r"https?:\S*|www\.\S+|@\w+")
_WORD: Final = re.compile(r"#?\w[\w'’]*")


@dataclass(slots=True)
class Remembered:
    """A post with its moment (minutes since 1970) and what was known when it came."""

    moment: float
    scored: Scored
    counted: bool
    flagged: bool
    phrases: frozenset[str]
    wording: str
    """What it has in common with its copies."""
    fresh: bool = False
    """It says something that is newly being said."""

    @property
    def negative(self) -> bool:
        """Whether the post is likeliest negative."""
        return self.scored.label is Label.NEGATIVE

    @property
    def person(self) -> str:
        """Who spoke; a post without an author is a person of its own."""
        post = self.scored.post
        return f"{post.source}:{post.author}" if post.author is not None else post.key


def phrases_of(post: Post) -> frozenset[str]:
    """The words, hashtags and word pairs of a post that could tell what it is about."""
    words = [word.strip("'’") for word in _WORD.findall(_NOT_WORDING.sub(" . ", post.text.casefold()))]
    telling = [w if len(w) > 1 and not w[0].isdigit() and w not in STOPWORDS else "" for w in words]
    pairs = {f"{a} {b}" for a, b in itertools.pairwise(telling) if a and b and a != b}
    return frozenset(filter(None, telling)) | pairs


class Memory:
    """Remembers posts for so many minutes; those that grow too old become part of the usual, unless flagged."""

    def __init__(self, minutes: int) -> None:
        self._minutes = minutes
        self._posts: deque[Remembered] = deque()
        self._said: Counter[str] = Counter()
        self._fresh: set[str] = set()
        self._usual: Counter[str] = Counter()
        self._heard = 0
        self.grown = False
        """Posts that evidence shows have come since somebody set it to False."""

    def add(self, item: Remembered, usual_posts: float) -> Iterator[Remembered]:
        """Remember a post.

        Args:
            item: the post.
            usual_posts: posts that this watch usually has in the time that is remembered.

        Returns:
            The posts that have just become fresh: this one, or older ones whose phrase others now say as well.
        """
        self._posts.append(item)
        self.grown = self.grown or item.negative
        while len(self._posts) > KEPT or self._posts[0].moment < item.moment - self._minutes:
            self._forget(self._posts.popleft())
        if not item.counted:
            return
        self._said.update(item.phrases)
        self._fresh -= {p for p in item.phrases & self._fresh if not self._is_fresh(p, usual_posts, FRESH_KEEP)}
        news = {p for p in item.phrases - self._fresh if self._is_fresh(p, usual_posts)}
        self._fresh |= news
        for one in self._posts if news else (item,):
            if one.counted and not one.fresh and not one.phrases.isdisjoint(news if one is not item else self._fresh):
                one.fresh = True
                yield one

    def negatives(self, since: float) -> list[Remembered]:
        """Negative posts from that moment on, in the order in which they came."""
        return [p for p in self._posts if p.moment >= since and p.negative]

    def unjudged(self, since: float) -> int:
        """Posts from that moment on that the model could not judge."""
        return sum(p.moment >= since and not p.scored.judged for p in self._posts)

    def fresh_phrases(self, most: int) -> list[str]:
        """What is newly being said, by most people first; of phrases that share a word only the first."""
        ranked = sorted(self._fresh, key=lambda phrase: (-self._said[phrase], -len(phrase), phrase))
        return list(itertools.islice(distinct(ranked), most))

    def usual(self, phrase: str) -> float:
        """Share of the usual posts that say it, never quite 0."""
        return (self._usual[phrase] + 0.5) / (self._heard + 20)

    def state(self) -> dict[str, Any]:
        """What it usually hears, as plain values; the posts themselves are not kept."""
        return {"heard": self._heard, "usual": {phrase: n for phrase, n in self._usual.items() if n > 1}}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self._heard, self._usual = state["heard"], Counter(state["usual"])

    def _is_fresh(self, phrase: str, usual_posts: float, part: float = 1.0) -> bool:
        said, usually = self._said[phrase], self.usual(phrase) * usual_posts
        return self._heard >= HEARD_FIRST and said >= part * max(FRESH_FROM, FRESH_TIMES * usually)

    def _forget(self, old: Remembered) -> None:
        if old.counted:
            self._said.subtract(old.phrases)
            for phrase in old.phrases:
                if self._said[phrase] < FRESH_KEEP * FRESH_FROM:
                    self._fresh.discard(phrase)
                if self._said[phrase] <= 0:
                    del self._said[phrase]
        if not old.flagged:
            self._learn(old.phrases)

    def _learn(self, phrases: frozenset[str]) -> None:
        self._usual.update(phrases)
        self._heard += 1
        if self._heard >= BACKGROUND:
            self._heard //= 2
            self._usual = Counter({phrase: n // 2 for phrase, n in self._usual.items() if n > 1})


def distinct(phrases: Iterable[str]) -> Iterator[str]:
    """The phrases without those that share a word with an earlier one, as "the ad" and "ad" do."""
    taken: set[str] = set()
    for phrase in phrases:
        words = {word.lstrip("#") for word in phrase.split()}
        if taken.isdisjoint(words):
            taken |= words
            yield phrase
