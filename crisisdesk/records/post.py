"""What people said: a post, the watches that it concerns, and what the model makes of it."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

TAKEN_BACK: Final = "(taken back by its author)"
"""Stands where the text of a post stood that is gone."""
ERASED: Final = "(erased because somebody asked for it)"
"""The same, where it was not its author or the network who took it away."""

_NAMES_ITS_AUTHOR: Final = re.compile(r"(?:at://)?(did:[^/]+|person-[0-9a-f]+)/")
"""Ids that say who wrote the post: addresses of Bluesky, and what stands in their place."""


class Label(StrEnum):
    """The mood of a post."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Correction:
    """What became of a post after it was published: its author took it back or changed it, or the author is gone."""

    source: str
    """Empty, where an author is meant in all of them."""
    id: str = ""
    text: str | None = None
    """How it reads now, cleaned; None for one that is gone, of which neither words nor author nor id are kept."""
    author: str | None = None
    """Who is gone with all posts, of which no id is named then; None where it is about one post."""
    asked: bool = False
    """Somebody asked this desk for it, whatever the network says."""

    @property
    def key(self) -> str:
        """That of the post."""
        return f"{self.source}:{self.id}"

    @property
    def mark(self) -> str:
        """By what those are found that it means: one of their `marks`."""
        return self.key if self.author is None else mark_of(self.author)

    @property
    def leaves(self) -> str:
        """What stands in place of a text that is gone."""
        return ERASED if self.asked else TAKEN_BACK


def account(name: str) -> str:
    """An account however it is written: with @ or without, in any letters."""
    return name.lstrip("@").casefold()


def mark_of(author: str) -> str:
    """By what all posts of an author are found, in whatever source."""
    return f"by {account(author)}"


def named_in(post: str) -> str | None:
    """Whom the id of a post names as its author; None where it names nobody."""
    found = _NAMES_ITS_AUTHOR.match(post)
    return found[1] if found else None


def marks(source: str, author: str | None, *ids: str) -> tuple[str, ...]:
    """By what a correction may mean a post: the keys of its ids, its author, and whom its ids name."""
    people = dict.fromkeys(mark_of(name) for name in (author, *map(named_in, ids)) if name)
    return (*(f"{source}:{one}" for one in ids if one), *people)


class Post(
    NamedTuple
):  # made in a quarter of the time of a frozen dataclass, and a network brings them by the thousand
    """One public post, as its source delivered it.

    `time` is the network's record of it, never later than its arrival. `author` is a name or id that is stable
    within the source, None when unknown: such a post counts as a person of its own. `original` is the id of the
    post that this one repeats, "" for a repost whose original is unknown, None for a post of its own. `lang` is
    the language of its own mark (`crisisdesk.language.marked`), None without one that can be trusted.
    """

    id: str
    source: str
    time: datetime
    text: str
    author: str | None = None
    lang: str | None = None
    url: str | None = None
    reach: int = 0
    original: str | None = None
    reply_to: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What makes the post one and the same when it is delivered twice."""
        return f"{self.source}:{self.id}"

    @property
    def marks(self) -> tuple[str, ...]:
        """By what a correction may mean it."""
        return marks(self.source, self.author, self.id, self.original or "")

    def is_meant(self, correction: Correction) -> bool:
        """Whether a correction is of this post, or of the one that it repeats, or of the author of either."""
        if correction.author is None:  # all that is remembered is asked this
            return self.source == correction.source and correction.id in (self.id, self.original)
        return correction.source in ("", self.source) and correction.mark in self.marks

    def corrected(self, correction: Correction) -> "Post":
        """The post as its author wants it now; of one that is gone, not even by what it was known."""
        if correction.text is None:
            original = self.original and ""
            return self._replace(id="", text=correction.leaves, author=None, url=None, original=original, reply_to=None)
        return self._replace(text=correction.text)


@dataclass(frozen=True, slots=True)
class Mention:
    """A post that concerns one or more watches, by name."""

    post: Post
    watches: tuple[str, ...]
    language: str | None = None
    """What it is written in, two letters, by its mark or by its words; None where neither says it beyond doubt."""
    apart: tuple[str, ...] = ()
    """Those of the watches whose language it is not: it is shown and counted apart there, and calls nobody."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A mention and what the model makes of it; the three probabilities add up to 1."""

    mention: Mention
    negative: float
    neutral: float
    positive: float
    model: str
    """The model's name and digest: what judged, so that an incident can be explained a year later."""
    judged: bool = True
    """False where the model failed on the post: it counts as neutral, which nobody said of it."""

    @property
    def label(self) -> Label:
        """The likeliest mood; of equals the calmer one."""
        best = max(self.neutral, self.positive, self.negative)
        if best == self.neutral:
            return Label.NEUTRAL
        return Label.POSITIVE if best == self.positive else Label.NEGATIVE

    @property
    def post(self) -> Post:
        """The post itself."""
        return self.mention.post

    def by_itself(self) -> "Scored":
        """The same, without which post it answers: that may name somebody else, and is not asked once it was heard."""
        if self.post.reply_to is None:
            return self
        return replace(self, mention=replace(self.mention, post=self.post._replace(reply_to=None)))

    def corrected(self, correction: Correction) -> "Scored":
        """The same judgement, of the post as its author wants it now."""
        return replace(self, mention=replace(self.mention, post=self.post.corrected(correction)))
