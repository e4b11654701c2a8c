"""Who did what at a desk that several people share, for those who have to account for it; kept for a year.

It holds no secret and no text of a post: who, from where, by which route, on which incident, and what came of it.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from crisisdesk.errors import StorageError
from crisisdesk.records import stamp
from crisisdesk.storage.store import Store
from crisisdesk.text import counted

KEPT: Final = timedelta(days=366)
"""How long an entry stays."""
MOST_REFUSED: Final = 50_000
"""Entries of those who were not let in; where there are more, the oldest go."""
MOST_WAITING: Final = 1_000
"""Entries that wait in memory for the disk."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that was done, or refused."""

    at: datetime
    what: str
    """Such as `POST /api/v1/incidents/{incident}/acknowledge`."""
    person: str = ""
    """Empty where it is not known who it was."""
    token: str = ""
    """Its public part; empty where there was none."""
    role: str = ""
    address: str = ""
    """From where; empty for what was done on the desk's own machine without it."""
    incident: str = ""
    status: int = 0
    """Of the answer; 0 where there was none."""
    times: int = 1
    """So often so far, where the like are counted together."""
    mark: str | None = None
    """For what must not stand here twice."""


_COLUMNS: Final = "at, what, person, token, role, address, incident, status, times, mark"
_ADD: Final = f"INSERT OR IGNORE INTO audit ({_COLUMNS}, refused) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608
_SINCE: Final = f"SELECT {_COLUMNS} FROM audit WHERE at >= ? ORDER BY at, row"  # noqa: S608
_FORGET: Final = "DELETE FROM audit WHERE at < ?"
_FORGET_REFUSED: Final = (
    "DELETE FROM audit WHERE refused AND row <="
    " (SELECT row FROM audit WHERE refused ORDER BY row DESC LIMIT 1 OFFSET ?)"
)


class Audit:
    """What was done, in the desk's database.

    Args:
        store: the database.
        tell: is told what is wrong while nothing can be written, and the empty string when that is over.
    """

    def __init__(self, store: Store, tell: Callable[[str], object] = lambda _: None) -> None:
        self._store = store
        self._tell = tell
        self._waiting: list[Entry] = []
        self._writing = asyncio.Lock()

    async def note(self, *entries: Entry) -> None:
        """Write entries down, after those that could not be written before; never raises what a disk can cause."""
        async with self._writing:
            waiting, waited = [*self._waiting, *entries], bool(self._waiting)
            if not waiting:
                return
            now = max(entry.at for entry in waiting)
            try:
                await self._store.write(lambda database: _add(database, waiting, now))
            except StorageError as error:
                self._waiting = waiting[-MOST_WAITING:]
                self._tell(_told(self._waiting, error))
                return
            self._waiting = []
            if waited:
                self._tell("")

    async def since(self, moment: datetime) -> list[Entry]:
        """What was done since then, oldest first.

        Raises:
            StorageError: the database cannot be read.
        """
        return await self._store.decode(
            lambda database: [_entry(row) for row in database.execute(_SINCE, (_sorted(moment),))]
        )


def _told(waiting: Sequence[Entry], error: StorageError) -> str:
    last = waiting[-1]
    who, status = last.person or last.address or "somebody", f" ({last.status})" if last.status else ""
    return (
        f"{counted(len(waiting), 'entry of the audit waits', 'entries of the audit wait')} to be written; the last is "
        f"{who}, {stamp(last.at)}: {last.what}{status}. {error}"
    )


def _add(database: sqlite3.Connection, entries: Iterable[Entry], now: datetime) -> None:
    database.executemany(_ADD, map(_row, entries))
    database.execute(_FORGET, (_sorted(now - KEPT),))
    database.execute(_FORGET_REFUSED, (MOST_REFUSED,))


def _row(entry: Entry) -> tuple[object, ...]:
    return _sorted(entry.at), *astuple(entry)[1:], entry.status >= HTTPStatus.BAD_REQUEST and not entry.person


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(datetime.fromisoformat(row[0]), *row[1:])


def _sorted(moment: datetime) -> str:
    """A moment as a text that comes behind those of earlier ones."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
