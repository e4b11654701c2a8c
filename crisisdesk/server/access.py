"""Who may do what over HTTP, and how often: by a token or, where nobody has one yet, from this machine alone."""

import hmac
import math
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from aiohttp import web

from crisisdesk.clock import Clock
from crisisdesk.net.rate import Rate
from crisisdesk.records import Role, Visitor
from crisisdesk.server.answers import Refused
from crisisdesk.server.local import check_local, named, peer
from crisisdesk.server.tokens import SECRET_BYTES, Tokens, is_expired

MOST_FAILURES: Final = 20
"""Attempts a minute with a token that is none, of one address; more are not looked at by anybody."""
MOST_ADDRESSES: Final = 4096
"""Addresses whose attempts are counted; those that were quiet longest are forgotten."""
OWNER: Final = "thisdesk"
"""The id of the token that a run makes for commands on its own machine."""
VISITOR: Final = web.RequestKey("visitor", Visitor)
"""Where a request that was admitted keeps who sends it."""

_CHALLENGE: Final = 'Bearer realm="crisisdesk"'
_HOW: Final = "send 'Authorization: Bearer TOKEN'; `crisisdesk token create NAME`, run where the desk is, makes one"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much each may ask of the desk."""

    per_minute: int = 600
    """Requests of a token."""
    streams: int = 64
    """Streams at once, of all together;"""
    streams_each: int = 8
    """and of one token."""


class Access:
    """Lets visitors in, or says why not.

    Commands on the desk's own machine come with the token of this run, which is nowhere but in the desk's runtime file
    (`presence.py`). It may do anything, is not limited, and works also when nobody else is let in.

    Args:
        tokens: of people.
        clock: tells when tokens expire, and how often somebody comes.
        limits: for everybody who comes with a token of their own, or without one.
    """

    def __init__(self, tokens: Tokens, clock: Clock, limits: Limits = Limits()) -> None:
        self.owner: Final = f"cd_{OWNER}_{secrets.token_urlsafe(SECRET_BYTES)}"
        """The token of this run."""
        self.tokens: Final = tokens
        self._clock = clock
        self._limits = limits
        self._rates: dict[str, Rate] = {}
        self._failures: dict[str, Rate] = {}
        self._streams: Counter[str] = Counter()

    @property
    def trouble(self) -> str:
        """Why nobody is let in, and what to do; empty while all is well."""
        return self.tokens.trouble

    async def admit(self, request: web.Request, least: Role) -> Visitor:
        """Who sends a request that is for this role and those above it; `request[VISITOR]` is who is known at all.

        Raises:
            Refused: they may not, or not now; the sentence says what to do.
        """
        await self.tokens.refresh()
        visitor = request[VISITOR] = self._known(request)
        self._count(visitor)
        if visitor.role < least:
            raise Refused(
                HTTPStatus.FORBIDDEN,
                f"This needs the role {least}, and you have the role {visitor.role}; ask whoever runs the desk for "
                "another token.",
            )
        return visitor

    async def confirm(self, visitor: Visitor) -> None:
        """Look again at somebody who was admitted, and has taken their time since.

        Raises:
            Refused: they would not be now.
        """
        if not await self.still(visitor):
            gone = "Meanwhile your token was revoked, or has expired; ask whoever runs the desk for a new one."
            raise Refused(HTTPStatus.UNAUTHORIZED, gone, WWW_Authenticate=_CHALLENGE)

    async def still(self, visitor: Visitor) -> bool:
        """Whether somebody who was admitted would be now: their token may have been revoked, or have expired."""
        await self.tokens.refresh()
        if visitor.role is Role.OWNER:
            return True
        if not visitor.token:
            return not self.tokens.required
        return self.tokens.is_valid(visitor.token, self._clock.now())

    @asynccontextmanager
    async def streaming(self, visitor: Visitor) -> AsyncIterator[None]:
        """Inside, somebody has a stream open.

        Raises:
            Refused: there are too many, of theirs or of all.
        """
        if visitor.role is Role.OWNER:
            yield
            return
        self._check_streams(visitor)
        self._streams[visitor.token] += 1
        try:
            yield
        finally:
            self._streams[visitor.token] -= 1
            self._streams += Counter()  # those who have none are forgotten

    def _known(self, request: web.Request) -> Visitor:
        shown = shown_by(request)
        if shown and hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self.owner.encode()):
            return Visitor(named(request), Role.OWNER, OWNER)
        if self.tokens.trouble:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "The desk cannot read its list of tokens, so it lets nobody in; whoever runs it is told why on its own "
                "machine.",
                Retry_After="10",
            )
        if shown or self.tokens.required:
            return self._bearer(request, shown)
        check_local(request)
        return Visitor(named(request), Role.RESPONDER)

    def _bearer(self, request: web.Request, shown: str) -> Visitor:
        """Whose token this is."""
        token = self.tokens.find(shown)
        if token is not None and not is_expired(token, self._clock.now()):
            return Visitor(token.person, token.role, token.id)
        if token is not None and token.expires is not None:
            why = f"Your token expired on {token.expires:%Y-%m-%d}; ask whoever runs the desk for a new one."
        elif shown:
            why = "This token is not known here, or was revoked; ask whoever runs the desk for a new one."
        else:
            why = f"This desk wants to know who you are; {_HOW}."
        self._count_failure(peer(request))
        raise Refused(HTTPStatus.UNAUTHORIZED, why, WWW_Authenticate=_CHALLENGE)

    def _count(self, visitor: Visitor) -> None:
        """Count a request of somebody who is known, whatever others do."""
        if visitor.role is Role.OWNER:
            return
        rate = self._rates.setdefault(visitor.token, Rate(self._limits.per_minute))
        if wait := rate.wait(self._clock.now()):
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"This is more than {self._limits.per_minute:,} requests a minute; ask less often.",
                Retry_After=str(math.ceil(wait)),
            )

    def _check_streams(self, visitor: Visitor) -> None:
        most, each = self._limits.streams, self._limits.streams_each
        if visitor.token and self._streams[visitor.token] >= each:
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                f"Your token has {each} streams open; close a console.",
                Retry_After="10",
            )
        if self._streams.total() >= most:
            raise Refused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                f"All {most} streams of this desk are in use; close a console, or set 'streams' under [server].",
                Retry_After="10",
            )

    def _count_failure(self, address: str) -> None:
        """Count an attempt of somebody who is not known."""
        rate = self._failures.pop(address, None) or Rate(MOST_FAILURES)
        self._failures[address] = rate  # at the end: the newest
        if len(self._failures) > MOST_ADDRESSES:
            del self._failures[next(iter(self._failures))]
        if wait := rate.wait(self._clock.now()):
            raise Refused(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many attempts without a token that is known here; look at your token, and try again later.",
                Retry_After=str(math.ceil(wait)),
            )


def shown_by(request: web.Request) -> str:
    """The token that a request comes with; empty where there is none."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
