"""What was said between two moments, by a source that was set back to the first and ends at the second."""

import asyncio
from typing import TYPE_CHECKING, Final

from crisisdesk.sources.base import Edge, Source

if TYPE_CHECKING:
    from datetime import datetime

    from crisisdesk.records import SourceStatus

LOOK: Final = 0.2
"""Seconds between two looks at how far it has come."""


class Recalled:
    """Ends when the source has come to a moment, or has nothing more; a little of what came after may be sent, too.

    Args:
        source: set back to where the past begins.
        until: the moment.
        quiet: seconds without an event after which there is nothing more: it has come to the present, whenever that
            is. They must be over before the source takes its connection for dead, or it begins again and again.
    """

    pushes: Final = False
    resumes: Final = False
    cursor: Final = None

    def __init__(self, source: Source, until: "datetime", quiet: float) -> None:
        self.name = source.name
        self._source = source
        self._until = until
        self._quiet = quiet

    def resume(self, cursor: str) -> None:
        """The past is read from its beginning."""

    def status(self) -> "SourceStatus":
        """That of the source."""
        return self._source.status()

    async def run(self, edge: Edge) -> None:
        """Send what was said, then return.

        Raises:
            FatalSourceError: it cannot be read as the source is set up.
        """
        reading = asyncio.create_task(self._source.run(edge))
        try:
            events, quiet = 0, 0.0
            while not reading.done() and not self._is_there() and quiet < self._quiet:
                await asyncio.wait({reading}, timeout=LOOK)
                status = self._source.status()
                is_quiet = status.state == "live" and 0 < status.events == events
                events, quiet = status.events, quiet + LOOK if is_quiet else 0.0
        finally:
            if not reading.done():
                reading.cancel()
                await asyncio.wait({reading})
        if not reading.cancelled():
            reading.result()

    def _is_there(self) -> bool:
        latest = self._source.status().latest
        return latest is not None and latest >= self._until
