"""What a cell of a series says: a moment or a number, as programmes and spreadsheets of several countries write."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from crisisdesk.moments import as_iso
from crisisdesk.records import EPOCH

LARGEST_VALUE: Final = 1e12
"""Above it, sums over hours would no longer be exact."""
FIRST_EPOCH: Final = 1e8
"""Smaller numbers (row numbers, years) are no epoch seconds."""
FIRST_EPOCH_MILLISECONDS: Final = 1e11

_COMMA: Final = re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+),\d+", re.ASCII)
_THOUSANDS: Final = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+", re.ASCII)

NO_NUMBER: Final = "is no number from 0 to 1e12; taken for an outage"
EITHER: Final = "may be thousands or a fraction; taken for an outage; write numbers without a sign for thousands"


def parse_time(text: str) -> tuple[float, float] | None:
    """Read a moment: ISO 8601, `22.11.2026 05:50`, or seconds or milliseconds since 1970.

    Returns:
        seconds since 1970, and how many seconds the clock it was written by is ahead of UTC (0 if it does not say);
        None if it is no moment.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if FIRST_EPOCH <= number < FIRST_EPOCH_MILLISECONDS:
        return number, 0.0
    if FIRST_EPOCH_MILLISECONDS <= number < FIRST_EPOCH_MILLISECONDS * 1000:
        return number / 1000.0, 0.0
    try:
        moment = datetime.fromisoformat(as_iso(text.strip()))
    except ValueError:
        return None
    offset = moment.utcoffset()
    seconds = (moment if offset is not None else moment.replace(tzinfo=UTC)) - EPOCH
    return seconds.total_seconds(), offset.total_seconds() if offset is not None else 0.0


def parse_count(text: str) -> float | None:
    """A value from 0 to `LARGEST_VALUE` as programmes write it, None if it is none."""
    try:
        count = float(text)
    except ValueError:
        return None
    return count if 0 <= count <= LARGEST_VALUE else None  # False for NaN, too


class Numbers:
    """Reads the values of one file.

    Where commas do not separate the columns they may stand in numbers: 12,5 and 1.234,5. Whether 1.234 is more than a
    thousand then follows from what was read before; if nothing tells, it is not guessed.

    Args:
        commas: whether a comma may stand in a number.
        on_note: told, once, of the first number with a comma.
    """

    def __init__(self, on_note: Callable[[str], None], *, commas: bool) -> None:
        self._commas = commas
        self._on_note = on_note
        self._decimal: str | None = None

    def read(self, text: str) -> tuple[float | None, str]:
        """The value, or None and why it is none."""
        cell = text.strip()
        if not self._commas or ("," not in cell and "." not in cell):
            count = parse_count(cell)
        elif _COMMA.fullmatch(cell):
            count = parse_count(cell.replace(".", "").replace(",", "."))
            self._learn(",", cell, count)
        elif _THOUSANDS.fullmatch(cell):
            if self._decimal is None and cell.count(".") == 1:
                return None, EITHER
            count = parse_count(cell if self._decimal == "." else cell.replace(".", ""))
        else:
            count = parse_count(cell)
            self._learn(".", cell, count)
        return count, NO_NUMBER

    def _learn(self, decimal: str, cell: str, count: float | None) -> None:
        if self._decimal is None and count is not None and math.isfinite(count):
            self._decimal = decimal
            if decimal == ",":
                self._on_note(f"numbers have a decimal comma: {cell} is read as {count:.10g}")
