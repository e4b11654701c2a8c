"""`crisisdesk console`: sit at a desk that runs elsewhere, or without a console on this machine.

What it is made of is imported when it runs: `--help` need not wait for it.
"""

import asyncio
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from zoneinfo import ZoneInfo

import typer

from crisisdesk.cli.live import Person
from crisisdesk.cli.terminal import is_terminal, say
from crisisdesk.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from crisisdesk.console.line import Me, Place

PATIENCE: Final = 1.0
"""Seconds in which a wrong address or token is told before the console opens; it opens then, and goes on trying."""
ATTEMPTS: Final = 3
"""Tokens that one may type."""
EXAMPLE: Final = "https://desk.example:8443"


def console(
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help=f"Such as {EXAMPLE}; else the one of your configuration."),
    ] = "",
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="The configuration of the desk that runs here."),
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your token; else $CRISISDESK_TOKEN, or it is asked for.")
    ] = None,
    person: Person = "",
    ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The authority behind its certificate, if it is one of your own."),
    ] = None,
) -> None:
    """Attach a console to a running desk; ctrl+q leaves it, and the desk goes on."""
    from crisisdesk.console.line import Place  # noqa: PLC0415 - see above
    from crisisdesk.server.presence import find  # noqa: PLC0415 - see above

    if not is_terminal():
        raise UsageError("A console needs a terminal; programmes ask the desk over HTTP, at /api/v1/incidents.")
    if url:
        _attach_elsewhere(url, token_file, person, ca)
        return
    database, seat = _database(config), _seated(person)

    def find_here() -> Place | None:
        """Each run of a desk has a token of its own, and may have another port."""
        found = find(database)
        return Place(found.url, found.token, seat, tls=False) if found else None

    place = find_here()
    if place is None:
        raise UsageError(
            f"No desk with the database {database} runs on this machine, or it is another user's. Start it with "
            "`crisisdesk run`, or name one elsewhere: crisisdesk console " + EXAMPLE
        )
    _attach(place, asyncio.run(_greeted(place, PATIENCE)), find_here)


def _attach_elsewhere(url: str, token_file: Path | None, person: str, ca: Path | None) -> None:
    from crisisdesk.cli.desks import Tokens, address, trusted  # noqa: PLC0415 - see above
    from crisisdesk.console.line import DeniedError, Place  # noqa: PLC0415 - see above

    where, tls = address(url), trusted(ca)
    tokens = Tokens(where, token_file, os.environ, Path(typer.get_app_dir("crisisdesk")))
    token, origin = tokens.find()
    for attempt in range(ATTEMPTS + 1):
        try:
            if attempt:
                origin, token = "", tokens.ask()
            place = Place(where, token, _seated(person), tls)
            me = asyncio.run(_greeted(place, PATIENCE if origin else None))
        except DeniedError as error:
            if attempt == ATTEMPTS or (origin and not origin.startswith("kept")):
                raise UsageError(f"{error} The token is that {origin}." if origin else str(error)) from None
            if attempt or origin:
                say(str(error))
        else:
            if attempt:
                tokens.offer_to_keep(token)
            _attach(place, me)
            return


def _attach(place: "Place", me: "Me | None", find: "Callable[[], Place | None]" = lambda: None) -> None:
    """Run the console until it is quit; `find` looks where the desk is after a break."""
    from crisisdesk.cli.signals import noting, until_ctrl_c  # noqa: PLC0415 - see above
    from crisisdesk.clock import WallClock  # noqa: PLC0415 - see above
    from crisisdesk.console.app import Console  # noqa: PLC0415 - see above
    from crisisdesk.console.line import Line  # noqa: PLC0415 - see above
    from crisisdesk.console.remote import RemoteDesk  # noqa: PLC0415 - see above

    async def work() -> None:
        async with Line(place, find) as line, RemoteDesk(line, WallClock()) as desk:
            shown = Console(desk, me.person if me else place.person, _zone(me))
            ended.then(shown.exit)
            await shown.run_async()

    with noting("SIGTERM", "SIGHUP") as ended:  # a lost terminal, too
        until_ctrl_c(work)


async def _greeted(place: "Place", patience: float | None) -> "Me | None":
    """Who one is to a desk; None where it has not answered within so many seconds.

    Raises:
        CrisisdeskError: why one is not let in, or nobody answers.
    """
    from crisisdesk.console.line import Line  # noqa: PLC0415 - see above

    async with Line(place) as line:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                return await line.me()
    return None


def _database(config: Path | None) -> Path:
    """That of the desk of the configuration, which may run on this machine.

    Raises:
        UsageError: there is none.
        ConfigurationError: it is broken.
    """
    from crisisdesk.cli import configured  # noqa: PLC0415 - see above

    found = configured.read_if_any(config)
    if found is None:
        raise UsageError(
            f"Which desk? crisisdesk console {EXAMPLE}, with the address you were given. Without an address it is the "
            "one of the configuration, and there is none here; `-c FILE` names it."
        )
    return found.desk.database


def _seated(person: str) -> str:
    """Who sits here, for a desk that knows it by no token."""
    from crisisdesk.cli.running import person as user  # noqa: PLC0415 - see above

    return person.strip() or user()


def _zone(me: "Me | None") -> ZoneInfo | None:
    """By which clocks the desk's people read."""
    with suppress(ValueError, OSError):  # it knows zones that this machine does not
        return ZoneInfo(me.timezone) if me and me.timezone else None
    return None


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(console)
