"""What responders and editors can do over HTTP, each act in their name."""

from collections.abc import Awaitable, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

from aiohttp import web

from crisisdesk import wire
from crisisdesk.clock import Clock
from crisisdesk.commands import FORGET, KEYS, ON_INCIDENTS, ON_INQUIRIES, Command, Order
from crisisdesk.errors import StorageError, UsageError
from crisisdesk.payloads.erased import ErasedData, erased_data
from crisisdesk.payloads.inquiry import InquiryData, inquiry_data
from crisisdesk.payloads.shapes import IncidentData
from crisisdesk.privacy.erasure import Erased
from crisisdesk.records import Inquiry, Role, Visitor
from crisisdesk.server.answers import Refused, answer, in_records, records
from crisisdesk.server.bodies import CONTENT
from crisisdesk.server.looking import House, Looking, incident_answer
from crisisdesk.server.routes import API, Body, Route

T = TypeVar("T")

_TO_INCIDENTS: Final = {
    "acknowledge": ("acknowledge", "I have it: the calling stops"),
    "assign": ("assign", "Ask somebody else to take it"),
    "silence": ("silence", "Nobody is called for a while, or until it gets worse"),
    "lift": ("lift", "End a silence"),
    "note": ("notes", "Write something down in its timeline"),
    "resolve": ("resolve", "It is over, and what it was"),
    "judge": ("judge", "Say of one that is over what it was"),
}
_TO_INQUIRIES: Final = {
    "take": ("take", "I answer it"),
    "give_back": ("give_back", "It waits again"),
    "answer": ("answer", "It is answered; the time that this took counts"),
    "pass_over": ("pass_over", "It gets no answer"),
}
"""The last part of each address, and what it does."""
NOT_WRITTEN: Final = "The desk's database does not take it at the moment; ask again later. Its own machine is told why."


class Acting:
    """Does what is asked, in the name of whoever asks.

    Args:
        house: the desk.
        looking: knows its incidents.
        clock: tells when `minutes` begin.
    """

    def __init__(self, house: House, looking: Looking, clock: Clock) -> None:
        self._desk = house.desk
        self._looking = looking
        self._clock = clock

    def routes(self) -> Iterable[Route]:
        """All that can be done."""
        for name, (path, summary) in _TO_INCIDENTS.items():
            do, gives = partial(self._act_on_incident, name), {"incident": IncidentData}
            address = f"{API}/incidents/{{incident}}/{path}"
            yield Route("POST", address, summary, Role.RESPONDER, do, gives, _body(ON_INCIDENTS[name]))
        for name, (path, summary) in _TO_INQUIRIES.items():
            do, given = partial(self._act_on_inquiry, name), {"inquiry": InquiryData}
            address = f"{API}/inquiries/{{inquiry}}/{path}"
            yield Route("POST", address, summary, Role.RESPONDER, do, given, _body(ON_INQUIRIES[name]))
        summary = "Erase all that is kept of an author, or of a post; what was found where"
        erased = {"erased": ErasedData}
        yield Route("POST", f"{API}/forget", summary, Role.EDITOR, self._forget, erased, _body(FORGET))

    async def _act_on_incident(self, name: str, request: web.Request, visitor: Visitor) -> web.Response:
        incident = await self._looking.incident(request)
        given = {"incident": incident.id, "person": visitor.person}
        return incident_answer(request, await self._done(name, ON_INCIDENTS[name], request[CONTENT], given))

    async def _act_on_inquiry(self, name: str, request: web.Request, visitor: Visitor) -> web.Response:
        inquiry = await self._looking.inquiry(request)
        given = {"inquiry": inquiry.id, "person": visitor.person}
        after = await self._done(name, ON_INQUIRIES[name], request[CONTENT], given)
        if in_records(request):
            return records(wire.encoded(after, Inquiry))
        return answer(HTTPStatus.OK, {"inquiry": inquiry_data(after)})

    async def _forget(self, request: web.Request, visitor: Visitor) -> web.Response:
        erased = await self._done("forget", FORGET, request[CONTENT], {"person": visitor.person})
        if in_records(request):
            return records(wire.encoded(erased, Erased))
        return answer(HTTPStatus.OK, {"erased": erased_data(erased)})

    async def _done(self, name: str, command: Command[T], values: Mapping[str, object], given: Mapping[str, str]) -> T:
        """What comes of a command.

        Raises:
            Refused: something is missing or wrong, or it makes no sense now.
        """
        try:
            order = Order(name, command.keys, values, self._clock.now(), given, either=command.either)
            deed: Awaitable[T] = command.do(self._desk, order)
        except UsageError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, str(error)) from None
        try:
            return await deed
        except UsageError as error:
            raise Refused(HTTPStatus.CONFLICT, str(error)) from None
        except StorageError:  # which names paths that are nobody's business here
            raise Refused(HTTPStatus.SERVICE_UNAVAILABLE, NOT_WRITTEN, Retry_After="30") from None


def _body(command: Command[T]) -> Body:
    """All that neither address nor token says."""
    asked = [key for key in command.keys if key not in {"incident", "inquiry", "person"}]
    needed = tuple(key for key in command.keys[: command.required] if key in asked)
    return Body({key: KEYS[key] for key in asked}, needed, command.either)
