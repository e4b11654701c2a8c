"""The command `report`: what a desk has to tell besides its calls."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crisisdesk.cli.terminal import put, put_json, say
from crisisdesk.clock import WallClock
from crisisdesk.errors import UsageError
from crisisdesk.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crisisdesk.detect.standard import Standard

WEEKLY: Final = "weekly"


def report(
    what: Annotated[str, typer.Argument(metavar=WEEKLY, help="How the last weeks of every watch were.")],
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration of the desk.")
    ] = None,
    database: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A desk's database; without --config, budgets are taken for 1 per month."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text, one a watch.")] = False,
) -> None:
    """Tell how the week was: negative share week by week, a slow rise, incidents, what the budgets have spent.

    The desk may be running; what it hears is in the report after five minutes at most.
    """
    from crisisdesk.cli.weekly import as_object, as_text, weekly  # noqa: PLC0415 - detectors take long to load

    if what != WEEKLY:
        raise UsageError(f"There is no report '{clean(what, 40)}'; write: crisisdesk report {WEEKLY}")
    path, standards = _desk(config, database)
    watches = asyncio.run(weekly(path, standards, WallClock().now()))
    for watch in watches:
        if as_json:
            put_json(as_object(watch))
        else:
            put("\n".join(as_text(watch)))
    if not watches:
        say(
            f"{path} holds nothing that a watch has learnt; let the desk run for five minutes, or play posts into a "
            "new database: crisisdesk replay FILE --watch NAME=term,term --database FILE"
        )


def _desk(config: Path | None, database: Path | None) -> "tuple[Path, Mapping[str, Standard]]":
    """The database, and by what its watches are judged; none where only the database is given."""
    if database is not None and config is None:
        return database, {}
    from crisisdesk.cli.configured import read, rules  # noqa: PLC0415 - what a configuration needs takes long to load

    configured = read(config)
    return database or configured.desk.database, {rule.name: one for rule, one in rules(configured).items()}


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(report)
