"""All commands together, and the one place that turns what goes wrong into a message and an exit code."""

import errno
import io
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from typer.exceptions import TyperException

from crisisdesk import __version__
from crisisdesk.cli import (
    audit,
    backup,
    console,
    doctor,
    forget,
    live,
    models,
    oncall,
    recorded,
    report,
    simulate,
    token,
    tools,
)
from crisisdesk.cli.terminal import let_go_of_stdout, say
from crisisdesk.errors import CrisisdeskError
from crisisdesk.text import clean
from crisisdesk.threads import end

INTERRUPTED = 130
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Why a disk takes no more."""

commands = typer.Typer(
    name="crisisdesk",
    help="The rapid-reaction desk: hears anger about a brand rise, calls who is on duty, hands over the playbook.",
    epilog="Start with `crisisdesk demo`. Results go to stdout, everything else to stderr. "
    "Exit codes: 0 done, 1 failed or problems found, 2 usage or configuration, 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"crisisdesk {__version__}")
        raise typer.Exit


@commands.callback()
def _options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Options of every command; the version is answered on the way."""
    del version


recorded.add_to(commands)
live.add_to(commands)
console.add_to(commands)
doctor.add_to(commands)
backup.add_to(commands)
oncall.add_to(commands)
report.add_to(commands)
token.add_to(commands)
audit.add_to(commands)
forget.add_to(commands)
tools.add_to(commands)
simulate.add_to(commands)
models.add_to(commands)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    end(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command; what goes wrong becomes one message on stderr and an exit code."""
    try:
        _accept_any_locale()
        # Not through the parser's own main(): it would answer a closed pipe for us, with exit code 1.
        command = typer.main.get_command(commands)
        with command.make_context("crisisdesk", list(sys.argv[1:] if arguments is None else arguments)) as context:
            result = command.invoke(context)
        sys.stdout.flush()
    except (typer.Exit, typer.Abort, TyperException, CrisisdeskError) as error:
        return _explain(error)
    except (KeyboardInterrupt, BrokenPipeError, BaseExceptionGroup) as error:
        return _explain(error)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return _no_room(error)
    return result if isinstance(result, int) else 0


def _accept_any_locale() -> None:
    """A terminal or pipe that cannot write a sign gets a "?" for it; the run goes on."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _explain(error: BaseException) -> int:
    """Say on stderr what a person needs to know, and give the exit code."""
    match error:
        case KeyboardInterrupt() | typer.Abort():
            return INTERRUPTED
        case BrokenPipeError():
            return _reader_left()
        case CrisisdeskError():
            say(str(error), "error")
            return error.exit_code
        case OSError() if error.errno in FULL:
            return _no_room(error)
        case BaseExceptionGroup():
            return _explain(_first_of(error))
    if show := getattr(error, "show", None):
        show()  # the parser's own word on a wrong option
    return int(getattr(error, "exit_code", CrisisdeskError.exit_code))


def _first_of(group: BaseExceptionGroup) -> BaseException:
    """The stages run side by side; what a person needs is the one trouble that ended them all."""
    for kind in (KeyboardInterrupt, BrokenPipeError):
        if group.subgroup(kind):
            return kind()
    if full := group.subgroup(lambda error: isinstance(error, OSError) and error.errno in FULL):
        return _innermost(full)
    expected, unexpected = group.split(CrisisdeskError)
    if unexpected is not None or expected is None:
        raise group
    return _innermost(expected)


def _innermost(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _reader_left() -> int:
    """Whoever read our output (`head`) has seen enough; Python must not complain about it when it exits."""
    let_go_of_stdout()
    return 0


def _no_room(error: OSError) -> int:
    """A disk is full; what is still to be written would fail again when Python exits."""
    let_go_of_stdout()
    what = clean(str(error.filename)) if error.filename else "The results"
    say(
        f"{what} cannot be written to the end: {(error.strerror or 'no room').lower()}; make room and run it again.",
        "error",
    )
    return CrisisdeskError.exit_code
