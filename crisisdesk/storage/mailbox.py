"""Mentions that nobody sends again, until the windows that counted them are written down, in the same transaction."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from crisisdesk.records import Post
from crisisdesk.storage import codec

KEEP: Final = "INSERT INTO kept (name, content) VALUES (?, ?) ON CONFLICT DO UPDATE SET content = excluded.content"
GONE_THROUGH: Final = "SELECT digest FROM gone_through ORDER BY row"


def checkpoint(
    database: sqlite3.Connection, contents: Mapping[str, bytes], gone_through: Sequence[int], remembered: int
) -> None:
    """What the windows know is kept; the mentions that this includes leave the mailbox and are remembered."""
    database.executemany(KEEP, contents.items())
    digests = [(number,) for number in gone_through]
    database.executemany("INSERT OR IGNORE INTO gone_through (digest) VALUES (?)", digests)
    database.executemany("DELETE FROM mailbox WHERE digest = ?", digests)
    database.execute("DELETE FROM gone_through WHERE row <= (SELECT max(row) FROM gone_through) - ?", (remembered,))


def mail(
    database: sqlite3.Connection, source: str, sources: Collection[str], after: int, at_most: int
) -> list[tuple[int, Post | None]]:
    """What is there of a source, or of those that are not among `sources`; None for what cannot be read."""
    known = [name for name in sources if name != source]
    not_theirs = f"row > ? AND source NOT IN ({', '.join('?' * len(known))})"
    query = f"SELECT row, post FROM mailbox WHERE {not_theirs} ORDER BY row LIMIT ?"  # noqa: S608  only question marks
    if not sources:
        query, known = "SELECT row, post FROM mailbox WHERE row > ? AND source = ? ORDER BY row LIMIT ?", [source]
    found: list[tuple[int, Post | None]] = []
    for row, text in database.execute(query, (after, *known, at_most)).fetchall():
        try:
            found.append((row, codec.post(text)))
        except (AttributeError, KeyError, TypeError, ValueError):
            found.append((row, None))
            database.execute("DELETE FROM mailbox WHERE row = ?", (row,))
    return found
