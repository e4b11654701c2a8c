"""How many false alarms people will bear: the one sensitivity setting, in words."""

import re
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.text import clean

DAYS_PER_MONTH: Final = 365.25 / 12
NAMED: Final = {"sensitive": 4.0, "balanced": 1.0, "strict": 0.25}
"""False alarms a month, by name."""
DEFAULT_BUDGET: Final = NAMED["balanced"]

_DAYS: Final = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH, "year": 365.25}
_BUDGET: Final = re.compile(r"(\d{1,4}(?:\.\d{1,4})?)(?:/(\d{1,4}))?\s*(?:per|an?|/)\s*(day|week|month|year)", re.ASCII)
_HOW: Final = 'write "1 per month", "4 per month", "1 per week", or "sensitive", "balanced" or "strict"'
_MOST: Final = 24 * DAYS_PER_MONTH


def parse_false_alarms(text: str) -> float:
    """Read a budget.

    Returns:
        False alarms a month, more than 0.

    Raises:
        UsageError: it cannot be read, or is none or more than 24 a day.
    """
    words = text.strip().lower()
    if words in NAMED:
        return NAMED[words]
    found = _BUDGET.fullmatch(words)
    if found is None:
        raise UsageError(f"'{clean(text, 40)}' is no false-alarm budget; {_HOW}")
    parts = float(found[2] or 1)
    a_month = float(found[1]) / parts * DAYS_PER_MONTH / _DAYS[found[3]] if parts else 0.0
    if not 0 < a_month <= _MOST:
        raise UsageError(f"'{clean(text, 40)}' is no false-alarm budget: more than none, at most 24 a day; {_HOW}")
    return a_month
