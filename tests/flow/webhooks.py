"""A webhook behind a real listener, its senders, and what they get back."""

import asyncio
import hashlib
import hmac
import itertools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import aiohttp
import orjson
from edges import Taken

from crisisdesk.net.signing import HEADER
from crisisdesk.server.http import Listener
from crisisdesk.settings import Address
from crisisdesk.sources.webhook.signature import Keys
from crisisdesk.sources.webhook.source import Webhook

NOW = datetime(2026, 5, 25, 14, 2, tzinfo=UTC)
SECRET = "correct horse battery staple"  # noqa: S105 - not one
TOKEN = "a token of more than sixteen"  # noqa: S105 - not one
POST = {"id": "7", "time": "2026-05-25T13:40:00Z", "text": "never again #acme", "author": "anna"}


@dataclass
class SetClock:
    """Shows what it is set to."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def passes(self, **span: float) -> None:
        self.moment += timedelta(**span)

    async def sleep_until(self, moment: datetime) -> None:
        self.moment = max(self.moment, moment)


@dataclass
class Got:
    """An answer."""

    status: int
    content: dict[str, object]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def error(self) -> str:
        return str(self.content["error"])


@dataclass
class Served:
    """A running webhook and one who sends to it."""

    webhook: Webhook
    listener: Listener
    edge: Taken
    clock: SetClock
    session: aiohttp.ClientSession

    @property
    def url(self) -> str:
        return f"http://{self.listener.address}/ingest/{self.webhook.name}"

    async def send(self, content: object = None, *, url: str = "", method: str = "POST", **headers: str) -> Got:
        """Send bytes as they are and anything else as JSON; underscores in names of headers are hyphens."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        named = {"Content-Type": "application/json"} | {key.replace("_", "-"): headers[key] for key in headers}
        async with self.session.request(method, url or self.url, data=body, headers=named) as answer:
            return Got(answer.status, await answer.json(), answer.headers)

    async def signed(self, content: object, moment: datetime | None = None, secret: str = SECRET) -> Got:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.send(body, **{HEADER: signature(body, moment or self.clock.now(), secret)})

    async def raw(self, *pieces: bytes, seconds: float = 5.0) -> bytes:
        """What comes back for these bytes, until the other side closes."""
        reader, writer = await asyncio.open_connection(*self.listener.address)
        try:
            async with asyncio.timeout(seconds):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.02)  # so that each comes alone
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


def signature(body: bytes, moment: datetime, *secrets: str) -> str:
    """As the README says: one v1 for each secret."""
    t = int(moment.timestamp())
    digests = (hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest() for secret in secrets)
    return ",".join(itertools.chain((f"t={t}",), (f"v1={digest}" for digest in digests)))


def request(body: bytes, name: str = "suite", *, size: int | None = None, headers: str = "") -> bytes:
    """A whole request, byte by byte ours; `size` is what it claims."""
    head = f"POST /ingest/{name} HTTP/1.1\r\nHost: desk\r\nContent-Length: {len(body) if size is None else size}\r\n"
    return (head + headers + "\r\n").encode() + body


@asynccontextmanager
async def serving(
    keys: Keys | None = None,
    *,
    edge: Taken | None = None,
    listener: Listener | None = None,
    name: str = "suite",
    **options,
) -> AsyncIterator[Served]:
    """A webhook that runs until the end."""
    listener = listener or Listener(Address("127.0.0.1", 0))
    edge, clock = edge or Taken(), SetClock()
    webhook = Webhook(name, listener, clock, keys or Keys(), **options)
    running = asyncio.create_task(webhook.run(edge))
    async with asyncio.timeout(5):
        while webhook.status().state != "live":  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.001)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        try:
            yield Served(webhook, listener, edge, clock, session)
        finally:
            await session.close()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
