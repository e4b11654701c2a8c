"""The desk's one address: opened by the first who needs it, closed by the last."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, cast

from aiohttp import web

from crisisdesk.errors import FatalSourceError, SourceError
from crisisdesk.server.answers import in_json, secured
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.connection import Connection
from crisisdesk.server.door import Door
from crisisdesk.server.intake import BODY_SECONDS, PATH, Intake
from crisisdesk.server.site import Site
from crisisdesk.settings.server import Address
from crisisdesk.sources.webhook.source import Webhook

HEAD_SECONDS: Final = 30.0
"""How long a connection may take to send the headers of a request, the next one too, and to read an answer."""
CLOSE_SECONDS: Final = 2.0
"""How long the end waits for answers to go out."""

_CURES: Final = {
    errno.EADDRINUSE: "another programme has it; stop that, or write another port",
    errno.EADDRNOTAVAIL: "this machine has no such address; connect its network, or write another address",
    errno.EACCES: "ports below 1024 are for administrators; write another port",
}


class Listener:
    """Listens while somebody needs it.

    Args:
        address: where; port 0 is any that is free.
        certificate: for https; None for http.
        any_port: another port will do, where another programme has this one.
        head_seconds: how long the headers of a request may take to come.
        body_seconds: the same of its body.
    """

    def __init__(
        self,
        address: Address,
        certificate: Certificate | None = None,
        *,
        any_port: bool = False,
        head_seconds: float = HEAD_SECONDS,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self.address = address
        self._certificate = certificate
        self._any_port = any_port
        self._head_seconds = head_seconds
        self._intake = Intake(body_seconds)
        self._site: Site | None = None
        self._changing = asyncio.Lock()
        self._needed = 0

    @property
    def is_encrypted(self) -> bool:
        """Whether it is https."""
        return self._certificate is not None

    @property
    def bound(self) -> Address:
        """Where it is while it is open, by numbers."""
        return self._door.bound

    def offer(self, site: Site) -> None:
        """Answer for a desk, too, from the next opening on."""
        self._site = site

    @asynccontextmanager
    async def serving(self, webhook: Webhook) -> AsyncIterator[None]:
        """Inside, hand over what is sent to a webhook's address.

        Raises:
            SourceError: as `listening`.
        """
        self._intake.add(webhook)  # first, so that nobody finds the address open and this name unknown
        async with self.listening():
            yield

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Inside, the address is open.

        Raises:
            SourceError: it cannot be opened; the message names address and cure. A FatalSourceError says that it never
                can be.
        """
        async with self._changing:
            if not self._needed:
                await self._open()
            self._needed += 1
        try:
            yield
        finally:
            async with self._changing:
                self._needed -= 1
                if not self._needed:
                    await self._close()

    async def _open(self) -> None:
        if self._certificate:
            await asyncio.to_thread(self._certificate.context)
        application = self._site.application() if self._site else web.Application(middlewares=[in_json])
        application.on_response_prepare.append(secured)
        application.router.add_post(PATH + "{name}", self._intake.post)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_SECONDS)
        await self._runner.setup()
        server = cast("web.Server", self._runner.server)  # it has one, now that it is set up
        self._door = Door(partial(Connection, server, self._head_seconds), self._certificate)
        try:
            self.address = await self._opened()
        except OSError as error:
            await self._runner.cleanup()
            raise diagnose(self.address, error) from None

    async def _opened(self) -> Address:
        try:
            return await self._door.open(self.address)
        except OSError as error:
            if not (self._any_port and error.errno == errno.EADDRINUSE):
                raise
        return await self._door.open(Address(self.address.host, 0))

    async def _close(self) -> None:
        await self._door.close()
        await self._runner.cleanup()
        await self._door.wait_closed()


def diagnose(address: Address, error: OSError) -> SourceError:
    """Why an address cannot be opened, and what to do. What another programme or the network can mend is not fatal.

    After a start of the machine its network may not be there yet, nor an earlier desk quite gone.
    """
    if isinstance(error, socket.gaierror):
        cure = "no machine of this name is found; connect the network, or write another address"
    else:
        cure = _CURES.get(error.errno or 0, f"{(error.strerror or 'it fails').lower()}; if this lasts, write another")
    kind = FatalSourceError if error.errno == errno.EACCES else SourceError
    return kind(f"The desk cannot listen on {address}: {cure} at 'listen' under [server].")
