"""`crisisdesk oncall`: who is on call now and next, whom an incident would call, and what is wrong with that."""

import asyncio
import os
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crisisdesk.cli.terminal import put, put_json, say
from crisisdesk.errors import ConfigurationError, CrisisdeskError, OutputError, UsageError
from crisisdesk.records import Severity, stamp
from crisisdesk.text import clean, counted

if TYPE_CHECKING:
    from crisisdesk.oncall.chain import Orders
    from crisisdesk.oncall.rota import Rota
    from crisisdesk.settings.model import Settings
    from crisisdesk.settings.oncall.choice import Case

AHEAD: Final = timedelta(weeks=4)
"""How far gaps are looked for."""


def oncall(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration; else the one of `run`.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="MOMENT", help='Another moment than now: "2026-12-24 03:00", by the desk\'s clock.'),
    ] = None,
    weeks: Annotated[int, typer.Option(min=0, max=52, help="Show all shifts of so many weeks.")] = 0,
    test: Annotated[
        str | None, typer.Option(metavar="PERSON", help="Send that person a test message by every way; or to a room.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False,
) -> None:
    """Show who is on call now and next, and whom an incident that opened now would call if nobody answered.

    Nobody is told anything, but with --test. Exit code 1 where somebody should be called and would not be,
    be it that an address is not there.
    """
    from crisisdesk.cli import configured  # noqa: PLC0415  networks and models: `--help` need not wait for them
    from crisisdesk.cli.orders import agreed  # noqa: PLC0415  the same
    from crisisdesk.clock import WallClock  # noqa: PLC0415  the same

    settings = configured.read(config)
    if test is not None:
        _test(settings, test)
        return
    orders = agreed(settings)
    if not orders.addresses:
        raise CrisisdeskError('Nobody is called: the configuration has no [[output]] with kind = "notify"; add one.')
    now = _moment(at, orders.zone) if at else WallClock().now()
    show = _show_json if as_json else _show_text
    show(settings, orders, now, weeks)
    problems = 0
    for said, is_problem in (*missing_addresses(settings), *wrong_calls(settings, orders, now)):
        problems += is_problem
        if as_json:
            put_json({"part": "warning", "said": said})
        say(f"warning: {said}")
    if problems:
        raise typer.Exit(1)


def _moment(text: str, zone: tzinfo) -> datetime:
    from crisisdesk.moments import moment_at  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.calling import wall_moment  # noqa: PLC0415  as above

    try:
        return moment_at(wall_moment(text), zone)
    except ValueError as error:
        raise UsageError(f"--at: {error}") from None


def _show_text(settings: "Settings", orders: "Orders", now: datetime, weeks: int) -> None:
    from crisisdesk.cli import oncall_text as text  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.choice import cases  # noqa: PLC0415  as above

    local = now.astimezone(orders.zone)
    put(f"{text.when(now, orders.zone)} {local:%Z}\n")
    for rota in orders.rotas.values():
        put("\n".join([*text.rota_lines(rota, now), *text.shift_lines(rota, now, weeks), ""]))
    put("\n".join(text.call_lines(orders, cases(settings), now)).rstrip())


def _show_json(settings: "Settings", orders: "Orders", now: datetime, weeks: int) -> None:
    from crisisdesk.payloads.oncall import rota_data, turn_data  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.choice import cases  # noqa: PLC0415  as above

    for rota in orders.rotas.values():
        turns = [turn_data(one) for one in rota.turns(now, now + timedelta(weeks=weeks))] if weeks else []
        put_json({"part": "rota", **rota_data(rota, now), **({"turns": turns} if weeks else {})})
    for case in cases(settings):
        put_json(_call(orders, case, now))


def _call(orders: "Orders", case: "Case", now: datetime) -> dict[str, object]:
    from crisisdesk.oncall.rehearsal import rehearse  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.choice import OTHERS  # noqa: PLC0415  as above

    watch, kind, severity = case
    acts = [{"time": stamp(act.time), "do": act.do.name.lower(), "to": act.to} for act in rehearse(orders, *case, now)]
    named = None if watch == OTHERS else watch
    return {"part": "call", "severity": str(severity), "kind": str(kind), "watch": named, "acts": acts}


def missing_addresses(settings: "Settings") -> Iterator[tuple[str, bool]]:
    """Addresses that are not in this environment, or not in their files, each of which keeps a call from somebody."""
    from crisisdesk.settings.notify import NotifyOutput  # noqa: PLC0415  as above

    for output in settings.outputs:
        if isinstance(output, NotifyOutput):
            for person in output.people or (None,):
                if said := output.missing(os.environ, person):
                    yield said, True


def wrong_calls(settings: "Settings", orders: "Orders", now: datetime) -> Iterator[tuple[str, bool]]:
    """What is wrong, and whether it keeps a call from everybody."""
    from crisisdesk.settings.oncall.choice import uncovered  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.doubts import doubts  # noqa: PLC0415  as above

    yield from ((said, severity is Severity.RED) for severity, said in uncovered(settings))
    for rota in orders.rotas.values():
        yield from _gaps(settings, orders, rota, now)
        yield from ((said, False) for said in _idle_swaps(rota, now))
    yield from ((said, False) for said in doubts(settings))


def _gaps(settings: "Settings", orders: "Orders", rota: "Rota", now: datetime) -> Iterator[tuple[str, bool]]:
    """When nobody is on, and whether nobody would be called then."""
    from crisisdesk.cli.oncall_text import when  # noqa: PLC0415  as above
    from crisisdesk.oncall.rota import Gap  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.choice import cases, whose  # noqa: PLC0415  as above

    gaps = [piece for piece in rota.turns(now, now + AHEAD) if isinstance(piece, Gap)]
    if not gaps:
        return
    gap, lost = next(((gap, lost) for gap in gaps if (lost := _lost(settings, orders, gap.start))), (gaps[0], []))
    span = f"from {when(gap.start, rota.zone, now)} to {when(gap.end, rota.zone, now)}"
    more = f", and {counted(len(gaps) - 1, 'time')} more in the next four weeks" if len(gaps) > 1 else ""
    then = f"; {whose(lost, cases(settings))} would call nobody then" if lost else ""
    yield f"{clean(rota.name)}: nobody is on {span}{more}{then}.", bool(lost)


def _lost(settings: "Settings", orders: "Orders", at: datetime) -> "list[Case]":
    """Incidents of the worst severity whose chain would reach nobody if they opened at a moment."""
    from crisisdesk.oncall.rehearsal import reaches_somebody  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.choice import cases, chosen  # noqa: PLC0415  as above

    alike: dict[tuple[int | None, Severity], list[Case]] = {}
    for case in cases(settings):
        chain = chosen(settings, case)
        if chain is not None or not settings.chains:
            alike.setdefault((chain, case[2]), []).append(case)
    lost = [case for some in alike.values() if not reaches_somebody(orders, *some[0], at) for case in some]
    return [case for case in lost if case[2] is max(bad for *_, bad in lost)]


def _idle_swaps(rota: "Rota", now: datetime) -> Iterator[str]:
    """Swaps to come that change nothing, since whom they are for is not on then."""
    from crisisdesk.cli.oncall_text import when  # noqa: PLC0415  as above
    from crisisdesk.oncall.rota import Rota, Turn  # noqa: PLC0415  as above

    regular = Rota(rota.name, rota.zone, rota.shifts)
    for swap in rota.swaps:
        if swap.instead_of is None or swap.end <= now:
            continue
        on = {piece.person for piece in regular.turns(swap.start, swap.end) if isinstance(piece, Turn)}
        if swap.instead_of not in on:
            who = ", ".join(map(clean, sorted(on))) or "nobody"
            span = f"{when(swap.start, rota.zone, now)} to {when(swap.end, rota.zone, now)}"
            what = f"does nothing: {clean(swap.instead_of)} is not on then ({who} is)"
            yield f"{clean(rota.name)}: the swap from {span} {what}."


def _test(settings: "Settings", whom: str) -> None:
    """Send a message that says that it is a test by every way to a person, or to a room.

    Raises:
        UsageError: there is nobody of this name.
        typer.Exit: not every message was taken.
    """
    from crisisdesk.cli.people import addressed  # noqa: PLC0415  as above
    from crisisdesk.clock import WallClock  # noqa: PLC0415  as above
    from crisisdesk.names import folded, nearest  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.reach import people, ways  # noqa: PLC0415  as above

    reached = ways(settings)
    known = [*people(settings), *(name for name, some in reached.items() if some is None)]
    name = next((one for one in known if folded(one) == folded(whom)), None)
    if name is None:
        raise UsageError(f"--test: '{clean(whom, 60)}' has no address in any output; {nearest(whom, known)}")
    clock, failed = WallClock(), 0
    for way, some in reached.items():
        if way != name and name not in (some or ()):
            continue
        try:
            (output,) = addressed(settings, clock, only=way, whom=name if some else None)
            asyncio.run(output.tell_test())
        except (ConfigurationError, OutputError) as error:  # other ways may reach them all the same
            failed += 1
            put(f"failed  {error}")
        else:
            put(f"sent    {output.name}")
    say("Ask whether it has arrived: that a service takes a message does not mean that a telephone rings.")
    if failed:
        raise typer.Exit(1)


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(oncall)
