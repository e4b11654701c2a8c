"""Commands that listen to the present: `run` and `watch`, and `init`, which writes the configuration to start from."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from crisisdesk.app import App, Plan
from crisisdesk.cli.configured import read, rules
from crisisdesk.cli.logs import log_desk
from crisisdesk.cli.running import load_shipped_model, run_console, run_headless
from crisisdesk.cli.terminal import event_line, is_terminal, let_go_of_stdout, put, say
from crisisdesk.clock import Clock, WallClock
from crisisdesk.errors import ConfigurationError, UsageError
from crisisdesk.match import WatchRule
from crisisdesk.mqtt import Broker
from crisisdesk.outputs.base import Output
from crisisdesk.outputs.mqtt import MqttOutput, heartbeat_data
from crisisdesk.records import Notification
from crisisdesk.resources import folder
from crisisdesk.settings import (
    BLUESKY_URL,
    DEFAULT_BUDGET,
    EXAMPLE,
    FILE_NAME,
    BlueskySource,
    Settings,
    SourceSettings,
)
from crisisdesk.sources.base import Source
from crisisdesk.sources.bluesky import Bluesky
from crisisdesk.sources.replay import FileSource

Headless = Annotated[bool, typer.Option("--headless", help="No console: one line an event, the log on stderr.")]


def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help=f"The configuration; else {FILE_NAME} here or yours."),
    ] = None,
    headless: Headless = False,
) -> None:
    """Run the desk as it is configured, until it is quit (ctrl+q) or stopped (ctrl+c, SIGTERM)."""
    settings = read(config)
    assert settings is not None  # noqa: S101 - required, so it is there
    if not settings.watches or not settings.sources:
        missing = "[[watch]]" if not settings.watches else "[[source]]"
        raise ConfigurationError(f"The configuration has no {missing}, so there is nothing to do; add one.")
    clock = WallClock()
    _run(
        Plan(
            watches=rules(settings),
            sources=[_source(source, clock) for source in settings.sources],
            database=settings.desk.database,
            playbooks=settings.desk.playbooks or folder("playbooks"),
            clock=clock,
            load_model=load_shipped_model,
            outputs=_outputs(settings, clock),
            live=True,
        ),
        headless=headless,
    )


def watch(
    terms: Annotated[list[str], typer.Argument(metavar="TERM...", help='Words, #tags, @names or "phrases".')],
    *,
    headless: Headless = False,
    url: Annotated[str, typer.Option(help="The Jetstream server to listen to.")] = BLUESKY_URL,
) -> None:
    """Listen on Bluesky for these terms: no configuration, no account. What it learns is kept in your data folder."""
    found = tuple(term.strip() for term in terms if term.strip())
    if not found:
        raise UsageError("There is no term to watch; write for example: crisisdesk watch motrin 'pain reliever'.")
    clock = WallClock()
    home = Path(typer.get_app_dir("crisisdesk"))
    home.mkdir(parents=True, exist_ok=True)
    _run(
        Plan(
            watches={WatchRule(found[0], found): DEFAULT_BUDGET},
            sources=[Bluesky(url, clock)],
            database=home / "watch.db",
            playbooks=folder("playbooks"),
            clock=clock,
            load_model=load_shipped_model,
            live=True,
        ),
        headless=headless,
    )


def init(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = Path(FILE_NAME),
) -> None:
    """Write a configuration to start from, with every setting explained."""
    try:
        with file.open("x", encoding="utf-8") as handle:
            handle.write(EXAMPLE)
    except FileExistsError:
        raise UsageError(f"{file} exists already and was left as it is; name another file.") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; name a file in a folder of yours.") from None
    say(f"Wrote {file}. Edit its watches, then: crisisdesk run" + ("" if file.name == FILE_NAME else f" -c {file}"))


def _run(plan: Plan, *, headless: bool) -> None:
    if is_terminal() and not headless:
        run_console(plan)
        return

    def tell(notification: Notification) -> None:
        try:
            put(event_line(notification))
        except BrokenPipeError:  # whoever read along is gone; the desk goes on
            let_go_of_stdout()

    def prepare(app: App) -> None:
        app.register.subscribe(tell)
        log_desk(app)

    app = run_headless(plan, prepare)
    for output in app.outputs():
        if output.waiting:
            say(f"{output.name}: {output.waiting} alerts wait in {plan.database} and go out after the next start.")


def _source(source: SourceSettings, clock: Clock) -> Source:
    if isinstance(source, BlueskySource):
        return Bluesky(source.url, clock, name=source.name)
    return FileSource(source.name, source.path, clock)


def _outputs(settings: Settings, clock: Clock) -> Callable[[App], Sequence[Output]]:
    """Outputs tell how the desk is doing, so they are made when there is one."""
    passwords = [output.password(os.environ) for output in settings.outputs]

    def make(app: App) -> Sequence[Output]:
        return [
            MqttOutput(
                Broker(output.host, output.port, output.username, password),
                desk=settings.desk.name,
                name=output.name,
                clock=clock,
                heartbeat=lambda: _heartbeat(app),
                open_incidents=lambda: [one for one in app.register.incidents() if one.is_open],
                heartbeat_seconds=output.heartbeat_seconds,
            )
            for output, password in zip(settings.outputs, passwords, strict=True)
        ]

    return make


def _heartbeat(app: App) -> Mapping[str, object]:
    return heartbeat_data(app.plan.clock.now(), app.sources(), app.outputs(), app.waiting(), app.model_line())


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    for command in (run, watch, init):
        commands.command()(command)
