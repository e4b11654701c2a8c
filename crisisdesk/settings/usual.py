"""What an operator knows of a watch before it has been heard: how much is said, and where its people live."""

import re
from difflib import get_close_matches
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from crisisdesk.errors import UsageError
from crisisdesk.settings.number import PATTERN, parse_number
from crisisdesk.text import clean

_HOURS: Final = {"hour": 1.0, "day": 24.0, "week": 168.0, "stunde": 1.0, "tag": 24.0, "woche": 168.0}
_USUAL: Final = re.compile(
    rf"(?:about |around |etwa |rund |ungefähr |circa |ca\.? ?|~ ?)?({PATTERN}) ?(?:posts?|beiträge?|mentions?)? ?"
    r"(?:per|an?|/|pro|je|am|in der|die) ?(hour|day|week|stunde|tag|woche)",
    re.ASCII | re.IGNORECASE,
)
_CLOCKS: Final = {
    "mez": "Europe/Berlin",
    "mesz": "Europe/Berlin",
    "cest": "Europe/Berlin",
    "utc+1": "Europe/Berlin",
    "gmt+1": "Europe/Berlin",
    "germany": "Europe/Berlin",
    "deutschland": "Europe/Berlin",
    "wien": "Europe/Vienna",
    "zürich": "Europe/Zurich",
    "bst": "Europe/London",
    "edt": "America/New_York",
    "cst": "America/Chicago",
    "cdt": "America/Chicago",
    "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles",
}
"""What people call the clock on their wall, which is no name of a zone that knows summer and winter."""

SHORT: Final = 5
"""Letters up to which a name is an abbreviation, which means one zone here and another there."""
LIKE: Final = 0.8
"""How alike two names must be for one to be a slip of the other."""


def parse_usual(text: str) -> float:
    """Read a guess such as "about 20 posts a day" or "etwa 1.000 Beiträge am Tag".

    Returns:
        posts an hour, more than 0.

    Raises:
        UsageError: it cannot be read, or says that there are none.
    """
    found = _USUAL.fullmatch(" ".join(text.split()))
    an_hour = parse_number(found[1]) / _HOURS[found[2].lower()] if found else 0.0
    if an_hour <= 0:
        raise UsageError(
            f'\'{clean(text, 40)}\' does not say how much is usual; write "20 posts a day", "5 posts an hour" or '
            '"3 posts a week", in German "20 Beiträge am Tag"'
        )
    return an_hour


def parse_zone(name: str) -> ZoneInfo:
    """Read a time zone such as "Europe/Berlin".

    Raises:
        UsageError: there is none of this name; the message names the nearest one.
    """
    known = available_timezones()
    if name in known:
        return ZoneInfo(name)
    places = [zone for zone in sorted(known) if "/" in zone and not zone.startswith("Etc/")]
    by_city = {zone.rsplit("/", 1)[-1].casefold(): zone for zone in places}
    asked = name.replace(" ", "_").casefold()
    near = _CLOCKS.get(asked) or by_city.get(asked)
    if not near and len(name) > SHORT and not re.search(r"\d", name):  # what "GMT+2" is like, it is like by chance
        near = next(iter(get_close_matches(name, places, 1, LIKE)), None)
        near = near or next((by_city[city] for city in get_close_matches(asked, by_city, 1, LIKE)), None)
    cities = 'name the nearest large city, like "Europe/Berlin" or "America/New_York"'
    hint = f'did you mean "{near}"?' if near else cities
    raise UsageError(f"'{clean(name, 40)}' is no time zone; {hint}")
