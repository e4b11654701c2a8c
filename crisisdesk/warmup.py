"""A watch that is new learns from what was said before the desk began, where a network keeps that for a while.

Meanwhile it is watched as any new watch. When its past has been read, it begins afresh with it, and hears once more
what it has heard since.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.errors import FatalSourceError
from crisisdesk.match import Matcher
from crisisdesk.observation import Observation
from crisisdesk.records import Correction, Mention, Post, Scored
from crisisdesk.sources.base import Recalling
from crisisdesk.spoken import Languages
from crisisdesk.text import counted

MOST: Final = 100_000
"""Mentions of the past that are read; of more, the newest."""
NAMED: Final = 3
"""Watches that are named where many are new."""
AT_ONCE: Final = 64
"""Mentions that are judged at once: what is said now must not wait for the past."""


class Past:
    """An edge that gathers concerns some watches; see `crisisdesk.sources.base.Edge`."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._mentions: dict[str, Mention] = {}

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:  # noqa: ARG002  as every edge
        return self._matcher.watches_in(text)

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        watches = self._matcher.match(post) if watches is None else watches
        if watches and post.key not in self._mentions:
            self._mentions[post.key] = Mention(post, watches)
            if len(self._mentions) > MOST:
                del self._mentions[next(iter(self._mentions))]

    async def keep(self, posts: Sequence[Post]) -> None:
        for post in posts:
            await self.send(post)

    async def correct(self, correction: Correction) -> None:
        self._mentions.pop(correction.key, None)

    def mentions(self) -> list[Mention]:
        """What was gathered, in the order of time."""
        return sorted(self._mentions.values(), key=lambda mention: mention.post.time)


class WarmUp:
    """Reads the past of new watches beside the present.

    Args:
        matcher: of the new watches alone.
        watches: their names.
        languages: tells those of posts without a mark.
        judge: scores mentions, as soon as there is a model.
        observation: gets the watches as they are with their past.
        tell: told what is being done, in a sentence; an empty one when it is over.
    """

    def __init__(
        self,
        matcher: Matcher,
        watches: Sequence[str],
        *,
        languages: Languages,
        judge: Callable[[Sequence[Mention]], Awaitable[Sequence[Scored]]],
        observation: Observation,
        tell: Callable[[str], None],
    ) -> None:
        self.watches = tuple(watches)
        self._matcher = matcher
        self._languages = languages
        self._judge = judge
        self._observation = observation
        self._tell = tell

    async def run(self, sources: Sequence[Recalling], now: datetime) -> None:
        """Read what the sources' networks still have, to the moment `now`; then the watches know what is usual.

        Where it cannot be read they go on learning from the present, and that is told.
        """
        past, who = Past(self._matcher), _some(self.watches)
        where = " and ".join(source.name for source in sources)
        hours = counted(max(source.history for source in sources) // timedelta(hours=1), "hour")
        self._tell(f"{who}: new, so the desk reads what was said in the last {hours} on {where}. It listens meanwhile.")
        try:
            await asyncio.gather(*(source.recall(now - source.history, now).run(past) for source in sources))
        except FatalSourceError as error:
            self._observation.let_go(self.watches)
            self._tell(f"{who}: what was said before now cannot be read, so the usual is learnt as it comes. {error}")
            return
        scored = await self._scored(past.mentions())
        for watch in self.watches:
            await self._observation.begin_with(watch, [one for one in scored if watch in one.mention.watches])
        self._tell("")

    async def _scored(self, mentions: Sequence[Mention]) -> list[Scored]:
        scored: list[Scored] = []
        for first in range(0, len(mentions), AT_ONCE):
            scored += await self._judge([await self._languages.told(one) for one in mentions[first : first + AT_ONCE]])
        return scored


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
