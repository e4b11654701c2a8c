"""The desk's one address: opened by the first who needs it, closed by the last."""

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from crisisdesk.errors import FatalSourceError
from crisisdesk.server.answers import in_json, refusal
from crisisdesk.server.intake import BODY_SECONDS, PATH, Intake
from crisisdesk.settings.server import Address
from crisisdesk.sources.webhook.source import Webhook

MOST_CONNECTIONS: Final = 512
"""At once; half the files that a process may usually have open."""
HEAD_SECONDS: Final = 30.0
"""How long a connection may take to send the headers of a request, the next one too."""
HANDSHAKE_SECONDS: Final = 10.0
"""How long the two sides may take to agree on how to encrypt."""
CLOSE_SECONDS: Final = 2.0
"""How long the end waits for answers to go out."""
LINGER_SECONDS: Final = 5.0
"""How long the rest of a body that was refused is read away, so that its sender sees why."""
_FULL_SECONDS: Final = 2.0

_FULL: Final = b'{"error": "Too many connections at once; send it again."}'
_CURES: Final = {
    errno.EADDRINUSE: "another programme has it; stop that, or write another port at 'listen' under [server]",
    errno.EADDRNOTAVAIL: "this machine has no such address; mend 'listen' under [server]",
    errno.EACCES: "ports below 1024 are for administrators; write another port at 'listen' under [server]",
}


class Certificate(NamedTuple):
    """What https needs; both in PEM."""

    chain: Path
    key: Path


class Listener:
    """Listens while somebody needs it.

    Args:
        address: where; port 0 is any that is free.
        certificate: for https; None for http.
        head_seconds: how long the headers of a request may take to come.
        body_seconds: the same of its body.
    """

    def __init__(
        self,
        address: Address,
        certificate: Certificate | None = None,
        *,
        head_seconds: float = HEAD_SECONDS,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self.address = address
        self._certificate = certificate
        self._head_seconds = head_seconds
        self._intake = Intake(body_seconds)
        self._changing = asyncio.Lock()
        self._needed = 0

    @asynccontextmanager
    async def serving(self, webhook: Webhook) -> AsyncIterator[None]:
        """Inside, hand over what is sent to a webhook's address.

        Raises:
            FatalSourceError: it cannot listen there; the message names address and cure.
        """
        self._intake.add(webhook)  # first, so that nobody finds the address open and this name unknown
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
        tls = await asyncio.to_thread(_context, self._certificate) if self._certificate else None
        application = web.Application(middlewares=[in_json])
        application.router.add_post(PATH + "{name}", self._intake.post)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=CLOSE_SECONDS)
        await self._runner.setup()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection,
                self.address.host,
                self.address.port,
                ssl=tls,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None,
            )
        except OSError as error:
            await self._runner.cleanup()
            cure = _CURES.get(error.errno or 0, "mend 'listen' under [server]")
            raise FatalSourceError(f"The desk cannot listen on {self.address}: {cure}.") from None
        self.address = Address(self.address.host, self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        await self._runner.cleanup()

    def _connection(self) -> asyncio.Protocol:
        """What speaks with one who has connected."""
        server = self._runner.server
        if server is None or len(server.connections) >= MOST_CONNECTIONS:
            return _Full()
        return _Connection(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # its type forgets that it may be none
            keepalive_timeout=self._head_seconds,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,  # a signature is over the bytes as they are sent
        )


class _Connection(web.RequestHandler):
    """A connection whose every answer is ours, also to what is no HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes what was sent
    ) -> web.StreamResponse:
        """Answer a request that cannot be understood; there is nobody here to tell of it."""
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out") from exc
        answer = refusal(HTTPStatus(status), "This is no request that can be understood; send HTTP/1.1.")
        answer.force_close()
        return answer


class _Full(asyncio.Protocol):
    """Answers whoever comes when there are too many, so that they come again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._end = asyncio.get_running_loop().call_later(_FULL_SECONDS, transport.close)

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - whatever it is
        if isinstance(self._transport, asyncio.Transport) and not self._transport.is_closing():
            head = f"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {len(_FULL)}"
            self._transport.write(f"{head}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n".encode() + _FULL)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._end.cancel()


def _context(certificate: Certificate) -> ssl.SSLContext:
    """What encrypts.

    Raises:
        FatalSourceError: certificate or key cannot be used.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(*certificate, password=lambda: b"")  # else it would ask on the terminal
    except (OSError, ValueError) as error:
        reason = "they do not fit together, are no PEM, or the key has a passphrase"
        if not isinstance(error, ssl.SSLError) and isinstance(error, OSError):
            reason = (error.strerror or "they cannot be read").lower()
        raise FatalSourceError(
            f"{certificate.chain} and {certificate.key} cannot be used ({reason}); mend 'tls_certificate' and "
            "'tls_key' under [server]."
        ) from None
    return context
