"""Days of the week as people write them, in English and German: "Mon-Fri", "Sa, So", "Monday to Wednesday"."""

import re
from difflib import get_close_matches
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.text import clean

_ENGLISH: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_GERMAN: Final = ("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag", "sonntag")
_NAMES: Final = {
    name[:length]: day
    for names, shortest in ((_ENGLISH, 3), (_GERMAN, 2))
    for day, name in enumerate(names)
    for length in range(shortest, len(name) + 1)
} | {"sonnabend": 5, "tu": 1, "we": 2, "th": 3, "fr": 4, "su": 6}
_RANGE: Final = re.compile(r"\s*(?:-|–|\bto\b|\bbis\b)\s*")
_LIST: Final = re.compile(r"\s*(?:,|;|&|\band\b|\bund\b)\s*")


def parse_days(text: str) -> frozenset[int]:
    """Read days of the week; Monday is 0. From Friday to Monday is over the weekend.

    Raises:
        UsageError: they cannot be read; the message names the word.
    """
    days: set[int] = set()
    for part in _LIST.split(text.strip().casefold()):
        ends = [_day(word) for word in _RANGE.split(part)]
        if len(ends) > 2:
            raise UsageError(f"'{clean(part, 40)}' is no range of days; write it like \"Mon-Fri\"")
        days.update(day % 7 for day in range(ends[0], ends[-1] + (8 if ends[-1] < ends[0] else 1)))
    return frozenset(days)


def _day(word: str) -> int:
    day = _NAMES.get(word.rstrip("."))
    if day is None:
        near = get_close_matches(word, (*_ENGLISH, *_GERMAN), n=1)
        hint = f"did you mean {near[0].title()}?" if near else 'write them like "Mon-Fri" or "Sat, Sun"'
        raise UsageError(f"'{clean(word, 40)}' is no day of the week; {hint}")
    return day
