"""A source at work on a broker, and others who publish there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice, repeat
from typing import Any

import aiomqtt
import pytest
from edges import Taken

from crisisdesk.errors import FatalSourceError
from crisisdesk.mqtt import Broker
from crisisdesk.records import SourceStatus
from crisisdesk.sources.mqtt import MqttSource


@dataclass
class Hands:
    """A clock that shows what it is set to."""

    moment: datetime = datetime(2008, 11, 15, 12, 40, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    async def sleep_until(self, moment: datetime) -> None:
        raise AssertionError(f"nothing here waits on the desk's clock, least of all until {moment}")


@dataclass
class Listener:
    """A source at work on a broker, and what it has handed over."""

    source: MqttSource
    edge: Taken
    clock: Hands

    async def shows(self, condition: Callable[[SourceStatus], bool], seconds: float = 10) -> SourceStatus:
        """Return when the source's status, which people look at now and then, looks like this."""
        async with asyncio.timeout(seconds):
            while not condition(status := self.source.status()):  # noqa: ASYNC110 - a status is looked at, it does not call
                await asyncio.sleep(0.01)
        return status

    async def is_live(self) -> None:
        await self.shows(lambda status: status.state == "live")

    async def has(self, *ids: str) -> None:
        """Return when exactly these have come, some perhaps more than once."""
        await self.edge.until(lambda: {post.id for post in self.edge.posts} >= set(ids))
        assert {post.id for post in self.edge.posts} == set(ids)


@contextlib.asynccontextmanager
async def _listener(
    port: int,
    *topics: str,
    edge: Taken | None = None,
    client_id: str = "crisisdesk-acme-mqtt",
    cursor: str | None = None,
    **details: Any,
) -> AsyncIterator[Listener]:
    broker = replace(Broker("127.0.0.1", port, timeout=1.0), **details)
    clock = Hands()
    source = MqttSource(broker, topics or ("posts/#",), clock, client_id=client_id, waits=lambda: repeat(0.02))
    if cursor is not None:
        source.resume(cursor)
    listener = Listener(source, edge or Taken(), clock)
    running = asyncio.create_task(source.run(listener.edge))
    try:
        yield listener
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled() and not isinstance(running.exception(), FatalSourceError):
            running.result()


@pytest.fixture
def listener() -> Callable[..., contextlib.AbstractAsyncContextManager[Listener]]:
    return _listener


async def _publish(port: int, topic: str, payloads: Iterable[bytes], qos: int = 1, *, retain: bool = False) -> None:
    """Publish as others do; the broker has acknowledged all when this returns."""
    async with aiomqtt.Client("127.0.0.1", port, max_inflight_messages=1_000) as client:
        client.pending_calls_threshold = 100_000
        for some in batched(payloads, 500):
            await asyncio.gather(*(client.publish(topic, one, qos=qos, retain=retain) for one in some))


def batched(items: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    remaining = iter(items)
    while some := list(islice(remaining, size)):
        yield some


@pytest.fixture
def publish() -> Callable[..., Any]:
    return _publish
