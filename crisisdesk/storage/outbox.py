"""What each output still owes the outside, in the same database and transaction as the change that it is owed for.

A debt is paid when the outside has acknowledged it, and not before. One of an incident that has long ended is given up:
nobody tries it any more, and it is kept for a while so that people see what never arrived.
"""

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from crisisdesk.records import Incident, Notification, Severity
from crisisdesk.storage import codec

SHOWN_FOR: Final = timedelta(days=30)
"""For so long what was given up is kept to be shown."""
REMEMBERED_FOR: Final = timedelta(days=1)
"""For so long it is remembered when an address was disturbed."""

_OWED: Final = "output = ? AND given_up IS NULL"
_UNPAID: Final = " AND change NOT IN (SELECT value FROM json_each(?))"
_ENDED: Final = "incident IN (SELECT id FROM incidents WHERE state = 'resolved' AND updated < ?)"


def owe(database: sqlite3.Connection, notification: Notification, outputs: Collection[str]) -> None:
    """Each of these outputs owes it from now on; to owe the same twice is to owe it once."""
    change, text = notification.change, codec.encode(notification)
    database.executemany(
        "INSERT OR IGNORE INTO outbox (output, change, incident, notification) VALUES (?, ?, ?, ?)",
        [(output, change.id, change.incident, text) for output in outputs],
    )


def owed(
    database: sqlite3.Connection, output: str, after: int, at_most: int, paid: Collection[str]
) -> list[tuple[int, Notification]]:
    """What it owes behind a row and has not `paid`, oldest first, each with its row."""
    query = f"SELECT row, notification FROM outbox WHERE {_OWED} {_UNPAID} AND row > ? ORDER BY row LIMIT ?"  # noqa: S608
    rows = database.execute(query, (output, json_list(paid), after, at_most)).fetchall()
    return [(row, codec.notification(text)) for row, text in rows]


def owed_changes(database: sqlite3.Connection, output: str, paid: Collection[str]) -> list[str]:
    """The ids of all that it owes and has not `paid`."""
    query = f"SELECT change FROM outbox WHERE {_OWED} {_UNPAID}"  # noqa: S608
    return [change for (change,) in database.execute(query, (output, json_list(paid))).fetchall()]


def settle(
    database: sqlite3.Connection,
    output: str,
    paid: Collection[str],
    disturbed: Collection[tuple[datetime, Severity]],
) -> None:
    """The outside has acknowledged these changes, and people were disturbed with them at these moments."""
    database.executemany("DELETE FROM outbox WHERE output = ? AND change = ?", [(output, change) for change in paid])
    for at, severity in disturbed:
        database.execute("INSERT INTO told (output, at, severity) VALUES (?, ?, ?)", (output, _text(at), severity))
        database.execute("DELETE FROM told WHERE output = ? AND at < ?", (output, _text(at - REMEMBERED_FOR)))


def disturbed(database: sqlite3.Connection, output: str, since: datetime) -> list[tuple[datetime, Severity]]:
    """When an address was disturbed since then, oldest first."""
    query = "SELECT at, severity FROM told WHERE output = ? AND at >= ? ORDER BY at"
    rows = database.execute(query, (output, _text(since))).fetchall()
    return [(datetime.fromisoformat(at), Severity(severity)) for at, severity in rows]


def failed(database: sqlite3.Connection, output: str, row: int, trouble: str) -> None:
    """An attempt has failed."""
    command = "UPDATE outbox SET attempts = attempts + 1, trouble = ? WHERE output = ? AND row = ?"
    database.execute(command, (trouble, output, row))


def give_up(database: sqlite3.Connection, output: str, now: datetime, after: timedelta) -> None:
    """What is owed of incidents that ended so long ago is not tried any more; later it is forgotten.

    What it said goes at once: only of which incident it was is shown.
    """
    command = f"UPDATE outbox SET given_up = ?, notification = '' WHERE {_OWED} AND {_ENDED}"  # noqa: S608
    database.execute(command, (_text(now), output, _text(now - after)))
    database.execute("DELETE FROM outbox WHERE output = ? AND given_up < ?", (output, _text(now - SHOWN_FOR)))


def given_up(database: sqlite3.Connection, output: str) -> list[str]:
    """The incident of each debt that was given up, oldest first."""
    query = "SELECT incident FROM outbox WHERE output = ? AND given_up IS NOT NULL ORDER BY row"
    return [incident for (incident,) in database.execute(query, (output,)).fetchall()]


def of_others(
    database: sqlite3.Connection, outputs: Collection[str], now: datetime, after: timedelta
) -> dict[str, int]:
    """How much is owed by outputs that are not among these, by their names; given up as everybody's."""
    query = "SELECT DISTINCT output FROM outbox WHERE output NOT IN (SELECT value FROM json_each(?)) ORDER BY output"
    gone = [name for (name,) in database.execute(query, (json_list(outputs),)).fetchall()]
    for name in gone:
        give_up(database, name, now, after)
    return {name: owes for name in gone if (owes := len(owed_changes(database, name, ())))}


def told(database: sqlite3.Connection, incident: str) -> list[tuple[int, Notification]]:
    """What is owed of an incident, each with its row."""
    query = "SELECT row, notification FROM outbox WHERE incident = ? AND given_up IS NULL"
    return [(row, codec.notification(text)) for row, text in database.execute(query, (incident,)).fetchall()]


def mend(database: sqlite3.Connection, incident: str, mended: Callable[[Incident], Incident]) -> list[Incident]:
    """What is owed of an incident says what it says now, where an author has changed or taken back a post.

    Returns:
        The incident as it stands in each of them.
    """
    standing = []
    for row, one in told(database, incident):
        after = mended(one.incident)
        standing.append(after)
        if after is not one.incident:
            text = codec.encode(replace(one, incident=after))
            command = (
                "UPDATE outbox SET notification = ?, trouble = '' WHERE row = ?"  # it may say back what it was sent
            )
            database.execute(command, (text, row))
    return standing


def json_list(names: Collection[str]) -> str:
    """For `json_each`: a list of any length."""
    return orjson.dumps(list(names)).decode()


def _text(moment: datetime) -> str:
    """As incidents' times are kept, so that texts compare as times do."""
    return moment.astimezone(UTC).isoformat()
