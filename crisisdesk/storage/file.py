"""The file behind the database: its owner's only, refused with its cure, and put back where somebody removes it."""

import os
import sqlite3
import stat
from pathlib import Path
from typing import Final

from crisisdesk.errors import StorageError
from crisisdesk.storage import schema

BUSY: Final = "another desk is using it; one desk per database, so stop the other or name another file"
DAMAGED: Final = "it is damaged; move it away together with its -wal, and restore a copy or start afresh"
_CURES: Final = {
    sqlite3.SQLITE_BUSY: BUSY,
    sqlite3.SQLITE_LOCKED: BUSY,
    sqlite3.SQLITE_NOTADB: "it is not a database; name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_FULL: "the disk is full; make room",
    sqlite3.SQLITE_READONLY: "it is not writable; change its permissions or name another file",
    sqlite3.SQLITE_PERM: "it is not writable; change its permissions or name another file",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is writable",
    sqlite3.SQLITE_IOERR: "the disk does not answer properly; check it",
}


class File:
    """Where a connection writes to."""

    def __init__(self, path: Path, *, durable: bool) -> None:
        self.path = path
        self._durable = durable
        self._place: tuple[int, int] | None = None

    def open(self) -> sqlite3.Connection:
        """Open or create it, readable by its owner only, and bring it up to date.

        Raises:
            StorageError: no folder, no permission, no database, another desk, a full disk.
        """
        self._prepare()
        try:
            database = sqlite3.connect(self.path, timeout=0.5, isolation_level=None)
        except sqlite3.Error as error:
            raise explained(self.path, error) from error
        try:
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"PRAGMA synchronous = {'FULL' if self._durable else 'OFF'}")
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten
            schema.migrate(database)
        except sqlite3.Error as error:
            database.close()
            raise explained(self.path, error) from error
        except StorageError as error:
            database.close()
            raise StorageError(f"The database {self.path} cannot be used: {error}.") from None
        self._place = self._found()
        return database

    def watched(self, database: sqlite3.Connection) -> sqlite3.Connection:
        """Look whether it is still there: what is written into a removed file is nowhere.

        Returns:
            The connection, or another one to a file that has been put back.

        Raises:
            StorageError: another file is in its place, or it cannot be put back.
            sqlite3.Error: the same.
        """
        found = self._found()
        if found == self._place:
            return database
        if found is not None:
            raise StorageError(
                f"The database {self.path} cannot be used: another file was put in its place while the desk ran. Move "
                "that one away, and the desk goes on with what it has; to use it, stop the desk first."
            )
        try:
            return self._put_back(database)
        except OSError as error:
            why = error.strerror or error
            raise StorageError(
                f"The database {self.path} was removed and cannot be put back: {why}; its folder has to be writable."
            ) from error

    def _put_back(self, database: sqlite3.Connection) -> sqlite3.Connection:
        """Write all of it down again: the system keeps a removed file for as long as it is open."""
        copy = self.path.with_name(f"{self.path.name}.new")
        copy.unlink(missing_ok=True)
        os.close(os.open(copy, os.O_RDWR | os.O_CREAT, 0o600))
        database.execute("VACUUM INTO ?", (str(copy),))
        database.close()
        for ending in ("-wal", "-shm"):  # of the one that was removed
            self.path.with_name(f"{self.path.name}{ending}").unlink(missing_ok=True)
        copy.replace(self.path)
        return self.open()

    def _found(self) -> tuple[int, int] | None:
        """Which file is there; None for none."""
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError:  # nobody may look
            return self._place
        return status.st_dev, status.st_ino

    def _prepare(self) -> None:
        """Create it before SQLite does, so that posts and names are never readable by others."""
        try:
            number = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            is_file = stat.S_ISREG(os.fstat(number).st_mode)
            os.close(number)
        except FileNotFoundError:
            raise StorageError(
                f"The database {self.path} cannot be created: the folder {self.path.parent} is missing; create it."
            ) from None
        except IsADirectoryError:
            raise StorageError(f"The database {self.path} cannot be used: it is a folder; name a file in it.") from None
        except OSError as error:
            raise StorageError(
                f"The database {self.path} cannot be used: {error.strerror}; it has to be writable."
            ) from error
        if not is_file:  # a device or a pipe
            raise StorageError(f"The database {self.path} cannot be used: it is no ordinary file; name another one.")


def explained(path: Path, error: sqlite3.Error) -> StorageError:
    """SQLite's trouble in words for a person, with the path and the cure."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # extended codes carry the plain one in the low byte
    if not code and "decode" in str(error):
        code = sqlite3.SQLITE_CORRUPT  # the text of a column is none
    return StorageError(f"The database {path} cannot be used: {_CURES.get(code, str(error))}.")
