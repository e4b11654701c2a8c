"""The order in which the changes of all incidents were written down, for those who have missed some of them."""

import re
from dataclasses import dataclass
from typing import Final

from crisisdesk.records import Notification
from crisisdesk.storage import codec
from crisisdesk.storage.store import Store

_ID: Final = re.compile(r"(?P<incident>.{1,200})-(?P<sequence>\d{1,9})(?:-u[0-9a-f]{6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with its place in the order, and its incident as it is now."""

    row: int
    told: Notification


class Journal:
    """Reads the order back."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def place(self, change: str) -> int | None:
        """Where a change stands, by its id; None for one that is not there.

        Raises:
            StorageError: the database cannot be read.
        """
        found = _ID.fullmatch(change)
        if found is None or not change.isprintable():  # such as half a character, which no database takes
            return None
        where = found["incident"], int(found["sequence"])
        query = (
            "SELECT row, record FROM journal JOIN changes USING (incident, sequence)"
            " WHERE (incident, sequence) = (?, ?)"
        )
        row = await self._store.decode(lambda database: database.execute(query, where).fetchone())
        return row[0] if row and codec.change(row[1]).id == change else None

    async def after(self, row: int, at_most: int) -> list[Entry]:
        """What came behind a place, in order.

        Raises:
            StorageError: the database cannot be read.
        """
        query = (
            "SELECT row, changes.record, incidents.record FROM journal JOIN changes USING (incident, sequence)"
            " JOIN incidents ON incidents.id = incident WHERE row > ? ORDER BY row LIMIT ?"
        )
        return await self._store.decode(
            lambda database: [_entry(*found) for found in database.execute(query, (row, at_most)).fetchall()]
        )


def _entry(row: int, change: str, incident: str) -> Entry:
    return Entry(row, Notification(codec.change(change), codec.incident(incident)))
