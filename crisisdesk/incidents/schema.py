"""The database's shape: a list of steps that only ever grows.

Each step runs once, in order, and its name is kept in the table `migrations`. A step that has been released is never
changed; what it got wrong, a later step mends.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from crisisdesk.errors import StorageError

Migration = Callable[[sqlite3.Connection], None]


def m001_incidents(database: sqlite3.Connection) -> None:
    """Incidents, and the append-only timeline of each."""
    database.execute(
        "CREATE TABLE incidents (id TEXT PRIMARY KEY, watch TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL,"
        " opened TEXT NOT NULL, updated TEXT NOT NULL, record TEXT NOT NULL) WITHOUT ROWID"
    )
    database.execute("CREATE INDEX incidents_by_watch ON incidents (watch, kind, opened)")
    database.execute(
        "CREATE TABLE changes (incident TEXT NOT NULL REFERENCES incidents (id), sequence INTEGER NOT NULL,"
        " record TEXT NOT NULL, PRIMARY KEY (incident, sequence)) WITHOUT ROWID"
    )


def m002_outbox(database: sqlite3.Connection) -> None:
    """What each output still owes; a row goes when it was delivered. AUTOINCREMENT: the order is never reused."""
    database.execute(
        "CREATE TABLE outbox (row INTEGER PRIMARY KEY AUTOINCREMENT, output TEXT NOT NULL, change TEXT NOT NULL,"
        " notification TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, trouble TEXT NOT NULL DEFAULT '',"
        " UNIQUE (output, change))"
    )
    database.execute("CREATE INDEX outbox_in_order ON outbox (output, row)")


def m003_kept(database: sqlite3.Connection) -> None:
    """What other rooms want to find again after a restart: baselines, cursors."""
    database.execute("CREATE TABLE kept (name TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID")


MIGRATIONS: Final[tuple[Migration, ...]] = (m001_incidents, m002_outbox, m003_kept)


def migrate(database: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a database up to date, all steps or none.

    Raises:
        StorageError: the file belongs to another program or to a newer crisisdesk; the message has no path yet.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        done = _done(database)
        for step in migrations:
            if step.__name__ not in done:
                step(database)
                database.execute("INSERT INTO migrations (name) VALUES (?)", (step.__name__,))
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _done(database: sqlite3.Connection) -> set[str]:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "migrations" not in tables:
        raise StorageError("it belongs to another program; name another file as the desk's database")
    database.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    done = {name for (name,) in database.execute("SELECT name FROM migrations")}
    if unknown := done - {step.__name__ for step in MIGRATIONS}:
        raise StorageError(f"it was written by a newer crisisdesk ({max(unknown)}); update crisisdesk")
    return done
