"""What is newly being said about a watch: many people say it, and usually almost nobody does."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Generic, TypeVar

P = TypeVar("P")

FRESH_FROM: Final = 5
"""People who must say a phrase before it counts as talk of the day."""
FRESH_TIMES: Final = 5.0
"""How many times as often as usual it must be said."""
FRESH_KEEP: Final = 0.5
"""It stays talk of the day while it is said by this part of the people that it took."""


class Fresh(Generic[P]):
    """Talk of the day: knows the posts of people by what they say, from when they are said until they are forgotten.

    `usual` gives the share of posts that say a phrase. A post is kept by each of its phrases, so that those that become
    fresh with a phrase need not be looked for. Most phrases are said once, and a list for each would double the memory.
    """

    def __init__(self, usual: Callable[[str], float]) -> None:
        self._usual = usual
        self._once: dict[str, P] = {}
        self._said: dict[str, list[P]] = {}
        self._fresh: set[str] = set()

    def say(self, post: P, phrases: set[str], usual_posts: float) -> set[str]:
        """Count a person's post; what of its phrases has become fresh by it.

        Args:
            post: the post.
            phrases: of the post.
            usual_posts: posts that are usual in the time after which phrases are forgotten; 0 while nothing is known.
        """
        for phrase in phrases:
            if phrase in self._said:
                self._said[phrase].append(post)
            elif phrase in self._once:
                self._said[phrase] = [self._once.pop(phrase), post]
            else:
                self._once[phrase] = post
        self._fresh -= {p for p in phrases & self._fresh if not self._is_fresh(p, usual_posts, FRESH_KEEP)}
        news = {p for p in phrases - self._fresh if self._is_fresh(p, usual_posts)} if usual_posts else set()
        self._fresh |= news
        return news

    def saying(self, phrases: Iterable[str]) -> Iterator[P]:
        """The posts that say any of these, those of each phrase in the order in which they came."""
        for phrase in phrases:
            if phrase in self._once:
                yield self._once[phrase]
            yield from self._said.get(phrase, ())

    def forget(self, phrases: Iterable[str]) -> None:
        """The oldest post has grown too old; these are its phrases."""
        for phrase in phrases:
            if phrase in self._once:
                del self._once[phrase]
                continue
            said = self._said[phrase]
            del said[0]
            if len(said) < FRESH_KEEP * FRESH_FROM:
                self._fresh.discard(phrase)
            if len(said) == 1:
                self._once[phrase] = self._said.pop(phrase)[0]

    def remove(self, post: P, phrases: Iterable[str]) -> None:
        """A post was never said, whatever its age; these are its phrases."""
        for phrase in phrases:
            if self._once.get(phrase) is post:
                del self._once[phrase]
            elif phrase in self._said:
                self._said[phrase] = [one for one in self._said[phrase] if one is not post]
                if len(self._said[phrase]) < FRESH_KEEP * FRESH_FROM:
                    self._fresh.discard(phrase)
                if len(self._said[phrase]) == 1:
                    self._once[phrase] = self._said.pop(phrase)[0]

    def speaks_of(self, phrases: set[str]) -> bool:
        """Whether any of these is fresh."""
        return not phrases.isdisjoint(self._fresh)

    def phrases(self, most: int) -> list[str]:
        """What is newly being said, by most people first; of phrases that share a word only the first."""
        ranked = sorted(self._fresh, key=lambda phrase: (-len(self._said[phrase]), -len(phrase), phrase))
        return list(itertools.islice(_distinct(ranked), most))

    def _is_fresh(self, phrase: str, usual_posts: float, part: float = 1.0) -> bool:
        said = len(self._said.get(phrase, ()))
        return said >= part * FRESH_FROM and said >= part * FRESH_TIMES * self._usual(phrase) * usual_posts


def _distinct(phrases: Iterable[str]) -> Iterator[str]:
    taken: set[str] = set()
    for phrase in phrases:
        words = {word.lstrip("#") for word in phrase.split()}
        if taken.isdisjoint(words):
            taken |= words
            yield phrase
