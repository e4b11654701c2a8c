"""The answer queue in the database: a row an inquiry, and beside them what was missed and which posts are our own."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from crisisdesk.records import Inquiry, Need, Post, Stage
from crisisdesk.storage import codec, mailbox

if TYPE_CHECKING:
    from crisisdesk.storage.store import Store

COUNTS: Final = "answer queue"
"""Under this name the counts are kept."""
_SAVE: Final = (
    "INSERT INTO inquiries (id, watch, stage, came, record) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT DO UPDATE SET stage = excluded.stage, record = excluded.record"
)


@dataclass(slots=True)
class Remembered:
    """What an earlier run has kept."""

    inquiries: list[Inquiry] = field(default_factory=list)
    """In the order in which they came, those that have ended by when they did."""
    missed: dict[str, dict[str, int]] = field(default_factory=dict)
    """Posts that were let go, by watch and day."""
    own: dict[str, list[int]] = field(default_factory=dict)
    """Digests of the brand's own posts, by watch, oldest first."""
    damaged: int = 0
    """Rows that made no sense; they are gone."""


class KeptInquiries:
    """Where the answer queue survives."""

    def __init__(self, store: "Store") -> None:
        self._store = store

    async def load(self) -> Remembered:
        """Everything that is kept.

        Raises:
            StorageError: the database cannot be read.
        """
        return await self._store.read(_load)

    async def save(
        self,
        inquiries: Mapping[str, Inquiry | None],
        missed: Mapping[str, Mapping[str, int]],
        own: Mapping[str, Sequence[int]],
        *,
        erases: bool = False,
    ) -> None:
        """Keep these as they are now, all of it or nothing.

        Args:
            inquiries: by their ids; None for those that are gone.
            missed: see `Remembered`.
            own: the same.
            erases: what stood there before is to be nowhere in the files any more.

        Raises:
            StorageError: it cannot be written.
        """
        counts = orjson.dumps({"missed": missed, "own": own})
        rows = [_row(one) for one in inquiries.values() if one is not None]
        gone = [(name,) for name, one in inquiries.items() if one is None]

        def save(database: sqlite3.Connection) -> None:
            database.executemany(_SAVE, rows)
            database.executemany("DELETE FROM inquiries WHERE id = ?", gone)
            database.execute(mailbox.KEEP, (COUNTS, counts))

        await self._store.write(save)
        if erases:
            await self._store.cut_log()


def encode(inquiry: Inquiry) -> str:
    """An inquiry as one line of JSON."""
    return orjson.dumps(inquiry, default=_plain).decode()


def decode(text: str) -> Inquiry:
    """Read an inquiry back; what it does not say takes the record's default.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is none.
    """
    fields: dict[str, Any] = orjson.loads(text)
    moved = fields.get("moved")
    return Inquiry(
        id=fields["id"],
        watch=fields["watch"],
        post=_post(fields["post"]),
        negative=float(fields["negative"]),
        needs=tuple(Need(need) for need in fields["needs"]),
        weight=float(fields["weight"]),
        came=_time(fields["came"]),
        others=tuple(_post(post) for post in fields.get("others", ())),
        posts=int(fields.get("posts", 1)),
        stage=Stage(fields["stage"]),
        person=fields.get("person"),
        moved=None if moved is None else _time(moved),
        had_by=fields.get("had_by"),
        reason=fields.get("reason", ""),
    )


def _row(inquiry: Inquiry) -> tuple[str, str, str, str, str]:
    return inquiry.id, inquiry.watch, inquiry.stage, inquiry.came.isoformat(), encode(inquiry)


def _load(database: sqlite3.Connection) -> Remembered:
    found = Remembered()
    for name, record in database.execute("SELECT id, record FROM inquiries ORDER BY came, id").fetchall():
        try:
            found.inquiries.append(decode(record))
        except (AttributeError, KeyError, TypeError, ValueError):
            found.damaged += 1
            database.execute("DELETE FROM inquiries WHERE id = ?", (name,))
    found.inquiries.sort(key=lambda one: one.came if one.is_open or one.moved is None else one.moved)
    row = database.execute("SELECT content FROM kept WHERE name = ?", (COUNTS,)).fetchone()
    try:
        counts = orjson.loads(row[0]) if row else {}
        found.missed = {watch: _numbers(days) for watch, days in counts.get("missed", {}).items()}
        found.own = {watch: list(map(int, own)) for watch, own in counts.get("own", {}).items()}
    except (AttributeError, TypeError, ValueError):
        found.damaged += 1
    return found


def _numbers(days: dict[str, Any]) -> dict[str, int]:
    return {day: int(count) for day, count in days.items()}


def _plain(value: object) -> object:
    if isinstance(value, Post):
        return value._asdict()
    raise TypeError(type(value).__name__)


def _post(fields: dict[str, Any]) -> Post:
    return codec.post(orjson.dumps(fields).decode())


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
