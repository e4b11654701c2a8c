"""Posts in CSV: a header, then a record per post, which may span lines where a quoted text has line breaks."""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.lines import AS_WINDOWS, MAX_LINE, SEPARATOR, TOO_LONG, Line, NotUtf8, decoded
from crisisdesk.sources.posts import REQUIRED
from crisisdesk.text import clean

MAX_RECORD_LINES: Final = 200
"""Lines of one record; a quote that is still open after so many was never meant to open."""

_SHOWN_COLUMNS: Final = 20
_ALSO: Final = {
    "time": ("created_at", "timestamp", "date", "datetime", "published", "datum", "zeit", "zeitpunkt", "uhrzeit"),
    "text": ("body", "content", "message", "post", "tweet", "title", "inhalt", "nachricht", "beitrag", "beiträge"),
}
"""What other programmes call a column that is needed, to be proposed where ours is missing."""


class _Feeder:
    """Hands lines to the csv module and remembers those of the current record, so that they can be read again."""

    def __init__(
        self, lines: Iterator[Line], on_bad: Callable[[int, str], None], on_note: Callable[[str], None]
    ) -> None:
        self._lines = lines
        self._again: deque[tuple[int, str]] = deque()
        self._on_bad = on_bad
        self._on_note = on_note
        self._from_windows = False
        self.record: list[tuple[int, str]] = []
        self.unclosed = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._next_line() if len(self.record) < MAX_RECORD_LINES else None
        if line is None:
            self.unclosed = bool(self.record)
            raise StopIteration
        self.record.append(line)
        return line[1]

    def _next_line(self) -> tuple[int, str] | None:
        if self._again:
            return self._again.popleft()
        for line in self._lines:
            if line.content is None:
                self._on_bad(line.number, TOO_LONG)
                continue
            try:
                return line.number, self._text(line.number, line.content) + "\n"
            except ValueError as error:
                self._on_bad(line.number, str(error))
        return None

    def _text(self, number: int, content: bytes) -> str:
        """The line, also as spreadsheets save it on Windows.

        Raises:
            ValueError: it is no text.
        """
        try:
            return decoded(content)
        except NotUtf8:
            if not self._from_windows:
                self._from_windows = True
                self._on_note(f"line {number} is not UTF-8; such letters are read as Windows writes them (cp1252)")
            return content.decode(errors=AS_WINDOWS)

    def begin(self) -> None:
        """A new record starts."""
        self.record = []
        self.unclosed = False

    def give_up_first(self, reason: str) -> None:
        """The first line is bad; what followed it is read again as records of their own."""
        first, *others = self.record
        self._on_bad(first[0], reason)
        self._again.extendleft(reversed(others))


def read_table(
    lines: Iterator[Line],
    columns: Mapping[str, str],
    name: str,
    on_bad: Callable[[int, str], None],
    on_note: Callable[[str], None] = lambda _: None,
    *,
    required: Sequence[str] = REQUIRED,
) -> Iterator[tuple[int, dict[str, object]]]:
    """Records as (line number, values by field name).

    Args:
        lines: the file's lines, header first.
        columns: our field name -> the header's name, where they differ.
        name: what messages call the file.
        on_bad: told the line number and reason of every record that cannot be read.
        on_note: told, once, that the file is not UTF-8.
        required: our fields without which it is no table of posts.

    Raises:
        NoColumnError: the header lacks a column that is needed.
        UsageError: it lacks one that is named in `columns`.
    """
    feeder = _Feeder(lines, on_bad, on_note)
    csv.field_size_limit(MAX_LINE)
    head = next(feeder, None)
    if head is not None and head.lower().startswith(SEPARATOR):
        head = next(feeder, None)
    if head is None:
        return
    separator = max(",;\t", key=head.count)
    header = next(csv.reader([head], delimiter=separator))
    places = places_in(header, columns, name, required)
    reader = csv.reader(feeder, delimiter=separator)
    while True:
        feeder.begin()
        try:
            row = next(reader, None)
        except csv.Error as error:
            feeder.give_up_first(f"is not CSV ({error})")
            continue
        if not feeder.record:
            return
        if feeder.unclosed:
            feeder.give_up_first("a quote opens here and does not close")
        elif row is None or len(row) != len(header):
            feeder.give_up_first(
                f"has {len(row or ())} columns, the header has {len(header)}; put quotes round the text"
            )
        else:
            yield feeder.record[0][0], {field: row[place] for field, place in places.items()}


class NoColumnError(UsageError):
    """A table lacks a column that is needed; `what` is wrong, and which are likely to be meant (`columns`)."""

    def __init__(self, what: str, columns: str) -> None:
        super().__init__(f"{what} Say which they are: --columns {columns}")
        self.what = what
        self.columns = columns


def places_in(header: list[str], columns: Mapping[str, str], name: str, required: Sequence[str]) -> dict[str, int]:
    """Where in a record each of our fields is: ours by name unless `columns` says another.

    Raises:
        NoColumnError: one that is required is missing; names the header found and the cure.
        UsageError: one of `columns` is missing.
    """
    found = {clean(title).lower(): place for place, title in reversed(list(enumerate(header)))}
    shown = ", ".join(clean(title, 40) for title in header[:_SHOWN_COLUMNS])
    for ours, theirs in columns.items():
        if theirs.lower() not in found:
            raise UsageError(f"{name}: no column '{theirs}' for {ours}; the header has: {shown}.")
    places = found | {ours: found[theirs.lower()] for ours, theirs in columns.items()}
    if missing := [field for field in required if field not in places]:
        named = {**columns, **{field: _proposed(field, header) for field in missing}}
        raise NoColumnError(
            f"{name}: no column {' and no column '.join(map(repr, missing))}; the header has: {shown}.",
            ",".join(f"{ours}={theirs}" for ours, theirs in named.items()),
        )
    return places


def _proposed(field: str, header: list[str]) -> str:
    """The column that is most likely meant."""
    return next((shown for title in header if (shown := clean(title, 40)).lower() in _ALSO[field]), "NAME")


def looks_like_table(head: bytes, columns: Mapping[str, str]) -> bool:
    """Whether a first line is a header rather than a JSON line, for files whose name does not say."""
    titles = head.decode("utf-8", "replace").lower().lstrip("\ufeff")
    wanted = (columns.get(field, field).lower() for field in REQUIRED)
    return not titles.lstrip().startswith(("{", "[")) and all(title in titles for title in wanted)
