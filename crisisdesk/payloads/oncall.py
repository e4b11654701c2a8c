"""Who is on call, and what the desk will do about open incidents by itself."""

from collections.abc import Iterable
from datetime import datetime

from typing_extensions import TypedDict

from crisisdesk.oncall.chain import Orders
from crisisdesk.oncall.prospect import Prospect
from crisisdesk.oncall.rota import Gap, Rota, Turn
from crisisdesk.payloads.incident import moment
from crisisdesk.payloads.shapes import Moment
from crisisdesk.records import stamp

TurnData = TypedDict("TurnData", {"person": str | None, "from": Moment, "to": Moment})
"""A time in which somebody is on call, or nobody."""


class RotaData(TypedDict):
    """Who is on call in a rota now, and who after that."""

    name: str
    timezone: str
    now: TurnData
    next: TurnData | None


class ProspectData(TypedDict):
    """What comes next for an open incident if no person does anything; `do` is nothing, call, give_up or lapse."""

    incident: str
    called: str
    do: str
    at: Moment | None
    to: str
    why: str


class OnCallData(TypedDict):
    """Who is on call, and whom open incidents will call next."""

    rotas: list[RotaData]
    prospects: list[ProspectData]


def oncall_data(orders: Orders, prospects: Iterable[Prospect], now: datetime) -> OnCallData:
    """Who is on call at this moment."""
    return {
        "rotas": [rota_data(rota, now) for rota in orders.rotas.values()],
        "prospects": [_prospect(one) for one in prospects],
    }


def rota_data(rota: Rota, now: datetime) -> RotaData:
    """Who is on call in a rota at this moment."""
    current, following = rota.now_and_next(now)
    return {
        "name": rota.name,
        "timezone": str(rota.zone),
        "now": turn_data(current),
        "next": turn_data(following) if following else None,
    }


def turn_data(piece: Turn | Gap) -> TurnData:
    """A turn, or a time in which nobody is on."""
    person = piece.person if isinstance(piece, Turn) else None
    return {"person": person, "from": stamp(piece.start), "to": stamp(piece.end)}


def _prospect(one: Prospect) -> ProspectData:
    return {
        "incident": one.incident,
        "called": one.called,
        "do": one.do.name.lower(),
        "at": moment(one.at),
        "to": one.to,
        "why": one.why,
    }
