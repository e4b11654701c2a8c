"""An edge that takes what a source hands over, for tests of sources alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import pytest

from crisisdesk.errors import FatalSourceError, StorageError
from crisisdesk.records import Correction, Post
from crisisdesk.sources.base import Source


class Taken:
    """Everything that a source has handed over, in order.

    Args:
        terms: words that concern the one watch; without them every post does.
        wait: called with each post that is sent, before it is taken.
    """

    def __init__(self, terms: Sequence[str] = (), wait: Callable[[Post], Awaitable[None]] | None = None) -> None:
        self.posts: list[Post] = []
        self.corrections: list[Correction] = []
        self.asked_for_room = 0
        self.full = False
        """Whether nothing can be written down."""
        self._terms = terms
        self._wait = wait
        self._more = asyncio.Condition()

    def concerns(self, text: str, author: str | None = None) -> tuple[str, ...]:  # noqa: ARG002  as every edge
        return ("Brand",) if not self._terms or any(term in text.casefold() for term in self._terms) else ()

    async def send(self, post: Post, watches: tuple[str, ...] | None = None) -> None:
        if self._wait:
            await self._wait(post)
        if watches if watches is not None else self.concerns(post.text, post.author):
            async with self._more:
                self.posts.append(post)
                self._more.notify_all()

    async def room(self) -> None:
        self.asked_for_room += 1

    async def keep(self, posts: Sequence[Post]) -> None:
        if self.full:
            raise StorageError("The disk is full; make room.")
        for post in posts:
            await self.send(post)

    async def correct(self, correction: Correction) -> None:
        async with self._more:
            self.corrections.append(correction)
            self._more.notify_all()

    @property
    def texts(self) -> list[str]:
        return [post.text for post in self.posts]

    async def until(self, enough: Callable[[], bool], seconds: float = 20.0) -> None:
        """Return when `enough`, which is asked whenever something has come."""
        async with asyncio.timeout(seconds), self._more:
            await self._more.wait_for(enough)


@asynccontextmanager
async def running(source: Source, edge: Taken) -> AsyncIterator[None]:
    task = asyncio.create_task(source.run(edge))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, FatalSourceError):
            await task


async def until(enough: Callable[[], object], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not enough():  # noqa: ASYNC110  what a status says is not told by any event
            await asyncio.sleep(0.005)


async def fails(source: Source) -> str:
    """What it says when it gives up."""
    with pytest.raises(FatalSourceError) as failed:
        async with asyncio.timeout(10):
            await source.run(Taken())
    assert source.status().state == "failed"
    assert source.status().trouble == str(failed.value)
    return str(failed.value)


async def ends_while_it_breaks(source: Source, listened: Awaitable[object], cut: Awaitable[object], steps: int) -> None:
    """It ends when it is told to, also so many steps after its line was cut."""
    task = asyncio.create_task(source.run(Taken()))
    await listened
    await cut
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=2)
    assert done, "it has not gone on"
    assert task.cancelled()
