"""From the desk to the screen: one frozen picture after another, never faster than an eye needs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from textual.message import Message

from crisisdesk.console.words import is_unanswered
from crisisdesk.desk import Desk, Picture
from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import EPOCH, Incident, Severity

FRAME_SECONDS: Final = 0.1
"""Between two pictures at least: whatever happens within it is drawn once."""
IDLE_SECONDS: Final = 1.0
"""Between two pictures at most: clock and ages go on while nothing happens."""
_Urgency = tuple[int, bool]
"""How bad it is, and whether nobody has answered."""
_NONE: Final[_Urgency] = (0, False)
FRESH: Final = timedelta(hours=2)
"""An incident of which nothing has been heard for longer calls nobody who sees it for the first time."""


@dataclass
class PictureTaken(Message):
    """A new picture is there; one that still waits to be shown is replaced by it."""

    picture: Picture

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, PictureTaken)


async def pictures(desk: Desk) -> AsyncIterator[Picture]:
    """Endless pictures of the desk, the newest at each moment.

    A desk that cannot be read does not end them: the last picture comes again, with what went wrong among its troubles.
    """
    last = Picture(now=EPOCH)
    while True:
        try:
            last = await desk.picture()
            yield last
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(IDLE_SECONDS):
                    await desk.changed(last)
        except Exception as error:  # noqa: BLE001 - whatever breaks in a desk, people must go on seeing the last state
            yield replace(last, troubles=(_trouble(error), *last.troubles))
            await asyncio.sleep(IDLE_SECONDS)
        await asyncio.sleep(FRAME_SECONDS)


def _trouble(error: Exception) -> str:
    reason = str(error) if isinstance(error, CrisisdeskError) else f"{type(error).__name__}: {error}"
    return f"The desk cannot be read, what you see is old ({reason}); it is tried again every second."


class Alarms:
    """Which incidents call for attention now and did not a moment ago."""

    def __init__(self) -> None:
        self._known: dict[str, _Urgency] | None = None

    def new(self, picture: Picture) -> list[Incident]:
        """Open amber and red incidents that are new, worse than in the picture before or unanswered, not silenced ones.

        The first picture calls nobody: everything in it is in front of the person who has just opened the console. Nor
        does what a recording brings of the weeks before it is shown, as long as nothing is added to it.
        """
        if picture.now == EPOCH:
            return []  # nothing is known of the desk yet
        calling = {i.id: i for i in picture.incidents if i.is_open and picture.now - i.updated <= FRESH}
        known, told = self._known, {key: _urgency(incident) for key, incident in calling.items()}
        self._known = {**{i.id: (known or {}).get(i.id, _NONE) for i in picture.incidents if i.is_open}, **told}
        if known is None:
            return []
        return [
            incident
            for key, incident in calling.items()
            if incident.severity >= Severity.AMBER
            and _urgency(incident) > known.get(key, _NONE)
            and not incident.is_silent(picture.now)
        ]


def _urgency(incident: Incident) -> _Urgency:
    return incident.severity, is_unanswered(incident)
