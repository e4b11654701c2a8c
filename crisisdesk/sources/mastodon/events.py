"""What a Mastodon server sends, taken apart: server-sent events and the frames of its websocket."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from crisisdesk.errors import InputError, SourceError
from crisisdesk.text import clean

MAX_EVENT: Final = 1 << 22
"""Bytes of an event that we read at all; a status has a few thousand."""


class GiantError(SourceError):
    """The server sent more at once than we read."""


class ComplaintError(SourceError):
    """The server will not send a stream.

    Attributes:
        status: as of HTTP; 0 where it does not say.
        reason: in its words, cleaned.
    """

    def __init__(self, status: int, reason: str) -> None:
        self.status, self.reason = status, reason
        super().__init__(f"it will not send a stream ({reason or status})")


class Event(NamedTuple):
    """Something that happened in a stream."""

    stream: str
    """As the settings name it; empty where the server does not say."""
    name: str
    """`update`, `delete`, `status.update` and others."""
    payload: str | bytes
    """JSON of a status, a bare id, `undefined`, or nothing."""


class Reader:
    """Server-sent events out of bytes as they come.

    Args:
        stream: whose they are.
    """

    def __init__(self, stream: str) -> None:
        self._stream = stream
        self._rest = bytearray()
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> Sequence[Event]:
        """The events that are complete with these bytes; comments, which only say that the line lives, are none.

        Raises:
            GiantError: one is larger than we read.
        """
        if b"\n" not in chunk:
            self._rest += chunk
            self._hold(0)
            return ()
        *lines, rest = (bytes(self._rest) + chunk).split(b"\n")
        self._rest = bytearray(rest)
        events = [event for line in lines if (event := self._take(line.removesuffix(b"\r"))) is not None]
        self._hold(0)
        return events

    def _take(self, line: bytes) -> Event | None:
        if not line:
            return self._end()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = clean(value.decode(errors="replace"), 60)
        elif field == b"data":
            self._data.append(value)
            self._hold(len(line) + 1)
        return None

    def _end(self) -> Event | None:
        event = Event(self._stream, self._name, b"\n".join(self._data)) if self._name else None
        self._name, self._data, self._size = "", [], 0
        return event

    def _hold(self, more: int) -> None:
        self._size += more
        if self._size + len(self._rest) > MAX_EVENT:
            raise GiantError(f"an event of more than {MAX_EVENT} bytes")


def event_in(frame: bytes) -> Event:
    """What a frame of the websocket says.

    Raises:
        InputError: it is not of the protocol.
        ComplaintError: the server will not send a stream.
    """
    try:
        said: Any = orjson.loads(frame)
    except orjson.JSONDecodeError:
        raise InputError("a frame is not of the protocol (its JSON)") from None
    if not isinstance(said, dict):
        raise InputError("a frame is not of the protocol (no object)")
    if said.get("error"):
        status = said.get("status")
        raise ComplaintError(status if isinstance(status, int) else 0, clean(str(said["error"]), 200))
    name, payload = said.get("event"), said.get("payload")
    if not isinstance(name, str):
        raise InputError("a frame is not of the protocol (no event)")
    return Event(_stream_in(said.get("stream")), name, payload if isinstance(payload, str) else "")


def _stream_in(names: object) -> str:
    """`["hashtag", "motrin"]` as the settings write it: `hashtag:motrin`."""
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return ":".join(names).lower()
    return ""
