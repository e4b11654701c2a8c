"""How often one address may be disturbed. People are limited, the truth is not: what waits is told together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crisisdesk.records import Severity


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` messages to one address within `within`; `most` None for as many as there are."""

    most: int | None = 5
    within: timedelta = timedelta(minutes=15)

    def may(self, now: datetime, sent: Sequence[tuple[datetime, Severity]], severity: Severity) -> datetime:
        """From when on a message of this severity may go out; `now` where it may at once.

        Only messages that were at least as severe count, so that a red one never waits because of amber ones.

        Args:
            now: the present.
            sent: when earlier messages went out, and how severe each was; in any order.
            severity: of the one that waits.
        """
        if self.most is None:
            return now
        counted = sorted(time for time, each in sent if each >= severity and now - self.within < time <= now)
        return now if len(counted) < self.most else counted[-self.most] + self.within
