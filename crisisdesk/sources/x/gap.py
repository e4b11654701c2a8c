"""What was said on X while nobody listened, searched for once the stream stands again."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import aiohttp

from crisisdesk.clock import Clock
from crisisdesk.errors import SourceError
from crisisdesk.sources.base import Edge
from crisisdesk.sources.condition import Missing
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.heard import Heard
from crisisdesk.sources.x.past import JUST_SAID, KEPT, Pause, Search
from crisisdesk.sources.x.place import LATE, Place, id_at, moment_of
from crisisdesk.sources.x.posts import Json
from crisisdesk.sources.x.waits import Waits
from crisisdesk.text import how_long

UNNOTICED: Final = timedelta(minutes=1)
"""A gap that is not worth a word where gaps are not filled."""


class Gap:
    """The gap between where we were and now.

    Args:
        api: X's.
        place: up to where all was sent.
        heard: what was said before.
        clock: tells when it was read.
        fill: whether to search at all.
        read: told of each page, since it is billed.
        settle: seconds after the stream stands before what came before it is searched for: X takes up to 20 s until
            new rules count, and does not search for what was said in the last 10 s.
        waits: how long to wait after each kind of failure.
        pause: waits so many seconds.
    """

    def __init__(
        self,
        api: Api,
        place: Place,
        heard: Heard,
        clock: Clock,
        *,
        fill: bool,
        read: Callable[[Json], None],
        settle: float,
        waits: Callable[[], Waits],
        pause: Pause,
    ) -> None:
        self._api = api
        self._place = place
        self._heard = heard
        self._clock = clock
        self._fill = fill
        self._read = read
        self._settle = settle
        self._waits = waits
        self._pause = pause
        self.bad = 0
        """Posts that could not be read."""
        self._unread = ""
        self._missing = Missing(clock)

    @property
    def trouble(self) -> str:
        """What is not read yet, or not to be had; empty where nothing is missing."""
        return self._missing.told or self._unread

    async def close(self, session: aiohttp.ClientSession, queries: Sequence[str], edge: Edge) -> None:
        """Send all that was missed, oldest first, however often that has to be tried; where we begin, begin now."""
        last, now = moment_of(self._place.sent_to or 0), self._api.now()
        if last is None or last > now + LATE:  # X's time comes in whole seconds, so that a post may seem a little ahead
            self._place.begin(id_at(now - LATE))
            if last is not None:
                told = f"What was said before {now:%d %B %H:%M} UTC may be missing: this machine's clock was ahead."
                self._missing.tell(told)
        elif self._fill:
            await self._pause(self._settle)
            await self._search(session, queries, edge, last)
        elif now - last > UNNOTICED + LATE:
            self._tell_missing(last, now, "'fill_gaps' is off")
        self._unread = ""
        self._place.close()

    async def _search(self, session: aiohttp.ClientSession, queries: Sequence[str], edge: Edge, last: datetime) -> None:
        now = self._api.now()
        since = max(min(last, now) - LATE, now - KEPT)
        if since > last:
            self._tell_missing(last, since, "X searches no further back")
        search = Search(self._api, queries, since, max(now - JUST_SAID, since + JUST_SAID), self._read)
        try:
            missed = await search.patiently(
                session, self._waits(), self._pause, lambda trouble: self._tell(last, trouble)
            )
        except SourceError as error:
            self._tell_missing(last, now, str(error).rstrip("."))
            return
        self.bad += search.bad
        if search.denied:
            self._tell_missing(last, now, search.denied)
        if (until := search.missing_until) is not None:
            self._tell_missing(since, until, "it is more than is read afterwards")
        for said in missed:
            await edge.room()
            await self._heard.say(said, edge)
            self._place.filled(said.version)

    def _tell(self, last: datetime, trouble: str) -> None:
        self._unread = f"What was said since {last:%d %B %H:%M} UTC is not read yet: {trouble}; trying again."

    def _tell_missing(self, since: datetime, until: datetime, why: str) -> None:
        gap = how_long(until - since)
        said = f"What was said from {since:%d %B %H:%M} to {until:%d %B %H:%M} UTC ({gap}) may be missing: {why}."
        self._missing.tell(said)
