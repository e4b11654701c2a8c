"""The desk's part of the address: its routes, and who is let in to each of them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk.records import Role, Visitor
from crisisdesk.server.access import Access
from crisisdesk.server.acting import Acting
from crisisdesk.server.answers import HEADERS, Handler, answer, in_json
from crisisdesk.server.auditing import Auditing
from crisisdesk.server.bodies import CONTENT, read_json
from crisisdesk.server.changes import Changes
from crisisdesk.server.health import Reason, healthz, readyz
from crisisdesk.server.looking import Looking
from crisisdesk.server.metrics import CONTENT_TYPE as METRICS
from crisisdesk.server.metrics import exposition
from crisisdesk.server.openapi import Schema, document
from crisisdesk.server.pictures import Pictures
from crisisdesk.server.routes import API, Route, check_query
from crisisdesk.server.stream import CONTENT_TYPE as STREAM
from crisisdesk.server.vitals import Vitals

LOOK_EVERY: Final = 1.0
"""Seconds between two looks whether whoever has a stream open would still be let in."""
ANYBODY: Final = Visitor("", Role.VIEWER)


class Site:
    """All that can be asked of one desk.

    Args:
        access: lets in.
        auditing: writes down who asked for what.
        looking: shows.
        acting: does.
        changes: tells of changes as they happen.
        pictures: shows consoles what happens.
        vitals: says how the desk is doing.
    """

    def __init__(
        self,
        access: Access,
        auditing: Auditing,
        *,
        looking: Looking,
        acting: Acting,
        changes: Changes,
        pictures: Pictures,
        vitals: Callable[[], Vitals],
    ) -> None:
        self.access: Final = access
        self._auditing = auditing
        self._looking = looking
        self._acting = acting
        self._changes = changes
        self._pictures = pictures
        self._vitals = vitals
        self._closing = asyncio.Event()

    def routes(self) -> Iterable[Route]:
        """The table."""
        yield from self._looking.routes()
        yield from self._acting.routes()
        yield Route("GET", f"{API}/stream", "Every change of every incident, as it happens", Role.VIEWER,
                    self._stream_changes, STREAM,
                    query={"after": ("The id of the change that was seen last.", {"type": "string"})},
                    note="Server-sent events: `change`, whose data are the CloudEvent of `/event` over MQTT and whose "
                    "id is that of the change. Send the last one as `Last-Event-ID` to go on behind it, also after a "
                    "restart of the desk; `reset` says that it is not known.")  # fmt: skip
        yield Route("GET", f"{API}/picture", "The desk as a console shows it", Role.VIEWER, self._show, STREAM,
                    note="For consoles of the same version; its content is no promise.")  # fmt: skip
        yield Route("GET", "/healthz", "Whether the desk answers", None, self._healthz, {"status": str})
        ready = {"status": str, "reasons": list[Reason]}
        yield Route("GET", "/readyz", "Whether it hears, judges and remembers", None, self._readyz, ready,
                    note="503 where it does not; `reasons` says why.")  # fmt: skip
        about = f"{API}/openapi.json"
        yield Route("GET", about, "This document", Role.VIEWER, self._document, "application/json")
        yield Route("GET", "/metrics", "Figures for Prometheus", Role.VIEWER, self._metrics, METRICS)

    def application(self) -> web.Application:
        """What answers; other routes may be added to it."""
        application = web.Application(middlewares=[in_json, self._auditing.record])
        for route in self.routes():
            application.router.add_route(route.method, route.path, self._handler(route))
            if route.role is None:  # many probes ask for the head alone
                application.router.add_route("HEAD", route.path, self._handler(route))
        application.on_startup.append(self._open)
        application.on_shutdown.append(self._close)
        return application

    def _handler(self, route: Route) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = ANYBODY if route.role is None else await self.access.admit(request, route.role)
            check_query(request, route)
            if route.body is not None:
                request[CONTENT] = await read_json(request)
                await self.access.confirm(visitor)
            return await route.do(request, visitor)

        return handle

    async def _open(self, _: web.Application) -> None:
        self._closing.clear()
        self._pictures.open()

    async def _close(self, _: web.Application) -> None:
        self._closing.set()
        self._changes.wake()
        self._pictures.close()

    @asynccontextmanager
    async def _streaming(self, request: web.Request, visitor: Visitor) -> AsyncIterator[Callable[[], bool]]:
        """Inside, a stream is open; what it yields says whether it has to end. Who does not read so far is cut off."""
        over = asyncio.Event()

        async def watch() -> None:
            try:
                while not self._closing.is_set() and await self.access.still(visitor):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_EVERY):
                            await self._closing.wait()
            finally:
                over.set()
            await asyncio.sleep(LOOK_EVERY * 1.5)  # streams look every second whether they have to end
            if request.transport is not None:
                request.transport.abort()

        async with self.access.streaming(visitor):
            watching = asyncio.create_task(watch())
            try:
                yield lambda: self._closing.is_set() or over.is_set()
            finally:
                watching.cancel()

    async def _stream_changes(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        async with self._streaming(request, visitor) as ended:
            return await self._changes.answer(request, ended)

    async def _show(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        async with self._streaming(request, visitor) as ended:
            return await self._pictures.answer(request, ended)

    async def _healthz(self, _: web.Request, __: Visitor) -> web.Response:
        return answer(*healthz())

    async def _readyz(self, _: web.Request, __: Visitor) -> web.Response:
        return answer(*readyz(self._vitals()))

    async def _document(self, _: web.Request, __: Visitor) -> web.Response:
        return answer(HTTPStatus.OK, self._described)

    @cached_property
    def _described(self) -> Schema:
        """The same for as long as the desk runs, and much work."""
        return document(self.routes())

    async def _metrics(self, _: web.Request, __: Visitor) -> web.Response:
        body = await exposition(self._vitals())
        return web.Response(status=HTTPStatus.OK, body=body, headers={**HEADERS, "Content-Type": METRICS})
