"""When a feed is asked next: as often as the settings say, unless its server asks for patience; never all at once."""

import random
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(days=1)
"""Whatever a server says: a desk that reads a feed less often hears nothing from it."""
SPREAD: Final = 0.1
"""Part of a wait by which it may be longer, so that feeds that were read together are read together no more."""
HOUR: Final = timedelta(hours=1)


def next_reading(
    now: datetime,
    every: timedelta,
    patience: timedelta = timedelta(),
    skip_hours: Collection[int] = (),
    skip_days: Collection[int] = (),
) -> datetime:
    """The moment of the next reading after a good one.

    Args:
        now: the moment of this one.
        every: as the settings want it.
        patience: as long as the feed stays as it is, by its own word or its server's.
        skip_hours: of the day, UTC, in which it has nothing new.
        skip_days: the same of the week; Monday is 0.
    """
    wait = max(every, min(patience, LONGEST))
    moment = now + wait * random.uniform(1.0, 1.0 + SPREAD)
    latest = max(now + LONGEST, moment)
    while moment < latest and (moment.hour in skip_hours or moment.weekday() in skip_days):
        moment = moment.replace(minute=0, second=0, microsecond=0) + HOUR * random.uniform(1.0, 1.0 + SPREAD)
    return min(moment, latest)


def after_wait(now: datetime, least: float, asked: float) -> datetime:
    """The moment after a wait of so many seconds, or of as many as a server asks for, if that is more."""
    wait = max(timedelta(seconds=least), min(timedelta(seconds=asked), LONGEST))
    return now + wait * random.uniform(1.0, 1.0 + SPREAD)
