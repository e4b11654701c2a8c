"""A copy of a desk's database to be kept: of one moment, checked, in one file, and there at once or not at all."""

import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from crisisdesk.errors import StorageError, UsageError
from crisisdesk.storage.file import DAMAGED, explained
from crisisdesk.storage.snapshot import snapshot

INCIDENTS: Final = "SELECT count(*), coalesce(sum(state != 'resolved'), 0) FROM incidents"
NEWEST: Final = "SELECT max(json_extract(record, '$.time')) FROM changes"


@dataclass(frozen=True, slots=True)
class Backup:
    """What a copy holds."""

    incidents: int
    are_open: int
    newest: datetime | None
    """The time of the newest change of an incident; None where there is none."""
    size: int
    """In bytes."""


def back_up(database: Path, target: Path) -> Backup:
    """Copy a database, also while its desk runs; only the owner of the copy can read it.

    Raises:
        UsageError: the target is there already, or cannot be written.
        StorageError: the database cannot be read, is damaged, or is no desk's.
    """
    if os.path.lexists(target):
        raise _exists(target)
    try:
        with snapshot(database, within=target.parent) as copy:
            packed = copy.with_name("packed.db")
            held = _packed(database, copy, packed)
            _put(packed, target)
    except FileExistsError:
        raise _exists(target) from None
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {(error.strerror or str(error)).lower()}; name a file in a folder of yours."
        ) from None
    return held


def _exists(target: Path) -> UsageError:
    return UsageError(f"{target} exists already and was left as it is; name another file.")


def _packed(database: Path, copy: Path, packed: Path) -> Backup:
    """Write the copy into one file without a log beside it."""
    os.close(os.open(packed, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(copy, isolation_level=None)) as found:
            _check(found, database)
            found.execute("VACUUM INTO ?", (str(packed),))
            incidents, are_open = found.execute(INCIDENTS).fetchone()
            (newest,) = found.execute(NEWEST).fetchone()
    except sqlite3.Error as error:
        raise explained(database, error) from None
    moment = datetime.fromisoformat(newest).astimezone(UTC) if newest else None
    return Backup(incidents, are_open, moment, packed.stat().st_size)


def _check(found: sqlite3.Connection, database: Path) -> None:
    if found.execute("PRAGMA integrity_check(1)").fetchone() != ("ok",):
        raise StorageError(f"The database {database} cannot be used: {DAMAGED}.")
    if found.execute("SELECT 1 FROM sqlite_master WHERE name = 'migrations'").fetchone() is None:
        raise StorageError(f"{database} is no desk's database; name that of a desk that has run.")


def _put(packed: Path, target: Path) -> None:
    """Give it its name once it is on the disk; nothing that has this name by now is replaced.

    Raises:
        OSError: it has, or the name cannot be given.
    """
    _to_disk(packed)
    try:
        os.link(packed, target)
    except FileExistsError:
        raise
    except OSError:  # a drive that knows no links, as some across the network
        if os.path.lexists(target):
            raise FileExistsError from None
        packed.rename(target)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _to_disk(target.parent)


def _to_disk(path: Path) -> None:
    number = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(number)
    finally:
        os.close(number)
