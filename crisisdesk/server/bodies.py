"""What is asked of the desk in a request's body: a small JSON object that comes in time."""

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import web

from crisisdesk.server.answers import Refused
from crisisdesk.text import clean

MOST_BYTES: Final = 16 * 1024
"""Bytes of a body."""
BODY_SECONDS: Final = 30.0
"""How long a body may take to come."""
CONTENT: Final[web.RequestKey[Mapping[str, object]]] = web.RequestKey("content", dict)
"""Where a request keeps what it has brought."""


async def read_json(request: web.Request, *, most: int = MOST_BYTES, seconds: float = BODY_SECONDS) -> dict[str, Any]:
    """The JSON object that a request brings.

    Args:
        request: whose body was not read yet.
        most: bytes of it.
        seconds: in which it has to come.

    Raises:
        Refused: it is none, too large, or too slow.
    """
    if request.content_type != "application/json":  # what a page of another site cannot send without asking
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send a JSON object, with 'Content-Type: application/json'.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is packed; send it as it is.")
    if (request.content_length or 0) > most:
        raise _too_large(most)
    return _object(await _body(request, most, seconds))


async def _body(request: web.Request, most: int, seconds: float) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > most:
                    raise _too_large(most)
    except TimeoutError:
        raise Refused(
            HTTPStatus.REQUEST_TIMEOUT, f"The body did not come within {seconds:g} s; send it again."
        ) from None
    except web.RequestPayloadError:
        raise Refused(HTTPStatus.BAD_REQUEST, "The body is not what its headers promise; send it again.") from None
    return bytes(body)


def _object(body: bytes) -> dict[str, Any]:
    try:
        values = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        sentence = f"The body is no JSON ({clean(str(error), 100)}); it has to be an object."
        raise Refused(HTTPStatus.BAD_REQUEST, sentence) from None
    if not isinstance(values, dict):
        raise Refused(HTTPStatus.BAD_REQUEST, 'The body has to be a JSON object, such as {"note": "…"}.')
    return values


def _too_large(most: int) -> Refused:
    return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is too large; {most:,} bytes are enough.")
