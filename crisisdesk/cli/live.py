"""Commands that listen to the present: `run` and `watch`, and `init`, which writes the configuration to start from.

What they are made of (settings, networks, brokers) is imported when they run: `--help` need not wait for it.
"""

import os
import shlex
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from crisisdesk.cli.loading import LabelsOption, ModelOption
from crisisdesk.cli.terminal import is_terminal, say
from crisisdesk.errors import UsageError

CONFIGURATION: Final = "crisisdesk.toml"

Person = Annotated[
    str,
    typer.Option(
        "--as", metavar="NAME", envvar="CRISISDESK_PERSON", help="Who sits here, as the rota names them; else the user."
    ),
]
Headless = Annotated[bool, typer.Option("--headless", help="No console: one line an event, the log on stderr.")]


class LogFormat(StrEnum):
    """For whom a desk without a console writes."""

    TEXT = "text"
    JSON = "json"


Log = Annotated[
    LogFormat,
    typer.Option(
        "--log-format",
        envvar="CRISISDESK_LOG_FORMAT",
        help="Without a console: text for people, or json: every line is an object, on stdout as of `replay --json`.",
    ),
]


def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help=f"The configuration; else {CONFIGURATION} here or yours."),
    ] = None,
    headless: Headless = False,
    log_format: Log = LogFormat.TEXT,
    person: Person = "",
) -> None:
    """Run the desk as it is configured, until it is quit: ctrl+q in the console, ctrl+c or SIGTERM without."""
    from crisisdesk.cli import configured  # noqa: PLC0415 - see above
    from crisisdesk.cli.log_format import speak  # noqa: PLC0415 - see above
    from crisisdesk.cli.seat import seated, tell_uncalled  # noqa: PLC0415 - see above

    silent, as_json = headless or not is_terminal(), log_format is LogFormat.JSON
    if silent:
        speak(as_json=as_json)
    plan = configured.desk_plan(config)
    plan.person = seated(person, plan.standing.current)
    if silent:
        tell_uncalled(plan)
    configured.run(plan, headless=silent, as_json=as_json)


def watch(
    terms: Annotated[list[str], typer.Argument(metavar="TERM...", help='Words, #tags, @names or "phrases".')],
    *,
    headless: Headless = False,
    log_format: Log = LogFormat.TEXT,
    url: Annotated[str | None, typer.Option(metavar="ADDRESS", help="The Jetstream server to listen to.")] = None,
    history: Annotated[
        float,
        typer.Option(metavar="HOURS", min=0, max=36, help="How far back new terms are read; 0 spares the traffic."),
    ] = 36.0,
    model: ModelOption = None,
    labels: LabelsOption = None,
) -> None:
    """Listen on Bluesky for these terms: no configuration, no account. What it learns is kept for the next time."""
    from crisisdesk.cli import configured  # noqa: PLC0415 - see above
    from crisisdesk.cli.log_format import speak  # noqa: PLC0415 - see above

    found = tuple(term.strip() for term in terms if term.strip())
    if not found:
        raise UsageError("There is no term to watch; write for example: crisisdesk watch motrin 'pain reliever'.")
    silent, as_json = headless or not is_terminal(), log_format is LogFormat.JSON
    if silent:
        speak(as_json=as_json)
    plan = configured.watch_plan(found, url, model, labels, history=timedelta(hours=history))
    configured.run(plan, headless=silent, as_json=as_json)


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = Path(CONFIGURATION),
) -> None:
    """Write a configuration to start from, with every setting explained."""
    from crisisdesk.settings import EXAMPLE, find  # noqa: PLC0415 - see above

    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(EXAMPLE)
    except FileExistsError:
        raise UsageError(
            f"{file} exists already and was left as it is; name another file: crisisdesk init other.toml"
        ) from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; name a file in a folder of yours.") from None
    found = find(None, os.environ, Path.cwd(), Path(typer.get_app_dir("crisisdesk")))
    named = "" if found and found.absolute() == file.absolute() else f" -c {shlex.quote(str(file))}"
    say(f"Wrote {file}. Edit its watches, then: crisisdesk run{named}")


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    for command in (run, watch, init):
        commands.command()(command)
