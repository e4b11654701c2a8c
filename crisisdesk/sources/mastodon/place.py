"""How far the streams of a Mastodon server have been sent: the ids of statuses, which grow with time.

A server gives a status that it hears of late an id as if it had come in time. So whoever goes on at an id begins a
little before it (`REWIND`).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import orjson

from crisisdesk.errors import InputError
from crisisdesk.sources.mastodon.posts import local_id

REWIND: Final = timedelta(minutes=2)
"""How late a status may reach the server and still be found after a break. Attempts to deliver one are repeated after
about 15 s, one minute and more; what comes later than this and while nobody listens is not found."""
AHEAD: Final = timedelta(hours=1)
"""What a server numbers as if it were so much later than it is, while its clock is wrong, is no place to go on at."""
BEGINNING: Final = "0"
"""Before the first status."""
MAX_CURSOR: Final = 100_000

_SHIFT: Final = 16
"""Mastodon's ids are milliseconds since 1970, then so many bits that tell those of a millisecond apart."""
_FIRST: Final = datetime(2016, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2200, 1, 1, tzinfo=UTC)


class Place:
    """One stream: up to where it was sent without a gap, and what was sent beyond.

    Args:
        sent_to: the id up to which everything was sent; None where that is not known.
    """

    def __init__(self, sent_to: str | None = None) -> None:
        self.sent_to = sent_to
        self.is_whole = False
        """Nothing is missing between `sent_to` and what comes now."""
        self.told = 0
        """Statuses that came by themselves."""
        self._floor: str | None = None
        self._beyond: str | None = None

    def begin(self, status: str) -> None:
        """Begin after a status: what is older has never been asked for."""
        self.sent_to = self._floor = status

    def start(self) -> str:
        """Where to begin to fill a gap."""
        back = rewound(self.sent_to or BEGINNING)
        return back if self._floor is None else later(back, self._floor)

    def came(self, status: str, now: datetime) -> None:
        """A status that came by itself was sent. While there is a gap, that says nothing of what lies before it."""
        self.told += 1
        if _is_ahead(status, now):
            return
        if self.is_whole:
            self.sent_to = later(self.sent_to, status)
        else:
            self._beyond = later(self._beyond, status)

    def filled(self, status: str, now: datetime) -> None:
        """What was missing was sent up to here."""
        if not _is_ahead(status, now):
            self.sent_to = later(self.sent_to, status)

    def close(self) -> None:
        """There is no gap any more, or it is given up."""
        self.is_whole = True
        if self._beyond is not None:
            self.sent_to = later(self.sent_to, self._beyond)

    def open(self) -> None:
        """From here on something may be missing."""
        self.is_whole, self._beyond = False, None


def is_later(one: str, other: str) -> bool:
    """Whether a status is newer than another one, by their ids."""
    return (len(one), one) > (len(other), other)


def later(one: str | None, other: str) -> str:
    """The newer of two."""
    return one if one is not None and is_later(one, other) else other


def moment_of(status: str) -> datetime | None:
    """When a status was written, as far as its id tells; other servers than Mastodon number in other ways."""
    if not status.isdecimal() or len(status) > 20:
        return None
    try:
        moment = datetime.fromtimestamp((int(status) >> _SHIFT) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if _FIRST <= moment < _LAST else None


def _is_ahead(status: str, now: datetime) -> bool:
    moment = moment_of(status)
    return moment is not None and moment - now > AHEAD


def rewound(status: str) -> str:
    """The id of a status written a little earlier; the same where ids tell no time."""
    if moment_of(status) is None:
        return status
    return str(int(status) - (int(REWIND.total_seconds() * 1000) << _SHIFT))


def id_at(moment: datetime) -> str:
    """The first id of a moment, where ids tell the time."""
    return str(int(moment.timestamp() * 1000) << _SHIFT)


def cursor_of(server: str, places: Mapping[str, Place]) -> str | None:
    """Where all streams are, as text; None before any is anywhere."""
    sent = {stream: place.sent_to for stream, place in places.items() if place.sent_to is not None}
    return orjson.dumps({"server": server, "sent_to": sent}).decode() if sent else None


def read_cursor(cursor: str, server: str) -> dict[str, str]:
    """The ids that `cursor_of` wrote, by stream; nothing where they are of another server.

    Raises:
        ValueError: it is damaged.
    """
    if len(cursor) > MAX_CURSOR or not isinstance(values := orjson.loads(cursor), dict):
        raise ValueError("no place in streams")
    sent = values.get("sent_to")
    if values.keys() != {"server", "sent_to"} or not isinstance(sent, dict):
        raise ValueError("no place in streams")
    try:
        ids = {stream: local_id(status) for stream, status in sent.items()}
    except InputError:
        raise ValueError("no place in streams") from None
    return ids if values["server"] == server else {}
