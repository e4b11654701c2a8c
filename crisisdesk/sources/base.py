"""What every source of posts has in common."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from crisisdesk.records import Post, SourceStatus

Send = Callable[[Post], Awaitable[None]]
"""Takes a post off a source's hands; may wait while the desk is busy."""


class Source(Protocol):
    """Delivers posts, and says how it is doing.

    A source never ends the desk: what can be tried again it tries again, what cannot it shows in its status.
    """

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def pushes(self) -> bool:
        """Whether posts come whether we can take them or not; else the source waits for us."""

    @property
    def cursor(self) -> str | None:
        """Where to go on after a restart: all before it was sent. None for a source that cannot resume."""

    def resume(self, cursor: str) -> None:
        """Go on, when run, where an earlier run's `cursor` was."""

    def status(self) -> SourceStatus:
        """How it is doing; `matched` and `dropped` are counted behind it and are 0 here."""

    async def run(self, send: Send) -> None:
        """Send posts until there are no more, or until cancelled.

        Raises:
            FatalSourceError: it will never deliver as it is set up.
        """
