"""The posts of a file that is read on from a place, and of the files that take its place, however they are rotated."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from threading import Lock
from typing import Final

from crisisdesk.errors import UsageError
from crisisdesk.lines import BROKEN_ARCHIVE, Progress, lines_from, opened, shown_name
from crisisdesk.records import Post, stamp
from crisisdesk.sources.file.opened import Opened, Posts
from crisisdesk.sources.file.place import Place, after, beginning, family, find, holds
from crisisdesk.sources.file.reading import Maker
from crisisdesk.sources.file.table import Letters, Table, read_header

PATIENCE: Final = 20
"""Looks that a record of a table waits for the quote that closes it; programmes write a record in one go."""


class Reader:
    """The posts of the file at a path, from a place on; call it from one thread at a time, as it waits for the disk.

    Args:
        path: the file, which need not be there yet if it is followed.
        columns: our field name -> the file's column, or its name in JSON.
        maker: makes the posts.
        remark: told what people should know of the files, in a sentence.
        follow: read on what is appended, and the files that take its place.
    """

    def __init__(
        self, path: Path, columns: Mapping[str, str], maker: Maker, remark: Callable[[str], None], *, follow: bool
    ) -> None:
        self.place: Place | None = None
        """How far it was read, also in earlier runs; set it before the first read to go on there."""
        self.began: Place | None = None
        """Before the first post that it reads."""
        self.ended = False
        """Whether all was read of a file that is not followed."""
        self._path = path
        self._columns = columns
        self._maker = maker
        self._letters = Letters(maker.note)
        self._remark = remark
        self._follow = follow
        self._open: Opened | None = None
        self._posts: Posts = iter(())
        self._seen: tuple[int, int] | None = None
        self._drained = False
        self._looks = 0
        self._left = False
        self._turn = Lock()

    def read(self, at_most: int) -> list[tuple[Post, Place]]:
        """The next posts, each with the place behind it; none if there are none at the moment.

        Raises:
            FileNotFoundError: there is no such file (yet, or any more).
            UnreadableError, OSError: it cannot be read at the moment; the next call tries again.
            FatalSourceError, UsageError: it cannot be read as it is.
        """
        with self._turn:
            try:
                if self._follow and self._open and self._open.place and not self._open.is_as_read:
                    self._close()  # emptied while the desk was busy
                while not self.ended:
                    if found := self._next(at_most):
                        self._looks = 0
                        return found
                    if not self._find_more():
                        break
            except FileNotFoundError:
                raise  # what is still open of it may hold more
            except OSError:
                self._close()  # a disk that comes back may not know what was open on it
                raise
            finally:
                self._keep_place()
                if self._left:
                    self._close()
        return []

    def leave(self) -> None:
        """Let go of the file, without waiting for a read that is under way; nothing more is read."""
        self._left = self.ended = True
        if self._turn.acquire(blocking=False):
            self._close()
            self._turn.release()

    def _next(self, at_most: int) -> list[tuple[Post, Place]]:
        found: list[tuple[Post, Place]] = []
        try:
            found.extend(islice(self._posts, at_most))
        except OSError:
            if not found:
                raise
            self._close()
        return found

    def _keep_place(self) -> None:
        if self._open and self._open.place:
            self.place = self._open.place

    def _find_more(self) -> bool:
        """Whether there may be more to read, in the open file or in another."""
        if self._open is None:
            self._begin(*self._beginning())
        elif not self._follow:
            self.ended = True
            self._close()
        else:
            return self._look(self._open)
        return True

    def _beginning(self) -> tuple[Path, Place | None]:
        """The file to begin with, and the place in it."""
        if self.place is None:
            return self._path, None
        if not self._follow:
            if holds(self._path, self.place):
                return self._path, self.place
            self._remark(f"{shown_name(self._path)}: is another file than last time; it is read from its beginning.")
            return self._path, None
        if self.place.offset and (found := find(self._path, self.place)):
            return found, self.place
        if self.place.offset:
            self._path.stat()  # where nothing is at all, a disk is missing rather than a file
            self._remark(_lost(self._path, self.place))
        return next(iter(after(self._path, self.place.modified)), self._path), None

    def _begin(self, path: Path, place: Place | None) -> None:
        self._close()
        self._open = Opened(
            path, place, self._columns, self._maker, self._letters,
            follow=self._follow and path == self._path, at_first=self._path, inherited=partial(self._inherited, path),
        )  # fmt: skip
        self.place = self.place or beginning(self._open.status())
        self.began = self.began or self.place
        self._drained = False
        self._posts = self._passage(self._open)

    def _inherited(self, path: Path) -> Table | None:
        """The youngest header of the files before one that is followed."""
        older = takewhile(lambda one: one != path, (one for one, _ in family(self._path))) if self._follow else ()
        for one in reversed([*older]):
            with suppress(UsageError, *BROKEN_ARCHIVE), opened(one, Progress()) as file:
                if table := read_header(lines_from(file), self._columns, shown_name(one)):
                    return table
        return None

    def _close(self) -> None:
        self._keep_place()
        if self._open:
            self._open.close()
        self._open, self._posts = None, iter(())

    def _passage(self, file: Opened, *, patient: bool = True) -> Posts:
        """What is there of a file by now."""
        status = file.status()
        self._seen = (status.st_size, status.st_mtime_ns)  # before it is read: what comes meanwhile is a change
        return file.posts(growing=self._follow, patient=patient)

    def _look(self, file: Opened) -> bool:
        """Go on where the open file has been read to its end for now."""
        if self._has_changed(file):
            if file.is_as_read:
                self._posts = self._passage(file)
            else:
                self._close()  # it was emptied or written anew, or may have been; what it held may have been copied
        elif _is_at(self._path, file):
            return self._is_impatient(file)
        elif self._path.stat().st_size == 0:
            return False  # who writes may not have noticed yet that there is a new file, and it has nothing to read
        elif file.place and (other := find(self._path, file.place)) and not _is_at(other, file):
            self._begin(other, file.place)  # it was written anew with all that was in it, or packed
        elif not self._drained:
            self._drained = True
            self._posts = file.posts(growing=False)
        else:
            status = file.status()
            self._begin(next(iter(after(self._path, status.st_mtime_ns, status.st_ino)), self._path), None)
        return True

    def _has_changed(self, file: Opened) -> bool:
        status = file.status()
        return (status.st_size, status.st_mtime_ns) != self._seen

    def _is_impatient(self, file: Opened) -> bool:
        """Whether a record that is still open has been waited for long enough."""
        self._looks = self._looks + 1 if file.waits else 0
        if self._looks < PATIENCE:
            return False
        self._looks = 0
        self._posts = self._passage(file, patient=False)
        return True


def _is_at(path: Path, file: Opened) -> bool:
    """Whether an open file is the one at a path."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), file.status())
    return False


def _lost(path: Path, place: Place) -> str:
    written = stamp(datetime.fromtimestamp(place.modified // 10**9, UTC))
    return (
        f"{shown_name(path)}: the file that was read up to byte {place.offset:,}, last written to at {written} as far "
        "as was seen, is gone. Posts that were added to it after that are missing. Let files that are rotated away "
        "stay in the same folder for a while."
    )
