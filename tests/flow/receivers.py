"""A server that a desk posts its changes to, well or faulty, and the desk's side of it."""

import asyncio
import contextlib
import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiohttp import web
from webhooks import NOW, SECRET, SetClock

from crisisdesk.clock import WallClock
from crisisdesk.incidents.lifecycle import Rules
from crisisdesk.incidents.register import Register
from crisisdesk.outputs.deliver import Delivery
from crisisdesk.outputs.webhook.line import Receiver
from crisisdesk.outputs.webhook.output import WebhookOutput
from crisisdesk.records import (
    Change,
    Event,
    Incident,
    Kind,
    Notification,
    Numbers,
    OutputStatus,
    Severity,
    Spike,
    State,
)
from crisisdesk.storage.store import Store

NUMBERS = Numbers(60, 12, 20, 1.5, 11, 0.6, 0.2, 1e-6)
INCIDENT = Incident("acme-1", "Acme", Kind.SPIKE, State.OPEN, Severity.AMBER, NOW, NOW, NUMBERS, "12 negative")

Doing = Callable[[web.Request], Awaitable[web.StreamResponse]]


def told(sequence: int = 1, incident: Incident = INCIDENT) -> Notification:
    return Notification(Change(incident.id, sequence, Event.OPENED, NOW, incident.severity), incident)


@dataclass(frozen=True)
class Got:
    """A request as it came."""

    method: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return orjson.loads(self.body)


@dataclass
class Server:
    """What it does with each request stands in `doing`; the last one holds for all further."""

    doing: list[Doing]
    got: list[Got] = field(default_factory=list)
    port: int = 0
    tls: ssl.SSLContext | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hook"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Got(request.method, dict(request.headers), await request.read()))
        return await (self.doing.pop(0) if len(self.doing) > 1 else self.doing[0])(request)

    async def start(self) -> None:
        application = web.Application(client_max_size=1 << 24)
        application.router.add_route("*", "/{path:.*}", self.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls, reuse_address=True)
        await site.start()
        (address,) = self._runner.addresses
        self.port = address[1]

    async def stop(self) -> None:
        await self._runner.cleanup()
        await asyncio.sleep(0)  # so that its connections are closed, not only about to be


@asynccontextmanager
async def serving(*doing: Doing, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    server = Server([*doing] or [says(204)], tls=tls)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def says(status: int = 200, text: str = "", **headers: str) -> Doing:
    """An answer; underscores in names of headers are hyphens."""
    named = {key.replace("_", "-"): value for key, value in headers.items()}

    async def do(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text or None, headers=named)

    return do


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits for so long")


async def hangs_up(request: web.Request) -> web.StreamResponse:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    """200, and then only a part of what it has promised."""
    answer = web.StreamResponse(headers={"Content-Length": "1000"})
    await answer.prepare(request)
    await answer.write(b"thanks")
    assert request.transport
    request.transport.close()
    return answer


async def drips(request: web.Request) -> web.StreamResponse:
    """200, and then a byte now and then, for ever."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b".")
        await asyncio.sleep(0.02)


@asynccontextmanager
async def raw(bytes_sent: bytes) -> AsyncIterator[int]:
    """A server that says this to the one who comes and hangs up."""
    over = asyncio.Event()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]))
        writer.write(bytes_sent)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    async with await asyncio.start_server(say, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
        await asyncio.wait_for(over.wait(), 5)


@dataclass
class Pours:
    """An answer without an end."""

    status: int = 200
    written: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(status=self.status, headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        try:
            while True:
                await answer.write(b"x" * 65_536)
                self.written += 65_536
        finally:
            self.ended.set()


def output_to(url: str, *, secret: str | None = SECRET, seconds: float = 5.0, **known: Any) -> WebhookOutput:
    """An output that talks to a server; `known` goes to its Receiver."""
    receiver = Receiver(url, "hooks.example", secret=secret, **known)
    return WebhookOutput(receiver, desk="acme", clock=SetClock(), name="suite", seconds=seconds)


@dataclass
class Desk:
    """A register whose changes go to one receiver."""

    register: Register
    store: Store
    delivery: Delivery
    minutes: int = 0

    async def change(self, watch: str) -> str:
        """The next thing happens to the watch's incident; returns the id of the change."""
        self.minutes += 1
        moment = NOW.replace(hour=0) + self.minutes * (NOW - NOW.replace(minute=NOW.minute - 1))
        if open_one := self.register.open_for(watch):
            await self.register.note(open_one.id, "Ann", f"still at it {self.minutes}", moment)
            return (await self.register.timeline(open_one.id))[-1].id
        (one,) = await self.register.witness(Spike(watch, Kind.SPIKE, moment, Severity.AMBER, NUMBERS, "12 negative"))
        return one.change.id

    async def shows(self, condition: Callable[[OutputStatus], bool], seconds: float = 10) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self.delivery.status()):  # noqa: ASYNC110 - a status is looked at, it does not call
                await asyncio.sleep(0.01)


@asynccontextmanager
async def desk_to(output: WebhookOutput, folder: Path) -> AsyncIterator[Desk]:
    """A desk; it leaves in order at the end of the block."""
    async with await Store.open(folder / "desk.db", durable=False) as store:
        delivery = Delivery(store, output, WallClock(), waits=lambda: repeat(0.02), flush_seconds=2)
        register = Register(store, Rules(), lambda _: None, (output.name,), listeners=(delivery.wake,))
        await register.load()
        running = asyncio.create_task(delivery.run())
        try:
            yield Desk(register, store, delivery)
        finally:
            delivery.stop()
            await asyncio.wait_for(running, 5)


def certificate(folder: Path, name: str = "127.0.0.1", *, days: int = 2) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself, and a server's side of it."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)("OPENSSL IS NOT INSTALLED")
    (folder / "names").write_text(f"subjectAltName={'IP' if name[0].isdigit() else 'DNS'}:{name}\n")
    new = (
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        "key",
        "-out",
        "csr",
    )
    vouch = ("x509", "-req", "-in", "csr", "-signkey", "key", "-days", str(days), "-extfile", "names", "-out", "pem")
    for arguments in ((*new, "-subj", f"/CN={name}"), vouch):
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "pem", folder / "key")
    return folder / "pem", context


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])
