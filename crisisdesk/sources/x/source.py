"""Posts of X, by its filtered stream: rules made of the watches, and what they cost, said before the desk connects.

The stream repeats nothing. What was said during a break, or while the desk was off, is searched for while what comes
now is sent at once; until the gap is closed the cursor stays before it. X tells an ordinary app nothing of posts that
are taken back; of an edited one it sends the new version.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NoReturn

import aiohttp

from crisisdesk.clock import Clock
from crisisdesk.errors import InputError
from crisisdesk.records import Foreseen, SourceStatus
from crisisdesk.sources.base import Edge, Source
from crisisdesk.sources.broken import BREAKS
from crisisdesk.sources.condition import Condition
from crisisdesk.sources.ending import to_its_end
from crisisdesk.sources.x.api import Api, open_session
from crisisdesk.sources.x.cost import Bill
from crisisdesk.sources.x.forecast import Forecast
from crisisdesk.sources.x.gap import Gap
from crisisdesk.sources.x.heard import Heard
from crisisdesk.sources.x.past import Pause, Recall
from crisisdesk.sources.x.place import LATE, Place, id_at
from crisisdesk.sources.x.posts import SOURCE, Included, Json, frame_in, said_in
from crisisdesk.sources.x.rulebook import Rulebook
from crisisdesk.sources.x.rules import Topic
from crisisdesk.sources.x.stream import Stream
from crisisdesk.sources.x.trouble import DroppedError, MuteError, diagnose, problems_in
from crisisdesk.sources.x.waits import Waits

SILENCE_SECONDS: Final = 25.0
"""X sends a sign of life every 20 s, and now and then it comes a little late; a stream so long mute is dead."""
SETTLE_SECONDS: Final = 30.0
"""Between the stream and the search for what came before it; see `Gap`."""
HEALTHY_SECONDS: Final = 60.0
"""A stream that lasted so long starts the waiting afresh."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is to be heard, and what it may cost; `settings.XSource` explains each."""

    topics: Sequence[Topic]
    desk: str
    bill: Bill
    reposts: bool = False
    fill_gaps: bool = True
    history: timedelta = timedelta()
    backfill_minutes: int = 0
    most_a_month: float | None = None


class X:
    """The posts that the rules of a desk's watches match.

    Args:
        api: X's, with the token of an app.
        wishes: what is to be heard.
        clock: tells when posts arrive.
        name: what status lines call the source.
        waits: how long to wait after each kind of failure; begun afresh for each gap.
        pause: waits so many seconds.
        silence: seconds without any sign of life after which a stream is taken for dead.
        settle: seconds before a gap is filled.
    """

    pushes: Final = True
    resumes: Final = True

    def __init__(
        self,
        api: Api,
        wishes: Wishes,
        clock: Clock,
        *,
        name: str = SOURCE,
        waits: Callable[[], Waits] = Waits,
        pause: Pause = asyncio.sleep,
        silence: float = SILENCE_SECONDS,
        settle: float = SETTLE_SECONDS,
    ) -> None:
        self.name = name
        self.history = wishes.history
        self._api = api
        self._wishes = wishes
        self._clock = clock
        self._waits = waits()
        self._pause = pause
        self._silence = silence
        self._rulebook = Rulebook(wishes.topics, wishes.desk, reposts=wishes.reposts)
        self._forecast = Forecast(api, wishes.bill.prices, wishes.history, wishes.most_a_month, reposts=wishes.reposts)
        self._place = Place()
        self._heard = Heard()
        self._gap = Gap(
            api,
            self._place,
            self._heard,
            clock,
            fill=wishes.fill_gaps,
            read=self._pay,
            settle=settle,
            waits=waits,
            pause=pause,
        )
        self._condition = Condition()
        self._unheard = ""
        self._last_event: datetime | None = None
        self._live_since: datetime | None = None
        self._events = self._bad = 0

    @property
    def cursor(self) -> str | None:
        """The newest post up to which all was sent."""
        return self._place.cursor

    def resume(self, cursor: str) -> None:
        """Search for what was said since.

        Raises:
            ValueError: it is damaged.
        """
        self._place.resume(cursor)

    def recall(self, since: datetime, until: datetime) -> Source:
        """What was said between two moments, of the watches that ask for it; X bills it."""
        return Recall(
            self.name,
            self._api,
            self._wishes.topics,
            since,
            until,
            reposts=self._wishes.reposts,
            read=self._pay,
            pause=self._pause,
        )

    def status(self) -> SourceStatus:
        """How it is doing; the note says what it costs."""
        return SourceStatus(
            name=self.name,
            state=self._condition.state,
            last_event=self._last_event,
            events=self._events,
            posts=self._heard.posts,
            bad=self._bad + self._gap.bad,
            trouble=self._condition.trouble or " ".join(filter(None, (self._unheard, self._gap.trouble))),
            note=" ".join(filter(None, (self._forecast.told, self._wishes.bill.told()))),
        )

    async def foresee(self) -> Foreseen:
        """What connecting would change at X and cost; only asked, nothing is done.

        Raises:
            SourceError: X would not take us; a FatalSourceError names the setting to mend.
        """
        async with open_session() as session:
            try:
                change = await self._rulebook.plan(self._api, session)
                await self._forecast.make(session, change)
            except BREAKS as error:
                raise diagnose(error, self._api.host, proven=False) from None
        return self._forecast.prospect(change)

    async def run(self, edge: Edge) -> None:
        """Send posts until cancelled; every break is mended.

        Raises:
            FatalSourceError: X refuses us as we are set up, or it would cost more than it may; the status says
                `failed`.
        """
        async with open_session() as session:
            while True:
                self._live_since = None
                error = await to_its_end(partial(self._until_broken, session, edge))
                trouble = diagnose(error, self._api.host, proven=self._api.proven)
                self._condition.broken(trouble, mute=isinstance(trouble, MuteError))
                if self._live_since and (self._clock.now() - self._live_since).total_seconds() >= HEALTHY_SECONDS:
                    self._waits.begin_afresh()
                await self._pause(self._waits.after(error))

    async def _until_broken(self, session: aiohttp.ClientSession, edge: Edge) -> None:
        """Set the rules, connect, send what comes and what was missed.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it ended; perhaps in an ExceptionGroup.
        """
        change = await self._rulebook.plan(self._api, session)
        await self._forecast.make(session, change)
        await self._rulebook.set(change, self._api, session)
        self._place.open()
        async with AsyncExitStack() as stack:
            stream = await stack.enter_async_context(self._api.stream(session, self._wishes.backfill_minutes))
            self._live_since = self._clock.now()
            left = await self._rulebook.tidy(change, self._api, session)
            self._unheard = f"{change.trouble} {left}".strip()
            self._condition.connected()
            async with asyncio.TaskGroup() as group:
                group.create_task(self._listen(stream, edge))
                group.create_task(self._gap.close(session, [rule.value for rule in change.there], edge))

    async def _listen(self, stream: Stream, edge: Edge) -> NoReturn:
        """Send what comes.

        Raises:
            DroppedError: the stream has ended or is mute, or X says that it will.
        """
        giants = 0
        while True:
            lines = await stream.lines(self._silence)
            self._condition.heard()
            self._bad, giants = self._bad + stream.giants - giants, stream.giants
            for line in lines:
                await self._take(line, edge)

    async def _take(self, line: bytes, edge: Edge) -> None:
        """Heed a line; an empty one says that all that was said so far has come.

        Raises:
            DroppedError: it says that the stream ends.
        """
        arrival = self._clock.now()
        if not line.strip():
            self._place.came(id_at(self._api.now() - LATE), self._api.now())
            return
        try:
            frame = frame_in(line)
            if "data" not in frame and (problem := next(problems_in(frame), None)) is not None:
                raise DroppedError(self._api.host, problem)
            self._last_event = arrival
            self._events += 1
            self._pay(frame)
            rules = self._rulebook.behind(frame)
            said = said_in(frame.get("data"), Included.of(frame), arrival, is_new=True, rules=rules)
        except InputError:
            self._bad += 1
            return
        await self._heard.say(said, edge)
        self._place.came(said.version, self._api.now())

    def _pay(self, answer: Json) -> None:
        """Count what X bills: the posts and authors of a line or page."""
        included, data = Included.of(answer), answer.get("data")
        shown = data if isinstance(data, list) else [data]
        posts = [one["id"] for one in shown if isinstance(one, dict) and isinstance(one.get("id"), str)]
        self._wishes.bill.read([*posts, *included.posts], included.users, self._api.now().date())
