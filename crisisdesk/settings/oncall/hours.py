"""Hours of the day as people write them: "08:00-20:00", "22-7", "8 pm - 6 am", "20 bis 6 Uhr"."""

import re
from datetime import time
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.text import clean

_CLOCK: Final = r"(\d{1,2})(?:[:.](\d\d))? ?(am|pm)?"
_HOURS: Final = re.compile(rf"{_CLOCK} ?(?:-|–|to|bis) ?{_CLOCK}(?: ?(?:uhr|h))?", re.ASCII | re.IGNORECASE)
_HOW: Final = 'write them like "08:00-20:00", or "22:00-07:00" for over midnight'
MIDNIGHT: Final = time()


def parse_hours(text: str) -> tuple[time, time]:
    """Read hours of the day; where the end is not after the beginning, they end on the next day.

    Returns:
        When they begin and end; both the same for a whole day from then on.

    Raises:
        UsageError: they cannot be read.
    """
    found = _HOURS.fullmatch(" ".join(text.split()))
    if found is None:
        raise UsageError(f"'{clean(text, 40)}' are no hours of the day; {_HOW}")
    return _time(text, *found.groups()[:3]), _time(text, *found.groups()[3:])


def _time(text: str, hour: str, minute: str | None, half: str | None) -> time:
    hours, minutes = int(hour), int(minute or 0)
    if half and 1 <= hours <= 12:
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    elif half or hours > 24 or (hours == 24 and minutes) or minutes > 59:
        raise UsageError(f"'{clean(text, 40)}' names a time that no clock shows; {_HOW}")
    return time(hours % 24, minutes)
