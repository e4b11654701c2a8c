"""One file that is open and read on from a place, as it grows."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path

from crisisdesk.errors import FatalSourceError
from crisisdesk.lines import BROKEN_ARCHIVE, Line, Progress, breaks_off, grows_in_place, lines_from, opened, shown_name
from crisisdesk.records import Post
from crisisdesk.sources.file.place import HEAD, Place, digest, holds, stands
from crisisdesk.sources.file.reading import Maker, is_named_json, is_table, read_objects
from crisisdesk.sources.file.table import Letters, NoColumnError, Record, Table, read_header

Posts = Iterator[tuple[Post, Place]]
"""Posts, each with the place behind it."""


class Opened:
    """One file, open, from a place on. It goes on being read when it has been renamed or deleted.

    Args:
        path: where it lies.
        place: up to where it has been read; None for its beginning.
        columns: our field name -> the file's column, or its name in JSON.
        maker: makes the posts.
        letters: read the letters of a table.
        follow: whether it is to be read as it grows.
        at_first: where it lay when it was written, since its name says what is in it.
        inherited: asked for the header of the file before, if it has none.

    Raises:
        UnreadableError: it cannot be opened.
        FatalSourceError: it cannot be followed, though it shall.
    """

    def __init__(
        self, path: Path, place: Place | None, columns: Mapping[str, str], maker: Maker, letters: Letters,
        *, follow: bool, at_first: Path, inherited: Callable[[], Table | None],
    ) -> None:  # fmt: skip
        self._path = path
        self._at_first = at_first
        self._columns = columns
        self._maker = maker
        self._letters = letters
        self._inherited = inherited
        self._closing = ExitStack()
        self._file = self._closing.enter_context(opened(path, Progress()))
        self._plain = grows_in_place(self._file)
        if follow and not self._plain:
            self.close()
            raise FatalSourceError(
                f"{shown_name(path)}: is packed or UTF-16 and cannot be followed; follow the file before it is packed "
                "and have it written as UTF-8, or take 'follow' out of its [[source]], so that it is read once."
            )
        self.place = place
        """Behind what was read of it; None where nothing was."""
        self._offset, self._line = (place.offset, place.line) if place else (0, 0)
        self._inode = self.status().st_ino
        self._head = b""
        self._table: Table | None = None
        self._known = is_named_json(at_first)

    @property
    def is_as_read(self) -> bool:
        """Whether what was read stands there still; False if nothing was."""
        if self.place is None or not self._plain:
            return self.place is not None
        if sys.platform == "win32":  # which cannot read at an offset, and renames nothing that is open
            return holds(self._path, self.place)
        return stands(self.place, partial(os.pread, self._file.fileno()))

    @property
    def waits(self) -> bool:
        """Whether it holds more than could be read by now."""
        return self.status().st_size > self._offset

    def status(self) -> os.stat_result:
        """What the system says of the file, wherever it lies now."""
        return os.fstat(self._file.fileno())

    def close(self) -> None:
        self._closing.close()

    def posts(self, *, growing: bool, patient: bool = True) -> Posts:
        """The posts that have come since, each with the place behind it.

        Args:
            growing: what has no end yet is left for later: half a line, a record whose quote is open.
            patient: else such a record is no longer waited for.

        Raises:
            OSError: the disk fails.
            UsageError: it is a table that lacks a column.
        """
        modified = self.status().st_mtime_ns
        try:
            if self._is_known(growing=growing):
                self._file.seek(self._offset)
                for record in self._records(growing=growing, patient=patient):
                    post = self._maker.post(record)
                    if post or record.last.tail.endswith(b"\n"):  # half a line may have its rest the next time
                        self._go_to(record.last, modified)
                    if post and self.place:
                        yield post, self.place
        except BROKEN_ARCHIVE as error:
            self._maker.tell(self._line + 1, breaks_off(error))

    def _is_known(self, *, growing: bool) -> bool:
        """Whether there is a first line yet, by which it is known how to read the others."""
        if not self._known:
            self._file.seek(0)
            lines = lines_from(self._file, growing=growing)
            if (first := next(lines, None)) is None:
                return False
            if is_table(self._at_first, first, self._columns):
                self._table = self._header(chain((first,), lines))
                if self._table is None:
                    return False
                if self._offset < self._table.header.end:  # no place: the same stands in many a file
                    self._offset, self._line = self._table.header.end, self._table.header.number
            self._known = True
        return True

    def _header(self, lines: Iterator[Line]) -> Table | None:
        """Its header, or that of the file before: who does not know that it was rotated writes no new one."""
        try:
            return read_header(lines, self._columns, shown_name(self._path))
        except NoColumnError:
            if (table := self._inherited()) is None:
                raise
            return replace(table, header=Line(0, b""))

    def _records(self, *, growing: bool, patient: bool) -> Iterator[Record]:
        lines = lines_from(self._file, self._line, self._offset, growing=growing)
        if self._table is None:
            return read_objects(lines, self._columns)
        return self._table.records(lines, self._letters, growing=growing and patient)

    def _go_to(self, last: Line, modified: int) -> None:
        """All up to a line has been read."""
        if len(self._head) < min(HEAD, last.end):
            here = self._file.tell()
            self._file.seek(0)
            self._head = self._file.read(HEAD)
            self._file.seek(here)
        self._offset, self._line = last.end, last.number
        self.place = Place(
            inode=self._inode,
            modified=modified,
            offset=last.end,
            line=last.number,
            head=digest(self._head[: last.end]),
            tail=digest(last.tail),
            tail_size=len(last.tail),
        )
