"""What every source of posts has in common."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from crisisdesk.records import Correction, Foreseen, Post, SourceStatus


class Edge(Protocol):
    """Where a source hands over what it hears. Only what concerns a watch waits, is scored and counts."""

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:
        """The watches that a cleaned text concerns, so that no Post need be made of the many that concern nobody.

        Every post has to be asked for, also one of whose text nothing else is known: it may be by an own account.
        """

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        """Take a post off the source's hands; may wait while the desk is busy.

        Args:
            post: it may come again and again, and counts once.
            watches: what `concerns` said of it, where that was asked.
        """

    async def room(self) -> None:
        """Wait until the desk has time for what was said before, which can wait: what is said now must not."""

    async def keep(self, posts: Sequence[Post]) -> None:
        """Take posts of a sender who repeats them until we confirm: all of them are safe when this returns.

        Raises:
            StorageError: they could not be written down, so do not confirm.
        """

    async def correct(self, correction: Correction) -> None:
        """The author has taken back or changed a post that may have been sent: it is so here, too."""


@runtime_checkable
class Recalling(Protocol):
    """A source whose network keeps for a while what was said."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def history(self) -> timedelta:
        """How far back new watches are to learn from it; nothing where the settings say so."""

    def recall(self, since: datetime, until: datetime) -> "Source":
        """What was said between two moments, or since as long ago as the network goes, as a source that ends there."""


@runtime_checkable
class Foreseeing(Protocol):
    """A source that changes or costs something by connecting, and can say so before."""

    async def foresee(self) -> Foreseen:
        """What would come of connecting; nothing is changed.

        Raises:
            SourceError: it would not come about, and why; a FatalSourceError names the setting to mend.
        """


@runtime_checkable
class Remembering(Protocol):
    """A source that remembers posts for its own work."""

    def forget(self, is_meant: Callable[[Post], bool]) -> None:
        """Those of them that are meant, it remembers no longer."""


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
    def resumes(self) -> bool:
        """Whether it can go on at a cursor. Posts of one that cannot are written down before they are scored."""

    @property
    def cursor(self) -> str | None:
        """Where to go on after a restart: all before it was sent. None before the first, and where it knows none."""

    def resume(self, cursor: str) -> None:
        """Go on, when run, where an earlier run's `cursor` was."""

    def status(self) -> SourceStatus:
        """How it is doing; `matched` and `dropped` are counted behind it and are 0 here."""

    async def run(self, edge: Edge) -> None:
        """Send posts until there are no more, or until cancelled.

        Raises:
            FatalSourceError: it will never deliver as it is set up.
        """
