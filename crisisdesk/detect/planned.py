"""What was announced: a campaign, a launch, a strike. Everybody will talk, which is no alarm; a worse mood is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.records import EPOCH

_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """One event of one watch, in the time of the posts: from `start` on, until before `end`, both aware."""

    watch: str
    start: datetime
    end: datetime
    reason: str
    """What people call it."""

    @property
    def first(self) -> int:
        """Its first minute since 1970."""
        return (self.start - EPOCH) // _MINUTE

    @property
    def last(self) -> int:
        """Its last minute, as far as it belongs to it."""
        return -((EPOCH - self.end) // _MINUTE) - 1

    def touches(self, first: int, last: int) -> bool:
        """Whether one of these minutes, from the first to the last, belongs to it."""
        return self.first <= last and first <= self.last


Calendar = Callable[[], Sequence[Planned]]
"""Asked at each judgement: what is planned may change while the desk runs."""


def nothing() -> Sequence[Planned]:
    """Nothing is planned."""
    return ()
