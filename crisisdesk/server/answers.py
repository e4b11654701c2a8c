"""How everything is answered: as JSON, and never with more than whoever asks may know."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final

import orjson
from aiohttp import web

HEADERS: Final = {
    "Server": "crisisdesk",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""With every answer: browsers neither run, frame, keep nor hand on what comes from here. No page of another site may
read it (CORS), so nothing says that one may."""
ENCRYPTED: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""Besides, where the desk itself encrypts."""
SENTENCES: Final = {
    HTTPStatus.NOT_FOUND: (
        "There is nothing at this address; webhooks are at /ingest/NAME, all else at /api/v1/…. `crisisdesk console "
        "URL` opens a console."
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: "This cannot be done with this address; see which methods are allowed.",
    HTTPStatus.EXPECTATION_FAILED: "The header 'Expect' is not understood; leave it out.",
}
"""For what is refused before anybody looks into it."""
RECORDS: Final = "application/vnd.crisisdesk.record+json"
"""What consoles accept: all that is known, as `crisisdesk.wire` puts it, instead of what is promised to machines."""
FAILED: Final = "Something has gone wrong here that is not your fault; send it again later."


class Refused(Exception):
    """A request that is answered with no."""

    def __init__(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        """What is said, and why; underscores in the names of `headers` stand for hyphens."""
        super().__init__(sentence)
        self.status = status
        self.headers = headers


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def answer(status: HTTPStatus, content: Mapping[str, object], **headers: str) -> web.Response:
    """An answer; underscores in the names of `headers` stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(
        status=status, body=orjson.dumps(content), content_type="application/json", headers=HEADERS | named
    )


def refusal(status: HTTPStatus, sentence: str, **headers: str) -> web.Response:
    """An answer that says why not, and what to do."""
    return answer(status, {"error": sentence}, **headers)


def in_records(request: web.Request) -> bool:
    """Whether a console asks."""
    return RECORDS in request.headers.get("Accept", "")


def records(encoded: bytes) -> web.Response:
    """An answer for consoles: `{"record": …}`."""
    return web.Response(body=b'{"record":' + encoded + b"}", headers=HEADERS | {"Content-Type": RECORDS})


async def secured(request: web.Request, response: web.StreamResponse) -> None:
    """Give every answer of an application what tells browsers to be careful; for its `on_response_prepare`."""
    response.headers.update(HEADERS | (ENCRYPTED if request.secure else {}))


@web.middleware
async def in_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in JSON also where a request finds nobody to answer it, or one who fails."""
    try:
        return await handler(request)
    except Refused as refused:
        response = refusal(refused.status, str(refused), **refused.headers)
        if not request.content.is_eof():  # so that the rest is not sent for nothing
            response.force_close()
        return response
    except web.HTTPException as error:
        status = HTTPStatus(error.status)
        allowed = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return refusal(status, SENTENCES.get(status, f"{status.description or status.phrase}."), **allowed)
    except ConnectionError:
        raise  # whoever asked is gone
    except Exception as error:  # no traceback leaves the house
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"{request.method} {request.rel_url.raw_path} failed", "exception": error}  # as it was quoted
        )
        if request.writer.output_size > 0:
            raise ConnectionError("half an answer is out") from error
        return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, FAILED)
