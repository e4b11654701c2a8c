"""Recorded posts at the pace of a clock: as they came, faster, or as fast as the desk can take them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final

from crisisdesk.clock import Clock, ReplayClock
from crisisdesk.errors import CrisisdeskError, FatalSourceError, UsageError
from crisisdesk.lines import STDIN, BadLine
from crisisdesk.records import Post, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.sources.files import read_posts
from crisisdesk.sources.table import NoColumnError
from crisisdesk.threads import in_daemon_thread

_CHUNK: Final = 500
"""Posts read at once in a thread, so that neither the file nor the thread holds up the desk."""


async def _at_once() -> None:
    """Nothing is behind."""


@dataclass(slots=True)
class Pace:
    """How fast a recording plays: posts before `shown_from` without waiting, then `speed` seconds in each second.

    `shown_from` None paces from the first post on; `speed` None never waits. `caught_up` returns when the desk has
    gone through all that came before `shown_from`, so that what is shown begins with everything learnt.
    """

    clock: ReplayClock
    speed: float | None = None
    shown_from: datetime | None = None
    caught_up: Callable[[], Awaitable[None]] = _at_once


class Replay:
    """Plays posts in the order in which the recording has them, whatever their times say."""

    pushes: Final = False

    def __init__(
        self, name: str, posts: Iterator[Post], clock: Clock, pace: Pace | None = None, chunk: int = _CHUNK
    ) -> None:
        self.name = name
        self._posts = posts
        self._clock = clock
        self._pace = pace
        self._shown = pace is None
        self._chunk = chunk
        self._status = SourceStatus(name=name)

    @property
    def resumes(self) -> bool:
        """False: a recording always starts at its beginning."""
        return False

    @property
    def cursor(self) -> str | None:
        """None: a recording always starts at its beginning."""
        return None

    def resume(self, cursor: str) -> None:
        """A recording always starts at its beginning."""

    def status(self) -> SourceStatus:
        """How far it is; ends as `ended`."""
        return self._status

    async def run(self, edge: Edge) -> None:
        """Send every post of the recording, then return; its clock stands still from then on, as it has no later time.

        Raises:
            crisisdesk.errors.UsageError: the file cannot be read as it is; the status says `failed`.
        """
        self._status = replace(self._status, state="live")
        if self._pace:
            self._pace.clock.restart(self._pace.clock.now(), None)
        try:
            while posts := await in_daemon_thread(self._read):
                for post in posts:
                    await self._wait_for(post.time)
                    await edge.send(post)
                    self._count(post.time)
        except CrisisdeskError as error:
            self._status = replace(self._status, state="failed", trouble=str(error))
            raise
        finally:
            if self._pace:
                self._pace.clock.stand_still()
        self._status = replace(self._status, state="ended")

    def _read(self) -> Sequence[Post]:
        return list(islice(self._posts, self._chunk))

    async def _wait_for(self, moment: datetime) -> None:
        """Return when the recording's clock has come to the moment."""
        if self._pace is None:
            return
        shown_from = self._pace.shown_from or moment
        if not self._shown and moment >= shown_from:
            self._shown = True
            await self._pace.caught_up()
            self._pace.clock.restart(shown_from, self._pace.speed)
        await self._pace.clock.sleep_until(moment)

    def _count(self, moment: datetime) -> None:
        """Count a post; a recording's came when it was written: its clock shows less while posts are under way."""
        seen, came = self._status, moment if self._pace else self._clock.now()
        self._status = replace(seen, events=seen.events + 1, posts=seen.posts + 1, last_event=came)


class FileSource(Replay):
    """A file that a live desk reads once, as fast as it can take it, over all its restarts.

    What was added to the file's end since comes after a restart. Its cursor is the number of posts sent so far; a
    file that has fewer is another one and is read from its beginning. Standard input and pipes cannot resume.
    """

    def __init__(self, name: str, path: Path, clock: Clock, columns: Mapping[str, str] | None = None) -> None:
        """Make one; `columns` are our field name -> that of a table, where they differ."""
        self._path = path
        self._columns = columns
        self._piped = str(path) == STDIN or (path.exists() and not path.is_file())
        self._sent = 0
        self._behind = 0
        # What is piped in live comes a line at a time; waiting for more would hold it back.
        super().__init__(name, self._open(clock), clock, chunk=1 if self._piped else _CHUNK)

    @property
    def resumes(self) -> bool:
        """Whether it is a file, and no pipe."""
        return not self._piped

    @property
    def cursor(self) -> str | None:
        """How many posts of the file were sent, in this run and those before it."""
        return None if self._piped else str(self._sent)

    def resume(self, cursor: str) -> None:
        """Leave out as many posts as earlier runs have sent."""
        if not self._piped:
            self._sent = self._behind = int(cursor)

    async def run(self, edge: Edge) -> None:
        """Send every post of the file that no earlier run has sent, then return.

        Raises:
            FatalSourceError: the file cannot be read as it is; other sources need not stop for that.
        """
        try:
            await super().run(edge)
        except NoColumnError as error:
            cure = f'Say which they are, in its [[source]]: columns = "{error.columns}"'
            raise FatalSourceError(f"{error.what} {cure}") from None
        except UsageError as error:
            raise FatalSourceError(str(error)) from None

    def _open(self, clock: Clock) -> Iterator[Post]:
        return read_posts([self._path], columns=self._columns, on_bad=self._report, present=clock.now, live=True)

    def _read(self) -> Sequence[Post]:
        if self._behind > sum(1 for _ in islice(self._posts, self._behind)):
            self._sent = 0
            self._status = replace(self._status, bad=0)
            self._posts = self._open(self._clock)
        self._behind = 0
        return super()._read()

    def _count(self, moment: datetime) -> None:
        super()._count(moment)
        self._sent += 1

    def _report(self, line: BadLine) -> None:
        self._status = replace(self._status, bad=self._status.bad + 1, trouble=f"Skipped {line}")
