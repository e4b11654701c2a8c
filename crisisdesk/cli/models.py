"""Commands about the sentiment model: `model evaluate` and `model info`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import BadLines, progress, put, put_json
from crisisdesk.sentiment import card

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

model = typer.Typer(name="model", help="The sentiment model: how good it is, what it is.", no_args_is_help=True)


@model.command("evaluate")
def model_evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tab-separated with label and text; .gz too.")],
    *,
    by: Annotated[str | None, typer.Option(metavar="COLUMN", help="Also for each value of this column.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the model on labelled posts."""
    from crisisdesk.sentiment.evaluate import evaluate, render  # noqa: PLC0415 - numpy, which only this needs

    bad = BadLines()
    shipped = load_shipped_model()
    with progress("scoring", None) as advance:
        report = evaluate(file, shipped, by=by, bad=bad, progress=advance.more)
    bad.summarize()
    if as_json:
        put_json(report.as_dict())
    else:
        put(render(report))


@model.command("info")
def model_info(*, as_json: AsJson = False) -> None:
    """Say which model judges, and what is known about it."""
    known = card.read_card(card.default_model_folder())
    if as_json:
        put_json(asdict(known) | {"folder": str(known.folder)})
    else:
        put(card.render(known))


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    commands.add_typer(model)
