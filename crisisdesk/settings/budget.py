"""How many false alarms people will bear: the one sensitivity setting, in words."""

import math
import re
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.settings.number import PATTERN, parse_number
from crisisdesk.text import clean

DAYS_PER_MONTH: Final = 365.25 / 12
NAMED: Final = {"sensitive": 4.0, "balanced": 1.0, "strict": 0.25}
"""False alarms a month, by name."""
DEFAULT_BUDGET: Final = NAMED["balanced"]

_ENGLISH: Final = {"day": 1.0, "week": 7.0, "month": DAYS_PER_MONTH, "year": 365.25}
_DAYS: Final = _ENGLISH | dict(zip(("tag", "woche", "monat", "jahr"), _ENGLISH.values(), strict=True))
_BUDGET: Final = re.compile(
    rf"(once|einmal|{PATTERN})(?:/(\d{{1,4}}))?\s*(?:per|an?|/|pro|je|am|im|in der)\s*({'|'.join(_DAYS)})", re.ASCII
)
_HOW: Final = 'write "1 per month", "4 per month", "1 per week", or "sensitive", "balanced" or "strict"'
_MOST: Final = 24 * DAYS_PER_MONTH
_ROUND: Final = (
    *((f"{n} per day", n * DAYS_PER_MONTH) for n in range(24, 0, -1)),
    *((f"{n} per month", float(n)) for n in range(29, 0, -1)),
    *((f"{n} per year", n / 12) for n in range(11, 0, -1)),
    *((f"1/{n} per year", 1 / n / 12) for n in range(2, 5)),
)
"""Budgets that are easily said, and false alarms a month."""
_SAID: Final = (*_ROUND, *((f"{n} per week", n * DAYS_PER_MONTH / 7) for n in range(1, 7)))


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
    number = 1.0 if found[1] in {"once", "einmal"} else parse_number(found[1])
    a_month = number / parts * DAYS_PER_MONTH / _DAYS[found[3]] if parts else 0.0
    if not 0 < a_month <= _MOST:
        raise UsageError(f"'{clean(text, 40)}' is no false-alarm budget: more than none, at most 24 a day; {_HOW}")
    return a_month


def in_words(per_month: float) -> str:
    """A budget as it can be written into the configuration."""
    words = (words for words, rate in _SAID if math.isclose(rate, per_month, rel_tol=1e-6))
    return next(words, f"{per_month:.4f}".rstrip("0").rstrip(".") + " per month")


def writable(per_month: float) -> float:
    """The nearest budget that is easily said, by ratio."""
    return min((rate for _, rate in _ROUND), key=lambda rate: abs(math.log(rate / per_month)))
