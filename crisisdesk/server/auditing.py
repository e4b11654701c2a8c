"""What goes into the audit of all that is asked over HTTP: every change that somebody asks for, and who was refused.

What people who are known ask for is written down one by one. Attempts could fill the disk, so they are counted,
those of others by where they come from, those of people whose role is too low by what they want, and written down when
they are the first of an hour, the tenth, the hundredth.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk.clock import Clock
from crisisdesk.records import Visitor
from crisisdesk.server.access import VISITOR, shown_by
from crisisdesk.server.answers import Handler, Refused
from crisisdesk.server.local import peer
from crisisdesk.server.token_file import Deed
from crisisdesk.server.tokens import Tokens
from crisisdesk.storage.audit import Audit, Entry
from crisisdesk.text import clean

HOUR: Final = timedelta(hours=1)
MOST_ADDRESSES: Final = 20
"""Addresses of an hour that are told apart;"""
MOST_WISHES: Final = 1_000
"""and what people want that they may not."""
OTHERS: Final = "others"

_LOOKING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS})


class Auditing:
    """Writes down who asked for what.

    Args:
        audit: where.
        tokens: whose history it takes over.
        clock: tells when.
    """

    def __init__(self, audit: Audit, tokens: Tokens, clock: Clock) -> None:
        self._audit = audit
        self._tokens = tokens
        self._clock = clock
        self._taken: tuple[Deed, ...] = ()
        self._attempts = _Attempts(MOST_ADDRESSES)
        self._wishes = _Attempts(MOST_WISHES)

    async def take_over(self) -> None:
        """Write down who made and revoked tokens since this was done last."""
        history = self._tokens.history
        if history is not self._taken:
            await self._audit.note(*map(of_deed, history))
            self._taken = history

    @web.middleware
    async def record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as the handler does; for the middlewares of an application, behind what answers refusals."""
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        try:
            response = await handler(request)
            status = HTTPStatus(response.status)
        except Refused as refused:
            status = refused.status
            raise
        except web.HTTPException as error:
            status = HTTPStatus(error.status)
            raise
        finally:
            await self.take_over()
            await self._note(request, request.get(VISITOR), status)
        return response

    async def _note(self, request: web.Request, visitor: Visitor | None, status: HTTPStatus) -> None:
        if visitor is None or status is HTTPStatus.TOO_MANY_REQUESTS:
            if status in _REFUSED:
                await self._note_attempt(request, visitor, status)
        elif request.method not in _LOOKING or status is HTTPStatus.FORBIDDEN:
            about, times = clean(next(iter(request.match_info.values()), ""), 200), 1
            if status is HTTPStatus.FORBIDDEN:
                _, times = self._wishes.count(f"{visitor.token} {_asked(request)}", self._clock.now())
            if times:
                entry = self._entry(request, visitor, status, address=peer(request), incident=about, times=times)
                await self._audit.note(entry)

    async def _note_attempt(self, request: web.Request, visitor: Visitor | None, status: HTTPStatus) -> None:
        address = peer(request)
        who, times = self._attempts.count(visitor.token if visitor else address, self._clock.now())
        if times:
            where = address if visitor else who
            entry = self._entry(request, visitor, status, address=where, times=times)
            was = "" if visitor else self._tokens.gone(shown_by(request))
            await self._audit.note(replace(entry, token=was) if was else entry)

    def _entry(
        self,
        request: web.Request,
        visitor: Visitor | None,
        status: HTTPStatus,
        *,
        address: str,
        incident: str = "",
        times: int = 1,
    ) -> Entry:
        known = (visitor.person, visitor.token, str(visitor.role)) if visitor else ("", "", "")
        return Entry(self._clock.now(), _asked(request), *known, address, incident, int(status), times)


def of_deed(deed: Deed) -> Entry:
    """That a token was made or revoked."""
    what = f"token {deed.token} {deed.what} for {clean(deed.person, 200)} ({deed.role})"
    return Entry(deed.at, what, clean(deed.by, 200), mark=f"{deed.token} {deed.what}")


def _asked(request: web.Request) -> str:
    """The method and the route, of which there are few; not what strangers write in its place."""
    resource = request.match_info.route.resource
    return f"{clean(request.method, 20)} {resource.canonical if resource else '(nothing there)'}"


@dataclass(slots=True)
class _Attempts:
    """How often somebody was refused in the present hour."""

    most: int
    """Who or what is told apart."""
    since: datetime | None = None
    times: dict[str, int] = field(default_factory=dict)

    def count(self, who: str, now: datetime) -> tuple[str, int]:
        """Count one more; who it counts for, and the number where it is worth writing down, else 0."""
        if self.since is None or not timedelta() <= now - self.since < HOUR:
            self.since, self.times = now, {}
        if who not in self.times and len(self.times) >= self.most:
            who = OTHERS
        times = self.times[who] = self.times.get(who, 0) + 1
        return who, times if str(times).strip("0") == "1" else 0
