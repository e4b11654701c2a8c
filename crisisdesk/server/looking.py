"""What viewers can see over HTTP: incidents, watches, what the desk runs on, who is on call, posts to be answered."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk import wire
from crisisdesk.desk import Desk
from crisisdesk.oncall.chain import Orders
from crisisdesk.payloads.heartbeat import OutputData, SourceData, output_data, source_data
from crisisdesk.payloads.incident import change_data, incident_data
from crisisdesk.payloads.inquiry import AnsweringData, InquiryData, answering_data, inquiry_data
from crisisdesk.payloads.oncall import OnCallData, oncall_data
from crisisdesk.payloads.playbook import PlaybookData, playbook_data
from crisisdesk.payloads.shapes import ChangeData, IncidentData
from crisisdesk.payloads.watch import WatchData, WatchDetails, watch_data, watch_details
from crisisdesk.playbooks.format import Playbook
from crisisdesk.records import Change, Incident, Inquiry, Role, State, Visitor
from crisisdesk.server.answers import answer, in_records, records
from crisisdesk.server.routes import API, Route, found

_STATES: Final = [one.value for one in State]
_BY_WATCH: Final = ("Those of this watch only.", {"type": "string"})


@dataclass(frozen=True, slots=True)
class House:
    """A desk and what is known of it besides its picture."""

    name: str
    version: str
    timezone: str
    """Where its people live; empty where nobody has said it."""
    desk: Desk
    playbooks: Callable[[], Sequence[Playbook]]
    orders: Callable[[], Orders]


class Looking:
    """Answers those who look."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._desk = house.desk

    def routes(self) -> Iterable[Route]:
        """All that can be looked at."""
        viewer = Role.VIEWER
        me = {"person": str, "role": str, "desk": str, "timezone": str, "version": str}
        yield Route("GET", f"{API}/me", "Who you are to the desk, and what desk it is", viewer, self._me, me)
        yield Route(
            "GET",
            f"{API}/incidents",
            "Open incidents, the worst first, then the latest that are over",
            viewer,
            self._incidents,
            {"incidents": list[IncidentData]},
            query={
                "state": ("Those in this state only.", {"type": "string", "enum": _STATES}),
                "watch": _BY_WATCH,
            },
        )
        one = f"{API}/incidents/{{incident}}"
        yield Route("GET", one, "One incident", viewer, self._incident, {"incident": IncidentData})
        timeline = {"changes": list[ChangeData]}
        yield Route("GET", f"{one}/timeline", "What has happened to it", viewer, self._timeline, timeline)
        playbook = {"playbook": PlaybookData | None}
        yield Route("GET", f"{one}/playbook", "What to do about it", viewer, self._playbook, playbook)
        watches = {"watches": list[WatchData]}
        yield Route("GET", f"{API}/watches", "All watches, and their last hour", viewer, self._watches, watches)
        watch = {"watch": WatchDetails}
        yield Route("GET", f"{API}/watches/{{watch}}", "A watch, its days and weeks", viewer, self._watch, watch)
        sources = {"sources": list[SourceData], "outputs": list[OutputData], "model": str, "troubles": list[str]}
        yield Route("GET", f"{API}/sources", "What the desk runs on, and how well", viewer, self._sources, sources)
        books = {"playbooks": list[PlaybookData]}
        yield Route("GET", f"{API}/playbooks", "All playbooks", viewer, self._playbooks, books)
        yield Route("GET", f"{API}/oncall", "Who is on call now and next", viewer, self._oncall, {"oncall": OnCallData})
        yield Route(
            "GET",
            f"{API}/inquiries",
            "Posts that need an answer, the weightiest first, and how they are answered",
            viewer,
            self._inquiries,
            {"inquiries": list[InquiryData], "answering": list[AnsweringData]},
            query={"watch": _BY_WATCH},
        )

    async def _me(self, _: web.Request, visitor: Visitor) -> web.Response:
        house = self._house
        return answer(
            HTTPStatus.OK,
            {
                "person": visitor.person,
                "role": str(visitor.role),
                "desk": house.name,
                "timezone": house.timezone,
                "version": house.version,
            },
        )

    async def _incidents(self, request: web.Request, _: Visitor) -> web.Response:
        query, picture = request.query, await self._desk.picture()
        chosen = [
            one
            for one in picture.incidents
            if query.get("state", one.state) == one.state and query.get("watch", one.watch) == one.watch
        ]
        return answer(HTTPStatus.OK, {"incidents": [incident_data(one) for one in chosen]})

    async def _incident(self, request: web.Request, _: Visitor) -> web.Response:
        return incident_answer(request, await self.incident(request))

    async def _timeline(self, request: web.Request, _: Visitor) -> web.Response:
        changes = await self._desk.timeline((await self.incident(request)).id)
        if in_records(request):
            return records(wire.encoded(changes, tuple[Change, ...]))
        return answer(HTTPStatus.OK, {"changes": [change_data(one) for one in changes]})

    async def _playbook(self, request: web.Request, _: Visitor) -> web.Response:
        book = await self._desk.playbook((await self.incident(request)).id)
        if in_records(request):
            return records(wire.encoded(book, Playbook | None))
        return answer(HTTPStatus.OK, {"playbook": playbook_data(book) if book else None})

    async def _watches(self, _: web.Request, __: Visitor) -> web.Response:
        picture = await self._desk.picture()
        return answer(HTTPStatus.OK, {"watches": [watch_data(one) for one in picture.watches]})

    async def _watch(self, request: web.Request, _: Visitor) -> web.Response:
        picture = await self._desk.picture()
        watch = found("watch", request.match_info["watch"], {one.name: one for one in picture.watches})
        return answer(HTTPStatus.OK, {"watch": watch_details(watch)})

    async def _sources(self, _: web.Request, __: Visitor) -> web.Response:
        picture = await self._desk.picture()
        return answer(
            HTTPStatus.OK,
            {
                "sources": [source_data(one, picture.now) for one in picture.sources],
                "outputs": [output_data(one) for one in picture.outputs],
                "model": picture.model,
                "troubles": list(picture.troubles),
            },
        )

    async def _playbooks(self, _: web.Request, __: Visitor) -> web.Response:
        return answer(HTTPStatus.OK, {"playbooks": [playbook_data(one) for one in self._house.playbooks()]})

    async def _oncall(self, _: web.Request, __: Visitor) -> web.Response:
        picture = await self._desk.picture()
        return answer(HTTPStatus.OK, {"oncall": oncall_data(self._house.orders(), picture.prospects, picture.now)})

    async def _inquiries(self, request: web.Request, _: Visitor) -> web.Response:
        watch, picture = request.query.get("watch"), await self._desk.picture()
        waiting = [one for one in picture.inquiries if watch in {None, one.watch}]
        figures = [one for one in picture.answering if watch in {None, one.watch}]
        content = {
            "inquiries": [inquiry_data(one) for one in waiting],
            "answering": [answering_data(one) for one in figures],
        }
        return answer(HTTPStatus.OK, content)

    async def incident(self, request: web.Request) -> Incident:
        """The incident that a request is about.

        Raises:
            Refused: there is none.
        """
        picture = await self._desk.picture()
        return found("incident", request.match_info["incident"], {one.id: one for one in picture.incidents})

    async def inquiry(self, request: web.Request) -> Inquiry:
        """The post in an answer queue that a request is about.

        Raises:
            Refused: there is none.
        """
        picture = await self._desk.picture()
        return found("inquiry", request.match_info["inquiry"], {one.id: one for one in picture.inquiries})


def incident_answer(request: web.Request, incident: Incident) -> web.Response:
    """An incident, for machines or, where a console asks, for consoles."""
    if in_records(request):
        return records(wire.encoded(incident, Incident))
    return answer(HTTPStatus.OK, {"incident": incident_data(incident)})
