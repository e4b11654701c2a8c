"""`POST /ingest/<name>`: a request's way to the webhook of that name, and the answer's way back."""

import asyncio
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk.net.signing import HEADER
from crisisdesk.server.answers import answer, refusal
from crisisdesk.sources.webhook.outcome import Outcome, Unreadable
from crisisdesk.sources.webhook.refusals import Refused
from crisisdesk.sources.webhook.signature import Head
from crisisdesk.sources.webhook.source import Webhook

PATH: Final = "/ingest/"
BODY_SECONDS: Final = 30.0
"""How long a body may take to come."""
MOST_READING: Final = 64_000_000
"""Bytes of all bodies that are on their way in;"""
SMALL: Final = 1 << 16
"""a body of so many, or fewer, is read all the same, so that the usual ones are not kept out by some that are large."""


class Intake:
    """The webhooks by their names.

    Args:
        body_seconds: how long a body may take to come.
    """

    def __init__(self, body_seconds: float = BODY_SECONDS) -> None:
        self._body_seconds = body_seconds
        self._webhooks: dict[str, Webhook] = {}
        self._reading = 0

    def add(self, webhook: Webhook) -> None:
        """Answer for a webhook from now on; one that has stopped says so itself."""
        self._webhooks[webhook.name] = webhook

    async def post(self, request: web.Request) -> web.Response:
        """Take what is posted."""
        webhook = self._webhooks.get(request.match_info["name"])
        if webhook is None:
            return refusal(HTTPStatus.NOT_FOUND, "There is no webhook of this name; it is the 'name' of a [[source]].")
        head = _head(request)
        try:
            webhook.admit(head)
            outcome = await webhook.take(head, await self._body(request, webhook))
            return answer(HTTPStatus.ACCEPTED, _content(outcome))
        except Refused as refused:
            response = _refused(refused)
            if not request.content.is_eof():  # so that the rest is not sent for nothing
                response.force_close()
            return response

    async def _body(self, request: web.Request, webhook: Webhook) -> bytes:
        """The body as it is sent.

        Raises:
            Refused: it is too large, too slow, or not what HTTP makes of a body.
        """
        body = bytearray()
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self._reading += len(chunk)
                    webhook.check_size(len(body))
                    if len(body) > SMALL and self._reading > MOST_READING:
                        raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too much is sent here at once.", again=10)
        except TimeoutError:
            sentence = f"The body did not come within {self._body_seconds:g} s; send it again, or less at once."
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, sentence) from None
        except web.RequestPayloadError:
            raise Refused(HTTPStatus.BAD_REQUEST, "The body is not what its headers promise; send it again.") from None
        finally:
            self._reading -= len(body)
        return bytes(body)


def _head(request: web.Request) -> Head:
    headers = request.headers
    return Head(
        content_type=headers.get("Content-Type", ""),
        encoding=headers.get("Content-Encoding", "").strip().lower(),
        signature=",".join(headers.getall(HEADER, [])),
        authorization=headers.get("Authorization", ""),
        origin=headers.get("Origin", ""),
        host=headers.get("Host", ""),
        forwarded=headers.get("Forwarded", "") or headers.get("X-Forwarded-For", ""),
        size=request.content_length,
    )


def _refused(refused: Refused) -> web.Response:
    if isinstance(refused, Unreadable):
        return answer(refused.status, {"error": str(refused)} | _content(refused.outcome))
    headers = {"Retry-After": str(refused.again)} if refused.again else {}
    if refused.status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="crisisdesk", Bearer'  # many show a password only when asked for it
    return refusal(refused.status, str(refused), **headers)


def _content(outcome: Outcome) -> dict[str, object]:
    bad = [{"index": index, "reason": reason} for index, reason in outcome.bad]
    more = {"more_bad": outcome.more_bad} if outcome.more_bad else {}
    return {"taken": outcome.taken, "bad": bad} | more
