"""The desk's address as `doctor` finds it: where a desk is running, that has it, and all is as it should be."""

from typing import Final

import aiohttp

from crisisdesk.errors import SourceError
from crisisdesk.server.answers import HEADERS
from crisisdesk.server.certificate import Certificate
from crisisdesk.server.http import Listener
from crisisdesk.settings.server import Address

ANSWER_SECONDS: Final = 1.0
"""How long a running desk may take to answer."""


class Visit(Listener):
    """The listener of a desk that is only looked at; while that is running, nothing is handed over."""

    def __init__(self, address: Address, certificate: Certificate | None = None) -> None:
        super().__init__(address, certificate)
        self._listens = False

    async def _open(self) -> None:
        try:
            await super()._open()
        except SourceError:
            if not await self._is_running():
                raise
        else:
            self._listens = True

    async def _close(self) -> None:
        if self._listens:
            await super()._close()

    async def _is_running(self) -> bool:
        """Whether it is a desk that answers."""
        url = f"{'https' if self._certificate else 'http'}://{self.address}/"
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.get(url, ssl=False, allow_redirects=False) as answer,
            ):
                return answer.headers.get("Server") == HEADERS["Server"]
        except (aiohttp.ClientError, TimeoutError):
            return False
