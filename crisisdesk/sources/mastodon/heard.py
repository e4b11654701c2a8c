"""What was said on a Mastodon server: sent once if it concerns a watch, corrected as its author wants it."""

import asyncio
from collections import OrderedDict
from contextlib import suppress
from datetime import datetime
from typing import Final

from crisisdesk.errors import InputError
from crisisdesk.records import Correction, Post
from crisisdesk.sources.base import Edge
from crisisdesk.sources.mastodon.posts import (
    SOURCE,
    Json,
    author_of,
    id_of,
    is_public,
    local_id,
    post_of,
    time_of,
    words_of,
)
from crisisdesk.sources.mastodon.server import Server

REMEMBERED: Final = 20_000
"""Statuses that are known to have been sent, and posts that concern a watch, newest kept."""


def concerning(status: Json, time: datetime, domain: str, edge: Edge) -> tuple[Post, tuple[str, ...]] | None:
    """The post that a status is and the watches that it concerns; None where it concerns none, or not everybody.

    Raises:
        InputError: it is not of the protocol.
    """
    if not is_public(status):
        return None
    text = words_of(status)
    watches = edge.concerns(text, author_of(status, domain))
    return (post_of(status, text, time, domain), watches) if watches and text else None


class Heard:
    """What has been heard, as far as it is remembered.

    What comes now and what was missed are taken in by turns, so that each is known to the other.

    Args:
        server: the home server, whose domain its own users' names lack.
    """

    def __init__(self, server: Server) -> None:
        self.posts = 0
        """What was said, whatever it concerns."""
        self._server = server
        self._turns = asyncio.Lock()
        self._settled: OrderedDict[str, bool] = OrderedDict()
        """Statuses that need not be sent any more, by their ids; whether they are taken back."""
        self._sent: OrderedDict[str, str] = OrderedDict()
        """The ids of the posts that concern a watch, by those of their statuses."""
        self._recalled: dict[str, str] = {}
        """The same of posts that an earlier run may have sent, whatever they concern."""

    async def say(self, status: Json, time: datetime, edge: Edge) -> None:
        """Send what was said, once.

        Raises:
            InputError: it is not of the protocol.
        """
        which = local_id(status.get("id"))
        async with self._turns:
            if which not in self._settled:
                self.posts += 1
                await self._offer(which, status, time, edge)
                self._settle(which)

    async def change(self, status: Json, arrival: datetime, edge: Edge) -> None:
        """It reads otherwise now, and may concern a watch only now.

        Raises:
            InputError: it is not of the protocol.
        """
        which, text = local_id(status.get("id")), words_of(status)
        async with self._turns:
            if self._settled.get(which):
                return
            await edge.correct(Correction(SOURCE, id_of(status, self._server.domain), text))
            if which not in self._sent:
                await self._offer(which, status, time_of(status, arrival, is_new=False), edge)
            self._settle(which)

    async def erase(self, which: str, edge: Edge) -> None:
        """Its author has taken it back. It may come yet, in a page that was asked for before."""
        async with self._turns:
            post = self._sent.pop(which, None) or self._recalled.pop(which, None)
            if post is not None:
                await edge.correct(Correction(SOURCE, post))
            self._settle(which, is_gone=True)

    def recollect(self, status: Json) -> None:
        """An earlier run may have sent it, and who takes it back will name no more than its id."""
        with suppress(InputError):
            self._recalled[local_id(status.get("id"))] = id_of(status, self._server.domain)

    async def _offer(self, which: str, status: Json, time: datetime, edge: Edge) -> None:
        if (post := concerning(status, time, self._server.domain, edge)) is not None:
            self._sent[which] = post[0].id
            if len(self._sent) > REMEMBERED:
                self._sent.popitem(last=False)
            await edge.send(*post)

    def _settle(self, which: str, *, is_gone: bool = False) -> None:
        self._settled[which] = is_gone
        if len(self._settled) > REMEMBERED:
            self._settled.popitem(last=False)
