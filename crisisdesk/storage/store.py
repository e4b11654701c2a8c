"""What survives a crash: incidents, their timelines, what the outputs owe, and what other rooms want kept.

SQLite in WAL mode with synchronous=FULL: a commit is on the disk before it is answered, so neither `kill -9` nor a
power cut takes back what somebody has seen. (NORMAL would survive only the former.) The desk writes a few rows a
minute, so the price, a few milliseconds a commit, is never felt.

One thread owns the connection, and the connection owns the file: locking_mode=EXCLUSIVE keeps a second desk out, ends
with the process however it ends, and needs no shared memory, so it also holds on a network drive.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from crisisdesk.errors import StorageError
from crisisdesk.records import Change, Correction, Incident, Notification, Post, Severity
from crisisdesk.storage import codec, mailbox, outbox, privacy
from crisisdesk.storage.file import DAMAGED, File, explained
from crisisdesk.storage.outbox import json_list
from crisisdesk.storage.unwritten import Unwritten

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

WAITING_JOBS: Final = 256
"""Jobs that may wait for the writer; further callers wait for a place."""
NOTE_DOWN: Final = "INSERT OR IGNORE INTO journal (incident, sequence) VALUES (?, ?)"
"""The order of all changes, which `crisisdesk.storage.journal` reads."""
RESOLVED_LOADED: Final = 200
"""Resolved incidents that are read back at a start, newest first, besides the last one of every watch."""


class Store:
    """The desk's database. Open it with `Store.open`; leave it with `close`, or use it as a context.

    Every method runs in the one writer thread, in the order of the calls, and raises `StorageError` with path and cure.
    """

    def __init__(self, file: File, database: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.path = file.path
        self._file = file
        self._database = database
        self._thread = thread
        self._places = asyncio.Semaphore(WAITING_JOBS)
        self._unwritten = Unwritten()
        self.erasures = 0
        """How often something was to be erased in this run: what was read before may quote it."""

    @classmethod
    async def open(cls, path: Path, *, durable: bool = True) -> Self:
        """Open or create the database, readable by its owner only, and bring it up to date.

        Args:
            path: the file; its folder has to exist.
            durable: wait for the disk at each commit; a replay, which can be run again, need not.

        Raises:
            StorageError: no folder, no permission, no database, another desk, a full disk.
        """
        file, thread = File(path, durable=durable), ThreadPoolExecutor(1, "crisisdesk-store")
        try:
            database = await asyncio.get_running_loop().run_in_executor(thread, file.open)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(file, database, thread)

    async def close(self) -> None:
        """Wait for what is being written, then let go of the file. Calling it again changes nothing."""
        with contextlib.suppress(RuntimeError):  # the thread has been shut down by an earlier call
            await asyncio.get_running_loop().run_in_executor(self._thread, lambda: self._database.close())  # noqa: PLW0108  another by then
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def save(self, incident: Incident, changes: Sequence[Change] = (), owed_to: Sequence[str] = ()) -> None:
        """An incident, what happened to it, and what each output owes for it: all of it or nothing.

        Saving the same again changes nothing, so that a save whose answer was lost can be repeated.
        """
        paid = {output: self._unwritten.paid(output) for output in owed_to}
        owing = [(one, [output for output in owed_to if one.id not in paid[output]]) for one in changes]
        await self.write(lambda database: _save(database, incident, owing))
        for change in changes:
            self._unwritten.written(change.id)

    def hold(self, notification: Notification, owed_to: Sequence[str]) -> None:
        """A change that could not be saved is owed all the same, from memory, until it is saved."""
        self._unwritten.owe(notification, owed_to)

    async def save_figures(self, incidents: Collection[Incident]) -> None:
        """Incidents whose figures have moved, all at once: each alone would wait for the disk."""
        await self.write(lambda database: _save_figures(database, incidents))

    async def load_incidents(self) -> tuple[tuple[Incident, int], ...]:
        """Every open incident, the last one of every watch and kind, and the newest resolved ones.

        Returns:
            Each with the number of its changes so far, oldest first.
        """
        return await self.decode(_load)

    async def incidents_since(self, moment: datetime) -> tuple[Incident, ...]:
        """Every incident that was opened since then, oldest first."""
        query = "SELECT record FROM incidents WHERE opened >= ? ORDER BY opened, id"
        moments = (moment.isoformat(),)
        return await self.decode(
            lambda database: tuple(codec.incident(record) for (record,) in database.execute(query, moments))
        )

    async def incidents_of(self, names: Collection[str]) -> dict[str, Incident]:
        """These incidents as they were saved last, by their ids; those that are there."""
        query, listed = (
            "SELECT id, record FROM incidents WHERE id IN (SELECT value FROM json_each(?))",
            json_list(names),
        )
        return await self.decode(
            lambda database: {name: codec.incident(record) for name, record in database.execute(query, (listed,))}
        )

    async def timeline(self, incident: str) -> tuple[Change, ...]:
        """Everything that happened to an incident, oldest first."""
        query = "SELECT record FROM changes WHERE incident = ? ORDER BY sequence"
        return await self.decode(
            lambda database: tuple(codec.change(record) for (record,) in database.execute(query, (incident,)))
        )

    async def keep(self, name: str, content: bytes) -> None:
        """Keep something under a name, instead of what was kept under it."""
        await self.keep_all({name: content})

    async def keep_all(self, contents: Mapping[str, bytes]) -> None:
        """Keep something under each of some names, all of it or nothing."""
        await self.write(lambda database: database.executemany(mailbox.KEEP, contents.items()))

    async def checkpoint(self, contents: Mapping[str, bytes], gone_through: Sequence[int], remembered: int) -> None:
        """Write down what the windows know and which mentions that includes: all of it or nothing.

        Args:
            contents: as `keep_all`.
            gone_through: digests of mentions; they leave the mailbox and are remembered.
            remembered: how many of these are remembered at most, the newest.
        """
        await self.write(lambda database: mailbox.checkpoint(database, contents, gone_through, remembered))

    async def gone_through(self) -> list[int]:
        """Digests of the mentions that are remembered, oldest first."""
        rows = await self.read(lambda database: database.execute(mailbox.GONE_THROUGH).fetchall())
        return [number for (number,) in rows]

    async def post(self, source: str, mentions: Mapping[int, Post]) -> None:
        """Put mentions of a source into the mailbox, by their digests; those that are there already stay."""
        command = "INSERT OR IGNORE INTO mailbox (digest, source, post) VALUES (?, ?, ?)"
        rows = [(number, source, codec.encode(post)) for number, post in mentions.items()]
        await self.write(lambda database: database.executemany(command, rows))

    async def mailbox(
        self, source: str, sources: Collection[str] = (), after: int = 0, at_most: int = 500
    ) -> list[tuple[int, Post | None]]:
        """What the mailbox holds of a source behind a row, and of those that are not among `sources`, oldest first.

        Returns:
            Each with its row; None for what cannot be read, which is thrown away.
        """
        return await self.read(lambda database: mailbox.mail(database, source, sources, after, at_most))

    async def quoted(self) -> set[int]:
        """Digests of what a correction may mean (`Evidence.marks`) of all that incidents quote."""
        rows = await self.read(lambda database: database.execute("SELECT DISTINCT digest FROM quotes").fetchall())
        return {number for (number,) in rows}

    async def correct(self, correction: Correction) -> None:
        """A post reads otherwise now, or is gone: so it does in incidents, in what is owed and in the mailbox.

        What stood there before is nowhere in the files any more.
        """
        await self.erase(lambda database: privacy.correct(database, correction))

    async def erase(self, job: Job[T]) -> T:
        """As `write`, of records; what stood there before is nowhere in the files any more. Returns what was found."""
        found: list[T] = []
        self.erasures += 1
        with self._making_sense():
            await self.write(lambda database: found.append(job(database)))
        await self.cut_log()
        return found[0]

    async def cut_log(self) -> None:
        """Move the log into the file and cut it off: until then it holds also what was deleted."""
        await self.read(lambda database: database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())

    async def kept(self, name: str) -> bytes | None:
        """What is kept under a name; None when nothing is."""
        query = "SELECT content FROM kept WHERE name = ?"
        row = await self.read(lambda database: database.execute(query, (name,)).fetchone())
        return None if row is None else bytes(row[0])

    async def names(self) -> tuple[str, ...]:
        """Under which names something is kept."""
        rows = await self.read(lambda database: database.execute("SELECT name FROM kept ORDER BY name").fetchall())
        return tuple(name for (name,) in rows)

    async def owed(self, output: str, after: int = 0, at_most: int = 100) -> list[tuple[int, Notification]]:
        """What an output still has to deliver behind a row, oldest first, each with its row."""
        held = self._unwritten.owed(output)  # before the disk is read: what is saved meanwhile is in both
        paid = self._unwritten.paid(output)
        try:
            found = await self.decode(lambda database: outbox.owed(database, output, after, at_most, paid))
        except StorageError:
            if not held:
                raise
            found = []  # what cannot be read goes out later, what is known goes out now
        if len(found) == at_most:
            return found
        known = {one.change.id for _, one in found}
        return found + [(row, one) for row, one in held if row > after and one.change.id not in known]

    async def waiting(self, output: str) -> int:
        """How much an output still has to deliver."""
        held = {one.change.id for _, one in self._unwritten.owed(output)}
        paid = self._unwritten.paid(output)
        return len(held.union(await self.read(lambda database: outbox.owed_changes(database, output, paid))))

    async def delivered(self, output: str, changes: Sequence[str]) -> None:
        """The outside has acknowledged these; they are owed no longer, even if this raises: then `settle` it later."""
        self._unwritten.pay(output, changes)
        await self.settle(output)

    async def told(self, output: str, changes: Sequence[str], now: datetime, severity: Severity) -> None:
        """As `delivered`, of what an address has taken in one message; that it was disturbed is remembered."""
        self._unwritten.disturb(output, now, severity)
        await self.delivered(output, changes)

    async def settle(self, output: str) -> None:
        """Write down what was delivered and could not be written down then."""
        paid, disturbed = self._unwritten.paid(output), self._unwritten.disturbed(output)
        if paid or disturbed:
            await self.write(lambda database: outbox.settle(database, output, paid, disturbed))
            self._unwritten.settled(output, paid, disturbed)

    async def disturbed(self, output: str, since: datetime) -> list[tuple[datetime, Severity]]:
        """When an address was disturbed since then, oldest first, and how bad that was."""
        known = [one for one in self._unwritten.disturbed(output) if one[0] >= since]
        try:
            return [*await self.decode(lambda database: outbox.disturbed(database, output, since)), *known]
        except StorageError:  # who may have been disturbed is told rather than not
            return known

    async def failed(self, output: str, row: int, trouble: str) -> None:
        """An attempt failed; it stays owed."""
        await self.write(lambda database: outbox.failed(database, output, row, trouble))

    async def give_up(self, output: str, now: datetime, after: timedelta) -> list[str]:
        """What is owed of incidents that have ended so long ago is not tried any more; returns `given_up`."""
        await self.write(lambda database: outbox.give_up(database, output, now, after))
        return await self.given_up(output)

    async def owed_by_others(self, outputs: Collection[str], now: datetime, after: timedelta) -> dict[str, int]:
        """How much is owed by outputs that are not there any more, by their names; given up as `give_up` says."""
        found: dict[str, int] = {}
        await self.write(lambda database: found.update(outbox.of_others(database, outputs, now, after)))
        return found

    async def given_up(self, output: str) -> list[str]:
        """The incident of each change that never went out, oldest first."""
        return await self.read(lambda database: outbox.given_up(database, output))

    async def write(self, job: Job[object]) -> None:
        """Change the database: all that the job does, or nothing."""

        def in_transaction(database: sqlite3.Connection) -> None:
            database = self._database = self._file.watched(database)
            database.execute("BEGIN IMMEDIATE")
            try:
                job(database)
                database.execute("COMMIT")
            except BaseException:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                raise

        await self.read(in_transaction)

    async def read(self, job: Job[T]) -> T:
        """What a job finds."""
        async with self._places:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: job(self._database))
            except sqlite3.Error as error:
                raise explained(self.path, error) from error

    async def decode(self, job: Job[T]) -> T:
        """As `read`, of records: what makes no sense was written by a failing disk."""
        with self._making_sense():
            return await self.read(job)

    @contextlib.contextmanager
    def _making_sense(self) -> Iterator[None]:
        try:
            yield
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StorageError(f"The database {self.path} cannot be used: {DAMAGED}.") from error


def _save(database: sqlite3.Connection, incident: Incident, changes: Sequence[tuple[Change, Sequence[str]]]) -> None:
    database.execute(
        "INSERT INTO incidents (id, watch, kind, state, opened, updated, record) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET state = excluded.state, updated = excluded.updated, record = excluded.record",
        (
            incident.id,
            incident.watch,
            incident.kind,
            incident.state,
            incident.opened.isoformat(),
            incident.updated.isoformat(),
            codec.encode(incident),
        ),
    )
    privacy.index(database, incident)
    for change, owed_to in changes:
        _append(database, change)
        outbox.owe(database, Notification(change, incident), owed_to)


def _save_figures(database: sqlite3.Connection, incidents: Collection[Incident]) -> None:
    for incident in incidents:
        _save(database, incident, ())


def _append(database: sqlite3.Connection, change: Change) -> None:
    """The timeline only grows: the same line twice is one line, another line in its place is refused."""
    cursor = database.execute(
        "INSERT INTO changes (incident, sequence, record) VALUES (?, ?, ?)"
        " ON CONFLICT DO UPDATE SET record = record WHERE record = excluded.record",
        (change.incident, change.sequence, codec.encode(change)),
    )
    if cursor.rowcount == 0:
        raise sqlite3.IntegrityError(f"the timeline already has another line {change.id}")
    database.execute(NOTE_DOWN, (change.incident, change.sequence))


def _load(database: sqlite3.Connection) -> tuple[tuple[Incident, int], ...]:
    rows = database.execute(
        "SELECT record, (SELECT coalesce(max(sequence), 0) FROM changes WHERE incident = id) FROM incidents AS one"
        " WHERE state != 'resolved'"
        " OR id IN (SELECT id FROM incidents WHERE state = 'resolved' ORDER BY updated DESC LIMIT ?)"
        " OR opened = (SELECT max(opened) FROM incidents WHERE watch = one.watch AND kind = one.kind)"
        " ORDER BY opened, id",
        (RESOLVED_LOADED,),
    ).fetchall()
    return tuple((codec.incident(record), sequence) for record, sequence in rows)
