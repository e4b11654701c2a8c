"""How far X has been heard: ids of posts, which are moments of X's own clock.

The stream repeats nothing, so what is kept over a restart is where the search for the gap has to begin.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from crisisdesk.errors import InputError

LATE: Final = timedelta(minutes=1)
"""How late a post may come down the stream; X speaks of seven seconds. A gap begins so much before what came last."""
AHEAD: Final = timedelta(hours=1)
"""An id of so much later than now is no place to go on at."""
MAX_ID: Final = 2**63 - 1

_EPOCH_MS: Final = 1_288_834_974_657
_SHIFT: Final = 22
"""X's ids are milliseconds since its epoch in November 2010, then so many bits that tell those of one apart."""
_FIRST: Final = 1 << 40
"""Ids below are from before that, and tell no time."""


def moment_of(post: int) -> datetime | None:
    """When a post was written, as X itself says; None for an id that tells no time."""
    if not _FIRST <= post <= MAX_ID:
        return None
    return datetime.fromtimestamp(((post >> _SHIFT) + _EPOCH_MS) / 1000, UTC)


def id_at(moment: datetime) -> int:
    """The first id that a post of a moment can have."""
    return max(int(moment.timestamp() * 1000) - _EPOCH_MS, _FIRST >> _SHIFT) << _SHIFT


def read_id(value: object) -> int:
    """The id of a post, in digits.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
        return int(value)
    raise InputError("a post is not of the protocol (its id)")


class Place:
    """Up to where everything was sent, and what was sent beyond while a gap is open."""

    def __init__(self) -> None:
        self.sent_to: int | None = None
        self.is_whole = False
        """Nothing is missing between `sent_to` and what comes now."""
        self._beyond: int | None = None

    @property
    def cursor(self) -> str | None:
        """As text; None before it is anywhere."""
        return None if self.sent_to is None else str(self.sent_to)

    def resume(self, cursor: str) -> None:
        """Go on where `cursor` was.

        Raises:
            ValueError: it is damaged.
        """
        if not (cursor.isascii() and cursor.isdecimal() and len(cursor) <= 19) or moment_of(int(cursor)) is None:
            raise ValueError("no place in X's stream")
        self.sent_to = int(cursor)

    def begin(self, post: int) -> None:
        """Begin after a moment: what is older is never asked for."""
        self.sent_to = post

    def open(self) -> None:
        """From here on something may be missing."""
        self.is_whole, self._beyond = False, None

    def came(self, post: int, now: datetime) -> None:
        """All up to a post was sent, or heard to be silent, but for a gap that is open."""
        if post - id_at(now + AHEAD) > 0:
            return
        if self.is_whole:
            self.filled(post)
        else:
            self._beyond = max(self._beyond or 0, post)

    def filled(self, post: int) -> None:
        """What was missing was sent up to here."""
        self.sent_to = max(self.sent_to or 0, post)

    def close(self) -> None:
        """There is no gap any more, or it is given up."""
        self.is_whole = True
        if self._beyond is not None:
            self.filled(self._beyond)
