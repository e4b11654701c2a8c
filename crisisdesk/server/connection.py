"""A connection whose every answer is ours, also to what is no HTTP, and which lasts only while it is used."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk.server.answers import SENTENCES, refusal

LINGER_SECONDS: Final = 5.0
"""How long the rest of a body that was refused is read away, so that its sender sees why."""


class Connection(web.RequestHandler):
    """What speaks with one who has connected.

    Args:
        server: answers requests.
        head_seconds: how long the headers of a request may take to come, the next one's too, and an answer to go.
    """

    __slots__ = ("_giving_up", "_line", "_seconds", "gone")

    def __init__(self, server: web.Server, head_seconds: float) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # its type forgets that it may be none
            keepalive_timeout=head_seconds,
            lingering_time=LINGER_SECONDS,
            auto_decompress=False,  # a signature is over the bytes as they are sent
        )
        self._seconds = head_seconds
        self._giving_up: asyncio.TimerHandle | None = None
        self._line: asyncio.Transport | None = None  # aiohttp forgets one that it has closed and that is not empty yet
        self.gone = asyncio.Event()
        """Set when it is over."""

    @property
    def is_at_work(self) -> bool:
        """Whether a whole request has come that is not answered."""
        return self._current_request is not None and self._current_request.content.is_eof()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._line = self.transport

    def connection_lost(self, exc: BaseException | None) -> None:
        self._read_on()
        super().connection_lost(exc)
        self.gone.set()

    def abort(self) -> None:
        """End it here and now, if it is not over."""
        if self._line is not None:
            self._line.abort()

    def pause_writing(self) -> None:
        """Answers pile up: who does not read them has no place here for ever."""
        super().pause_writing()
        self._giving_up = asyncio.get_running_loop().call_later(self._seconds, self.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._read_on()

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

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; aiohttp has one of its own to what is expected before anybody else is asked."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = refusal(HTTPStatus.EXPECTATION_FAILED, SENTENCES[HTTPStatus.EXPECTATION_FAILED])
        return await super().finish_response(request, resp, start_time)

    def _read_on(self) -> None:
        if self._giving_up is not None:
            self._giving_up.cancel()
