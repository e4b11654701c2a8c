"""Recorded posts at the pace of a clock: as they came, faster, or as fast as the desk can take them."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Final

from crisisdesk.clock import Clock, ReplayClock
from crisisdesk.errors import CrisisdeskError
from crisisdesk.records import Post, SourceStatus
from crisisdesk.sources.base import Edge
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
