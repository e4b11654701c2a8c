"""A source of the past ends where the present began, however it gets there."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from edges import Taken

from crisisdesk.errors import FatalSourceError
from crisisdesk.records import Post, SourceStatus
from crisisdesk.sources.base import Edge
from crisisdesk.sources.recalled import Recalled

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)


class Network:
    """Sends a post a minute up to an end, then nothing more, or fails."""

    name, pushes, resumes, cursor = "net", True, True, None

    def __init__(self, end: datetime, *, late: float = 0.0, fails: bool = False) -> None:
        self._end, self._late, self._fails = end, late, fails
        self._status = SourceStatus("net", "connecting")

    def resume(self, cursor: str) -> None: ...

    def status(self) -> SourceStatus:
        return self._status

    async def run(self, edge: Edge) -> None:
        await asyncio.sleep(self._late)
        if self._fails:
            raise FatalSourceError("mend 'url'")
        moment, sent = NOON - timedelta(hours=1), 0
        while moment < self._end:
            await edge.send(Post(str(sent), "net", moment, "a"))
            sent, moment = sent + 1, moment + timedelta(minutes=1)
            self._status = SourceStatus("net", "live", events=sent, posts=sent, latest=moment)
            await asyncio.sleep(0)
        await asyncio.Event().wait()


async def test_it_ends_at_its_moment_though_the_source_goes_on():
    taken = Taken()
    async with asyncio.timeout(5):
        await Recalled(Network(NOON + timedelta(days=1)), NOON, quiet=5).run(taken)
    assert {post.time for post in taken.posts} >= {NOON - timedelta(minutes=n) for n in range(1, 61)}


async def test_it_ends_where_there_is_nothing_more_but_not_while_nothing_has_come():
    taken = Taken()
    async with asyncio.timeout(5):
        await Recalled(Network(NOON - timedelta(minutes=30), late=0.9), NOON, quiet=0.5).run(taken)
    assert len(taken.posts) == 30


async def test_it_fails_as_its_source_does():
    with pytest.raises(FatalSourceError, match="mend"):
        await Recalled(Network(NOON, fails=True), NOON, quiet=5).run(Taken())
