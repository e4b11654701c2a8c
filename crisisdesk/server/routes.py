"""What can be asked of a desk over HTTP: a table of routes, each with who may use it and what it answers.

`docs/openapi.json` is generated from this table (`openapi.py`).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Final, TypeVar

from aiohttp import web

from crisisdesk.commands import Key
from crisisdesk.records import Role, Visitor
from crisisdesk.server.answers import Refused
from crisisdesk.text import clean

T = TypeVar("T")

API: Final = "/api/v1"
"""What the addresses of all but webhooks, probes and metrics begin with."""

MOST_COMPARED: Final = 200
"""Names among which the nearest is looked for; with thousands, everybody else would wait for who is wrong."""

Do = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Body:
    """What a request brings as JSON."""

    keys: Mapping[str, Key]
    needed: tuple[str, ...]
    """Those of them that have to be there,"""
    either: tuple[str, ...] = ()
    """and those of which exactly one has to."""


@dataclass(frozen=True, slots=True)
class Route:
    """One thing that can be asked."""

    method: str
    path: str
    """With the names of its parts in braces."""
    summary: str
    """In one line."""
    role: Role | None
    """The least that may use it; None for anybody who reaches it."""
    do: Do
    gives: Mapping[str, Any] | str = ""
    """What the answer consists of, by its keys: types; or the content type of one that is no JSON."""
    body: Body | None = None
    query: Mapping[str, tuple[str, Mapping[str, object]]] = field(default_factory=dict)
    """What can stand behind the question mark: what it means, and its schema."""
    note: str = ""
    """What else there is to know."""

    @property
    def changes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"


def check_query(request: web.Request, route: Route) -> None:
    """Look at what stands behind the question mark.

    Raises:
        Refused: something means nothing there, or is none of the words that are possible.
    """
    for key, value in request.query.items():
        if key not in route.query:
            raise Refused(HTTPStatus.BAD_REQUEST, f"'{clean(key, 40)}' means nothing here; {_hint(key, route.query)}")
        words = route.query[key][1].get("enum")
        if isinstance(words, list) and value not in words:
            said = f"{key}: '{clean(value, 40)}' is none of {', '.join(map(str, words))}."
            raise Refused(HTTPStatus.BAD_REQUEST, said)


def found(what: str, name: str, known: Mapping[str, T]) -> T:
    """The one of this name.

    Raises:
        Refused: there is none; the sentence names the nearest.
    """
    if name in known:
        return known[name]
    near = get_close_matches(name[:200], known, n=1) if len(known) <= MOST_COMPARED else []
    hint = f" Did you mean {clean(near[0], 200)}?" if near else ""
    raise Refused(HTTPStatus.NOT_FOUND, f"There is no {what} {clean(name, 200)}.{hint}")


def _hint(key: str, known: Mapping[str, object]) -> str:
    if near := get_close_matches(key[:40], known, n=1):
        return f"did you mean '{near[0]}'?"
    return f"it can be: {', '.join(known)}." if known else "leave it out."
