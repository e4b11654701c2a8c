"""Who is on call and whom incidents call, as people read it: plain lines of 80 columns, by the clocks of a place."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import groupby
from typing import Final

from rich.cells import cell_len

from crisisdesk.oncall.addresses import Address, spoken
from crisisdesk.oncall.chain import Orders
from crisisdesk.oncall.decide import Do
from crisisdesk.oncall.rehearsal import Act, rehearse
from crisisdesk.oncall.rota import HORIZON, Gap, Rota, Turn
from crisisdesk.settings.oncall.choice import Case, whose
from crisisdesk.text import clean

WIDTH: Final = 80
CALLS_TOLD: Final = 12
"""Lines of a chain that are told; of more it is told how many."""
NOBODY: Final = "nobody"


def when(moment: datetime, zone: tzinfo, near: datetime | None = None) -> str:
    """Day and time; the time alone on the day of `near`."""
    local = moment.astimezone(zone)
    if near and near.astimezone(zone).date() == local.date():
        return f"{local:%H:%M}"
    return (
        f"{local:%a} {local.day:>2} {local:%b %Y %H:%M}" if near is None else f"{local:%a} {local.day} {local:%b %H:%M}"
    )


def rota_lines(rota: Rota, now: datetime) -> Iterator[str]:
    """Who is on now and who is next."""
    yield f"{clean(rota.name)} ({rota.zone})"
    current, following = rota.now_and_next(now)
    width = max(cell_len(_person(one)) for one in (current, following or current))
    unchanged = current.end >= now + HORIZON
    until = f"for {HORIZON.days // 7} weeks at least" if unchanged else f"until {when(current.end, rota.zone, now)}"
    yield f"  now   {_padded(_person(current), width)}  {until}"
    if following is not None:
        since, end = when(following.start, rota.zone, now), when(following.end, rota.zone, now)
        yield f"  next  {_padded(_person(following), width)}  " + (
            f"from {since}" if following.end >= now + HORIZON else f"from {since} until {end}"
        )


def shift_lines(rota: Rota, now: datetime, weeks: int) -> Iterator[str]:
    """All turns of the next weeks, gaps among them."""
    for piece in rota.turns(now, now + timedelta(weeks=weeks)) if weeks else ():
        start, end = when(piece.start, rota.zone), when(piece.end, rota.zone, piece.start)
        yield f"  {start} to {end:<16}  {_person(piece)}"


def call_lines(orders: Orders, cases: Sequence[Case], now: datetime) -> Iterator[str]:
    """Whom incidents would call now if nobody answered; what calls alike is told once."""
    told: dict[tuple[str, ...], list[Case]] = {}
    for case in cases:
        told.setdefault(tuple(_schedule(orders, case, now)), []).append(case)
    for lines, alike in told.items():
        yield from _wrapped(f"{_incidents(alike, cases)} now:", "")
        yield from lines
        yield ""


def _schedule(orders: Orders, case: Case, now: datetime) -> Iterator[str]:
    by_name = {address.name: address for address in orders.addresses}
    acts = list(rehearse(orders, *case, now))
    if not acts:
        yield "  nobody is called"
    before: tuple[str, ...] = ()
    shown = acts if len(acts) <= CALLS_TOLD else [*acts[: CALLS_TOLD - 2], acts[-1]]
    for act in shown:
        if act is acts[-1] and len(shown) < len(acts):
            yield f"         … and {len(acts) - len(shown)} more"
        said = _said(act, before, [by_name[name] for name in act.to], orders, now)
        yield from _wrapped(said, f"  {when(act.time, orders.zone, now)}  ")
        before = act.to


def _said(act: Act, before: Sequence[str], to: Sequence[Address], orders: Orders, now: datetime) -> str:
    if act.do is Do.WAIT and act.until:
        return f"quiet hours until {when(act.until, orders.zone, now)}"
    if act.do is Do.GIVE_UP:
        return "nobody has answered: everybody is told" if before else "NOBODY CAN BE REACHED; everybody is told so"
    return "again" if act.to == before else clean(spoken(to))


def _incidents(some: Sequence[Case], every: Sequence[Case]) -> str:
    """Which incidents: `A red incident, or an amber incident of Motrin`."""
    told = ", or ".join(whose(list(alike), every) for _, alike in groupby(some, key=lambda case: case[2]))
    return told[:1].upper() + told[1:]


def _person(piece: Turn | Gap) -> str:
    return clean(piece.person) if isinstance(piece, Turn) else NOBODY


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _wrapped(text: str, before: str) -> Iterator[str]:
    """Lines of at most `WIDTH` columns, the first one behind `before`, the others below it."""
    line, room = before, WIDTH - cell_len(before)
    empty = True
    for word in text.split():
        if not empty and cell_len(line) + 1 + cell_len(word) > cell_len(before) + room:
            yield line
            line, empty = " " * cell_len(before), True
        line += word if empty else f" {word}"
        empty = False
    yield line
