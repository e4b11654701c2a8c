"""Posts in CSV: a header, then a record per post, which may span lines where a quoted text has line breaks."""

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from crisisdesk.errors import UsageError
from crisisdesk.lines import AS_WINDOWS, MAX_LINE, SEPARATOR, TOO_LONG, Line, NotUtf8, decoded
from crisisdesk.sources.posts import REQUIRED
from crisisdesk.text import clean

MAX_RECORD_LINES: Final = 200
"""Lines of one record; a quote that is still open after so many was never meant to open."""

SHOWN_COLUMNS: Final = 20
_ALSO: Final = {
    "time": (
        "created_at", "createdat", "created", "timestamp", "date", "datetime", "published", "published_at", "posted",
        "when", "datum", "zeit", "zeitpunkt", "zeitstempel", "uhrzeit",
    ),
    "text": (
        "body", "content", "message", "post", "tweet", "full_text", "full text", "snippet", "hit sentence", "caption",
        "title", "inhalt", "nachricht", "beitrag", "beiträge",
    ),
}  # fmt: skip
"""What other programmes call a column that is needed, likeliest first, to be proposed where ours is missing."""


class Record(NamedTuple):
    """What a file has for one post, between two of its lines; without `fields` it is none, for a reason."""

    first: Line
    last: Line
    fields: Mapping[str, object] | None
    reason: str = ""


class Letters:
    """Reads the letters of a table, also as spreadsheets save them on Windows; of that, people are told once."""

    def __init__(self, on_note: Callable[[str], None]) -> None:
        self._on_note = on_note
        self._from_windows = False

    def read(self, line: Line) -> str:
        """The text of a line.

        Raises:
            ValueError: it has none; says why.
        """
        if line.content is None:
            raise ValueError(TOO_LONG)
        try:
            return decoded(line.content)
        except NotUtf8:
            if not self._from_windows:
                self._from_windows = True
                self._on_note(f"line {line.number} is not UTF-8; such letters are read as Windows writes them (cp1252)")
            return line.content.decode(errors=AS_WINDOWS)


class _Read(NamedTuple):
    """A line and its text, or why it has none."""

    line: Line
    text: str
    bad: str = ""


class _Feeder:
    """Hands lines to the csv module and remembers those of the current record, so that they can be read again."""

    def __init__(self, lines: Iterator[Line], letters: Letters) -> None:
        self._lines = lines
        self._letters = letters
        self._again: deque[_Read] = deque()
        self.record: list[_Read] = []
        self.unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        read = self._next_line() if not self.is_full else None
        if read is None:
            self.unclosed = bool(self.record)
            raise StopIteration
        self.record.append(read)
        return read.text + "\n"

    @property
    def is_full(self) -> bool:
        """Whether the record has as many lines as any may have."""
        return len(self.record) >= MAX_RECORD_LINES

    def _next_line(self) -> _Read | None:
        if self._again:
            return self._again.popleft()
        if (line := next(self._lines, None)) is None:
            return None
        try:
            return _Read(line, self._letters.read(line))
        except ValueError as error:
            return _Read(line, "", str(error))

    def begin(self) -> None:
        """A new record starts."""
        self.record = []
        self.unclosed = False

    def give_up_first(self, reason: str) -> Record:
        """The first line is bad; what followed it is read again as records of their own."""
        (line, _, bad), *others = self.record
        self._again.extendleft(reversed(others))
        return Record(line, line, None, bad or reason)


@dataclass(frozen=True, slots=True)
class Table:
    """What the header of a table says of its records."""

    separator: str
    width: int
    least: int
    """Columns up to the last one that is needed; spreadsheets leave out empty ones at the end of a record."""
    places: Mapping[str, int]
    """Where in a record each of our fields is."""
    header: Line

    def records(self, lines: Iterator[Line], letters: Letters, *, growing: bool = False) -> Iterator[Record]:
        """The records in the lines that follow; `growing` leaves one for later whose quote is still open at the end."""
        return self.fed(_Feeder(lines, letters), growing=growing)

    def fed(self, feeder: _Feeder, *, growing: bool = False) -> Iterator[Record]:
        """The same of lines that are being fed already."""
        reader = csv.reader(feeder, delimiter=self.separator)
        while True:
            feeder.begin()
            try:
                row = next(reader, None)
            except csv.Error as error:
                yield feeder.give_up_first(f"is not CSV ({error})")
                continue
            if not feeder.record or (feeder.unclosed and growing and not feeder.is_full):
                return
            if feeder.unclosed:
                yield feeder.give_up_first("a quote opens here and does not close")
            elif row is None or not self.least <= len(row) <= self.width:
                yield feeder.give_up_first(
                    f"has {len(row or ())} columns, the header has {self.width}; put quotes round the text"
                )
            else:
                row += [""] * (self.width - len(row))
                last = feeder.record[-1].line
                yield Record(feeder.record[0].line, last, {name: row[place] for name, place in self.places.items()})
                yield from (Record(line, last, None, bad) for line, _, bad in feeder.record if bad)


def read_header(
    lines: Iterator[Line], columns: Mapping[str, str], name: str, required: Sequence[str] = REQUIRED
) -> Table | None:
    """What the header says; None where there is none yet. Raises what `read_table` does."""
    return _header(_Feeder(lines, Letters(lambda _: None)), columns, name, required)


def _header(feeder: _Feeder, columns: Mapping[str, str], name: str, required: Sequence[str]) -> Table | None:
    csv.field_size_limit(MAX_LINE)
    for head in feeder:
        line, _, bad = feeder.record[-1]
        if bad:
            raise UsageError(f"{name}:{line.number}: {bad}; the header of the table should be here.")
        if head.isspace() or (line.start == 0 and head.lower().startswith(SEPARATOR)):
            continue
        separator = max(",;\t", key=head.count)
        try:
            header = next(csv.reader([head], delimiter=separator))
        except csv.Error:
            raise UsageError(
                f"{name}: all of it is one line, or its header is no CSV; save it as 'CSV UTF-8', not for Macintosh."
            ) from None
        places = places_in(header, columns, name, required)
        return Table(separator, len(header), max(places[field] for field in required) + 1, places, line)
    return None


def read_table(
    lines: Iterator[Line],
    columns: Mapping[str, str],
    name: str,
    on_note: Callable[[str], None] = lambda _: None,
    *,
    required: Sequence[str] = REQUIRED,
) -> Iterator[Record]:
    """The records of a table, good and bad.

    Args:
        lines: the file's lines, header first.
        columns: our field name -> the header's name, where they differ.
        name: what messages call the file.
        on_note: told, once, that the file is not UTF-8.
        required: our fields without which it is no table of posts.

    Raises:
        NoColumnError: the header lacks a column that is needed.
        UsageError: it lacks one that is named in `columns`, or cannot be read.
    """
    feeder = _Feeder(lines, Letters(on_note))
    if table := _header(feeder, columns, name, required):
        yield from table.fed(feeder)


class NoColumnError(UsageError):
    """A table lacks a column that is needed; `what` is wrong, and which are likely to be meant (`columns`)."""

    def __init__(self, what: str, columns: str) -> None:
        quoted = f'"{columns}"' if " " in columns else columns
        super().__init__(f"{what} Say which they are: --columns {quoted}")
        self.what = what
        self.columns = columns


def places_in(header: list[str], columns: Mapping[str, str], name: str, required: Sequence[str]) -> dict[str, int]:
    """Where in a record each of our fields is: ours by name unless `columns` says another.

    Raises:
        NoColumnError: one that is required is missing; names the header found and the cure.
        UsageError: one of `columns` is missing.
    """
    found = {clean(title).lower(): place for place, title in reversed(list(enumerate(header)))}
    shown = ", ".join(clean(title, 40) for title in header[:SHOWN_COLUMNS])
    for ours, theirs in columns.items():
        if theirs.lower() not in found:
            raise UsageError(f"{name}: no column '{theirs}' for {ours}; the header has: {shown}.")
    places = found | {ours: found[theirs.lower()] for ours, theirs in columns.items()}
    if missing := [field for field in required if field not in places]:
        raise NoColumnError(
            f"{name}: no column {' and no column '.join(map(repr, missing))}; the header has: {shown}.",
            proposed(missing, header, columns),
        )
    return places


def proposed(missing: Iterable[str], found: Sequence[str], columns: Mapping[str, str]) -> str:
    """What to write as `columns` where fields are missing: those that are likely meant of the ones that were found."""
    named = {**columns, **{field: _likely(field, found) for field in missing}}
    return ",".join(f"{ours}={theirs}" for ours, theirs in named.items())


def _likely(field: str, found: Sequence[str]) -> str:
    there = {shown.lower(): shown for shown in (clean(title, 40) for title in found)}
    return next((there[name] for name in _ALSO[field] if name in there), "NAME")


def looks_like_table(head: bytes, columns: Mapping[str, str]) -> bool:
    """Whether a first line is a header rather than a JSON line, for files whose name does not say."""
    titles = head.decode("utf-8", "replace").lower().lstrip("\ufeff")
    wanted = (columns.get(field, field).lower() for field in REQUIRED)
    return not titles.lstrip().startswith(("{", "[")) and all(title in titles for title in wanted)
