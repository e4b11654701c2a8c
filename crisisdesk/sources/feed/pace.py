"""When a feed is asked next: as often as the settings say, unless its server asks for patience; never all at once."""

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

PATIENCE: Final = timedelta(hours=1)
"""For which a feed may say that it stays as it is: a question an hour costs no server anything."""
LONGEST: Final = timedelta(days=1)
"""For which hours may follow each other in which it has nothing new."""
SPREAD: Final = 0.1
"""Part of a wait by which it may be longer, so that feeds that were read together are read together no more."""
HOUR: Final = timedelta(hours=1)


def until_next(
    now: datetime,
    every: timedelta,
    patience: float = 0.0,
    skip_hours: Collection[int] = (),
    skip_days: Collection[int] = (),
) -> float:
    """Seconds from one good reading to the next.

    Args:
        now: the moment of this one.
        every: as the settings want it.
        patience: seconds for which the feed stays as it is, by its own word or its server's.
        skip_hours: of the day, UTC, in which it has nothing new.
        skip_days: the same of the week; Monday is 0.
    """
    wait = max(every, min(timedelta(seconds=patience), PATIENCE))
    moment = now + timedelta(seconds=spread(wait.total_seconds()))
    latest = max(now + LONGEST, moment)
    while moment < latest and (moment.hour in skip_hours or moment.weekday() in skip_days):
        moment = moment.replace(minute=0, second=0, microsecond=0) + HOUR * random.uniform(1.0, 1.0 + SPREAD)
    return (min(moment, latest) - now).total_seconds()


def spread(seconds: float) -> float:
    """A wait that is at least so long."""
    return seconds * random.uniform(1.0, 1.0 + SPREAD)
