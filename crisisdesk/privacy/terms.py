"""How long posts are kept, and whether their authors are known by name at all: what the configuration says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

KEEP_POSTS: Final = timedelta(days=30)
"""For so long posts are kept as they were said, where nothing else is set, and of watches that are there no more."""
KEEP_EVIDENCE: Final = timedelta(days=2 * 365)
"""For so long what an incident quotes is kept without names: two of the years in which people compare a crisis with
the last one; pseudonymised words are still somebody's."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms on which the desk keeps what people said."""

    posts: Mapping[str, timedelta] = field(default_factory=dict)
    """By watch, how long its posts are kept as they were said."""
    evidence: timedelta = KEEP_EVIDENCE
    """How long incidents keep the words, without names."""
    pseudonyms: bool = False
    """Authors are pseudonyms from the moment at which the desk hears them."""

    def keeps(self, watch: str) -> timedelta:
        """How long the posts of a watch are kept as they were said; never longer than their words."""
        return min(self.posts.get(watch, KEEP_POSTS), self.evidence)

    @property
    def shortest(self) -> timedelta:
        """The shortest of all these times: nothing younger has to be looked at."""
        return min((KEEP_POSTS, self.evidence, *self.posts.values()))
