"""A series as a file: CSV with the columns `timestamp` and `value` in, CSV or JSON lines out."""

import csv
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO, cast

import orjson

from crisisdesk.detect.series import Judged, OnNote, Sample
from crisisdesk.detect.series_cells import Numbers, parse_time
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.lines import AS_WINDOWS, SEPARATOR, Progress, opened, shown_name
from crisisdesk.text import clean, shorten

SHOWN: Final = 40
"""Characters of an unreadable cell that a message repeats, and columns of a header."""
LONGEST_HEADER: Final = 1 << 16
"""Characters."""
DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
NEEDED: Final = ("timestamp", "value")
COLUMNS: Final = (*NEEDED, "expected", "score", "spike")
END: Final = "\r\n"
"""Told to the writer although the caller ends the lines: it quotes what it must because it would end a line."""
HEADER: Final = ",".join(COLUMNS)

_WITHOUT_TIME: Final = (
    "such rows are taken to follow at the usual interval (5 minutes if no time can be read); "
    "write 2026-11-22T05:50:00Z or seconds since 1970; said once"
)

OnBad = Callable[[int, str], None]
"""Told of a line that cannot be used as it is: its number and why."""


def read_series(
    path: str,
    on_bad: OnBad,
    on_note: OnNote = lambda _: None,
    columns: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Iterator[Sample]:
    """Read the rows of a CSV file, one sample each, in the order of the file.

    The header must name `timestamp` and `value`, or what `columns` has in their place, in any order and among others,
    separated by commas, semicolons or tabs. Cells are read as `series_cells` says. A value that cannot be read is
    reported and becomes a sample without a count; the first timestamp that cannot be read is reported for all.

    Args:
        path: a file, gzipped or not; `-` is standard input.
        on_bad: told of every value that cannot be read.
        on_note: told how a file is read that is not as programmes write them.
        columns: `timestamp` and `value` -> the names of the file's columns, see `parse_columns`.
        progress: told how much is read.

    Raises:
        UsageError: there is no such file, or its header lacks a column.
        CrisisdeskError: the file breaks off or is no CSV.
    """
    name = shown_name(Path(path))
    try:
        with _opened(Path(path), progress or Progress()) as handle:
            yield from _samples(name, handle, {one: (columns or {}).get(one, one) for one in NEEDED}, on_bad, on_note)
    except (OSError, EOFError, zlib.error, csv.Error, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CrisisdeskError(f"{name} cannot be read to its end: {reason}. Repair or save it again.") from error


def parse_columns(text: str) -> dict[str, str]:
    """Read `timestamp=Date,value=Calls`: which of the file's columns are ours.

    Raises:
        UsageError: it is not of that form.
    """
    columns: dict[str, str] = {}
    for part in text.split(","):
        ours, _, theirs = (piece.strip() for piece in part.partition("="))
        if ours not in NEEDED or not theirs or ours in columns:
            raise UsageError(f"--columns: '{part.strip()}' says nothing; write it like timestamp=Date,value=Calls.")
        columns[ours] = theirs
    return columns


@contextmanager
def _opened(path: Path, progress: Progress) -> Iterator[TextIO]:
    with opened(path, progress) as binary:
        buffered = cast("io.BufferedReader", binary)  # or a GzipFile, which is read like one
        with io.TextIOWrapper(buffered, encoding="utf-8-sig", errors=AS_WINDOWS, newline="") as handle:
            yield handle


def _samples(name: str, handle: TextIO, columns: Mapping[str, str], on_bad: OnBad, on_note: OnNote) -> Iterator[Sample]:
    header, before = handle.readline(LONGEST_HEADER), 1
    if header.lower().startswith(SEPARATOR):
        header, before = handle.readline(LONGEST_HEADER), 2
    delimiter, time_column, value_column = _places(name, header, columns)
    if delimiter != ",":
        on_note(f"columns are separated by {DELIMITERS[delimiter]}")
    numbers = Numbers(on_note, commas=delimiter != ",")
    complained = False
    lines = csv.reader(handle, delimiter=delimiter)
    for cells in lines:
        if not cells:
            continue
        line = lines.line_num + before
        timestamp, value = _cell(cells, time_column), _cell(cells, value_column)
        moment = parse_time(timestamp)
        if moment is None and not complained:
            complained = True
            on_bad(line, f"the timestamp {_quoted(timestamp)} cannot be read; {_WITHOUT_TIME}")
        time, offset = moment or (None, 0.0)
        count, reason = numbers.read(value)
        if count is None:
            on_bad(line, f"the value {_quoted(value)} {reason}")
        yield Sample(timestamp, value, time, count, offset)


def _places(name: str, header: str, columns: Mapping[str, str]) -> tuple[str, int, int]:
    """The sign between the columns, and which of them are ours."""
    wanted = [columns[one].strip().casefold() for one in NEEDED]
    for delimiter in DELIMITERS:
        names = [cell.strip().casefold() for cell in _split(header, delimiter)]
        if all(one in names for one in wanted):
            return delimiter, names.index(wanted[0]), names.index(wanted[1])
    cells = max((_split(header, delimiter) for delimiter in DELIMITERS), key=len)
    known = [cell.strip().casefold() for cell in cells]
    cure = "timestamp=NAME,value=NAME"
    if len(cells) == len(NEEDED):  # there is nothing else that they could be
        cure = f"timestamp={clean(cells[0], SHOWN)},value={clean(cells[1], SHOWN)}"
    missing = [_quoted(columns[ours]) for ours, one in zip(NEEDED, wanted, strict=True) if one not in known]
    found = ", ".join(_quoted(cell) for cell in cells[:SHOWN]) or "nothing"
    raise UsageError(
        f"{name}:1: the header has no column {' and no column '.join(missing)}, but {found}; the first line must read "
        f'timestamp,value, or say which columns they are: --columns "{cure}".'
    )


def _split(header: str, delimiter: str) -> list[str]:
    return next(csv.reader([header], delimiter=delimiter), [])


def _cell(cells: list[str], column: int) -> str:
    return cells[column] if column < len(cells) else ""


def _quoted(cell: str) -> str:
    """A cell as a message may repeat it: cleaned, short, in quotes."""
    return f"'{shorten(clean(cell, 4 * SHOWN), SHOWN)}'"


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
    count = row.count
    cells = (
        row.timestamp,
        int(count) if count is not None and count.is_integer() else count,
        None if row.expected is None else round(row.expected, 2),
        None if row.score is None else round(row.score, 8),
        None if row.spike is None else int(row.spike),
    )
    return orjson.dumps(dict(zip(COLUMNS, cells, strict=True))).decode()
