"""What has become of the posts of a request, for its sender."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from crisisdesk.sources.bodies import Body
from crisisdesk.sources.webhook.refusals import Refused

BADS_TOLD: Final = 100
"""Bad posts that are named."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many were taken, and which were not."""

    taken: int
    """Posts that are safe, those among them that were known or concern no watch; and posts that were taken back."""
    bad: tuple[tuple[int, str], ...] = ()
    """The first of those that could not be read: which, counted from 0 (in JSON lines the line), and why."""
    more_bad: int = 0
    """How many more could not be read."""

    @classmethod
    def of(cls, found: Body) -> "Outcome":
        """That of posts once they are safe."""
        bad = tuple((max(number - 1, 0), reason) for number, reason in found.bad[:BADS_TOLD])
        return cls(len(found.posts) + len(found.corrections), bad, len(found.bad) - len(bad))


class Unreadable(Refused):
    """Not one post of a request could be read; `outcome` names them."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(HTTPStatus.BAD_REQUEST, f"No post could be read: {outcome.bad[0][1]}")
        self.outcome = outcome
