"""`crisisdesk forget`: erase what is kept of an author or a post, and keep a record of it that names nobody."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crisisdesk.cli.live import Person
from crisisdesk.cli.terminal import is_terminal, put, put_json, say
from crisisdesk.errors import InputError, StorageError, UsageError
from crisisdesk.text import clean, counted

if TYPE_CHECKING:
    from crisisdesk.privacy.erasure import Erased, Wanted

HINT = (
    "The desk knows authors as their networks do: on Bluesky by the DID (did:plc:…), which "
    "https://bsky.social/xrpc/com.atproto.identity.resolveHandle?handle=NAME shows, on Mastodon as @name@server, on X "
    "as @name@x.com."
)


def forget(
    *,
    author: Annotated[
        str, typer.Option(metavar="NAME", help="All posts of this author, as the network names them.")
    ] = "",
    source: Annotated[str, typer.Option(metavar="SOURCE", help="In this source only, such as bluesky.")] = "",
    post: Annotated[str, typer.Option(metavar="POST", help="One post: its address, or SOURCE:ID.")] = "",
    listed: Annotated[bool, typer.Option("--list", help="Show what was erased so far; nothing is changed.")] = False,
    show: Annotated[
        bool, typer.Option("--show", help="Show what is kept of the author or post, as JSON lines; nothing is changed.")
    ] = False,
    again: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="After a restore: erase once more what this list (--list --json) names."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration of the desk.")
    ] = None,
    database: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The desk's database, if not that of the configuration.")
    ] = None,
    person: Person = "",
    sure: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False,
) -> None:
    """Erase what the desk keeps of an author or of one post, wherever it is, and say what was found where.

    A record stays of when, on whose word, and how many; it names the author or post by a pseudonym only. What staff
    wrote themselves, in notes and reasons, is not searched. What has left the desk cannot be recalled.
    """
    from crisisdesk.cli.running import person as who_runs_it  # noqa: PLC0415 - the models take long to load
    from crisisdesk.privacy.erasure import Wanted  # noqa: PLC0415 - as above

    path = _database(config, database)
    if sum((bool(author or post or source), listed, again is not None)) != 1:
        raise UsageError("Give one of these: --author NAME, --post POST, --list or --again FILE.")
    if show:
        _tell(path, Wanted(author.strip(), source.strip(), post.strip()))
        return
    if listed:
        erased = asyncio.run(_records(path))
    else:
        wanted = None if again else Wanted(author.strip(), source.strip(), post.strip())
        if wanted is not None:
            wanted.corrections()  # what can be no post is refused before anybody is asked
        _ask(wanted, path, sure=sure)
        erased = _erased(path, wanted, again, clean(person) or who_runs_it())
    _show(erased, as_json=as_json)
    if listed and not erased:
        say(f"Nothing was erased on demand in {path} so far.")
    if author and not any(one.found for one in erased):
        say(f"Nothing of '{clean(author, 80)}' was found. {HINT}")


def _erased(path: Path, wanted: "Wanted | None", again: Path | None, person: str) -> "list[Erased]":
    from crisisdesk.storage.file import BUSY  # noqa: PLC0415 - as above

    try:
        return asyncio.run(_at_rest(path, wanted, again, person))
    except StorageError as error:
        if BUSY not in str(error):
            raise
        if wanted is None:
            raise UsageError(f"A desk is running with {path}; stop it, erase again, then start it.") from None
        return [asyncio.run(_by_the_running_desk(path, wanted, person))]


async def _by_the_running_desk(path: Path, wanted: "Wanted", person: str) -> "Erased":
    """Ask the desk that runs with this database: it alone may write there, and has more in memory.

    Raises:
        CrisisdeskError: it cannot be asked, or could not do it.
    """
    from crisisdesk import wire  # noqa: PLC0415 - as above
    from crisisdesk.console.line import Line, Place  # noqa: PLC0415 - as above
    from crisisdesk.privacy.erasure import Erased  # noqa: PLC0415 - as above
    from crisisdesk.server.presence import find  # noqa: PLC0415 - as above

    if (desk := find(path)) is None:
        raise UsageError(f"A desk is running with {path}, and does not say where; stop it, run this again, start it.")
    said = {"author": wanted.author, "source": wanted.source, "post": wanted.post}
    async with Line(Place(desk.url, desk.token, person, tls=False)) as line:
        answer = await line.ask("POST", "forget", {key: value for key, value in said.items() if value})
    return wire.decoded(answer["record"], Erased)


async def _at_rest(path: Path, wanted: "Wanted | None", again: Path | None, person: str) -> "list[Erased]":
    from crisisdesk.clock import WallClock  # noqa: PLC0415 - as above
    from crisisdesk.engine.forgetting import forget_again, forget_at_rest, lost_key  # noqa: PLC0415 - as above
    from crisisdesk.privacy.files import closed  # noqa: PLC0415 - as above
    from crisisdesk.storage.store import Store  # noqa: PLC0415 - as above

    records = _read(again) if again else []
    async with await Store.open(path) as store:
        if opened := closed(path):
            say(opened, "warning")
        if wanted is not None:
            if lost := await lost_key(store):
                say(lost, "warning")
            return [await forget_at_rest(store, wanted, person, WallClock().now())]
        return await forget_again(store, records, person, WallClock().now())


def _read(file: Path) -> "list[Erased]":
    from crisisdesk.privacy import again  # noqa: PLC0415 - as above

    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read ({error.strerror}); check the path.") from None
    records = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                records.append(again.read(line))
            except InputError as error:
                raise UsageError(f"{file}:{number}: {error}.") from None
    return records


def _tell(path: Path, wanted: "Wanted") -> None:
    """What is kept in the database; what a running desk has heard in the last minutes may be in its memory only."""
    from crisisdesk.engine.forgetting import kept_of  # noqa: PLC0415 - as above

    kept = asyncio.run(kept_of(path, wanted))
    for one in kept:
        put_json(one)
    if not kept:
        say(f"Nothing of it is in {path}. {HINT if wanted.author else ''}".strip())


async def _records(path: Path) -> "list[Erased]":
    from crisisdesk.storage import privacy  # noqa: PLC0415 - as above
    from crisisdesk.storage.snapshot import snapshot  # noqa: PLC0415 - as above
    from crisisdesk.storage.store import Store  # noqa: PLC0415 - as above

    with snapshot(path) as copy:
        async with await Store.open(copy, durable=False) as store:
            return await store.read(privacy.records)


def _database(config: Path | None, database: Path | None) -> Path:
    if database is None:
        from crisisdesk.cli.configured import read  # noqa: PLC0415 - as above

        database = read(config).desk.database
    if not database.exists():
        raise UsageError(f"There is no database {database}; name that of a desk that has run.")
    return database


def _ask(wanted: "Wanted | None", path: Path, *, sure: bool) -> None:
    """Erasing cannot be undone.

    Raises:
        UsageError: nobody is there who could be asked.
    """
    if sure:
        return
    if not is_terminal():
        raise UsageError("Erasing cannot be undone; add --yes where nobody can be asked.")
    what = (
        "what the list names" if wanted is None else f"the {wanted.kind} '{clean(wanted.author or wanted.post, 200)}'"
    )
    typer.confirm(f"Erase {what} in {path}? It cannot be undone.", abort=True)


def _show(erased: "list[Erased]", *, as_json: bool) -> None:
    from crisisdesk.payloads.erased import erased_data  # noqa: PLC0415 - as above

    for one in erased:
        if as_json:
            put_json(erased_data(one))
            continue
        places = ", ".join(f"{place}: {counted(posts, 'post')}" for place, posts in one.found) or "nothing was found"
        where = f" in {one.source}" if one.source else ""
        put(f"{one.at:%Y-%m-%d %H:%M} UTC  {one.kind} {one.name}{where}, erased by {one.person}: {places}")


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(forget)
