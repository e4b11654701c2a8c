"""What was said on X before: searched for where the stream had a gap, and for watches that are new."""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp

from crisisdesk.errors import InputError, SourceError
from crisisdesk.records import SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.sources.broken import BREAKS
from crisisdesk.sources.x.api import Api, open_session
from crisisdesk.sources.x.heard import Heard
from crisisdesk.sources.x.posts import Included, Json, Said, said_in
from crisisdesk.sources.x.rules import Topic, rules_of
from crisisdesk.sources.x.trouble import RefusalError, diagnose, passes
from crisisdesk.sources.x.waits import Waits

Pause = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""
KEPT: Final = timedelta(days=7) - timedelta(minutes=1)
"""How far back X searches, and a little less."""
JUST_SAID: Final = timedelta(seconds=10)
"""X does not search for what was said so lately."""
MAX_PAGES: Final = 100
"""Pages of a search, 100 posts each, for a gap or for the past: what they bring is billed."""


class Search:
    """Posts between two moments, by all queries together: page by page in turns, so that each has its newest.

    X gives the newest first, but the desk wants the oldest first: what was said is gathered, then told in order. What
    was gathered stays so when X fails in between.

    Args:
        api: X's.
        queries: the rules.
        since: the first moment.
        until: the last.
        read: told of each page, since it is billed.
    """

    def __init__(
        self, api: Api, queries: Sequence[str], since: datetime, until: datetime, read: Callable[[Json], None]
    ) -> None:
        self.since, self.until = since, until
        self.bad = 0
        """Posts that could not be read."""
        self.denied = ""
        """Why X does not search for one of the queries; empty where it did for all."""
        self._api = api
        self._left: deque[tuple[str, str | None]] = deque((query, None) for query in queries)
        self._read = read
        self._pages = 0
        self._found: dict[int, Said] = {}
        self._reached: dict[str, datetime] = {}

    @property
    def missing_until(self) -> datetime | None:
        """Up to when not all was found since `since`; None where it is all."""
        return max((self._reached.get(query, self.until) for query, _ in self._left), default=None)

    async def gather(self, session: aiohttp.ClientSession) -> list[Said]:
        """What was said, oldest first; go on with it after a failure.

        Raises:
            aiohttp.ClientError, OSError, SourceError: X does not say.
        """
        while self._left and self._pages < MAX_PAGES:
            query, token = self._left[0]
            try:
                answer, token = await self._api.search(session, query, self.since, self.until, token)
            except RefusalError as refusal:
                if refusal.status != HTTPStatus.BAD_REQUEST:
                    raise
                self.denied, answer, token = str(refusal), {}, None  # that of one query says nothing of the others
            self._left.popleft()
            self._pages += 1
            self._take(query, answer)
            if token is not None:
                self._left.append((query, token))
        return [self._found[version] for version in sorted(self._found)]

    async def patiently(
        self, session: aiohttp.ClientSession, waits: Waits, pause: Pause, tell: Callable[[str], None] = lambda _: None
    ) -> list[Said]:
        """The same, tried again as long as that can help; `tell` is told why.

        Raises:
            SourceError: it cannot.
        """
        while True:
            try:
                return await self.gather(session)
            except BREAKS as error:
                trouble = diagnose(error, self._api.host, proven=True)
                if not passes(error):
                    raise trouble from None
                tell(str(trouble))
                await pause(waits.after(error))

    def _take(self, query: str, answer: Json) -> None:
        self._read(answer)
        included, listed = Included.of(answer), answer.get("data")
        for data in listed if isinstance(listed, list) else ():
            try:
                said = said_in(data, included, self.until, is_new=False)
            except InputError:
                self.bad += 1
            else:
                self._found[said.version] = said
                self._reached[query] = min(said.post.time, self._reached.get(query, self.until))


class Recall:
    """What was said between two moments, as a source that ends there; of those watches only that its edge has.

    Args:
        name: what people call the source.
        api: X's.
        topics: what the watches look for; what an edge asks for of it is searched.
        since: the first moment.
        until: the last.
        reposts: whether they are wanted, too.
        read: told of each page, since it is billed.
        pause: waits so many seconds.
    """

    pushes: Final = False
    resumes: Final = False
    cursor: Final = None

    def __init__(
        self,
        name: str,
        api: Api,
        topics: Sequence[Topic],
        since: datetime,
        until: datetime,
        *,
        reposts: bool,
        read: Callable[[Json], None],
        pause: Pause,
    ) -> None:
        self.name = name
        self._api = api
        self._topics = topics
        self._span = since, until
        self._reposts = reposts
        self._read = read
        self._pause = pause
        self._heard = Heard()

    def resume(self, cursor: str) -> None:
        """The past is read from its beginning."""

    def status(self) -> SourceStatus:
        """How it is doing."""
        return SourceStatus(self.name, "live", events=self._heard.posts, posts=self._heard.posts)

    async def run(self, edge: Edge) -> None:
        """Send what was said, then return.

        Raises:
            SourceError: it cannot be read, or not all of it.
        """
        asked = [topic for topic in self._topics if any(edge.concerns(term) for term in topic.terms)]
        queries = [rule.value for rule in rules_of(asked, "", reposts=self._reposts)]
        since, until = (min(moment, self._api.now() - JUST_SAID) for moment in self._span)
        search = Search(self._api, queries, max(since, self._api.now() - KEPT), until, self._read)
        async with open_session() as session:
            said = await search.patiently(session, Waits(), self._pause)
        for one in said:
            await self._heard.say(one, edge)
        if search.denied:
            raise SourceError(f"{search.denied}.")
        if (missing := search.missing_until) is not None:
            raise SourceError(f"What was said on X before {missing:%d %B %H:%M} UTC is more than is read.")
