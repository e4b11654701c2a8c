"""The command `backup`: a copy of the desk's database to be kept, also while the desk runs."""

from pathlib import Path
from typing import Annotated

import typer

from crisisdesk.cli.terminal import put, say
from crisisdesk.records import stamp
from crisisdesk.text import counted


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy is written; it must not be there yet.")],
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration of the desk.")
    ] = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A desk's database, instead of that of a configuration.")
    ] = None,
) -> None:
    """Copy the desk's database, checked and as of one moment, also while the desk runs.

    To restore it: stop the desk, put the copy where the database was (and nothing with -wal behind it), start the desk.
    """
    from crisisdesk.storage.backup import back_up  # noqa: PLC0415 - `--help` need not wait for it

    found, tokens = _desk(config, database)
    held = back_up(found, file)
    newest = f", the newest change of {stamp(held.newest)}" if held.newest else ""
    put(f"{file}: {counted(held.incidents, 'incident')} ({held.are_open} open){newest}; {held.size:,} bytes, checked.")
    beside = [str(path) for path in (found.with_name(f"{found.name}.key"), tokens) if path.is_file()]
    if beside:
        say(f"Not in it, and part of the desk: {' and '.join(beside)}. Copy them to where only you can read them.")


def _desk(config: Path | None, database: Path | None) -> tuple[Path, Path]:
    """The database, and where the tokens of its people are."""
    if database is not None and config is None:
        return database, database.with_suffix(".tokens")
    from crisisdesk.cli.configured import read  # noqa: PLC0415 - what a configuration needs takes long to load

    configured = read(config)
    found = database or configured.desk.database
    return found, configured.server.tokens_of(found)


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(backup)
