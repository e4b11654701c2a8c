"""A watch that is new learns from what was said before the desk began, where a network keeps that for a while.

Meanwhile it is watched as any new watch. When its past has been read, it knows what is usual; what it counts begins
with the desk all the same, so that nothing is counted twice, and nothing of the past is shown or kept.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from crisisdesk.engine.observation import Observation
from crisisdesk.engine.spoken import Languages
from crisisdesk.match import Matcher
from crisisdesk.records import Correction, Mention, Post, Scored
from crisisdesk.sources.base import Recalling
from crisisdesk.text import counted, unforeseen

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

    async def room(self) -> None: ...

    async def keep(self, posts: Sequence[Post]) -> None:
        for post in posts:
            await self.send(post)

    async def correct(self, correction: Correction) -> None:
        for key in [key for key, one in self._mentions.items() if one.post.is_meant(correction)]:
            if correction.text is None:
                del self._mentions[key]

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
        observation: whose watches learn.
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

        Where it cannot be read they learn from the present, as any new watch, and that is told.
        """
        past, who = Past(self._matcher), _some(self.watches)
        where = " and ".join(source.name for source in sources)
        hours = counted(max(source.history for source in sources) // timedelta(hours=1), "hour")
        self._tell(f"{who}: new, so the desk learns what {where} still has of the last {hours}, once it can be had.")
        troubles = await asyncio.gather(*(self._read(source, past, now) for source in sources))
        scored = await self._scored(past.mentions())
        by_watch: dict[str, list[Scored]] = {watch: [] for watch in self.watches}
        for one in scored:
            for watch in one.mention.watches:
                by_watch[watch].append(one)
        for watch, own in by_watch.items():
            await self._observation.teach(watch, own)
        missing = " ".join(filter(None, troubles))
        if missing:
            self._observation.without_past.update(self.watches)  # the next start tries again
        what = f"{who}: not all that was said before could be read, so the usual is learnt as it comes. {missing}"
        self._tell(what if missing else "")

    async def _read(self, source: Recalling, past: Past, now: datetime) -> str:
        """Gather what one network has; what went wrong, if that was not all."""
        try:
            await source.recall(now - source.history, now).run(past)
        except Exception as error:  # noqa: BLE001  what is wrong with the past of one network stops no desk
            return unforeseen(error)
        return ""

    async def _scored(self, mentions: Sequence[Mention]) -> list[Scored]:
        scored: list[Scored] = []
        for first in range(0, len(mentions), AT_ONCE):
            scored += await self._judge([await self._languages.told(one) for one in mentions[first : first + AT_ONCE]])
        return scored


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
