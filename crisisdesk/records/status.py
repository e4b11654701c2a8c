"""How sources and outputs are doing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

TOLD_FOR: Final = timedelta(hours=12)
"""How long a trouble that has passed is spoken of: until the next shift has read it."""


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How a source is doing; `state` is live, connecting, blind, failed or ended."""

    name: str
    state: str = "connecting"
    last_event: datetime | None = None
    """When something came, by our clock."""
    events: int = 0
    """What has come, posts or not."""
    posts: int = 0
    """Posts that have come, whether they concern a watch or not."""
    latest: datetime | None = None
    """How far it has come, by the network's time of the newest of them; None where only the posts can tell."""
    matched: int = 0
    dropped: int = 0
    bad: int = 0
    trouble: str = ""
    """What went wrong last and what to do about it; empty while all is well."""
    note: str = ""
    """What people should know of it though nothing is wrong, such as what it costs."""


@dataclass(frozen=True, slots=True)
class OutputStatus:
    """How an output is doing; `state` is connecting, live, retrying or failed."""

    name: str
    state: str = "connecting"
    delivered: int = 0
    waiting: int = 0
    trouble: str = ""
    failed: int = 0
    """Changes that were given up: their incidents ended long ago, and the outside never took them."""
    attempts_failed: int = 0
    """Attempts to deliver that failed in this run; what they were for is tried again."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would come of connecting a source or an output, as far as can be known without it."""

    said: str
    """In sentences: what would be changed, what would be heard, what it would cost."""
    doubt: str = ""
    """What may not be as it should be, and what to do; empty where nothing is."""
