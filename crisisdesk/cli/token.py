"""`crisisdesk token`: who may use a desk that several people share, whether it runs or not."""

import shlex
import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crisisdesk.cli.terminal import put, put_json, say
from crisisdesk.errors import StorageError, UsageError
from crisisdesk.records import Role, stamp
from crisisdesk.text import clean, counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crisisdesk.server.token_file import Token
    from crisisdesk.server.tokens import Tokens
    from crisisdesk.settings.model import Settings

NAME_LENGTH: Final = 100
LONGEST: Final = timedelta(days=3660)
"""For how long a token may be at most, if not for ever."""
HEADINGS: Final = ("id", "name", "role", "created", "expires", "by")

commands = typer.Typer(name="token", help="Tokens: who may use a shared desk, and as what.", no_args_is_help=True)

Config = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration; else the one of `run`.")
]


class Granted(StrEnum):
    """What a token lets its person do; see `Role`."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    EDITOR = "editor"


@commands.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is: their name, as outputs and rotas have it.")],
    *,
    role: Annotated[
        Granted, typer.Option(help="viewer: looks. responder: acts on incidents as well. editor: also erases.")
    ] = Granted.RESPONDER,
    expires: Annotated[
        str | None, typer.Option(metavar="TIME", help='After how long it is void: "90 days"; without it never.')
    ] = None,
    config: Config = None,
) -> None:
    """Make a token for a person, and write it to stdout, this once; the desk keeps only a digest of it.

    A desk that runs knows it at once. With the first one, everybody needs one.
    """
    from crisisdesk.cli.orders import agreed  # noqa: PLC0415  what a configuration needs takes long to load
    from crisisdesk.cli.running import person  # noqa: PLC0415  the same
    from crisisdesk.cli.seat import seated  # noqa: PLC0415  the same

    settings, tokens = _desk(config)
    if not name.strip() or clean(name, NAME_LENGTH) != name.strip():
        raise UsageError(f"NAME: it has to be a name of one line, of at most {NAME_LENGTH} printable characters.")
    spelt, span = seated(name.strip(), agreed(settings), "NAME"), _span(expires)
    first = not tokens.required
    until = tokens.now() + span if span else None
    token, text = tokens.create(spelt, Role[role.name], expires=until, by=person())
    put(text)
    ends = f"until {until:%Y-%m-%d %H:%M} UTC" if until else "until it is revoked"
    say(
        f"This is the token of {token.person}, {token.role} {ends}. It is shown this once: hand it over where nobody "
        "else reads it. `crisisdesk console URL` asks for it; programmes send it as 'Authorization: Bearer TOKEN'."
    )
    if first:
        say("It is the first of this desk: from now on everybody needs one.")


@commands.command(name="list")
def show(
    *,
    config: Config = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False,
) -> None:
    """Show who has a token; the tokens themselves are not known here."""
    _, tokens = _desk(config)
    found = sorted(tokens.all(), key=lambda one: (one.person, one.created))
    now = tokens.now()
    if as_json:
        for one in found:
            put_json(_as_object(one, now))
    elif found:
        put("\n".join(_table(found, now)))
    if not found:
        say(f"There are no tokens in {tokens.path}; `crisisdesk token create NAME` makes one.")


@commands.command()
def revoke(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="The id of a token, or whose tokens.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask where somebody has several.")] = False,
    config: Config = None,
) -> None:
    """Make a token void at once; who uses it is sent away within two seconds."""
    from crisisdesk.cli.running import person  # noqa: PLC0415  as above

    _, tokens = _desk(config)
    meant = _meant(which, tokens.all())
    if len(meant) > 1 and not yes:
        _ask(meant)
    for one in tokens.revoke([one.id for one in meant], by=person()):
        say(f"Revoked: the token {one.id} of {clean(one.person)} ({one.role}).")
    if not tokens.all():
        say(
            "Nobody has a token now, so that a running desk lets nobody in. Make new ones, or remove "
            f"{tokens.path} and restart the desk to let in everybody on its machine."
        )


def _desk(config: Path | None) -> "tuple[Settings, Tokens]":
    """The configuration in force and the tokens of its desk."""
    from crisisdesk.cli.configured import read  # noqa: PLC0415  as above
    from crisisdesk.clock import WallClock  # noqa: PLC0415  as above
    from crisisdesk.server.tokens import Tokens  # noqa: PLC0415  as above

    settings = read(config)
    tokens = Tokens(settings.server.tokens_of(settings.desk.database), WallClock())
    tokens.look()
    if tokens.trouble:
        raise StorageError(tokens.trouble)
    return settings, tokens


def _span(expires: str | None) -> timedelta | None:
    from crisisdesk.settings.duration import parse_duration  # noqa: PLC0415  as above

    if expires is None:
        return None
    span = parse_duration(expires)
    if span is None:
        raise UsageError(f"--expires: '{clean(expires, 40)}' is no length of time; write it like \"90 days\".")
    if not timedelta() < span <= LONGEST:
        raise UsageError(f"--expires: '{clean(expires, 40)}' is not between a moment and ten years; or leave it out.")
    return span


def _meant(which: str, found: "Sequence[Token]") -> "list[Token]":
    """The token of this id, or those of this person.

    Raises:
        UsageError: there is none.
    """
    from crisisdesk.names import nearest, same  # noqa: PLC0415  as above

    meant = [one for one in found if one.id == which] or [one for one in found if same(one.person, which)]
    if not meant:
        known = [one.person for one in found]
        raise UsageError(
            f"No token has the id or the name '{clean(which, 60)}'; {nearest(which, known)}.".replace("?.", "?")
        )
    return meant


def _ask(meant: "Sequence[Token]") -> None:
    """Revoke several only if that is what is wanted."""
    ids = ", ".join(one.id for one in meant)
    several = f"{clean(meant[0].person)} has {counted(len(meant), 'token')} ({ids})"
    if not sys.stdin.isatty():
        raise UsageError(f"{several}; name one by its id, or add --yes for all of them.")
    if not typer.confirm(f"{several}. Revoke all of them?", err=True):
        raise UsageError(f"Nothing was revoked; name one by its id: crisisdesk token revoke {shlex.quote(meant[0].id)}")


def _table(found: "Sequence[Token]", now: datetime) -> "Iterator[str]":
    rows = [HEADINGS, *(_row(one, now) for one in found)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(one: "Token", now: datetime) -> tuple[str, ...]:
    from crisisdesk.server.tokens import is_expired  # noqa: PLC0415  as above

    until = f"{one.expires:%Y-%m-%d}" if one.expires else "never"
    until += " (expired)" if is_expired(one, now) else ""
    return one.id, clean(one.person, 60), str(one.role), f"{one.created:%Y-%m-%d}", until, clean(one.by, 60)


def _as_object(one: "Token", now: datetime) -> dict[str, object]:
    from crisisdesk.server.tokens import is_expired  # noqa: PLC0415  as above

    return {
        "id": one.id,
        "person": clean(one.person),
        "role": str(one.role),
        "created": stamp(one.created),
        "expires": stamp(one.expires) if one.expires else None,
        "expired": is_expired(one, now),
        "by": clean(one.by),
    }


def add_to(everything: typer.Typer) -> None:
    """Make the commands known."""
    everything.add_typer(commands)
