"""The way to a receiver: who it is, by what it knows us, and one request at a time.

Nobody is followed elsewhere, and of an answer no more is read than says what is the matter.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from yarl import URL

from crisisdesk import __version__
from crisisdesk.clock import Clock
from crisisdesk.errors import OutputError
from crisisdesk.net.proxies import proxy_of
from crisisdesk.net.signing import HEADER, signature
from crisisdesk.outputs.webhook.answer import Answer, read, why_none

SECONDS: Final = 15.0
"""For a whole answer, however slowly it drips."""


@dataclass(frozen=True, slots=True, repr=False)
class Receiver:
    """Who is told, and by what they know us. Never printed."""

    url: str
    shown: str
    """What messages call it."""
    is_secret: bool = False
    """Whether nobody may read the address."""
    secret: str | None = None
    token: str | None = None
    tls: ssl.SSLContext | None = None
    """Whom we believe to be the receiver; None for whom this machine trusts."""

    @property
    def sees_secrets(self) -> bool:
        """Whether it could repeat to us what nobody may read."""
        return self.is_secret or self.token is not None


class Line:
    """What is open to a receiver.

    Args:
        receiver: who is told.
        clock: dates the signatures.
        seconds: for a whole answer.
    """

    def __init__(self, receiver: Receiver, clock: Clock, seconds: float = SECONDS) -> None:
        self.receiver = receiver
        self._clock = clock
        self._seconds = seconds

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Inside, the receiver can be asked."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self.receiver.tls or True),
            headers={"User-Agent": f"crisisdesk/{__version__}", "Accept-Encoding": "identity"},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            auto_decompress=False,
        ) as self._session:
            yield

    async def ask(self, method: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        """Send a request and read the answer.

        Raises:
            OutputError: none has come whole.
        """
        try:
            url = URL(self.receiver.url)
            proxy, is_tunnelled = proxy_of(url), url.scheme == "https"
            async with self._session.request(
                method,
                url,
                data=body,
                headers={**self._known_by(body), **(headers or {}), **({} if is_tunnelled else proxy.known)},
                allow_redirects=False,
                proxy=proxy.url,
                proxy_headers=proxy.known if is_tunnelled else None,
            ) as response:
                return await read(response, self._clock.now())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise OutputError(why_none(error, self.receiver.shown, self._seconds)) from None

    def _known_by(self, body: bytes) -> dict[str, str]:
        known = {}
        if self.receiver.secret:
            known[HEADER] = signature(self.receiver.secret, self._clock.now(), body)
        if self.receiver.token:
            known["Authorization"] = f"Bearer {self.receiver.token}"
        return known
