"""The desk's address as `doctor` finds it: where a desk is running, that has it, and all is as it should be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from crisisdesk.server.answers import HEADERS
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.http import Listener
from crisisdesk.settings.server import Address
from crisisdesk.sources.webhook.source import Webhook


class Visit(Listener):
    """The listener of a desk that is only looked at; while that is running, nothing is handed over."""

    def __init__(self, address: Address, certificate: Certificate | None = None) -> None:
        super().__init__(address, certificate)
        self._looking = asyncio.Lock()
        self._is_running: bool | None = None

    @asynccontextmanager
    async def serving(self, webhook: Webhook) -> AsyncIterator[None]:
        async with self._looking:
            if self._is_running is None:  # later it would be we who answer
                self._is_running = await _is_desk(self.address)
        if self._is_running:
            yield
        else:
            async with super().serving(webhook):
                yield


async def _is_desk(address: Address) -> bool:
    """Whether a desk answers there."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        for scheme in ("http", "https"):
            with suppress(aiohttp.ClientError, TimeoutError):
                async with session.get(f"{scheme}://{address}/", ssl=False, allow_redirects=False) as answer:
                    return answer.headers.get("Server") == HEADERS["Server"]
    return False
