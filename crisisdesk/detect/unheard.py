"""What a desk did not hear, for those who look back: an hour in which nobody listened is no calm hour."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.detect.hearing import Hearing
from crisisdesk.records import EPOCH

HOUR: Final = timedelta(hours=1)
HEARD: Final = 0.5
"""The part of an hour from which on it counts as heard."""


def unheard_hours(hearing: Hearing, since: datetime, until: datetime) -> list[datetime]:
    """The beginnings of the whole hours between two moments that were not heard, or nobody can tell; oldest first."""
    first, end = -((EPOCH - since) // HOUR), (until - EPOCH) // HOUR
    lost = (int(hour) for hour, *_ in hearing.state()["hours"])
    return [EPOCH + hour * HOUR for hour in sorted(lost) if first <= hour < end and hearing.heard(hour) < HEARD]


def gaps(hours: Iterable[datetime]) -> list[tuple[datetime, datetime]]:
    """Hours, oldest first, as the times that they are together, each from its beginning to its end."""
    found: list[tuple[datetime, datetime]] = []
    for hour in hours:
        start = found.pop()[0] if found and found[-1][1] == hour else hour
        found.append((start, hour + HOUR))
    return found
