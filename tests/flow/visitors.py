"""A server that lets visitors in as the desk does, and those who come."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web
from webhooks import Got, SetClock

from crisisdesk.records import Role
from crisisdesk.server.access import VISITOR, Access, Limits
from crisisdesk.server.answers import answer, in_json, secured
from crisisdesk.server.auditing import Auditing
from crisisdesk.server.bodies import read_json
from crisisdesk.server.tokens import Tokens
from crisisdesk.storage.audit import Audit


@dataclass
class Door:
    """A running server and one who comes to it."""

    access: Access
    tokens: Tokens
    clock: SetClock
    session: aiohttp.ClientSession
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, role: Role = Role.RESPONDER, person: str = "Anna Berg", **options) -> str:
        """A new token, which the server has seen."""
        _, text = Tokens(self.tokens.path, self.clock).create(person, role, **options)
        self.clock.passes(seconds=1)
        return text

    async def get(self, path: str = "/viewer", token: str = "", **headers: str) -> Got:
        return await self.ask("GET", path, token, None, **headers)

    async def post(self, content: bytes = b"{}", token: str = "", path: str = "/act", **headers: str) -> Got:
        return await self.ask("POST", path, token, content, **({"Content_Type": "application/json"} | headers))

    async def ask(self, method: str, path: str, token: str, content: bytes | None, **headers: str) -> Got:
        """Underscores in names of headers are hyphens."""
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        bearer = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.request(method, self.url + path, data=content, headers=bearer | named) as got:
            return Got(got.status, await got.json(), got.headers)

    async def raw(self, request: str, seconds: float = 5.0) -> bytes:
        """What comes back for these bytes, until the other side closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            async with asyncio.timeout(seconds):
                writer.write(request.encode())
                return await reader.read()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@asynccontextmanager
async def letting_in(
    folder: Path, limits: Limits | None = None, *, body_seconds: float = 30.0, audit: Audit | None = None
) -> AsyncIterator[Door]:
    """A server until the end: `/viewer` and so on say who came, `/act` takes JSON, `/stream` goes on and on."""
    clock = SetClock()
    tokens = Tokens(folder / "acme.tokens", clock)
    tokens.look()
    access = Access(tokens, clock, limits or Limits())

    async def who(request: web.Request) -> web.Response:
        visitor = await access.admit(request, Role[request.path.strip("/").upper()])
        assert request[VISITOR] == visitor
        return answer(200, {"person": visitor.person, "role": str(visitor.role), "token": visitor.token})

    async def act(request: web.Request) -> web.Response:
        visitor = await access.admit(request, Role.RESPONDER)
        return answer(200, {"person": visitor.person, "asked": await read_json(request, seconds=body_seconds)})

    async def stream(request: web.Request) -> web.StreamResponse:
        visitor = await access.admit(request, Role.VIEWER)
        async with access.streaming(visitor):
            response = web.StreamResponse()
            await response.prepare(request)
            with suppress(ConnectionError):  # whoever listened is gone
                while await access.still(visitor):
                    await response.write(b":\n")
                    await asyncio.sleep(0.02)
            return response

    async def fail(request: web.Request) -> web.Response:
        await access.admit(request, Role.RESPONDER)
        raise web.HTTPInternalServerError

    recorded = [Auditing(audit, tokens, clock).record] if audit else []
    application = web.Application(middlewares=[in_json, *recorded])
    application.on_response_prepare.append(secured)
    application.add_routes([web.get(f"/{role}", who) for role in Role])
    application.add_routes(
        [web.post("/act", act), web.post("/act/{incident}", act), web.post("/fails", fail), web.get("/stream", stream)]
    )
    runner = web.AppRunner(application, access_log=None, lingering_time=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        try:
            yield Door(access, tokens, clock, session, port)
        finally:
            await session.close()
            await runner.cleanup()


def spread(headers: Mapping[str, str]) -> str:
    """Headers as they travel."""
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
