"""A single post that needs an answer, and what became of it. It lives beside incidents and calls nobody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from crisisdesk.records.post import Post


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
    stage: Stage = Stage.WAITING
    person: str | None = None
    """Who has taken it, answered it or passed it over."""
    moved: datetime | None = None
    """When that was."""
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
