"""The recent posts of one watch and who wrote them; what grows old becomes part of the usual."""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from crisisdesk.detect.alike import sketch
from crisisdesk.detect.fresh import Fresh
from crisisdesk.detect.people import digest
from crisisdesk.detect.phrases import phrases, spoken
from crisisdesk.detect.usual import Usual
from crisisdesk.detect.windows import HOUR
from crisisdesk.records import Correction, Label, Post, Scored

KEPT: Final = 4_000
"""Posts of a watch that are remembered; in a flood the newest."""
HEARD_FIRST: Final = 100
"""Posts that must have grown old before the usual can be relied on."""
LATELY: Final = 400
"""Posts that are read at most where a young watch has to learn in haste."""


@dataclass(slots=True)
class Remembered:
    """A post with its moment (minutes since 1970) and what was known when it came."""

    moment: float
    scored: Scored
    post: Post
    counted: bool
    said: str
    """Its words, as `crisisdesk.detect.phrases.spoken` gives them."""
    wording: int
    """What it has in common with its copies."""
    sketch: int
    """Its words, by which near-copies are known."""
    negative: bool
    person: str
    """Who spoke; a post without an author is a person of its own."""
    fresh: bool = False
    """It says something that is newly being said."""

    @classmethod
    def of(cls, scored: Scored, moment: float, wording: int, *, counted: bool) -> "Remembered":
        """A post as it comes."""
        post = scored.post
        person = f"{post.source}:{post.author}" if post.author is not None else post.key
        negative = scored.label is Label.NEGATIVE
        said = spoken(post.text)
        return cls(moment, scored, post, counted, said, wording, sketch(said) if negative else 0, negative, person)


def saying(posts: Iterable[Remembered], phrases: Iterable[str]) -> Iterator[Remembered]:
    """Those of these posts that say at least one of the phrases."""
    marks = [f" {phrase} " for phrase in phrases]
    return (post for post in posts if any(map(post.said.__contains__, marks)))


class Memory:
    """Remembers posts for so many minutes; those of people that grow too old are learnt as usual, unless flagged.

    At most `KEPT` posts, each with its words once more, and the two corpora of `Usual`: nothing here grows with time.
    """

    def __init__(self, minutes: int, flagged: Callable[[int], bool]) -> None:
        """Make one.

        Args:
            minutes: for which posts are remembered.
            flagged: whether nothing may be learnt from an hour since 1970; asked of those that are remembered.
        """
        self._minutes = minutes
        self._flagged = flagged
        self._posts: deque[Remembered] = deque()
        self._negatives: deque[Remembered] = deque()
        self._unjudged: deque[float] = deque(maxlen=KEPT)
        self.usual = Usual()
        self.fresh: Fresh[Remembered] = Fresh(self.usual.share)
        self.grown = 0
        """Posts that evidence shows which have come since somebody set it to 0."""

    def add(self, item: Remembered, usual_posts: float) -> Iterator[Remembered]:
        """Remember a post.

        Args:
            item: the post.
            usual_posts: posts that this watch usually has in the time that is remembered.

        Returns:
            The posts that have just become fresh: this one, or older ones whose phrase others now say as well.
        """
        self._posts.append(item)
        if not item.scored.judged:
            self._unjudged.append(item.moment)
            self.grown += 1
        if item.negative:
            self._negatives.append(item)
            self.grown += 1
        if len(self._posts) > KEPT:
            self._forget(self._posts.popleft())
        self.advance(item.moment)
        if not item.counted:
            return
        said = _short(item)
        news = self.fresh.say(item, said, usual_posts if self.usual.posts.heard >= HEARD_FIRST else 0.0)
        if self.fresh.speaks_of(said):
            item.fresh = True
            yield item
        for one in self.fresh.saying(news):
            if not one.fresh:
                one.fresh = True
                yield one

    def correct(self, correction: Correction) -> int:
        """A post reads otherwise now, or is gone: what it said before is forgotten, that somebody spoke is not.

        Returns:
            How many posts it was.
        """
        meant = [item for item in self._posts if item.post.is_meant(correction)]
        for item in meant:
            self._correct(item, correction)
        return len(meant)

    def let_go(self, before: float) -> None:
        """Forget what was said before a moment; as above."""
        for item in takewhile(lambda item: item.moment < before, self._posts):
            if item.post.id:
                self._correct(item, Correction(item.post.source, item.post.id))

    def posts(self) -> Iterator[Post]:
        """What is remembered, in the order in which it came."""
        return (item.post for item in self._posts)

    def _correct(self, item: Remembered, correction: Correction) -> None:
        if item.counted:
            self.fresh.remove(item, _short(item))
        item.scored = item.scored.corrected(correction)
        item.post, item.said, item.sketch = item.scored.post, "", 0
        if correction.text is None:
            item.person = f"{digest(item.person):x}"  # still one person, whoever that was
        self.grown += 1

    def advance(self, moment: float) -> None:
        """Let time pass: what has grown too old is learnt, or forgotten."""
        while self._posts and self._posts[0].moment < moment - self._minutes:
            self._forget(self._posts.popleft())

    def negatives(self, since: float) -> list[Remembered]:
        """Negative posts from that moment on, in the order in which they came."""
        return [p for p in self._negatives if p.moment >= since]

    def unjudged(self, since: float) -> int:
        """Posts from that moment on that the model could not judge."""
        return sum(moment >= since for moment in self._unjudged)

    def older(self, since: float) -> int:
        """About how many posts before that moment are remembered; they stand nearly in the order of time."""
        return bisect_left(self._posts, since, key=lambda post: post.moment)

    def background(self, since: float) -> Usual:
        """What is usual; of a young watch that has hardly learnt anything, what it heard lately before that moment."""
        if self.usual.posts.heard >= HEARD_FIRST:
            return self.usual
        usual = self.usual.copy()
        before = [p for p in self._posts if p.counted and p.moment < since and not self._is_flagged(p)]
        for one in before[-LATELY:]:
            usual.learn(one.said, negative=one.negative)
        return usual

    def state(self) -> dict[str, Any]:
        """What it usually hears, as plain values; the posts themselves are not kept."""
        return self.usual.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        self.usual.restore(state)

    def _forget(self, old: Remembered) -> None:
        if old.negative:
            self._negatives.popleft()
        if old.counted:
            self.fresh.forget(_short(old))
            if not self._is_flagged(old):
                self.usual.learn(old.said, negative=old.negative)

    def _is_flagged(self, item: Remembered) -> bool:
        return self._flagged(int(item.moment // HOUR))


def _short(item: Remembered) -> set[str]:
    return {phrase for phrase in phrases(item.said) if phrase.count(" ") < 2}
