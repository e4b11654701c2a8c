"""The database's shape: a list of steps that only ever grows.

Each step runs once, in order, and its name is kept in the table `migrations`. A step that has been released is never
changed; what it got wrong, a later step mends.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final

from crisisdesk.errors import StorageError
from crisisdesk.text import clean, digest

Migration = Callable[[sqlite3.Connection], None]

_OF_THE_STEP: Final = frozenset({sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH})
"""How SQLite says that a step and what it found do not fit together."""


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


def m004_mailbox(database: sqlite3.Connection) -> None:
    """Mentions that nobody sends again, until the windows that counted them are written down; and which those were.

    `digest` is that of a mention's key. `gone_through` is pruned from its oldest row on.
    """
    database.execute(
        "CREATE TABLE mailbox (row INTEGER PRIMARY KEY AUTOINCREMENT, digest INTEGER NOT NULL UNIQUE,"
        " source TEXT NOT NULL, post TEXT NOT NULL)"
    )
    database.execute("CREATE INDEX mailbox_in_order ON mailbox (source, row)")
    database.execute(
        "CREATE TABLE gone_through (row INTEGER PRIMARY KEY AUTOINCREMENT, digest INTEGER NOT NULL UNIQUE)"
    )


def m005_quotes(database: sqlite3.Connection) -> None:
    """Which incident quotes which post, by the digest of its key, so that what an author takes back is found."""
    database.execute(
        "CREATE TABLE quotes (digest INTEGER NOT NULL, incident TEXT NOT NULL REFERENCES incidents (id),"
        " PRIMARY KEY (digest, incident)) WITHOUT ROWID"
    )
    for name, record in database.execute("SELECT id, record FROM incidents").fetchall():
        evidence = json.loads(record)["evidence"]
        quotes = [*evidence.get("posts", ()), *evidence.get("signals", ()), evidence.get("first")]
        rows = [(digest(f"{quote['source']}:{quote['id']}"), name) for quote in filter(None, quotes)]
        database.executemany("INSERT OR IGNORE INTO quotes (digest, incident) VALUES (?, ?)", rows)


def m006_debts(database: sqlite3.Connection) -> None:
    """Of which incident each debt is, and when it was given up; which address was disturbed when, and how badly."""
    database.execute("ALTER TABLE outbox ADD COLUMN incident TEXT NOT NULL DEFAULT ''")
    database.execute("ALTER TABLE outbox ADD COLUMN given_up TEXT")
    database.execute(
        "UPDATE outbox SET incident = coalesce((SELECT changes.incident FROM changes"
        " WHERE changes.incident || '-' || changes.sequence = outbox.change), '')"
    )
    database.execute("CREATE INDEX outbox_by_incident ON outbox (incident)")
    database.execute("CREATE TABLE told (output TEXT NOT NULL, at TEXT NOT NULL, severity INTEGER NOT NULL)")
    database.execute("CREATE INDEX told_in_order ON told (output, at)")


def m007_inquiries(database: sqlite3.Connection) -> None:
    """Posts that need an answer, and what became of them."""
    database.execute(
        "CREATE TABLE inquiries (id TEXT PRIMARY KEY, watch TEXT NOT NULL, stage TEXT NOT NULL, came TEXT NOT NULL,"
        " record TEXT NOT NULL) WITHOUT ROWID"
    )


def m008_audit(database: sqlite3.Connection) -> None:
    """Who did what, and who was refused; `mark` is set for what may stand here once only."""
    database.execute(
        "CREATE TABLE audit (row INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, what TEXT NOT NULL,"
        " person TEXT NOT NULL, token TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL, incident TEXT NOT NULL,"
        " status INTEGER NOT NULL, times INTEGER NOT NULL, mark TEXT UNIQUE, refused INTEGER NOT NULL)"
    )
    database.execute("CREATE INDEX audit_in_order ON audit (at)")
    database.execute("CREATE INDEX audit_of_refused ON audit (row) WHERE refused")


def m009_journal(database: sqlite3.Connection) -> None:
    """The order of all changes of all incidents; those from before stand by their times."""
    database.execute(
        "CREATE TABLE journal (row INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL,"
        " sequence INTEGER NOT NULL, UNIQUE (incident, sequence))"
    )
    database.execute(
        "INSERT INTO journal (incident, sequence) SELECT incident, sequence FROM changes"
        " ORDER BY json_extract(record, '$.time'), incident, sequence"
    )


def m010_privacy(database: sqlite3.Connection) -> None:
    """How old what an incident quotes is, who speaks in it, and the record of what was erased."""
    database.execute("ALTER TABLE incidents ADD COLUMN plain_from TEXT")
    database.execute("ALTER TABLE incidents ADD COLUMN words_from TEXT")
    database.execute("CREATE INDEX incidents_by_names ON incidents (plain_from)")
    database.execute("CREATE INDEX incidents_by_words ON incidents (words_from)")
    database.execute(
        "CREATE TABLE erasures (row INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, person TEXT NOT NULL,"
        " kind TEXT NOT NULL, source TEXT NOT NULL, name TEXT NOT NULL, found TEXT NOT NULL)"
    )
    for name, text in database.execute("SELECT id, record FROM incidents").fetchall():
        record = json.loads(text)
        evidence = record.get("evidence", {})
        times = [quote["time"] for quote in _quotes(evidence)]
        times += [record.get("witnessed") or record["updated"]] if evidence.get("voices") else []
        oldest = min(times, default=None)
        database.execute("UPDATE incidents SET plain_from = ?1, words_from = ?1 WHERE id = ?2", (oldest, name))
        _note_authors(database, name, evidence)
    owed = "SELECT incident, notification FROM outbox WHERE given_up IS NULL AND incident IN (SELECT id FROM incidents)"
    for name, text in database.execute(owed).fetchall():
        _note_authors(database, name, json.loads(text)["incident"]["evidence"])
    database.execute("UPDATE outbox SET notification = '' WHERE given_up IS NOT NULL")


def _quotes(evidence: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in (*evidence.get("posts", ()), *evidence.get("signals", ()), evidence.get("first")) if one]


def _note_authors(database: sqlite3.Connection, incident: str, evidence: dict[str, Any]) -> None:
    """By the authors, and by those whom ids of Bluesky name, of what an incident quotes."""
    names = [one["author"] for one in _quotes(evidence)] + [name for name, _ in evidence.get("voices", ())]
    names += [one["id"].split("/")[2] for one in _quotes(evidence) if one["id"].startswith("at://did:")]
    rows = [(digest(f"by {name.lstrip('@').casefold()}"), incident) for name in names if name]
    database.executemany("INSERT OR IGNORE INTO quotes (digest, incident) VALUES (?, ?)", rows)


MIGRATIONS: Final[tuple[Migration, ...]] = (
    m001_incidents,
    m002_outbox,
    m003_kept,
    m004_mailbox,
    m005_quotes,
    m006_debts,
    m007_inquiries,
    m008_audit,
    m009_journal,
    m010_privacy,
)


def migrate(database: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Bring a database up to date, all steps or none.

    Raises:
        StorageError: the file belongs to another program or to a newer crisisdesk, or a step does not fit what it
            holds; the message has no path yet.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        done = _done(database)
        for step in migrations:
            if step.__name__ not in done:
                _take(step, database)
                database.execute("INSERT INTO migrations (name) VALUES (?)", (step.__name__,))
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _take(step: Migration, database: sqlite3.Connection) -> None:
    try:
        step(database)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, sqlite3.Error) as error:
        if isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 1) & 0xFF not in _OF_THE_STEP:
            raise  # of the disk or the file, which has its own cure
        why = clean(f"{type(error).__name__}: {error}", 200)
        raise StorageError(
            f"it cannot be brought up to date ({step.__name__}: {why}); it was left as it was, so go on with the "
            "version that wrote it, and tell the makers of crisisdesk"
        ) from error


def _done(database: sqlite3.Connection) -> set[str]:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "migrations" not in tables:
        raise StorageError("it belongs to another program; name another file as the desk's database")
    database.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY) WITHOUT ROWID")
    done = {name for (name,) in database.execute("SELECT name FROM migrations")}
    if unknown := done - {step.__name__ for step in MIGRATIONS}:
        raise StorageError(f"it was written by a newer crisisdesk ({max(unknown)}); update crisisdesk")
    return done
