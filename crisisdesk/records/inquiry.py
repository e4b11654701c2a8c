"""A single post that needs an answer, and what became of it. It lives beside incidents and calls nobody."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from crisisdesk.records.post import TAKEN_BACK, Correction, Post


class Need(StrEnum):
    """Why a post needs an answer."""

    ADDRESSED = "addressed"
    """It speaks to the brand."""
    QUESTION = "question"
    NEGATIVE = "negative"


class Stage(StrEnum):
    """How far its answer has come."""

    WAITING = "waiting"
    TAKEN = "taken"
    """Somebody is at it."""
    ANSWERED = "answered"
    PASSED_OVER = "passed over"
    """Somebody has decided that it gets no answer."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A post in the answer queue of a watch; every act of a person makes a new record."""

    id: str
    """Letters and digits, the same after a restart: of the watch and the post."""
    watch: str
    post: Post
    negative: float
    """How likely the post is negative."""
    needs: tuple[Need, ...]
    weight: float
    """How urgent it is beside the others: by its needs and its author's reach; 0 or more."""
    came: datetime
    """When the desk had it; from then on the time to its answer counts."""
    others: tuple[Post, ...] = ()
    """What else it stands for, newest first, as far as it is kept: of the same author, or copies."""
    posts: int = 1
    """How many posts it stands for, those that are not kept included."""
    stage: Stage = Stage.WAITING
    person: str | None = None
    """Who has taken it, answered it or passed it over."""
    moved: datetime | None = None
    """When that was."""
    had_by: str | None = None
    """Who had it last and does not have it any more, while nobody else has it."""
    reason: str = ""
    """Why it was passed over, where that was said."""

    @property
    def is_open(self) -> bool:
        """Whether it still waits for an answer."""
        return self.stage in {Stage.WAITING, Stage.TAKEN}

    @property
    def took(self) -> timedelta | None:
        """From its coming until it was answered or passed over; None while it is open."""
        return None if self.is_open or self.moved is None else self.moved - self.came

    def without(self, is_gone: Callable[[Post], bool], leaves: str = TAKEN_BACK) -> "Inquiry | None":
        """What is left of it without some posts; the newest of the others takes the place of its own post.

        Of one that was answered or passed over its figures stay, and `leaves` where a text was, without a word of
        anybody; None where nothing stays.
        """
        left = [post for post in (self.post, *self.others) if not is_gone(post)]
        if len(left) == 1 + len(self.others):
            return self
        if left:
            gone = 1 + len(self.others) - len(left)
            return replace(self, post=left[0], others=tuple(left[1:]), posts=max(len(left), self.posts - gone))
        if self.is_open:
            return None
        return replace(self, post=Post("", self.post.source, self.post.time, leaves), others=(), reason="")

    def corrected(self, correction: Correction) -> "Inquiry | None":
        """The same with its posts as their authors want them now; None where nothing is left to answer."""
        if correction.text is None:
            return self.without(lambda post: post.is_meant(correction), correction.leaves)
        if not any(post.is_meant(correction) for post in (self.post, *self.others)):
            return self
        post, *others = [
            post.corrected(correction) if post.is_meant(correction) else post for post in (self.post, *self.others)
        ]
        return replace(self, post=post, others=tuple(others))


@dataclass(frozen=True, slots=True)
class Answering:
    """How a watch's posts are answered."""

    watch: str
    waiting: int = 0
    taken: int = 0
    answered_today: int = 0
    median: timedelta | None = None
    """Half of what was answered in the last week was so within this time; None without any."""
    most: timedelta | None = None
    """The same of nine tenths."""
    oldest: datetime | None = None
    """When the one that has waited longest came; None where none waits."""
    missed: int = 0
    """Posts of the last week that nobody answered or passed over: more came than the list holds, or they waited too
    long."""
