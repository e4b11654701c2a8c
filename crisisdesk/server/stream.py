"""Server-sent events: lines that a client reads as they come, for as long as it likes (HTML standard, section 9.2)."""

from typing import Final

from aiohttp import web

from crisisdesk.server.answers import HEADERS

CONTENT_TYPE: Final = "text/event-stream"
LAST: Final = "Last-Event-ID"
"""The header in which a client that comes back says what it saw last."""
KEEP_ALIVE: Final = b": nothing new\n\n"

_NO_BUFFER: Final = {"X-Accel-Buffering": "no"}  # else nginx holds events back until it has a few thousand bytes


def event(name: str, data: bytes, identity: str = "") -> bytes:
    """One event as it is sent; `data` is JSON without line breaks."""
    head = f"event: {name}\n" + (f"id: {identity}\n" if identity else "")
    return head.encode() + b"data: " + data + b"\n\n"


async def opened(request: web.Request) -> web.StreamResponse:
    """An answer that goes on; write events to it."""
    response = web.StreamResponse(headers={**HEADERS, **_NO_BUFFER, "Content-Type": CONTENT_TYPE})
    await response.prepare(request)
    return response
