"""A series as a file: CSV with the columns `timestamp` and `value` in, CSV or JSON lines out."""

import csv
import gzip
import io
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final, TextIO

import orjson

from crisisdesk.detect.series import Judged, Sample
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.records import EPOCH
from crisisdesk.text import clean, shorten

LARGEST_VALUE: Final = 1e12
"""Above it, sums over hours would no longer be exact."""
FIRST_EPOCH: Final = 1e8
"""Smaller numbers (row numbers, years) are no epoch seconds."""
FIRST_EPOCH_MILLISECONDS: Final = 1e11
SHOWN: Final = 40
"""Characters of an unreadable cell that a message repeats."""
COLUMNS: Final = ("timestamp", "value", "expected", "score", "spike")
END: Final = "\r\n"
"""Told to the writer although the caller ends the lines: it quotes what it must because it would end a line."""
HEADER: Final = ",".join(COLUMNS)

_WITHOUT_TIME: Final = (
    "such rows are taken to follow at the usual interval (5 minutes if no time can be read); "
    "write 2026-11-22T05:50:00Z or seconds since 1970; said once"
)

OnBad = Callable[[int, str], None]
"""Told of a line that cannot be used as it is: its number and why."""


def read_series(path: str, on_bad: OnBad) -> Iterator[Sample]:
    """Read the rows of a CSV file, one sample each, in the order of the file.

    The header must name `timestamp` and `value`, in any order and among others. Timestamps are ISO 8601 / RFC 3339
    (without a zone: UTC) or seconds or milliseconds since 1970. A value that cannot be read is reported and becomes a
    sample without a count; the first timestamp that cannot be read is reported for all.

    Args:
        path: a file, gzipped if its name ends in `.gz`; `-` is standard input.
        on_bad: told of every value that cannot be read.

    Raises:
        UsageError: there is no such file, or its header lacks a column.
        CrisisdeskError: the file breaks off or is no CSV.
    """
    name = "standard input" if path == "-" else path
    try:
        with _opened(path) as handle:
            yield from _samples(name, handle, on_bad)
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CrisisdeskError(f"{name} cannot be read to its end: {reason}. Repair or save it again.") from error


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        wrapped = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", errors="replace", newline="")
        try:
            yield wrapped
        finally:
            wrapped.detach()  # standard input is not ours to close
        return
    try:
        binary = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # noqa: PTH123, SIM115 - closed below
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}. Give the path of a CSV file.") from error
    with binary, io.TextIOWrapper(binary, encoding="utf-8-sig", errors="replace", newline="") as handle:
        yield handle


def _samples(name: str, handle: TextIO, on_bad: OnBad) -> Iterator[Sample]:
    lines = csv.reader(handle)
    time_column, value_column = _columns(name, next(lines, []))
    complained = False
    for cells in lines:
        if not cells:
            continue
        timestamp, value = _cell(cells, time_column), _cell(cells, value_column)
        time, count = parse_time(timestamp), parse_count(value)
        if time is None and not complained:
            complained = True
            on_bad(lines.line_num, f"the timestamp {_quoted(timestamp)} cannot be read; {_WITHOUT_TIME}")
        if count is None:
            on_bad(lines.line_num, f"the value {_quoted(value)} is no number from 0 to 1e12; taken for an outage")
        yield Sample(timestamp, value, time, count)


def _columns(name: str, header: list[str]) -> tuple[int, int]:
    names = [cell.strip().casefold() for cell in header]
    missing = [column for column in COLUMNS[:2] if column not in names]
    if missing:
        found = ", ".join(_quoted(cell) for cell in header[:SHOWN]) or "nothing"
        raise UsageError(
            f"{name}:1: the header has no column {' and no column '.join(missing)}, but {found}; "
            "the first line must read timestamp,value (separated by commas)."
        )
    return names.index("timestamp"), names.index("value")


def _cell(cells: list[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _quoted(cell: str) -> str:
    """A cell as a message may repeat it: cleaned, short, in quotes."""
    return f"'{shorten(clean(cell, 4 * SHOWN), SHOWN)}'"


def parse_count(text: str) -> float | None:
    """A value from 0 to `LARGEST_VALUE`, None if it is none."""
    try:
        count = float(text)
    except ValueError:
        return None
    return count if 0 <= count <= LARGEST_VALUE else None  # False for NaN, too


def parse_time(text: str) -> float | None:
    """Seconds since 1970, None if it is no time; without a zone it is UTC."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if FIRST_EPOCH <= number < FIRST_EPOCH_MILLISECONDS:
        return number
    if FIRST_EPOCH_MILLISECONDS <= number < FIRST_EPOCH_MILLISECONDS * 1000:
        return number / 1000.0
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH).total_seconds()


def as_csv(row: Judged) -> str:
    """One line of CSV, without its end; `HEADER` names its columns."""
    line = io.StringIO()
    csv.writer(line, lineterminator=END).writerow(
        (
            row.timestamp,
            row.value,
            "" if row.expected is None else f"{row.expected:.2f}",
            "" if row.score is None else f"{row.score:.8f}",
            "" if row.spike is None else int(row.spike),
        )
    )
    return line.getvalue().removesuffix(END)


def as_json(row: Judged) -> str:
    """One object on one line, with the columns of the CSV as keys; a value that cannot be read is null."""
    count = parse_count(row.value)
    cells = (
        row.timestamp,
        int(count) if count is not None and count.is_integer() else count,
        None if row.expected is None else round(row.expected, 2),
        None if row.score is None else round(row.score, 8),
        None if row.spike is None else int(row.spike),
    )
    return orjson.dumps(dict(zip(COLUMNS, cells, strict=True))).decode()
