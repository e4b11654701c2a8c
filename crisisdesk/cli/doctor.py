"""`crisisdesk doctor`: looks at every part of a desk as it is configured, and says in plain words what is wrong."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crisisdesk.cli.loading import model_loader
from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import put, put_json, say
from crisisdesk.resources import folder
from crisisdesk.text import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crisisdesk.doctor import Finding
    from crisisdesk.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")]


def doctor(
    *,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="The configuration; else the one of `run`.")
    ] = None,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long a source has to be heard.")] = 15.0,
    as_json: AsJson = False,
) -> None:
    """Look at the desk before it is needed: database, access, certificate, playbooks, model, sources, outputs, calls.

    Nothing is changed, and a desk that is running is not disturbed. Exit code 1 where something does not work.
    """
    say(f"Looking at every part. Each source has {seconds:g} seconds to be heard.")
    errors = warnings = 0
    for finding in _findings(config, seconds):
        errors += finding.verdict == "error"
        warnings += finding.verdict == "warning"
        if as_json:
            put_json({"part": finding.part, "verdict": finding.verdict, "said": finding.said})
        else:
            put(f"{finding.verdict:<7}  {finding.part}: {finding.said}")
    if errors:
        say(f"{counted(errors, 'part does', 'parts do')} not work; mend what is named.")
        raise typer.Exit(1)
    say(f"{counted(warnings, 'part wants', 'parts want')} a look." if warnings else "Nothing is wrong.")


def _findings(config: Path | None, seconds: float) -> "Iterator[Finding]":
    from crisisdesk import doctor as checks  # noqa: PLC0415  networks and models: `--help` need not wait for them
    from crisisdesk.cli import configured, outputs  # noqa: PLC0415  the same
    from crisisdesk.clock import WallClock  # noqa: PLC0415  the same
    from crisisdesk.server.tokens import Tokens  # noqa: PLC0415  the same
    from crisisdesk.settings.privacy import secret_files  # noqa: PLC0415  the same
    from crisisdesk.sources.file.pipe import is_piped  # noqa: PLC0415  the same

    settings, clock = configured.read(config), WallClock()
    desk = settings.desk
    load = model_loader(desk.model, desk.model_labels) or load_shipped_model
    yield checks.examined("database", partial(checks.database, desk.database))
    yield checks.examined("files", partial(checks.files, desk.database, secret_files(settings)))
    tokens = Tokens(settings.server.tokens_of(desk.database), clock)
    file = configured.place(config) or Path()
    yield checks.examined("access", partial(checks.access, settings.server, tokens, file, clock.now()))
    if (chain := settings.server.tls_certificate) and (key := settings.server.tls_key):
        yield checks.examined("encryption", partial(checks.encryption, chain, key, clock.now()))
    today = datetime.now(UTC).date()
    yield checks.examined("playbooks", partial(checks.playbooks, desk.playbooks or folder("playbooks"), today))
    yield checks.examined("model", partial(checks.model, load))
    if not settings.watches or not settings.sources:
        missing = "[[source]]" if settings.watches else "[[watch]]"
        yield checks.Finding("configuration", checks.Verdict.ERROR, f"It has no {missing}; add one.")
    sources = configured.sources(settings, clock, visiting=True)
    pipes = {one.name for one in settings.sources if one.kind == "file" and is_piped(one.path)}
    for name in pipes:
        yield checks.Finding(f"source {name}", checks.Verdict.OK, "is a pipe; only the desk reads what is in it.")
    heard = [source for source in sources if source.name not in pipes]
    yield from asyncio.run(checks.heard(heard, clock, seconds))
    for output in settings.outputs:
        yield asyncio.run(checks.reached(output.name, partial(outputs.visited, output, settings)))
    yield from _calls(settings, clock.now())
    yield checks.examined("answer queue", partial(checks.answer_queue, settings.watches))


def _calls(settings: "Settings", now: datetime) -> "Iterator[Finding]":
    """Whether somebody is called whenever somebody should be."""
    from crisisdesk import doctor as checks  # noqa: PLC0415  as above
    from crisisdesk.cli.oncall import missing_addresses, wrong_calls  # noqa: PLC0415  as above
    from crisisdesk.cli.orders import agreed  # noqa: PLC0415  as above
    from crisisdesk.settings.oncall.doubts import uncalled  # noqa: PLC0415  as above

    if said := uncalled(settings):
        yield checks.Finding("calls", checks.Verdict.OK if settings.outputs else checks.Verdict.WARNING, said)
        return
    orders = agreed(settings)
    wrong = list(wrong_calls(settings, orders, now))
    found = checks.Verdict.ERROR if any(is_problem for _, is_problem in wrong) else checks.Verdict.WARNING
    for said, _ in wrong[:1]:
        more = f" ({len(wrong) - 1} more: crisisdesk oncall)" if len(wrong) > 1 else ""
        yield checks.Finding("calls", found, f"{said}{more}")
    if not wrong and not any(missing_addresses(settings)):
        yield checks.Finding("calls", checks.Verdict.OK, "somebody is called at any time; crisisdesk oncall says who.")


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(doctor)
