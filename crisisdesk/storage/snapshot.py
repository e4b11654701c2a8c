"""A copy of a desk's database, also while the desk runs.

A running desk keeps its file to itself, and nobody may open it a second time. Its bytes can be read all the same:
whatever is committed is in the file or, behind a checksum, in the log beside it, which SQLite reads through when it
opens the copy. A copy is good where the file did not change meanwhile; the log only grows, and its torn end is ignored.
"""

import errno
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Final

from crisisdesk.errors import StorageError

LOG: Final = "-wal"
LOG_HEADER: Final = 32
"""Bytes that change when the log begins afresh."""
ATTEMPTS: Final = 20
PAUSE: Final = 0.1
"""Seconds between two attempts: the desk moves its log into the file only now and then."""
PREFIX: Final = ".crisisdesk-"
"""So the folders of copies begin."""
LEFT_FOR: Final = 3600.0
"""Seconds after which a copy is nobody's: whoever made it was killed."""

Mark = tuple[int, int, bytes]
"""Size and time of the file, and the head of the log: what must be the same before and after."""


@contextmanager
def snapshot(path: Path, within: Path | None = None) -> Iterator[Path]:
    """A copy in a folder that goes away again; opening it as a desk's database disturbs nobody.

    Args:
        path: the database.
        within: where that folder is made; None for where the system has such folders.

    Raises:
        StorageError: there is no such file, it cannot be read, it changes all the time, or there is no room for a copy.
        OSError: no folder can be made there.
    """
    sweep(within)
    with TemporaryDirectory(prefix=PREFIX, dir=within, ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "desk.db"
        try:
            for _ in range(ATTEMPTS):
                before = _mark(path)
                _copy(path, copy)
                if _mark(path) == before:
                    break
                time.sleep(PAUSE)
            else:
                raise StorageError(f"The database {path} is being written all the time; try again in a minute.")
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT}:
                raise StorageError(
                    f"There is no room for a copy of {path} in {Path(folder).parent}; make some."
                ) from None
            reason = (error.strerror or str(error)).lower()
            raise StorageError(
                f"The database {path} cannot be read: {reason}; name that of a desk that has run."
            ) from None
        yield copy


def sweep(within: Path | None = None) -> None:
    """Remove what commands that were killed have left there: it holds what may have been erased since."""
    for left in Path(within or gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError):
            found = left.lstat()
            is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == getattr(os, "getuid", lambda: 0)()
            if is_ours and time.time() - found.st_mtime > LEFT_FOR:
                shutil.rmtree(left, ignore_errors=True)


def _mark(path: Path) -> Mark:
    file, log = path.stat(), _log(path)
    head = b""
    if log.exists():
        with log.open("rb") as opened:
            head = opened.read(LOG_HEADER)
    return file.st_size, file.st_mtime_ns, head


def _copy(path: Path, copy: Path) -> None:
    shutil.copyfile(path, copy)
    _log(copy).unlink(missing_ok=True)
    if _log(path).exists():
        shutil.copyfile(_log(path), _log(copy))


def _log(path: Path) -> Path:
    return path.with_name(path.name + LOG)
