"""`crisisdesk audit`: who did what at a desk that several people share, whether it runs or not."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crisisdesk.cli.terminal import put, put_json, say
from crisisdesk.errors import UsageError
from crisisdesk.names import same
from crisisdesk.records import stamp
from crisisdesk.text import clean, counted

if TYPE_CHECKING:
    from crisisdesk.privacy.erasure import Erased
    from crisisdesk.settings import Settings
    from crisisdesk.storage.audit import Entry


def audit(
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help='How far back: "12 hours", "30 days"; a year at most.')] = (
        "7 days"
    ),
    person: Annotated[str | None, typer.Option(metavar="NAME", help="Only what this person did.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration; else the one of `run`.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False,
) -> None:
    """Show who did what over HTTP, oldest first: changes, refusals, tokens made and revoked, and what was erased; UTC.

    Attempts of people whom the desk does not know are counted: 10x is the tenth of its hour. The desk may be running.
    """
    from crisisdesk.cli.configured import read  # noqa: PLC0415  what a configuration needs takes long to load
    from crisisdesk.clock import WallClock  # noqa: PLC0415  the same

    settings, now = read(config), WallClock().now()
    entries = asyncio.run(_entries(settings, now - _span(since)))
    shown = [one for one in entries if person is None or same(one.person, person)]
    if as_json:
        for one in shown:
            put_json(_as_object(one))
    elif shown:
        put("\n".join(_lines(shown)))
    if not shown:
        say(f"Nothing of the last {clean(since, 40)} is written down{f' of {clean(person, 60)}' if person else ''}.")


async def _entries(settings: "Settings", moment: datetime) -> "list[Entry]":
    """What the database holds, also of erasures, and what it has not taken over of the tokens' history."""
    from crisisdesk.clock import WallClock  # noqa: PLC0415  as above
    from crisisdesk.server.auditing import of_deed  # noqa: PLC0415  as above
    from crisisdesk.server.tokens import Tokens  # noqa: PLC0415  as above
    from crisisdesk.storage import privacy  # noqa: PLC0415  as above
    from crisisdesk.storage.audit import Audit  # noqa: PLC0415  as above
    from crisisdesk.storage.snapshot import snapshot  # noqa: PLC0415  as above
    from crisisdesk.storage.store import Store  # noqa: PLC0415  as above

    database, found = settings.desk.database, list["Entry"]()
    tokens = Tokens(settings.server.tokens_of(database), WallClock())
    tokens.look()
    if tokens.trouble:
        say(tokens.trouble, "warning")
    if database.exists() or not tokens.history:
        with snapshot(database) as copy:
            async with await Store.open(copy, durable=False) as store:
                erased = await store.read(privacy.records)
                found = await Audit(store).since(moment) + [_of_erasure(one) for one in erased if one.at >= moment]
    known = {one.mark for one in found}
    deeds = [of_deed(deed) for deed in tokens.history if deed.at >= moment]
    return sorted([*found, *(one for one in deeds if one.mark not in known)], key=lambda one: one.at)


def _of_erasure(erased: "Erased") -> "Entry":
    from crisisdesk.storage.audit import Entry  # noqa: PLC0415  as above

    where = f" in {clean(erased.source)}" if erased.source else ""
    found = f"found in {counted(len(erased.found), 'place')}" if erased.found else "nothing was found"
    return Entry(erased.at, f"erased {erased.kind} {clean(erased.name)}{where}: {found}", erased.person)


def _span(since: str) -> timedelta:
    from crisisdesk.settings.duration import parse_duration  # noqa: PLC0415  as above

    span = parse_duration(since)
    if span is None:
        raise UsageError(f"--since: '{clean(since, 40)}' is no length of time; write it like \"7 days\".")
    return min(max(span, timedelta()), timedelta(days=400))


def _lines(entries: "Sequence[Entry]") -> Iterator[str]:
    rows = [(_who(one), clean(one.address)) for one in entries]
    who, where = (max(len(row[column]) for row in rows) for column in (0, 1))
    for one, (name, address) in zip(entries, rows, strict=True):
        what = " ".join(filter(None, (clean(one.what), clean(one.incident), str(one.status or ""))))
        times = f"  {one.times:,}x" if one.times > 1 else ""
        yield f"{one.at:%Y-%m-%d %H:%M:%S}  {name:<{who}}  {address:<{where}}  {what}{times}".rstrip()


def _who(one: "Entry") -> str:
    """The person and what they may do; who is not known is a stranger."""
    role = f" ({one.role})" if one.role else ""
    if one.person:
        return f"{clean(one.person, 60)}{role}"
    if one.token:
        return f"the revoked token {one.token}"
    return "somebody" if one.mark else "a stranger"


def _as_object(one: "Entry") -> dict[str, object]:
    return {
        "time": stamp(one.at),
        "person": clean(one.person) or None,
        "token": one.token or None,
        "role": one.role or None,
        "address": one.address or None,
        "what": clean(one.what),
        "incident": clean(one.incident) or None,
        "status": one.status or None,
        "times": one.times,
    }


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(audit)
