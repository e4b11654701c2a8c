"""What is asked of X: rules, counts, searches and the stream. The token is shown to its address only."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.clock import Clock
from crisisdesk.records import stamp
from crisisdesk.sources.x.answers import Denied, Page, body_of, count_in, denied_in, json_in, listed, rule_in, token_in
from crisisdesk.sources.x.posts import Json
from crisisdesk.sources.x.rules import Rule
from crisisdesk.sources.x.stream import Stream
from crisisdesk.sources.x.trouble import RefusalError, StrangeError, date_in, wait_in
from crisisdesk.text import clean

PAGE: Final = 100
"""Posts of a page of a search, and rules of a request."""
MAX_RULE_PAGES: Final = 100
CONNECT_SECONDS: Final = 20.0
WHAT_POSTS_SHOW: Final = "author_id,created_at,edit_history_tweet_ids,entities,lang,note_tweet,referenced_tweets,text"
"""Fields of a post; they cost nothing. What is expanded besides, authors and other posts, is billed."""

_ANSWER: Final = aiohttp.ClientTimeout(total=30.0)
_ENDLESS: Final = aiohttp.ClientTimeout(total=None)
_STREAM: Final = "2/tweets/search/stream"
_RULES: Final = f"{_STREAM}/rules"
_IDENTITY: Final = {"Accept-Encoding": "identity"}


class Api:
    """X's API, as an app.

    Args:
        address: such as `https://api.x.com`.
        token: the app's Bearer token.
        clock: tells when X answers.
        authors: whether posts come with their authors.
        reposts: whether they come with the posts that they repeat.
    """

    def __init__(self, address: str, token: str, clock: Clock, *, authors: bool, reposts: bool) -> None:
        self.host = URL(address).authority
        self.proven = False
        """X has taken us as we are, so that a refusal is its own trouble and may pass."""
        self.ahead: timedelta | None = None
        """By how much X's clock is ahead of ours; None before it answered."""
        self._url = URL(address)
        self._clock = clock
        self._headers = {"Authorization": f"Bearer {token}"}
        self._shown = {"tweet.fields": WHAT_POSTS_SHOW}
        expanded = ["author_id"] * authors + ["referenced_tweets.id"] * reposts
        if expanded:
            self._shown |= {"expansions": ",".join(expanded)}
        if authors:
            self._shown |= {"user.fields": "public_metrics,username"}

    def now(self) -> datetime:
        """The present by X's clock."""
        return self._clock.now() + (self.ahead or timedelta())

    async def rules(self, session: aiohttp.ClientSession) -> list[Rule]:
        """All rules of the app, whosever they are.

        Raises:
            aiohttp.ClientError, OSError, SourceError: they are not to be had.
        """
        rules: list[Rule] = []
        token: str | None = None
        for _ in range(MAX_RULE_PAGES):
            answer = await self._ask(session, "GET", _RULES, {"pagination_token": token} if token else {})
            rules += [rule for one in listed(answer, "data") if (rule := rule_in(one)) is not None]
            token = token_in(answer)
            if token is None:
                break
        return rules

    async def add(
        self, session: aiohttp.ClientSession, rules: Sequence[Rule], *, dry_run: bool = False
    ) -> dict[str, Denied]:
        """Add rules, or only ask whether X would take them.

        Returns:
            Those that it does not take, by their value.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it answers otherwise.
        """
        denied: dict[str, Denied] = {}
        for first in range(0, len(rules), PAGE):
            body = {"add": [{"value": rule.value, "tag": rule.tag} for rule in rules[first : first + PAGE]]}
            try:
                answer = await self._ask(session, "POST", _RULES, {"dry_run": "true"} if dry_run else {}, body)
                denied |= denied_in(answer)
            except RefusalError as refusal:
                found = denied_in(refusal.body)
                if refusal.status != HTTPStatus.BAD_REQUEST or not found:
                    raise
                denied |= found
        return denied

    async def remove(self, session: aiohttp.ClientSession, rules: Sequence[Rule]) -> None:
        """Take rules away.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it does not come about.
        """
        for first in range(0, len(rules), PAGE):
            body = {"delete": {"ids": [rule.id for rule in rules[first : first + PAGE]]}}
            await self._ask(session, "POST", _RULES, {}, body)

    async def count(self, session: aiohttp.ClientSession, query: str) -> int:
        """How many posts of the last seven days match.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it is not to be had.
        """
        answer = await self._ask(session, "GET", "2/tweets/counts/recent", {"query": query, "granularity": "day"})
        if (total := count_in(answer)) is None:
            raise StrangeError(f"{self.host} answers with no count")
        return total

    async def search(
        self, session: aiohttp.ClientSession, query: str, since: datetime, until: datetime, token: str | None
    ) -> Page:
        """Posts of the last seven days that match, between two moments, newest first.

        Raises:
            aiohttp.ClientError, OSError, SourceError: they are not to be had.
        """
        asked = {"query": query, "start_time": stamp(since), "end_time": stamp(until), "max_results": str(PAGE)}
        asked |= self._shown | ({"next_token": token} if token else {})
        answer = await self._ask(session, "GET", "2/tweets/search/recent", asked)
        return Page(answer, token_in(answer))

    @asynccontextmanager
    async def stream(self, session: aiohttp.ClientSession, backfill_minutes: int) -> AsyncIterator[Stream]:
        """What matches the rules from now on.

        Raises:
            aiohttp.ClientError, OSError, SourceError: X will not send it.
        """
        asked = self._shown | ({"backfill_minutes": str(backfill_minutes)} if backfill_minutes else {})
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(CONNECT_SECONDS):
                response = await stack.enter_async_context(
                    session.get(
                        (self._url / _STREAM).with_query(asked),
                        headers=self._headers | _IDENTITY,
                        timeout=_ENDLESS,
                        allow_redirects=False,
                    )
                )
                await self._look_at(response)
            if response.content_type != "application/json":
                raise StrangeError(f"{self.host} answers with no stream of posts ({clean(response.content_type, 60)})")
            self.proven = True
            yield Stream(response, self.host)

    async def _ask(
        self, session: aiohttp.ClientSession, method: str, path: str, asked: Mapping[str, str], body: object = None
    ) -> Json:
        async with session.request(
            method,
            (self._url / path).with_query(asked),
            json=body,
            headers=self._headers,
            timeout=_ANSWER,
            allow_redirects=False,
        ) as response:
            await self._look_at(response)
            answer = json_in(await body_of(response))
        if not isinstance(answer, dict):
            raise StrangeError(f"{self.host} answers with no JSON object")
        return answer

    async def _look_at(self, response: aiohttp.ClientResponse) -> None:
        """Note the time that X has, and whether it gives what was asked for."""
        date = date_in(response.headers)
        if date is not None:
            self.ahead = date - self._clock.now()
        if response.status in {HTTPStatus.OK, HTTPStatus.CREATED}:
            return
        if "Location" in response.headers:
            where = clean(response.headers["Location"], 100)
            raise StrangeError(f"{self.host} sends us on to {where}, where the token must not go")
        wait = wait_in(response.headers) if response.status == HTTPStatus.TOO_MANY_REQUESTS else 0.0
        raise RefusalError(self.host, response.status, json_in(await response.content.read(1 << 16)), wait)


def open_session() -> aiohttp.ClientSession:
    """A session that says who asks."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), headers={"User-Agent": f"crisisdesk/{__version__}"}
    )
